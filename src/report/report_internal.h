/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_INTERNAL_H
#define KEYPILOT_REPORT_INTERNAL_H

#include "keypilot/model/pilot_file.h"
#include "keypilot/report/report.h"

#include "table.h"

/*
 * What a report keeps of a run: counts, titles, and a few examples. Nothing here grows
 * with the number of cells, only with the number of different things that they speak
 * of.
 */

/* How much an outcome proves; a stronger kind is a higher number. DESIGN "Words" */
enum evidence { SIMULATED, LAB, LIVE };
#define N_EVIDENCE 3

/* Where the passkey lives. DESIGN "Words": passkey home */
enum home { AT_SERVICE, AT_PROVIDER, AT_BOTH, AT_HUB, AT_NONE };
#define N_HOMES 5

/* Who logs in: people whom the school's provider knows, and people whom it does not. */
enum group { WITH_EIP, WITHOUT_EIP, GROUP_UNKNOWN };
#define N_GROUPS 3

/* The steps of a login's life, in the order in which a person meets them. */
enum column {
        COLUMN_ADD,     /* add the passkey */
        COLUMN_LOG_IN,  /* log in where it lives */
        COLUMN_THROUGH, /* reach the service through the provider */
        COLUMN_AGAIN,   /* with a session that is there already */
        COLUMN_LOG_OUT,
        COLUMN_SHARED, /* on a computer that others use too */
        COLUMN_CHANGE, /* the account changes, moves or ends */
        COLUMN_LOST,   /* the key is lost */
};
#define N_COLUMNS 8

struct tally {
        uint64_t n[KP_N_VERDICTS];
};
uint64_t tally_all(const struct tally *tally);
uint64_t tally_decided(const struct tally *tally); /* works, limits, breaks, risk */
uint64_t tally_failed(const struct tally *tally);  /* limits, breaks, risk */
uint64_t tally_good(const struct tally *tally);    /* works, limits */
void tally_add(struct tally *sum, const struct tally *more);
/* The verdict that a person must see first. */
enum kp_verdict tally_worst(const struct tally *tally);
enum kp_verdict verdict_worse(enum kp_verdict a, enum kp_verdict b);

#define NO_CAUSE SIZE_MAX
#define MAX_IDS 12

/* scenarios: one row for each; key = its id */
struct scenario_row {
        struct kp_text title; /* borrowed from `root`, or the id */
        json_t *root;
        enum column column;
        /* where its steps add a passkey: set of 1 << enum home; 0: nowhere */
        unsigned homes;
        bool follows_home;  /* adds it at the home that the cell names */
        bool logs_in_there; /* and logs in there: the column depends on the home */
        struct tally tally;
};

/* causes: key = its id */
struct cause_row {
        struct kp_text title, meaning, fix;
        const char *owner; /* "" where no rule is there */
        json_t *spec;
        json_t *root;
        struct tally tally;
        unsigned evidence; /* set of 1 << enum evidence */
};

/* axes[i]: key = the value */
struct value_row {
        struct kp_text title;
        json_t *root;
        struct tally tally;
        enum group group;  /* population */
        unsigned evidence; /* keys: set of 1 << enum evidence */
};

/* A cell of the matrix page: key = home, set-up, key, client, column */
struct box_row {
        enum evidence evidence;
        enum home home;
        enum column column;
        size_t service, provider, provider2, hub; /* rows of axes; SIZE_MAX: merged */
        size_t key, client;
        struct tally tally;
        size_t worst_finding; /* the finding of its worst verdict that came first */
};
#define N_LEVELS 3 /* of boxes: apart, set-ups merged, clients merged as well */

/* What was found more than once in the same way: key = home, column, verdict, cause */
struct finding_row {
        enum home home;
        enum column column;
        enum kp_verdict verdict;
        size_t cause;
        uint64_t n;
        char *ids[MAX_IDS];
        size_t n_ids;
        char *example; /* its first outcome's trace, JSON text; NULL: kept no more */
        char *why;     /* of the first; NULL: none */
};

/* Where a finding was made: key = finding, axis, value */
struct place_row {
        size_t finding;
        enum kp_axis axis;
        size_t value;
        uint64_t n;
};

/* Outcomes of one scenario with one home: key = evidence, home, group, scenario */
struct quad_row {
        enum evidence evidence;
        enum home home;
        enum group group;
        size_t scenario;
        struct tally tally;
};

/*
 * One outcome's place and verdict, for finding conditions. The one thing here that
 * there is one of for each outcome, and therefore limited: past the limit no conditions
 * are looked for.
 */
struct sample {
        uint16_t axis[KP_N_AXES]; /* rows of the axes */
        uint16_t scenario;
        uint8_t home, verdict;
};
#define MAX_SAMPLES (1u << 18)

/* Causes by quadrant and scenario: key = evidence, home, group, scenario, cause */
struct reason_row {
        enum evidence evidence;
        enum home home;
        enum group group;
        size_t scenario, cause;
        struct tally tally;
};

/* An unknown fact of one profile: key = "role.fact", profile */
struct unknown_row {
        char *fact;
        size_t axis, value;  /* whose fact: SIZE_MAX when no axis has that name */
        uint64_t n_cells;    /* that read it */
        uint64_t n_decisive; /* whose verdict turns with it */
        uint64_t n_quad[N_HOMES][N_GROUPS]; /* the decisive ones */
};
/* What comes of each of its values, where it decides: key = unknown, value */
struct option_row {
        size_t unknown;
        char *value; /* plain where it is text, else JSON */
        struct tally tally;
};

/* A fact that outcomes rest on and nobody verified. Key: fact, value, profile. */
struct resting_row {
        char *fact, *value, *status;
        size_t axis, profile;
        uint64_t n;
};

/* Why cells were skipped or stayed undecided: key = verdict, reason */
struct why_row {
        enum kp_verdict verdict;
        char *why;
        uint64_t n;
};

/* One branch of a cell whose other branches may follow; see unknown.c */
struct branch {
        json_t *assumed;
        enum kp_verdict verdict;
};

struct kp_report {
        char *dir, *path;
        const struct kp_fixtures *fixtures; /* NULL: none */
        json_t *header;
        json_t *pilot; /* the pilot file; NULL: not found */
        bool torn;     /* the log ends in the middle of a line */
        uint64_t n_outcomes, n_cells;
        struct tally total;
        struct tally by_evidence[N_EVIDENCE];
        uint64_t n_explained; /* failures whose cause has a rule */
        struct table scenarios, causes, axes[KP_N_AXES];
        struct table boxes[N_LEVELS], findings, places, quads, reasons;
        struct table unknowns, options, resting, whys;
        struct sample *samples;
        size_t n_samples; /* MAX_SAMPLES + 1: there were more */
        char *group_key;  /* the cell whose branches are being gathered */
        struct branch *branches;
        size_t n_branches;
        enum home group_home;
        enum group group_group;
        json_t *group_axes;
};

/* One outcome, as the tables see it. Everything borrowed from its line. */
struct outcome {
        const json_t *line;
        const char *id, *scenario_id, *cause_id, *why;
        enum kp_verdict verdict;
        enum evidence evidence;
        enum home home;
        enum group group;
        enum column column;
        size_t scenario, cause;
        size_t axis[KP_N_AXES]; /* rows of the axes; SIZE_MAX: not told */
        const json_t *axes, *assumed;
        const char *trace; /* JSON text; NULL: none */
        size_t trace_len;
};

struct scenario_row *report_scenario(const struct kp_report *report, size_t i);
struct cause_row *report_cause(const struct kp_report *report, size_t i);
struct value_row *report_value(const struct kp_report *report, size_t axis, size_t i);

/* load.c: go over the log once more, for whoever writes a line for each outcome. */
typedef int outcome_fn(void *self, const struct outcome *outcome, struct kp_error *err);
int report_walk(struct kp_report *report, outcome_fn *each, void *self,
        struct kp_error *err) KP_MUST_CHECK;

/* titles.c */
/* A fixture's own id, safe to look up: what is read from a log may be anything. */
bool is_plain_id(const char *id);
int scenario_describe(struct kp_report *report, const struct outcome *outcome,
        struct scenario_row *row, struct kp_error *err) KP_MUST_CHECK;
int cause_describe(struct kp_report *report, const char *id, struct cause_row *row,
        struct kp_error *err) KP_MUST_CHECK;
int value_describe(struct kp_report *report, enum kp_axis axis, const char *value,
        struct value_row *row, struct kp_error *err) KP_MUST_CHECK;

/* tally.c, unknown.c: count one outcome */
int tally_outcome(struct kp_report *report, const struct outcome *outcome,
        struct kp_error *err) KP_MUST_CHECK;
int unknown_outcome(struct kp_report *report, const struct outcome *outcome,
        struct kp_error *err) KP_MUST_CHECK;
int unknown_flush(struct kp_report *report, struct kp_error *err) KP_MUST_CHECK;

/* Sets of rows that tables of names need. */
const char *evidence_name(enum evidence evidence);
const char *home_name(enum home home);
const char *column_name(enum column column);
bool home_parse(const char *name, enum home *ret);

#endif
