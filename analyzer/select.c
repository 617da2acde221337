/*
 * select.c - a list of system calls to one bit for each number of each ABI.
 *
 * Numbers without an entry in the tables (a newer kernel's, arm's private
 * ones) follow the words `all` and `!` only, as one for all.
 */
#include "select.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

struct dn_select {
	bool *has[DN_ABI_MAX];		/* of dn_syscall_end() numbers */
	uint32_t end[DN_ABI_MAX];
	bool unknown;
};

/* One word, ready to be held against calls. */
struct word {
	enum { ALL, NAME, CATEGORY, REGEX } kind;
	const char *name;
	int category;
	regex_t re;
};

static bool matches(const struct word *w, const struct dn_syscall_info *i)
{
	switch (w->kind) {
	case ALL:
		return true;
	case NAME:
		return !strcmp(i->name, w->name);
	case CATEGORY:
		return i->category == w->category;
	case REGEX:
		return !regexec(&w->re, i->name, 0, NULL, 0);
	}
	return false;
}

/* Sets or clears the calls of a word. Returns how many there are. */
static unsigned apply(struct dn_select *s, const struct word *w, bool value)
{
	unsigned n = 0;

	for (unsigned abi = 0; abi < DN_ABI_MAX; abi++) {
		for (uint32_t nr = 0; nr < s->end[abi]; nr++) {
			const struct dn_syscall_info *i = dn_syscall_info((enum dn_abi)abi, nr);

			if (!(i ? matches(w, i) : w->kind == ALL))
				continue;
			s->has[abi][nr] = value;
			n++;
		}
	}
	if (w->kind == ALL)
		s->unknown = value;
	return n;
}

static int add_word(struct dn_select *s, char *text, char *err, size_t errlen)
{
	struct word w = { .name = text };
	bool value = *text != '!';
	size_t len;
	unsigned n;

	if (!value)
		w.name = ++text;
	len = strlen(text);
	if (!len) {
		snprintf(err, errlen, "a word of the list is empty");
		return -EINVAL;
	}
	if (!strcmp(text, "all")) {
		w.kind = ALL;
	} else if (*text == '%') {
		w.kind = CATEGORY;
		w.category = dn_category_by_name(text + 1);
		if (w.category < 0) {
			snprintf(err, errlen, "there is no category %s", text + 1);
			return -EINVAL;
		}
	} else if (*text == '/') {
		char why[128];
		int rc;

		w.kind = REGEX;
		if (len < 3 || text[len - 1] != '/') {
			snprintf(err, errlen, "the expression %s does not end in a slash", text);
			return -EINVAL;
		}
		text[len - 1] = '\0';
		rc = regcomp(&w.re, text + 1, REG_EXTENDED | REG_NOSUB);
		if (rc) {
			regerror(rc, &w.re, why, sizeof(why));
			snprintf(err, errlen, "the expression /%s/ does not compile: %s", text + 1,
				 why);
			return -EINVAL;
		}
	} else {
		w.kind = NAME;
	}
	n = apply(s, &w, value);
	if (w.kind == REGEX)
		regfree(&w.re);
	if (n)
		return 0;
	snprintf(err, errlen, w.kind == REGEX ? "no system call matches %s/" :
		 "there is no system call %s", text);
	return -EINVAL;
}

/* The end of the first word: a comma within slashes is the expression's. */
static char *word_end(char *p)
{
	char *q = p + (*p == '!');

	if (*q == '/') {
		q = strchr(q + 1, '/');
		while (q && q[1] && q[1] != ',')
			q = strchr(q + 1, '/');
		if (q)
			return q + 1;
	}
	return p + strcspn(p, ",");
}

int dn_select_new(const char *list, struct dn_select **out, char *err, size_t errlen)
{
	struct dn_select *s = calloc(1, sizeof(*s));
	struct word all = { .kind = ALL };
	char *copy = strdup(list), *p = copy, *end;
	int ret = -ENOMEM;
	bool last;

	snprintf(err, errlen, "there is no memory");
	if (!s || !copy)
		goto out;
	for (unsigned abi = 0; abi < DN_ABI_MAX; abi++) {
		s->end[abi] = dn_syscall_end((enum dn_abi)abi);
		s->has[abi] = calloc(s->end[abi] + 1, sizeof(bool));
		if (!s->has[abi])
			goto out;
	}
	if (*p == '!')
		apply(s, &all, true);
	do {
		end = word_end(p);
		last = !*end;
		*end = '\0';
		ret = add_word(s, p, err, errlen);
		p = end + 1;
	} while (!ret && !last);
out:
	free(copy);
	if (ret)
		dn_select_free(s);
	*out = ret ? NULL : s;
	return ret;
}

void dn_select_free(struct dn_select *s)
{
	if (!s)
		return;
	for (unsigned abi = 0; abi < DN_ABI_MAX; abi++)
		free(s->has[abi]);
	free(s);
}

bool dn_select_has(const struct dn_select *s, unsigned abi, uint32_t nr)
{
	if (!s)
		return true;
	if (abi >= DN_ABI_MAX || nr >= s->end[abi])
		return s->unknown;
	return s->has[abi][nr];
}
