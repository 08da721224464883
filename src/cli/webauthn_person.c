/* SPDX-License-Identifier: BSD-2-Clause */
#include "webauthn_person.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#define PIN_BYTES 63 /* Spec: CTAP 2.1 §6.5.1 */
#define PIN_FILE_MAX 256

/* Spec: CTAP 2.1 §6.5.1: a PIN is UTF-8. A wrong one costs a real key a try. */
static bool
is_text(const uint8_t *bytes, size_t bytes_len)
{
        for (size_t i = 0, more = 0; i < bytes_len; i++) {
                if (bytes[i] == 0 || (more > 0) != ((bytes[i] & 0xc0) == 0x80))
                        return false;
                if (more > 0)
                        more--;
                else if (bytes[i] >= 0x80)
                        more = bytes[i] < 0xc2   ? bytes_len
                               : bytes[i] < 0xe0 ? 1
                               : bytes[i] < 0xf0 ? 2
                               : bytes[i] < 0xf5 ? 3
                                                 : bytes_len;
                if (more > bytes_len - i - 1)
                        return false;
        }
        return true;
}

int
kp_person_read_pin(struct kp_person *person, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };
        const char *path = person->pin_file;
        size_t len;

        if (path == NULL || person->has_pin)
                return 0;
        if (kp_file_read(path, PIN_FILE_MAX, &text, err) < 0)
                return -1;
        len = strcspn(kp_buf_str(&text), "\r\n");
        if (len == 0 || len > PIN_BYTES || !is_text(text.data, text.len))
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: expected a PIN of 1 to %d bytes of UTF-8 in the first "
                        "line",
                        path, PIN_BYTES);
        kp_buf_put(&person->pin, text.data, len);
        person->has_pin = true;
        return kp_buf_check(&person->pin, err);
}

/* Typed blindly. 1 with the PIN, 0 where there is no terminal or nothing was typed. */
static int
pin_from_terminal(const char *question, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_file) FILE *tty = fopen("/dev/tty", "r+e");
        struct termios shown, blind;
        char line[PIN_BYTES + 3];
        bool read = false;

        if (tty == NULL || tcgetattr(fileno(tty), &shown) < 0)
                return 0;
        setbuf(tty, NULL); /* no copy of the PIN in a buffer of stdio's */
        blind = shown;
        blind.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        fputs(question, tty);
        if (tcsetattr(fileno(tty), TCSAFLUSH, &blind) == 0)
                read = fgets(line, sizeof(line), tty) != NULL;
        (void)tcsetattr(fileno(tty), TCSAFLUSH, &shown); /* nothing else to be done */
        fputc('\n', tty);
        if (read)
                kp_buf_put(ret, line, strcspn(line, "\r\n"));
        OPENSSL_cleanse(line, sizeof(line));
        if (kp_buf_check(ret, err) < 0)
                return -1;
        return ret->len > 0;
}

/* The PIN that was written down beforehand. 1, or 0 where there is none. */
static int
pin_known(const struct kp_person *person, struct kp_buf *ret, struct kp_error *err)
{
        if (person->has_pin)
                kp_buf_put(ret, person->pin.data, person->pin.len);
        else if (!person->real)
                kp_buf_puts(ret, person->test_pin);
        if (kp_buf_check(ret, err) < 0)
                return -1;
        return ret->len > 0;
}

/*
 * A file's PIN and the test PIN are not tried again once they were wrong: the key has
 * one try less than when it asked before.
 */
static bool
was_wrong(struct kp_person *person, int retries)
{
        /* of simulated keys the number is asked only after a wrong PIN */
        bool wrong = retries >= 0 && (!person->real || retries < person->last_retries);

        person->last_retries = wrong ? -1 : retries;
        return wrong;
}

static int
ask_pin(void *self, int retries, struct kp_buf *ret, struct kp_error *err)
{
        struct kp_person *person = self;
        char question[120];

        if (kp_person_read_pin(person, err) < 0)
                return -1;
        if (person->has_pin || !person->real)
                return was_wrong(person, retries) ? 0 : pin_known(person, ret, err);
        if (retries < 0)
                (void)snprintf(question, sizeof(question), "%s",
                        kp_say(person->lang, "PIN of the security key: ",
                                "Pincode van de beveiligingssleutel: "));
        else
                (void)snprintf(question, sizeof(question),
                        kp_say(person->lang,
                                "PIN of the security key (%d tries left): ",
                                "Pincode van de beveiligingssleutel (nog %d "
                                "pogingen): "),
                        retries);
        return pin_from_terminal(question, ret, err);
}

static int
ask_new_pin(void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err)
{
        struct kp_person *person = self;
        char question[120];

        if (kp_person_read_pin(person, err) < 0)
                return -1;
        if (person->has_pin || !person->real) {
                bool before = person->asked_new;

                person->asked_new = true;
                return before ? 0 : pin_known(person, ret, err);
        }
        (void)snprintf(question, sizeof(question),
                kp_say(person->lang, "New PIN for the key, at least %d characters: ",
                        "Nieuwe pincode voor de sleutel, minstens %d tekens: "),
                (int)min_len);
        return pin_from_terminal(question, ret, err);
}

static void
tell_touch(void *self)
{
        struct kp_person *person = self;

        if (person->real)
                fputs(kp_say(person->lang, "Touch the security key when it blinks.\n",
                              "Raak de beveiligingssleutel aan zodra hij knippert.\n"),
                        stderr);
}

void
kp_person_init(struct kp_person *ret)
{
        ret->last_retries = -1;
        ret->user = (struct kp_user){
                .self = ret, .pin = ask_pin, .new_pin = ask_new_pin, .touch = tell_touch
        };
}

void
kp_person_know(struct kp_person *person, const struct kp_authenticator_profile *profile)
{
        static const char digits[] =
                "271828182845904523536028747135266249775724709369995"
                "95749669";
        const char *known = kp_authenticator_profile_test_pin(profile);
        int64_t min_len = kp_authenticator_profile_facts(profile)->min_pin_length;

        if (person->test_pin[0] != '\0')
                return;
        if (known != NULL)
                (void)snprintf(person->test_pin, sizeof(person->test_pin), "%s", known);
        else
                (void)snprintf(person->test_pin, sizeof(person->test_pin), "%.*s",
                        (int)(min_len < 6 ? 6 : min_len), digits);
}

void
kp_person_done(struct kp_person *person)
{
        kp_buf_wipe(&person->pin);
}
