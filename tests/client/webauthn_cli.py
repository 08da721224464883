#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`keypilot webauthn create` and `get` from outside: exit codes, forms, files. Prints TAP.

    webauthn_cli.py KEYPILOT FIXTURES
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ORIGIN = 'https://login.example.com'
CREATE = {
    'rp': {'name': 'Example', 'id': 'example.com'}, 'user': {'id': 'AQID', 'name': 'n', 'displayName': 'd'},
    'challenge': 'AAECAwQF', 'pubKeyCredParams': [{'type': 'public-key', 'alg': -7}],
    'authenticatorSelection': {'residentKey': 'required', 'userVerification': 'required'},
}
GET = {'challenge': 'AAECAwQF', 'rpId': 'example.com', 'userVerification': 'required'}
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Bench:
    def __init__(self, program, fixtures, folder):
        self.program, self.fixtures, self.folder = program, fixtures, pathlib.Path(folder)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def run(self, kind, *args, stdin=None):
        env = {k: v for k, v in os.environ.items() if k not in ('LANG', 'LC_ALL', 'LC_MESSAGES')}
        # no terminal: nothing may wait for somebody who types
        return subprocess.run([self.program, 'webauthn', kind, *args, '--fixtures', self.fixtures], input=stdin,
                              capture_output=True, text=True, check=False, env=env, start_new_session=True)

    def call(self, kind, options, *args):
        where = () if '--page' in args or '--origin' in args else ('--origin', ORIGIN)
        return self.run(kind, '--options', self.file('options.json', options), *where, *args)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(done, name, reason):
    expect(done.returncode == 1, f'exit {done.returncode}: {done.stderr}')
    error = json.loads(done.stdout)['error']
    expect(sorted(error) == ['ctap', 'message', 'name', 'reason'], str(error))
    expect((error['name'], error['reason']) == (name, reason), str(error))
    return error


def complained(done, code, *words):
    expect(done.returncode == code, f'exit {done.returncode}: {done.stdout}{done.stderr}')
    expect(done.stdout == '', f'printed {done.stdout}')
    lines = [line for line in done.stderr.splitlines() if not line.startswith('Try:')]
    expect(len(lines) == 1, done.stderr)
    for word in words:
        expect(word in lines[0], f'{word!r} is not in {lines[0]!r}')


@test
def prints_a_registration_and_a_login(b):
    state = str(b.folder / 'state.json')
    done = b.call('create', CREATE, '--state', state)
    expect(done.returncode == 0, done.stderr)
    made = json.loads(done.stdout)
    expect(sorted(made) == ['authenticatorAttachment', 'clientExtensionResults', 'id', 'rawId', 'response', 'type'], made)
    expect(sorted(made['response']) == ['attestationObject', 'authenticatorData', 'clientDataJSON', 'publicKey',
                                        'publicKeyAlgorithm', 'transports'], made)
    done = b.call('get', GET, '--state', state)
    expect(done.returncode == 0, done.stderr)
    got = json.loads(done.stdout)
    expect(got['id'] == made['id'], 'another credential')
    expect(sorted(got['response']) == ['authenticatorData', 'clientDataJSON', 'signature', 'userHandle'], got)


@test
def reads_options_from_standard_input(b):
    done = b.run('create', '--options', '-', '--origin', ORIGIN, stdin=json.dumps(CREATE))
    expect(done.returncode == 0, done.stderr)


@test
def forgets_without_state(b):
    refused(b.call('get', GET), 'NotAllowedError', 'no-credential')


@test
def remembers_wrong_pins(b):
    state, pin = str(b.folder / 'pins.json'), b.file('pin', '000000\n')
    for left in (7, 6, 5):
        error = refused(b.call('create', CREATE, '--state', state, '--pin-file', pin), 'NotAllowedError', 'person-gave-up')
        expect(error['ctap'] == 'CTAP2_ERR_PIN_INVALID', error)
        expect(json.loads(pathlib.Path(state).read_text())['pin_retries'] == left, 'retries')


@test
def knows_whose_memory_it_is(b):
    state = str(b.folder / 'solo.json')
    expect(b.call('create', {**CREATE, 'authenticatorSelection': {}}, '--key', 'sim:solo-1', '--state', state,
                  '--client', 'safari-ios').returncode == 0, 'create')
    expect(json.loads(pathlib.Path(state).read_text())['profile'] == 'solo-1', 'profile')
    refused(b.call('get', GET, '--state', state, '--client', 'safari-ios'), 'NotAllowedError',
            'uv-required-but-key-has-none')


@test
def repeats_with_a_seed(b):
    twice = [b.call('create', CREATE, '--seed', 'x').stdout for _ in range(2)]
    expect(twice[0] == twice[1], 'differs')
    expect(b.call('create', CREATE, '--seed', 'y').stdout != twice[0], 'another seed')
    expect(len({b.call('create', CREATE).stdout for _ in range(2)}) == 2, 'without a seed')
    state = str(b.folder / 'seed.json')
    ids = [json.loads(b.call('create', {**CREATE, 'user': {**CREATE['user'], 'id': user}}, '--seed', 'x', '--state',
                             state).stdout)['id'] for user in ('AAAA', 'BBBB')]
    expect(ids[0] != ids[1], 'two credentials with one id')


@test
def tells_what_a_browser_would_refuse(b):
    refused(b.call('create', {**CREATE, 'challenge': 'a b'}), 'EncodingError', 'option-not-base64url')
    refused(b.call('create', {k: v for k, v in CREATE.items() if k != 'rp'}), 'TypeError', 'option-mistyped')
    refused(b.call('create', CREATE, '--origin', 'https://other.example'), 'SecurityError', 'related-origins-unreadable')
    refused(b.call('create', CREATE, '--origin', 'http://login.example.com'), 'SecurityError', 'origin-not-secure')
    page = {'origin': ORIGIN, 'framing': 'cross-origin-iframe', 'topOrigin': 'https://top.example'}
    refused(b.call('create', CREATE, '--page', b.file('page.json', page)), 'NotAllowedError', 'permissions-policy')
    page = {**page, 'allow': 'publickey-credentials-create', 'userActivation': False}
    refused(b.call('create', CREATE, '--page', b.file('page.json', page)), 'NotAllowedError', 'user-activation-missing')


@test
def says_what_is_wrong_with_a_command_line(b):
    options = b.file('options.json', CREATE)
    complained(b.run('create', '--origin', ORIGIN), 2, '--options')
    complained(b.run('create', '--options', options), 2, '--origin', '--page')
    complained(b.run('create', '--options', options, '--origin', ORIGIN, '--page', options), 2, '--origin', '--page')
    complained(b.run('create', '--options', options, '--origin', 'example.com'), 2, '--origin', 'example.com')
    complained(b.call('create', CREATE, '--key', 'foo'), 2, 'foo', 'sim:PROFILE')
    complained(b.call('create', CREATE, '--key', 'sim:solo-1', '--key', 'sim:opensk', '--state', 'x'), 2, '--state')
    complained(b.call('create', CREATE, '--key', 'hid:/dev/hidraw99', '--seed', 'x'), 2, '--seed')


@test
def says_what_is_wrong_with_a_file(b):
    for content in ('', '[1]', '{"rp":1,"rp":2}', '{"rp":', '\ufffe', '{"a":' * 60 + '1' + '}' * 60, ' ' * 5_000_000):
        complained(b.run('create', '--options', b.file('bad.json', content), '--origin', ORIGIN), 3, 'bad.json')
    complained(b.run('create', '--options', str(b.folder / 'absent.json'), '--origin', ORIGIN), 3, 'absent.json')
    complained(b.run('create', '--options', str(b.folder), '--origin', ORIGIN), 3, str(b.folder))
    complained(b.call('create', CREATE, '--page', b.file('page.json', {'origin': ORIGIN, 'orgin': 1})), 3, 'page.json', 'orgin')
    complained(b.call('create', CREATE, '--pin-file', b.file('pin', '\n')), 3, 'pin')
    complained(b.call('create', CREATE, '--pin-file', b.file('pin', '1' * 64)), 3, 'pin')
    complained(b.call('create', CREATE, '--client', 'chrome-linus'), 3, 'chrome-linux')
    complained(b.call('create', CREATE, '--key', 'sim:solo-2'), 3, 'solo-1')


@test
def leaves_files_alone_when_it_cannot_go_on(b):
    state = b.file('state.json', '{"format":1,"credentials":5}')
    before = pathlib.Path(state).read_bytes()
    complained(b.call('create', CREATE, '--state', state), 3, 'state.json')
    expect(pathlib.Path(state).read_bytes() == before, 'changed')
    complained(b.call('create', CREATE, '--state', str(b.folder / 'no' / 'such.json')), 3, 'such.json')
    expect(not [p for p in b.folder.iterdir() if 'tmp' in p.name], 'left something')


@test
def does_not_wait_for_a_pin_that_nobody_can_type(b):
    state = str(b.folder / 'other-pin.json')
    pin = b.file('pin', '98765432\n')
    done = b.call('create', CREATE, '--key', 'sim:yubikey-5-57', '--pin-file', pin, '--state', state)
    expect(done.returncode == 0, done.stderr + done.stdout)
    refused(b.call('get', GET, '--state', state), 'NotAllowedError', 'person-gave-up')
    expect(b.call('get', GET, '--state', state, '--pin-file', pin).returncode == 0, 'with the PIN')


def main():
    program, fixtures = sys.argv[1:3]
    failed = 0
    for n, function in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Bench(program, fixtures, folder))
                why = ''
            except Exception as e:  # a crash of the program shows as a wrong answer
                why = f'{type(e).__name__}: {e}'.replace('\n', ' ')
        failed += why != ''
        print(('not ' if why else '') + f'ok {n} - {function.__name__.replace("_", " ")}')
        if why:
            print(f'#   {why}'[:600])
    print(f'1..{len(TESTS)}')
    return failed > 0


sys.exit(main())
