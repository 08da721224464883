/* SPDX-License-Identifier: BSD-2-Clause */
#include "cut.h"

/*
 * A served key is killed at the n-th thing that it does to the world, for every n until
 * a whole session fits before it. What its client was told must then be in the state
 * file, and nothing that is half there.
 *
 * The key runs in a process of its own under ptrace, which stops it at each system call
 * that writes, names, flushes or sends; the client is a thread here. Spec: ours
 */

/* ---- judging what is left ---- */

/* The key that comes back from the file, as after the power came back. */
struct survivor {
        struct kp_authenticator_profile *profile;
        struct kp_authenticator *key;
        struct kp_random *random;
        json_t *state;
};

static void
survivor_open(struct survivor *v, const struct session *s, const char *what)
{
        struct kp_error err = { 0 };
        char why[1024], path[256];

        *v = (struct survivor){ 0 };
        (void)snprintf(path, sizeof(path), "%s/authenticators/" PROFILE ".json",
                getenv("KEYPILOT_FIXTURES"));
        must(kp_random_new_system(&v->random, &err), &err);
        must(kp_authenticator_profile_load(path, &v->profile, &err), &err);
        must(kp_authenticator_new(v->profile, v->random, 0, &v->key, &err), &err);
        cr_assert_eq(kp_json_load(s->state, KP_JSON_MAX, &v->state, &err), 0, "%s: %s",
                what, kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_authenticator_load(v->key, v->state, &err), 0, "%s: %s", what,
                kp_error_format(&err, why, sizeof(why)));
}

static void
survivor_done(struct survivor *v)
{
        json_decref(v->state);
        kp_authenticator_free(&v->key);
        kp_authenticator_profile_free(&v->profile);
        kp_random_free(&v->random);
}

/* getAssertion for one id; the status, and on success authData and signature. */
static int
assert_with(struct survivor *v, const uint8_t *id, size_t id_len,
        struct kp_buf *ret_auth_data, struct kp_buf *ret_signature)
{
        static const uint8_t hash[32] = { 9 };
        struct kp_buf request = { 0 }, answer = { 0 };
        cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        const uint8_t *bytes;
        size_t n;
        int status;

        kp_buf_put_u8(&request, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(&request, 3);
        kp_cbor_put_int(&request, 1);
        kp_cbor_put_text(&request, RP_ID);
        kp_cbor_put_int(&request, 2);
        kp_cbor_put_bytes(&request, hash, sizeof(hash));
        kp_cbor_put_int(&request, 3);
        kp_cbor_put_array(&request, 1);
        kp_cbor_put_map(&request, 2);
        kp_cbor_put_text(&request, "id");
        kp_cbor_put_bytes(&request, id, id_len);
        kp_cbor_put_text(&request, "type");
        kp_cbor_put_text(&request, "public-key");
        kp_authenticator_message(v->key, request.data, request.len, &answer);
        status = answer.len > 0 ? answer.data[0] : -1;
        if (status == KP_CTAP_OK) {
                must(kp_cbor_parse(answer.data + 1, answer.len - 1, KP_CBOR_CTAP2, &map,
                             NULL, &err),
                        &err);
                cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(map, 2), &bytes, &n));
                kp_buf_put(ret_auth_data, bytes, n);
                kp_buf_put(ret_auth_data, hash, sizeof(hash));
                cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(map, 3), &bytes, &n));
                kp_buf_put(ret_signature, bytes, n);
                kp_free_cbor(&map);
        }
        kp_buf_done(&request);
        kp_buf_done(&answer);
        return status;
}

static void
made_is_there(struct survivor *v, const struct made *made, const char *what)
{
        struct kp_buf auth_data = { 0 }, signature = { 0 };
        int status = assert_with(v, made->id, made->id_len, &auth_data, &signature);

        cr_expect_eq(status, KP_CTAP_OK,
                "%s: a passkey that was answered for is lost: 0x%02x", what, status);
        cr_expect(kp_cose_verify(made->alg, made->key, auth_data.data, auth_data.len,
                          signature.data, signature.len),
                "%s: it signs with another key", what);
        kp_buf_done(&auth_data);
        kp_buf_done(&signature);
}

static void
made_is_gone(struct survivor *v, const struct made *made, const char *what)
{
        struct kp_buf auth_data = { 0 }, signature = { 0 };

        cr_expect_eq(assert_with(v, made->id, made->id_len, &auth_data, &signature),
                KP_CTAP2_ERR_NO_CREDENTIALS, "%s: a removed passkey is back", what);
        kp_buf_done(&auth_data);
        kp_buf_done(&signature);
}

/* Every passkey in the file works, whether its maker was told or not. */
static void
none_is_half(struct survivor *v, const char *what)
{
        json_t *list = json_object_get(v->state, "credentials"), *item;
        size_t i;

        json_array_foreach (list, i, item) {
                struct kp_buf id = { 0 }, auth_data = { 0 }, signature = { 0 };
                const char *text = kp_json_str(item, "id", "");
                struct kp_error err = { 0 };

                must(kp_b64url_decode(text, strlen(text), &id, &err), &err);
                cr_expect_eq(assert_with(v, id.data, id.len, &auth_data, &signature),
                        KP_CTAP_OK, "%s: a passkey that is half there", what);
                kp_buf_done(&id);
                kp_buf_done(&auth_data);
                kp_buf_done(&signature);
        }
}

/* What the file may hold: between the last answer and the request in flight. */
struct bounds {
        size_t min, max; /* passkeys */
        int tries;       /* at most */
        bool pin_known, pin;
};

/* An answer that was about to go out when it was killed is as good as given. */
static bool
promised(const struct session *s, const struct cut *cut, uint8_t cmd, uint8_t status)
{
        return cut->call == SYS_sendto && s->asked_cmd == cmd &&
               cut->report[4] == (0x80 | KP_CTAPHID_CBOR) && cut->report[7] == status;
}

static struct bounds
bounds_of(const struct session *s, const struct cut *cut)
{
        struct bounds b = { .tries = s->tries, .pin_known = true, .pin = s->pin_set };

        for (size_t i = 0; i < s->n_made; i++)
                b.min += !s->made[i].gone;
        b.max = b.min;
        switch (s->step) {
        case STEP_NONE:
                break;
        case STEP_SET_PIN:
                b.pin_known = promised(s, cut, KP_CTAP_CLIENT_PIN, KP_CTAP_OK) &&
                              s->asked_sub == KP_CTAP_PIN_SET;
                b.pin = true;
                break;
        case STEP_MAKE:
                b.max++;
                if (promised(s, cut, KP_CTAP_MAKE_CREDENTIAL, KP_CTAP_OK) ||
                        (cut->report[4] == (0x80 | KP_CTAPHID_MSG) &&
                                cut->report[7] == 5))
                        b.min++;
                b.tries = ALL_TRIES; /* the right PIN gives them back */
                break;
        case STEP_WRONG_PIN:
                if (promised(s, cut, KP_CTAP_CLIENT_PIN, KP_CTAP2_ERR_PIN_INVALID))
                        b.tries--;
                break;
        case STEP_REMOVE:
                b.min--;
                if (promised(s, cut, KP_CTAP_CREDENTIAL_MANAGEMENT, KP_CTAP_OK) &&
                        s->asked_sub == 6)
                        b.max--;
                b.tries = ALL_TRIES;
                break;
        case STEP_BLOB:
                break;
        case STEP_RESET:
                b.min = 0;
                if (promised(s, cut, KP_CTAP_RESET, KP_CTAP_OK))
                        b.max = 0;
                b.pin_known = false;
                b.tries = ALL_TRIES;
                break;
        }
        return b;
}

static bool
holds_blob(struct survivor *v, int number)
{
        struct kp_buf request = { 0 }, answer = { 0 }, blob = { 0 };
        cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        const uint8_t *bytes = NULL;
        size_t n = 0;
        bool holds;

        kp_buf_put_u8(&request, KP_CTAP_LARGE_BLOBS);
        kp_cbor_put_map(&request, 2);
        kp_cbor_put_int(&request, 1);
        kp_cbor_put_int(&request, 200);
        kp_cbor_put_int(&request, 3);
        kp_cbor_put_int(&request, 0);
        kp_authenticator_message(v->key, request.data, request.len, &answer);
        cr_assert_gt(answer.len, 1, "largeBlobs: 0x%02x", answer.data[0]);
        must(kp_cbor_parse(
                     answer.data + 1, answer.len - 1, KP_CBOR_CTAP2, &map, NULL, &err),
                &err);
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(map, 1), &bytes, &n));
        put_blob(&blob, number);
        holds = kp_bytes_equal(bytes, n, blob.data, blob.len);
        kp_free_cbor(&map);
        kp_buf_done(&request);
        kp_buf_done(&answer);
        kp_buf_done(&blob);
        return holds;
}

/* The large blobs of the last answer, or all of those that were asked for since. */
static void
blob_is_whole(const struct session *s, const struct cut *cut, struct survivor *v,
        const char *what)
{
        bool before = holds_blob(v, s->blob), after = before;

        if (s->step == STEP_BLOB)
                after = holds_blob(v, s->asked_blob);
        else if (s->step == STEP_RESET)
                after = holds_blob(v, 0);
        cr_expect(before || after, "%s: half of the large blobs", what);
        if (promised(s, cut, KP_CTAP_LARGE_BLOBS, KP_CTAP_OK) ||
                promised(s, cut, KP_CTAP_RESET, KP_CTAP_OK))
                cr_expect(after, "%s: large blobs that were answered for", what);
}

/* A reset that was cut off has happened, or has not. */
static void
reset_is_whole(const struct session *s, struct survivor *v, size_t n, const char *what)
{
        bool pin = !json_is_null(json_object_get(v->state, "pin"));
        size_t before = 0;

        for (size_t i = 0; i < s->n_made; i++)
                before += !s->made[i].gone;
        cr_expect((n == before && pin) || (n == 0 && !pin),
                "%s: half a reset: %zu passkeys, %s", what, n,
                pin ? "a PIN" : "no PIN");
}

/* The passkeys of one account overwrite each other: 'b' is made twice. */
static void
forget_overwritten(struct session *s)
{
        if (s->n_made >= 4)
                s->made[1].gone = true;
}

static void
judge(struct session *s, const struct cut *cut, const char *what)
{
        struct survivor v;
        struct bounds b;
        size_t n;
        int64_t tries;
        bool overwriting;

        if (!kp_file_exists(s->state)) {
                cr_expect_eq(s->n_made, 0, "%s: the file is gone", what);
                cr_expect(!s->pin_set, "%s: the file is gone", what);
                return;
        }
        forget_overwritten(s);
        overwriting = s->step == STEP_MAKE && s->n_made == 3;
        survivor_open(&v, s, what);
        b = bounds_of(s, cut);
        if (overwriting) { /* one goes as the other comes */
                b.max = 3;
                b.min = 3;
        }
        n = json_array_size(json_object_get(v.state, "credentials"));
        cr_expect(n >= b.min && n <= b.max, "%s: %zu passkeys, not %zu to %zu", what, n,
                b.min, b.max);
        tries = kp_json_int(v.state, "pin_retries", -1);
        cr_expect_leq(tries, b.tries, "%s: %d tries, and %d were left", what,
                (int)tries, b.tries);
        cr_expect_geq(tries, s->tries - 1, "%s: %d tries, too few", what, (int)tries);
        if (b.pin_known)
                cr_expect_eq(!json_is_null(json_object_get(v.state, "pin")), b.pin,
                        "%s: the PIN", what);
        for (size_t i = 0; i < s->n_made; i++) {
                bool open = (s->step == STEP_REMOVE && i == s->removing) ||
                            s->step == STEP_RESET || (overwriting && i == 1);

                if (s->made[i].gone)
                        made_is_gone(&v, &s->made[i], what);
                else if (!open)
                        made_is_there(&v, &s->made[i], what);
        }
        if (s->step == STEP_RESET && b.max > 0)
                reset_is_whole(s, &v, n, what);
        none_is_half(&v, what);
        blob_is_whole(s, cut, &v, what);
        survivor_done(&v);
}

/* A temporary file may be left behind; one is enough, and it is nobody else's. */
static void
leftovers_are_private(const struct session *s, const char *what)
{
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        must(kp_dir_list(s->dir, "", &names, &err), &err);
        for (size_t i = 0; i < names.n_names; i++) {
                char path[256];
                struct stat st;

                (void)snprintf(path, sizeof(path), "%s/%s", s->dir, names.names[i]);
                cr_assert_eq(stat(path, &st), 0);
                if (S_ISREG(st.st_mode))
                        cr_expect_eq(st.st_mode & 077, 0, "%s: %s", what, path);
        }
        cr_expect_leq(names.n_names, 3, "%s: %zu files", what, names.n_names);
        kp_names_done(&names);
}

static bool
can_trace(void)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                        _exit(1);
                raise(SIGSTOP);
                _exit(0);
        }
        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                return false;
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return true;
}

Test(serve_cut, the_memory_survives_being_cut_off_at_every_write)
{
        struct session s;
        struct cut cut = { 0 };
        unsigned at, n_calls[512] = { 0 };

        if (!can_trace())
                cr_skip_test("this machine does not let a process be traced");
        for (at = 1; at < POINTS_MAX && !cut.done; at++) {
                char what[64];

                session_cut(&s, at, &cut);
                (void)snprintf(what, sizeof(what), "cut %u (system call %ld, step %d)",
                        at, cut.call, (int)s.step);
                if (cut.done)
                        cr_expect(s.complete, "the whole session fits");
                else if (cut.call >= 0 && cut.call < 512)
                        n_calls[cut.call]++;
                judge(&s, &cut, what);
                leftovers_are_private(&s, what);
                session_done(&s);
        }
        cr_expect(cut.done, "the session has an end");
        cr_expect_gt(n_calls[SYS_fsync], 12, "only %u flushes", n_calls[SYS_fsync]);
        cr_expect_gt(n_calls[SYS_sendto], 40, "only %u reports", n_calls[SYS_sendto]);
        fprintf(stderr, "# cut off at %u places: %u writes, %u flushes, %u renames\n",
                at - 2, n_calls[SYS_write], n_calls[SYS_fsync], n_calls[SYS_rename]);
}
