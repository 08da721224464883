# SPDX-License-Identifier: BSD-2-Clause
"""Starting `keypilot key serve`, and reaching the key it lends. Not a test of its own."""
import json
import os
import pathlib
import socket
import subprocess


class Served:
    """One lent key. `options` go on to `key serve`; stop() ends it."""

    def __init__(self, program, fixtures, profile, folder, *options, listen=None):
        self.folder = pathlib.Path(folder)
        self.path, self.control = self.folder / 'key', self.folder / 'control'
        where = listen or ['--socket', str(self.path)]
        self.log = open(self.folder / 'serve.log', 'w+', encoding='utf-8')  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [program, 'key', 'serve', f'sim:{profile}', *where, '--control', str(self.control), '--fixtures', fixtures,
             '--json', *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError('key serve did not start: ' + self.log.read())
        self.ready = json.loads(line)

    def order(self, **what):
        """Tell the person, the power or the sensor something; returns once it was obeyed."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(10)
            s.connect(str(self.control))
            s.sendall(json.dumps(what).encode() + b'\n')
            answer = json.loads(s.makefile().readline())
        if answer != {'ok': True}:
            raise RuntimeError(f'{what}: {answer}')

    def stop(self):
        self.process.terminate()
        status = self.process.wait(10)
        self.process.stdout.close()
        self.log.close()
        if status != 0:
            raise RuntimeError(f'key serve ended with {status}')


def socket_device(path):
    """A CtapHidDevice of python3-fido2 at the other end of a socket."""
    from fido2.hid import CtapHidDevice
    from fido2.hid.base import CtapHidConnection, HidDescriptor

    class Connection(CtapHidConnection):
        def __init__(self):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.settimeout(20)
            self.socket.connect(str(path))

        def read_packet(self):
            data = self.socket.recv(64)
            if len(data) != 64:
                raise OSError('the key is gone')
            return data

        def write_packet(self, data):
            self.socket.sendall(data.ljust(64, b'\0'))

        def close(self):
            self.socket.close()

    return CtapHidDevice(HidDescriptor(str(path), 0x1209, 0xf1d0, 64, 64), Connection())


def run_checks(checks):
    """Run functions named after what they prove; print TAP. Returns how many failed."""
    failed = 0
    for n, check in enumerate(checks, 1):
        title = check.__doc__.strip().rstrip('.')
        try:
            check()
            why = ''
        except Exception as e:  # pylint: disable=broad-except # whatever is thrown is the finding
            why = f'{type(e).__name__}: {e}'.replace('\n', ' ')
        failed += why != ''
        print(('not ' if why else '') + f'ok {n} - {title}', flush=True)
        if why:
            print(f'#   {why}'[:600], flush=True)
    print(f'1..{len(checks)}')
    return failed


def skip_unless_lab(*modules):
    """The reason not to run, or None."""
    if os.environ.get('KEYPILOT_LAB') != 'yes':
        return 'runs with scripts/test --lab'
    for module in modules:
        try:
            __import__(module)
        except ImportError:
            return f'needs the Python module {module}'
    return None
