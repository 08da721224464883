/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

/*
 * What profiles of populations state: a group of people, by what they have.
 */
/* clang-format off */
const struct kp_fact_type kp_facts_population[] = {
        { "role", KP_STRING, NULL, false, "the word by which services know the group" },
        { "eip", KP_BOOL, NULL, false, "has an account at the school's provider" },
        { "service_account", KP_STRING, "eip|local", false, "how the service has this account: logs in through the EIP, or by itself" },
        { "second_account", KP_STRING, "none|eip|local", false, "a further account of the same person at the same service" },
        { "mail", KP_BOOL, NULL, false, "has an e-mail address that the service knows" },
        { "second_factor", KP_BOOL, NULL, false, "has a phone or token that can show a code" },
        { "employee_number", KP_BOOL, NULL, false, "has a number in the school's administration" },
        { NULL },
};
/* clang-format on */
