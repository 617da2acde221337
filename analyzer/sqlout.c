/*
 * sqlout.c - rows as text, CSV or JSON.
 *
 * Every cell is first made into bytes in a buffer (`cell`), so that the three
 * forms differ only in how they frame and escape it.
 */
#include "sqlout.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "text.h"
#include "utf8.h"

#define SQLOUT_HELD 500		/* rows held back for the widths */
#define HELD_BYTES (4u << 20)	/* and no more than about this many bytes */
#define WIDTH_MAX 60		/* a column is not padded beyond this */

static void put_hex(struct dn_text *b, unsigned char c)
{
	static const char digit[] = "0123456789abcdef";

	dn_text_bytes(b, &digit[c >> 4], 1);
	dn_text_bytes(b, &digit[c & 15], 1);
}

static bool is_number(int type)
{
	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* The bytes of a cell as they are; a blob in its notation. */
static void put_value(struct dn_text *b, sqlite3_stmt *st, int col)
{
	const unsigned char *p;
	int n;

	switch (sqlite3_column_type(st, col)) {
	case SQLITE_NULL:
		break;
	case SQLITE_BLOB:
		p = sqlite3_column_blob(st, col);
		n = sqlite3_column_bytes(st, col);
		dn_text_add(b, "X'");
		for (int i = 0; i < n; i++)
			put_hex(b, p[i]);
		dn_text_add(b, "'");
		break;
	default:
		p = sqlite3_column_text(st, col);
		if (!p)
			b->failed = true;
		else
			dn_text_bytes(b, (const char *)p, (size_t)sqlite3_column_bytes(st, col));
	}
}

/* --- text --------------------------------------------------------------------- */

struct cell {
	size_t end;		/* of its bytes in the buffer */
	size_t width;
	bool number;
};

/* Rows that wait for the widths: rows * ncol cells over one buffer. */
struct held {
	int ncol;
	size_t rows;
	struct cell *cell;
	size_t *width;		/* of each column */
	struct dn_text bytes, raw;
	char *safe;		/* a cell as it may be printed */
	size_t safe_cap;
};

static void hold_cell(struct held *h, int col, const char *p, size_t len, bool number)
{
	struct cell *c = &h->cell[h->rows * (size_t)h->ncol + (size_t)col];

	if (4 * len + 8 > h->safe_cap) {	/* every byte as \xNN */
		char *q = realloc(h->safe, 4 * len + 8);

		if (!q) {
			h->bytes.failed = true;
			return;
		}
		h->safe = q;
		h->safe_cap = 4 * len + 8;
	}
	c->width = dn_safe(h->safe, h->safe_cap, p, len, SIZE_MAX);
	dn_text_add(&h->bytes, h->safe);
	c->end = h->bytes.len;
	c->number = number;
}

static void hold_row(struct held *h, sqlite3_stmt *st)
{
	for (int i = 0; i < h->ncol; i++) {
		dn_text_reset(&h->raw);
		put_value(&h->raw, st, i);
		h->bytes.failed |= h->raw.failed;
		hold_cell(h, i, h->raw.p, h->raw.len, is_number(sqlite3_column_type(st, i)));
	}
	h->rows++;
}

static void hold_names(struct held *h, sqlite3_stmt *st)
{
	for (int i = 0; i < h->ncol; i++) {
		const char *s = sqlite3_column_name(st, i);

		hold_cell(h, i, s ? s : "", s ? strlen(s) : 0, false);
	}
	h->rows++;
}

static void pad(FILE *out, size_t n)
{
	while (n--)
		putc(' ', out);
}

/* Row r. A name stands over its column: to the right where numbers follow. */
static void print_row(FILE *out, const struct held *h, size_t r, const bool *right, bool bold)
{
	size_t last = (size_t)h->ncol;
	size_t begin;

	/* no spaces at the end of a line */
	while (last && !h->cell[r * (size_t)h->ncol + last - 1].width)
		last--;
	if (bold)
		fputs("\033[1m", out);
	for (size_t i = 0; i < last; i++) {
		const struct cell *c = &h->cell[r * (size_t)h->ncol + i];
		size_t fill = h->width[i] > c->width ? h->width[i] - c->width : 0;
		bool to_right = right ? right[i] : c->number;

		begin = c == h->cell ? 0 : c[-1].end;
		if (i)
			fputs("  ", out);
		if (to_right)
			pad(out, fill);
		fwrite(h->bytes.p + begin, 1, c->end - begin, out);
		if (!to_right && i + 1 < last)
			pad(out, fill);
	}
	if (bold)
		fputs("\033[0m", out);
	putc('\n', out);
}

/* Prints what is held and forgets it. The first time: names, and a rule. */
static void flush_held(FILE *out, struct held *h, bool *begun, bool *right, bool color)
{
	size_t r = 0;

	if (!*begun) {
		for (size_t i = 0; i < h->rows * (size_t)h->ncol; i++) {
			size_t col = i % (size_t)h->ncol;
			size_t w = h->cell[i].width < WIDTH_MAX ? h->cell[i].width : WIDTH_MAX;

			if (w > h->width[col])
				h->width[col] = w;
			if (i >= (size_t)h->ncol && h->cell[i].number)
				right[col] = true;
		}
		print_row(out, h, 0, right, color);
		for (int i = 0; i < h->ncol; i++) {
			fputs(i ? "  " : "", out);
			for (size_t k = 0; k < h->width[i]; k++)
				putc('-', out);
		}
		putc('\n', out);
		*begun = true;
		r = 1;
	}
	for (; r < h->rows; r++)
		print_row(out, h, r, NULL, false);
	h->rows = 0;
	dn_text_reset(&h->bytes);
}

static int print_text(FILE *out, sqlite3_stmt *st, bool color)
{
	struct held h = { .ncol = sqlite3_column_count(st) };
	bool begun = false, *right = NULL;
	int rc, err = -ENOMEM;

	h.cell = calloc((SQLOUT_HELD + 1) * (size_t)h.ncol, sizeof(*h.cell));
	h.width = calloc((size_t)h.ncol, sizeof(*h.width));
	right = calloc((size_t)h.ncol, sizeof(*right));
	if (!h.cell || !h.width || !right)
		goto out;
	hold_names(&h, st);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		hold_row(&h, st);
		if (h.bytes.failed)
			goto out;
		if (begun || h.rows > SQLOUT_HELD || h.bytes.len > HELD_BYTES)
			flush_held(out, &h, &begun, right, color);
		if (ferror(out))
			break;
	}
	if (h.bytes.failed)
		goto out;
	err = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -EIO;
	/* A statement that failed at once has no table, only its error. */
	if (!err || begun || h.rows > 1)
		flush_held(out, &h, &begun, right, color);
out:
	free(h.cell);
	free(h.width);
	free(right);
	free(h.safe);
	dn_text_free(&h.bytes);
	dn_text_free(&h.raw);
	return err;
}

/* --- CSV ---------------------------------------------------------------------- */

static void csv_field(FILE *out, const char *p, size_t len)
{
	bool quote = false;

	for (size_t i = 0; i < len && !quote; i++)
		quote = p[i] == ',' || p[i] == '"' || p[i] == '\n' || p[i] == '\r';
	if (!quote) {
		fwrite(p, 1, len, out);
		return;
	}
	putc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"')
			putc('"', out);
		putc(p[i], out);
	}
	putc('"', out);
}

static int print_csv(FILE *out, sqlite3_stmt *st)
{
	int ncol = sqlite3_column_count(st), rc, err = 0;
	struct dn_text b = { 0 };

	for (int i = 0; i < ncol; i++) {
		const char *s = sqlite3_column_name(st, i);

		fputs(i ? "," : "", out);
		csv_field(out, s ? s : "", s ? strlen(s) : 0);
	}
	fputs("\r\n", out);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && !ferror(out)) {
		for (int i = 0; i < ncol && !b.failed; i++) {
			b.len = 0;
			put_value(&b, st, i);
			fputs(i ? "," : "", out);
			csv_field(out, b.p ? b.p : "", b.len);
		}
		if (b.failed)
			break;
		fputs("\r\n", out);
	}
	if (b.failed)
		err = -ENOMEM;
	else if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		err = -EIO;
	dn_text_free(&b);
	return err;
}

/* --- JSON --------------------------------------------------------------------- */

static void json_string(struct dn_text *b, const char *p, size_t len)
{
	char esc[8];

	dn_text_bytes(b, "\"", 1);
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)p[i];
		unsigned n = dn_utf8_sequence(p + i, len - i);

		if (c == '"' || c == '\\') {
			dn_text_bytes(b, "\\", 1);
			dn_text_bytes(b, p + i, 1);
		} else if (c == '\n') {
			dn_text_add(b, "\\n");
		} else if (c == '\t') {
			dn_text_add(b, "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(esc, sizeof(esc), "\\u%04x", c);
			dn_text_add(b, esc);
		} else if (n) {
			dn_text_bytes(b, p + i, n);
		} else {
			dn_text_add(b, "\\ufffd");
		}
		i += n ? n : 1;
	}
	dn_text_bytes(b, "\"", 1);
}

static void json_value(struct dn_text *b, sqlite3_stmt *st, int col)
{
	struct dn_text hex = { 0 };
	const char *p;
	double d;

	switch (sqlite3_column_type(st, col)) {
	case SQLITE_NULL:
		dn_text_add(b, "null");
		break;
	case SQLITE_FLOAT:
		d = sqlite3_column_double(st, col);
		if (isinf(d))		/* JSON has no word for it; readers take this */
			dn_text_add(b, d < 0 ? "-9e999" : "9e999");
		else
			put_value(b, st, col);
		break;
	case SQLITE_INTEGER:
		put_value(b, st, col);
		break;
	case SQLITE_BLOB:
		put_value(&hex, st, col);
		if (hex.failed)
			b->failed = true;
		else
			json_string(b, hex.p, hex.len);
		dn_text_free(&hex);
		break;
	default:
		p = (const char *)sqlite3_column_text(st, col);
		if (!p)
			b->failed = true;
		else
			json_string(b, p, (size_t)sqlite3_column_bytes(st, col));
	}
}

static int print_json(FILE *out, sqlite3_stmt *st)
{
	int ncol = sqlite3_column_count(st), rc, err = 0;
	struct dn_text b = { 0 };
	bool first = true;

	putc('[', out);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && !ferror(out)) {
		dn_text_reset(&b);
		dn_text_add(&b, first ? "\n{" : ",\n{");
		for (int i = 0; i < ncol; i++) {
			const char *s = sqlite3_column_name(st, i);

			dn_text_bytes(&b, ",", i > 0);
			json_string(&b, s ? s : "", s ? strlen(s) : 0);
			dn_text_bytes(&b, ":", 1);
			json_value(&b, st, i);
		}
		dn_text_bytes(&b, "}", 1);
		if (b.failed)
			break;
		fwrite(b.p, 1, b.len, out);
		first = false;
	}
	/* Closed even after an error: what was printed stays readable. */
	fputs(first ? "]\n" : "\n]\n", out);
	if (b.failed)
		err = -ENOMEM;
	else if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		err = -EIO;
	dn_text_free(&b);
	return err;
}

int dn_sqlout(FILE *out, struct sqlite3_stmt *st, enum dn_format format, bool color)
{
	int err = 0;

	/* no columns: the statement answers nothing (a comment, a pragma) */
	if (!sqlite3_column_count(st)) {
		int rc = sqlite3_step(st);

		err = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -EIO;
	} else if (format == DN_FORMAT_JSON) {
		err = print_json(out, st);
	} else if (format == DN_FORMAT_CSV) {
		err = print_csv(out, st);
	} else {
		err = print_text(out, st, color);
	}
	if (fflush(out) || ferror(out))
		return err ? err : -EPIPE;
	return err;
}
