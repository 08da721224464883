# SPDX-License-Identifier: BSD-2-Clause
"""Whatever file a user hands in: one sentence, the right exit code, nothing touched.

bad_input.py KEYPILOT FIXTURES; prints TAP.  Good files are the fixtures and what the
program itself made; variants.py makes each wrong in one thing.
"""
import json
import os
import shutil
import tempfile

from harness import (FIXTURES, INPUT, REFUSED, USAGE, Run, answered, big_files, crash_trouble,
                     done, ok, read, refused, remove, sentence_trouble, snapshot, special_files,
                     write)
from variants import hostile_names, structural, textual

ORIGIN = 'https://school.example'

# ---- check: every kind of fixture, every member ----

# members whose value is free, so that another type is no mistake
FREE = {'note', 'source', 'sources', 'set', 'value', 'values', 'when', 'trace'}
# without these the file is none of its kind
NEEDED = {
    'authenticators': ['id', 'title', 'attachment', 'transports', 'versions', 'aaguid',
                       'algorithms', 'attestation', 'counter', 'places', 'state'],
    'clients': ['id', 'title', 'facts'], 'services': ['id', 'title', 'facts'],
    'providers': ['id', 'title', 'facts'], 'hubs': ['id', 'title', 'facts'],
    'populations': ['id', 'title', 'facts'],
    'scenarios': ['id', 'title', 'steps', 'expect'],
    'rules': ['id', 'title', 'when', 'meaning', 'owner', 'fix'],
    'pilots': ['id', 'title', 'defaults', 'matrix'],
}


def check_many(paths):
    """file -> sentence, '' where it is good; None: the program did not do its job."""
    told = {}
    for i in range(0, len(paths), 200):
        run = Run('check', *paths[i:i + 200], '--json', '--fixtures', FIXTURES)
        lines = [line for line in run.err.split(b'\n') if line]
        trouble = crash_trouble(run)
        answers = {}
        if trouble is None:
            try:
                answers = {item['file']: item for item in json.loads(run.out)}
            except ValueError as error:
                trouble = f'stdout is no JSON: {error}'
        bad = [item for item in answers.values() if not item['ok']]
        if trouble is None and len(lines) != len(bad):
            trouble = f'{len(bad)} files are wrong, {len(lines)} lines on stderr'
        if trouble is None and run.status != (INPUT if bad else 0):
            trouble = f'exit {run.status}'
        if trouble is not None:
            return trouble, run
        told.update({path: item['error'] or '' for path, item in answers.items()})
    return None, told


def check_members(folder, name):
    """Every member of a good file removed, and of another type."""
    root = read(os.path.join(FIXTURES, folder, name))
    paths, changes = [], {}
    for i, (kind, path, text) in enumerate(structural(root)):
        file = f'{folder[:3]}{i}/{folder}/{name}'
        write(file, text)
        os.symlink(os.path.join(FIXTURES, 'keys'), f'{folder[:3]}{i}/keys')
        paths.append(file)
        changes[file] = (kind, path)
    trouble, told = check_many(paths)
    if trouble is not None:
        ok(False, f'check judges {len(paths)} wrong copies of {folder}/{name}', trouble, told)
        return
    notes = []
    for file, (kind, path) in changes.items():
        sentence, words = told[file], [str(p) for p in path]
        free = any(word in FREE for word in words)
        must = (kind == 'unknown' and not free) or (kind == 'type' and not free) or (
            kind == 'missing' and len(path) == 1 and path[0] in NEEDED[folder])
        if sentence == '':
            if must:
                notes.append(f"{kind} {'.'.join(words)}: taken for good")
            continue
        trouble = sentence_trouble(b'keypilot: ' + sentence.encode(), file)
        if (trouble is None and 'contradiction' not in sentence
                and not any(w in sentence for w in words if not w.isdigit())):
            trouble = 'names no member'
        if trouble is not None:
            notes.append(f"{kind} {'.'.join(words)}: {trouble}: {sentence}")
    ok(not notes, f'{len(paths)} wrong copies of {folder}/{name} are refused by member', *notes)
    for i in range(len(paths)):
        shutil.rmtree(f'{folder[:3]}{i}')


def check_texts(folder, name):
    root = read(os.path.join(FIXTURES, folder, name))
    path = f'{folder}/{name}'
    refuse_texts(f'check: {folder[:-1]}', root, path, 'check', path, '--fixtures', FIXTURES,
                 texts=config_texts)


def sample(folder):
    names = sorted(os.listdir(os.path.join(FIXTURES, folder)))
    alone = [n for n in names if 'like' not in read(os.path.join(FIXTURES, folder, n))]
    return alone[0], alone[-1]


def check_fixtures():
    for folder in NEEDED:
        first, last = sample(folder)
        os.makedirs(folder, exist_ok=True)
        check_texts(folder, first)
        for name in dict.fromkeys((first, last)):
            check_members(folder, name)
        shutil.rmtree(folder)


# ---- files of one's own, anywhere ----

def own_files(pilot):
    """A NAME may always be a path: where the file lies makes no difference."""
    names = {'authenticators': 'yubikey-5-57', 'clients': 'chrome-linux',
             'services': 'magister', 'providers': 'entra-id', 'hubs': 'entree',
             'populations': 'teacher', 'scenarios': 'passkey-at-service'}
    for folder, name in names.items():
        own = read(os.path.join(FIXTURES, folder, f'{name}.json'))
        write(f'own-{folder}.json', {**own, 'id': f'own-{folder}'})
        run = Run('check', f'own-{folder}.json', '--fixtures', FIXTURES)
        ok(run.status == 0, f"check: a good file of one's own ({folder})", run)
    defaults = {**pilot['defaults'], 'key': 'sim:own-authenticators.json',
                'client': 'own-clients.json', 'service': 'own-services.json',
                'provider': 'own-providers.json', 'population': 'own-populations.json'}
    write('own-pilot.json', {**pilot, 'id': 'own-pilot', 'defaults': defaults, 'matrix': [
        {'scenarios': ['own-scenarios.json'], 'axes': {}}]})
    run = Run('run', 'own-pilot.json', '--out', 'own-out', '--fixtures', FIXTURES)
    ok(run.status == 0, "run: a pilot that names files of one's own", run)
    shutil.rmtree('own-out', ignore_errors=True)


# ---- run ----

DEFAULTS = {'client': 'chrome-linux', 'event': 'none', 'home': 'service', 'hub': 'none',
            'key': 'sim:yubikey-5-57-pin', 'population': 'teacher', 'provider': 'entra-id',
            'provider2': 'none', 'service': 'magister', 'settings': 'none'}
PILOT = {'id': 'mine', 'title': {'en': 'Mine', 'nl': 'Mijn'}, 'defaults': DEFAULTS,
         'matrix': [{'scenarios': ['password-at-service'], 'axes': {}}]}


def run_refused(title, name, pilot='mine.json', *more, status=INPUT, says=()):
    refused(f'run: {title}', name, 'run', pilot, '--out', 'out', '--fixtures', FIXTURES,
            *more, status=status, says=says)


def run_pilots():
    for what, content in config_texts(PILOT):
        write('mine.json', content)
        run_refused(f'a pilot with {what}', 'mine.json')
    for axis, value in [('key', 'sim:unicorn'), ('client', 'unicorn'), ('service', 'unicorn'),
                        ('provider', 'unicorn'), ('population', 'unicorn'), ('home', 'moon'),
                        ('event', 'flood'), ('settings', 'unicorn'), ('key', 'unicorn'),
                        ('service', './unicorn.json'), ('service', 'none')]:
        write('mine.json', {**PILOT, 'defaults': {**DEFAULTS, axis: value}})
        run_refused(f'a pilot whose {axis} is {value}', 'mine.json', says=[axis])
    write('mine.json', {**PILOT, 'matrix': [{'scenarios': ['unicorn'], 'axes': {}}]})
    run_refused('a scenario that is not there', 'mine.json', says=['unicorn'])
    for fact, value in [('service.unicorn', 1), ('unicorn.hrd', 'none'), ('hrd', 'none'),
                        ('service.hrd', 'sometimes'), ('service.skew_s', 'long')]:
        write('mine.json', {**PILOT, 'settings': [
            {'id': 's', 'title': {'en': 'S', 'nl': 'S'}, 'set': {fact: value}}],
            'defaults': {**DEFAULTS, 'settings': 's'}})
        run_refused(f'a setting of {fact} to {value}', 'mine.json', says=[fact.split('.')[-1]])
    write('mine.json', PILOT)


def run_parts():
    """What a pilot names is refused in its own name, before anything is written."""
    folders = {'service': ('services', 'magister'), 'client': ('clients', 'chrome-linux'),
               'provider': ('providers', 'entra-id'), 'population': ('populations', 'teacher')}
    for axis, (folder, name) in folders.items():
        root = read(os.path.join(FIXTURES, folder, f'{name}.json'))
        for what, content in list(textual(root))[:4]:
            write(f'{name}.json', content)
            write('mine.json', {**PILOT, 'defaults': {**DEFAULTS, axis: f'./{name}.json'}})
            run_refused(f'a {axis} with {what}', f'{name}.json')
        remove(f'{name}.json')
    write('mine.json', PILOT)
    key = read(os.path.join(FIXTURES, 'authenticators', 'yubikey-5-57.json'))
    for what, content in config_texts(key):
        write('yubikey-5-57.json', content)
        run_refused(f'a key with {what}', 'yubikey-5-57.json', 'mine.json', '--key',
                    'sim:./yubikey-5-57.json')
    remove('yubikey-5-57.json')
    steps = [{'do': 'log-in', 'at': 'service', 'with': 'password'}]
    scenario = {**read(os.path.join(FIXTURES, 'scenarios', 'password-at-service.json')),
                'id': 'walk'}
    for what, change in [
            ('an unknown verb', {'steps': [{'do': 'dance'}]}),
            ('a member that the verb has not', {'steps': [{**steps[0], 'colour': 1}]}),
            ('a door that does not exist', {'steps': [{**steps[0], 'at': 'moon'}]}),
            ('an unknown invariant', {'expect': ['is-happy']}),
            ('an assurance that does not exist', {'expect': ['assurance:huge']}),
            ('a condition that no fact has', {'set': {'service.unicorn': 1}})]:
        write('walk.json', {**scenario, **change})
        write('mine.json', {**PILOT, 'matrix': [{'scenarios': ['./walk.json'], 'axes': {}}]})
        run_refused(f'a scenario with {what}', 'walk')
        refused(f'check: a scenario with {what}', 'walk.json', 'check', 'walk.json',
                '--fixtures', FIXTURES)
    remove('walk.json')
    write('mine.json', PILOT)


def run_baselines():
    run = Run('run', 'mine.json', '--out', 'done', '--fixtures', FIXTURES)
    ok(run.status == 0, 'run: a good pilot runs', run)
    write('good-baseline.json', {'format': 1, 'pilot': 'mine', 'accepted_risks': {},
                                 'outcomes': {}})
    good = read('good-baseline.json')
    for what, content in config_texts(good):
        write('baseline.json', content)
        run_refused(f'a baseline with {what}', 'baseline.json', 'mine.json', '--baseline',
                    'baseline.json')
    for kind, path, text in structural(good):
        if path[0] == 'accepted_risks' and (kind == 'missing' or len(path) > 1):
            continue  # optional, and causes are free
        write('baseline.json', text)
        run_refused(f"a baseline, {kind} {'.'.join(map(str, path))}", 'baseline.json',
                    'mine.json', '--baseline', 'baseline.json')
    remove('baseline.json')
    refused('run: a folder that is used', 'done', 'run', 'mine.json', '--out', 'done',
            '--fixtures', FIXTURES, status=USAGE)
    with open('done/outcomes.jsonl', 'rb') as file:
        log = file.read()
    write('done/outcomes.jsonl', log.replace(b'"breaks"', b'"risk"', 1))
    refused('check: a log in which a word was changed', 'outcomes.jsonl', 'check',
            'done/outcomes.jsonl', status=7)
    refused('run: going on with a log in which a word was changed', 'outcomes.jsonl', 'run',
            'mine.json', '--out', 'done', '--resume', '--fixtures', FIXTURES, status=7)
    shutil.rmtree('done')


# ---- webauthn ----

OPTIONS = {'rp': {'id': 'school.example', 'name': 'School'},
           'user': {'id': 'AAECAwQFBgcICQoLDA0ODw', 'name': 'j', 'displayName': 'J'},
           'challenge': 'MTIzNDU2Nzg5MDEyMzQ1Ng',
           'pubKeyCredParams': [{'type': 'public-key', 'alg': -7}],
           'excludeCredentials': [{'type': 'public-key', 'id': 'AQID', 'transports': ['usb']}],
           'authenticatorSelection': {'residentKey': 'required', 'userVerification': 'required'},
           'timeout': 60000, 'attestation': 'direct', 'extensions': {'credProps': True}}
REQUEST = {'challenge': 'MTIzNDU2Nzg5MDEyMzQ1Ng', 'rpId': 'school.example',
           'allowCredentials': [], 'userVerification': 'required'}
PAGE = {'origin': ORIGIN, 'framing': 'top', 'userActivation': True, 'mediation': 'optional',
        'wellKnown': [{'host': 'school.example', 'status': 200, 'headers': {
            'content-type': 'application/json'}, 'body': {'origins': []}}]}


def ceremony(verb, *more):
    return ('webauthn', verb, '--seed', '1', '--fixtures', FIXTURES, *more)


def config_texts(root):
    """The same for a file in which no member may be unknown."""
    yield from textual(root)
    yield from hostile_names(root)


def refuse_texts(title, root, path, *args, texts=textual):
    """Everything in `texts` and every special file, given as `path`."""
    for what, content in texts(root):
        write(path, content)
        refused(f'{title} with {what}', path, *args)
    remove(path)
    for what, make in special_files(path, json.dumps(root).encode()):
        make()
        refused(f'{title}: {what}', path, *args)
        remove(path)
    refused(f'{title} that is not there', path, *args)


def in_one_of(title, statuses, *args, name=None):
    """Any of the exit codes, told as it must be."""
    before = snapshot('.')
    run = Run(*args)
    trouble = crash_trouble(run)
    if trouble is None and run.status not in statuses:
        trouble = f'expected one of {statuses}'
    if trouble is None and run.status == INPUT:
        trouble = sentence_trouble(run.err.rstrip(b'\n'), name)
        if trouble is None and run.out:
            trouble = 'output on stdout'
    if trouble is None and run.status in (0, 1):
        try:
            json.loads(run.out)
        except ValueError as error:
            trouble = f'stdout is no JSON: {error}'
    if trouble is None and snapshot('.') != before:
        trouble = 'files were touched'
    return None if trouble is None else f'{title}: {trouble}\n{run}'


def members(title, root, path, statuses, *args, depth=3):
    notes = []
    for kind, where, text in structural(root, depth=depth):
        write(path, text)
        note = in_one_of(f"{kind} {'.'.join(map(str, where))}", statuses, *args, name=path)
        if note is not None:
            notes.append(note)
    ok(not notes, f'{title}: every member wrong or missing', *notes)
    write(path, root)


def webauthn_create():
    write('create.json', OPTIONS)
    good = ceremony('create', '--options', 'create.json', '--origin', ORIGIN)
    ok(Run(*good).status == 0, 'create: good options are good')
    refuse_texts('create: options', OPTIONS, 'bad.json', *ceremony(
        'create', '--options', 'bad.json', '--origin', ORIGIN))
    members('create: options', OPTIONS, 'bad.json', (0, 1), *ceremony(
        'create', '--options', 'bad.json', '--origin', ORIGIN))
    with open('/dev/zero', 'rb') as zero:
        refused('create: options without end from standard input', '-', *ceremony(
            'create', '--options', '-', '--origin', ORIGIN), stdin=zero)
    refuse_texts('create: page', PAGE, 'page.json', *ceremony(
        'create', '--options', 'create.json', '--page', 'page.json'), texts=config_texts)
    members('create: page', PAGE, 'page.json', (0, 1, 3), *ceremony(
        'create', '--options', 'create.json', '--page', 'page.json'))
    for member in ('colour', 'topOrigins'):
        write('page.json', {**PAGE, member: 'x'})
        refused(f'create: page with the member {member}', 'page.json', *ceremony(
            'create', '--options', 'create.json', '--page', 'page.json'), says=[member])
    client = read(os.path.join(FIXTURES, 'clients', 'chrome-linux.json'))
    refuse_texts('create: client', client, 'chrome-linux.json', *ceremony(
        'create', '--options', 'create.json', '--origin', ORIGIN, '--client',
        './chrome-linux.json'), texts=config_texts)
    key = read(os.path.join(FIXTURES, 'authenticators', 'yubikey-5-57.json'))
    refuse_texts('create: key', key, 'yubikey-5-57.json', *ceremony(
        'create', '--options', 'create.json', '--origin', ORIGIN, '--key',
        'sim:./yubikey-5-57.json'), texts=config_texts)


def webauthn_state():
    run = Run(*ceremony('create', '--options', 'create.json', '--origin', ORIGIN, '--state',
                        'state.json'))
    ok(run.status == 0, 'create: a state is kept', run)
    state = read('state.json')
    args = ceremony('create', '--options', 'create.json', '--origin', ORIGIN, '--state',
                    'bad-state.json')
    for what, content in config_texts(state):
        write('bad-state.json', content)
        refused(f'create: state with {what}', 'bad-state.json', *args)
    remove('bad-state.json')
    for what, make in special_files('bad-state.json', json.dumps(state).encode()):
        if what == 'a link to itself':
            continue  # leads to no file: one is made
        make()
        refused(f'create: {what} as state', 'bad-state.json', *args)
        remove('bad-state.json')
    notes = []
    for kind, where, text in structural(state):
        write('bad-state.json', text)
        run = Run(*args)
        trouble = crash_trouble(run)
        if trouble is None and kind != 'missing' and run.status != INPUT:
            trouble = 'expected exit 3'
        if trouble is None and run.status == INPUT:
            trouble = sentence_trouble(run.err.rstrip(b'\n'), 'bad-state.json')
            with open('bad-state.json', encoding='utf-8') as file:
                if trouble is None and file.read() != text:
                    trouble = 'the state was written'
        if trouble is not None:
            notes.append(f"{kind} {'.'.join(map(str, where))}: {trouble}\n{run}")
    ok(not notes, 'create: state, every member wrong or missing', *notes)
    remove('bad-state.json')


def webauthn_pin():
    args = ceremony('create', '--options', 'create.json', '--origin', ORIGIN, '--pin-file',
                    'pin')
    for what, content in [('nothing', b''), ('an empty line', b'\n'), ('64 bytes', b'1' * 64),
                          ('a NUL byte', b'271828\0junk'), ('bad UTF-8', b'2718\xff\xfe28')]:
        write('pin', content)
        refused(f'create: PIN file with {what}', 'pin', *args)
    remove('pin')
    for what, make in special_files('pin', b'271828'):
        make()
        refused(f'create: {what} as PIN file', 'pin', *args)
        remove('pin')
    refused('create: PIN file that is not there', 'pin', *args)


def webauthn_verify():
    created = Run(*ceremony('create', '--options', 'create.json', '--origin', ORIGIN, '--state',
                            'key.json'))
    write('registration.json', created.out)
    write('get.json', REQUEST)
    got = Run(*ceremony('get', '--options', 'get.json', '--origin', ORIGIN, '--state', 'key.json'))
    write('login.json', got.out)
    registration = ('webauthn', 'verify', '--kind', 'registration', '--origin', ORIGIN)
    accepted = Run(*registration, '--options', 'create.json', '--response', 'registration.json')
    write('credential.json', accepted.out)
    login = ('webauthn', 'verify', '--kind', 'authentication', '--origin', ORIGIN)
    good = Run(*login, '--options', 'get.json', '--response', 'login.json', '--credential',
               'credential.json')
    ok(accepted.status == 0 and good.status == 0, 'verify: good responses are good', accepted, good)

    parts = [
        ('registration', read('registration.json'), 'response', (0, 1),
         registration + ('--options', 'create.json', '--response', 'bad.json')),
        ('options of a registration', OPTIONS, 'options', (0, 1, 3),
         registration + ('--options', 'bad.json', '--response', 'registration.json')),
        ('login', read('login.json'), 'response', (0, 1),
         login + ('--options', 'get.json', '--response', 'bad.json', '--credential',
                  'credential.json')),
        ('options of a login', REQUEST, 'options', (0, 1, 3),
         login + ('--options', 'bad.json', '--response', 'login.json', '--credential',
                  'credential.json')),
        ('credential', read('credential.json')['credential'], 'credential', (0, 1, 3),
         login + ('--options', 'get.json', '--response', 'login.json', '--credential',
                  'bad.json')),
    ]
    for title, root, _, statuses, args in parts:
        refuse_texts(f'verify: {title}', root, 'bad.json', *args)
        members(f'verify: {title}', root, 'bad.json', statuses, *args)
    trust = registration + ('--options', 'create.json', '--response', 'registration.json',
                            '--trust', 'bad.pem')
    for what, content in [('nothing', b''), ('no certificate', b'hello'), (
            'half a certificate', b'-----BEGIN CERTIFICATE-----\nMIIB\n'), (
            'a broken certificate',
            b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')]:
        write('bad.pem', content)
        refused(f'verify: trust with {what}', 'bad.pem', *trust)
    remove('bad.pem')
    for what, make in special_files('bad.pem', b'-----BEGIN CERTIFICATE-----\n'):
        make()
        refused(f'verify: {what} as trust', 'bad.pem', *trust)
        remove('bad.pem')


def webauthn_vectors():
    vector = {'name': 'v', 'source': 'here', 'kind': 'registration', 'expect': 'valid',
              'reason': 'r', 'options': {'rpId': 'school.example', 'origin': ORIGIN,
                                         'challenge': OPTIONS['challenge']},
              'response': read('registration.json')}
    write('vectors.json', [vector])
    args = ('webauthn', 'verify', '--vectors', 'bad.json')
    run = Run('webauthn', 'verify', '--vectors', 'vectors.json')
    ok(run.status == 0, 'verify: a good file of vectors is good', run)
    for what, content in textual(vector):
        if what == 'an array':
            continue
        write('bad.json', content)
        refused(f'verify: vectors with {what}', 'bad.json', *args)
    write('bad.json', [vector, 7])
    refused('verify: a vector that is no object', 'bad.json', *args)
    for member in ('kind', 'options', 'response', 'expect'):
        write('bad.json', [vector, {k: v for k, v in vector.items() if k != member}])
        refused(f'verify: a vector without {member}', 'bad.json', *args)
    write('bad.json', '{')
    refused('verify: a second file that is none', 'bad.json', 'webauthn', 'verify', '--vectors',
            'vectors.json', 'bad.json')
    remove('bad.json')


# ---- saml ----

SAMLP, SAML = 'urn:oasis:names:tc:SAML:2.0:protocol', 'urn:oasis:names:tc:SAML:2.0:assertion'
RESPONSE = (f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_r" Version="2.0" '
            'IssueInstant="2026-09-01T08:00:00Z" Destination="https://sp.example/acs">'
            '<saml:Issuer>https://idp.example</saml:Issuer><samlp:Status><samlp:StatusCode '
            'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:Response>')


def metadata(role, certificate):
    head = (f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://{role}.example">')
    key = (f'<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
           f'{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>')
    post = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
    if role == 'idp':
        return (f'{head}<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">{key}'
                f'<md:SingleSignOnService Binding="{post}" Location="https://idp.example/sso"/>'
                '</md:IDPSSODescriptor></md:EntityDescriptor>')
    return (f'{head}<md:SPSSODescriptor protocolSupportEnumeration="{SAMLP}">{key}'
            f'<md:AssertionConsumerService index="0" Binding="{post}" '
            'Location="https://sp.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>')


def xml_texts(good):
    """(what, bytes, is it XML at all): hostile and broken copies."""
    head, body = '<?xml version="1.0"?>', good
    secret = 'file://' + os.path.abspath('secret.txt')
    laughs = ''.join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(10))
    yield 'an external entity', f'{head}<!DOCTYPE x [<!ENTITY e SYSTEM "{secret}">]>' + \
        body.replace('https://idp.example<', '&e;<', 1), True
    yield 'an external DTD', f'{head}<!DOCTYPE x SYSTEM "{secret}">{body}', True
    yield 'a parameter entity', f'{head}<!DOCTYPE x [<!ENTITY % e SYSTEM "{secret}"> %e;]>{body}', True
    yield 'a billion laughs', f'{head}<!DOCTYPE x [{laughs}]>' + \
        body.replace('https://idp.example<', '&a9;<', 1), True
    yield 'half of it', body[:len(body) // 2], True
    yield 'two roots', body + body, True
    yield 'an attribute twice', body.replace('Version="2.0"', 'Version="2.0" Version="2.0"', 1) \
        if 'Version=' in body else body.replace('entityID=', 'entityID="x" entityID=', 1), True
    yield 'deep nesting', '<x>' * 100000 + '</x>' * 100000, True
    yield 'bad UTF-8', body.encode().replace(b'https://', b'\xff\xfe://', 1), True
    yield 'a NUL byte', body[:30].encode() + b'\0' + body[30:].encode(), True
    yield 'an unknown prefix', '<y:x/>', True
    yield 'another root', '<x/>', True
    yield 'nothing at all', b'', False
    yield 'white space', b' \n', False
    yield 'JSON', b'{"a":1}', False
    yield 'a sentence', b'hello world', False
    yield 'base64 of a sentence', b'aGVsbG8gd29ybGQ=', False


def saml_verify():
    certificate = ''.join(line for line in open(
        os.path.join(FIXTURES, 'keys', 'saml-idp-1.pem'), encoding='ascii').read().splitlines()
        if not line.startswith('---'))
    write('secret.txt', 'top-secret-words')
    write('response.xml', RESPONSE)
    write('idp.xml', metadata('idp', certificate))
    write('sp.xml', metadata('sp', certificate))
    files = {'--response': 'response.xml', '--idp-metadata': 'idp.xml', '--sp-metadata': 'sp.xml'}

    def args(option, path):
        given = {**files, option: path}
        return ('saml', 'verify', *[word for pair in given.items() for word in pair],
                '--at', '2026-09-01T08:00:30Z')

    answered('saml verify: an unsigned response is refused', REFUSED, 'rejected',
             *args('--response', 'response.xml'))
    for what, content, is_xml in xml_texts(RESPONSE):
        write('bad.xml', content)
        if is_xml:
            answered(f'saml verify: response with {what}', REFUSED, 'rejected',
                     *args('--response', 'bad.xml'))
            run = Run(*args('--response', 'bad.xml'))
            ok(b'top-secret' not in run.out + run.err, f'... and nothing leaks ({what})', run)
        else:
            refused(f'saml verify: response with {what}', 'bad.xml', *args('--response', 'bad.xml'))
    include = '><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="secret.txt"/>'
    for option, path, good in [('--response', 'response.xml', RESPONSE),
                               ('--idp-metadata', 'idp.xml', metadata('idp', certificate))]:
        write('bad.xml', good.replace('>', include, 1))
        run = Run(*args(option, 'bad.xml'))
        ok(crash_trouble(run) is None and run.status in (REFUSED, INPUT)
           and b'top-secret' not in run.out + run.err,
           f'saml verify: nothing is included into {path}', run)
    for option, role in (('--idp-metadata', 'idp'), ('--sp-metadata', 'sp')):
        good = metadata(role, certificate)
        for what, content, _ in xml_texts(good):
            write('bad.xml', content)
            refused(f'saml verify: {role} metadata with {what}', 'bad.xml', *args(option, 'bad.xml'))
        for what, content in [
                ('the other role', metadata('sp' if role == 'idp' else 'idp', certificate)),
                ('no entityID', good.replace('entityID', 'entityid')),
                ('an empty entityID', good.replace(f'https://{role}.example"', '"', 1)),
                *([('no address', good.replace('Location=', 'Place='))] if role == 'sp' else []),
                ('a certificate that is none', good.replace(certificate, 'AAAA'))]:
            write('bad.xml', content)
            refused(f'saml verify: {role} metadata with {what}', 'bad.xml', *args(option, 'bad.xml'))
    remove('bad.xml')
    for option in files:
        for what, make in special_files('bad.xml', RESPONSE.encode()):
            make()
            refused(f'saml verify: {what} as {option}', 'bad.xml', *args(option, 'bad.xml'))
            remove('bad.xml')
        refused(f'saml verify: {option} that is not there', 'bad.xml', *args(option, 'bad.xml'))
    for what, content in textual({'vectors': []}):
        write('bad.json', content)
        refused(f'saml verify: vectors with {what}', 'bad.json', 'saml', 'verify', '--vectors',
                'bad.json')
    remove('bad.json')


# ---- a broken folder of fixtures ----

def fixtures_broken():
    shutil.copytree(FIXTURES, 'fix')
    for folder, name in [('rules', None), ('scenarios', 'password-at-service.json'),
                         ('services', 'magister.json'), ('authenticators', 'yubikey-5-57-pin.json')]:
        name = name or sorted(os.listdir(f'fix/{folder}'))[0]
        good = read(f'fix/{folder}/{name}')
        write(f'fix/{folder}/{name}', {**good, 'colour': 'red'})
        refused(f'run: {folder[:-1]} with an unknown member among the fixtures', name, 'run',
                'mine.json', '--out', 'out', '--fixtures', 'fix', says=['colour'])
        write(f'fix/{folder}/{name}', good)
    shutil.rmtree('fix')
    refused('run: fixtures that are not there', 'nowhere', 'run', 'mine.json', '--out', 'out',
            '--fixtures', 'nowhere', status=4)


def main():
    with tempfile.TemporaryDirectory(prefix='keypilot-bad-') as folder:
        os.chdir(folder)
        write('mine.json', PILOT)
        big_files()
        own_files(PILOT)
        webauthn_create()
        webauthn_state()
        webauthn_pin()
        webauthn_verify()
        webauthn_vectors()
        saml_verify()
        run_pilots()
        run_parts()
        run_baselines()
        fixtures_broken()
        shutil.copytree(os.path.join(FIXTURES, 'keys'), 'keys')
        check_fixtures()
        os.chdir('/')
    done()


main()
