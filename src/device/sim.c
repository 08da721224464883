/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/sim.h"

#include <stdlib.h>

#include "keypilot/authenticator/fault.h"

/* A key that always has something to do, but says nothing, is given up here. */
#define MAX_EVENTS 100000

struct sim {
        struct kp_authenticator *authenticator;
        struct kp_clock *clock;
        int64_t ahead_ms; /* of the system clock; 0 with a simulated one */
};

static int64_t
now_ms(const struct sim *sim)
{
        return kp_clock_ms(sim->clock) + sim->ahead_ms;
}

static void
jump_to(struct sim *sim, int64_t ms)
{
        int64_t by = ms - now_ms(sim);

        if (by <= 0)
                return;
        if (sim->clock->system)
                sim->ahead_ms += by;
        else
                kp_clock_advance(sim->clock, by);
}

/* What an operating system says of a device that is no longer there. */
static int
pulled(struct kp_error *err)
{
        return KP_FAIL(err, KP_EIO, "simulated key: it was pulled out");
}

static int
sim_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct sim *sim = self;

        if (kp_authenticator_is_unplugged(sim->authenticator))
                return pulled(err);
        kp_authenticator_feed(sim->authenticator, report, now_ms(sim));
        return 0;
}

static int
sim_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct sim *sim = self;
        int64_t deadline = now_ms(sim) + timeout_ms;
        int64_t event;

        for (size_t i = 0; i < MAX_EVENTS; i++) {
                if (kp_authenticator_next_report(sim->authenticator, report))
                        return 1;
                if (kp_authenticator_is_unplugged(sim->authenticator))
                        return pulled(err);
                event = kp_authenticator_next_event_ms(sim->authenticator);
                if (event < 0 || (timeout_ms >= 0 && event > deadline))
                        break;
                jump_to(sim, event);
                kp_authenticator_tick(sim->authenticator, now_ms(sim));
        }
        if (timeout_ms > 0) {
                jump_to(sim, deadline);
                kp_authenticator_tick(sim->authenticator, now_ms(sim));
        }
        return 0;
}

static void
sim_close(void *self)
{
        free(self);
}

static const struct kp_seam_ops sim_ops = { sim_write, sim_read, sim_close };

int
kp_sim_open(struct kp_authenticator *authenticator, struct kp_clock *clock,
        struct kp_seam *ret, struct kp_error *err)
{
        struct sim *sim = calloc(1, sizeof(*sim));

        if (sim == NULL)
                return KP_FAIL(err, KP_ENOMEM, "simulated key");
        sim->authenticator = authenticator;
        sim->clock = clock;
        *ret = (struct kp_seam){ &sim_ops, sim };
        return 0;
}
