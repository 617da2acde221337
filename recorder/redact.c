/*
 * redact.c - takes what looks like a secret out of argument lists.
 *
 * Secret bytes are marked in a bitmap, by rules that know nothing of each
 * other; at the end the text is copied, each run of marked bytes as one
 * DN_REDACTED. A NUL is never marked, so arguments stay apart.
 *
 * An argument is looked at three times: as a word after other words (options
 * of known programs, "--token X"); as a text that shows secrets by itself
 * (redact_scan.c); and, where it contains blanks, as a command line of its own,
 * whose words are looked at in the same way down to DEPTH_MAX. Words of a
 * command line are ranges of the text with their quotes and backslashes still
 * in them: close enough to find a value, and nothing has to be copied.
 */
#include "redact.h"

#include <string.h>

#include "redact_scan.h"
#include "redact_words.h"

#define DEPTH_MAX 4

/* --- words after words ------------------------------------------------------------------------- */

struct words {
	bool started;			/* the program's name was seen */
	bool looking;			/* it runs another: a later word may be its name */
	enum dn_program_kind kind;
	bool listed;			/* it has options of its own in the tables */
	struct dn_span program;
	const char *after;		/* a word seen that options wait for */

	/* what the next word is */
	bool secret;
	bool unless_option;		/* but only if it looks like no option */
	bool command;			/* a command line */
	char split;
};

static bool option_applies(const struct dn_scan *s, const struct words *w,
			   const struct dn_secret_option *o)
{
	return dn_program_matches(o->program, s->p + w->program.a, dn_span_len(w->program)) &&
	       (!o->after || (w->after && !strcmp(w->after, o->after)));
}

/* -pX, -p X, -sSu X. True if t was such an option. */
static bool short_option(struct dn_scan *s, struct words *w, struct dn_span t)
{
	for (const struct dn_secret_option *o = dn_secret_options; w->listed && o->program; o++) {
		size_t i = t.a + 1;

		if (o->name[1] || !option_applies(s, w, o))
			continue;
		while (i < t.b && s->p[i] != o->name[0] && dn_any_of(s->p[i], o->flags))
			i++;
		if (i >= t.b || s->p[i] != o->name[0])
			continue;
		if (++i < t.b) {
			if (o->form & DN_OPTION_GLUED)
				dn_mark_split(s, (struct dn_span){ i, t.b }, o->split);
			return o->form & DN_OPTION_GLUED;
		}
		if (o->form & DN_OPTION_NEXT) {
			w->secret = true;
			w->unless_option = false;
			w->split = o->split;
			return true;
		}
	}
	return false;
}

/* --NAME X, --NAME=X, -NAME X */
static void long_option(struct dn_scan *s, struct words *w, struct dn_span t)
{
	struct dn_span name = t;

	while (name.a < t.b && s->p[name.a] == '-')
		name.a++;
	name.b = dn_find(s, name, '=');
	for (const struct dn_secret_option *o = dn_secret_options; w->listed && o->program; o++) {
		if (!o->name[1] || !dn_equals(s, name, o->name) || !option_applies(s, w, o))
			continue;
		if (name.b < t.b) {
			dn_mark_split(s, (struct dn_span){ name.b + 1, t.b }, o->split);
			return;
		}
		w->secret = w->unless_option = true;
		w->split = o->split;
		return;
	}
	/* the form with '=' is for scan_names */
	if (name.b < t.b || dn_span_len(name) < 2 || dn_flag_name(s->p + name.a, dn_span_len(name)) ||
	    !dn_secret_name(s->p + name.a, dn_span_len(name)))
		return;
	w->secret = w->unless_option = true;
	w->split = 0;
}

static void option(struct dn_scan *s, struct words *w, struct dn_span t)
{
	bool twice = dn_span_len(t) > 1 && s->p[t.a + 1] == '-';

	if (!twice && short_option(s, w, t))
		return;
	long_option(s, w, t);
	if (!twice && w->kind == DN_PROGRAM_SHELL && dn_find(s, t, 'c') < t.b)
		w->command = true;
}

static bool is_assignment(const struct dn_scan *s, struct dn_span t)
{
	size_t i = t.a;

	while (i < t.b && (dn_is_alnum(s->p[i]) || s->p[i] == '_'))
		i++;
	return i > t.a && i < t.b && s->p[i] == '=';
}

/* A word that is no option: the program's name, or one that tells of the next. */
static void plain_word(struct dn_scan *s, struct words *w, struct dn_span t)
{
	size_t slash = dn_find_last(s, t, '/');
	struct dn_span base = { slash < t.b ? slash + 1 : t.a, t.b };

	if (dn_span_len(base) && s->p[base.a] == '-')	/* a login shell */
		base.a++;
	if (!w->started || w->looking) {
		enum dn_program_kind kind = dn_program_kind(s->p + base.a, dn_span_len(base));
		bool listed = dn_program_listed(s->p + base.a, dn_span_len(base));

		if (!w->started || listed || kind != DN_PROGRAM_PLAIN) {
			w->started = true;
			w->program = base;
			w->kind = kind;
			w->listed = listed;
			w->looking = kind != DN_PROGRAM_PLAIN;
			return;
		}
	}
	if (!w->listed)
		return;
	for (const struct dn_secret_option *o = dn_secret_options; o->program; o++)
		if (o->after && dn_equals(s, t, o->after))
			w->after = o->after;
	for (const struct dn_secret_word *x = dn_secret_words; x->program; x++)
		if (dn_equals(s, t, x->word) &&
		    dn_program_matches(x->program, s->p + w->program.a, dn_span_len(w->program))) {
			w->secret = true;
			w->unless_option = false;
			w->split = 0;
		}
}

/* What a getopt program would take for an option and a person for no secret. */
static bool looks_like_option(const struct dn_scan *s, struct dn_span t)
{
	if (dn_span_len(t) < 2 || s->p[t.a] != '-')
		return false;
	if (s->p[t.a + 1] == '-')
		return dn_span_len(t) == 2 || dn_is_alpha(s->p[t.a + 2]);
	return dn_span_len(t) == 2 && dn_is_alpha(s->p[t.a + 1]);
}

/* openssl's file:, env:, fd: and stdin name a place, not the secret. */
static bool names_a_place(const struct dn_scan *s, struct dn_span t)
{
	return dn_has_word(s, t, t.a, "file:") || dn_has_word(s, t, t.a, "env:") ||
	       dn_has_word(s, t, t.a, "fd:") || dn_equals(s, t, "stdin");
}

static void command_line(struct dn_scan *s, struct dn_span t, unsigned depth);

static void word(struct dn_scan *s, struct words *w, struct dn_span t, unsigned depth)
{
	bool secret = w->secret, command = w->command, blanks;

	w->secret = w->command = false;
	t = dn_unquote(s, t);
	if (secret && !(w->unless_option && looks_like_option(s, t)) && !names_a_place(s, t)) {
		if (dn_has_word(s, t, t.a, "pass:"))	/* openssl again: the word itself */
			t.a += 5;
		dn_mark_split(s, t, w->split);
		if (!w->split || dn_find(s, t, w->split) < t.b)
			return;
	}
	blanks = dn_end_of_any(s, t, " \t\n;|&(") < t.b;
	if (dn_span_len(t) && s->p[t.a] == '-' && w->started)
		option(s, w, t);
	else if (!command && !is_assignment(s, t))
		plain_word(s, w, t);
	if (w->kind == DN_PROGRAM_REMOTE && blanks)
		command = true;

	dn_scan_anywhere(s, t, !command);
	if ((command || blanks) && depth < DEPTH_MAX) {
		size_t eq = dn_find(s, t, '=');

		/* --command='mysql -pX': the line begins behind the '=' */
		if (dn_span_len(t) && s->p[t.a] == '-' && eq < t.b)
			t.a = eq + 1;
		command_line(s, dn_unquote(s, t), depth + 1);
	}
}

/* Where the word that begins at t.a ends: a blank or operator, outside quotes
 * unless these are to be ignored. */
static size_t word_end(const struct dn_scan *s, struct dn_span t, bool quotes)
{
	size_t i = t.a;

	while (i < t.b && !dn_any_of(s->p[i], " \t\r\n;|&()<>`")) {
		char c = s->p[i];

		if (c == '\\') {
			i += 2;
		} else if (quotes && dn_is_quote(c)) {
			struct dn_span rest = { i + 1, t.b };

			/* backslash means nothing within single quotes */
			i = (c == '"' ? dn_quote_end(s, rest, c, false) : dn_find(s, rest, c)) + 1;
		} else {
			i++;
		}
	}
	return i < t.b ? i : t.b;
}

static void command_line(struct dn_scan *s, struct dn_span t, unsigned depth)
{
	struct words w = { 0 };
	/* All one word, though it has blanks: "don't --password x". The quotes are
	 * none of a shell, or there would be no end to this. */
	bool quotes = word_end(s, t, true) < t.b;

	while (t.a < t.b) {
		char c = s->p[t.a];
		size_t e;

		if (dn_any_of(c, "\n;|&()`")) {
			w = (struct words){ 0 };
			t.a++;
			continue;
		}
		e = word_end(s, t, quotes);
		if (e == t.a) {
			t.a++;
			continue;
		}
		word(s, &w, (struct dn_span){ t.a, e }, depth);
		t.a = e;
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static size_t copy(const struct dn_scan *s, char *out, size_t cap, unsigned *count)
{
	size_t n = 0, i = 0;
	unsigned found = 0;

	while (i < s->len) {
		const char *from = s->p + i;
		size_t k = 1;

		if (s->mark[i / 8] & 1u << (i % 8)) {
			while (i < s->len && s->mark[i / 8] & 1u << (i % 8))
				i++;
			from = DN_REDACTED;
			k = strlen(DN_REDACTED);
			found++;
		} else {
			i++;
		}
		if (k > cap - n)
			k = cap - n;
		memcpy(out + n, from, k);
		n += k;
	}
	if (count)
		*count += found;
	return n;
}

static void scan_begin(struct dn_scan *s, const char *in, size_t len)
{
	s->p = in;
	s->len = len < DN_REDACT_MAX ? len : DN_REDACT_MAX;
	s->cut = false;
	memset(s->mark, 0, s->len / 8 + (s->len % 8 != 0));
}

size_t dn_redact_argv(const char *in, size_t len, char *out, size_t cap, unsigned *count)
{
	struct words w = { 0 };
	struct dn_scan s;
	size_t i = 0;

	scan_begin(&s, in, len);
	s.cut = s.len && in[s.len - 1];
	while (i < s.len) {
		size_t e = dn_find(&s, (struct dn_span){ i, s.len }, '\0');

		word(&s, &w, (struct dn_span){ i, e }, 0);
		i = e + 1;
	}
	return copy(&s, out, cap, count);
}

size_t dn_redact_text(const char *in, size_t len, char *out, size_t cap, unsigned *count)
{
	struct dn_scan s;

	scan_begin(&s, in, len);
	/* what only the text as a whole shows: "password = X" */
	dn_scan_anywhere(&s, (struct dn_span){ 0, s.len }, false);
	command_line(&s, (struct dn_span){ 0, s.len }, 0);
	return copy(&s, out, cap, count);
}
