/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct kp_clock
kp_clock_simulated(void)
{
        return (struct kp_clock){ .simulated_ms = KP_CLOCK_START_MS };
}

struct kp_clock
kp_clock_system(void)
{
        return (struct kp_clock){ .system = true };
}

int64_t
kp_clock_ms(const struct kp_clock *clock)
{
        struct timespec now;

        if (!clock->system)
                return clock->simulated_ms;
        (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
kp_clock_advance(struct kp_clock *clock, int64_t ms)
{
        if (!clock->system && ms > 0)
                clock->simulated_ms += ms;
}

const char *
kp_utc_format(int64_t ms, char text[KP_UTC_LEN])
{
        time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0 ? 1 : 0));
        struct tm tm;

        text[0] = '\0';
        if (gmtime_r(&seconds, &tm) != NULL)
                (void)strftime(text, KP_UTC_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
        return text;
}

/* "Z", "+02:00" or "-02:00" as minutes to subtract; false if it is neither. */
static bool
offset_parse(const char *text, int *ret_minutes)
{
        int hours, minutes, used = 0;

        if (strcmp(text, "Z") == 0) {
                *ret_minutes = 0;
                return true;
        }
        if ((text[0] != '+' && text[0] != '-') ||
                sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
                text[1 + used] != '\0' || hours > 14 || minutes > 59)
                return false;
        *ret_minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
        return true;
}

/* ".25" as 250 milliseconds; further digits are dropped. Moves `*at` past them. */
static int
fraction_parse(const char **at)
{
        int ms = 0, scale = 100;

        for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
                ms += (**at - '0') * scale;
        return ms;
}

int
kp_utc_parse(const char *text, int64_t *ret_ms, struct kp_error *err)
{
        struct tm tm = { 0 }, again;
        int offset = 0, ms = 0;
        const char *rest;
        time_t seconds;

        if ((rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) != NULL) {
                if (*rest == '.')
                        ms = fraction_parse(&rest);
                if (!offset_parse(rest, &offset))
                        rest = NULL;
        } else if ((rest = strptime(text, "%Y-%m-%d", &tm)) != NULL && *rest != '\0') {
                rest = NULL;
        }
        if (rest == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "'%.40s' is not a time such as 2026-09-01T08:00:00Z", text);
        again = tm;
        seconds = timegm(&tm);
        if (tm.tm_mday != again.tm_mday || tm.tm_mon != again.tm_mon)
                return KP_FAIL(
                        err, KP_EPARSE, "'%.40s' is not a day of the calendar", text);
        *ret_ms = ((int64_t)seconds - offset * 60) * 1000 + ms;
        return 0;
}
