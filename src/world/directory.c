/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/directory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void
kp_person_make(
        int ordinal, int tenant, bool has_mail, bool has_number, struct kp_person *ret)
{
        static const char *const names[] = { "jan.devries", "noor.bakker", "sem.visser",
                "fatima.elidrissi", "bram.smit", "lotte.mulder" };
        const char *name = names[(size_t)(ordinal - 1) % KP_NELEMS(names)];

        *ret = (struct kp_person){ .ordinal = ordinal, .tenant = tenant };
        (void)snprintf(ret->login, sizeof(ret->login), "%s", name);
        (void)snprintf(ret->upn, sizeof(ret->upn), "%s@school%d.example", name, tenant);
        (void)snprintf(
                ret->password, sizeof(ret->password), "geheim-%d-%d", tenant, ordinal);
        if (has_mail)
                (void)snprintf(ret->mail, sizeof(ret->mail), "%s@mail.school%d.example",
                        name, tenant);
        if (has_number)
                (void)snprintf(
                        ret->number, sizeof(ret->number), "%d%04d", tenant, ordinal);
}

const char *
kp_account_state_name(enum kp_account_state state)
{
        static const char *const names[] = { "active", "blocked", "deleted" };

        return names[state];
}

static void
object_id_draw(struct kp_random *random, char ret[40])
{
        uint8_t raw[16];

        kp_random_bytes(random, raw, sizeof(raw));
        raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40); /* RFC 9562 §5.4: version 4 */
        raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
        for (size_t i = 0, at = 0; i < sizeof(raw); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        ret[at++] = '-';
                at += (size_t)snprintf(ret + at, 40 - at, "%02x", raw[i]);
        }
}

int
kp_directory_add(struct kp_directory *directory, const struct kp_person *person,
        struct kp_random *random, struct kp_account **ret, struct kp_error *err)
{
        struct kp_account *account;

        if (directory->n_accounts == KP_ACCOUNTS_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d accounts in one directory",
                        KP_ACCOUNTS_MAX);
        account = &directory->accounts[directory->n_accounts++];
        *account = (struct kp_account){
                .ordinal = (int)directory->n_accounts,
                .person = person->ordinal,
                .tenant = person->tenant,
        };
        memcpy(account->role, person->role, sizeof(account->role));
        memcpy(account->login, person->login, sizeof(account->login));
        memcpy(account->password, person->password, sizeof(account->password));
        memcpy(account->upn, person->upn, sizeof(account->upn));
        memcpy(account->mail, person->mail, sizeof(account->mail));
        memcpy(account->number, person->number, sizeof(account->number));
        object_id_draw(random, account->object_id);
        *ret = account;
        return 0;
}

struct kp_account *
kp_directory_get(struct kp_directory *directory, int ordinal)
{
        if (ordinal < 1 || (size_t)ordinal > directory->n_accounts)
                return NULL;
        return &directory->accounts[ordinal - 1];
}

struct kp_account *
kp_directory_of(struct kp_directory *directory, int person, int tenant, bool second)
{
        for (size_t i = 0; i < directory->n_accounts; i++) {
                struct kp_account *account = &directory->accounts[i];

                if (account->person == person && account->tenant == tenant &&
                        account->second == second &&
                        account->state != KP_ACCOUNT_DELETED)
                        return account;
        }
        return NULL;
}

const char *
kp_account_value(const struct kp_account *account, const char *name)
{
        const struct {
                const char *name, *value;
        } values[] = {
                { "login", account->login },
                { "upn", account->upn },
                { "mail", account->mail },
                { "employee-number", account->number },
                { "object-id", account->object_id },
                { "link", account->link_subject },
        };

        for (size_t i = 0; i < KP_NELEMS(values); i++)
                if (strcmp(values[i].name, name) == 0)
                        return values[i].value;
        return "";
}

static bool
matches(const struct kp_account *account, const struct kp_account_search *search)
{
        const char *value = kp_account_value(account, search->name);

        if (account->state == KP_ACCOUNT_DELETED || value[0] == '\0')
                return false;
        if (search->tenant != 0 && account->tenant != search->tenant)
                return false;
        if (search->issuer != NULL && strcmp(account->link_issuer, search->issuer) != 0)
                return false;
        return (search->fold ? strcasecmp(value, search->value)
                             : strcmp(value, search->value)) == 0;
}

struct kp_account *
kp_directory_find(
        struct kp_directory *directory, const struct kp_account_search *search)
{
        for (size_t i = 0; i < directory->n_accounts; i++)
                if (matches(&directory->accounts[i], search))
                        return &directory->accounts[i];
        return NULL;
}
