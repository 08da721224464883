/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_DIRECTORY_H
#define KEYPILOT_WORLD_DIRECTORY_H

#include "keypilot/core/base.h"
#include "keypilot/core/error.h"
#include "keypilot/core/random.h"

/*
 * Accounts: what a service or a provider knows of people, and, beside it, the truth of
 * whose account it is, which only the judge reads.
 */

/* A human being. All of them are invented; nothing here ever enters a trace. */
struct kp_person {
        int ordinal;
        int tenant;      /* the school */
        char role[24];   /* pupil, teacher... as services know the group */
        char login[48];  /* what is typed at a login page of the service */
        char upn[96];    /* and at one of the provider */
        char mail[96];   /* "": none */
        char number[16]; /* in the school's administration; "": none */
        char password[24];
};

/* The n-th person (1, 2, ...) of a school. */
void kp_person_make(
        int ordinal, int tenant, bool has_mail, bool has_number, struct kp_person *ret);

enum kp_account_state { KP_ACCOUNT_ACTIVE, KP_ACCOUNT_BLOCKED, KP_ACCOUNT_DELETED };
const char *kp_account_state_name(enum kp_account_state state); /* "blocked" */

/* What one site keeps of somebody. Texts are "" where it has none. */
struct kp_account {
        int ordinal; /* within its directory: how traces name it */
        int person;  /* the truth: whose it is */
        int tenant;
        enum kp_account_state state;
        bool eip;    /* at a service: this account logs in through the EIP */
        bool second; /* the person's second account here */
        bool password_off;
        char role[24];
        char login[48];
        char password[24];
        char upn[96];
        char mail[96];
        char number[16];
        char object_id[40];
        uint8_t handle[64]; /* WebAuthn user.id; length 0 until a passkey is enrolled */
        size_t handle_len;
        char link_issuer[256];  /* who vouches for it; "": nobody yet */
        char link_subject[256]; /* and under which name */
};

#define KP_ACCOUNTS_MAX 16
struct kp_directory {
        struct kp_account accounts[KP_ACCOUNTS_MAX];
        size_t n_accounts;
};

/*
 * A new account for a person, with a fresh object id.
 *
 * ret      borrowed from the directory
 * Errors   KP_EBUG the directory is full
 */
int kp_directory_add(struct kp_directory *directory, const struct kp_person *person,
        struct kp_random *random, struct kp_account **ret,
        struct kp_error *err) KP_MUST_CHECK;

/* The account of that ordinal, deleted ones as well; NULL: none. Borrowed. */
struct kp_account *kp_directory_get(struct kp_directory *directory, int ordinal);

/* The first account of a person that is not deleted; `second`: his second one. */
struct kp_account *kp_directory_of(
        struct kp_directory *directory, int person, int tenant, bool second);

/*
 * The value that an account has under a name: "login", "upn", "mail",
 * "employee-number", "object-id", "link". "" where it has none; borrowed.
 */
const char *kp_account_value(const struct kp_account *account, const char *name);

/* What to look for an account by. Borrowed. */
struct kp_account_search {
        const char *name; /* as for kp_account_value() */
        const char *value;
        const char *issuer; /* must have linked the account; NULL: any */
        int tenant;         /* 0: any */
        bool fold;          /* upper and lower case are the same */
};

/* The first that fits, deleted accounts left out; NULL: none. Borrowed. */
struct kp_account *kp_directory_find(
        struct kp_directory *directory, const struct kp_account_search *search);

#endif
