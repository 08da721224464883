# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else's platform: python3-fido2 0.9 over 64-byte reports on stdin and stdout.

usage: peer_fido2.py PIN|- ALG RK ROOT   ALG: COSE number; RK: 0 or 1; ROOT: PEM file
Registers, verifies the attestation and its chain, logs in twice, verifies the assertions.
Prints nothing; what went wrong goes to stderr.
"""
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from fido2.attestation import Attestation
from fido2.client import Fido2Client
from fido2.ctap2 import Ctap2
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.server import Fido2Server

SIZE = 64
AAGUID = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


class Pipe(CtapHidConnection):
    def read_packet(self):
        data = b""
        while len(data) < SIZE:
            part = os.read(0, SIZE - len(data))
            if not part:
                raise OSError("the key is gone")
            data += part
        return data

    def write_packet(self, data):
        os.write(1, data)

    def close(self):
        pass


def check_chain(der, aaguid, root_path):
    leaf = x509.load_der_x509_certificate(der)
    with open(root_path, "rb") as f:
        root = x509.load_pem_x509_certificate(f.read())
    root.public_key().verify(
        leaf.signature, leaf.tbs_certificate_bytes, PKCS1v15(), leaf.signature_hash_algorithm
    )
    assert leaf.issuer == root.subject
    if aaguid != bytes(16):
        assert leaf.extensions.get_extension_for_oid(AAGUID).value.value[2:] == aaguid


def main(pin, alg, rk, root_path):
    device = CtapHidDevice(HidDescriptor("simulated", 0x1209, 0xF1D0, SIZE, SIZE), Pipe())
    assert device.ping(b"x" * 1000) == b"x" * 1000
    ctap2 = device.capabilities & 0x04
    if ctap2:
        Ctap2(device, strict_cbor=True)
    client = Fido2Client(device, "https://example.org")
    assert (client.info.versions == ["U2F_V2"]) == (not ctap2), "fell back to U2F"
    server = Fido2Server({"id": "example.org", "name": "Voorbeeld"}, attestation="direct")
    server.allowed_algorithms = [p for p in server.allowed_algorithms if p.alg == alg]
    verify = "required" if pin else "discouraged"
    options, state = server.register_begin(
        {"id": b"u-1", "name": "kees", "displayName": "Kees"},
        resident_key=rk,
        user_verification=verify,
    )
    made = client.make_credential(options["publicKey"], pin=pin)
    auth_data = server.register_complete(state, made.client_data, made.attestation_object)
    statement = made.attestation_object
    Attestation.for_type(statement.fmt)().verify(
        statement.att_statement, statement.auth_data, made.client_data.hash
    )
    assert auth_data.credential_data.public_key[3] == alg
    if "x5c" in statement.att_statement:
        check_chain(
            statement.att_statement["x5c"][0], bytes(auth_data.credential_data.aaguid), root_path
        )
    credentials = [auth_data.credential_data]
    counts = []
    for _ in range(2):
        options, state = server.authenticate_begin(
            None if rk else credentials, user_verification=verify
        )
        answer = client.get_assertion(options["publicKey"], pin=pin).get_response(0)
        server.authenticate_complete(
            state,
            credentials,
            answer.credential_id or auth_data.credential_data.credential_id,
            answer.client_data,
            answer.authenticator_data,
            answer.signature,
        )
        counts.append(answer.authenticator_data.counter)
    assert counts[0] < counts[1], counts


if __name__ == "__main__":
    main(
        None if sys.argv[1] == "-" else sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4]
    )
