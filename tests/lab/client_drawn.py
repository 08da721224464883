# SPDX-License-Identifier: BSD-2-Clause
"""Options, pages and authenticators drawn from a seed, for client_chromium.py: what Chromium and
`keypilot webauthn` make of them, field by field."""
import base64
import hashlib
import http.server
import json
import pathlib
import random
import re
import ssl
import struct
import subprocess
import threading
import urllib.parse

PK = 'public-key'
GONE = object()
TIMEOUT = 1000
AAGUID = '01020304-0506-0708-0102-030405060708'

HOSTS = ('login.example.com', 'example.com', 'a.b.example.com', 'example.co.uk', 'www.example.co.uk', 'user.github.io',
         'xn--bcher-kva.example', 'other.org', 'example.com.')
RP_IDS = ('example.com', 'login.example.com', 'example.co.uk', 'co.uk', 'github.io', 'com', 'EXAMPLE.com', 'example.com.',
          'xn--bcher-kva.example', 'other.org', 'ple.com', '', 'b.example.com', '127.0.0.1', 'localhost', 'https://example.com')


# ---- what a call needs around it ----

def certificate(folder):
    """A certificate for every name, and how Chromium is told to take it."""
    key, cert = pathlib.Path(folder) / 'key.pem', pathlib.Path(folder) / 'cert.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                    '-subj', '/CN=example.com', '-keyout', key, '-out', cert], check=True, capture_output=True)
    public = subprocess.run(['openssl', 'x509', '-in', cert, '-pubkey', '-noout'], check=True, capture_output=True).stdout
    der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'der'], input=public, check=True, capture_output=True)
    return cert, key, base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


class Sites(http.server.BaseHTTPRequestHandler):
    """Every host at once; `answers` has their well-known files, `frame` what stands in a top page."""
    answers, policy, frame, allow = {}, '', '', ''

    def do_GET(self):
        host = self.headers.get('host', '').split(':')[0]
        if self.path.startswith('/.well-known/'):
            return self.answer(self.answers.get(host, {'status': 404, 'headers': {}, 'body': ''}))
        page = '<!doctype html><button id=b>x</button>'
        if self.path.startswith('/top'):
            allow = self.allow.replace('"', '&quot;')
            page = f'<!doctype html><iframe allow="{allow}" src="{self.frame}"></iframe>'
        headers = {'content-type': 'text/html'}
        if self.policy and (self.path.startswith('/top') or not self.frame):
            headers['Permissions-Policy'] = self.policy
        return self.answer({'status': 200, 'headers': headers, 'body': page})

    def answer(self, answer):
        self.send_response(answer['status'])
        for name, value in {**answer['headers'], 'cache-control': 'no-store'}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer['body'].encode())

    def log_message(self, *_):
        pass


def serve(folder):
    """The server, and what Chromium has to be started with to believe it."""
    cert, key, spki = certificate(folder)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Sites)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, [f'--ignore-certificate-errors-spki-list={spki}', '--host-resolver-rules=MAP * 127.0.0.1:'
                    f'{server.server_address[1]}, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1']


# ---- drawing ----

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Draw(random.Random):
    def maybe(self, chance, value):
        """The value, or GONE."""
        return value if self.random() < chance else GONE

    def one(self, *values):
        return self.choice(values)

    def bytes64(self, *lengths):
        return b64(self.randbytes(self.choice(lengths)))


def clean(value):
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items() if v is not GONE}
    return [clean(v) for v in value] if isinstance(value, list) else value


def draw_authenticator(r):
    """In the words of WebDriver, and a few of the DevTools protocol's."""
    protocol = r.one('ctap1/u2f', 'ctap2', 'ctap2', 'ctap2_1', 'ctap2_1', 'ctap2_1', 'ctap2_1')
    u2f = protocol == 'ctap1/u2f'
    rk, uv = (not u2f and r.random() < chance for chance in (0.75, 0.7))
    # minPinLength without a PIN, and prf without a protocol for one, our profiles refuse as contradictions
    extensions = [x for x in ('credBlob', 'hmacSecret', 'largeBlob') if protocol == 'ctap2_1' and r.random() < 0.5 and
                  (x != 'largeBlob' or rk) and (x != 'hmacSecret' or uv)]
    if 'hmacSecret' in extensions and r.random() < 0.3:
        protocol, extensions = 'ctap2_2', extensions + ['hmacSecretMc']
    eligible = not u2f and r.random() < 0.25
    return {'protocol': protocol, 'transport': r.one('usb', 'usb', 'nfc', 'ble') if u2f else
            r.one('usb', 'usb', 'usb', 'nfc', 'ble', 'internal', 'internal', 'hybrid'),
            'hasResidentKey': rk, 'hasUserVerification': uv, 'isUserVerified': uv and r.random() < 0.85,
            'isUserConsenting': r.random() < 0.95, 'extensions': extensions,
            'defaultBackupEligibility': eligible, 'defaultBackupState': eligible and r.random() < 0.6}


def devtools_options(virtual):
    """As the DevTools protocol takes it, which knows more than WebDriver."""
    u2f = virtual['protocol'] == 'ctap1/u2f'
    return {'protocol': 'u2f' if u2f else 'ctap2', 'transport': virtual['transport'],
            **({} if u2f else {'ctap2Version': {'ctap2': 'ctap2_0'}.get(virtual['protocol'], virtual['protocol'])}),
            'hasResidentKey': virtual['hasResidentKey'], 'hasUserVerification': virtual['hasUserVerification'],
            'isUserVerified': virtual['isUserVerified'], 'automaticPresenceSimulation': virtual['isUserConsenting'],
            'defaultBackupEligibility': virtual['defaultBackupEligibility'], 'defaultBackupState': virtual['defaultBackupState'],
            **{'has' + x[0].upper() + x[1:]: True for x in virtual['extensions']}}


def profile_of(virtual):
    """The same authenticator as a profile of ours."""
    u2f, new = virtual['protocol'] == 'ctap1/u2f', virtual['protocol'] in ('ctap2_1', 'ctap2_2')
    platform, has = virtual['transport'] == 'internal', virtual['extensions']
    result = {
        'id': 'drawn', 'title': {'en': 'Drawn', 'nl': 'Getrokken'}, 'source': 'ours',
        'attachment': 'platform' if platform else 'cross-platform',
        # as getInfo of the virtual ones has it
        'transports': ['hybrid', 'ble'] if virtual['transport'] == 'hybrid' else [virtual['transport']],
        'counter': 'credential', 'credential_id_length': 32, 'touch_timeout': 'user-action-timeout', 'state': {'pin': 'none'},
        'versions': ['FIDO_2_0', 'FIDO_2_1'] if new else ['FIDO_2_0'], 'aaguid': AAGUID, 'algorithms': [-7, -8, -257],
        'attestation': 'packed-basic', 'places': 25 if virtual['hasResidentKey'] else 0,
        'tells': ['algorithms', 'transports'] if virtual['transport'] == 'hybrid' else ['algorithms'],
        'max_msg_size': 1200, 'max_credential_count_in_list': 8, 'max_credential_id_length': 128,
        'options': {'plat': platform, 'rk': virtual['hasResidentKey'], 'up': True}, 'extensions': [],
        'backup': {'eligible': virtual['defaultBackupEligibility'], 'state': virtual['defaultBackupState']},
    }
    if u2f:
        for name in ('max_msg_size', 'max_credential_count_in_list', 'max_credential_id_length'):
            del result[name]
        return {**result, 'versions': ['U2F_V2'], 'attestation': 'fido-u2f', 'aaguid': '00000000-0000-0000-0000-000000000000',
                'counter': 'device', 'algorithms': [-7], 'options': {}, 'tells': [], 'places': 0}
    if virtual['hasUserVerification']:
        result['options'].update({'uv': True, **({'pinUvAuthToken': True} if new else {})})
        result.update({'uv_modality': 2, 'uv_retries': 3, **({'pin_uv_auth_protocols': [1]} if new else {})})
    if 'credBlob' in has:
        result['extensions'] += ['credBlob', 'credProtect']
        result['max_cred_blob_length'] = 32
    if 'hmacSecret' in has:
        result['extensions'].append('hmac-secret')
    if 'hmacSecretMc' in has:
        result['extensions'].append('hmac-secret-mc')
    if 'largeBlob' in has:
        result['extensions'].append('largeBlobKey')
        result['options']['largeBlobs'] = True
        result['max_serialized_large_blob_array'] = 4096
    return result


def draw_page(r):
    """A page as `--page` has it."""
    host = r.choice(HOSTS[:4]) if r.random() < 0.7 else r.choice(HOSTS)
    port = ':8443' if r.random() < 0.15 else ''
    page = {'origin': f'https://{host}{port}', 'framing': 'top', 'userActivation': r.random() < 0.7}
    if r.random() < 0.25:
        page['framing'] = r.one('cross-origin-iframe', 'cross-origin-iframe', 'same-origin-iframe')
        names = [f'publickey-credentials-{x}' for x in ('create', 'get') if r.random() < 0.8]
        page['allow'] = '; '.join(n + r.one('', ' *', ' ' + page['origin'], " 'none'", '') for n in names)
        if page['framing'] == 'cross-origin-iframe':
            page['topOrigin'] = 'https://portal.school.example' if r.random() < 0.7 else 'https://top.' + host
    if r.random() < 0.15:
        page['permissionsPolicy'] = f'publickey-credentials-{r.one("create", "get")}=' + r.one(
            '()', '(self)', '*', f'(self "{page["origin"]}")', '("https://other.example")')
    return clean(page)


def draw_well_known(r, page, rp_id):
    """What the RP ID's host says of related origins."""
    if not re.fullmatch(r'[a-z0-9.-]+', rp_id) or rp_id.startswith('127.'):
        return []
    own = page['origin']
    many = [f'https://{x}.example' for x in ('a', 'b', 'c', 'd', 'e', 'f')]
    origins = r.one([own], [own], [own + '/x'], [own + ':444'], many[:4] + [own], many[:5] + [own], many + [own],
                    ['https://example.com', 'https://example.org', 'https://a.example.net', *many[:3], own], [],
                    ['not an origin', own], [own.replace('https', 'http')], [5, own], 'x')
    body = r.one(json.dumps({'origins': origins}), json.dumps({'origins': origins}), json.dumps({'origins': origins}),
                 json.dumps([own]), '{"origins": [', json.dumps({'origin': [own]}))
    answers = [{'host': rp_id, 'status': r.one(200, 200, 200, 200, 200, 201, 404, 500), 'body': body, 'headers': {
        'content-type': r.one('application/json', 'application/json', 'application/json; charset=utf-8', 'Application/JSON',
                              'text/json', 'text/plain', 'application/webauthn+json')}}]
    if r.random() < 0.15:
        answers.append({**answers[0], 'host': 'well.example.net'})
        answers[0] = {'host': rp_id, 'status': r.one(301, 302, 307), 'body': '',
                      'headers': {'location': r.one('https://well.example.net/.well-known/webauthn',
                                                    'http://well.example.net/.well-known/webauthn')}}
    return answers


def draw_values(r):
    return clean({'first': r.bytes64(0, 1, 16, 32, 64), 'second': r.maybe(0.4, r.bytes64(0, 3, 32))})


def draw_extensions(r, create, listed):
    """`listed`: ids for evalByCredential."""
    policies = ('userVerificationOptional', 'userVerificationOptionalWithCredentialIDList', 'userVerificationRequired')
    rare = 0.04  # what belongs to the other ceremony
    by_credential = {i: draw_values(r) for i in listed + ['AAAA'] if r.random() < 0.4}
    prf = {'eval': r.maybe(0.6, draw_values(r)), 'evalByCredential': r.maybe(rare if create else 0.4, by_credential)}
    blob = {'support': r.maybe(0.9 if create else rare, r.one('preferred', 'preferred', 'required', 'x'))}
    if r.random() < (rare if create else 0.9):
        blob.update({'read': True} if r.random() < 0.5 else {'write': r.bytes64(1, 40, 300)})
    return clean({
        'credProps': r.maybe(0.4 if create else rare, r.one(True, True, False)),
        'credentialProtectionPolicy': r.maybe(0.2 if create else rare, r.choice(policies)),
        'enforceCredentialProtectionPolicy': r.maybe(0.12 if create else rare, r.one(True, False)),
        'prf': r.maybe(0.3, prf), 'hmacCreateSecret': r.maybe(0.1 if create else rare, r.one(True, False)),
        'largeBlob': r.maybe(0.2, blob), 'credBlob': r.maybe(0.2 if create else rare, r.bytes64(0, 1, 32, 33)),
        'getCredBlob': r.maybe(rare if create else 0.3, r.one(True, True, False)),
        'minPinLength': r.maybe(0.15 if create else rare, True), 'uvm': r.maybe(0.05, True),
        'appid': r.maybe(rare if create else 0.15, '$appid'), 'appidExclude': r.maybe(0.15 if create else rare, '$appid'),
        'payment': r.maybe(0.04, {'isPayment': r.one(True, False)}), 'cmtgKey': r.maybe(0.03, True),
        'somethingNew': r.maybe(0.05, r.one(1, {}, 'x')),
    })


def draw_list(r, names, length):
    """Descriptors of known credentials and others."""
    result = []
    for _ in range(length):
        transports = r.maybe(0.4, r.sample(['usb', 'nfc', 'ble', 'internal', 'hybrid', 'smart-card', 'zz'], r.randint(0, 3)))
        known = r.random() < 0.7
        result.append(clean({'type': r.one(PK, PK, PK, PK, PK, PK, PK, 'x'),
                             'id': r.choice(names) if known and names else r.bytes64(1, 16, 32, 32, 32, 64, 129),
                             'transports': transports}))
    return result


def app_id(r, page):
    host = page['origin'].split('//')[1]
    return r.one('https://' + host, f'https://{host}/app-id.json', 'https://example.com/x', f'http://{host}/', 'x', '',
                 'https://www.' + host.split(':')[0], 'https://other.example/')


def draw_rp_id(r, page):
    return r.choice(RP_IDS) if r.random() < 0.25 else GONE


def draw_timeout(r):
    return r.one(TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT + 1, str(TIMEOUT))


def draw_create(r, page, names):
    algorithms = r.sample([-7, -8, -257, -35, -36, -65535], r.randint(1, 4)) if r.random() < 0.5 else [-7, -257]
    level = ('required', 'preferred', 'discouraged')
    selection = {'residentKey': r.maybe(0.7, r.choice(level)), 'requireResidentKey': r.maybe(0.25, r.one(True, False)),
                 'userVerification': r.maybe(0.8, r.choice(level)),
                 'authenticatorAttachment': r.maybe(0.25, r.one('platform', 'cross-platform', 'cross-platform'))}
    extensions = draw_extensions(r, True, [])
    return clean({
        'rp': {'name': r.one('Example', '', 'Café'), 'id': draw_rp_id(r, page)},
        'user': {'id': r.bytes64(1, 16, 64), 'name': r.one('n', '', 'Zoë'), 'displayName': r.one('d', '', 'x' * 80)},
        'challenge': r.bytes64(0, 1, 15, 16, 32, 33, 200), 'timeout': draw_timeout(r),
        'pubKeyCredParams': [] if r.random() < 0.08 else [{'type': r.one(*[PK] * 12, 'x'), 'alg': a} for a in algorithms],
        'authenticatorSelection': r.maybe(0.9, selection),
        'attestation': r.maybe(0.6, r.one('none', 'indirect', 'direct', 'direct', 'enterprise', 'odd')),
        'hints': r.maybe(0.2, r.sample(['security-key', 'client-device', 'hybrid', 'x'], 2)),
        'excludeCredentials': r.maybe(0.35, draw_list(r, names, r.one(0, 1, 1, 2, 3, 10))),
        'extensions': r.maybe(0.7, json.loads(json.dumps(extensions).replace('$appid', app_id(r, page)))),
    })


def draw_get(r, page, names, rp_id):
    allow = r.maybe(0.7, draw_list(r, names, r.one(0, 1, 1, 2, 3, 10)))
    listed = [] if allow is GONE else [d['id'] for d in allow if d['id'].startswith('$')]
    extensions = draw_extensions(r, False, listed)
    return clean({
        'challenge': r.bytes64(0, 1, 16, 32, 200), 'timeout': draw_timeout(r),
        'rpId': rp_id if r.random() < 0.9 else draw_rp_id(r, page),
        'allowCredentials': allow, 'userVerification': r.maybe(0.8, r.one('required', 'preferred', 'discouraged', 'odd')),
        'hints': r.maybe(0.15, r.sample(['security-key', 'client-device', 'hybrid', 'x'], 2)),
        'extensions': r.maybe(0.6, json.loads(json.dumps(extensions).replace('$appid', app_id(r, page)))),
    })


# ---- comparing ----

def cbor(data, at=0):
    """The item at `at`, and where the next one starts."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info >= 24:
        size = 1 << (info - 24)
        value = int.from_bytes(data[at:at + size], 'big')
        at += size
    else:
        value = info
    if major in (2, 3):
        piece = data[at:at + value]
        return (piece if major == 2 else piece.decode()), at + value
    if major in (4, 5):
        items = []
        for _ in range(value * (major - 3)):
            item, at = cbor(data, at)
            items.append(item)
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    return {0: value, 1: -1 - value, 7: {20: False, 21: True, 22: None}.get(value, value)}[major], at


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def shaped(value):
    """Bytes and texts as their lengths: what they are is the key's own business."""
    if isinstance(value, dict):
        return {k: shaped(v) for k, v in value.items()}
    return f'{len(value)} bytes' if isinstance(value, bytes) else value


def results_of(outputs):
    """Extension outputs; the bytes that only one key can make as their length, a stored blob as it is."""
    fields = {}
    for name, value in outputs.items():
        if name == 'prf' and 'results' in value:
            value = {**value, 'results': {k: len(unb64(v)) for k, v in value['results'].items()}}
        fields[f'output {name}'] = value
    return fields


def auth_data_fields(data):
    flags = data[32]
    fields = {name: bool(flags & bit) for name, bit in (('UP', 1), ('UV', 4), ('BE', 8), ('BS', 16), ('AT', 64), ('ED', 128))}
    fields['rpIdHash'] = data[:32].hex()
    fields['counter'] = 'counts' if any(data[33:37]) else 'zero'
    at = 37
    if flags & 64:
        fields['aaguid'] = data[37:53].hex()
        at = 55 + struct.unpack('>H', data[53:55])[0]
        fields['key'], at = cbor(data, at)
        fields['key'] = shaped(fields['key'])
    outputs = cbor(data, at)[0] if flags & 128 else {}
    fields.update({f'key output {k}': shaped(v) for k, v in outputs.items()})
    return fields


def fields_of(answer, names):
    """What must be the same, by name. names   id -> '$name'"""
    if 'ok' not in answer:
        return {'outcome': answer.get('name')}
    ok = answer['ok']
    response = ok['response']
    fields = {'outcome': 'ok', 'members': sorted(ok), 'response': sorted(response), 'type': ok['type'],
              'attachment': ok.get('authenticatorAttachment'), 'id': names.get(ok['id'], 'new'),
              # Chromium adds a member of chance now and then
              'client data': re.sub(rb',"other_keys_can_be_added_here":"[^"]*"', b'', unb64(response['clientDataJSON'])),
              **results_of(ok['clientExtensionResults'])}
    if 'attestationObject' in response:
        statement = cbor(unb64(response['attestationObject']))[0]
        fields.update(auth_data_fields(statement['authData']))
        fields.update({'format': statement['fmt'], 'statement': sorted(statement['attStmt']),
                       'transports': response['transports'], 'algorithm': response['publicKeyAlgorithm'],
                       'public key': 'publicKey' in response and len(response['publicKey'])})
    else:
        fields.update(auth_data_fields(unb64(response['authenticatorData'])))
        fields['user handle'] = response.get('userHandle')
    return fields


class Tally:
    """Counts equal fields, and tells each difference that is not known."""

    def __init__(self, tap, known):
        self.tap, self.known = tap, known
        self.fields = self.equal = self.listed = self.calls = 0
        self.wrong, self.first = [], 1

    def compare(self, what, theirs, ours, names):
        a, b = fields_of(theirs, names[0]), fields_of(ours, names[1])
        self.calls += 1
        for field in sorted({*a, *b}):
            self.fields += 1
            if a.get(field) == b.get(field):
                self.equal += 1
                continue
            if any(match(what, field, a, b) for match, _ in self.known):
                self.listed += 1
                continue
            if a['outcome'] == b['outcome'] or field == 'outcome':
                self.wrong.append(f'call {self.calls}, {field}: Chromium {a.get(field)}, keypilot {b.get(field)}'
                                  f' {theirs.get("message", "")[:120]} {ours.get("reason", "")} {ours.get("message", "")[:120]}')
                self.wrong.append('   ' + json.dumps(what))
        if self.calls % 25 == 0:
            self.line()

    def line(self):
        if self.first > self.calls:
            return
        self.tap.ok(not self.wrong, f'drawn calls {self.first} to {self.calls}')
        for text in self.wrong:
            print('# ' + text)
        self.wrong, self.first = [], self.calls + 1

    def end(self):
        self.line()
        share = 100 * self.equal / max(self.fields, 1)
        self.tap.ok(share >= 95, f'{share:.2f} % of {self.fields} fields of {self.calls} calls equal, '
                                 f'{self.listed} of the others listed')


# ---- running ----

def fill(value, ids):
    if isinstance(value, dict):
        return {fill(k, ids): fill(v, ids) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, ids) for v in value]
    return ids.get(value, value) if isinstance(value, str) else value


class Sequence:
    """Authenticators, a page, and calls one after the other on both sides."""

    def __init__(self, r, chromium, keypilot, tally):
        self.r, self.chromium, self.keypilot, self.tally = r, chromium, keypilot, tally
        self.page = draw_page(r)
        self.virtual = [draw_authenticator(r)]
        self.ids, self.names = ({}, {}), ({}, {})

    def go(self, page):
        framed = page['framing'] != 'top'
        Sites.policy, Sites.allow = page.get('permissionsPolicy', ''), page.get('allow', '')
        Sites.frame = page['origin'] + '/f' if framed else ''
        self.chromium.go(page.get('topOrigin', page['origin']) + ('/top' if framed else '/'))
        if framed:
            self.chromium.call('POST', '/frame', {'id': self.chromium.element('iframe')[0]})
            self.chromium.call('POST', '/timeouts', {'implicit': 2000})
            self.chromium.element('#b')
        if page['userActivation']:
            self.chromium.call('POST', f'/element/{self.chromium.element("#b")[1]}/click', {})

    def call(self, kind, options, extra, page, compare=True):
        filled = [fill(options, ids) for ids in self.ids]
        Sites.answers = {a['host']: a for a in page.get('wellKnown', [])}
        self.go(page)
        theirs = self.chromium.run_with(kind, filled[0], extra)
        ours = self.keypilot.run_with(kind, filled[1], {**page, **extra})
        if compare:
            self.tally.compare({'keys': self.virtual, 'kind': kind, 'options': options, 'page': {**page, **extra}},
                               theirs, ours, self.names)
        return theirs, ours

    def remember(self, name, made):
        for side, answer in enumerate(made):
            self.ids[side][name] = answer['ok']['id']
            self.names[side][answer['ok']['id']] = name

    def create(self, page):
        r = self.r
        options = draw_create(r, page, list(self.ids[0]))
        rp_id = options['rp'].get('id', page['origin'].split('//')[1].split(':')[0])
        page = {**page, 'wellKnown': draw_well_known(r, page, rp_id)}
        made = self.call('create', options, draw_extra(r, True), page)
        if all('ok' in answer for answer in made):
            self.remember(f'${len(self.ids[0]) + 1}', made)
        return options['rp'].get('id', GONE)

    def enrol(self, page):
        """What most of the gets need; compared as well."""
        r = self.r
        options = {'rp': {'name': 'Example'}, 'user': {'id': r.bytes64(8), 'name': 'n', 'displayName': 'd'},
                   'challenge': r.bytes64(16), 'timeout': TIMEOUT, 'pubKeyCredParams': [{'type': PK, 'alg': -7}],
                   'authenticatorSelection': {'residentKey': r.one('preferred', 'discouraged'),
                                              'userVerification': r.one('preferred', 'discouraged')},
                   'extensions': clean({'prf': r.maybe(0.5, {}), 'credBlob': r.maybe(0.5, 'AAEC'),
                                        'largeBlob': r.maybe(0.5, {'support': 'preferred'})})}
        plain = {'origin': page['origin'], 'framing': 'top', 'userActivation': True}
        made = self.call('create', options, {}, plain)
        if all('ok' in answer for answer in made):
            self.remember(f'${len(self.ids[0]) + 1}', made)

    def add(self):
        """One more authenticator. The person touches one of them: whose turn it was would be chance otherwise."""
        other = draw_authenticator(self.r)
        while other['transport'] == self.virtual[0]['transport'] == 'internal':  # Chromium takes one of these
            other = draw_authenticator(self.r)
        self.virtual.append(other)
        touched = self.r.randrange(2)
        for number, virtual in enumerate(self.virtual):
            virtual['isUserConsenting'] = number == touched

    def run(self):
        r = self.r
        if r.random() < 0.2:
            self.add()
        made = [self.chromium.devtools('addVirtualAuthenticator', {'options': devtools_options(v)}) for v in self.virtual]
        assert all('authenticatorId' in m for m in made), (made, self.virtual)
        self.keypilot.keys([profile_of(v) for v in self.virtual], [
            {'touches': v['isUserConsenting'], 'verifies': v['isUserVerified']} for v in self.virtual])
        if r.random() < 0.6:
            self.enrol(self.page)
        rp_id = self.create(self.page)
        for _ in range(r.one(1, 2)):
            page = {**self.page, 'wellKnown': []}
            self.call('get', draw_get(r, page, list(self.ids[0]), rp_id), draw_extra(r, False), page)
        for authenticator in made:
            self.chromium.devtools('removeVirtualAuthenticator', authenticator)


def draw_extra(r, create):
    """What stands beside publicKey in the call."""
    if r.random() < 0.04:
        return {'aborted': True}
    if not create and r.random() < 0.06:
        return {'uiMode': 'immediate'}
    return clean({'mediation': r.maybe(0.12, r.one('optional', 'required', 'silent', 'conditional'))})


SCRIPT = '''const [kind, json, extra, done] = arguments;
setTimeout(() => done({ name: 'waits' }), 5000);
(async () => {
  try {
    const parse = kind == 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
    const publicKey = PublicKeyCredential[parse](json);
    if (extra.aborted) { delete extra.aborted; extra.signal = AbortSignal.abort(); }
    const credential = await navigator.credentials[kind](Object.assign({ publicKey }, extra));
    done({ ok: credential.toJSON() });
  } catch (e) { done({ name: e.name, message: e.message }); }
})()'''


def compare_drawn(tap, chromium, keypilot, seed, calls, known):
    print(f'# drawn from seed {seed}')
    tally, number = Tally(tap, known), 0
    while tally.calls < calls:
        number += 1
        Sequence(Draw(f'{seed} {number}'), chromium, keypilot, tally).run()
    tally.end()
