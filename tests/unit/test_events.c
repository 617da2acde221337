/*
 * test_events.c - the tables of events and counters against the files of schema/ read
 * as text, and the schema block, which says the same in a trace.
 *
 * The tables come out of the very files by the preprocessor; the test reads
 * them with scanf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "encode.h"
#include "events.h"

static FILE *schema(const char *name)
{
	const char *srcdir = getenv("DN_SRCDIR");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/schema/%s", srcdir ? srcdir : ".", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("no %s; set DN_SRCDIR", path);
	return f;
}

static unsigned type_of(const char *word)
{
	static const char *const types[] = { "", "TIME", "INT", "RAW", "STR" };

	for (unsigned i = DN_TIME; i <= DN_STR; i++)
		if (!strcmp(types[i], word))
			return i;
	fail_msg("no type %s", word);
	return 0;
}

/* Every event and field of the file, in its order, and no other. */
static void events(void **state)
{
	FILE *f = schema("events.def");
	const struct dn_event_desc *d = NULL;
	unsigned id, nevents = 0, nfields = 0, total = 0, known = 0;
	char line[1024], name[64], event[64], type[64], unit[64], doc[512];

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "EVENT(%u, %63[a-z_], \"%511[^\"]\")", &id, name, doc) == 3) {
			assert_true(!d || nfields == d->nfields);
			d = dn_event_desc(id);
			assert_non_null(d);
			assert_string_equal(d->name, name);
			assert_string_equal(d->doc, doc);
			nevents++;
			nfields = 0;
			continue;
		}
		unit[0] = 0;
		if (sscanf(line, "FIELD(%63[a-z_], %63[a-z0-9_], %63[A-Z], \"\", \"%511[^\"]\")", event,
			   name, type, doc) != 4 &&
		    sscanf(line, "FIELD(%63[a-z_], %63[a-z0-9_], %63[A-Z], \"%63[^\"]\", \"%511[^\"]\")",
			   event, name, type, unit, doc) != 5)
			continue;
		assert_non_null(d);
		assert_string_equal(d->name, event);
		assert_true(nfields < d->nfields);
		assert_string_equal(d->field[nfields].name, name);
		assert_int_equal(d->field[nfields].type, type_of(type));
		assert_string_equal(d->field[nfields].unit, unit);
		assert_string_equal(d->field[nfields].doc, doc);
		assert_int_equal(dn_event_field(id, name), (int)nfields);
		nfields++;
		total++;
	}
	fclose(f);
	assert_true(d && nfields == d->nfields);
	assert_true(nevents > 20 && total > 150);
	for (unsigned i = 0; i < 1000; i++)
		known += dn_event_desc(i) != NULL;
	assert_int_equal(known, nevents);
}

static void counters(void **state)
{
	static const char *const kinds[] = { "TOTAL", "LOSS", "DOUBT" };
	FILE *f = schema("counters.def");
	char line[1024], name[64], kind[64], doc[512];
	unsigned id, n = 0, known = 0;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		const struct dn_counter_desc *d;

		if (sscanf(line, "COUNTER(%u, %63[a-z_], %63[A-Z], \"%511[^\"]\")", &id, name, kind,
			   doc) != 4)
			continue;
		d = dn_counter_desc(id);
		assert_non_null(d);
		assert_string_equal(d->name, name);
		assert_true(d->kind < 3);
		assert_string_equal(kinds[d->kind], kind);
		assert_string_equal(d->doc, doc);
		n++;
	}
	fclose(f);
	assert_true(n > 30);
	for (unsigned i = 0; i < 1000; i++)
		known += dn_counter_desc(i) != NULL;
	assert_int_equal(known, n);
}

static void none(void **state)
{
	(void)state;
	assert_null(dn_event_desc(0));
	assert_null(dn_event_desc(DN_EV_MAX));
	assert_null(dn_event_desc((unsigned)-1));
	assert_null(dn_counter_desc(DN_COUNTER_MAX));
	assert_null(dn_counter_desc((unsigned)-1));
	assert_int_equal(dn_event_field(DN_EV_syscall, "tim"), -1);
	assert_int_equal(dn_event_field(DN_EV_syscall, ""), -1);
	assert_int_equal(dn_event_field(0, "time"), -1);
	assert_int_equal(dn_event_field(1000, "time"), -1);
}

static void same(struct dn_bytes *b, const char *text)
{
	uint64_t len = dn_get_varint(b);
	const uint8_t *p = dn_take(b, len);

	assert_int_equal(len, strlen(text));
	assert_true(!len || p);
	if (len)
		assert_memory_equal(p, text, len);
}

/* dnt(5), "Schema block": to the last byte. */
static void schema_block(void **state)
{
	size_t len;
	uint8_t *p = dn_schema_put(&len);
	struct dn_bytes b = dn_bytes_of(p, len);
	uint64_t kinds, last = 0;

	(void)state;
	assert_non_null(p);
	kinds = dn_get_varint(&b);
	for (uint64_t i = 0; i < kinds; i++) {
		uint64_t id = dn_get_varint(&b);
		const struct dn_event_desc *d = dn_event_desc((unsigned)id);

		assert_true(id > last);
		last = id;
		assert_non_null(d);
		same(&b, d->name);
		same(&b, d->doc);
		assert_int_equal(dn_get_varint(&b), d->nfields);
		for (unsigned k = 0; k < d->nfields; k++) {
			assert_int_equal(dn_get_varint(&b), d->field[k].type);
			same(&b, d->field[k].name);
			same(&b, d->field[k].unit);
			same(&b, d->field[k].doc);
		}
	}
	assert_int_equal(dn_bytes_left(&b), 0);
	assert_false(b.bad);
	for (unsigned id = (unsigned)last + 1; id < 1000; id++)
		assert_null(dn_event_desc(id));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(counters),
		cmocka_unit_test(none),
		cmocka_unit_test(schema_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
