# SPDX-License-Identifier: BSD-2-Clause
"""Other people's SAML responses, each given to `saml verify` as a user would.

saml_vectors.py KEYPILOT FOLDER; metadata is built from what a vector says of its
provider and service.  Exit 1 where a verdict differs.
"""
import html
import json
import os
import subprocess
import sys

KEYPILOT, FOLDER = sys.argv[1:]
MD = 'urn:oasis:names:tc:SAML:2.0:metadata'
POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'
EXPECTED = {'accept': 0, 'reject': 1}
# What their makers accept and the specification does not: the rule that says so.
DEPARTURES = {
    'node-saml__valid-root-signed.assertion-signed.1advice-signed': 'signature-order',
    'node-saml__valid-root-signed.assertion-signed.2advice-signed': 'signature-order',
    'node-saml__valid-root-unsigned.assertion-signed.1advice-signed': 'signature-order',
    'ruby-saml__inclusive_namespaces': 'destination',
    'samlify__response_signed': 'signature-order',
}


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def certificate(name):
    with open(os.path.join(FOLDER, name), encoding='ascii') as file:
        return ''.join(line for line in file if not line.startswith('-----'))


def metadata(entity, role, body):
    return (f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{html.escape(entity)}">'
            f'<md:{role} protocolSupportEnumeration="{PROTOCOL}">{body}</md:{role}>'
            '</md:EntityDescriptor>')


def is_lenient(vector):
    """Neither vector nor message names the service: a strict reader wants an audience."""
    return not (vector['sp']['entity_id'] or (vector.get('message') or {}).get('audience'))


def files(vector):
    """Both files, or why they cannot be made."""
    sp, message = vector['sp'], vector.get('message') or {}
    # a service whose name is not told has the one that the message is for
    entity = sp['entity_id'] or message.get('audience') or 'https://sp.example'
    issuer = message.get('issuer')
    if not vector.get('idp_cert'):
        return 'no certificate is told'
    if not (sp['acs'] or '').startswith('http'):
        return 'the address of the service is none'
    if is_lenient(vector) and vector.get('strict_only'):
        return 'only a strict reader refuses it'
    if sp['decryption_key'] is not None:
        return 'it is encrypted'
    if not issuer:
        return 'what the provider is called is not told'
    write('v-idp.xml', metadata(
        issuer, 'IDPSSODescriptor',
        '<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f'<ds:X509Data><ds:X509Certificate>{certificate(vector["idp_cert"])}'
        '</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>'
        f'<md:SingleSignOnService Binding="{POST}" Location="https://idp.example/"/>'))
    write('v-sp.xml', metadata(
        entity, 'SPSSODescriptor',
        f'<md:AssertionConsumerService index="0" Binding="{POST}" '
        f'Location="{html.escape(sp["acs"])}"/>'))
    return None


def main():
    with open(os.path.join(FOLDER, 'index.json'), encoding='utf-8') as file:
        vectors = json.load(file)['vectors']
    counts = {'agree': 0, 'disagree': 0, 'skipped': 0}
    for vector in vectors:
        if vector['kind'] != 'Response' or vector['expect'] not in EXPECTED or (
                vector.get('needs_signature_check_off')):
            continue
        why = files(vector)
        if why is not None:
            counts['skipped'] += 1
            continue
        args = [KEYPILOT, 'saml', 'verify', '--response', os.path.join(FOLDER, vector['file']),
                '--idp-metadata', 'v-idp.xml', '--sp-metadata', 'v-sp.xml', '--sha1', 'allow',
                '--at', vector['clock']]
        if vector['sp']['request_id']:
            args += ['--request-id', vector['sp']['request_id']]
        if is_lenient(vector):
            args += ['--mode', 'lenient']
        run = subprocess.run(args, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        rule = DEPARTURES.get(vector['id'])
        good = run.returncode == (EXPECTED[vector['expect']] if rule is None else 1)
        if rule is not None and f'"rule": "{rule}"' not in run.stdout.decode():
            good = False
        counts['agree' if good else 'disagree'] += 1
        if not good:
            print(f"# {vector['id']}: expected {vector['expect']}, {vector['reason']}; exit "
                  f'{run.returncode}: {run.stdout.decode()[:300]!r} {run.stderr.decode()[:300]!r}')
    print(f"# {counts['agree']} agree, {counts['disagree']} disagree, {counts['skipped']} skipped")
    sys.exit(1 if counts['disagree'] or not counts['agree'] else 0)


main()
