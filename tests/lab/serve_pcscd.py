#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's python3-fido2 uses a lent key as a smart card: pcscd, vsmartcard's vpcd. Prints TAP.

    serve_pcscd.py KEYPILOT FIXTURES
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from serve_key import Served, run_checks, skip_unless_lab

DRIVER = pathlib.Path('/usr/lib/pcsc/drivers/serial/libifdvpcd.so')
COMM = pathlib.Path('/run/pcscd/pcscd.comm')
RP_ID = 'school.example'
PIN = '271828'


def skip_reason():
    reason = skip_unless_lab('fido2', 'smartcard')
    if reason:
        return reason
    if shutil.which('pcscd') is None and not pathlib.Path('/usr/sbin/pcscd').exists():
        return 'needs pcscd'
    if not DRIVER.exists():
        return 'needs vsmartcard-vpcd'
    if os.geteuid() != 0:
        return 'only root starts pcscd'
    if COMM.exists():
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(str(COMM)) == 0:
                return 'another pcscd runs on this machine'
    return None


class Reader:
    """A pcscd with one virtual reader, on a port of its own."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        config = pathlib.Path(folder) / 'reader.conf.d'
        config.mkdir()
        (config / 'vpcd').write_text(f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port:#x}\n'
                                     f'LIBPATH {DRIVER}\nCHANNELID {self.port:#x}\n', encoding='utf-8')
        self.log = open(pathlib.Path(folder) / 'pcscd.log', 'w', encoding='utf-8')  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [shutil.which('pcscd') or '/usr/sbin/pcscd', '--foreground', '--error', '--config', str(config)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(('127.0.0.1', self.port)) == 0 and COMM.exists():
                    return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError('pcscd did not open the virtual reader')

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def device(patience=10):
    from fido2.pcsc import CtapPcscDevice
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for found in CtapPcscDevice.list_devices('Virtual PCD'):
            return found
        time.sleep(0.2)
    raise RuntimeError('no key in the reader')


def checks_of(served):
    from fido2.ctap import CtapError
    from fido2.ctap1 import Ctap1
    from fido2.ctap2 import ClientPin, Ctap2
    from fido2.utils import sha256
    held = {}

    def expect_status(code, call, *args, **kwargs):
        try:
            call(*args, **kwargs)
        except CtapError as e:
            if e.code == code:
                return
            raise
        raise RuntimeError(f'went well, not {code}')

    def found():
        """the reader holds a contactless card with the FIDO application"""
        held['device'] = device()
        atr = bytes(held['device'].get_atr())
        check = 0
        for byte in atr[1:]:
            check ^= byte
        assert atr[0] == 0x3b and check == 0, atr.hex()
        info = Ctap2(held['device']).info
        assert 'FIDO_2_1' in info.versions, info

    def passkey():
        """a passkey is made and used, in chained short APDUs"""
        ctap2 = Ctap2(held['device'])
        made = ctap2.make_credential(b'\1' * 32, {'id': RP_ID, 'name': 'A school'},
                                     {'id': b'user', 'name': 'jan', 'displayName': 'Jan' * 20},
                                     [{'type': 'public-key', 'alg': -7}],
                                     exclude_list=[{'type': 'public-key', 'id': bytes([i]) * 64} for i in range(4)])
        data = made.auth_data.credential_data
        held['credential'] = data
        got = ctap2.get_assertion(RP_ID, b'\2' * 32, [{'type': 'public-key', 'id': data.credential_id}])
        got.verify(b'\2' * 32, data.public_key)

    def extended():
        """and in extended ones"""
        held['device'].use_ext_apdu = True
        try:
            ctap2 = Ctap2(held['device'])
            got = ctap2.get_assertion(RP_ID, b'\2' * 32,
                                      [{'type': 'public-key', 'id': held['credential'].credential_id}])
            got.verify(b'\2' * 32, held['credential'].public_key)
        finally:
            held['device'].use_ext_apdu = False

    def pin():
        """a PIN is set, and refused when wrong"""
        client = ClientPin(Ctap2(held['device']))
        client.set_pin(PIN)
        permission = (ClientPin.PERMISSION.GET_ASSERTION, RP_ID)
        expect_status(CtapError.ERR.PIN_INVALID, client.get_pin_token, '314159', *permission)
        assert client.get_pin_retries()[0] == 7
        client.get_pin_token(PIN, *permission)

    def u2f():
        """the same card speaks U2F"""
        ctap1 = Ctap1(held['device'])
        application = sha256(RP_ID.encode())
        made = ctap1.register(b'\1' * 32, application)
        made.verify(application, b'\1' * 32)
        ctap1.authenticate(b'\2' * 32, application, made.key_handle).verify(application, b'\2' * 32, made.public_key)

    def power():
        """out of the reader and back, the passkey is still there"""
        held['device'].close()
        served.order(power='cycle')
        held['device'] = device()
        ctap2 = Ctap2(held['device'])
        got = ctap2.get_assertion(RP_ID, b'\2' * 32,
                                  [{'type': 'public-key', 'id': held['credential'].credential_id}])
        got.verify(b'\2' * 32, held['credential'].public_key)
        held['device'].close()

    return [found, passkey, extended, pin, u2f, power]


def main():
    reason = skip_reason()
    if reason:
        print(f'1..0 # SKIP {reason}')
        return 0
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(folder)
        try:
            served = Served(*sys.argv[1:3], 'yubikey-5-57', folder, listen=['--vpcd-at', f'127.0.0.1:{reader.port}'])
            try:
                return run_checks(checks_of(served)) > 0
            finally:
                served.stop()
        finally:
            reader.stop()


sys.exit(main())
