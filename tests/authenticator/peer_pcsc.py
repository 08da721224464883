# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else's platform: python3-fido2 0.9 as it talks to smart card readers.

usage: peer_pcsc.py short|extended PIN|- ROOT
APDUs go out on stdout and come in on stdin, each after its length in two bytes. Selects,
registers, logs in twice, verifies. Prints nothing; what went wrong goes to stderr.
"""
import os
import struct
import sys
import types

# the reader's side of pyscard is not needed: the connection is ours
for name in ("smartcard", "smartcard.System", "smartcard.pcsc",
             "smartcard.pcsc.PCSCExceptions", "smartcard.pcsc.PCSCContext"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["smartcard"].System = sys.modules["smartcard.System"]
sys.modules["smartcard.pcsc.PCSCExceptions"].ListReadersException = OSError
sys.modules["smartcard.pcsc.PCSCContext"].PCSCContext = None

from fido2.attestation import Attestation
from fido2.client import Fido2Client
from fido2.ctap2 import Ctap2
from fido2.pcsc import CtapPcscDevice
from fido2.server import Fido2Server

from peer_fido2 import check_chain


def read(n):
    data = b""
    while len(data) < n:
        part = os.read(0, n - len(data))
        if not part:
            raise OSError("the card is gone")
        data += part
    return data


class Reader:
    words = []

    def connect(self):
        pass

    def disconnect(self):
        pass

    def transmit(self, apdu, protocol=None):
        os.write(1, struct.pack("!H", len(apdu)) + bytes(apdu))
        answer = list(read(struct.unpack("!H", read(2))[0]))
        self.words.append(answer[-2] << 8 | answer[-1])
        return answer[:-2], answer[-2], answer[-1]


def main(form, pin, root_path):
    reader = Reader()
    device = CtapPcscDevice(reader, "simulated")
    device.use_ext_apdu = form == "extended"
    if device.capabilities & 0x04:
        Ctap2(device, strict_cbor=True)
    client = Fido2Client(device, "https://example.org")
    server = Fido2Server({"id": "example.org", "name": "Voorbeeld"}, attestation="direct")
    verify = "required" if pin else "discouraged"
    options, state = server.register_begin(
        {"id": b"u-1", "name": "kees", "displayName": "Kees" * 20}, user_verification=verify
    )
    made = client.make_credential(options["publicKey"], pin=pin)
    auth_data = server.register_complete(state, made.client_data, made.attestation_object)
    statement = made.attestation_object
    Attestation.for_type(statement.fmt)().verify(
        statement.att_statement, statement.auth_data, made.client_data.hash
    )
    if "x5c" in statement.att_statement:
        check_chain(
            statement.att_statement["x5c"][0], bytes(auth_data.credential_data.aaguid), root_path
        )
    credentials = [auth_data.credential_data]
    for _ in range(2):
        options, state = server.authenticate_begin(credentials, user_verification=verify)
        answer = client.get_assertion(options["publicKey"], pin=pin).get_response(0)
        server.authenticate_complete(
            state,
            credentials,
            answer.credential_id or auth_data.credential_data.credential_id,
            answer.client_data,
            answer.authenticator_data,
            answer.signature,
        )
    if form == "short":
        assert any(word >> 8 == 0x61 for word in reader.words), "nothing came in parts"
    else:
        # the probe of a new device is short; later there are no parts any more
        assert sum(word >> 8 == 0x61 for word in reader.words) <= 1
    if device.capabilities & 0x04:
        assert 0x9100 in reader.words, "never waited"


if __name__ == "__main__":
    main(sys.argv[1], None if sys.argv[2] == "-" else sys.argv[2], sys.argv[3])
