/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/fixtures.h"
#include "keypilot/saml/saml.h"
#include "keypilot/world/world.h"

/* A world that is built, and in which nobody has done anything yet. */
static struct kp_fixtures *fixtures;
static struct kp_random *stream;
static struct kp_clock clock_;
static struct kp_trace *trace;
static struct kp_assumptions *assumptions;
static struct kp_federation *federation;
static struct kp_scenario scenario;
static json_t *steps;
static struct kp_buf pems[8];
static struct kp_world *world;

static struct kp_actor
actor(const char *role, enum kp_kind kind, const char *name)
{
        struct kp_actor it = {
                .role = role, .assumptions = assumptions, .trace = trace
        };
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_fixtures_profile(fixtures, kind, name, &it.profile, &err) == 0,
                "%s", kp_error_format(&err, text, sizeof(text)));
        return it;
}

static int
no_key(void *self, struct kp_key **ret, struct kp_error *err)
{
        (void)self;
        (void)ret;
        return KP_FAIL(err, KP_EBUG, "nobody holds a key here");
}

static void
pems_load(struct kp_world_env *env)
{
        static const char *const names[] = { "saml-sp", "saml-idp-1", "saml-idp-2",
                "saml-hub" };
        struct kp_error err = { 0 };

        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                KP_CLEANUP(kp_free_str)
                char *key = kp_format(
                        "%s/keys/%s-key.pem", kp_fixtures_dir(fixtures), names[i]);
                KP_CLEANUP(kp_free_str)
                char *cert = kp_format(
                        "%s/keys/%s.pem", kp_fixtures_dir(fixtures), names[i]);

                cr_assert(kp_file_read(key, 65536, &pems[2 * i], &err) == 0);
                cr_assert(kp_file_read(cert, 65536, &pems[2 * i + 1], &err) == 0);
                env->key_pem[i] = kp_buf_str(&pems[2 * i]);
                env->cert_pem[i] = kp_buf_str(&pems[2 * i + 1]);
        }
}

static void
begin(void)
{
        struct kp_world_env env = { .clock = &clock_,
                .home = "service",
                .event = "none",
                .new_key = no_key,
                .pin = "" };
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) == 0);
        clock_ = kp_clock_simulated();
        cr_assert(kp_random_new_seeded("sites", "test", &stream, &err) == 0);
        cr_assert(kp_trace_new(&clock_, &trace, &err) == 0);
        cr_assert(kp_assumptions_new(&assumptions, &err) == 0);
        cr_assert(kp_saml_federation_new(stream, &federation, &err) == 0);
        steps = json_pack("[{s:s}]", "do", "visit");
        scenario = (struct kp_scenario){ .id = "x", .steps = steps };
        env.scenario = &scenario;
        env.random = stream;
        env.trace = trace;
        env.federation = federation;
        env.service = actor("service", KP_KIND_SERVICE, "magister");
        env.provider = actor("provider", KP_KIND_PROVIDER, "keycloak");
        env.provider2 = actor("provider2", KP_KIND_PROVIDER, "ad-fs");
        env.hub = actor("hub", KP_KIND_HUB, "entree");
        env.population = actor("population", KP_KIND_POPULATION, "teacher");
        env.client = actor("client", KP_KIND_CLIENT, "chrome-linux");
        env.client2 = actor("client2", KP_KIND_CLIENT, "chrome-linux");
        pems_load(&env);
        cr_assert(kp_world_new(&env, &world, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
}

static void
end(void)
{
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_expect(kp_trace_check(trace, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        kp_world_free(&world);
        kp_saml_federation_free(&federation);
        kp_assumptions_free(&assumptions);
        kp_trace_free(&trace);
        kp_random_free(&stream);
        kp_fixtures_free(&fixtures);
        json_decref(steps);
        for (size_t i = 0; i < KP_NELEMS(pems); i++)
                kp_buf_done(&pems[i]);
        kp_saml_shutdown();
}

TestSuite(sites, .init = begin, .fini = end);

/* One request at one site; the page's error word, or "". */
static int
asked(const struct kp_site *site, const char *method, const char *path,
        const char *cookie, const char *body, char ret_error[64])
{
        KP_CLEANUP(kp_request_done) struct kp_request request = { 0 };
        KP_CLEANUP(kp_response_done) struct kp_response response = { 0 };
        KP_CLEANUP(kp_html_done) struct kp_html html = { 0 };
        KP_CLEANUP(kp_json_free) json_t *data = NULL;
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        (void)snprintf(request.method, sizeof(request.method), "%s", method);
        request.url = kp_format("%s%s", site->origin, path);
        if (cookie != NULL)
                cr_assert(
                        kp_headers_add(&request.headers, "Cookie", cookie, &err) == 0);
        kp_buf_puts(&request.body, body);
        cr_assert(site->handle(site->self, &request, &response, &err) == 0, "%s %s: %s",
                method, path, kp_error_format(&err, text, sizeof(text)));
        ret_error[0] = '\0';
        if (response.body.len > 0) {
                cr_assert(kp_html_parse(response.body.data, response.body.len, &html,
                                  &err) == 0);
                if (html.data != NULL && kp_json_parse("page", html.data,
                                                 strlen(html.data), &data, &err) == 0)
                        (void)snprintf(
                                ret_error, 64, "%s", kp_json_str(data, "error", ""));
        }
        return response.status;
}

static const struct kp_site *
site_of(const char *role)
{
        for (size_t i = 0; i < world->n_sites; i++)
                if (strcmp(world->names[i].role, role) == 0)
                        return &world->sites[i];
        cr_assert_fail("no site '%s'", role);
        return NULL;
}

Test(sites, whatever_comes_is_answered)
{
        static const char *const paths[] = { "/", "/login", "/login/username",
                "/login/password", "/login/code", "/login/passkey", "/login/eip",
                "/acs", "/sso", "/slo", "/enrol", "/enrol/confirm", "/account",
                "/launch", "/logout", "/forward", "/federated/acs", "/recover",
                "/recover/mail", "/recover/code", "/nowhere",
                "/login?tenant=99999999999", "/login?at=%00%ff", "/?tenant=-3" };
        static const char *const bodies[] = { "", "a=b", "%", "login=%zz",
                "login=\xff\xfe", "SAMLResponse=AAAA&RelayState=x",
                "SAMLRequest=%3Cxml", "SAMLResponse=%00", "credential=%7B%7D&flow=x",
                "credential=%5B&flow=", "code=&kind=desk", "login=nobody&password=x",
                "RelayState=&SAMLResponse=PHg%2BPC94Pg%3D%3D" };
        char error[64];

        for (size_t s = 0; s < world->n_sites; s++)
                for (size_t p = 0; p < KP_NELEMS(paths); p++) {
                        int status = asked(
                                &world->sites[s], "GET", paths[p], NULL, "", error);

                        cr_expect(status >= 200 && status < 500, "%s: %d", paths[p],
                                status);
                        for (size_t b = 0; b < KP_NELEMS(bodies); b++) {
                                status = asked(&world->sites[s], "POST", paths[p],
                                        "sid=x; state=x; idpsession=y; hubsession=z",
                                        bodies[b], error);
                                cr_expect(status >= 200 && status < 500, "%s %s: %d",
                                        paths[p], bodies[b], status);
                        }
                }
}

Test(sites, doors_say_why_they_stay_closed)
{
        static const struct {
                const char *role, *method, *path, *body, *error;
        } cases[] = {
                { "service", "POST", "/acs", "SAMLResponse=AAAA&RelayState=x",
                        "state-lost" },
                { "service", "POST", "/login/passkey", "flow=x&credential=%7B%7D",
                        "challenge-unknown" },
                { "service", "POST", "/login/password", "login=nobody&password=x",
                        "password-wrong" },
                { "service", "POST", "/login/code", "code=123456", "code-wrong" },
                { "service", "POST", "/recover/code", "kind=desk&code=1",
                        "code-wrong" },
                { "provider", "POST", "/sso", "SAMLRequest=AAAA", "service-unknown" },
                { "provider", "POST", "/login/password?at=none", "login=x&password=y",
                        "login-page-unknown" },
                { "provider", "POST", "/federated/acs", "SAMLResponse=AAAA",
                        "login-page-unknown" },
                { "provider2", "GET", "/login/passkey", "", "no-such-door" },
                { "hub", "POST", "/acs", "SAMLResponse=AAAA&RelayState=x",
                        "state-lost" },
                { "hub", "POST", "/sso", "SAMLRequest=AAAA", "service-unknown" },
                { "hub", "GET", "/login/passkey", "", "no-such-door" },
        };
        char error[64];

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                int status = asked(site_of(cases[i].role), cases[i].method,
                        cases[i].path, NULL, cases[i].body, error);

                cr_expect_eq(
                        status, 403, "%s %s: %d", cases[i].role, cases[i].path, status);
                cr_expect_str_eq(
                        error, cases[i].error, "%s %s", cases[i].role, cases[i].path);
        }
}

Test(sites, a_password_opens_only_with_its_own_name_and_school)
{
        const struct kp_account *account = &world->service->directory.accounts[0];
        KP_CLEANUP(kp_free_str)
        char *right =
                kp_format("login=%s&password=%s", account->login, account->password);
        KP_CLEANUP(kp_free_str)
        char *wrong =
                kp_format("login=%s&password=%sx", account->login, account->password);
        char error[64];

        world->service->directory.accounts[0].eip = false;
        cr_expect_eq(asked(site_of("service"), "POST", "/login/password", NULL, wrong,
                             error),
                403);
        cr_expect_eq(asked(site_of("service"), "POST", "/login/password?tenant=2", NULL,
                             right, error),
                403, "the same name at another school");
        cr_expect_eq(asked(site_of("service"), "POST", "/login/password", NULL, right,
                             error),
                303);
}

Test(sites, a_guessed_session_is_no_session)
{
        char error[64], cookie[64];

        cr_expect_eq(asked(site_of("service"), "GET", "/", "sid=0", "", error), 302);
        (void)snprintf(
                cookie, sizeof(cookie), "sid=%s", world->service->sessions.items[0].id);
        cr_expect_eq(asked(site_of("service"), "GET", "/", cookie, "", error), 302,
                "a session that never began has an empty name");
}
