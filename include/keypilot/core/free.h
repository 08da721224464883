/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_FREE_H
#define KEYPILOT_CORE_FREE_H

#include <cbor.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Wrappers that make other libraries' release functions fit KP_CLEANUP().
 */
#define KP_FREE_WITH(name, type, release)                                              \
        static inline void name(type **pointer)                                        \
        {                                                                              \
                if (*pointer != NULL)                                                  \
                        release(*pointer);                                             \
                *pointer = NULL;                                                       \
        }

static inline void
kp_free_cbor_ref(cbor_item_t *item)
{
        cbor_decref(&item);
}

/* clang-format off */
KP_FREE_WITH(kp_free_str, char, free)
KP_FREE_WITH(kp_free_file, FILE, (void)fclose)
KP_FREE_WITH(kp_free_cbor, cbor_item_t, kp_free_cbor_ref)
KP_FREE_WITH(kp_free_pkey, EVP_PKEY, EVP_PKEY_free)
KP_FREE_WITH(kp_free_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
KP_FREE_WITH(kp_free_md_ctx, EVP_MD_CTX, EVP_MD_CTX_free)
KP_FREE_WITH(kp_free_cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
KP_FREE_WITH(kp_free_x509, X509, X509_free)
KP_FREE_WITH(kp_free_bn, BIGNUM, BN_free)
/* clang-format on */

#endif
