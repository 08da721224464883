# SPDX-License-Identifier: BSD-2-Clause
"""Extensions as python3-fido2 0.9 asks for them, over 64-byte reports on stdin and stdout.

usage: peer_extensions.py PIN     a public test value; the key has none yet
Sets the PIN and its policy, enrols with every extension that this library has, and
compares what comes back at each login. Prints nothing; what went wrong goes to stderr.
"""
import os
import sys

from fido2.client import Fido2Client
from fido2.ctap import CtapError
from fido2.ctap2 import ClientPin, Config, Ctap2
from fido2.ctap2.blob import LargeBlobs
from fido2.ctap2.extensions import CredProtectExtension, HmacSecretExtension
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.server import Fido2Server

SIZE = 64
POLICY = CredProtectExtension.POLICY
SALTS = {"salt1": b"\x01" * 32, "salt2": b"\x02" * 32}


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


def configure(ctap, pin):
    """A minimum length of 5, told to example.org."""
    client_pin = ClientPin(ctap)
    client_pin.set_pin(pin)
    token = client_pin.get_pin_token(pin, ClientPin.PERMISSION.AUTHENTICATOR_CFG)
    config = Config(ctap, client_pin.protocol, token)
    config.set_min_pin_length(5, ["example.org"])


def enrol(client, server, pin, policy):
    options, state = server.register_begin(
        {"id": os.urandom(8), "name": "kees", "displayName": "Kees"},
        resident_key=True,
        user_verification="required",
    )
    asked = dict(options["publicKey"])
    asked["extensions"] = {
        "hmacCreateSecret": True,
        "credBlob": b"blob of " + policy.name.encode(),
        "largeBlobKey": True,
        "minPinLength": True,
        "credentialProtectionPolicy": policy,
        "enforceCredentialProtectionPolicy": True,
    }
    made = client.make_credential(asked, pin=pin)
    data = server.register_complete(state, made.client_data, made.attestation_object)
    assert made.extension_results == {"hmacCreateSecret": True}, made.extension_results
    outputs = data.extensions
    assert outputs["credBlob"] is True and outputs["hmac-secret"] is True, outputs
    assert outputs["minPinLength"] == 5, outputs
    assert set(outputs) == {"credBlob", "hmac-secret", "minPinLength", "credProtect"}
    return data, made.attestation_object.large_blob_key


def log_in(client, server, pin, data):
    options, state = server.authenticate_begin([data.credential_data])
    asked = dict(options["publicKey"])
    asked["extensions"] = {
        "hmacGetSecret": SALTS,
        "getCredBlob": True,
        "largeBlobKey": True,
    }
    selection = client.get_assertion(asked, pin=pin)
    answer = selection.get_response(0)
    server.authenticate_complete(
        state,
        [data.credential_data],
        answer.credential_id,
        answer.client_data,
        answer.authenticator_data,
        answer.signature,
    )
    secrets = answer.extension_results["hmacGetSecret"]
    assert len(secrets["output1"]) == len(secrets["output2"]) == 32
    assert secrets["output1"] != secrets["output2"]
    blob = answer.authenticator_data.extensions["credBlob"]
    return secrets, blob, selection.get_assertions()[0].large_blob_key


def ask_unverified(ctap, data):
    """Its client always sends the PIN that it has, so the message by hand."""
    extension = HmacSecretExtension(ctap)
    answer = ctap.get_assertion(
        "example.org",
        bytes(32),
        [{"type": "public-key", "id": data.credential_data.credential_id}],
        {"hmac-secret": extension.process_get_input({"hmacGetSecret": SALTS})},
    )
    assert not answer.auth_data.is_user_verified()
    return extension.process_get_output(answer.auth_data)["hmacGetSecret"]


def main(pin):
    device = CtapHidDevice(HidDescriptor("simulated", 0x1209, 0xF1D0, SIZE, SIZE), Pipe())
    ctap = Ctap2(device, strict_cbor=True)
    configure(ctap, pin)
    client = Fido2Client(device, "https://example.org")
    server = Fido2Server({"id": "example.org", "name": "Voorbeeld"})
    first, first_key = enrol(client, server, pin, POLICY.OPTIONAL_WITH_LIST)
    second, second_key = enrol(client, server, pin, POLICY.REQUIRED)
    assert first.extensions["credProtect"] == 2 and second.extensions["credProtect"] == 3
    assert len(first_key) == 32 and first_key != second_key

    verified, blob, key = log_in(client, server, pin, first)
    assert blob == b"blob of OPTIONAL_WITH_LIST" and key == first_key, (blob, key)
    assert log_in(client, server, pin, first) == (verified, blob, key)
    unverified = ask_unverified(ctap, first)
    assert unverified == ask_unverified(ctap, first)
    assert unverified != verified, "one secret with the PIN, another without"
    assert log_in(client, server, pin, second)[1:] == (b"blob of REQUIRED", second_key)
    try:
        ask_unverified(ctap, second)
    except CtapError as error:
        assert error.code == CtapError.ERR.NO_CREDENTIALS, error
    else:
        raise AssertionError("level 3 without a PIN")

    client_pin = ClientPin(ctap)
    token = client_pin.get_pin_token(pin, ClientPin.PERMISSION.LARGE_BLOB_WRITE)
    blobs = LargeBlobs(ctap, client_pin.protocol, token)
    blobs.put_blob(first_key, b"x" * 1500)
    assert blobs.get_blob(first_key) == b"x" * 1500
    assert blobs.get_blob(second_key) is None


if __name__ == "__main__":
    main(sys.argv[1])
