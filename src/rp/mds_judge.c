/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/rp/policy.h"

#include "mds.h"

/*
 * Which entry of the metadata is about the key, and what follows.
 * Spec: FIDO MDS v3 §3.1.1, §3.2; WebAuthn L3 §7.1 steps 23, 24
 */

size_t
kp_rp_paths(const struct ceremony *c, const struct trust_path *ret[])
{
        size_t n = 0;

        if (c->path.n_chain > 0)
                ret[n++] = &c->path;
        for (size_t i = 0; i < c->n_kept; i++)
                if (c->kept[i].n_chain > 0)
                        ret[n++] = &c->kept[i];
        return n;
}

/* RFC 5280 §4.2.1.2 method 1, in lower-case hex */
static bool
key_identifier(X509 *certificate, char ret[41])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned digest_len = 0;

        if (X509_pubkey_digest(certificate, EVP_sha1(), digest, &digest_len) != 1 ||
                digest_len != 20)
                return false;
        for (size_t i = 0; i < digest_len; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return true;
}

/* Of the model whose certificates these are: the leaf's first. */
static const json_t *
find_by_key(const struct ceremony *c)
{
        const struct trust_path *paths[PATHS_MAX];
        size_t n_paths = kp_rp_paths(c, paths);
        const json_t *entry = NULL;
        char name[41];

        for (size_t i = 0; i < n_paths; i++)
                for (size_t k = 0; entry == NULL && k < paths[i]->n_chain; k++)
                        if (key_identifier(paths[i]->chain[k], name))
                                entry = kp_rp_mds_find(c->expect->metadata, name);
        return entry;
}

/* U2F keys have no AAGUID; a model that has one is found by it alone. */
static const json_t *
find_entry(const struct ceremony *c, char name[KP_RP_AAGUID_TEXT])
{
        static const uint8_t none[KP_AAGUID_LEN];

        kp_rp_aaguid_format(c->auth.aaguid, name);
        if (memcmp(c->auth.aaguid, none, sizeof(none)) == 0 ||
                strcmp(c->format->name, "fido-u2f") == 0)
                return find_by_key(c);
        return kp_rp_mds_find(c->expect->metadata, name);
}

static bool
check_current(struct ceremony *c)
{
        const struct kp_rp_mds *mds = c->expect->metadata;

        if (!kp_rp_mds_expired(mds, c->expect->now_ms))
                return true;
        return kp_rp_react(c, c->expect->policy.metadata_expired,
                c->strict ? KP_RP_REFUSE : KP_RP_WARN,
                "the metadata was to be renewed by %.20s", mds->next_update);
}

static bool
check_entry(struct ceremony *c, const json_t *entry, bool has_path)
{
        if (!kp_rp_mds_check_status(c, entry) || !kp_rp_mds_check_model(c, entry))
                return false;
        return !has_path || kp_rp_mds_take_anchors(c, entry);
}

bool
kp_rp_check_metadata(struct ceremony *c)
{
        const struct trust_path *paths[PATHS_MAX];
        bool has_path = kp_rp_paths(c, paths) > 0;
        char name[KP_RP_AAGUID_TEXT];
        const json_t *entry;

        /* without a statement nobody knows which model it is */
        if (c->expect->metadata == NULL || strcmp(c->format->name, "none") == 0)
                return true;
        if (!check_current(c))
                return false;
        if ((entry = find_entry(c, name)) != NULL)
                return check_entry(c, entry, has_path);
        if (!has_path || c->expect->n_anchors > 0 || c->expect->trust == KP_TRUST_NONE)
                return true; /* trust is judged by other anchors, or not at all */
        return kp_rp_refuse(c, "the metadata knows no model with AAGUID %s", name);
}
