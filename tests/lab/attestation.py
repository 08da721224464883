#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge attestations with python3-fido2 and the program openssl.

usage: attestation.py CASES ROOT   CASES: JSON, an array of registrations; ROOT: PEM file
For each: the statement verifies, it does not when one bit of its data differs, and the
certificates lead to ROOT by the letter of RFC 5280. What is wrong goes to stderr.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

try:
    import fido2  # noqa: F401
except ImportError:
    sys.exit(77)

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.attestation import Attestation
from fido2.attestation.base import InvalidAttestation, verify_x509_chain
from fido2.ctap2 import AttestationObject

RS256 = -257


def beyond(case):
    """What version 0.9 cannot judge: it has no android-key, and stumbles over a TPM's EC keys."""
    return case["format"] == "android-key" or (case["format"] == "tpm" and case["alg"] != RS256)


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verifies(statement, hash_):
    try:
        Attestation.for_type(statement.fmt)().verify(
            statement.att_statement, statement.auth_data, hash_
        )
        return True
    except InvalidAttestation:
        return False


def pem_file(folder, name, ders):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as f:
        for der in ders:
            f.write("-----BEGIN CERTIFICATE-----\n")
            f.write(base64.encodebytes(der).decode())
            f.write("-----END CERTIFICATE-----\n")
    return path


def openssl_verifies(chain, root):
    with tempfile.TemporaryDirectory() as folder:
        leaf = pem_file(folder, "leaf.pem", chain[:1])
        command = ["openssl", "verify", "-x509_strict", "-CAfile", root]
        if chain[1:]:
            command += ["-untrusted", pem_file(folder, "rest.pem", chain[1:])]
        done = subprocess.run(command + [leaf], capture_output=True, check=False)
        text = subprocess.run(
            ["openssl", "x509", "-in", leaf, "-noout", "-text"], capture_output=True, check=False
        )
        return done.returncode == 0 and text.returncode == 0, done.stderr.decode()


def judge(case, root):
    response = case["response"]["response"]
    statement = AttestationObject(unb64(response["attestationObject"]))
    hash_ = hashlib.sha256(unb64(response["clientDataJSON"])).digest()
    if statement.fmt != case["format"]:
        yield f"format {statement.fmt}"
    if not beyond(case):
        if not verifies(statement, hash_):
            yield "the statement does not verify"
        if statement.fmt != "none" and verifies(statement, bytes([hash_[0] ^ 1]) + hash_[1:]):
            yield "the statement verifies for other client data as well"
    chain = statement.att_statement.get("x5c", [])
    if bool(chain) != case["path"]:
        yield f"{len(chain)} certificates"
    if not chain:
        return
    with open(root, "rb") as f:
        anchor = x509.load_pem_x509_certificate(f.read())
    verify_x509_chain(chain + [anchor.public_bytes(Encoding.DER)])
    ok, why = openssl_verifies(chain, root)
    if not ok:
        yield why


def main(path, root):
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)
    wrong = 0
    for case in cases:
        for complaint in judge(case, root):
            wrong += 1
            print(f"{case['key']} {case['format']} {case['alg']}: {complaint}", file=sys.stderr)
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
