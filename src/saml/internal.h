/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_INTERNAL_H
#define KEYPILOT_SAML_INTERNAL_H

#include <openssl/x509.h>

#include "keypilot/codec/xml.h"
#include "keypilot/model/federation.h"
#include "keypilot/saml/verify.h"

/*
 * What the files of this module share: names of the specification, keys, signatures,
 * and the message under test.
 */

/* Namespaces */
#define NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"
#define NS_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define NS_XENC "http://www.w3.org/2001/04/xmlenc#"

/* SAML 2.0 Core §3.2.2.2, Profiles §3.3, Bindings §3.4, §3.5 */
#define STATUS_PREFIX "urn:oasis:names:tc:SAML:2.0:status:"
#define STATUS_SUCCESS STATUS_PREFIX "Success"
#define METHOD_BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define BINDING_REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
#define BINDING_POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define FORMAT_ENTITY "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

/* Algorithms */
#define ALG_RSA_SHA256 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
#define ALG_SHA256 NS_XENC "sha256"
#define ALG_ENVELOPED NS_DSIG "enveloped-signature"
#define ALG_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ALG_C14N "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

#define RELAY_STATE_MAX 80 /* bytes. Bindings §3.4.3, §3.5.3 */

/* ---- keys.c: keys and certificates, parsed once per process ---- */

struct saml_cert {
        EVP_PKEY *pkey;
        void *key;    /* xmlSecKey */
        char *base64; /* DER, for KeyInfo and metadata */
};

/* Start xmlsec, once per process. Errors  KP_EENV it does not start */
int saml_start(struct kp_error *err) KP_MUST_CHECK;

/* What xmlsec has complained about since the last call; "" if nothing. */
const char *saml_complaint(void);

/* ret      borrowed until kp_saml_shutdown(). Errors  KP_EPARSE no key in it */
int saml_key(const char *pem, EVP_PKEY **ret_pkey, void **ret_key,
        struct kp_error *err) KP_MUST_CHECK;

/* All certificates in `pem`, at least one; borrowed. Errors  KP_EPARSE none in it */
int saml_certs(const char *pem, const struct saml_cert **ret, size_t *ret_n,
        struct kp_error *err) KP_MUST_CHECK;

/* ---- signature.c ---- */

/* The empty signature of an element, to be filled by saml_sign(). */
void saml_put_signature(struct kp_buf *buf, const char *id, const char *cert_base64);

/* Sign `node`, whose own signature template is its direct child. */
int saml_sign(xmlNode *node, const char *key_pem, struct kp_error *err) KP_MUST_CHECK;

/* How a signature was found to be. */
enum saml_signature {
        SIGNATURE_ABSENT,
        SIGNATURE_GOOD,
        SIGNATURE_GOOD_BESIDE, /* it signs the element with the ID in policy->beside */
        SIGNATURE_REFUSED,     /* rule and reason say why */
};
struct saml_signature_policy {
        const char *cert_pem; /* NULL: no key known */
        bool allow_sha1;
        const char *beside; /* an ID that it may refer to instead; NULL: none */
        const struct kp_response_policy *off; /* rules switched off; NULL: none */
};

/*
 * Judge the signature of one element: the ds:Signature that is its direct child. The
 * element must be registered under its own ID, and under no other, before.
 *
 * rule           set when refused
 * ret_algorithm  borrowed; may be NULL
 */
int saml_check_signature(xmlNode *node, const struct saml_signature_policy *policy,
        enum saml_signature *ret, const char **ret_algorithm, const char **rule,
        char reason[200], struct kp_error *err) KP_MUST_CHECK;

/*
 * Register the IDs of the root and of the assertions below it, and look for one that
 * occurs twice anywhere.
 *
 * returns  false and the ID in `reason` if one does
 */
bool saml_register_ids(xmlDoc *doc, char reason[200]);

/* Raw signatures of query strings. Bindings §3.4.4.1 */
int saml_sign_bytes(const char *key_pem, const void *bytes, size_t bytes_len,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;
int saml_verify_bytes(const char *cert_pem, const char *algorithm, bool allow_sha1,
        const void *bytes, size_t bytes_len, const uint8_t *signature,
        size_t signature_len, bool *ret, struct kp_error *err) KP_MUST_CHECK;

/* ---- decrypt.c ---- */

/*
 * Replace an EncryptedAssertion or EncryptedID by what is inside.
 *
 * ret      the element that stands there now; NULL, with `reason`, if it cannot be read
 */
int saml_decrypt(xmlNode *encrypted, const char *key_pem, xmlNode **ret,
        char reason[200], struct kp_error *err) KP_MUST_CHECK;

/* ---- wire.c: bindings ---- */

/* What arrived, decoded. */
struct saml_wire {
        struct kp_buf xml;
        char relay_state[128];
        bool redirect;
        const char *rule; /* refused already; NULL: not */
        char reason[200];
        /* the signed part of a query and its signature; empty where unsigned */
        struct kp_buf signed_text;
        char algorithm[128];
        struct kp_buf signature;
        char hint[128]; /* "domain_hint=..." */
};
int saml_wire_read(const struct kp_message_in *in, const char *field,
        struct saml_wire *ret, struct kp_error *err) KP_MUST_CHECK;
void saml_wire_done(struct saml_wire *wire);

/* url, field, xml -> a redirect, signed if `key_pem` is given */
int saml_wire_redirect(const char *url, const char *field, const struct kp_buf *xml,
        const char *relay_state, const char *hint, const char *key_pem,
        struct kp_message_out *ret, struct kp_error *err) KP_MUST_CHECK;
int saml_wire_post(const char *url, const char *field, const struct kp_buf *xml,
        const char *relay_state, struct kp_message_out *ret,
        struct kp_error *err) KP_MUST_CHECK;
void saml_wire_stop(void); /* give the compressors back */

/* ---- small things ---- */

/* "_" and 32 hexadecimal digits: an xs:ID with 128 random bits. Core §1.3.4 */
void saml_new_id(struct kp_random *random, char ret[72]);

/* ' name="value"', left out where the value is NULL or "" */
void saml_put_attr(struct kp_buf *buf, const char *name, const char *value);
/* Left out where 0. */
void saml_put_time(struct kp_buf *buf, const char *name, int64_t ms);
void saml_put_element(struct kp_buf *buf, const char *name, const char *text);

/*
 * Make a sentence fit for people and JSON: what was cut off within a character, and
 * control characters, become question marks.
 */
void saml_clean(char *text);

/* Fill a verdict; always returns 0. */
int saml_refuse(struct kp_federation_verdict *verdict, const char *rule,
        const char *format, ...) KP_PRINTF(3, 4);
bool saml_rule_is_on(const struct kp_response_policy *policy, const char *rule);

/* A dateTime attribute. returns false if present and malformed; absent gives 0 */
bool saml_time(const xmlNode *node, const char *name, int64_t *ret);

/*
 * A message that was decoded to find its sender, kept for the reading that follows at
 * once: decoding and parsing cost as much as verifying.
 */
struct saml_memo {
        char *text;        /* the field or query; NULL: nothing is kept */
        char *relay_state; /* NULL: none came with it */
        struct saml_wire wire;
        xmlDoc *doc;
};
void saml_memo_done(struct saml_memo *memo);

int saml_read_issuer(struct saml_memo *memo, const struct kp_message_in *in,
        char ret[256], struct kp_error *err) KP_MUST_CHECK;
int saml_read_response(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_response_policy *policy, struct kp_login_response *ret,
        struct kp_federation_verdict *verdict, struct kp_error *err) KP_MUST_CHECK;
int saml_read_request(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_party *provider, const struct kp_party *service, int64_t now_ms,
        struct kp_login_request *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err) KP_MUST_CHECK;
int saml_read_logout(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_party *own, const struct kp_party *peer, int64_t now_ms,
        struct kp_logout *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err) KP_MUST_CHECK;

int saml_build_request(struct kp_random *random, const struct kp_party *service,
        const struct kp_party *provider, struct kp_login_request *request,
        struct kp_message_out *ret, struct kp_error *err) KP_MUST_CHECK;
int saml_build_response(struct kp_random *random, const struct kp_party *provider,
        const struct kp_party *service, struct kp_login_response *response,
        struct kp_message_out *ret, struct kp_error *err) KP_MUST_CHECK;
int saml_build_logout(struct kp_random *random, const struct kp_party *from,
        const struct kp_party *to, struct kp_logout *logout, struct kp_message_out *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
