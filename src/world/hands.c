/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "world_internal.h"

/*
 * A person's eyes and hands: what is on the screen, pressing, typing, touching the key.
 */

const char *
view_page(const struct kp_world *world)
{
        return kp_json_str(world->agent.ops->view(world->agent.self)->data, "page", "");
}

const char *
view_site(const struct kp_world *world)
{
        return kp_json_str(world->agent.ops->view(world->agent.self)->data, "site", "");
}

bool
view_has_form(const struct kp_world *world, const char *id)
{
        const struct kp_view *view = world->agent.ops->view(world->agent.self);

        for (size_t i = 0; view->html != NULL && i < view->html->n_forms; i++)
                if (strcmp(view->html->forms[i].id, id) == 0)
                        return true;
        return false;
}

bool
view_has_link(const struct kp_world *world, const char *id)
{
        const struct kp_view *view = world->agent.ops->view(world->agent.self);

        for (size_t i = 0; view->html != NULL && i < view->html->n_links; i++)
                if (strcmp(view->html->links[i].id, id) == 0)
                        return true;
        return false;
}

void
person_prompted(struct kp_world *world, const char *kind)
{
        world->prompts++;
        if (world->visiting)
                world->attempts[world->n_attempts - 1].prompts++;
        kp_trace_add(world->env.trace, "person", "prompt", "{s:s, s:s}", "at",
                view_site(world), "kind", kind);
}

int
person_follow(struct kp_world *world, const char *link, struct kp_error *err)
{
        kp_clock_advance(world->env.clock, WORLD_TYPING_MS / 2);
        if (strncmp(link, "door-", 5) == 0) {
                person_prompted(world, "door");
                kp_trace_add(world->env.trace, "person", "door.chosen", "{s:s, s:s}",
                        "at", view_site(world), "door", link + 5);
        }
        return world->agent.ops->follow(world->agent.self, link, err);
}

int
person_submit(struct kp_world *world, const char *form, struct kp_error *err, ...)
{
        KP_CLEANUP(kp_pairs_done) struct kp_pairs values = { 0 };
        const char *name;
        va_list pairs;
        int result = 0;

        kp_clock_advance(world->env.clock, WORLD_TYPING_MS);
        va_start(pairs, err);
        while (result == 0 && (name = va_arg(pairs, const char *)) != NULL)
                result = kp_pairs_add(&values, name, va_arg(pairs, const char *), err);
        va_end(pairs);
        if (result < 0)
                return -1;
        return world->agent.ops->submit(world->agent.self, form, &values, err);
}

const struct kp_person *
person_as(const struct kp_world *world, int tenant)
{
        return &world->people[world->person - 1].as[tenant - 1];
}

int
person_ceremony(struct kp_world *world, int64_t pause_ms, const char **ret_why,
        struct kp_error *err)
{
        struct kp_exception exception = { 0 };

        *ret_why = NULL;
        if (world_key_need(world, err) < 0)
                return -1;
        kp_clock_advance(world->env.clock, pause_ms + WORLD_TOUCH_MS);
        if (pause_ms > 0)
                kp_trace_add(world->env.trace, "person", "time", "{s:s, s:I}", "why",
                        "slow-gesture", "passed_s", (json_int_t)(pause_ms / 1000));
        person_prompted(world, "touch");
        if (world->agent.ops->ceremony(world->agent.self, &exception, err) < 0)
                return -1;
        if (exception.name[0] == '\0')
                return 0;
        *ret_why = exception.reason != NULL ? exception.reason : "not-allowed";
        return 0;
}
