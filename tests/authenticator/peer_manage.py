# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else's platform: python3-fido2 0.9 enrols fingers and keeps large blobs.

usage: peer_manage.py "fingers|blobs PIN"     reports of 64 bytes on stdin and stdout
Prints nothing; what went wrong goes to stderr.
"""
import os
import sys

from fido2 import cbor
from fido2.client import Fido2Client
from fido2.ctap import CtapError
from fido2.ctap2 import ClientPin, Ctap2, FPBioEnrollment, LargeBlobs
from fido2.ctap2.bio import BioEnrollment, CaptureError
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.utils import sha256

SIZE = 64


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


def token_for(ctap, pin, permissions, rp_id=None):
    client_pin = ClientPin(ctap)
    return client_pin.protocol, client_pin.get_pin_token(pin, permissions, rp_id)


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except CtapError as e:
        assert e.code == code, e
        return
    raise AssertionError("expected %s" % code)


def fingers(ctap, pin):
    assert ctap.info.options["bioEnroll"] is False
    assert ctap.info.options["uv"] is False
    sensor = FPBioEnrollment(ctap, None, None)
    assert sensor.modality == BioEnrollment.MODALITY.FINGERPRINT
    info = sensor.get_fingerprint_sensor_info()
    assert info[BioEnrollment.RESULT.FINGERPRINT_KIND] == 1
    most = info[BioEnrollment.RESULT.MAX_SAMPLES_REQUIRED]

    bio = FPBioEnrollment(ctap, *token_for(ctap, pin, ClientPin.PERMISSION.BIO_ENROLL))
    assert bio.enumerate_enrollments() == {}
    context, good, bad = bio.enroll(timeout=8000), 0, []
    finger = None
    while finger is None:
        try:
            finger = context.capture()
            good += 1
        except CaptureError as e:
            bad.append(e.code)
    assert good == most, (good, most)
    assert bad == [FPBioEnrollment.FEEDBACK.FP_TOO_LEFT, FPBioEnrollment.FEEDBACK.FP_POOR_QUALITY], bad
    assert bio.enumerate_enrollments() == {finger: ""}
    bio.set_name(finger, "duim")
    assert bio.enumerate_enrollments() == {finger: "duim"}
    info = ctap.get_info()
    assert info.options["bioEnroll"] is True and info.options["uv"] is True

    context = bio.enroll()
    context.capture()
    context.cancel()
    assert bio.enumerate_enrollments() == {finger: "duim"}
    refused(CtapError.ERR.INVALID_OPTION, bio.remove_enrollment, b"none")
    bio.remove_enrollment(finger)
    assert bio.enumerate_enrollments() == {}
    assert ctap.get_info().options["uv"] is False


def blobs(ctap, pin):
    empty = LargeBlobs(ctap)
    assert empty.read_blob_array() == []
    refused(CtapError.ERR.PIN_REQUIRED, empty.write_blob_array, [b"x"])
    refused(CtapError.ERR.INVALID_LENGTH, ctap.large_blobs, 0, get=empty.max_fragment_length + 1)
    refused(CtapError.ERR.INVALID_PARAMETER, ctap.large_blobs, 18, get=1)

    made = Fido2Client(ctap.device, "https://example.org").make_credential(
        {
            "rp": {"id": "example.org", "name": "Voorbeeld"},
            "user": {"id": b"u-1", "name": "kees", "displayName": "Kees"},
            "challenge": b"0" * 32,
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"requireResidentKey": True},
            "extensions": {"largeBlobKey": True},
        },
        pin=pin,
    )
    key = made.attestation_object.large_blob_key
    assert len(key) == 32
    writer = LargeBlobs(ctap, *token_for(ctap, pin, ClientPin.PERMISSION.LARGE_BLOB_WRITE))
    writer.put_blob(key, b"een briefje")
    assert writer.get_blob(key) == b"een briefje"
    assert writer.get_blob(bytes(32)) is None
    writer.put_blob(key, b"een ander briefje")
    assert len(writer.read_blob_array()) == 1
    assert writer.get_blob(key) == b"een ander briefje"
    writer.delete_blob(key)
    assert writer.read_blob_array() == []

    # python3-fido2 0.9 tells the length of each part instead of the whole; by hand:
    array = cbor.encode([bytes(3000)])
    array += sha256(array)[:16]
    for at in range(0, len(array), writer.max_fragment_length):
        part = array[at : at + writer.max_fragment_length]
        message = b"\xff" * 32 + b"\x0c\x00" + at.to_bytes(4, "little") + sha256(part)
        ctap.large_blobs(
            at,
            set=part,
            length=len(array) if at == 0 else None,
            pin_uv_protocol=writer.pin_uv_protocol.VERSION,
            pin_uv_param=writer.pin_uv_protocol.authenticate(writer.pin_uv_token, message),
        )
    assert writer.read_blob_array() == [bytes(3000)]


if __name__ == "__main__":
    device = CtapHidDevice(HidDescriptor("simulated", 0x1209, 0xF1D0, SIZE, SIZE), Pipe())
    what, pin_ = sys.argv[1].split()
    {"fingers": fingers, "blobs": blobs}[what](Ctap2(device, strict_cbor=True), pin_)
