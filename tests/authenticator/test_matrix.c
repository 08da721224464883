/* SPDX-License-Identifier: BSD-2-Clause */
#include <glob.h>

#include "matrix_judge.h"

/*
 * Every combination of what can be asked, on every key there is, against the oracle.
 * KEYPILOT_MATRIX names profiles to take in place of all, with commas between them;
 * KEYPILOT_MATRIX_STOP ends at the first difference.
 */

/* Millions of small allocations: stacks of two frames are enough to find one. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
        return "malloc_context_size=2:quarantine_size_mb=4";
}

/* One combination. */
static void
try(struct bench *b, struct oracle_request *r, const struct param *param, bool make)
{
        struct oracle_answer answer;
        const char *what = NULL;
        uint8_t status;
        size_t i;

        r->param = param->kind;
        r->protocol = param->protocol;
        if (make) {
                bench_make_message(b, r, param, "matrix");
                oracle_make(&b->key, r, &answer);
        } else {
                bench_get_message(b, r, param);
                oracle_get(&b->key, r, &answer);
        }
        status = bench_send(b, r->finger);
        for (i = 0; i < answer.n; i++)
                if ((what = differs(b, r, make, status, &answer.may[i])) == NULL)
                        break;
        b->n_run++;
        if (what != NULL) {
                b->n_wrong++;
                tell(b, r, make, status, &answer, what);
                cr_assert(getenv("KEYPILOT_MATRIX_STOP") == NULL, "it differs");
        } else {
                b->rule_counts[answer.may[i].rule]++;
        }
        bench_put_back(b);
}

/* ---- the axes ---- */

/* Every rk, uv, up and pinUvAuthParam. */
static void
try_options(struct bench *b, struct oracle_request *r, const struct param *params,
        size_t n_params, bool make)
{
        for (int i = 0; i < 27; i++) {
                r->rk = (enum oracle_option)(i % 3);
                r->uv = (enum oracle_option)(i / 3 % 3);
                r->up = (enum oracle_option)(i / 9);
                for (size_t k = 0; k < n_params; k++)
                        try(b, r, &params[k], make);
        }
}

static const struct {
        bool asked;
        const char *formats[3];
} format_lists[] = {
        { false, { NULL } },
        { true, { "none" } },
};

static void
ask_formats(struct oracle_request *r, size_t i)
{
        r->formats_asked = format_lists[i].asked;
        memcpy(r->formats, format_lists[i].formats, sizeof(r->formats));
}

/* Those of the parameters that one axis is crossed with. */
static size_t
some_params(const struct param *params, size_t n, bool (*takes)(const struct param *p),
        struct param *ret)
{
        size_t n_ret = 0;

        for (size_t i = 0; i < n; i++)
                if (takes(&params[i]))
                        ret[n_ret++] = params[i];
        return n_ret;
}

/* None, a wrong one, and a good one by each protocol: what gets beyond step 2. */
static bool
is_deep(const struct param *p)
{
        return p->kind == ORACLE_NO_PARAM || p->kind == ORACLE_TOKEN ||
               (p->kind == ORACLE_WRONG && p->protocol == 1 && !p->crossed);
}

/* What a finger is asked for. */
static bool
is_touched(const struct param *p)
{
        return p->kind == ORACLE_NO_PARAM || p->kind == ORACLE_TOKEN ||
               p->kind == ORACLE_EMPTY;
}

/* rk × uv × up × token × protocol × algorithm list × credProtect × format list */
static void
make_algorithms(struct bench *b, const struct param *params, size_t n_params)
{
        int first = b->key.algs[0], last = b->key.algs[b->key.n_algs - 1];
        const int lists[][4] = { { KP_COSE_ES256 }, { -65000 }, { -65000, last }, { 0 },
                { KP_COSE_EDDSA, KP_COSE_ES256 }, { first, ORACLE_ALG_MISSING } };
        static const int levels[] = { -1, 1, 2, 3, 4 };
        struct param deep[N_PARAMS];
        size_t n_deep = some_params(params, n_params, is_deep, deep);
        struct oracle_request r = { .enterprise = -1 };

        for (size_t a = 0; a < KP_NELEMS(lists); a++)
                for (size_t l = 0; l < KP_NELEMS(levels); l++)
                        for (size_t f = 0; f < KP_NELEMS(format_lists); f++) {
                                memcpy(r.algs, lists[a], sizeof(r.algs));
                                r.cred_protect_asked = levels[l] >= 0;
                                r.cred_protect = levels[l];
                                ask_formats(&r, f);
                                try_options(b, &r, deep, n_deep, true);
                        }
}

static const struct {
        size_t n;
        int entries[ORACLE_LIST];
} lists[] = {
        { 0, { 0 } },
        { 1, { ORACLE_MISS } },
        { 1, { ORACLE_FOREIGN } },
        { 1, { 0 } },
        { 1, { 1 } },
        { 1, { 2 } },
        { 1, { 3 } },
        { 1, { 5 } },
        { 2, { ORACLE_MISS, 0 } },
        { 2, { 5, 2 } },
};

#define LIST_OPEN 3
#define LIST_HIDDEN 7

/* False where the key has no such credential. */
static bool
ask_list(const struct bench *b, struct oracle_request *r, size_t i)
{
        r->list = true;
        r->n_entries = lists[i].n;
        r->credentials = b->credentials;
        r->n_credentials = b->n_credentials;
        memcpy(r->entries, lists[i].entries, sizeof(r->entries));
        for (size_t k = 0; k < r->n_entries; k++)
                if (r->entries[k] >= (int)b->n_credentials ||
                        (r->entries[k] == ORACLE_FOREIGN && b->n_credentials == 0))
                        return false;
        return true;
}

/*
 * rk × uv × up × every parameter × list; and × finger, without a list and with lists of
 * one that anybody may know of, and of one that only who is verified may know of.
 */
static void
run_lists(struct bench *b, const struct param *params, size_t n_params, bool make)
{
        struct oracle_request r = { .algs = { b->key.algs[0] },
                .enterprise = -1,
                .credentials = b->credentials,
                .n_credentials = b->n_credentials };
        struct param touched[N_PARAMS];
        size_t n_touched = some_params(params, n_params, is_touched, touched);

        try_options(b, &r, params, n_params, make);
        for (size_t i = 0; i < KP_NELEMS(lists); i++)
                if (ask_list(b, &r, i))
                        try_options(b, &r, params, n_params, make);
        for (int finger = ORACLE_REFUSES; finger <= ORACLE_WRONG_FINGER; finger++) {
                r.finger = (enum oracle_finger)finger;
                r.list = false;
                r.n_entries = 0;
                try_options(b, &r, touched, n_touched, make);
                if (ask_list(b, &r, LIST_OPEN))
                        try_options(b, &r, touched, n_touched, make);
                if (ask_list(b, &r, LIST_HIDDEN))
                        try_options(b, &r, touched, n_touched, make);
        }
}

/* rk × uv × up × every parameter where one passkey answers. */
static void
get_one(struct bench *b, const struct param *params, size_t n_params)
{
        struct oracle_request r = { .credentials = b->credentials,
                .n_credentials = b->n_credentials };

        try_options(b, &r, params, n_params, false);
}

/* rk × uv × up × every parameter × enterpriseAttestation. */
static void
make_enterprise(struct bench *b, const struct param *params, size_t n_params)
{
        struct oracle_request r = { .algs = { b->key.algs[0] } };

        for (r.enterprise = 0; r.enterprise <= 3; r.enterprise++)
                try_options(b, &r, params, n_params, true);
}

/* rk × uv × up × every parameter × what else a list or an extension can hold. */
static void
make_rest(struct bench *b, const struct param *params, size_t n_params)
{
        int first = b->key.algs[0];
        const struct oracle_request all[] = {
                { .algs = { first, ORACLE_ALG_TEXT }, .enterprise = -1 },
                { .algs = { ORACLE_ALG_OTHER_TYPE, first }, .enterprise = -1 },
                { .algs = { first },
                        .cred_protect_asked = true,
                        .cred_protect = 0,
                        .enterprise = -1 },
                { .algs = { first }, .hmac_secret_asked = true, .enterprise = -1 },
                { .algs = { first }, .formats_asked = true, .enterprise = -1 },
                { .algs = { first },
                        .formats_asked = true,
                        .formats = { "x-unknown", "tpm" },
                        .enterprise = -1 },
                { .algs = { first },
                        .formats_asked = true,
                        .formats = { "packed" },
                        .enterprise = -1 },
                { .algs = { first },
                        .formats_asked = true,
                        .formats = { "fido-u2f", "packed" },
                        .enterprise = -1 },
        };

        for (size_t i = 0; i < KP_NELEMS(all); i++) {
                struct oracle_request r = all[i];

                try_options(b, &r, params, n_params, true);
        }
}

/* ---- the keys ---- */

/* The other state of the PIN: set one, or reset the key. False: there is none. */
static bool
other_pin(struct bench *b)
{
        struct kp_authenticator *key = b->rig.key;

        if (b->key.client_pin < 0)
                return false;
        while (b->n_credentials > 0 && key->store.n > 0 && b->n_credentials-- > 0)
                kp_auth_store_remove(key, key->store.items[key->store.n - 1]);
        if (b->key.client_pin == 1) {
                b->pin = NULL;
                b->was_reset = true;
                return rig_command(&b->rig, KP_CTAP_RESET) == KP_CTAP_OK;
        }
        b->pin = BENCH_PIN;
        return rig_set_pin(&b->rig, b->key.protocols[0], NULL, BENCH_PIN) == KP_CTAP_OK;
}

struct sums {
        size_t n_keys, n_run, n_wrong;
        size_t *rule_counts;
        struct oracle_key seen[256]; /* how keys described themselves */
        char seen_words[256][ORACLE_FORMATS + 1][32];
        size_t n_seen;
};

static bool
is_same_key(const struct oracle_key *a, const struct oracle_key *b)
{
        struct oracle_key left = *a, right = *b;

        for (size_t i = 0; i < ORACLE_FORMATS; i++) {
                const char *x = a->formats[i], *y = b->formats[i];

                if ((x == NULL) != (y == NULL) || (x != NULL && strcmp(x, y) != 0))
                        return false;
                left.formats[i] = right.formats[i] = NULL;
        }
        left.format = right.format = NULL;
        left.places_left = a->places_left > 0;
        right.places_left = b->places_left > 0;
        return strcmp(a->format, b->format) == 0 &&
               memcmp(&left, &right, sizeof(left)) == 0;
}

/* Has one before it described itself like this? Remembers it. */
static bool
is_described(struct sums *sums, const struct oracle_key *key)
{
        struct oracle_key *kept = &sums->seen[sums->n_seen];

        for (size_t i = 0; i < sums->n_seen; i++)
                if (is_same_key(&sums->seen[i], key))
                        return true;
        cr_assert(sums->n_seen < KP_NELEMS(sums->seen));
        *kept = *key; /* names of formats are kept with it */
        for (size_t i = 0; i < ORACLE_FORMATS && key->formats[i] != NULL; i++)
                kept->formats[i] =
                        strcpy(sums->seen_words[sums->n_seen][i], key->formats[i]);
        sums->n_seen++;
        return false;
}

/*
 * A key that describes itself as one before it did is asked less: every parameter and
 * option with each credential, each algorithm and each enterprise level, one by one.
 */
static void
run_described(struct bench *b, const struct param *get, size_t n_get,
        const struct param *make, size_t n_make)
{
        struct oracle_request r = { .enterprise = -1,
                .credentials = b->credentials,
                .n_credentials = b->n_credentials };

        try_options(b, &r, get, n_get, false);
        for (size_t i = 0; i < KP_NELEMS(lists); i += 3)
                if (ask_list(b, &r, i))
                        try_options(b, &r, get, n_get, false);
        r.list = false;
        r.n_entries = 0;
        for (size_t i = 0; i < b->key.n_algs; i++) {
                r.algs[0] = b->key.algs[i];
                try_options(b, &r, make, n_make, true);
        }
        for (r.enterprise = 0; r.enterprise <= 1; r.enterprise++)
                try_options(b, &r, make, n_make, true);
}

static void
run_state(struct bench *b, struct sums *sums)
{
        struct param get[N_PARAMS], make[N_PARAMS];
        size_t n_get, n_make;

        bench_describe(b);
        memset(b->tokens, 0, sizeof(b->tokens));
        bench_tokens(b);
        n_get = bench_params(b, TOKEN_MC, get);
        n_make = bench_params(b, TOKEN_GA, make);
        b->n_credentials = 0;
        bench_places(b);
        bench_keep(b);
        if (is_described(sums, &b->key)) {
                bench_credentials(b, 0, N_CREDENTIALS);
                run_described(b, get, n_get, make, n_make);
                return;
        }
        run_lists(b, get, n_get, false); /* without any credential */
        bench_credentials(b, 0, N_ONE_PASSKEY);
        get_one(b, get, n_get);
        bench_credentials(b, N_ONE_PASSKEY, N_CREDENTIALS);
        run_lists(b, get, n_get, false);
        run_lists(b, make, n_make, true);
        make_algorithms(b, make, n_make);
        make_enterprise(b, make, n_make);
        make_rest(b, make, n_make);
}

static void
bench_open(struct bench *b, const char *path, size_t *rule_counts)
{
        struct kp_error err = { 0 };
        char why[1024];

        *b = (struct bench){ .rule_counts = rule_counts, .rig = { .now_ms = 1000 } };
        cr_assert_eq(kp_authenticator_profile_load_from(
                             getenv("KEYPILOT_FIXTURES"), path, &b->rig.profile, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_random_new_seeded("matrix", path, &b->rig.random, &err), 0);
        cr_assert_eq(kp_authenticator_new(b->rig.profile, b->rig.random, b->rig.now_ms,
                             &b->rig.key, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
        b->pin = kp_authenticator_profile_test_pin(b->rig.profile);
}

static void
bench_close(struct bench *b)
{
        for (size_t i = 0; i < N_CREDENTIALS; i++)
                kp_buf_done(&b->ids[i]);
        kp_buf_done(&b->message);
        kp_buf_done(&b->answer);
        rig_close(&b->rig);
}

static void
run_key(const char *path, struct sums *sums)
{
        struct bench b;
        size_t n_states = 1;

        bench_open(&b, path, sums->rule_counts);
        if (kp_words_have(&kp_authenticator_profile_facts(b.rig.profile)->versions,
                    "FIDO_2_0") ||
                kp_words_have(&kp_authenticator_profile_facts(b.rig.profile)->versions,
                        "FIDO_2_1")) {
                run_state(&b, sums);
                if (other_pin(&b)) {
                        run_state(&b, sums);
                        n_states++;
                }
                sums->n_keys++;
                (void)fprintf(stderr,
                        "# %s: %zu states, %zu combinations, %zu differ\n",
                        kp_authenticator_profile_id(b.rig.profile), n_states, b.n_run,
                        b.n_wrong);
        }
        sums->n_run += b.n_run;
        sums->n_wrong += b.n_wrong;
        bench_close(&b);
}

static bool
is_chosen(const char *path)
{
        const char *at = getenv("KEYPILOT_MATRIX"), *name = strrchr(path, '/') + 1;
        size_t len = strlen(name) - strlen(".json");

        if (at == NULL)
                return true;
        for (; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
                if (strcspn(at, ",") == len && strncmp(at, name, len) == 0)
                        return true;
        return false;
}

static void
run_folder(const char *folder, struct sums *sums)
{
        char pattern[512];
        glob_t paths;

        (void)snprintf(pattern, sizeof(pattern), "%s/*.json", folder);
        cr_assert_eq(glob(pattern, 0, NULL, &paths), 0, "%s", pattern);
        for (size_t i = 0; i < paths.gl_pathc; i++)
                if (is_chosen(paths.gl_pathv[i]))
                        run_key(paths.gl_pathv[i], sums);
        globfree(&paths);
}

/* Spec: CTAP 2.1 §6.1.2, §6.2.2; CTAP 2.0 §5.1, §5.2; the oracle's rules */
Test(matrix, every_combination_on_every_key_is_answered_as_the_oracle_says)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf idle = { 0 };
        size_t counts[128] = { 0 };
        static struct sums sums;
        char folder[512];

        sums.rule_counts = counts;
        cr_assert(oracle_n_rules <= KP_NELEMS(counts));
        (void)snprintf(folder, sizeof(folder), "%s/authenticators",
                getenv("KEYPILOT_FIXTURES"));
        run_folder(folder, &sums);
        (void)snprintf(folder, sizeof(folder), "%s/tests/authenticator/keys",
                getenv("KEYPILOT_SOURCE"));
        run_folder(folder, &sums);
        for (size_t i = 0; i < oracle_n_rules; i++) {
                (void)fprintf(stderr, "# %8zu %s: %s\n", counts[i],
                        oracle_rules[i].spec, oracle_rules[i].about);
                if (counts[i] == 0)
                        kp_buf_printf(&idle, " %s;", oracle_rules[i].spec);
        }
        (void)fprintf(stderr, "# %zu combinations on %zu keys, %zu differ\n",
                sums.n_run, sums.n_keys, sums.n_wrong);
        cr_assert(sums.n_keys > 0, "no key");
        cr_expect_eq(sums.n_wrong, 0, "%zu of %zu combinations differ", sums.n_wrong,
                sums.n_run);
        if (getenv("KEYPILOT_MATRIX") == NULL)
                cr_expect_eq(idle.len, 0, "rules that decided nothing:%s",
                        kp_buf_str(&idle));
}
