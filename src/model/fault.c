/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/fault.h"

#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/model/fixtures.h"

#include "fixture_id.h"

/* A fault file as it stands. */
struct file {
        struct kp_fault fault;
        json_t *note;
};

#define AT(member) offsetof(struct file, member)

static const struct kp_field file_fields[] = {
        { "id", KP_STRING, true, AT(fault.id) },
        { "title", KP_TEXT, true, AT(fault.title) },
        { "note", KP_STRINGS, false, AT(note) },
        { "point", KP_STRING, true, AT(fault.point) },
        { "command", KP_STRING, false, AT(fault.command) },
        { "nth", KP_INT, false, AT(fault.nth) },
        { "times", KP_INT, false, AT(fault.times) },
        { "value", KP_INT, false, AT(fault.value) },
};

/* The same inside another file, where it needs no name. */
static const struct kp_field inline_fields[] = {
        { "id", KP_STRING, false, AT(fault.id) },
        { "title", KP_TEXT, false, AT(fault.title) },
        { "note", KP_STRINGS, false, AT(note) },
        { "point", KP_STRING, true, AT(fault.point) },
        { "command", KP_STRING, false, AT(fault.command) },
        { "nth", KP_INT, false, AT(fault.nth) },
        { "times", KP_INT, false, AT(fault.times) },
        { "value", KP_INT, false, AT(fault.value) },
};

static int
check(const struct kp_fault *fault, struct kp_error *err)
{
        if (*fault->point == '\0')
                return KP_FAIL(err, KP_ESCHEMA, "member 'point': is empty");
        if (fault->command != NULL && *fault->command == '\0')
                return KP_FAIL(err, KP_ESCHEMA, "member 'command': is empty");
        if (fault->nth < 1)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'nth': expected 1 for the first time, or more");
        if (fault->times < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'times': expected how often it happens, 0 for ever");
        if (fault->value < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'value': expected 0 or a number above");
        return 0;
}

int
kp_fault_load(const char *path, struct kp_fault *ret, struct kp_error *err)
{
        struct file file = { .fault = { .nth = 1, .times = 1 } };
        json_auto_t *json = NULL;

        if (kp_json_load(path, KP_JSON_MAX, &json, err) < 0)
                return -1;
        if (kp_json_read(json, file_fields, KP_NELEMS(file_fields), &file, err) < 0 ||
                kp_fixture_id_check(json, path, err) < 0 || check(&file.fault, err) < 0)
                return KP_WHILE(err, "%s", path);
        *ret = file.fault;
        ret->json = KP_STEAL(json);
        return 0;
}

static int
fault_named(const char *name, const char *fixtures_dir, struct kp_fault *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (kp_fixtures_open(fixtures_dir, &fixtures, err) < 0 ||
                kp_fixtures_path(fixtures, "faults", name, &path, err) < 0)
                return -1;
        return kp_fault_load(path, ret, err);
}

int
kp_fault_read(const json_t *value, const char *fixtures_dir, struct kp_fault *ret,
        struct kp_error *err)
{
        struct file file = { .fault = { .nth = 1, .times = 1 } };

        if (json_is_string(value))
                return fault_named(json_string_value(value), fixtures_dir, ret, err);
        if (!json_is_object(value))
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected the name of a fault, or an object with 'point'");
        if (kp_json_read(value, inline_fields, KP_NELEMS(inline_fields), &file, err) <
                        0 ||
                check(&file.fault, err) < 0)
                return -1;
        if (file.fault.id == NULL)
                file.fault.id = file.fault.point;
        file.fault.json = json_incref((json_t *)value);
        *ret = file.fault;
        return 0;
}

void
kp_fault_done(struct kp_fault *fault)
{
        json_decref(fault->json);
        *fault = (struct kp_fault){ 0 };
}
