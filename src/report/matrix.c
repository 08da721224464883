/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "pages.h"

#define MAX_CAUSES 12  /* above the tables; all of them stand below */
#define MAX_BOXES 6000 /* cells on the page; more than that are merged */

/* The table cells of one home, sorted into tables, rows and columns. */
struct grid {
        const struct kp_report *report;
        const struct table *boxes;
        int level;
        size_t *order; /* rows of `boxes` */
        size_t n;
};

void
put_switch(struct page *page)
{
        page_raw(page,
                "<main><input class=\"r\" type=\"radio\" name=\"lang\" id=\"nl\" "
                "checked>"
                "<input class=\"r\" type=\"radio\" name=\"lang\" id=\"en\">"
                "<div class=\"sw noprint\"><label for=\"nl\" lang=\"nl\" class=\"lb\">"
                "Nederlands</label><label for=\"en\" lang=\"en\" class=\"lb\">English"
                "</label></div>\n");
}

void
put_run(struct page *page, const struct kp_report *report)
{
        const json_t *pilot = json_object_get(report->header, "pilot");
        const char *evidence = kp_json_str(report->header, "evidence", "");
        struct kp_text word = plain(evidence);
        char hash[13];

        for (int i = 0; i < N_EVIDENCE; i++)
                if (strcmp(evidence, evidence_name((enum evidence)i)) == 0)
                        word = evidence_text((enum evidence)i);
        (void)snprintf(
                hash, sizeof(hash), "%s", kp_json_str(report->header, "fixtures", "?"));
        page_text(page, kp_json_str(report->header, "tool", "keypilot"));
        page_raw(page, ", ");
        page_put(page, say3(page, SAY_M_RUN, plain(kp_json_str(pilot, "id", "?")),
                               plain(kp_json_str(report->header, "seed", "?")), word));
        page_raw(page, ", <code>");
        page_text(page, hash);
        page_raw(page, "</code>");
}

static const enum kp_verdict shown_order[KP_N_VERDICTS] = { KP_WORKS, KP_LIMITS,
        KP_BREAKS, KP_RISK, KP_INCONCLUSIVE, KP_NOT_APPLICABLE, KP_SKIPPED };

void
put_counts(struct page *page, const struct tally *tally)
{
        page_raw(page, "<ul class=\"sum\">");
        for (int i = 0; i < KP_N_VERDICTS; i++) {
                enum kp_verdict verdict = shown_order[i];

                if (tally->n[verdict] == 0)
                        continue;
                page_raw(page, "<li>");
                page_icon(page, verdict, "");
                page_raw(page, " <b>");
                page_put(page, number(page, tally->n[verdict]));
                page_raw(page, "</b> ");
                page_put(page, verdict_text(verdict));
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul>\n");
}

/* ---- one table cell ---- */

static void
put_box(struct page *page, const struct box_row *box)
{
        enum kp_verdict worst = tally_worst(&box->tally);
        uint64_t all = tally_decided(&box->tally) + box->tally.n[KP_INCONCLUSIVE];

        /* what does not apply or was not run counts only where there is nothing else */
        if (all == 0)
                all = tally_all(&box->tally);
        page_rawf(page, "<td class=\"c v-%s\"><a href=\"#f%zu\">",
                kp_verdict_name(worst), box->worst_finding);
        page_icon(page, worst, "");
        page_raw(page, "<span><span class=\"t\">");
        page_put(page, verdict_text(worst));
        page_raw(page, "</span>");
        if (all > 1) {
                page_raw(page, "<span class=\"q\">");
                page_put(page, say2(page, SAY_OF, number(page, box->tally.n[worst]),
                                       number(page, all)));
                page_raw(page, "</span>");
        }
        page_raw(page, "</span></a></td>");
}

/* ---- sorting: home, set-up, real before simulated, key, client, column ---- */

static int
compare_sizes(size_t a, size_t b)
{
        return a < b ? -1 : a > b;
}

/* In the order of their ids: the order of first appearance is the log's. */
static int
compare_values(const struct kp_report *report, enum kp_axis axis, size_t a, size_t b)
{
        if (a == b)
                return 0;
        if (a == SIZE_MAX || b == SIZE_MAX)
                return a == SIZE_MAX ? -1 : 1;
        return strcmp(
                table_key(&report->axes[axis], a), table_key(&report->axes[axis], b));
}

static int
compare_setups(const struct kp_report *report, const struct box_row *a,
        const struct box_row *b)
{
        int c = compare_values(report, KP_AXIS_SERVICE, a->service, b->service);

        if (c == 0)
                c = compare_values(report, KP_AXIS_PROVIDER, a->provider, b->provider);
        if (c == 0)
                c = compare_values(
                        report, KP_AXIS_PROVIDER2, a->provider2, b->provider2);
        return c != 0 ? c : compare_values(report, KP_AXIS_HUB, a->hub, b->hub);
}

static int
compare_rows(const struct kp_report *report, const struct box_row *a,
        const struct box_row *b)
{
        int c = (int)b->evidence - (int)a->evidence;

        if (c == 0)
                c = compare_values(report, KP_AXIS_KEY, a->key, b->key);
        return c != 0 ? c
                      : compare_values(report, KP_AXIS_CLIENT, a->client, b->client);
}

static int
compare_boxes(const void *x, const void *y, void *context)
{
        const struct grid *grid = context;
        const struct box_row *a = table_at(grid->boxes, *(const size_t *)x);
        const struct box_row *b = table_at(grid->boxes, *(const size_t *)y);
        int c = (int)a->home - (int)b->home;

        if (c == 0)
                c = compare_setups(grid->report, a, b);
        if (c == 0)
                c = compare_rows(grid->report, a, b);
        if (c == 0)
                c = (int)a->column - (int)b->column;
        return c != 0 ? c : compare_sizes(*(const size_t *)x, *(const size_t *)y);
}

static int
grid_make(const struct kp_report *report, struct grid *ret, struct kp_error *err)
{
        int level = 0;

        while (level < N_LEVELS - 1 && report->boxes[level].n > MAX_BOXES)
                level++;
        *ret = (struct grid){ .report = report,
                .level = level,
                .boxes = &report->boxes[level],
                .n = report->boxes[level].n };
        if ((ret->order = calloc(ret->n + 1, sizeof(*ret->order))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < ret->n; i++)
                ret->order[i] = i;
        qsort_r(ret->order, ret->n, sizeof(*ret->order), compare_boxes, ret);
        return 0;
}

static void
grid_done(struct grid *grid)
{
        free(grid->order);
}

static const struct box_row *
grid_at(const struct grid *grid, size_t i)
{
        return table_at(grid->boxes, grid->order[i]);
}

/* ---- one table ---- */

struct columns {
        bool used[N_COLUMNS];
        int n;
};

static struct columns
columns_of(const struct grid *grid, size_t from, size_t to)
{
        struct columns columns = { 0 };

        for (size_t i = from; i < to; i++)
                columns.used[grid_at(grid, i)->column] = true;
        for (int i = 0; i < N_COLUMNS; i++)
                columns.n += columns.used[i];
        return columns;
}

static void
put_table_head(struct page *page, const struct columns *columns, struct kp_text caption,
        size_t id)
{
        page_rawf(page,
                "<div class=\"wrap\" tabindex=\"0\" role=\"group\" "
                "aria-labelledby=\"t%zu\"><table class=\"m n%d\"><caption "
                "class=\"vh\">",
                id, columns->n);
        page_put(page, caption);
        page_raw(page, "</caption><colgroup><col class=\"k\">");
        for (int i = 0; i < columns->n; i++)
                page_raw(page, "<col>");
        page_raw(page, "</colgroup><thead><tr><th scope=\"col\">");
        page_say(page, SAY_M_KEY_CLIENT);
        page_raw(page, "</th>");
        for (int i = 0; i < N_COLUMNS; i++) {
                if (!columns->used[i])
                        continue;
                page_raw(page, "<th scope=\"col\">");
                page_put(page, column_text((enum column)i));
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead>\n");
}

static void
put_group_head(struct page *page, const struct columns *columns, enum evidence evidence)
{
        page_rawf(page, "<tr class=\"grp\"><th colspan=\"%d\" scope=\"rowgroup\">",
                columns->n + 1);
        page_say(page, evidence == SIMULATED ? SAY_M_SIMULATED : SAY_M_REAL);
        page_raw(page, "</th></tr>\n");
}

/* The verdicts in a row, for the filter. */
static void
put_row_verdicts(struct page *page, const struct grid *grid, size_t from, size_t to)
{
        struct tally worst = { 0 };
        bool first = true;

        for (size_t i = from; i < to; i++)
                worst.n[tally_worst(&grid_at(grid, i)->tally)]++;
        for (int i = 0; i < KP_N_VERDICTS; i++)
                if (worst.n[i] > 0) {
                        page_rawf(page, "%s%s", first ? "" : " ",
                                kp_verdict_name((enum kp_verdict)i));
                        first = false;
                }
}

/* The key is named in its first row; the others keep it for readers and filter. */
static void
put_row(struct page *page, const struct grid *grid, const struct columns *columns,
        size_t from, size_t to, bool same_key)
{
        const struct kp_report *report = grid->report;
        const struct box_row *head = grid_at(grid, from);
        size_t at = from;

        page_raw(page, "<tr data-v=\"");
        put_row_verdicts(page, grid, from, to);
        page_rawf(page, "\"><th scope=\"row\"><b%s>", same_key ? " class=\"k2\"" : "");
        page_put(page, head->key == SIZE_MAX
                               ? say_text(SAY_NONE)
                               : report_value(report, KP_AXIS_KEY, head->key)->title);
        page_raw(page, "</b>");
        if (head->client != SIZE_MAX) {
                page_raw(page, " <span class=\"cl\">");
                page_put(page,
                        report_value(report, KP_AXIS_CLIENT, head->client)->title);
                page_raw(page, "</span>");
        }
        page_raw(page, "</th>");
        for (int i = 0; i < N_COLUMNS; i++) {
                if (!columns->used[i])
                        continue;
                if (at < to && (int)grid_at(grid, at)->column == i)
                        put_box(page, grid_at(grid, at++));
                else
                        page_raw(page, "<td></td>");
        }
        page_raw(page, "</tr>\n");
}

/* Where the run of boxes ends that compare equal to the one at `from`. */
static size_t
run_end(const struct grid *grid, size_t from, size_t to,
        int (*compare)(const struct kp_report *, const struct box_row *,
                const struct box_row *))
{
        size_t end = from + 1;

        while (end < to &&
                compare(grid->report, grid_at(grid, from), grid_at(grid, end)) == 0)
                end++;
        return end;
}

static void
put_table(struct page *page, const struct grid *grid, size_t from, size_t to,
        struct kp_text caption)
{
        struct columns columns = columns_of(grid, from, to);
        const struct box_row *before = NULL;

        put_table_head(page, &columns, caption, from);
        page_raw(page, "<tbody>\n");
        for (size_t end; from < to; from = end) {
                const struct box_row *box = grid_at(grid, from);
                bool same_kind = before != NULL && (before->evidence == SIMULATED) ==
                                                           (box->evidence == SIMULATED);

                end = run_end(grid, from, to, compare_rows);
                if (!same_kind)
                        put_group_head(page, &columns, box->evidence);
                put_row(page, grid, &columns, from, end,
                        same_kind && before->key == box->key);
                before = box;
        }
        page_raw(page, "</tbody></table></div>\n");
}

/* ---- the tables of one home ---- */

static bool
is_none(const struct kp_report *report, enum kp_axis axis, size_t value)
{
        return value == SIZE_MAX ||
               strcmp(table_key(&report->axes[axis], value), "none") == 0;
}

/* "Magister · Entra ID by way of Entree" */
static struct kp_text
setup_text(struct page *page, const struct grid *grid, const struct box_row *box)
{
        const struct kp_report *report = grid->report;
        struct kp_text parts[3], whole;
        size_t n = 0;

        if (grid->level > 0)
                return say_text(SAY_M_EVERYTHING);
        if (!is_none(report, KP_AXIS_SERVICE, box->service))
                parts[n++] = report_value(report, KP_AXIS_SERVICE, box->service)->title;
        if (!is_none(report, KP_AXIS_PROVIDER, box->provider))
                parts[n++] =
                        report_value(report, KP_AXIS_PROVIDER, box->provider)->title;
        if (!is_none(report, KP_AXIS_PROVIDER2, box->provider2))
                parts[n++] =
                        report_value(report, KP_AXIS_PROVIDER2, box->provider2)->title;
        whole = n == 0 ? say_text(SAY_M_EVERYTHING) : text_join(page, parts, n, " · ");
        if (is_none(report, KP_AXIS_HUB, box->hub))
                return whole;
        return say2(page, SAY_M_VIA, whole,
                report_value(report, KP_AXIS_HUB, box->hub)->title);
}

static void
put_setup(struct page *page, const struct grid *grid, size_t from, size_t to, bool open)
{
        struct kp_text title = setup_text(page, grid, grid_at(grid, from));
        struct tally tally = { 0 };

        for (size_t i = from; i < to; i++)
                tally_add(&tally, &grid_at(grid, i)->tally);
        page_rawf(page, "<details class=\"set\"%s><summary><span id=\"t%zu\">",
                open ? " open" : "", from);
        page_put(page, title);
        page_raw(page, "</span>");
        page_raw(page, " <span class=\"soft small\">");
        page_put(page, cells(page, tally_all(&tally)));
        page_raw(page, "</span></summary>\n");
        put_table(page, grid, from, to, title);
        page_raw(page, "</details>\n");
}

static int
compare_homes(const struct kp_report *report, const struct box_row *a,
        const struct box_row *b)
{
        (void)report;
        return (int)a->home - (int)b->home;
}

/* A set-up's boxes, and how many outcomes they hold. */
struct setup {
        size_t from, to;
        uint64_t n;
};

static int
compare_setup_sizes(const void *x, const void *y)
{
        const struct setup *a = x, *b = y;

        if (a->n != b->n)
                return a->n > b->n ? -1 : 1;
        return compare_sizes(a->from, b->from);
}

/* The set-up with most outcomes comes first, and open. */
static void
put_setups(struct page *page, const struct grid *grid, size_t from, size_t to)
{
        struct setup *setups = calloc(to - from, sizeof(*setups));
        size_t n = 0;

        if (setups == NULL) {
                page->failed = true;
                return;
        }
        for (size_t end; from < to; from = end) {
                end = run_end(grid, from, to, compare_setups);
                setups[n] = (struct setup){ from, end, 0 };
                for (size_t i = from; i < end; i++)
                        setups[n].n += tally_all(&grid_at(grid, i)->tally);
                n++;
        }
        qsort(setups, n, sizeof(*setups), compare_setup_sizes);
        for (size_t i = 0; i < n; i++)
                put_setup(page, grid, setups[i].from, setups[i].to, i == 0);
        free(setups);
}

static void
put_home(struct page *page, const struct grid *grid, size_t from, size_t to)
{
        enum home home = grid_at(grid, from)->home;
        struct tally tally = { 0 };

        for (size_t i = from; i < to; i++)
                tally_add(&tally, &grid_at(grid, i)->tally);
        page_rawf(page, "<section id=\"home-%s\"><h3>", home_name(home));
        page_put(page, capital(page, home_text(home)));
        page_raw(page, "</h3>\n");
        put_counts(page, &tally);
        put_setups(page, grid, from, to);
        page_raw(page, "</section>\n");
}

static void
put_matrix(struct page *page, const struct grid *grid)
{
        page_raw(page, "<section id=\"m\"><h2>");
        page_say(page, SAY_M_MATRIX);
        page_raw(page, "</h2><p class=\"soft\">");
        page_say(page, SAY_M_CELL);
        if (grid->level > 0) {
                page_raw(page, " ");
                page_say(page, grid->level == 1 ? SAY_M_MERGED : SAY_M_MERGED2);
        }
        page_raw(page, "</p>\n");
        for (size_t from = 0, end; from < grid->n; from = end) {
                end = run_end(grid, from, grid->n, compare_homes);
                put_home(page, grid, from, end);
        }
        page_raw(page, "</section>\n");
}

/* ---- above the tables ---- */

static void
put_title(struct page *page, const struct kp_report *report)
{
        struct kp_text incomplete = incomplete_text(page, report);

        page_raw(page, "<header><h1>");
        page_say(page, SAY_M_TITLE);
        page_raw(page, "</h1><p class=\"soft\">");
        put_run(page, report);
        page_raw(page, "</p>\n");
        if (*incomplete.en != '\0') {
                page_raw(page, "<p class=\"box warn\">");
                page_put(page, incomplete);
                page_raw(page, "</p>\n");
        }
        put_counts(page, &report->total);
        if (report->n_outcomes == 0) {
                page_raw(page, "<p>");
                page_say(page, SAY_M_EMPTY);
                page_raw(page, "</p>\n");
        }
        page_raw(page, "</header>\n");
}

static void
put_answer(
        struct page *page, const struct kp_report *report, const struct answer *answer)
{
        page_raw(page, "<section class=\"box\"><h2>");
        page_say(page, SAY_M_ANSWER);
        page_raw(page, "</h2><p><b>");
        page_put(page, answer_text(answer->kind));
        page_raw(page, "</b> ");
        page_put(page, answer_lead(page, answer));
        page_raw(page, "</p><ul>\n");
        for (int home = 0; home < AT_NONE; home++)
                for (int group = 0; group < N_GROUPS; group++) {
                        const struct quadrant *quadrant =
                                &answer->quadrants[home][group];

                        if (!quadrant_is_shown(
                                    answer, (enum home)home, (enum group)group))
                                continue;
                        page_raw(page, "<li>");
                        page_icon(page, state_verdict(quadrant->state), "s");
                        page_raw(page, " ");
                        page_put(
                                page, say3(page, SAY_QUADRANT,
                                              capital(page, home_text((enum home)home)),
                                              group_text((enum group)group),
                                              state_text(quadrant->state)));
                        page_raw(page, " ");
                        page_put(page, reasons_text(page, report, quadrant));
                        page_raw(page, "</li>\n");
                }
        page_raw(page, "</ul><p>");
        page_put(page, compared_text(page, answer));
        page_raw(page, "</p><p class=\"soft\">");
        page_say(page, SAY_M_VERDICT_LINK);
        page_raw(page, "</p></section>\n");
}

static void
put_behind(struct page *page, const struct kp_report *report, const struct fix *fixes,
        size_t n_fixes)
{
        size_t n_known = 0;

        for (size_t i = 0; i < n_fixes; i++)
                n_known += report_cause(report, fixes[i].cause)->root != NULL;
        page_raw(page, "<section class=\"box\" id=\"behind\"><h2>");
        if (n_fixes == 0)
                page_say(page, SAY_M_BEHIND_NONE);
        else if (n_known == 1)
                page_put(page,
                        say2(page, SAY_M_BEHIND_ONE, number(page, report->n_explained),
                                number(page, failures(report))));
        else
                page_put(page, say3(page, SAY_M_BEHIND, number(page, n_known),
                                       number(page, report->n_explained),
                                       number(page, failures(report))));
        page_raw(page, "</h2><ol>\n");
        for (size_t i = 0; i < n_fixes && i < MAX_CAUSES; i++) {
                const struct cause_row *cause = report_cause(report, fixes[i].cause);

                page_raw(page, "<li>");
                page_icon(page, fixes[i].worst, "s");
                page_raw(page, " <b>");
                page_put(page, say1(page, SAY_TIMES, number(page, fixes[i].n)));
                page_rawf(page, "</b> <a href=\"#c%zu\">", fixes[i].cause);
                page_put(page, cause->title);
                page_raw(page, "</a> <span class=\"soft small\">");
                page_put(page, say1(page, SAY_M_MOVE, owner_text(cause->owner)));
                if (cause->evidence == 1u << SIMULATED &&
                        tally_all(&report->by_evidence[SIMULATED]) <
                                report->n_outcomes) {
                        page_raw(page, ", ");
                        page_say(page, SAY_M_ONLY_SIMULATED);
                }
                page_raw(page, "</span></li>\n");
        }
        page_raw(page, "</ol>");
        if (n_fixes > MAX_CAUSES) {
                page_raw(page, "<p><a href=\"#causes\">");
                page_put(page,
                        say1(page, SAY_AND_MORE, number(page, n_fixes - MAX_CAUSES)));
                page_raw(page, "</a></p>");
        }
        page_raw(page, "</section>\n");
}

/* Hidden until the script says that it can filter. */
static void
put_filter(struct page *page)
{
        static const enum kp_verdict order[] = { KP_RISK, KP_BREAKS, KP_LIMITS,
                KP_INCONCLUSIVE, KP_WORKS, KP_SKIPPED, KP_NOT_APPLICABLE };

        page_raw(page, "<fieldset id=\"filter\" class=\"noprint\" hidden><legend>");
        page_say(page, SAY_M_FILTER);
        page_raw(page, "</legend><label for=\"q\">");
        page_say(page, SAY_M_SEARCH);
        page_raw(page, "</label><input type=\"search\" id=\"q\">");
        for (size_t i = 0; i < KP_NELEMS(order); i++) {
                page_rawf(page, "<label><input type=\"checkbox\" value=\"%s\" checked>",
                        kp_verdict_name(order[i]));
                page_icon(page, order[i], "s");
                page_raw(page, " ");
                page_put(page, verdict_text(order[i]));
                page_raw(page, "</label>");
        }
        page_raw(page, "<span><output id=\"shown\" aria-live=\"polite\"></output> ");
        page_say(page, SAY_M_ROWS);
        page_raw(page, "</span></fieldset>\n");
}

static void
put_contents(struct page *page)
{
        static const struct {
                const char *id;
                enum say say;
        } parts[] = {
                { "m", SAY_M_MATRIX },
                { "questions", SAY_M_QUESTIONS },
                { "causes", SAY_M_CAUSES },
                { "evidence", SAY_M_EVIDENCE },
                { "facts", SAY_M_FACTS },
        };

        page_raw(page, "<nav class=\"noprint\"><ul>");
        for (size_t i = 0; i < KP_NELEMS(parts); i++) {
                page_rawf(page, "<li><a href=\"#%s\">", parts[i].id);
                page_say(page, parts[i].say);
                page_raw(page, "</a></li>");
        }
        page_raw(page, "</ul></nav>\n");
}

struct lists {
        struct fix *fixes;
        size_t n_fixes;
        size_t *questions;
        size_t n_questions;
};

static void
lists_done(struct lists *lists)
{
        free(lists->fixes);
        free(lists->questions);
}

int
matrix_write(const struct kp_report *report, FILE *out, struct kp_error *err)
{
        KP_CLEANUP(grid_done) struct grid grid = { 0 };
        KP_CLEANUP(lists_done) struct lists lists = { 0 };
        struct answer answer;
        struct page page;

        answer_find(report, &answer);
        if (grid_make(report, &grid, err) < 0 ||
                fixes_find(report, NULL, &lists.fixes, &lists.n_fixes, err) < 0 ||
                questions_find(report, &lists.questions, &lists.n_questions, err) < 0)
                return -1;
        page_init(&page, out, PAGE_BOTH);
        if (page_begin(&page, SAY_M_TITLE, style_matrix, script_matrix, err) < 0)
                return -1;
        page_raw(&page, "<a class=\"skip\" href=\"#m\">");
        page_say(&page, SAY_M_SKIP);
        page_raw(&page, "</a>");
        put_switch(&page);
        page_raw(&page, "<div>");
        put_title(&page, report);
        put_answer(&page, report, &answer);
        put_behind(&page, report, lists.fixes, lists.n_fixes);
        put_contents(&page);
        put_filter(&page);
        put_matrix(&page, &grid);
        put_questions(&page, report, lists.questions, lists.n_questions);
        put_causes(&page, report, lists.fixes, lists.n_fixes);
        if (put_findings(&page, report, err) < 0)
                return -1;
        put_whys(&page, report);
        put_facts_table(&page, report);
        page_raw(&page, "</div></main>");
        page_end(&page, script_matrix);
        return page_done(&page, err);
}
