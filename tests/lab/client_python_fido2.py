#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Registrations and logins of `keypilot webauthn`, verified by Debian's python3-fido2. Prints TAP.

    client_python_fido2.py KEYPILOT FIXTURES
"""
import base64
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile

ORIGIN, RP_ID = 'https://login.school.example', 'school.example'
ES256, EDDSA, RS256 = -7, -8, -257

# (key, client, algorithms, residentKey, userVerification, attestation)
CASES = (
    ('yubikey-5-57-pin', 'chromium-debian', [ES256], 'required', 'required', 'none'),
    ('yubikey-5-57-pin', 'chromium-debian', [EDDSA, ES256], 'required', 'preferred', 'direct'),
    ('yubikey-5-57-pin', 'firefox-linux', [ES256], 'preferred', 'preferred', 'direct'),
    ('yubikey-5-57', 'chrome-windows', [ES256, RS256], 'required', 'required', 'direct'),
    ('yubikey-5-57', 'safari-ios', [ES256], 'discouraged', 'discouraged', 'none'),
    ('yubikey-5-51', 'chromium-debian', [ES256], 'discouraged', 'discouraged', 'direct'),
    ('yubikey-4-u2f', 'chromium-debian', [ES256], 'discouraged', 'preferred', 'direct'),
    ('yubikey-4-u2f', 'firefox-linux', [ES256], 'preferred', 'required', 'none'),
    ('yubikey-bio', 'chromium-debian', [ES256], 'required', 'required', 'direct'),
    ('token2-pinplus-pin', 'chromium-debian', [ES256], 'required', 'required', 'direct'),
    ('icloud-keychain', 'safari-ios', [ES256], 'required', 'required', 'none'),
    ('google-password-manager', 'chrome-android', [ES256], 'required', 'required', 'none'),
    ('windows-hello-hw', 'chrome-windows', [RS256], 'required', 'required', 'none'),
    ('yubikey-5-57-pin', 'libfido2-direct', [ES256], 'required', 'required', 'direct'),
)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


class Keypilot:
    def __init__(self, program, fixtures, folder):
        self.program, self.fixtures, self.folder = program, fixtures, pathlib.Path(folder)

    def run(self, kind, options, key, client):
        file = self.folder / 'options.json'
        file.write_text(json.dumps(options))
        done = subprocess.run([self.program, 'webauthn', kind, '--options', str(file), '--origin', ORIGIN, '--key',
                               f'sim:{key}', '--client', client, '--state', str(self.folder / 'state.json'),
                               '--fixtures', self.fixtures], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'{kind}: exit {done.returncode}: {done.stdout}{done.stderr}')
        return json.loads(done.stdout)


def one(keypilot, case):
    from fido2.client import ClientData
    from fido2.ctap2 import AttestationObject, AuthenticatorData
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialRpEntity

    key, client, algorithms, resident_key, verification, attestation = case
    (keypilot.folder / 'state.json').unlink(missing_ok=True)
    server = Fido2Server(PublicKeyCredentialRpEntity(RP_ID, 'A school'))
    # a client may answer without verification, which only says so in the flags
    needs = 'preferred' if client == 'firefox-linux' else verification
    user = secrets.token_bytes(16)
    challenge = secrets.token_bytes(32)
    made = keypilot.run('create', {
        'rp': {'id': RP_ID, 'name': 'A school'}, 'user': {'id': b64(user), 'name': 'pupil', 'displayName': 'A pupil'},
        'challenge': b64(challenge), 'pubKeyCredParams': [{'type': 'public-key', 'alg': a} for a in algorithms],
        'authenticatorSelection': {'residentKey': resident_key, 'userVerification': verification},
        'attestation': attestation}, key, client)
    registered = server.register_complete({'challenge': b64(challenge), 'user_verification': needs},
                                          ClientData(unb64(made['response']['clientDataJSON'])),
                                          AttestationObject(unb64(made['response']['attestationObject'])))
    challenge = secrets.token_bytes(32)
    listed = [] if resident_key == 'required' else [{'type': 'public-key', 'id': made['id']}]
    got = keypilot.run('get', {'challenge': b64(challenge), 'rpId': RP_ID, 'userVerification': verification,
                               'allowCredentials': listed}, key, client)
    server.authenticate_complete({'challenge': b64(challenge), 'user_verification': needs},
                                 [registered.credential_data], unb64(got['id']),
                                 ClientData(unb64(got['response']['clientDataJSON'])),
                                 AuthenticatorData(unb64(got['response']['authenticatorData'])),
                                 unb64(got['response']['signature']))
    if resident_key == 'required' and unb64(got['response']['userHandle']) != user:
        raise RuntimeError('another user handle')


def main():
    program, fixtures = sys.argv[1:3]
    try:
        import fido2.server  # noqa: F401
    except ImportError:
        print('1..0 # SKIP needs python3-fido2')
        return 0
    if os.environ.get('KEYPILOT_LAB') != 'yes':
        print('1..0 # SKIP runs with scripts/test --lab')
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for n, case in enumerate(CASES, 1):
            try:
                one(Keypilot(program, fixtures, folder), case)
                why = ''
            except Exception as e:  # whatever the verifier throws is the finding
                why = f'{type(e).__name__}: {e}'.replace('\n', ' ')
            failed += why != ''
            print(('not ' if why else '') + f'ok {n} - {", ".join(str(part) for part in case)}')
            if why:
                print(f'#   {why}'[:400])
    print(f'1..{len(CASES)}')
    return failed > 0


sys.exit(main())
