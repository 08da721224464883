#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Sourced by script tests: make a FIDO Metadata BLOB with openssl.
# shellcheck shell=sh

b64url() {
        openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# mds_pki DIR: a root, and a signer under it (RSA)
mds_pki() {
        openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1/mds-root-key.pem" -out "$1/mds-root.pem" -days 3650 \
                -subj '/C=NL/O=Made up/CN=Metadata root' -addext basicConstraints=critical,CA:TRUE 2>/dev/null &&
                openssl req -newkey rsa:2048 -nodes -keyout "$1/mds-key.pem" -out "$1/mds.csr" \
                        -subj '/C=NL/O=Made up/CN=mds.example' 2>/dev/null &&
                openssl x509 -req -in "$1/mds.csr" -CA "$1/mds-root.pem" -CAkey "$1/mds-root-key.pem" -CAcreateserial \
                        -days 3650 -out "$1/mds.pem" 2>/dev/null
}

# mds_blob DIR PAYLOAD [HEADER-ALG]: the BLOB on stdout, signed with RS256 whatever the header says
mds_blob() {
        mds_x5c=$(openssl x509 -in "$1/mds.pem" -outform DER | openssl base64 -A)
        mds_header=$(printf '{"alg":"%s","typ":"JWT","x5c":["%s"]}' "${3:-RS256}" "$mds_x5c" | b64url)
        mds_payload=$(b64url <"$2")
        printf '%s.%s' "$mds_header" "$mds_payload" >"$1/mds.signed"
        mds_signature=$(openssl dgst -sha256 -sign "$1/mds-key.pem" "$1/mds.signed" | b64url)
        printf '%s.%s\n' "$(cat "$1/mds.signed")" "$mds_signature"
}

# mds_payload AAGUID ROOT.pem STATUS NEXT-UPDATE
mds_payload() {
        mds_root=$(openssl x509 -in "$2" -outform DER | openssl base64 -A)
        cat <<J
{"legalHeader":"made up","no":7,"nextUpdate":"$4","entries":[{"aaguid":"$1",
"metadataStatement":{"description":"a model","aaguid":"$1","protocolFamily":"fido2","attestationTypes":["basic_full"],
"authenticationAlgorithms":["secp256r1_ecdsa_sha256_raw"],"attestationRootCertificates":["$mds_root"]},
"statusReports":[{"status":"FIDO_CERTIFIED_L1","effectiveDate":"2024-01-01"},{"status":"$3","effectiveDate":"2025-01-01"}],
"timeOfLastStatusChange":"2025-01-01"}]}
J
}
