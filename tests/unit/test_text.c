/*
 * test_text.c - analyzer/text.h, analyzer/utf8.h, analyzer/say.h: bytes of
 * strangers on their way to a terminal, and our own sentences about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "numbers.h"
#include "say.h"
#include "text.h"
#include "utf8.h"

static uint64_t state = 7;

static uint64_t rnd(void)
{
	return xorshift(&state);
}

/* --- text.h ---------------------------------------------------------------- */

static void pieces_add_up(void **unused)
{
	struct dn_text t = { 0 };
	char want[8192];
	size_t n = 0;

	(void)unused;
	for (int i = 0; i < 400; i++) {
		switch (i % 4) {
		case 0:
			dn_text_char(&t, 'c');
			n += (size_t)sprintf(want + n, "c");
			break;
		case 1:
			dn_text_add(&t, "text ");
			n += (size_t)sprintf(want + n, "text ");
			break;
		case 2:		/* shorter and longer than any room at hand */
			dn_text_addf(&t, "%0*d", 1 + i / 8, i);
			n += (size_t)sprintf(want + n, "%0*d", 1 + i / 8, i);
			break;
		case 3:
			dn_text_bytes(&t, "", 0);
			break;
		}
		assert_int_equal(t.len, n);
		assert_int_equal(strlen(t.p), n);
	}
	assert_string_equal(t.p, want);
	assert_false(t.failed);
	dn_text_reset(&t);
	assert_int_equal(t.len, 0);
	assert_string_equal(t.p, "");
	for (int width = 1; width < 2000; width++) {	/* one that fills the room to the byte */
		struct dn_text one = { 0 };

		dn_text_add(&one, "x");
		dn_text_addf(&one, "%0*d", width, 5);
		assert_int_equal(strlen(one.p), 1 + width);
		assert_int_equal(one.len, 1 + width);
		assert_int_equal(one.p[width], '5');
		dn_text_free(&one);
	}
	dn_text_pad(&t, 3);
	dn_text_add(&t, "xy");
	dn_text_pad(&t, 4);
	dn_text_pad(&t, 7);
	assert_string_equal(t.p, "   xy  ");
	dn_text_free(&t);
	assert_null(t.p);
}

static void no_memory_is_remembered(void **unused)
{
	struct dn_text t = { 0 };

	(void)unused;
	dn_text_add(&t, "kept");
	dn_text_bytes(&t, "", SIZE_MAX / 2);	/* refused before a byte is read */
	assert_true(t.failed);
	dn_text_add(&t, "not added");
	dn_text_addf(&t, "%d", 1);
	dn_text_pad(&t, 100);
	assert_int_equal(t.len, 4);
	dn_text_reset(&t);
	assert_false(t.failed);
	dn_text_add(&t, "again");
	assert_string_equal(t.p, "again");
	dn_text_free(&t);
}

/* A string literal as C reads it: at most three octal digits. */
static size_t unquote(const char *p, size_t len, char *out)
{
	static const char letters[] = "t\tn\nv\vf\fr\r\"\"\\\\";
	size_t n = 0;

	assert_true(len >= 2 && p[0] == '"' && p[len - 1] == '"');
	for (size_t i = 1; i < len - 1; i++) {
		const char *at;
		unsigned v = 0;
		int digits = 0;

		assert_true(p[i] >= ' ' && p[i] <= '~' && p[i] != '"');
		if (p[i] != '\\') {
			out[n++] = p[i];
			continue;
		}
		at = strchr(letters, p[++i]);
		if (at && p[i] && (at - letters) % 2 == 0) {
			out[n++] = at[1];
			continue;
		}
		for (; digits < 3 && p[i] >= '0' && p[i] <= '7'; digits++)
			v = v * 8 + (unsigned)(p[i++] - '0');
		assert_true(digits > 0);
		i--;
		out[n++] = (char)v;
	}
	return n;
}

static void quoting_can_be_undone(void **unused)
{
	struct dn_text t = { 0 };
	char in[64], out[64];

	(void)unused;
	for (int i = 0; i < 50000; i++) {
		size_t len = (size_t)(rnd() % sizeof(in));

		for (size_t k = 0; k < len; k++)	/* digits often: they follow escapes */
			in[k] = rnd() % 3 ? (char)('0' + rnd() % 10) : (char)rnd();
		dn_text_reset(&t);
		dn_text_quote(&t, in, len);
		assert_int_equal(unquote(t.p, t.len, out), len);
		assert_memory_equal(in, out, len);
	}
	dn_text_reset(&t);
	dn_text_quote(&t, "\0a\0001\33\377\177\"\\", 9);	/* as strace has it */
	assert_string_equal(t.p, "\"\\0a\\0001\\33\\377\\177\\\"\\\\\"");
	dn_text_free(&t);
}

/* --- utf8.h ------------------------------------------------------------------ */

static iconv_t utf32;

/* Bytes of the first character by the C library, 0 where it has none. */
static unsigned iconv_sequence(const char *p, size_t len)
{
	for (size_t n = 1; n <= len && n <= 4; n++) {
		char in[4], out[16], *from = in, *to = out;
		size_t left = n, room = sizeof(out);

		memcpy(in, p, n);
		iconv(utf32, NULL, NULL, NULL, NULL);
		if (iconv(utf32, &from, &left, &to, &room) != (size_t)-1 && !left)
			return sizeof(out) - room == 4 ? (unsigned)n : 0;
	}
	return 0;
}

static bool iconv_text(const char *p, size_t len)
{
	while (len) {
		unsigned n = *p ? iconv_sequence(p, len) : 0;

		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static void sequences_as_iconv_has_them(void **unused)
{
	/* every border of table 3-7 */
	static const uint8_t b[] = { 0, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
				     0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1,
				     0xf3, 0xf4, 0xf5, 0xff };
	enum { N = sizeof(b) };

	(void)unused;
	utf32 = iconv_open("UTF-32LE", "UTF-8");
	assert_true(utf32 != (iconv_t)-1);
	for (unsigned i = 0; i < N * N * N * N; i++) {
		char p[4] = { (char)b[i % N], (char)b[i / N % N], (char)b[i / N / N % N],
			      (char)b[i / N / N / N] };

		for (size_t len = i % 4 + 1; len <= 4; len += 4) {
			unsigned want = iconv_sequence(p, len);

			if (dn_utf8_sequence(p, len) != want)
				fail_msg("%02x %02x %02x %02x: %u, not %u", (uint8_t)p[0], (uint8_t)p[1],
					 (uint8_t)p[2], (uint8_t)p[3], dn_utf8_sequence(p, len), want);
		}
	}
	for (unsigned i = 0; i < 1u << 16; i++) {
		char p[2] = { (char)i, (char)(i >> 8) };

		assert_int_equal(dn_utf8_sequence(p, 2), iconv_sequence(p, 2));
	}
	iconv_close(utf32);
}

static void texts_as_iconv_has_them(void **unused)
{
	static const char *const words[] = { "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8e\x89",
					     "\xff", "\xc3", "\xed\xa0\x80", "eight by", "\x80" };

	(void)unused;
	utf32 = iconv_open("UTF-32LE", "UTF-8");
	assert_true(utf32 != (iconv_t)-1);
	for (int i = 0; i < 20000; i++) {
		char p[128];
		size_t n = 0;

		for (uint64_t k = rnd() % 8; k; k--) {
			const char *w = words[rnd() % (i % 2 ? 4 : 9)];

			memcpy(p + n, w, strlen(w));
			n += strlen(w);
		}
		if (n && i % 5 == 0)	/* a NUL at each place of a group of eight */
			p[rnd() % n] = 0;
		assert_int_equal(dn_utf8_text(p, n), iconv_text(p, n));
	}
	iconv_close(utf32);
}

/* --- say.h ------------------------------------------------------------------- */

static void a_stream_and_a_buffer_agree(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		char in[40], safe[400], *out = NULL;
		size_t len = (size_t)(rnd() % sizeof(in)), size, columns;
		FILE *f = open_memstream(&out, &size);

		for (size_t k = 0; k < len; k++)
			in[k] = (char)(rnd() % 4 ? 0x80 + rnd() % 0x80 : rnd() % 0x80);
		columns = dn_put_safe(f, in, len);
		fclose(f);
		assert_int_equal(dn_safe(safe, sizeof(safe), in, len, sizeof(safe)), columns);
		assert_int_equal(strlen(safe), size);
		assert_memory_equal(out, safe, size);
		/* nothing of it does anything to a terminal */
		assert_true(dn_utf8_text(out, size));
		for (size_t k = 0; k < size; k++) {
			assert_true((uint8_t)out[k] >= 0x20 && out[k] != 0x7f);
			columns -= ((uint8_t)out[k] & 0xc0) != 0x80;
		}
		assert_int_equal(columns, 0);
		free(out);
	}
}

/* The first and last of each range that a terminal takes for something else. */
static void characters_that_do_not_show(void **unused)
{
	static const struct { const char *in, *out; } c[] = {
		{ "\xc2\x80", "\\xc2\\x80" }, { "\xc2\x9f", "\\xc2\\x9f" },
		{ "\xc2\xa0", "\xc2\xa0" }, { "\x1f", "\\x1f" }, { " ", " " }, { "\x7f", "\\x7f" },
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" }, { "\xe2\x80\x8f", "\\xe2\\x80\\x8f" },
		{ "\xe2\x80\x90", "\xe2\x80\x90" }, { "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, { "\xe2\x80\xaf", "\xe2\x80\xaf" },
		{ "\xe2\x81\xa0", "\\xe2\\x81\\xa0" }, { "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },
	};
	char buf[64];

	(void)unused;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		dn_safe(buf, sizeof(buf), c[i].in, strlen(c[i].in), sizeof(buf));
		assert_string_equal(buf, c[i].out);
	}
}

static char said[4096];
static int saved_stderr;
static FILE *sink;

static void listen_to_stderr(void)
{
	sink = tmpfile();
	assert_non_null(sink);
	fflush(stderr);
	saved_stderr = dup(2);
	assert_true(dup2(fileno(sink), 2) == 2);
}

static const char *what_was_said(void)
{
	size_t n;

	fflush(stderr);
	assert_true(dup2(saved_stderr, 2) == 2);
	close(saved_stderr);
	rewind(sink);
	n = fread(said, 1, sizeof(said) - 1, sink);
	said[n] = 0;
	fclose(sink);
	return said;
}

static void sentences(void **unused)
{
	char longest[3000];

	(void)unused;
	listen_to_stderr();
	dn_error("open", "a\33[2Jb", "it is \xff", "Try another");
	dn_error("begin", NULL, "there is no memory", NULL);
	dn_remark("%s has %d", "x\ny", 5);
	assert_string_equal(what_was_said(),
		"denet-analyze: cannot open a\\x1b[2Jb: it is \\xff. Try another.\n"
		"denet-analyze: cannot begin: there is no memory.\n"
		"denet-analyze: x\\x0ay has 5\n");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	listen_to_stderr();
	dn_remark("%s", longest);
	assert_true(strlen(what_was_said()) > 1000);
	assert_int_equal(said[strlen(said) - 1], '\n');
}

static void progress_is_for_a_terminal(void **unused)
{
	struct dn_progress p;
	int term = posix_openpt(O_RDWR | O_NOCTTY), slave;
	ssize_t n = 0, got;

	(void)unused;
	listen_to_stderr();
	dn_progress_begin(&p, "reading", false);
	p.begun = p.last = 0;			/* long ago */
	dn_progress_at(&p, 1, 2, 3);
	dn_progress_end(&p);
	assert_string_equal(what_was_said(), "");

	if (term < 0 || grantpt(term) || unlockpt(term))
		skip();
	slave = open(ptsname(term), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	saved_stderr = dup(2);
	dup2(slave, 2);
	dn_progress_begin(&p, "quiet", true);
	p.begun = p.last = 0;
	dn_progress_at(&p, 1, 2, 3);
	dn_progress_begin(&p, "too soon", false);
	dn_progress_at(&p, 1, 2, 3);
	dn_progress_begin(&p, "reading a\tb", false);
	p.begun = p.last = 0;
	dn_progress_at(&p, 1, 4, 1234567);
	dn_progress_at(&p, 2, 4, 2345678);	/* too soon again */
	dn_progress_end(&p);
	fflush(stderr);
	dup2(saved_stderr, 2);
	close(saved_stderr);
	close(slave);
	/* Whole only once the terminal says that nobody writes to it any more. */
	while ((got = read(term, said + n, sizeof(said) - 1 - (size_t)n)) > 0)
		n += got;
	close(term);
	assert_true(n > 0);
	said[n] = 0;
	assert_null(strstr(said, "quiet"));
	assert_null(strstr(said, "too soon"));
	assert_non_null(strstr(said, "reading a\\x09b"));
	assert_non_null(strstr(said, "25.0 %"));
	assert_non_null(strstr(said, "1.2 M calls"));
	assert_null(strstr(said, "2.3 M"));
	/* and the line is wiped at the end */
	assert_string_equal(said + n - 4, "\r\33[K");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_add_up),
		cmocka_unit_test(no_memory_is_remembered),
		cmocka_unit_test(quoting_can_be_undone),
		cmocka_unit_test(sequences_as_iconv_has_them),
		cmocka_unit_test(texts_as_iconv_has_them),
		cmocka_unit_test(a_stream_and_a_buffer_agree),
		cmocka_unit_test(characters_that_do_not_show),
		cmocka_unit_test(sentences),
		cmocka_unit_test(progress_is_for_a_terminal),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
