/* SPDX-License-Identifier: BSD-2-Clause */
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

void
page_init(struct page *page, FILE *out, enum page_lang lang)
{
        *page = (struct page){ .out = out, .lang = lang };
}

int
page_done(struct page *page, struct kp_error *err)
{
        bool failed = page->failed;

        for (size_t i = 0; i < page->n_arena; i++)
                free(page->arena[i]);
        free(page->arena);
        page->arena = NULL;
        page->n_arena = 0;
        if (failed)
                return KP_FAIL(err, KP_ENOMEM, "report");
        if (ferror(page->out))
                return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                        "cannot write the report: %s", strerror(errno));
        return 0;
}

int
page_file_open(
        const char *dir, const char *name, struct page_file *ret, struct kp_error *err)
{
        mode_t mask = umask(0);
        int fd;

        (void)umask(mask); /* the only way to read it is to set it */
        ret->path = kp_format("%s/%s", dir, name);
        ret->temporary = kp_format("%s/%s.tmp-XXXXXX", dir, name);
        if (ret->path == NULL || ret->temporary == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        if ((fd = mkostemp(ret->temporary, O_CLOEXEC)) < 0) {
                int saved = errno;

                free(ret->temporary); /* there is none to remove */
                ret->temporary = NULL;
                return KP_FAIL_AS(err, KP_EIO, "errno", saved, "%s: cannot write: %s",
                        ret->path, strerror(saved));
        }
        if (fchmod(fd, 0666 & ~mask) < 0 || (ret->out = fdopen(fd, "w")) == NULL) {
                (void)close(fd); /* the error below is the news */
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot write: %s",
                        ret->path, strerror(errno));
        }
        return 0;
}

int
page_file_keep(struct page_file *file, struct kp_error *err)
{
        FILE *out = KP_STEAL(file->out);
        bool failed = fflush(out) != 0 || ferror(out) != 0 || fsync(fileno(out)) != 0;

        failed = fclose(out) != 0 || failed;
        if (failed || rename(file->temporary, file->path) != 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot write: %s",
                        file->path, strerror(errno));
        free(file->temporary);
        file->temporary = NULL;
        return 0;
}

void
page_file_drop(struct page_file *file)
{
        if (file->out != NULL)
                (void)fclose(file->out); /* it is thrown away */
        if (file->temporary != NULL)
                (void)unlink(file->temporary); /* best effort */
        free(file->temporary);
        free(file->path);
        *file = (struct page_file){ 0 };
}

/* The page owns what it is given from now on; "" when there is no memory. */
static const char *
keep(struct page *page, char *text)
{
        char **grown = reallocarray(page->arena, page->n_arena + 1, sizeof(*grown));

        if (grown != NULL)
                page->arena = grown;
        if (grown == NULL || text == NULL) {
                free(text);
                page->failed = true;
                return "";
        }
        return grown[page->n_arena++] = text;
}

/* {1}, {2} and {3} replaced. */
static const char *
fill(struct page *page, const char *text, const char *const *args)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };

        for (; *text != '\0'; text++) {
                if (text[0] == '{' && text[1] >= '1' && text[1] <= '3' &&
                        text[2] == '}') {
                        kp_buf_puts(&buf, args[text[1] - '1']);
                        text += 2;
                } else {
                        kp_buf_put_u8(&buf, (uint8_t)*text);
                }
        }
        return keep(page, buf.failed ? NULL : strdup(kp_buf_str(&buf)));
}

struct kp_text
say3(struct page *page, enum say id, struct kp_text a, struct kp_text b,
        struct kp_text c)
{
        struct kp_text text = say_text(id);

        return (struct kp_text){
                .en = fill(page, text.en, (const char *const[]){ a.en, b.en, c.en }),
                .nl = fill(page, text.nl, (const char *const[]){ a.nl, b.nl, c.nl }),
        };
}

struct kp_text
say2(struct page *page, enum say id, struct kp_text a, struct kp_text b)
{
        return say3(page, id, a, b, plain(""));
}

struct kp_text
say1(struct page *page, enum say id, struct kp_text a)
{
        return say2(page, id, a, plain(""));
}

struct kp_text
plain_part(struct page *page, const char *text, size_t text_len)
{
        return plain(keep(page, strndup(text, text_len)));
}

struct kp_text
plain(const char *text)
{
        return (struct kp_text){ text, text };
}

/* Groups of three digits. */
static char *
grouped(uint64_t n, char mark)
{
        char digits[24], text[32];
        size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

        for (size_t i = 0; i < len; i++) {
                if (i > 0 && (len - i) % 3 == 0)
                        text[at++] = mark;
                text[at++] = digits[i];
        }
        text[at] = '\0';
        return strdup(text);
}

struct kp_text
number(struct page *page, uint64_t n)
{
        return (struct kp_text){ .en = keep(page, grouped(n, ',')),
                .nl = keep(page, grouped(n, '.')) };
}

struct kp_text
cells(struct page *page, uint64_t n)
{
        return n == 1 ? say_text(SAY_ONE_CELL)
                      : say1(page, SAY_N_CELLS, number(page, n));
}

struct kp_text
text_join(struct page *page, const struct kp_text *texts, size_t n_texts,
        const char *between)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf en = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf nl = { 0 };

        for (size_t i = 0; i < n_texts; i++) {
                kp_buf_printf(&en, "%s%s", i == 0 ? "" : between, texts[i].en);
                kp_buf_printf(&nl, "%s%s", i == 0 ? "" : between, texts[i].nl);
        }
        return (struct kp_text){
                .en = keep(page, en.failed ? NULL : strdup(kp_buf_str(&en))),
                .nl = keep(page, nl.failed ? NULL : strdup(kp_buf_str(&nl))),
        };
}

void
page_raw(struct page *page, const char *html)
{
        (void)fputs(html, page->out); /* page_done() asks the file */
}

void
page_rawf(struct page *page, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        (void)vfprintf(page->out, format, args); /* page_done() asks the file */
        va_end(args);
}

/* Control characters have no place in a page; browsers would not show them. */
static bool
is_control(unsigned char c)
{
        return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

void
page_text(struct page *page, const char *text)
{
        for (; *text != '\0'; text++) {
                size_t n = 0;

                while (text[n] != '\0' && strchr("&<>\"'", text[n]) == NULL &&
                        !is_control((unsigned char)text[n]))
                        n++;
                (void)fwrite(text, 1, n, page->out); /* page_done() asks the file */
                text += n;
                if (*text == '\0')
                        return;
                if (is_control((unsigned char)*text))
                        page_raw(page, "\xef\xbf\xbd");
                else
                        page_rawf(page, "&#%d;", *text);
        }
}

const char *
page_pick(const struct page *page, struct kp_text text)
{
        return page->lang == PAGE_NL ? text.nl : text.en;
}

void
page_put(struct page *page, struct kp_text text)
{
        if (page->lang != PAGE_BOTH || strcmp(text.en, text.nl) == 0) {
                page_text(page, page_pick(page, text));
                return;
        }
        page_raw(page, "<span lang=\"nl\">");
        page_text(page, text.nl);
        page_raw(page, "</span><span lang=\"en\">");
        page_text(page, text.en);
        page_raw(page, "</span>");
}

void
page_say(struct page *page, enum say id)
{
        page_put(page, say_text(id));
}

void
page_icon(struct page *page, enum kp_verdict verdict, const char *size)
{
        page_rawf(page,
                "<svg class=\"i %s\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" "
                "focusable=\"false\"><use href=\"#s-%s\"/></svg>",
                size, kp_verdict_name(verdict));
}

/* 'sha256-...' of a block, as a Content-Security-Policy names it. */
static int
csp_hash(const char *block, char ret[64], struct kp_error *err)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned char text[64];
        unsigned n;

        if (EVP_Digest(block, strlen(block), digest, &n, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_EBUG, "SHA-256");
        (void)EVP_EncodeBlock(text, digest, (int)n);
        (void)snprintf(ret, 64, "'sha256-%s'", (const char *)text);
        return 0;
}

int
page_begin(struct page *page, enum say title, const char *style, const char *script,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf css = { 0 };
        char style_hash[64], script_hash[64] = "'none'";

        kp_buf_printf(&css, "%s%s", style_common, style);
        if (kp_buf_check(&css, err) < 0 ||
                csp_hash(kp_buf_str(&css), style_hash, err) < 0 ||
                (script != NULL && csp_hash(script, script_hash, err) < 0))
                return -1;
        page_raw(page,
                "<!doctype html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"");
        page_rawf(page,
                "default-src 'none'; style-src %s; script-src %s; base-uri 'none'; "
                "form-action 'none'\">\n",
                style_hash, script_hash);
        page_raw(page, "<meta name=\"viewport\" "
                       "content=\"width=device-width,initial-scale=1\">\n"
                       "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
        page_text(page, say_text(title).nl);
        page_raw(page, " – ");
        page_text(page, say_text(title).en);
        page_rawf(page, "</title>\n<style>%s</style></head>\n<body>", kp_buf_str(&css));
        page_raw(page, page_symbols);
        return 0;
}

void
page_end(struct page *page, const char *script)
{
        if (script != NULL)
                page_rawf(page, "<script>%s</script>", script);
        page_raw(page, "</body></html>\n");
}

void
page_plain(struct page *page, struct kp_text text)
{
        for (const char *c = page_pick(page, text); *c != '\0'; c++) {
                if (c[0] == '\xc2' && c[1] == '\xad')
                        c++;
                else if (!is_control((unsigned char)*c))
                        (void)fputc(*c, page->out); /* page_done() asks the file */
        }
}

/* Length of one UTF-8 character that XML 1.0 §2.2 allows; 0 when there is none. */
static size_t
xml_char(const unsigned char *c)
{
        if (c[0] < 0x20 && c[0] != '\t' && c[0] != '\n' && c[0] != '\r')
                return 0;
        if (c[0] < 0x80)
                return c[0] == 0x7f ? 0 : 1;
        if (c[0] < 0xe0)
                return c[0] < 0xc2 || (c[1] & 0xc0) != 0x80 ? 0 : 2;
        if (c[0] < 0xf0) {
                if ((c[1] & 0xc0) != 0x80 || (c[2] & 0xc0) != 0x80)
                        return 0;
                /* U+FFFE and U+FFFF are no characters, surrogates no UTF-8 */
                return (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe) ||
                                       (c[0] == 0xed && c[1] >= 0xa0)
                               ? 0
                               : 3;
        }
        return c[0] < 0xf5 && (c[1] & 0xc0) == 0x80 && (c[2] & 0xc0) == 0x80 &&
                               (c[3] & 0xc0) == 0x80
                       ? 4
                       : 0;
}

void
xml_text(FILE *out, const char *text)
{
        while (*text != '\0') {
                size_t n = xml_char((const unsigned char *)text);

                if (n == 0)
                        (void)fputs("\xef\xbf\xbd", out); /* the caller asks the file */
                else if (n == 1 && strchr("&<>\"'\t\n\r", *text) != NULL)
                        (void)fprintf(out, "&#%d;", *text);
                else
                        (void)fwrite(text, 1, n, out);
                text += n == 0 ? 1 : n;
        }
}
