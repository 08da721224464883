/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "keypilot/http/form.h"

#include "messages.h"

/*
 * Somebody else's eyes: the xmlsec1 and openssl command lines judge what we signed, and
 * we judge what they signed and encrypted. Skipped where those programs are absent.
 */
static char folder[64];

static void
start(void)
{
        parties_start();
        snprintf(folder, sizeof(folder), "/tmp/keypilot-saml-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
}

static void
stop(void)
{
        char *command = kp_format("rm -r %s", folder);

        cr_assert_eq(system(command), 0);
        free(command);
        parties_stop();
}

TestSuite(witness, .init = start, .fini = stop);

/* A command in the folder; its exit status. */
static int KP_PRINTF(1, 2) run(const char *format, ...)
{
        char tail[4096], *command;
        va_list args;
        int status;

        va_start(args, format);
        vsnprintf(tail, sizeof(tail), format, args);
        va_end(args);
        command = kp_format("cd %s && (%s) >log 2>&1", folder, tail);
        status = system(command);
        free(command);
        return status;
}

static void
need(const char *program)
{
        if (run("command -v %s", program) != 0)
                cr_skip_test("needs the program %s", program);
}

static void
put_file(const char *name, const void *bytes, size_t bytes_len)
{
        char *path = kp_format("%s/%s", folder, name);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_file_write(path, bytes, bytes_len, &err), 0, "%s",
                err.frames[0].text);
        free(path);
}

static void
put_text(const char *name, const char *text)
{
        put_file(name, text, strlen(text));
}

static char *
get_text(const char *name)
{
        char *path = kp_format("%s/%s", folder, name), *text;
        struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_file_read(path, 1 << 20, &buf, &err), 0, "%s", err.frames[0].text);
        text = strdup(kp_buf_str(&buf));
        kp_buf_done(&buf);
        free(path);
        return text;
}

#define IDS                                                                            \
        "--id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion "                \
        "--id-attr:ID urn:oasis:names:tc:SAML:2.0:protocol:Response "                  \
        "--id-attr:ID urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest "

static bool
xmlsec1_agrees(const char *on)
{
        return run("xmlsec1 --verify " IDS "--pubkey-cert-pem idp.pem "
                   "--enabled-key-data key-name --node-xpath "
                   "\"%s/*[local-name()='Signature']\" "
                   "message.xml",
                       on) == 0;
}

Test(witness, xmlsec1_verifies_every_signature_we_make)
{
        need("xmlsec1");
        put_text("idp.pem", provider.cert_pem);
        for (int i = 1; i < 4; i++) {
                struct kp_login_response login = good_login();
                char *text, *spoiled;

                login.sign_response = (i & 1) != 0;
                login.sign_assertion = (i & 2) != 0;
                text = login_xml(login);
                put_text("message.xml", text);
                if (login.sign_response)
                        cr_expect(xmlsec1_agrees("/*"), "response, %d", i);
                if (login.sign_assertion)
                        cr_expect(xmlsec1_agrees("/*/*[local-name()='Assertion']"),
                                "assertion, %d", i);
                spoiled = replaced(text, "teacher@", "principal@");
                put_text("message.xml", spoiled);
                cr_expect(!xmlsec1_agrees("/*") &&
                                  !xmlsec1_agrees("/*/*[local-name()='Assertion']"),
                        "the witness would notice");
                free(spoiled);
                free(text);
        }
}

Test(witness, xmlsec1_verifies_a_posted_request)
{
        struct kp_login_request request = {
                .issue_ms = NOW, .proxy_count = -1, .sign = true, .post = true
        };
        struct kp_message_out out = { 0 };
        struct kp_buf xml = { 0 };
        struct kp_error err = { 0 };

        need("xmlsec1");
        put_text("idp.pem", service.cert_pem);
        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        cr_assert_eq(
                kp_b64_decode(kp_buf_str(&out.value), out.value.len, &xml, &err), 0);
        put_text("message.xml", kp_buf_str(&xml));
        cr_expect(xmlsec1_agrees("/*"));
        kp_buf_done(&xml);
        kp_message_out_done(&out);
}

/* We judge what the xmlsec1 command line signed, in every algorithm it is asked for. */
Test(witness, we_verify_what_xmlsec1_signed)
{
        static const struct {
                const char *signature, *digest;
        } cases[] = {
                { ALG_RSA_SHA256, ALG_SHA256 },
                { "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
                        "http://www.w3.org/2001/04/xmldsig-more#sha384" },
                { "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
                        NS_XENC "sha512" },
                { NS_DSIG "rsa-sha1", NS_DSIG "sha1" },
        };

        need("xmlsec1");
        put_text("key.pem", provider.key_pem);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_response_policy policy = strict_policy();
                char *good = login_xml(good_login());
                char *method = replaced(good, ALG_RSA_SHA256, cases[i].signature);
                char *both = replaced(method, ALG_SHA256, cases[i].digest);
                char *text;

                policy.allow_sha1 = true;
                put_text("template.xml", both);
                cr_assert_eq(
                        run("xmlsec1 --sign " IDS
                            "--privkey-pem key.pem --output message.xml template.xml"),
                        0);
                text = get_text("message.xml");
                cr_expect(judge(text, &policy).accepted, "%s: %s", cases[i].signature,
                        judge(text, &policy).reason);
                free(text);
                free(both);
                free(method);
                free(good);
        }
}

Test(witness, openssl_verifies_the_signature_of_a_query)
{
        struct kp_login_request request = { .issue_ms = NOW,
                .proxy_count = -1,
                .sign = true,
                .relay_state = "a b&c",
                .login_hint = "school.example" };
        struct kp_message_out out = { 0 };
        struct kp_pairs pairs = { 0 };
        struct kp_buf signature = { 0 };
        struct kp_error err = { 0 };
        const char *query, *end;

        need("openssl");
        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        query = strchr(kp_buf_str(&out.url), '?') + 1;
        end = strstr(query, "&Signature=");
        cr_assert_eq(kp_form_decode(query, strlen(query), &pairs, &err), 0);
        cr_assert_eq(
                kp_b64_decode(kp_pairs_get(&pairs, "Signature"),
                        strlen(kp_pairs_get(&pairs, "Signature")), &signature, &err),
                0);
        cr_expect_str_eq(kp_pairs_get(&pairs, "RelayState"), "a b&c");
        cr_expect_str_eq(kp_pairs_get(&pairs, "SigAlg"), ALG_RSA_SHA256);
        cr_expect_str_eq(kp_pairs_get(&pairs, "domain_hint"), "school.example");
        put_file("signed", query, (size_t)(end - query));
        put_file("signature", signature.data, signature.len);
        put_text("sp.pem", service.cert_pem);
        cr_assert_eq(run("openssl x509 -in sp.pem -pubkey -noout > sp.pub"), 0);
        cr_expect_eq(
                run("openssl dgst -sha256 -verify sp.pub -signature signature signed"),
                0);
        put_file("signed", query, (size_t)(end - query) - 1);
        cr_expect_neq(
                run("openssl dgst -sha256 -verify sp.pub -signature signature signed"),
                0, "the witness would notice");
        kp_buf_done(&signature);
        kp_pairs_done(&pairs);
        kp_message_out_done(&out);
}

Test(witness, python_inflates_a_query)
{
        struct kp_login_request request = { .issue_ms = NOW, .proxy_count = -1 };
        struct kp_message_out out = { 0 };
        struct kp_error err = { 0 };
        char *text;

        need("python3");
        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        put_text("url", kp_buf_str(&out.url));
        cr_assert_eq(run("python3 -c \"import base64,zlib,urllib.parse as u; "
                         "q=u.parse_qs(u.urlsplit(open('url').read()).query); "
                         "open('xml','wb').write(zlib.decompress(base64.b64decode("
                         "q['SAMLRequest'][0]),-15))\""),
                0);
        text = get_text("xml");
        cr_expect_not_null(strstr(text, "<samlp:AuthnRequest"));
        cr_expect_not_null(strstr(text, request.id));
        free(text);
        kp_message_out_done(&out);
}

/* ---- encryption: the witness encrypts ---- */

#define ENCRYPTED(data, key)                                                           \
        "<xenc:EncryptedData xmlns:xenc=\"" NS_XENC "\" Type=\"" NS_XENC "Element\">"  \
        "<xenc:EncryptionMethod Algorithm=\"" data                                     \
        "\"/><ds:KeyInfo xmlns:ds=\"" NS_DSIG                                          \
        "\"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"" key                \
        "\"/><ds:KeyInfo>"                                                             \
        "<ds:KeyName/></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></"             \
        "xenc:CipherData>"                                                             \
        "</xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/>"        \
        "</xenc:CipherData></xenc:EncryptedData>"

/* The assertion of a good login, encrypted to the service by xmlsec1. */
static char *
encrypted(const char *good, const char *template, const char *session_key)
{
        const char *from = strstr(good, "<saml:Assertion");
        const char *end =
                strstr(good, "</saml:Assertion>") + strlen("</saml:Assertion>");
        char *inner = kp_format("%.*s", (int)(end - from), from);
        char *with_ns = replaced(inner, "<saml:Assertion ",
                "<saml:Assertion xmlns:saml=\"" NS_ASSERTION "\" ");
        char *data, *body, *text;

        put_text("inner.xml", with_ns);
        put_text("template.xml", template);
        put_text("sp.pem", service.cert_pem);
        cr_assert_eq(run("xmlsec1 --encrypt --pubkey-cert-pem sp.pem --session-key %s "
                         "--xml-data inner.xml --output data.xml template.xml",
                             session_key),
                0);
        data = get_text("data.xml");
        body = strstr(data, "<xenc:EncryptedData");
        text = kp_format("%.*s<saml:EncryptedAssertion>%s</saml:EncryptedAssertion>%s",
                (int)(from - good), good, body, end);
        free(data);
        free(with_ns);
        free(inner);
        return text;
}

Test(witness, what_xmlsec1_encrypted_to_the_service_is_read)
{
        static const struct {
                const char *template, *session_key;
        } cases[] = {
                { ENCRYPTED("http://www.w3.org/2009/xmlenc11#aes256-gcm",
                          NS_XENC "rsa-oaep-mgf1p"),
                        "aes-256" },
                { ENCRYPTED(NS_XENC "aes128-cbc", NS_XENC "rsa-oaep-mgf1p"),
                        "aes-128" },
                { ENCRYPTED(NS_XENC "aes256-cbc", NS_XENC "rsa-1_5"), "aes-256" },
        };

        need("xmlsec1");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_response_policy policy = strict_policy();
                struct kp_party blind = service, other = service;
                struct kp_login_response read;
                struct kp_federation_verdict verdict;
                char *good = login_xml(good_login());
                char *text = encrypted(good, cases[i].template, cases[i].session_key);

                verdict = receive_post(text, NULL, &policy, &read);
                cr_expect(verdict.accepted, "%zu: %s: %s", i, verdict.rule,
                        verdict.reason);
                cr_expect_str_eq(read.subject, "teacher@school.example");
                cr_expect(read.sign_assertion && !read.sign_response);

                blind.key_pem = NULL;
                policy.own = &blind;
                cr_expect_str_eq(judge(text, &policy).rule, "encryption");
                other.key_pem = provider2.key_pem;
                policy.own = &other;
                verdict = judge(text, &policy);
                cr_expect_str_eq(verdict.rule, "encryption", "%s", verdict.reason);
                free(text);
                free(good);
        }
}

Test(witness, an_encrypted_unsigned_assertion_is_not_enough)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login();
        char *good, *text;

        need("xmlsec1");
        login.sign_assertion = false;
        good = login_xml(login);
        text = encrypted(good,
                ENCRYPTED(NS_XENC "aes128-cbc", NS_XENC "rsa-oaep-mgf1p"), "aes-128");
        cr_expect_str_eq(judge(text, &policy).rule, "signature-missing");
        free(text);
        free(good);
}

Test(witness, encrypted_things_reach_nowhere_outside)
{
        static const char *const changes[][2] = {
                { "<xenc:CipherValue",
                        "<xenc:CipherReference URI=\"file:///etc/passwd\"/>"
                        "<xenc:CipherValue" },
                { "<xenc:EncryptionMethod Algorithm=\"" NS_XENC "aes128-cbc\"/>", "" },
                { "<xenc:EncryptedKey>", "<xenc:NoKey>" },
                { "Type=\"" NS_XENC "Element\"", "Type=\"" NS_XENC "Content\"" },
        };
        struct kp_response_policy policy = strict_policy();
        char *good, *text;

        need("xmlsec1");
        good = login_xml(good_login());
        text = encrypted(good,
                ENCRYPTED(NS_XENC "aes128-cbc", NS_XENC "rsa-oaep-mgf1p"), "aes-128");
        for (size_t i = 0; i < KP_NELEMS(changes); i++) {
                char *spoiled = replaced(text, changes[i][0], changes[i][1]);
                struct kp_federation_verdict verdict = judge(spoiled, &policy);

                if (i < 2)
                        cr_expect_str_eq(verdict.rule, "encryption", "%zu: %s", i,
                                verdict.reason);
                free(spoiled);
        }
        free(text);
        free(good);
}
