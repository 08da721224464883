/* SPDX-License-Identifier: BSD-2-Clause */
#include "version.h"

#include <cbor.h>
#include <jansson.h>
#include <libpsl.h>
#include <libxml/xmlversion.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <xmlsec/version.h>

void
kp_version_print(void)
{
        printf("keypilot %s\n", KP_VERSION);
        printf("libfido2 %s, libcbor %u.%u.%u, %s\n", KP_LIBFIDO2_VERSION,
                CBOR_MAJOR_VERSION, CBOR_MINOR_VERSION, CBOR_PATCH_VERSION,
                OpenSSL_version(OPENSSL_VERSION));
        printf("libxml2 %s, xmlsec %s, jansson %s, libpsl %s\n", LIBXML_DOTTED_VERSION,
                XMLSEC_VERSION, jansson_version_str(), psl_get_version());
}
