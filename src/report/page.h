/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_PAGE_H
#define KEYPILOT_REPORT_PAGE_H

#include <stdio.h>

#include "keypilot/model/outcome.h"

#include "texts.h"

/*
 * Writing pages: a file that appears whole or not at all, escaping for each place a
 * text can stand in, and texts in one language or both. Errors of the file are kept
 * until the end.
 */
enum page_lang { PAGE_EN, PAGE_NL, PAGE_BOTH };

struct page {
        FILE *out;
        enum page_lang lang;
        char **arena; /* texts that were made for this page */
        size_t n_arena;
        bool failed;
};

void page_init(struct page *page, FILE *out, enum page_lang lang);
/*
 * End the page, not the file.
 *
 * Errors   KP_ENOMEM, KP_EIO: what went wrong on the way
 */
int page_done(struct page *page, struct kp_error *err) KP_MUST_CHECK;

/* A file that is written beside its name and takes it at the end. */
struct page_file {
        FILE *out;
        char *path, *temporary;
};
int page_file_open(const char *dir, const char *name, struct page_file *ret,
        struct kp_error *err) KP_MUST_CHECK;
int page_file_keep(struct page_file *file, struct kp_error *err) KP_MUST_CHECK;
/* What was not kept goes; for KP_CLEANUP. */
void page_file_drop(struct page_file *file);

/* ---- texts: made once, used in the page's language or both ---- */
struct kp_text say1(struct page *page, enum say id, struct kp_text a);
struct kp_text say2(struct page *page, enum say id, struct kp_text a, struct kp_text b);
struct kp_text say3(struct page *page, enum say id, struct kp_text a, struct kp_text b,
        struct kp_text c);
struct kp_text number(struct page *page, uint64_t n); /* "4,318", "4.318" */
struct kp_text plain(const char *text);               /* the same in both */
struct kp_text plain_part(struct page *page, const char *text, size_t text_len);
struct kp_text text_join(struct page *page, const struct kp_text *texts, size_t n_texts,
        const char *between);
struct kp_text cells(struct page *page, uint64_t n); /* "12 combinations" */

/* ---- HTML ---- */
void page_raw(struct page *page, const char *html);
void page_rawf(struct page *page, const char *format, ...) KP_PRINTF(2, 3);
void page_text(struct page *page, const char *text); /* escaped */
/* In one language: escaped. In both: a <span lang> each, unless they are the same. */
void page_put(struct page *page, struct kp_text text);
void page_say(struct page *page, enum say id);
void page_icon(struct page *page, enum kp_verdict verdict, const char *size);
/* Everything before <body>'s first child and after its last; see page_style.c */
int page_begin(struct page *page, enum say title, const char *style, const char *script,
        struct kp_error *err) KP_MUST_CHECK;
void page_end(struct page *page, const char *script);

/* ---- the rest ---- */
/* Characters that no text file should hold are dropped: controls, soft hyphens. */
void page_plain(struct page *page, struct kp_text text);
const char *page_pick(const struct page *page, struct kp_text text); /* not for both */
/* Escaped for XML 1.0; what it cannot hold becomes U+FFFD. */
void xml_text(FILE *out, const char *text);

extern const char page_symbols[];
extern const char style_common[], style_matrix[], style_verdict[], script_matrix[];

#endif
