/*
 * json.c - the JSON writer.
 */
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static void put_string(FILE *f, const char *p, size_t len)
{
	putc('"', f);
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)p[i];
		unsigned n = dn_utf8_sequence(p + i, len - i);

		if (!n) {
			fputs("\\ufffd", f);
			n = 1;
		} else if (c == '"' || c == '\\') {
			putc('\\', f);
			putc(c, f);
		} else if (c == '\n') {
			fputs("\\n", f);
		} else if (c == '\t') {
			fputs("\\t", f);
		} else if (c < 0x20 || c == 0x7f || c == '<') {
			fprintf(f, "\\u%04x", c);
		} else if (n == 3 && (!memcmp(p + i, "\xe2\x80\xa8", 3) || !memcmp(p + i, "\xe2\x80\xa9", 3))) {
			fprintf(f, "\\u20%02x", (unsigned char)p[i + 2] - 0x80);
		} else {
			fwrite(p + i, 1, n, f);
		}
		i += n;
	}
	putc('"', f);
}

/* The comma before a value, and its key. */
static void begin(struct dn_json *j, const char *key)
{
	if (key)
		dn_json_key(j, key, strlen(key));
	if (j->keyed) {
		j->keyed = false;
		return;
	}
	if (j->depth) {
		assert(j->close[j->depth - 1] == ']');
		if (j->any[j->depth - 1])
			putc(',', j->out);
		j->any[j->depth - 1] = true;
	}
}

void dn_json_key(struct dn_json *j, const char *p, size_t len)
{
	assert(j->depth && j->close[j->depth - 1] == '}' && !j->keyed);
	if (j->any[j->depth - 1])
		putc(',', j->out);
	j->any[j->depth - 1] = true;
	put_string(j->out, p, len);
	putc(':', j->out);
	j->keyed = true;
}

static void open_nested(struct dn_json *j, const char *key, char open, char close)
{
	begin(j, key);
	assert(j->depth < DN_JSON_DEPTH);
	putc(open, j->out);
	j->close[j->depth] = close;
	j->any[j->depth++] = false;
}

void dn_json_object(struct dn_json *j, const char *key)
{
	open_nested(j, key, '{', '}');
}

void dn_json_array(struct dn_json *j, const char *key)
{
	open_nested(j, key, '[', ']');
}

void dn_json_end(struct dn_json *j)
{
	assert(j->depth && !j->keyed);
	putc(j->close[--j->depth], j->out);
	if (!j->depth)
		putc('\n', j->out);
}

void dn_json_null(struct dn_json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->out);
}

void dn_json_bool(struct dn_json *j, const char *key, bool v)
{
	begin(j, key);
	fputs(v ? "true" : "false", j->out);
}

void dn_json_int(struct dn_json *j, const char *key, int64_t v)
{
	begin(j, key);
	fprintf(j->out, "%" PRId64, v);
}

void dn_json_real(struct dn_json *j, const char *key, double v)
{
	char buf[40];

	begin(j, key);
	if (!isfinite(v)) {
		fputs("null", j->out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {	/* the shortest that reads back */
		snprintf(buf, sizeof(buf), "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	/* A reader that tells 1 from 1.0 gets the same type each time. */
	if (!strpbrk(buf, ".e"))
		strcat(buf, ".0");
	fputs(buf, j->out);
}

void dn_json_str(struct dn_json *j, const char *key, const char *p, size_t len)
{
	begin(j, key);
	put_string(j->out, p, len);
}
