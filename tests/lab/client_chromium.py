#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same calls to a real Chromium with a virtual authenticator and to `keypilot webauthn`:
the same exceptions, and responses of the same form. Prints TAP.

    client_chromium.py KEYPILOT FIXTURES [SEED]

First fixed calls, one oddity each; then drawn ones (client_drawn.py) from SEED, or from the
environment's KEYPILOT_SEED; KEYPILOT_CALLS says how many.
"""
import base64
import copy
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import client_drawn

GONE = object()
TIMEOUT = 1200  # ms; Chromium does not lengthen it while a virtual authenticator is there

# What Chromium's virtual authenticator amounts to, as a profile of ours.
KEY = {
    'id': 'chromium-virtual', 'title': {'en': 'As in Chromium', 'nl': 'Als in Chromium'}, 'source': 'ours',
    'attachment': 'cross-platform', 'transports': ['usb'], 'versions': ['FIDO_2_0', 'FIDO_2_1'],
    'extensions': ['credProtect', 'hmac-secret', 'credBlob'],
    'aaguid': '01020304-0506-0708-0102-030405060708',
    'options': {'plat': False, 'rk': True, 'up': True, 'uv': True, 'pinUvAuthToken': True},
    'algorithms': [-7, -8, -257], 'pin_uv_auth_protocols': [2, 1], 'max_msg_size': 1200,
    'max_credential_count_in_list': 8, 'max_credential_id_length': 128, 'max_cred_blob_length': 32, 'uv_modality': 2,
    'tells': ['algorithms', 'remaining_discoverable_credentials'], 'attestation': 'packed-basic',
    'counter': 'credential', 'places': 25, 'credential_id_length': 32, 'uv_retries': 3,
    'touch_timeout': 'user-action-timeout', 'state': {'pin': 'none'},
}

CREATE = {
    'rp': {'name': 'Example'}, 'user': {'id': 'AQID', 'name': 'n', 'displayName': 'd'}, 'challenge': 'AAECAwQF',
    'pubKeyCredParams': [{'type': 'public-key', 'alg': -7}], 'timeout': TIMEOUT,
}
GET = {'challenge': 'AAECAwQF', 'timeout': TIMEOUT, 'allowCredentials': [{'type': 'public-key', 'id': '$rk'}]}


def with_member(options, path, value):
    """A copy with one member changed or, for GONE, left out."""
    result = copy.deepcopy(options)
    *parents, last = path.split('.')
    at = result
    for name in parents:
        at = at.setdefault(name, {})
    if value is GONE:
        at.pop(last, None)
    else:
        at[last] = value
    return result


ODD = [GONE, None, 5, '', True, [], {}, 'a b', 'AAE=', 'AA+/', 'AAF', 'A']
PK = 'public-key'


def create_cases():
    yield 'as it is', {}
    for path in ('rp', 'rp.name', 'user', 'user.id', 'user.name', 'user.displayName', 'challenge', 'pubKeyCredParams'):
        for value in ODD:
            yield path, value
    for value in ([{'type': 'x', 'alg': -7}], [{'alg': -7}], [{'type': PK}], [{'type': PK, 'alg': 'x'}],
                  [{'type': PK, 'alg': '-7'}], [{'type': PK, 'alg': None}], [5], [None], [{'type': PK, 'alg': -7.5}],
                  [{'type': None, 'alg': -7}], [{'type': PK, 'alg': 0}], [{'type': PK, 'alg': 4294967289}],
                  [{'type': PK, 'alg': -8}, {'type': PK, 'alg': -7}], [{'type': PK, 'alg': -999}],
                  [{'type': 'x', 'alg': -8}, {'type': PK, 'alg': -7}]):
        yield 'pubKeyCredParams', value
    for value in ('A' * 86, 'A' * 88):
        yield 'user.id', value
    for value in (-1, 1e12, '5000', 5000.5):
        yield 'timeout', value
    for value in (None, 'x', {}, [{}], [{'type': PK, 'id': 'AAA'}], [{'type': 'x', 'id': 'AAAA'}],
                  [{'type': PK, 'id': 'A A'}], [{'type': PK, 'id': 'AAAA', 'transports': 'usb'}],
                  [{'type': PK, 'id': 'AAAA', 'transports': ['zz']}],
                  [{'type': PK, 'id': 'AAAA', 'transports': None}],
                  [{'type': PK, 'id': '$rk'}], [{'type': 'x', 'id': '$rk'}],
                  [{'type': PK, 'id': '$nonrk'}], [{'type': PK, 'id': '$nonrk', 'transports': ['internal']}],
                  [{'type': PK, 'id': '$rk', 'transports': ['usb']}],
                  [{'type': PK, 'id': 'AAAA'}] * 12 + [{'type': PK, 'id': '$nonrk'}]):
        yield 'excludeCredentials', value
    for value in (None, 'x', [], {}):
        yield 'authenticatorSelection', value
    for name, values in {'authenticatorAttachment': [None, 'x', 'cross-platform', 'platform', 5],
                         'residentKey': [None, 'x', 'required', 'preferred', 'discouraged'],
                         'requireResidentKey': [None, 'x', '', 0, True, {}],
                         'userVerification': [None, 'x', 'required', 'preferred', 'discouraged', 5]}.items():
        for value in values:
            yield 'authenticatorSelection.' + name, value
    for value in (None, 'x', 'direct', 'indirect', 'enterprise', 'none', 5):
        yield 'attestation', value
    for value in (None, 'x', ['x'], ['security-key'], ['client-device']):
        yield 'hints', value
    for value in ('localhost', 'example.com', '', 'LOCALHOST', 'localhost:80', 'http://localhost', 5, None):
        yield 'rp.id', value
    level3 = 'userVerificationRequired'
    for value in (None, 'x', 5, [], {}, {'credProps': True}, {'credProps': 'x'}, {'credProps': False}, {'unknown': 1},
                  {'appid': 'https://localhost/x'}, {'appidExclude': 'https://localhost/x'}, {'appidExclude': 'x'},
                  {'appidExclude': 5}, {'credentialProtectionPolicy': level3}, {'credentialProtectionPolicy': 'x'},
                  {'credentialProtectionPolicy': level3, 'enforceCredentialProtectionPolicy': True},
                  {'enforceCredentialProtectionPolicy': True}, {'credentialProtectionPolicy': 5},
                  {'credentialProtectionPolicy': 'userVerificationOptionalWithCredentialIDList'},
                  {'minPinLength': True}, {'minPinLength': 'x'}, {'credBlob': 'AAEC'}, {'credBlob': 'A A'},
                  {'credBlob': 'A' * 50}, {'getCredBlob': True}, {'prf': {}}, {'prf': {'eval': {}}},
                  {'prf': {'eval': {'first': 'A A'}}}, {'prf': {'evalByCredential': {'AAAA': {'first': 'AAEC'}}}},
                  {'prf': 5}, {'prf': None}, {'hmacCreateSecret': True}, {'largeBlob': {'support': 'preferred'}},
                  {'largeBlob': {'support': 'required'}}, {'largeBlob': {'read': True}}, {'largeBlob': {}},
                  {'largeBlob': {'support': 'x'}}, {'uvm': True}, {'credentialProtectionPolicy': None}):
        yield 'extensions', value


def get_cases():
    yield 'as it is', {}
    for value in (GONE, None, [], 'x', {}, [{}], [{'type': 'x', 'id': '$rk'}],
                  [{'type': 'x', 'id': '$rk'}, {'type': PK, 'id': '$rk'}], [{'type': PK, 'id': 'AAAA'}],
                  [{'type': PK, 'id': '$nonrk'}], [{'type': PK, 'id': '$rk', 'transports': ['internal']}],
                  [{'type': PK, 'id': '$rk', 'transports': ['nfc']}], [{'type': PK, 'id': '$rk', 'transports': ['zz']}],
                  [{'type': PK, 'id': '$rk', 'transports': []}],
                  [{'type': PK, 'id': 'AAAA', 'transports': ['usb']}, {'type': PK, 'id': '$rk', 'transports': ['internal']}],
                  [{'type': PK, 'id': ''}], [{'type': PK, 'id': 'AAAA'}] * 12 + [{'type': PK, 'id': '$nonrk'}]):
        yield 'allowCredentials', value
    for value in (None, 'x', 'required', 'preferred', 'discouraged', 5):
        yield 'userVerification', value
    for value in ('localhost', 'example.com', '', None, 'x.localhost'):
        yield 'rpId', value
    for value in ODD:
        yield 'challenge', value
    one = {'first': 'AAEC'}
    for value in ({'appid': 'https://localhost/x'}, {'appid': 'x'}, {'appid': ''}, {'appid': None},
                  {'appidExclude': 'x'}, {'credProps': True}, {'getCredBlob': True}, {'getCredBlob': False},
                  {'credBlob': 'AAEC'}, {'prf': {'eval': {'first': 'AAEC', 'second': 'AAED'}}}, {'prf': {}},
                  {'prf': {'evalByCredential': {'$rk': one}}}, {'prf': {'evalByCredential': {'': one}}},
                  {'prf': {'evalByCredential': {'AAAA': one}}}, {'prf': {'evalByCredential': {'A A': one}}},
                  {'largeBlob': {'support': 'required'}}, {'largeBlob': {'read': True}},
                  {'largeBlob': {'read': True, 'write': 'AAEC'}}, {'largeBlob': {}},
                  {'credentialProtectionPolicy': 'userVerificationOptional'}, {'minPinLength': True},
                  {'hmacCreateSecret': True}, {'uvm': True}):
        yield 'extensions', value


FEATURES = ('publickey-credentials-create', 'publickey-credentials-get')


def place_cases():
    """(name, framing, allow, Permissions-Policy, clicked); $frame is the frame's origin."""
    for name, allow, policy in (
            ('no allow', '', ''), ('allow', '{f}', ''), ('allow *', '{f} *', ''), ("allow 'none'", "{f} 'none'", ''),
            ("allow 'self'", "{f} 'self'", ''), ("allow 'src'", "{f} 'src'", ''),
            ('allow another', '{f} https://other.example', ''), ('allow exactly', '{f} $frame', ''),
            ('allow, header ()', '{f}', '{f}=()'), ('allow, header self', '{f}', '{f}=(self)'),
            ('allow, header self and frame', '{f}', '{f}=(self "$frame")'), ('allow, header *', '{f}', '{f}=*'),
            ('no allow, header *', '', '{f}=*')):
        for clicked in (False, True):
            yield name, 'cross-origin-iframe', allow, policy, clicked
    for name, allow, policy in (('no allow', '', ''), ("allow 'none'", "{f} 'none'", ''), ('header ()', '', '{f}=()')):
        yield name, 'same-origin-iframe', allow, policy, False
    for policy in ('{f}=()', '{f}=("https://other.example")', '{f}=(self)', '{f}=*', '{f}=self', 'bogus(('):
        yield 'header ' + policy, 'top', '', policy, False


# Other keys: (name, options of the virtual authenticator, changes to our profile).
VIRTUAL = {'protocol': 'ctap2_1', 'transport': 'usb', 'hasResidentKey': True, 'hasUserVerification': True,
           'isUserVerified': True, 'isUserConsenting': True, 'extensions': ['credBlob', 'minPinLength', 'prf']}
KINDS = (
    ('U2F key', {'protocol': 'ctap1/u2f', 'hasResidentKey': False, 'hasUserVerification': False, 'isUserVerified': False,
                 'extensions': []},
     {'versions': ['U2F_V2'], 'attestation': 'fido-u2f', 'aaguid': '00000000-0000-0000-0000-000000000000',
      'counter': 'device', 'algorithms': [-7], 'extensions': [], 'options': {}, 'places': 0, 'tells': [],
      **{name: GONE for name in ('pin_uv_auth_protocols', 'max_msg_size', 'max_credential_count_in_list',
                                 'max_credential_id_length', 'max_cred_blob_length', 'uv_modality', 'uv_retries')}}),
    ('CTAP 2.0 key without verification',
     {'protocol': 'ctap2', 'hasUserVerification': False, 'isUserVerified': False, 'extensions': []},
     {'versions': ['FIDO_2_0'], 'options': {'plat': False, 'rk': True, 'up': True}, 'extensions': [],
      'tells': ['algorithms'],
      **{name: GONE for name in ('pin_uv_auth_protocols', 'max_cred_blob_length', 'uv_modality', 'uv_retries')}}),
    ('CTAP 2.1 key without discoverable credentials', {'hasResidentKey': False, 'extensions': []},
     {'options': {'plat': False, 'rk': False, 'up': True, 'uv': True, 'pinUvAuthToken': True}, 'places': 0,
      'extensions': ['credProtect'], 'max_cred_blob_length': GONE, 'tells': ['algorithms']}),
    ('platform authenticator', {'protocol': 'ctap2', 'transport': 'internal', 'extensions': []},
     {'attachment': 'platform', 'transports': ['internal'], 'versions': ['FIDO_2_0'], 'extensions': [],
      'options': {'plat': True, 'rk': True, 'up': True, 'uv': True}, 'tells': ['algorithms'],
      'pin_uv_auth_protocols': GONE, 'max_cred_blob_length': GONE}),
)

# Where we know that we differ: (Chromium, keypilot, why).
KNOWN = {
    'create: user.id = ""': ('ok', 'TypeError', 'WebAuthn L3 §5.1.3 step 5: 1 to 64 bytes'),
    'create: user.id = []': ('ok', 'TypeError', 'the same, since [] becomes ""'),
    'create: extensions = {"credBlob": "AAEC"}': ('ok', 'ok', 'our key keeps blobs of discoverable ones only'),
}

# The same of drawn calls: (call, field, Chromium's fields, ours) -> is it this one; why. docs/differences-from-chromium.md
DRAWN_KNOWN = (
    (lambda call, field, a, b: (field in ('output credBlob', 'key output credBlob') and not discoverable(call)) or
     (field == 'output getCredBlob' and b.get(field) == '' and 'allowCredentials' in call['options']),
     'our key keeps blobs of discoverable credentials only'),
    (lambda call, field, a, b: call['page'].get('mediation') == 'conditional' and call['kind'] == 'get' and
     'allowCredentials' in call['options'] and (a['outcome'], b['outcome']) == ('ok', 'NotAllowedError'),
     'the list that a conditional request has is applied by dialogs, which there are none of'),
    (lambda call, field, a, b: any(k['transport'] == 'internal' and not k['isUserConsenting'] for k in call['keys']) and
     len(call['keys']) > 1 and (a['outcome'], b['outcome']) == ('NotAllowedError', 'ok'),
     'a built-in authenticator that cannot do it says so without a touch, and ends it for all'),
    (lambda call, field, a, b: a['outcome'] == 'waits' and call['page'].get('mediation') == 'conditional',
     'a conditional request waits as long as the page lives; ours ends where nobody will ever touch the key'),
    (lambda call, field, a, b: call['page'].get('mediation') == 'conditional' and call['kind'] == 'create',
     'a virtual authenticator is no credential manager that could agree'),
    (lambda call, field, a, b: call['kind'] == 'get' and a.get('output prf') == {} and
     field in ('ED', 'key output hmac-secret', 'output prf'),
     'our key has a secret for each credential, as CTAP 2.1 lets it; the virtual one only where it was asked for'),
    (lambda call, field, a, b: call['kind'] == 'get' and known_id(a) and known_id(b) and a['id'] != b['id'],
     'a key that holds several of the listed credentials, or several passkeys of the site, picks one as it likes'),
)


def known_id(fields):
    return fields.get('id', '').startswith('$')


def discoverable(call):
    wish = call['options'].get('authenticatorSelection', {})
    return all(key['hasResidentKey'] for key in call['keys']) and (
        wish['residentKey'] != 'discouraged' if 'residentKey' in wish else wish.get('requireResidentKey', False))


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        self.send_response(200)
        self.send_header('content-type', 'text/html')
        if 'policy' in query:
            self.send_header('Permissions-Policy', query['policy'])
        self.end_headers()
        page = '<!doctype html><button id=b>x</button>'
        if url.path == '/top':
            allow = query.get('allow', '').replace('"', '&quot;')
            page = f'<!doctype html><iframe {f"""allow="{allow}" """ if allow else ""}src="{query["src"]}"></iframe>'
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


SCRIPT = '''const [kind, json, extra, done] = arguments;
(async () => {
  try {
    const parse = kind == 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
    const publicKey = PublicKeyCredential[parse](json);
    const credential = await navigator.credentials[kind](Object.assign({ publicKey }, extra));
    done({ ok: credential.toJSON() });
  } catch (e) { done({ name: e.name, message: e.message }); }
})()'''


class Chromium:
    def __init__(self, chromium, driver, arguments):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Pages)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        self.driver = subprocess.Popen([driver, f'--port={port}'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base, self.session = f'http://127.0.0.1:{port}', ''
        for _ in range(100):
            try:
                self.call('GET', '/status')
                break
            except OSError:
                time.sleep(0.1)
        options = {'binary': chromium, 'args': ['--headless=new', '--no-sandbox', '--disable-gpu', *arguments]}
        session = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'webauthn:virtualAuthenticators': True, 'goog:chromeOptions': options}}})
        self.session = '/session/' + session['sessionId']
        self.call('POST', '/timeouts', {'script': 10000})
        self.devtools('enable', {})

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session * (path != '/status') + path, method=method, data=data,
                                         headers={'content-type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as e:
            return json.load(e)['value']

    def authenticator(self, changes=None):
        return self.call('POST', '/webauthn/authenticator', {**VIRTUAL, **(changes or {})})

    def remove(self, authenticator):
        self.call('DELETE', f'/webauthn/authenticator/{authenticator}')

    def devtools(self, command, parameters):
        return self.call('POST', '/goog/cdp/execute', {'cmd': 'WebAuthn.' + command, 'params': parameters})

    def go(self, url):
        self.call('POST', '/url', {'url': url})

    def element(self, selector):
        found = self.call('POST', '/element', {'using': 'css selector', 'value': selector})
        return found, next(iter(found.values()))

    def run(self, kind, options, mediation=None):
        extra = {'mediation': mediation} if mediation else {}
        return self.call('POST', '/execute/async', {'script': SCRIPT, 'args': [kind, options, extra]})

    def run_with(self, kind, options, extra):
        return self.call('POST', '/execute/async', {'script': client_drawn.SCRIPT, 'args': [kind, options, extra]})

    def close(self):
        self.call('DELETE', '')
        self.driver.terminate()
        self.driver.wait()
        self.server.shutdown()


class Keypilot:
    def __init__(self, program, fixtures, folder, origin):
        self.program, self.fixtures, self.origin = program, fixtures, origin
        self.folder = pathlib.Path(folder)
        self.key = self.folder / 'chromium-virtual.json'
        self.change_key({})
        client = json.loads((pathlib.Path(fixtures) / 'clients' / 'chromium-debian.json').read_text())
        client['id'] = 'chromium-virtual-client'
        client['facts']['platform_aaguids']['value'] = [KEY['aaguid']]
        # a virtual authenticator hangs on whatever way it is told to
        client['facts']['nfc_security_keys']['value'] = client['facts']['ble']['value'] = 'yes'
        client['facts']['hybrid_transport']['value'] = 'yes'
        self.client = self.folder / 'chromium-virtual-client.json'
        self.client.write_text(json.dumps(client))
        self.state = self.folder / 'state.json'

    def change_key(self, changes):
        profile = {**KEY, **changes}
        self.key.write_text(json.dumps({k: v for k, v in profile.items() if v is not GONE}))

    def keys(self, profiles, person):
        """Other keys, all of them new. person   what is done with each"""
        self.drawn, self.person = [], person
        for number, profile in enumerate(profiles):
            folder = self.folder / str(number)
            folder.mkdir(exist_ok=True)
            (folder / 'drawn.json').write_text(json.dumps(profile))
            (folder / 'state.json').unlink(missing_ok=True)
            self.drawn.append(folder)

    def run_with(self, kind, options, page):
        file, page_file = self.folder / 'options.json', self.folder / 'page.json'
        file.write_text(json.dumps(options))
        page_file.write_text(json.dumps({**page, 'person': self.person}))
        keys = [word for folder in self.drawn for word in
                ('--key', f'sim:{folder / "drawn.json"}', '--state', str(folder / 'state.json'))]
        return self.ask([kind, '--options', str(file), '--page', str(page_file), *keys])

    def run(self, kind, options, page=None):
        file, page_file = self.folder / 'options.json', self.folder / 'page.json'
        file.write_text(json.dumps(options))
        where = ['--origin', self.origin]
        if page:
            page_file.write_text(json.dumps(page))
            where = ['--page', str(page_file)]
        return self.ask([kind, '--options', str(file), *where, '--key', f'sim:{self.key}', '--state', str(self.state)])

    def ask(self, arguments):
        done = subprocess.run([self.program, 'webauthn', *arguments, '--fixtures', self.fixtures, '--client', str(self.client)],
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            return {'name': f'exit {done.returncode}', 'message': done.stderr.strip()}
        answer = json.loads(done.stdout)
        return answer['error'] if done.returncode == 1 else {'ok': answer}

    def forget(self):
        self.state.unlink(missing_ok=True)


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def shape(value):
    """The form of a value: names and booleans stay, bytes become their length."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, str):
        return len(unb64(value))
    return value


def summary(answer):
    """What must be the same of two answers."""
    if 'ok' not in answer:
        return answer.get('name') or answer.get('error')
    ok = answer['ok']
    response = ok['response']
    client = json.loads(unb64(response['clientDataJSON']))
    client.pop('other_keys_can_be_added_here', None)
    data = unb64(response['authenticatorData'])
    result = {
        'members': sorted(ok), 'response': sorted(response), 'attachment': ok.get('authenticatorAttachment'),
        'client': client, 'flags': f'{data[32] & 0x7f:02x}',  # extension data is the key's business
        'results': shape(ok['clientExtensionResults']),
        'transports': response.get('transports'), 'alg': response.get('publicKeyAlgorithm'),
        'userHandle': response.get('userHandle'),
    }
    if 'attestationObject' in response:
        result['aaguid'] = data[37:53].hex()
        result['fmt'] = unb64(response['attestationObject'])[5:9].decode()
    return result


def fill(value, ids):
    if isinstance(value, dict):
        return {fill(k, ids): fill(v, ids) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, ids) for v in value]
    return ids.get(value, value) if isinstance(value, str) else value


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name):
        self.n += 1
        self.failed += not good
        print(('' if good else 'not ') + f'ok {self.n} - {name}', flush=True)

    def compare(self, name, theirs, ours):
        self.n += 1
        a, b = summary(theirs), summary(ours)
        simple = tuple('ok' if isinstance(x, dict) else x for x in (a, b))
        if name in KNOWN:
            good = simple == KNOWN[name][:2]
            name += f' # known: {KNOWN[name][2]}'
        else:
            good = a == b
        self.failed += not good
        print(('' if good else 'not ') + f'ok {self.n} - {name}')
        if not good:
            print(f'#   Chromium {a} {theirs.get("message", "")}'[:900])
            print(f'#   keypilot {b} {ours.get("message", "")} {ours.get("reason", "")}'[:900])


def enrol(chromium, keypilot):
    """A discoverable and another credential on either side; their ids."""
    ids = ({}, {})
    discoverable = with_member(CREATE, 'authenticatorSelection',
                               {'residentKey': 'required', 'userVerification': 'required'})
    discoverable['extensions'] = {'prf': {}, 'credBlob': 'AAEC'}
    other = with_member(CREATE, 'user.id', 'BBBB')
    other['extensions'] = {'prf': {}}
    for name, options in (('$rk', discoverable), ('$nonrk', other)):
        for side, run in zip(ids, (chromium.run, keypilot.run)):
            side[name] = run('create', options)['ok']['id']
    return ids


def compare_options(tap, chromium, keypilot):
    chromium.go(f'http://localhost:{chromium.port}/')
    for kind, base, cases in (('create', CREATE, create_cases()), ('get', GET, get_cases())):
        for path, value in cases:
            options = base if path == 'as it is' else with_member(base, path, value)
            if kind == 'create' and path not in ('excludeCredentials', 'user', 'user.id'):
                options = with_member(options, 'user.id', 'CCCC') if isinstance(options.get('user'), dict) else options
            name = f'{kind}: {path}' + ('' if path == 'as it is' else ' missing' if value is GONE else
                                        f' = {json.dumps(value)[:90]}')
            keypilot.forget()
            authenticator = chromium.authenticator()
            known = kind == 'get' or '$' in json.dumps(options)
            ids = enrol(chromium, keypilot) if known else ({}, {})
            tap.compare(name, chromium.run(kind, fill(options, ids[0])), keypilot.run(kind, fill(options, ids[1])))
            chromium.remove(authenticator)


def compare_kinds(tap, chromium, keypilot):
    chromium.go(f'http://localhost:{chromium.port}/')
    levels = ('required', 'preferred', 'discouraged')
    for name, virtual, profile in KINDS:
        keypilot.change_key(profile)
        wishes = [({'residentKey': rk, 'userVerification': uv}, 'none') for rk in levels for uv in levels]
        wishes += [({'residentKey': 'discouraged', 'userVerification': 'preferred'}, a) for a in ('direct', 'enterprise')]
        for selection, attestation in wishes:
            options = {**with_member(CREATE, 'authenticatorSelection', selection), 'attestation': attestation,
                       'extensions': {'credProps': True}}
            keypilot.forget()
            authenticator = chromium.authenticator(virtual)
            theirs, ours = chromium.run('create', options), keypilot.run('create', options)
            tap.compare(f'{name}: {json.dumps(selection)}, attestation {attestation}', theirs, ours)
            if 'ok' in theirs and 'ok' in ours:
                for uv in levels:
                    login = [with_member({**GET, 'userVerification': uv}, 'allowCredentials',
                                         [{'type': PK, 'id': made['ok']['id']}]) for made in (theirs, ours)]
                    tap.compare(f'{name}: {json.dumps(selection)}, then get with verification {uv}',
                                chromium.run('get', login[0]), keypilot.run('get', login[1]))
                usernameless = with_member(GET, 'allowCredentials', GONE)
                tap.compare(f'{name}: {json.dumps(selection)}, then get without a list',
                            chromium.run('get', usernameless), keypilot.run('get', usernameless))
            chromium.remove(authenticator)
    keypilot.change_key({})


def compare_places(tap, chromium, keypilot):
    top = f'http://localhost:{chromium.port}'
    for name, framing, allow, policy, clicked in place_cases():
        own = top if framing != 'cross-origin-iframe' else f'http://x.localhost:{chromium.port}'
        both = [', '.join(policy.format(f=f) for f in FEATURES) if '{f}' in policy else policy,
                '; '.join(allow.format(f=f) for f in FEATURES) if allow else '']
        policy, allow = (text.replace('$frame', own) for text in both)
        page = {'origin': own, 'framing': framing, 'userActivation': clicked}
        if framing == 'cross-origin-iframe':
            page['topOrigin'] = top
        if allow:
            page['allow'] = allow
        if policy:
            page['permissionsPolicy'] = policy
        for kind, options in (('create', CREATE), ('get', with_member(GET, 'allowCredentials', GONE))):
            query = urllib.parse.urlencode({k: v for k, v in (('src', own + '/f'), ('allow', allow), ('policy', policy)) if v})
            chromium.go(f'{top}/{"f" if framing == "top" else "top"}?{query}')
            if framing != 'top':
                time.sleep(0.3)
                chromium.call('POST', '/frame', {'id': chromium.element('iframe')[0]})
            authenticator = chromium.authenticator()
            keypilot.forget()
            if clicked:
                chromium.call('POST', f'/element/{chromium.element("#b")[1]}/click', {})
            tap.compare(f'{kind} in {framing}, {name}{", clicked" if clicked else ""}',
                        chromium.run(kind, options), keypilot.run(kind, options, page))
            chromium.remove(authenticator)


def compare_origins(tap, chromium, keypilot):
    for host, rp_id in (('127.0.0.1', GONE), ('x.localhost', GONE), ('x.y.localhost', GONE), ('x.y.localhost', 'localhost'),
                        ('x.y.localhost', 'y.localhost'), ('x.y.localhost', 'x.y.localhost'), ('x.localhost', 'y.localhost')):
        origin = f'http://{host}:{chromium.port}'
        options = with_member(CREATE, 'rp.id', rp_id)
        keypilot.forget()
        chromium.go(origin + '/')
        authenticator = chromium.authenticator()
        tap.compare(f'create at {host}, RP ID {"not given" if rp_id is GONE else rp_id}', chromium.run('create', options),
                    keypilot.run('create', options, {'origin': origin}))
        chromium.remove(authenticator)


def main():
    program, fixtures = sys.argv[1:3]
    chromium, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if os.environ.get('KEYPILOT_LAB') != 'yes' or not chromium or not driver:
        print('1..0 # SKIP needs chromium and chromium-driver, and scripts/test --lab')
        return 0
    seed = sys.argv[3] if len(sys.argv) > 3 else os.environ.get('KEYPILOT_SEED', '1')
    parts = os.environ.get('KEYPILOT_PARTS', 'kinds origins options places drawn').split()
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        sites, arguments = client_drawn.serve(folder)
        browser = Chromium(chromium, driver, arguments)
        keypilot = Keypilot(program, fixtures, folder, f'http://localhost:{browser.port}')
        try:
            for name, compare in (('kinds', compare_kinds), ('origins', compare_origins), ('options', compare_options),
                                  ('places', compare_places)):
                if name in parts:
                    compare(tap, browser, keypilot)
            if 'drawn' in parts:
                client_drawn.compare_drawn(tap, browser, keypilot, seed, int(os.environ.get('KEYPILOT_CALLS', '400')),
                                           DRAWN_KNOWN)
        finally:
            browser.close()
            sites.shutdown()
    print(f'1..{tap.n}')
    return tap.failed > 0


if __name__ == '__main__':
    sys.exit(main())
