/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * Nothing stands in a client profile that nobody acts on: every fact of the table is
 * read in one of these ceremonies, or is of those that the world's agent reads.
 */

/* tests/world/test_agent.c shows these read. */
static const char *const of_the_agent[] = { "auto_post_forms", "samesite_default" };

static json_t *read_facts; /* name -> true */

static void
collect(const struct bench *b)
{
        const json_t *events = kp_trace_events(b->trace), *event;
        const char prefix[] = "client.";
        size_t i;

        json_array_foreach (events, i, event) {
                const char *name = kp_json_str(event, "fact", "");

                if (strncmp(name, prefix, strlen(prefix)) == 0)
                        json_object_set_new(
                                read_facts, name + strlen(prefix), json_true());
        }
}

/* Options that ask for everything, so that every fact has a say. */
#define ALL_CREATE                                                                     \
        "{\"rp\":{\"name\":\"E\",\"id\":\"%s\"},\"user\":{\"id\":\"AQID\",\"name\":"   \
        "\"n\",\"displayName\":\"d\"},\"challenge\":\"AAECAwQF\",\"pubKeyCredParams\"" \
        ":[{\"type\":\"public-key\",\"alg\":-7}],\"timeout\":100000,"                  \
        "\"attestation\":\"%s\",\"hints\":[\"security-key\"],"                         \
        "\"authenticatorSelection\":{\"residentKey\":\"%s\",\"userVerification\":"     \
        "\"%s\"},\"extensions\":{\"credProps\":true,\"credBlob\":\"AAEC\",\"prf\":{}," \
        "\"minPinLength\":true,\"largeBlob\":{\"support\":\"preferred\"},%s"           \
        "\"appidExclude\":\"https://example.com/x\"}}"

static void
enrol(const char *client, const char *key, struct kp_page page, const char *attestation,
        const char *uv)
{
        static const char *const levels[] = { "required", "preferred" };

        for (size_t i = 0; i < KP_NELEMS(levels); i++) {
                KP_CLEANUP(kp_free_str)
                char *text = kp_format(ALL_CREATE,
                        strncmp(page.origin, "http:", 5) == 0 ? "localhost"
                                                              : "example.com",
                        attestation, levels[i], uv,
                        i == 0 ? ""
                               : "\"credentialProtectionPolicy\":"
                                 "\"userVerificationOptionalWithCredentialIDList\",");
                json_auto_t *options = bench_json(text);
                struct bench b;

                bench_open(&b, client, key);
                bench_add(&b, "yubikey-5-57-pin");
                b.thinks_ms = 1000;
                b.page = page;
                (void)bench_call(&b, true, options);
                collect(&b);
                bench_done(&b);
        }
}

static void
log_in(const char *client, struct kp_page page, const char *list)
{
        KP_CLEANUP(kp_free_str)
        char *text = kp_format(
                "{\"challenge\":\"AAECAwQF\",\"rpId\":\"example.com\",%s"
                "\"extensions\":{\"largeBlob\":{\"read\":true},\"getCredBlob\":true}}",
                list);
        json_auto_t *options = bench_json(text);
        struct bench b;

        bench_open(&b, client, "yubikey-5-57-pin");
        (void)bench_create(&b, "required", "required");
        b.page = page;
        (void)bench_call(&b, false, options);
        collect(&b);
        bench_done(&b);
}

static void
all_ceremonies(const char *client)
{
        const struct kp_page here = { .origin = ORIGIN, .user_activation = true };
        struct kp_page framed = here, quiet = here, local = here, asks = here;

        framed.framing = KP_FRAME_CROSS_ORIGIN;
        framed.top_origin = "https://portal.example";
        framed.allow = "publickey-credentials-create; publickey-credentials-get";
        framed.user_activation = false;
        quiet.mediation = KP_MEDIATION_CONDITIONAL;
        local.origin = "http://localhost";
        asks.origin = "https://other.example"; /* related origins */
        enrol(client, "yubikey-5-57-pin", here, "none", "preferred");
        enrol(client, "yubikey-5-57", here, "direct", "required");
        enrol(client, "yubikey-5-57", here, "direct", "preferred");
        enrol(client, "icloud-keychain", here, "none", "preferred");
        enrol(client, "yubikey-5-57-pin", framed, "none", "preferred");
        enrol(client, "yubikey-5-57-pin", quiet, "none", "preferred");
        enrol(client, "yubikey-5-57-pin", local, "none", "preferred");
        enrol(client, "yubikey-5-57-pin", asks, "none", "preferred");
        log_in(client, here,
                "\"allowCredentials\":[{\"type\":\"x\",\"id\":\"AAAA\"}],");
        log_in(client, framed, "");
        log_in(client, quiet, "");
}

/* Keys that hang on the other ways, one that is full, and an app of its own. */
static void
others(void)
{
        static const char *const ways[] = { "nfc", "ble", "hybrid" };
        struct bench b;

        for (size_t i = 0; i < KP_NELEMS(ways); i++) {
                bench_open(&b, "chrome-windows", "yubikey-5-57-pin");
                b.client_keys[0].transport = ways[i];
                (void)bench_create(&b, "preferred", "preferred");
                collect(&b);
                bench_done(&b);
        }
        bench_open(&b, "android-webview", "yubikey-5-57-pin");
        bench_set(&b, "app_opts_in", json_string("for_app"));
        bench_set(&b, "app_linked_rp_ids", json_pack("[s]", "example.com"));
        (void)bench_create(&b, "preferred", "preferred");
        collect(&b);
        bench_done(&b);
        bench_open(&b, "chrome-linux", "yubikey-5-57-full");
        (void)bench_create(&b, "preferred", "preferred");
        collect(&b);
        bench_done(&b);
}

static bool
is_read(const char *fact)
{
        for (size_t i = 0; i < KP_NELEMS(of_the_agent); i++)
                if (strcmp(of_the_agent[i], fact) == 0)
                        return true;
        return json_object_get(read_facts, fact) != NULL;
}

/* A fact that no profile holds need not be read; it is noted down for later. */
static bool
is_held(const struct kp_names *names, const char *fact)
{
        for (size_t i = 0; i < names->n_names; i++) {
                struct bench b;
                bool held;

                bench_open(&b, names->names[i], "yubikey-4-u2f");
                held = kp_profile_fact(b.profile, fact) != NULL;
                bench_done(&b);
                if (held)
                        return true;
        }
        return false;
}

Test(facts, every_fact_of_a_client_is_read_by_somebody)
{
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/clients", bench_fixtures());
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        read_facts = json_object();
        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0);
        for (size_t i = 0; i < names.n_names; i++) {
                names.names[i][strlen(names.names[i]) - strlen(".json")] = '\0';
                all_ceremonies(names.names[i]);
        }
        others();
        for (const struct kp_fact_type *t = kp_facts_client; t->name != NULL; t++)
                cr_expect(
                        is_read(t->name) || (t->optional && !is_held(&names, t->name)),
                        "nobody reads %s", t->name);
        json_decref(read_facts);
}
