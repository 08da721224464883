/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

void
kp_sha256(const void *bytes, size_t bytes_len, uint8_t ret[KP_SHA256_LEN])
{
        /* a constant of the process: fetching costs twice the hash */
        static EVP_MD *sha256;

        if (sha256 == NULL)
                sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (sha256 == NULL ||
                EVP_Digest(bytes, bytes_len, ret, NULL, sha256, NULL) != 1)
                abort(); /* a hash of chance would pass for one */
}
