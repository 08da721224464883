#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's python3-fido2 uses a lent key over its socket. Prints TAP.

    serve_python_fido2.py KEYPILOT FIXTURES
"""
import secrets
import sys
import tempfile
import threading
import time

from serve_key import Served, run_checks, skip_unless_lab, socket_device

ORIGIN, RP_ID = 'https://school.example', 'school.example'
PIN, OTHER_PIN = '271828', '314159'
RP = {'id': RP_ID, 'name': 'A school'}
ES256, EDDSA = -7, -8


class Bench:
    """One key, and a client that was written by others."""

    def __init__(self, program, fixtures, folder):
        self.args = (program, fixtures, 'yubikey-5-57', folder, '--state', f'{folder}/state.json')
        self.served = Served(*self.args)
        self.device = socket_device(self.served.path)
        self.credentials = []
        self.assertion = (2, RP_ID)  # permission, and for whom

    def reconnect(self):
        self.device.close()
        self.device = socket_device(self.served.path)

    def restart(self):
        self.device.close()
        self.served.stop()
        self.served = Served(*self.args)
        self.device = socket_device(self.served.path)

    @property
    def ctap2(self):
        from fido2.ctap2 import Ctap2
        return Ctap2(self.device)

    def register(self, user, pin=None, rk=False, algorithm=ES256, extensions=None, **more):
        from fido2.client import Fido2Client
        from fido2.server import Fido2Server
        server = Fido2Server(RP, attestation='direct')
        options, state = server.register_begin({'id': user, 'name': 'jan', 'displayName': 'Jan'},
                                               resident_key=rk, user_verification='required' if pin else 'discouraged')
        options['publicKey']['pubKeyCredParams'] = [{'type': 'public-key', 'alg': algorithm}]
        options['publicKey']['extensions'] = extensions or {}
        made = Fido2Client(self.device, ORIGIN).make_credential(options['publicKey'], pin=pin, **more)
        data = server.register_complete(state, made.client_data, made.attestation_object)
        made.attestation_object.auth_data.credential_data.public_key  # noqa: B018
        return data.credential_data, made

    def login(self, credentials, pin=None, listed=True, extensions=None):
        from fido2.client import Fido2Client
        from fido2.server import Fido2Server
        server = Fido2Server(RP)
        options, state = server.authenticate_begin(credentials if listed else None,
                                                   user_verification='required' if pin else 'discouraged')
        options['publicKey']['extensions'] = extensions or {}
        got = Fido2Client(self.device, ORIGIN).get_assertion(options['publicKey'], pin=pin).get_response(0)
        server.authenticate_complete(state, credentials, got.credential_id, got.client_data, got.authenticator_data,
                                     got.signature)
        return got


def expect_status(code, call, *args, **kwargs):
    from fido2.client import ClientError
    from fido2.ctap import CtapError
    try:
        call(*args, **kwargs)
    except ClientError as e:
        if e.cause.code == code:
            return
        raise
    except CtapError as e:
        if e.code == code:
            return
        raise
    raise RuntimeError(f'went well, not {code}')


def checks_of(b):  # pylint: disable=too-many-statements # one list, read from top to bottom
    from fido2.attestation import Attestation
    from fido2.ctap import CtapError
    from fido2.ctap1 import Ctap1
    from fido2.ctap2 import ClientPin, CredentialManagement
    from fido2.ctap2.extensions import HmacSecretExtension
    err = CtapError.ERR

    def register():
        """a passkey is registered, its packed attestation verified, and logs in"""
        data, made = b.register(b'one')
        b.credentials.append(data)
        statement = made.attestation_object
        Attestation.for_type(statement.fmt)().verify(statement.att_statement, statement.auth_data,
                                                     made.client_data.hash)
        first, second = b.login([data]), b.login([data])
        assert statement.fmt == 'packed' and statement.att_statement['x5c'], statement.fmt
        assert second.authenticator_data.counter > first.authenticator_data.counter

    def eddsa():
        """EdDSA as well"""
        b.login([b.register(b'two', algorithm=EDDSA)[0]])

    def u2f():
        """the same key speaks U2F, and CTAP2 knows what was registered there"""
        from fido2.utils import sha256
        ctap1 = Ctap1(b.device)
        assert ctap1.get_version() == 'U2F_V2'
        registration = ctap1.register(b'\x01' * 32, sha256(RP_ID.encode()))
        registration.verify(sha256(RP_ID.encode()), b'\x01' * 32)
        answer = ctap1.authenticate(b'\x02' * 32, sha256(RP_ID.encode()), registration.key_handle)
        answer.verify(sha256(RP_ID.encode()), b'\x02' * 32, registration.public_key)
        b.ctap2.get_assertion(RP_ID, b'\x03' * 32, [{'type': 'public-key', 'id': registration.key_handle}])

    def pin():
        """a PIN is set, refused when wrong, counted, and changed, under both protocols"""
        from fido2.ctap2.pin import PinProtocolV1, PinProtocolV2
        client = ClientPin(b.ctap2, PinProtocolV2())
        assert b.ctap2.info.options['clientPin'] is False
        client.set_pin(OTHER_PIN)
        assert b.ctap2.info.options['clientPin'] is True
        expect_status(err.PIN_AUTH_INVALID, client.set_pin, PIN)
        expect_status(err.PIN_INVALID, client.change_pin, '000000', PIN)
        assert client.get_pin_retries()[0] == 7
        b.reconnect()
        client = ClientPin(b.ctap2, PinProtocolV1())
        assert client.get_pin_retries()[0] == 7, 'a lost count'
        client.change_pin(OTHER_PIN, PIN)
        assert client.get_pin_retries()[0] == 8
        for status in (err.PIN_INVALID, err.PIN_INVALID, err.PIN_AUTH_BLOCKED):
            expect_status(status, client.get_pin_token, OTHER_PIN, *b.assertion)
        expect_status(err.PIN_AUTH_BLOCKED, client.get_pin_token, PIN, *b.assertion)
        b.served.order(power='cycle')
        b.reconnect()
        client = ClientPin(b.ctap2)
        assert client.get_pin_retries()[0] == 5, client.get_pin_retries()
        client.get_pin_token(PIN, *b.assertion)

    def discoverable():
        """discoverable passkeys log in without being named, newest first"""
        b.register(b'older', pin=PIN, rk=True)
        data = b.register(b'newer', pin=PIN, rk=True)[0]
        got = b.login([data], pin=PIN, listed=False)
        assert got.user_handle == b'newer', got.user_handle
        b.credentials.append(data)

    def management():
        """credential management lists, renames and removes them"""
        client = ClientPin(b.ctap2)
        manage = CredentialManagement(b.ctap2, client.protocol, client.get_pin_token(
            PIN, ClientPin.PERMISSION.CREDENTIAL_MGMT))
        result = CredentialManagement.RESULT
        assert manage.get_metadata()[result.EXISTING_CRED_COUNT] == 2
        rps = manage.enumerate_rps()
        assert [rp[result.RP]['id'] for rp in rps] == [RP_ID], rps
        creds = manage.enumerate_creds(rps[0][result.RP_ID_HASH])
        by_user = {c[result.USER]['id']: c[result.CREDENTIAL_ID] for c in creds}
        assert set(by_user) == {b'older', b'newer'}, by_user
        manage.update_user_info(by_user[b'older'], {'id': b'older', 'name': 'piet', 'displayName': 'Piet'})
        manage.delete_cred(by_user[b'newer'])
        creds = manage.enumerate_creds(rps[0][result.RP_ID_HASH])
        assert [c[result.USER]['name'] for c in creds] == ['piet'], creds
        b.credentials.pop()

    def hmac_secret():
        """hmac-secret gives one secret for one salt, another for another"""
        data = b.register(b'secret', pin=PIN, extensions={'hmacCreateSecret': True})[0]
        one, two = secrets.token_bytes(32), secrets.token_bytes(32)
        ctap2 = b.ctap2

        def ask(**salts):
            extension = HmacSecretExtension(ctap2)
            got = ctap2.get_assertion(RP_ID, b'\x04' * 32, [{'type': 'public-key', 'id': data.credential_id}],
                                      {'hmac-secret': extension.process_get_input({'hmacGetSecret': salts})})
            got.verify(b'\x04' * 32, data.public_key)
            return extension.process_get_output(got.auth_data)['hmacGetSecret']
        both = ask(salt1=one, salt2=two)
        assert ask(salt1=one)['output1'] == both['output1'] != both['output2']
        assert ask(salt1=two)['output1'] == both['output2']
        verified = b.login([data], pin=PIN, extensions={'hmacGetSecret': {'salt1': one}})
        assert verified.extension_results['hmacGetSecret']['output1'] != both['output1'], 'verified or not, the same'

    def withheld():
        """a touch that is withheld keeps it waiting until it is cancelled"""
        b.served.order(touch='withhold')
        event, seen, begun = threading.Event(), [], time.monotonic()

        def on_keepalive(status):
            seen.append(status)
            threading.Timer(0.3, event.set).start()
        expect_status(err.KEEPALIVE_CANCEL, b.ctap2.selection, event=event, on_keepalive=on_keepalive)
        assert seen == [2] and 0.2 < time.monotonic() - begun < 5, seen
        b.served.order(touch='auto')
        b.ctap2.selection()

    def once():
        """a single touch serves the request that waits, and no other"""
        b.served.order(touch='withhold')
        timer = threading.Timer(0.3, lambda: b.served.order(touch='once'))
        timer.start()
        b.ctap2.selection()
        timer.join()
        event = threading.Event()
        threading.Timer(0.4, event.set).start()
        expect_status(err.KEEPALIVE_CANCEL, b.ctap2.selection, event=event)
        b.served.order(touch='deny')
        expect_status(err.OPERATION_DENIED, b.ctap2.selection)
        b.served.order(touch='auto')

    def power():
        """a power cycle takes channels and tokens, and leaves passkeys"""
        ctap2 = b.ctap2
        client = ClientPin(ctap2)
        token = client.get_pin_token(PIN, ClientPin.PERMISSION.CREDENTIAL_MGMT)
        b.served.order(power='cycle')
        expect_status(err.INVALID_CHANNEL, ctap2.get_info)
        b.reconnect()
        manage = CredentialManagement(b.ctap2, client.protocol, token)
        expect_status(err.PIN_AUTH_INVALID, manage.get_metadata)
        b.login(b.credentials[:1], pin=PIN)

    def memory():
        """another run on the same state file knows the passkeys and the PIN"""
        b.restart()
        b.login(b.credentials[:1], pin=PIN)
        ClientPin(b.ctap2).get_pin_token(PIN, *b.assertion)

    def reset():
        """reset forgets everything, soon after power-up only"""
        b.served.order(power='cycle')
        b.reconnect()
        b.ctap2.reset()
        assert b.ctap2.info.options['clientPin'] is False
        expect_status(err.NO_CREDENTIALS, b.ctap2.get_assertion, RP_ID, b'\x03' * 32,
                      [{'type': 'public-key', 'id': b.credentials[0].credential_id}])
        b.restart()
        assert b.ctap2.info.options['clientPin'] is False

    return [register, eddsa, u2f, pin, discoverable, management, hmac_secret, withheld, once, power, memory, reset]


def main():
    reason = skip_unless_lab('fido2')
    if reason:
        print(f'1..0 # SKIP {reason}')
        return 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(*sys.argv[1:3], folder)
        try:
            return run_checks(checks_of(bench)) > 0
        finally:
            bench.served.stop()


sys.exit(main())
