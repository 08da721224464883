#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""python3-fido2 reads what simulated keys tell about themselves.

    peer_info.py FIXTURES <LINES        each line: the id of a profile, authenticatorGetInfo in hexadecimal

Exits 1 where its Info class reads something else than the profile states.
"""
import json
import sys
from pathlib import Path

from fido2 import cbor
from fido2.ctap2 import Info

# what the class calls it, what the profile calls it, what stands for "not told"
PLAIN = [
    ('max_msg_size', 'max_msg_size', 1024),
    ('pin_uv_protocols', 'pin_uv_auth_protocols', []),
    ('max_creds_in_list', 'max_credential_count_in_list', None),
    ('max_cred_id_length', 'max_credential_id_length', None),
    ('max_large_blob', 'max_serialized_large_blob_array', None),
    ('min_pin_length', 'min_pin_length', 4),
    ('firmware_version', 'firmware_version', None),
    ('max_cred_blob_length', 'max_cred_blob_length', None),
    ('uv_modality', 'uv_modality', None),
    ('certifications', 'certifications', {}),
]


def profile_of(folder, name):
    facts = json.loads((folder / f'{name}.json').read_text())
    if 'like' not in facts:
        return facts
    base = json.loads((folder / f'{facts["like"]}.json').read_text())
    for member, value in facts.items():
        old = base.get(member)
        base[member] = {**old, **value} if isinstance(old, dict) and member != 'title' else value
    return base


def differences(facts, info):
    for attribute, member, absent in PLAIN:
        if getattr(info, attribute) != facts.get(member, absent):
            yield f'{attribute} is {getattr(info, attribute)}'
    options = dict(facts['options'])
    if options.get('alwaysUv') and 'makeCredUvNotRqd' in options:
        options['makeCredUvNotRqd'] = False  # CTAP 2.1 §7.2
    if info.options != options:
        yield f'options are {info.options}'
    if bytes(info.aaguid).hex() != facts['aaguid'].replace('-', ''):
        yield f'aaguid is {bytes(info.aaguid).hex()}'
    if not set(info.extensions) <= set(facts.get('extensions', [])):
        yield f'extensions are {info.extensions}'
    if 'transports' in facts.get('tells', []) and info.transports != facts['transports']:
        yield f'transports are {info.transports}'
    if 'algorithms' in facts.get('tells', []) and [a['alg'] for a in info.algorithms] != facts['algorithms']:
        yield f'algorithms are {info.algorithms}'
    if cbor.encode(cbor.decode(bytes(info))) != bytes(info):
        yield 'it is not canonical'


def main():
    folder = Path(sys.argv[1]) / 'authenticators'
    wrong = seen = 0
    for line in sys.stdin:
        name, told = line.split()
        seen += 1
        for difference in differences(profile_of(folder, name), Info(bytes.fromhex(told))):
            print(f'{name}: {difference}', file=sys.stderr)
            wrong += 1
    return 0 if seen > 0 and wrong == 0 else 1


sys.exit(main())
