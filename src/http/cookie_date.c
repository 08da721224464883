/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cookie_internal.h"

/* What the parts of a date have given so far; -1: not found yet. */
struct date {
        int hour, minute, second, day, month, year;
};

/* Spec: RFC 6265bis §5.1.1 "delimiter" */
static bool
is_delimiter(char c)
{
        unsigned char u = (unsigned char)c;

        return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
               (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
}

/* A number of `min` to `max` digits at the start; its digits, 0 when there is none. */
static int
number(const char *text, int min, int max, int *ret)
{
        int n = 0, value = 0;

        while (n <= max && isdigit((unsigned char)text[n]))
                value = value * 10 + (text[n++] - '0');
        if (n < min || n > max)
                return 0;
        *ret = value;
        return n;
}

static bool
take_time(const char *token, struct date *date)
{
        int hour, minute, second, n, m;

        if (date->hour >= 0)
                return false;
        if ((n = number(token, 1, 2, &hour)) == 0 || token[n] != ':')
                return false;
        token += n + 1;
        if ((m = number(token, 1, 2, &minute)) == 0 || token[m] != ':')
                return false;
        token += m + 1;
        if (number(token, 1, 2, &second) == 0)
                return false;
        date->hour = hour;
        date->minute = minute;
        date->second = second;
        return true;
}

static bool
take_month(const char *token, struct date *date)
{
        static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

        if (date->month >= 0)
                return false;
        for (int i = 0; i < 12; i++)
                if (strncasecmp(token, names + 3 * i, 3) == 0) {
                        date->month = i;
                        return true;
                }
        return false;
}

/* Spec: RFC 6265bis §5.1.1 step 2: each token is the first of these still missing */
static void
take_token(const char *token, struct date *date)
{
        if (take_time(token, date))
                return;
        if (date->day < 0 && number(token, 1, 2, &date->day) > 0)
                return;
        if (take_month(token, date))
                return;
        if (date->year < 0)
                /* stays -1 when it is no year */
                (void)number(token, 2, 4, &date->year);
}

static bool
date_is_valid(const struct date *date)
{
        struct tm tm = { .tm_mday = date->day,
                .tm_mon = date->month,
                .tm_year = date->year - 1900 };

        if (date->day < 1 || date->day > 31 || date->month < 0 || date->year < 1601 ||
                date->hour < 0 || date->hour > 23 || date->minute > 59 ||
                date->second > 59)
                return false;
        /* timegm() moves 30 February into March: then there was no such date */
        (void)timegm(&tm);
        return tm.tm_mday == date->day;
}

bool
kp_cookie_date(const char *text, int64_t *ret_ms)
{
        struct date date = { -1, -1, -1, -1, -1, -1 };
        struct tm tm = { 0 };

        while (*text != '\0') {
                char token[16] = "";
                size_t n = 0;

                while (*text != '\0' && is_delimiter(*text))
                        text++;
                for (; *text != '\0' && !is_delimiter(*text); text++)
                        if (n + 1 < sizeof(token))
                                token[n++] = *text;
                if (n > 0)
                        take_token(token, &date);
        }
        if (date.year >= 70 && date.year <= 99)
                date.year += 1900;
        else if (date.year >= 0 && date.year <= 69)
                date.year += 2000;
        if (!date_is_valid(&date))
                return false;
        tm = (struct tm){ .tm_sec = date.second,
                .tm_min = date.minute,
                .tm_hour = date.hour,
                .tm_mday = date.day,
                .tm_mon = date.month,
                .tm_year = date.year - 1900 };
        *ret_ms = (int64_t)timegm(&tm) * 1000;
        return true;
}
