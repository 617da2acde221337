/*
 * redact_scan.c - secrets that a text shows by itself: NAME=VALUE, URLs, tokens
 * known by their form, keys, SQL.
 */
#include "redact_scan.h"

#include <string.h>
#include <strings.h>

#include "redact_words.h"

/* --- bytes ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool dn_is_quote(char c)
{
	return c == '"' || c == '\'';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool dn_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool dn_is_alnum(char c)
{
	return dn_is_alpha(c) || is_digit(c);
}

static bool is_name(char c)
{
	return dn_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

bool dn_any_of(char c, const char *set)
{
	return c && strchr(set, c);
}

size_t dn_span_len(struct dn_span t)
{
	return t.b - t.a;
}

/* Does the text of t go on with word at i, whatever its case? */
bool dn_has_word(const struct dn_scan *s, struct dn_span t, size_t i, const char *word)
{
	size_t n = strlen(word);

	return i <= t.b && t.b - i >= n && !strncasecmp(s->p + i, word, n);
}

bool dn_equals(const struct dn_scan *s, struct dn_span t, const char *word)
{
	return dn_span_len(t) == strlen(word) && !memcmp(s->p + t.a, word, dn_span_len(t));
}

static size_t skip_blanks(const struct dn_scan *s, struct dn_span t, size_t i)
{
	while (i < t.b && is_blank(s->p[i]))
		i++;
	return i;
}

/* Where c stands in t, or t.b. */
size_t dn_find(const struct dn_scan *s, struct dn_span t, char c)
{
	const char *at = dn_span_len(t) ? memchr(s->p + t.a, c, dn_span_len(t)) : NULL;

	return at ? (size_t)(at - s->p) : t.b;
}

size_t dn_find_last(const struct dn_scan *s, struct dn_span t, char c)
{
	const char *at = dn_span_len(t) ? memrchr(s->p + t.a, c, dn_span_len(t)) : NULL;

	return at ? (size_t)(at - s->p) : t.b;
}

static size_t find_text(const struct dn_scan *s, struct dn_span t, const char *text)
{
	const char *at = dn_span_len(t) ? memmem(s->p + t.a, dn_span_len(t), text, strlen(text)) : NULL;

	return at ? (size_t)(at - s->p) : t.b;
}

/* The quote at i, if there is one; *next is behind it. A backslash before it
 * belongs to it: it is a quote within quotes. */
static char quote_at(const struct dn_scan *s, struct dn_span t, size_t i, size_t *next)
{
	size_t q = i;

	if (q < t.b && s->p[q] == '\\')
		q++;
	if (q >= t.b || !dn_is_quote(s->p[q]))
		return 0;
	*next = q + 1;
	return s->p[q];
}

/* Where the text that a quote q opened ends: before its twin, or at t.b. An
 * escaped quote is closed by an escaped one. */
size_t dn_quote_end(const struct dn_scan *s, struct dn_span t, char q, bool escaped)
{
	for (size_t i = t.a; i < t.b; i++) {
		if (s->p[i] == '\\') {
			if (escaped && i + 1 < t.b && s->p[i + 1] == q)
				return i;
			i++;
		} else if (s->p[i] == q) {
			return i;
		}
	}
	return t.b;
}

/* t without the quotes around it. */
struct dn_span dn_unquote(const struct dn_scan *s, struct dn_span t)
{
	size_t next;
	char q;

	if (dn_span_len(t) > 1 && s->p[t.a] == '$' && dn_is_quote(s->p[t.a + 1]))
		t.a++;
	q = quote_at(s, t, t.a, &next);
	if (!q)
		return t;
	t.a = next;
	if (dn_span_len(t) && s->p[t.b - 1] == q)
		t.b--;
	if (dn_span_len(t) && s->p[t.b - 1] == '\\')
		t.b--;
	return t;
}

void dn_mark(struct dn_scan *s, struct dn_span t)
{
	t = dn_unquote(s, t);
	for (size_t i = t.a; i < t.b; i++)
		if (s->p[i])
			s->mark[i / 8] |= (uint8_t)(1u << (i % 8));
}

/* The part behind the first `split`, nothing where there is none; all for 0. */
void dn_mark_split(struct dn_scan *s, struct dn_span t, char split)
{
	size_t at;

	t = dn_unquote(s, t);
	if (!split) {
		dn_mark(s, t);
		return;
	}
	at = dn_find(s, t, split);
	if (at < t.b)
		dn_mark(s, (struct dn_span){ at + 1, t.b });
}

/* --- NAME=VALUE, NAME: VALUE --------------------------------------------------------- */

/* The name that ends before the '=' or ':' at i; *loose: with blanks between. */
static struct dn_span name_before(const struct dn_scan *s, struct dn_span t, size_t i, bool *loose)
{
	struct dn_span n;
	size_t e = i;

	while (e > t.a && (s->p[e - 1] == ' ' || s->p[e - 1] == '\t'))
		e--;
	*loose = e < i;
	while (e > t.a && (dn_is_quote(s->p[e - 1]) || s->p[e - 1] == '\\'))
		e--;
	n = (struct dn_span){ e, e };
	while (n.a > t.a && is_name(s->p[n.a - 1]))
		n.a--;
	while (n.a < n.b && s->p[n.a] == '-')
		n.a++;
	return n;
}

/* Does one more NAME= begin behind the separator at i? */
static bool name_follows(const struct dn_scan *s, struct dn_span t, size_t i)
{
	size_t from = skip_blanks(s, t, i + 1), n;

	while (from < t.b && (dn_is_quote(s->p[from]) || s->p[from] == '\\'))
		from++;
	for (n = from; n < t.b && n - from < 64 && is_name(s->p[n]);)
		n++;
	while (n < t.b && (dn_is_quote(s->p[n]) || s->p[n] == '\\'))
		n++;
	return n > from ? n < t.b && (s->p[n] == '=' || s->p[n] == ':') : n == t.b;
}

/* Where a value without quotes inside a longer text ends. */
static size_t bare_end(const struct dn_scan *s, struct dn_span t)
{
	size_t i, next;

	for (i = t.a; i < t.b; i++) {
		char c = s->p[i];

		if (is_blank(c) || c == '`' || quote_at(s, t, i, &next) ||
		    (dn_any_of(c, "&,;") && name_follows(s, t, i)))
			break;
	}
	return i;
}

/* "Bearer X": the scheme stays. */
static size_t skip_scheme(const struct dn_scan *s, struct dn_span t)
{
	static const char *const schemes[] = { "bearer", "basic", "digest", "negotiate", "ntlm",
					       "token", "apikey", "key", "aws4-hmac-sha256" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = t.a + strlen(schemes[i]);

		if (dn_has_word(s, t, t.a, schemes[i]) && n < t.b && is_blank(s->p[n]))
			return skip_blanks(s, t, n);
	}
	return t.a;
}

/* The value that begins at or behind v. first: the name begins the argument,
 * so the value is the rest of it; else it ends by quote, blank or separator. */
static struct dn_span value_at(const struct dn_scan *s, struct dn_span t, size_t v, bool first, bool header)
{
	struct dn_span r = { v, t.b };
	size_t next;
	char q = quote_at(s, t, v, &next);

	if (first) {
		return r;
	} else if (q) {
		r.a = next;
		r.b = dn_quote_end(s, r, q, s->p[v] == '\\');
	} else if (header) {
		while (v < t.b && s->p[v] != '\n' && !quote_at(s, t, v, &next))
			v++;
		r.b = v;
	} else {
		r.b = bare_end(s, r);
	}
	return r;
}

static bool is_work_dir(const struct dn_scan *s, struct dn_span name, size_t v, size_t end)
{
	return (dn_equals(s, name, "PWD") || dn_equals(s, name, "OLDPWD")) &&
	       (v == end || s->p[v] == '/');
}

/* whole: t is one argument, so a name at its very beginning owns all of it. */
static void scan_names(struct dn_scan *s, struct dn_span t, bool whole)
{
	size_t lead = t.a;	/* the beginning: names, dashes and '=' only */

	while (lead < t.b && (is_name(s->p[lead]) || s->p[lead] == '='))
		lead++;
	for (size_t i = t.a; i < t.b; i++) {
		char sep = s->p[i];
		struct dn_span n, v;
		bool loose, header, first;
		size_t from = i + 1;

		if (sep != '=' && sep != ':')
			continue;
		n = name_before(s, t, i, &loose);
		/* not https://..., nor the path /run/token:/run */
		if (!dn_span_len(n) || !dn_secret_name(s->p + n.a, dn_span_len(n)) ||
		    (sep == ':' && (dn_has_word(s, t, i, "://") ||
				    (n.a > t.a && s->p[n.a - 1] == '/'))))
			continue;
		if (sep == '=' && from < t.b && s->p[from] == '>') {
			from++;
			loose = true;
		}
		if (loose || sep == ':')
			from = skip_blanks(s, t, from);
		if (is_work_dir(s, n, from, t.b))
			continue;
		first = whole && n.a <= lead;
		header = dn_has_word(s, n, n.b - (dn_span_len(n) < 13 ? dn_span_len(n) : 13), "authorization");
		v = value_at(s, t, from, first, header);
		if (header)
			v.a = skip_scheme(s, v);
		dn_mark(s, v);
		if (v.b > i)
			i = v.b - 1;
	}
}

/* --- scheme://user:password@host -------------------------------------------------------- */

static bool all_digits(const struct dn_scan *s, struct dn_span t)
{
	for (size_t i = t.a; i < t.b; i++)
		if (!is_digit(s->p[i]))
			return false;
	return true;
}

size_t dn_end_of_any(const struct dn_scan *s, struct dn_span t, const char *set)
{
	uint64_t in[4] = { 0 };	/* a bit for each byte: the sets are asked for every one */

	for (; *set; set++)
		in[(unsigned char)*set / 64] |= (uint64_t)1 << (unsigned char)*set % 64;
	while (t.a < t.b) {
		unsigned char c = (unsigned char)s->p[t.a];

		if (in[c / 64] >> c % 64 & 1)
			break;
		t.a++;
	}
	return t.a;
}

#define URL_END " \t\r\n\"'`<>\\"

/* The password of the URL whose "://" ends at host; returns where to go on. */
static size_t scan_url(struct dn_scan *s, struct dn_span t, size_t host_at, size_t *searched)
{
	struct dn_span host = { host_at, t.b }, rest;
	size_t at, colon;

	host.b = dn_end_of_any(s, host, "/?#" URL_END);
	at = dn_find_last(s, host, '@');
	colon = dn_find(s, (struct dn_span){ host.a, at }, ':');
	if (at < host.b) {
		if (colon < at)
			dn_mark(s, (struct dn_span){ colon + 1, at });
		else if (at - host.a >= 20)	/* no name is: a token */
			dn_mark(s, (struct dn_span){ host.a, at });
		return at;
	}
	if (colon == host.b || s->p[host.a] == '[')
		return host.b;
	/* host:port, or a password with a '/' in it, or one that was cut off */
	rest = (struct dn_span){ colon + 1, host.b };
	if (s->cut && host.b == s->len) {
		dn_mark(s, rest);
		return host.b;
	}
	if (all_digits(s, rest) || rest.a < *searched)
		return host.b;
	rest.b = dn_end_of_any(s, (struct dn_span){ host.b, t.b }, URL_END);
	at = dn_find_last(s, rest, '@');
	if (at < rest.b || (s->cut && rest.b == s->len)) {
		dn_mark(s, (struct dn_span){ rest.a, at });
		return at;
	}
	*searched = rest.b;
	return host.b;
}

static void scan_urls(struct dn_scan *s, struct dn_span t)
{
	size_t searched = 0;	/* no '@' before here: keeps "://a:b/://a:b/" linear */

	while ((t.a = find_text(s, t, "://")) < t.b)
		t.a = scan_url(s, t, t.a + 3, &searched);
}

/* --- tokens known by their form ------------------------------------------------------------ */

static bool is_form_char(const struct dn_secret_form *f, char c)
{
	if (f->upper)
		return is_digit(c) || (c >= 'A' && c <= 'Z');
	return dn_is_alnum(c) || dn_any_of(c, f->more);
}

/* Where the token that begins at i ends, or i. */
static size_t form_end(const struct dn_scan *s, struct dn_span t, size_t i)
{
	for (const struct dn_secret_form *f = dn_secret_forms; f->prefix; f++) {
		size_t n = strlen(f->prefix), e = i + n;

		if (t.b - i < n || memcmp(s->p + i, f->prefix, n))
			continue;
		while (e < t.b && is_form_char(f, s->p[e]))
			e++;
		/* of one cut off, a few characters are enough */
		if (e - i - n >= f->min || (s->cut && e == s->len && e - i - n >= 4))
			return e;
	}
	return i;
}

/* "Bearer X" outside of a header. */
static size_t bearer_end(const struct dn_scan *s, struct dn_span t, size_t i, size_t *from)
{
	size_t e;

	if (!dn_has_word(s, t, i, "bearer "))
		return i;
	*from = e = skip_blanks(s, t, i + 7);
	while (e < t.b && (dn_is_alnum(s->p[e]) || dn_any_of(s->p[e], "._~+/=-")))
		e++;
	return e - *from >= 8 || (s->cut && e == s->len) ? e : i;
}

static void scan_forms(struct dn_scan *s, struct dn_span t)
{
	for (size_t i = t.a; i < t.b; i++) {
		size_t e, from = i;

		if (!dn_any_of(s->p[i], DN_SECRET_FORM_FIRST "bB") ||
		    (i > t.a && dn_is_alnum(s->p[i - 1])))
			continue;
		e = form_end(s, t, i);
		if (e == i)
			e = bearer_end(s, t, i, &from);
		if (e == i)
			continue;
		dn_mark(s, (struct dn_span){ from, e });
		i = e - 1;
	}
}

static void scan_pem(struct dn_scan *s, struct dn_span t)
{
	size_t i, e;

	while ((i = find_text(s, t, "-----BEGIN ")) < t.b) {
		t.a = i + 11;
		i = find_text(s, t, "-----");
		if (i == t.b || i - t.a > 64 ||
		    find_text(s, (struct dn_span){ t.a, i }, "PRIVATE KEY") == i)
			continue;
		e = find_text(s, (struct dn_span){ i + 5, t.b }, "-----END");
		dn_mark(s, (struct dn_span){ i + 5, e });
		t.a = e;
	}
}

/* --- SQL: IDENTIFIED ... BY 'X', PASSWORD 'X', PASSWORD('X') -------------------------------- */

static void mark_literal(struct dn_scan *s, struct dn_span t, size_t i)
{
	struct dn_span v = { i, t.b };
	char q;

	while (v.a < t.b && (is_blank(s->p[v.a]) || s->p[v.a] == '('))
		v.a++;
	q = v.a > i ? quote_at(s, t, v.a, &v.a) : 0;
	if (!q)
		return;
	v.b = dn_quote_end(s, v, q, s->p[v.a - 2] == '\\');
	dn_mark(s, v);
}

static void scan_sql(struct dn_scan *s, struct dn_span t)
{
	for (size_t i = t.a; i < t.b; i++) {
		struct dn_span clause = { i, t.b - i < 128 ? t.b : i + 128 };
		char c = s->p[i];

		if ((c != 'p' && c != 'P' && c != 'i' && c != 'I') ||
		    (i > t.a && dn_is_alnum(s->p[i - 1])))
			continue;
		if (dn_has_word(s, t, i, "password"))
			mark_literal(s, t, i + 8);
		if (!dn_has_word(s, t, i, "identified "))
			continue;
		while (clause.a < clause.b && !dn_has_word(s, clause, clause.a, " by "))
			clause.a++;
		if (clause.a < clause.b)
			mark_literal(s, t, clause.a + 3);
	}
}

void dn_scan_anywhere(struct dn_scan *s, struct dn_span t, bool whole)
{
	scan_names(s, t, whole);
	scan_urls(s, t);
	scan_forms(s, t);
	scan_pem(s, t);
	scan_sql(s, t);
}
