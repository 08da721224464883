/* SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/HTMLparser.h>
#include <libxml/xmlerror.h>

#include "run_folder.h"

/* What libxml2's HTML 4 parser does not know and HTML 5 has. */
static unsigned n_faults;
static char first_fault[200];

static void
take_fault(void *context, xmlError *fault)
{
        (void)context;
        if (fault->code == XML_HTML_UNKNOWN_TAG)
                return;
        if (n_faults++ == 0)
                (void)snprintf(first_fault, sizeof(first_fault), "line %d: %s",
                        fault->line, fault->message);
}

static xmlDoc *
parsed(const char *page)
{
        xmlDoc *doc;

        n_faults = 0;
        xmlSetStructuredErrorFunc(NULL, take_fault);
        doc = htmlReadMemory(
                page, (int)strlen(page), "page", "UTF-8", HTML_PARSE_NONET);
        xmlSetStructuredErrorFunc(NULL, NULL);
        cr_assert_not_null(doc);
        cr_expect_eq(n_faults, 0, "%s", first_fault);
        return doc;
}

typedef void node_fn(const xmlNode *node, void *context);

static void
each_node(const xmlNode *node, node_fn *fn, void *context)
{
        for (; node != NULL; node = node->next) {
                if (node->type == XML_ELEMENT_NODE)
                        fn(node, context);
                each_node(node->children, fn, context);
        }
}

static void
is_local(const xmlNode *node, void *context)
{
        (void)context;
        for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
                xmlChar *value = xmlNodeGetContent((const xmlNode *)attr);
                const char *name = (const char *)attr->name,
                           *text = (const char *)value;

                if (strcmp(name, "href") == 0)
                        cr_expect_eq(text[0], '#', "%s leads outside: %s",
                                (const char *)node->name, text);
                cr_expect(strcmp(name, "src") != 0 && strcmp(name, "style") != 0 &&
                                  strncmp(name, "on", 2) != 0 &&
                                  strcmp(name, "action") != 0,
                        "no page needs the attribute %s", name);
                xmlFree(value);
        }
        for (size_t i = 0; i < 6; i++) {
                static const char *const never[] = { "img", "iframe", "link", "object",
                        "embed", "base" };

                cr_expect_str_neq((const char *)node->name, never[i]);
        }
}

/* Collects ids, and later asks whether links lead to one. */
static void
take_id(const xmlNode *node, void *context)
{
        xmlChar *id = xmlGetProp(node, (const xmlChar *)"id");

        if (id == NULL)
                return;
        cr_expect_null(json_object_get(context, (const char *)id),
                "the id %s comes twice", (const char *)id);
        (void)json_object_set_new(context, (const char *)id, json_true());
        xmlFree(id);
}

static void
has_target(const xmlNode *node, void *context)
{
        static const char *const names[] = { "href", "for" };

        for (size_t i = 0; i < 2; i++) {
                xmlChar *value = xmlGetProp(node, (const xmlChar *)names[i]);
                const char *text = (const char *)value;

                if (value != NULL)
                        cr_expect_not_null(
                                json_object_get(context, text + (*text == '#')),
                                "nothing has the id that %s leads to", text);
                xmlFree(value);
        }
}

static void
has_scope(const xmlNode *node, void *context)
{
        unsigned *n = context;

        if (strcmp((const char *)node->name, "th") != 0)
                return;
        cr_expect_not_null(xmlHasProp((xmlNode *)node, (const xmlChar *)"scope"));
        ++*n;
}

static void
page_is_whole(const char *page)
{
        json_auto_t *ids = json_object();
        xmlDoc *doc = parsed(page);
        unsigned n_heads = 0;

        each_node(xmlDocGetRootElement(doc), is_local, NULL);
        each_node(xmlDocGetRootElement(doc), take_id, ids);
        each_node(xmlDocGetRootElement(doc), has_target, ids);
        each_node(xmlDocGetRootElement(doc), has_scope, &n_heads);
        cr_expect_null(strstr(page, "http://"));
        cr_expect_null(strstr(page, "https://"));
        cr_expect_null(strcasestr(page, "url("));
        cr_expect_null(strstr(page, "@import"));
        xmlFreeDoc(doc);
}

/* 'sha256-...' of what stands between two marks. */
static void
policy_allows(const char *page, const char *directive, const char *from, const char *to)
{
        const char *start = strstr(page, from), *end;
        unsigned char digest[32], base64[64];
        KP_CLEANUP(kp_free_str) char *want = NULL;

        cr_assert_not_null(start);
        start += strlen(from);
        end = strstr(start, to);
        cr_assert_not_null(end);
        cr_assert_eq(EVP_Digest(start, (size_t)(end - start), digest, NULL,
                             EVP_sha256(), NULL),
                1);
        (void)EVP_EncodeBlock(base64, digest, sizeof(digest));
        want = kp_format("%s 'sha256-%s'", directive, (const char *)base64);
        cr_expect_not_null(strstr(page, want), "the policy holds %s", want);
        cr_expect_null(strstr(end, from), "there is one such block");
}

static void
write_pages(struct run_folder *run, const struct kp_fixtures *fixtures,
        char **ret_matrix, char **ret_verdict)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = run_load(run, fixtures);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_report_write_pages(report, run->dir, &err), 0);
        *ret_matrix = page_text_of(run, "matrix.html");
        *ret_verdict = page_text_of(run, "verdict.html");
}

#define TRACE                                                                          \
        "[{\"t\":0,\"who\":\"agent\",\"event\":\"step\",\"step\":\"log-in\"},"         \
        "{\"t\":1250,\"who\":\"client\",\"event\":\"client.get\",\"error\":"           \
        "\"NotAllowedError\"}]"

static void
ordinary_run(struct run_folder *run)
{
        run_begin(run);
        run_header(run, "simulated", 4);
        run_outcome(run, (struct row){ .scenario = "log-in-with-it",
                                 .verdict = "works",
                                 .trace = TRACE });
        run_outcome(run, (struct row){ .scenario = "log-in-with-it",
                                 .verdict = "breaks",
                                 .cause = "key-has-no-pin",
                                 .key = "sim:key-without-pin",
                                 .trace = TRACE });
        run_outcome(run, (struct row){ .scenario = "leave-the-school",
                                 .verdict = "risk",
                                 .cause = "left-but-still-in",
                                 .key = "hid:1",
                                 .evidence = "lab",
                                 .fact = "service.enforces_idp",
                                 .value = "no" });
        run_outcome(run, (struct row){ .scenario = "leave-the-school",
                                 .verdict = "works",
                                 .key = "hid:1",
                                 .evidence = "lab",
                                 .fact = "service.enforces_idp",
                                 .value = "refuse" });
}

Test(pages, are_whole_and_ask_nothing_of_the_network)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        struct run_folder run;

        ordinary_run(&run);
        write_pages(&run, fixtures, &matrix, &verdict);
        page_is_whole(matrix);
        page_is_whole(verdict);
        run_end(&run);
}

Test(pages, allow_their_own_style_and_script_and_no_other)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        struct run_folder run;

        ordinary_run(&run);
        write_pages(&run, fixtures, &matrix, &verdict);
        policy_allows(matrix, "style-src", "<style>", "</style>");
        policy_allows(matrix, "script-src", "<script>", "</script>");
        policy_allows(verdict, "style-src", "<style>", "</style>");
        cr_expect_not_null(strstr(verdict, "default-src 'none';"));
        cr_expect_not_null(strstr(verdict, "script-src 'none'"));
        cr_expect_null(strstr(verdict, "<script"));
        run_end(&run);
}

Test(pages, say_everything_in_both_languages_and_tell_real_from_simulated)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        static const char *const in_matrix[] = { "Welke combinaties werken?",
                "Which combinations work?", "De sleutel heeft nog geen pincode",
                "Set a PIN when the key is handed out.", "Echte sleutels",
                "Simulated keys", "asks the key to log in",
                "vraagt de sleutel om in te loggen", "error=NotAllowedError", "1.2 s",
                "Wat gebeurt er als iemand met een EIP-account" };
        struct run_folder run;

        ordinary_run(&run);
        write_pages(&run, fixtures, &matrix, &verdict);
        for (size_t i = 0; i < KP_NELEMS(in_matrix); i++)
                cr_expect_not_null(strstr(matrix, in_matrix[i]), "%s", in_matrix[i]);
        cr_expect_not_null(strstr(verdict, "<article lang=\"nl\">"));
        cr_expect_not_null(strstr(verdict, "<article lang=\"en\">"));
        run_end(&run);
}

/* Script, quotes, controls, a line separator, and what ends a comment or a block. */
static const char hostile[] =
        "</style></script><script>alert(1)</script>\"'><img src=x "
        "onerror=alert(1)>\x01\x1f\x7f\xe2\x80\xa8-->{1}%s&lt;";

static void
is_no_script_but_ours(const xmlNode *node, void *context)
{
        unsigned *n = context;

        *n += strcmp((const char *)node->name, "script") == 0;
}

Test(pages, show_hostile_text_as_text_wherever_it_stands)
{
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        json_auto_t *event = json_pack("[{s:i, s:s, s:s, s:s, s:[s]}]", "t", 1, "who",
                hostile, "event", hostile, hostile, hostile, "list", hostile);
        KP_CLEANUP(kp_free_str) char *trace = json_dumps(event, 0);
        unsigned n_scripts = 0;
        struct run_folder run;
        xmlDoc *doc;

        run_begin(&run);
        run_header(&run, "simulated", 3);
        run_outcome(&run, (struct row){ .scenario = hostile,
                                  .key = hostile,
                                  .client = hostile,
                                  .population = hostile,
                                  .provider = hostile,
                                  .verdict = "breaks",
                                  .cause = hostile,
                                  .why = hostile,
                                  .trace = trace,
                                  .fact = "service.doors",
                                  .value = hostile });
        run_outcome(&run, (struct row){ .scenario = hostile,
                                  .key = hostile,
                                  .client = hostile,
                                  .population = hostile,
                                  .provider = hostile,
                                  .verdict = "works",
                                  .fact = "service.doors",
                                  .value = "x" });
        run_outcome(&run,
                (struct row){
                        .scenario = hostile, .verdict = "skipped", .why = hostile });
        write_pages(&run, NULL, &matrix, &verdict);
        page_is_whole(verdict);
        page_is_whole(matrix);
        doc = parsed(matrix);
        each_node(xmlDocGetRootElement(doc), is_no_script_but_ours, &n_scripts);
        cr_expect_eq(n_scripts, 1, "the filter's");
        xmlFreeDoc(doc);
        cr_expect_null(strstr(matrix, "<img"));
        cr_expect_null(strchr(matrix, '\x01'));
        cr_expect_null(strchr(matrix, '\x7f'));
        run_end(&run);
}

Test(pages, keep_the_end_of_a_long_trace)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf trace = { 0 };
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        struct run_folder run;

        for (int i = 1; i <= 100; i++)
                kp_buf_printf(&trace,
                        "%s{\"t\":%d,\"who\":\"pilot\",\"event\":\"step\",\"number\":%"
                        "d}",
                        i == 1 ? "[" : ",", i, i);
        kp_buf_puts(&trace, "]");
        run_begin(&run);
        run_header(&run, "simulated", 1);
        run_outcome(&run, (struct row){ .scenario = "s",
                                  .verdict = "breaks",
                                  .cause = "c",
                                  .trace = kp_buf_str(&trace) });
        write_pages(&run, NULL, &matrix, &verdict);
        cr_expect_not_null(strstr(matrix, "number=10<"));
        cr_expect_null(strstr(matrix, "number=11<"));
        cr_expect_not_null(strstr(matrix, "60 steps left out"));
        cr_expect_null(strstr(matrix, "number=70<"));
        cr_expect_not_null(strstr(matrix, "number=71<"));
        cr_expect_not_null(strstr(matrix, "number=100<"));
        run_end(&run);
}

Test(pages, stay_small_when_there_are_many_combinations)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_free_str) char *matrix = NULL;
        KP_CLEANUP(kp_free_str) char *verdict = NULL;
        char key[32], client[32], provider[32];
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 0);
        for (int i = 0; i < 9000; i++) {
                (void)snprintf(key, sizeof(key), "sim:key-%d", i % 30);
                (void)snprintf(client, sizeof(client), "client-%d", i / 30 % 15);
                (void)snprintf(provider, sizeof(provider), "provider-%d", i / 450);
                run_outcome(&run, (struct row){ .scenario = "log-in-with-it",
                                          .key = key,
                                          .client = client,
                                          .provider = provider,
                                          .verdict = i % 7 == 0 ? "breaks" : "works",
                                          .cause = i % 7 == 0 ? "key-has-no-pin" : NULL,
                                          .trace = TRACE });
        }
        write_pages(&run, fixtures, &matrix, &verdict);
        cr_expect_lt(strlen(matrix), 3u << 20);
        cr_expect_not_null(strstr(matrix, "several set-ups together"));
        cr_expect_not_null(strstr(matrix, "1,286"), "the number of failures");
        run_end(&run);
}
