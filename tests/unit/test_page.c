/*
 * test_page.c - analyzer/query.h and analyzer/page.h: values out of a database,
 * and the tables and paragraphs that are made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "human.h"
#include "page.h"
#include "query.h"

static struct dn_db *db;
static char *out;
static size_t out_len;

static int setup(void **state)
{
	char err[256];

	(void)state;
	return dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err));
}

static int teardown(void **state)
{
	(void)state;
	return dn_db_close(db);
}

static struct dn_page page(bool color)
{
	struct dn_page p = { .out = open_memstream(&out, &out_len), .color = color };

	assert_non_null(p.out);
	return p;
}

static void expect(struct dn_page *p, const char *want)
{
	fclose(p->out);
	assert_string_equal(out, want);
	free(out);
}

/* --- query.h ----------------------------------------------------------------- */

static void values_of_all_kinds(void **unused)
{
	struct dn_query *q = dn_query_new(db, "SELECT NULL, ?1 AS n, 2.5, ?2, x'610062', '' FROM "
					      "(SELECT 1 UNION ALL SELECT 2)");
	size_t len;

	(void)unused;
	assert_non_null(q);
	assert_int_equal(dn_query_columns(q), 6);
	assert_string_equal(dn_query_name(q, 1), "n");
	dn_query_bind(q, 1, INT64_MIN);
	dn_query_bind_text(q, 2, "text");
	for (int round = 0; round < 2; round++) {	/* it is ready for another one */
		for (int row = 0; row < 2; row++) {
			assert_int_equal(dn_query_step(q), 1);
			assert_int_equal(dn_query_type(q, 0), DN_CELL_NULL);
			assert_true(dn_query_null(q, 0) && !dn_query_null(q, 1));
			assert_int_equal(dn_query_int(q, 0), 0);
			assert_true(dn_query_real(q, 0) == 0);
			assert_string_equal(dn_query_text(q, 0, &len), "");
			assert_int_equal(len, 0);
			assert_int_equal(dn_query_type(q, 1), DN_CELL_INT);
			assert_true(dn_query_int(q, 1) == INT64_MIN);
			assert_int_equal(dn_query_type(q, 2), DN_CELL_REAL);
			assert_true(dn_query_real(q, 2) == 2.5);
			assert_int_equal(dn_query_type(q, 3), DN_CELL_TEXT);
			assert_string_equal(dn_query_text(q, 3, NULL), "text");
			assert_int_equal(dn_query_type(q, 4), DN_CELL_BLOB);
			assert_memory_equal(dn_query_text(q, 4, &len), "a\0b", 4);
			assert_int_equal(len, 3);
			assert_string_equal(dn_query_text(q, 5, &len), "");
		}
		assert_int_equal(dn_query_step(q), 0);
	}
	dn_query_free(q);
	dn_query_free(NULL);
}

static void what_goes_wrong(void **unused)
{
	struct dn_query *q = dn_query_new(db, "SELECT * FROM there_is_none");

	(void)unused;
	assert_null(q);
	assert_non_null(strstr(dn_db_error(db), "there_is_none"));
	q = dn_query_new(db, "SELECT abs(-9223372036854775807 - 1)");
	assert_non_null(q);
	assert_int_equal(dn_query_step(q), -EIO);
	assert_non_null(strstr(dn_db_error(db), "overflow"));
	dn_query_free(q);
	assert_int_equal(dn_query_value(db, "SELECT 2 * ?1", 21, -1), 42);
	assert_int_equal(dn_query_value(db, "SELECT 7", 21, -1), 7);
	assert_int_equal(dn_query_value(db, "SELECT NULL", 0, -5), -5);
	assert_int_equal(dn_query_value(db, "SELECT 1 WHERE 0", 0, -5), -5);
	assert_int_equal(dn_query_value(db, "SELECT there_is_none", 0, -5), -5);
}

/* --- page.h ------------------------------------------------------------------ */

static void paragraphs(void **unused)
{
	struct dn_page p = page(false);
	char text[2000], *line;
	size_t words = 0, seen = 0;

	(void)unused;
	dn_page_heading(&p, "Title");
	dn_page_field(&p, "Label", "a  short\ttext\33");
	dn_page_wrap(&p, "- ", "");
	expect(&p, "\nTitle\n  Label     a short\\x09text\\x1b\n- \n");

	text[0] = 0;
	for (; strlen(text) < 1900; words++)
		sprintf(text + strlen(text), "%.*s ", (int)(1 + words % 13),
			words % 2 ? "wwwwwwwww" : "wwww\xc3\xa4");
	p = page(false);
	dn_page_wrap(&p, "12345", text);
	fclose(p.out);
	for (line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
		size_t columns = 0;

		for (char *c = line; *c; c++)
			columns += ((unsigned char)*c & 0xc0) != 0x80;
		assert_true(columns <= DN_PAGE_WIDTH);
		assert_memory_equal(line, line == out ? "12345" : "     ", 5);
		for (char *c = line + 5; *c; c++)
			seen += *c != ' ' && (c[1] == ' ' || !c[1]);
	}
	assert_int_equal(seen, words);
	free(out);
	for (int w = 1; w < 79; w++)	/* a line may be full to its last column */
		for (int more = 0; more < 2; more++) {
			snprintf(text, sizeof(text), "%0*d %0*d", w, 0, 79 - w + more, 0);
			p = page(false);
			dn_page_wrap(&p, "", text);
			fclose(p.out);
			assert_int_equal(strcspn(out, "\n"), more ? w : DN_PAGE_WIDTH);
			free(out);
		}
	/* a word that fits no line has one of its own */
	memset(text, 'w', 100);
	strcpy(text + 100, " x");
	p = page(false);
	dn_page_wrap(&p, "  ", text);
	fclose(p.out);
	assert_int_equal(strcspn(out, "\n"), 102);
	assert_string_equal(out + 102, "\n  x\n");
	free(out);
}

static void a_table(void **unused)
{
	static const struct dn_col col[] = {
		{ "name", DN_SHOW_TEXT, 6 }, { "int", DN_SHOW_INT, 5 }, { "count", DN_SHOW_COUNT, 7 },
		{ "time", DN_SHOW_NS, 8 },   { "size", DN_SHOW_BYTES, 8 }, { "share", DN_SHOW_SHARE, 7 },
		{ "bar", DN_SHOW_BAR, 4 },
	};
	static const struct dn_table t = { "T", "SELECT * FROM (VALUES "
		"('a\tb', ?1, 0, 1500, 2048, 0.5, 0.5),"
		"('much too long', -3, 12345, 0, 0, 1.0, 1.0),"
		"(NULL, NULL, NULL, NULL, NULL, NULL, NULL))", 7, col };
	static const struct dn_table none = { "T", "SELECT 1 WHERE 0", 1, col };
	static const struct dn_table bad = { "T", "SELECT nothing", 1, col };
	char time[2][DN_HUMAN_SIZE], size[2][DN_HUMAN_SIZE], count[DN_HUMAN_SIZE];
	char want[1024], share[2][DN_HUMAN_SIZE];
	struct dn_page p = page(false);

	(void)unused;
	assert_int_equal(dn_page_table(&p, db, 77, &t), 0);
	snprintf(want, sizeof(want),
		 "\nT\n"
		 "  %-6s  %5s  %7s  %8s  %8s  %7s  bar\n"
		 "  %-6s  %5d  %7s  %8s  %8s  %7s  ##\n"
		 "  %-6s  %5d  %7s  %8s  %8s  %7s  ####\n"
		 "  %-6s  %5s  %7s  %8s  %8s  %7s\n",
		 "name", "int", "count", "time", "size", "share",
		 "a\\x09b", 77, "", dn_human_ns(time[0], 32, 1500), dn_human_bytes(size[0], 32, 2048),
		 dn_human_percent(share[0], 32, 1, 2),
		 "muc...", -3, dn_human_count(count, 32, 12345), dn_human_ns(time[1], 32, 0),
		 dn_human_bytes(size[1], 32, 0), dn_human_percent(share[1], 32, 1, 1),
		 "", "-", "-", "-", "-", "-");
	expect(&p, want);

	p = page(false);
	assert_int_equal(dn_page_table(&p, db, 1, &none), 0);
	assert_int_equal(dn_page_table(&p, db, 1, &bad), -EIO);
	expect(&p, "");
}

/* Colour adds escapes and nothing else. */
static void colour(void **unused)
{
	static const struct dn_col col[] = { { "name", DN_SHOW_TEXT, 6 }, { "bar", DN_SHOW_BAR, 4 } };
	static const struct dn_table t = { "T", "SELECT 'x', 0.75", 2, col };
	char *plain[2];

	(void)unused;
	for (int c = 0; c < 2; c++) {
		struct dn_page p = page(c);
		size_t n = 0;

		assert_int_equal(dn_page_table(&p, db, 1, &t), 0);
		dn_page_field(&p, "L", "text");
		fclose(p.out);
		assert_int_equal(strchr(out, '\33') != NULL, c);
		for (size_t i = 0; out[i]; i++)
			if (out[i] == '\33')
				i += strcspn(out + i, "m");
			else
				out[n++] = out[i];
		out[n] = 0;
		plain[c] = out;
	}
	assert_string_equal(plain[0], plain[1]);
	free(plain[0]);
	free(plain[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_all_kinds),
		cmocka_unit_test(what_goes_wrong),
		cmocka_unit_test(paragraphs),
		cmocka_unit_test(a_table),
		cmocka_unit_test(colour),
	};

	return cmocka_run_group_tests_name("page", tests, setup, teardown);
}
