/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "attestation.h"

/*
 * Spec: WebAuthn L3 §8.9 "Compound Attestation Statement Format": an array of at least
 * two statements, none of them compound. What becomes of one that does not verify is the
 * relying party's policy: by default it refuses the whole.
 */

static bool
read_part(struct ceremony *c, const cbor_item_t *part)
{
        const char *name;
        size_t name_len, n;

        if (!kp_cbor_is_text(kp_cbor_at_str(part, "fmt"), &name, &name_len))
                return kp_rp_refuse(c, "fmt is missing or not a text");
        if (c->strict && kp_cbor_is_map(part, &n) && n != 2)
                return kp_rp_refuse(c, "%zu members, expected fmt and attStmt", n);
        c->format = kp_rp_attestation_format_find(name, name_len);
        c->statement = kp_cbor_at_str(part, "attStmt");
        if (c->format == NULL)
                return kp_rp_refuse(c, "there is no attestation format '%.*s'",
                        name_len > 60 ? 60 : (int)name_len, name);
        if (c->format->verify == kp_rp_attestation_compound)
                return kp_rp_refuse(c, "a compound statement cannot hold another");
        if (!kp_cbor_is_map(c->statement, &n))
                return kp_rp_refuse(c, "attStmt is missing or not a map");
        return true;
}

/* The path is kept where the part verifies, and forgotten where it does not. */
static bool
verify_part(struct ceremony *c, const cbor_item_t *part, size_t place)
{
        bool ok = read_part(c, part) && c->format->verify(c);
        char why[sizeof(c->why)];

        if (ok) {
                c->kept[c->n_kept++] = c->path;
                c->path = (struct trust_path){ 0 };
                return true;
        }
        kp_rp_path_clear(&c->path);
        memcpy(why, c->why, sizeof(why));
        return kp_rp_refuse(c, "compound: statement %zu: %.160s", place, why);
}

/* One word for all of them: the one that says least. */
static const char *
join_types(const char *so_far, const char *type)
{
        if (so_far == NULL || strcmp(so_far, type) == 0)
                return type;
        return "uncertain";
}

static bool
verify_parts(struct ceremony *c, cbor_item_t **parts, size_t n)
{
        bool any = c->expect->attestation.compound_any;
        const char *type = NULL;
        size_t n_verified = 0;

        for (size_t i = 0; i < n; i++) {
                if (verify_part(c, parts[i], i)) {
                        type = join_types(type, c->type);
                        n_verified++;
                } else if (!any)
                        return false;
        }
        c->type = type;
        return n_verified > 0;
}

bool
kp_rp_attestation_compound(struct ceremony *c)
{
        const struct attestation_format *format = c->format;
        const cbor_item_t *statement = c->statement;
        size_t n;
        bool ok;

        if (!kp_cbor_is_array(statement, &n) || n < 2)
                return kp_rp_refuse(
                        c, "compound: attStmt is no array of two statements or more");
        if (n > STATEMENTS_MAX)
                return kp_rp_refuse(
                        c, "compound: %zu statements, more than %d", n, STATEMENTS_MAX);
        ok = verify_parts(c, cbor_array_handle(statement), n);
        c->format = format;
        c->statement = statement;
        return ok;
}
