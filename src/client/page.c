/* SPDX-License-Identifier: BSD-2-Clause */
#include "page.h"

#include <ctype.h>
#include <string.h>

#include "keypilot/core/buf.h"

/* ---- the --page file ---- */

struct file {
        const char *origin, *framing, *top_origin, *allow, *policy, *mediation,
                *ui_mode;
        bool aborted, user_activation;
        json_t *person, *well_known;
};

static const struct kp_field file_fields[] = {
        { "aborted", KP_BOOL, false, offsetof(struct file, aborted) },
        { "allow", KP_STRING, false, offsetof(struct file, allow) },
        { "framing", KP_STRING, false, offsetof(struct file, framing) },
        { "mediation", KP_STRING, false, offsetof(struct file, mediation) },
        { "origin", KP_STRING, true, offsetof(struct file, origin) },
        { "permissionsPolicy", KP_STRING, false, offsetof(struct file, policy) },
        { "person", KP_ANY, false, offsetof(struct file, person) },
        { "topOrigin", KP_STRING, false, offsetof(struct file, top_origin) },
        { "uiMode", KP_STRING, false, offsetof(struct file, ui_mode) },
        { "userActivation", KP_BOOL, false, offsetof(struct file, user_activation) },
        { "wellKnown", KP_ARRAY, false, offsetof(struct file, well_known) },
};

struct person {
        bool touches, verifies;
};

static const struct kp_field person_fields[] = {
        { "touches", KP_BOOL, false, offsetof(struct person, touches) },
        { "verifies", KP_BOOL, false, offsetof(struct person, verifies) },
};

static int
person_check(const json_t *json, struct kp_error *err)
{
        struct person person = { true, true };
        const json_t *item;
        size_t i;

        if (!json_is_array(json))
                return kp_json_read(
                        json, person_fields, KP_NELEMS(person_fields), &person, err);
        json_array_foreach (json, i, item)
                if (kp_json_read(item, person_fields, KP_NELEMS(person_fields), &person,
                            err) < 0)
                        return KP_WHILE(err, "item %zu", i + 1);
        return 0;
}

struct answer {
        const char *host;
        int64_t status;
        json_t *headers, *body;
};

static const struct kp_field answer_fields[] = {
        { "body", KP_ANY, false, offsetof(struct answer, body) },
        { "headers", KP_OBJECT, false, offsetof(struct answer, headers) },
        { "host", KP_STRING, true, offsetof(struct answer, host) },
        { "status", KP_INT, true, offsetof(struct answer, status) },
};

static int
answer_check(const json_t *json, struct kp_error *err)
{
        struct answer answer = { 0 };
        const json_t *value;
        const char *name;

        if (kp_json_read(json, answer_fields, KP_NELEMS(answer_fields), &answer, err) <
                0)
                return -1;
        if (answer.status < 100 || answer.status > 599)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'status': expected an HTTP status of 100 to 599");
        json_object_foreach (answer.headers, name, value)
                if (!json_is_string(value))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'headers': '%.40s': expected a string", name);
        return 0;
}

/* Index of a word; an absent word is the first. */
static int
word_read(const char *member, const char *word, const char *const *words,
        size_t n_words, int *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

        *ret = 0;
        for (size_t i = 0; word != NULL && i < n_words; i++) {
                kp_buf_printf(&known, "%s%s", i == 0 ? "" : ", ", words[i]);
                if (strcmp(words[i], word) == 0) {
                        *ret = (int)i;
                        return 0;
                }
        }
        if (word == NULL)
                return 0;
        return KP_FAIL(err, KP_ESCHEMA,
                "member '%s': '%.40s' is not known; known are: %s", member, word,
                kp_buf_str(&known));
}

static int
place_check(const struct kp_page *page, struct kp_error *err)
{
        if (kp_page_origin_check(page->origin, err) < 0)
                return KP_WHILE(err, "member 'origin'");
        if (page->framing == KP_FRAME_CROSS_ORIGIN && page->top_origin == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'topOrigin' is missing: expected the address of the "
                        "page "
                        "around a cross-origin-iframe");
        if (page->top_origin != NULL && kp_page_origin_check(page->top_origin, err) < 0)
                return KP_WHILE(err, "member 'topOrigin'");
        return 0;
}

int
kp_page_read(const json_t *object, struct kp_page *ret, struct kp_error *err)
{
        static const char *const framings[] = { "top", "same-origin-iframe",
                "cross-origin-iframe" };
        static const char *const mediations[] = { "optional", "conditional", "required",
                "silent" };
        static const char *const ui_modes[] = { "", "immediate" };
        struct file file = { .user_activation = true };
        int framing, mediation, ui_mode;
        const json_t *item;
        size_t i;

        if (kp_json_read(object, file_fields, KP_NELEMS(file_fields), &file, err) < 0 ||
                word_read("framing", file.framing, framings, KP_NELEMS(framings),
                        &framing, err) < 0 ||
                word_read("mediation", file.mediation, mediations,
                        KP_NELEMS(mediations), &mediation, err) < 0 ||
                word_read("uiMode", file.ui_mode, ui_modes, KP_NELEMS(ui_modes),
                        &ui_mode, err) < 0)
                return -1;
        if (file.person != NULL && person_check(file.person, err) < 0)
                return KP_WHILE(err, "member 'person'");
        json_array_foreach (file.well_known, i, item)
                if (answer_check(item, err) < 0)
                        return KP_WHILE(err, "member 'wellKnown', item %zu", i + 1);
        *ret = (struct kp_page){
                .origin = file.origin,
                .framing = (enum kp_framing)framing,
                .top_origin = file.top_origin,
                .allow = file.allow,
                .permissions_policy = file.policy,
                .user_activation = file.user_activation,
                .mediation = (enum kp_mediation)mediation,
                .immediate = ui_mode == 1,
                .aborted = file.aborted,
                .person = file.person,
                .well_known = file.well_known,
        };
        return place_check(ret, err);
}

void
kp_page_person(
        const struct kp_page *page, size_t key, bool *ret_touches, bool *ret_verifies)
{
        const json_t *person = json_is_array(page->person)
                                       ? json_array_get(page->person, key)
                                       : page->person;

        *ret_touches = kp_json_bool(person, "touches", true);
        *ret_verifies = kp_json_bool(person, "verifies", true);
}

/* ---- permissions policy ---- */

/* A piece of text that is being read from the left. */
struct text {
        const char *at, *end;
};

static void
skip_blanks(struct text *text)
{
        while (text->at < text->end && isspace((unsigned char)*text->at))
                text->at++;
}

static struct text
word_next(struct text *text)
{
        struct text word;

        skip_blanks(text);
        word.at = text->at;
        while (text->at < text->end && !isspace((unsigned char)*text->at))
                text->at++;
        word.end = text->at;
        return word;
}

static bool
text_is(struct text text, const char *word)
{
        size_t len = strlen(word);

        return (size_t)(text.end - text.at) == len && memcmp(text.at, word, len) == 0;
}

/* What stands between separators; false at the end. */
static bool
part_next(struct text *text, char separator, struct text *ret)
{
        bool quoted = false;

        if (text->at >= text->end)
                return false;
        ret->at = text->at;
        for (; text->at < text->end && (quoted || *text->at != separator); text->at++)
                quoted ^= *text->at == '"';
        ret->end = text->at;
        text->at += text->at < text->end;
        return true;
}

static struct text
whole(const char *text)
{
        return (struct text){ text, text + strlen(text) };
}

/* Does a written origin, perhaps in quotes, name `origin`? */
static bool
origin_matches(struct text written, const char *origin)
{
        KP_CLEANUP(kp_origin_done) struct kp_origin parsed = { 0 };
        struct kp_error why = { 0 };
        char copy[300];
        size_t len;

        if (written.end - written.at >= 2 && *written.at == '"') {
                written.at++;
                written.end--;
        }
        len = (size_t)(written.end - written.at);
        if (len == 0 || len >= sizeof(copy))
                return false;
        memcpy(copy, written.at, len);
        copy[len] = '\0';
        return kp_origin_parse(copy, &parsed, &why) == 0 && !parsed.opaque &&
               strcmp(parsed.text, origin) == 0;
}

/*
 * Does the iframe's allow attribute give the feature to a frame of `origin`? Without a
 * list it goes to the frame's own address.
 * Spec: Permissions Policy, "The allow attribute"
 */
static bool
attribute_allows(const char *allow, const char *feature, const char *origin,
        const char *embedder, bool otherwise)
{
        struct text text = whole(allow == NULL ? "" : allow), part;

        while (part_next(&text, ';', &part)) {
                struct text word = word_next(&part);
                bool listed = false;

                if (!text_is(word, feature))
                        continue;
                word = word_next(&part);
                if (word.at == word.end)
                        return true;
                for (; word.at < word.end; word = word_next(&part))
                        listed |= text_is(word, "*") || text_is(word, "'src'") ||
                                  (text_is(word, "'self'") &&
                                          strcmp(origin, embedder) == 0) ||
                                  origin_matches(word, origin);
                return listed;
        }
        return otherwise;
}

/* One member of the header's list: self, *, or an origin in quotes. */
static bool
header_item_allows(struct text item, const char *origin, const char *own)
{
        return text_is(item, "*") ||
               (text_is(item, "self") && strcmp(origin, own) == 0) ||
               (item.at < item.end && *item.at == '"' && origin_matches(item, origin));
}

static bool
header_list_allows(struct text list, const char *origin, const char *own)
{
        struct text item;

        skip_blanks(&list);
        if (list.at >= list.end || *list.at != '(')
                return header_item_allows(word_next(&list), origin, own);
        list.at++;
        while (list.end > list.at && *list.end != ')')
                list.end--;
        for (item = word_next(&list); item.at < item.end; item = word_next(&list))
                if (header_item_allows(item, origin, own))
                        return true;
        return false;
}

/* Brackets and quotes come in pairs; a header that cannot be parsed is no header. */
static bool
header_well_formed(struct text text)
{
        bool quoted = false;
        int depth = 0;

        for (; text.at < text.end && depth >= 0 && depth <= 1; text.at++) {
                quoted ^= *text.at == '"';
                depth += quoted ? 0 : (*text.at == '(') - (*text.at == ')');
        }
        return !quoted && depth == 0;
}

/*
 * Does the Permissions-Policy header of a page at `own` let `origin` use the feature?
 * `unsaid` where the header does not name it.
 * Spec: Permissions Policy §5.2; RFC 8941 §3.2
 */
static bool
header_allows(const char *header, const char *feature, const char *origin,
        const char *own, bool unsaid)
{
        struct text text = whole(header == NULL ? "" : header), part;
        bool allowed = unsaid;

        if (!header_well_formed(text))
                return unsaid;
        while (part_next(&text, ',', &part)) {
                struct text name;

                skip_blanks(&part);
                name.at = part.at;
                while (part.at < part.end && *part.at != '=')
                        part.at++;
                name.end = part.at;
                if (part.at < part.end && text_is(name, feature)) {
                        part.at++;
                        allowed = header_list_allows(part, origin, own);
                }
        }
        return allowed;
}

bool
kp_page_feature_allowed(const struct kp_page *page, const struct kp_origin *origin,
        const char *feature, bool use_header)
{
        KP_CLEANUP(kp_origin_done) struct kp_origin top = { 0 };
        bool cross = page->framing == KP_FRAME_CROSS_ORIGIN;
        struct kp_error why = { 0 };
        const char *own = origin->text;

        if (cross && page->top_origin != NULL &&
                kp_origin_parse(page->top_origin, &top, &why) == 0)
                own = top.text;
        /* the default list is 'self': a silent header leaves frames to `allow` */
        if (use_header && !header_allows(page->permissions_policy, feature,
                                  origin->text, own, true))
                return false;
        return page->framing == KP_FRAME_TOP ||
               attribute_allows(page->allow, feature, origin->text, own, !cross);
}
