/*
 * check_out.c - the diagnosis as a page of 80 columns, and as JSON.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "json.h"

#ifndef DN_VERSION
#define DN_VERSION "unknown"
#endif

#define COLUMNS 80
#define INDENT 12

static const char *verdict_name(enum dn_verdict v)
{
	return v == DN_VERDICT_FULL ? "full" : v == DN_VERDICT_DEGRADED ? "degraded" : "none";
}

static const char *verdict_text(enum dn_verdict v)
{
	switch (v) {
	case DN_VERDICT_FULL:
		return "Full recording works here.";
	case DN_VERDICT_DEGRADED:
		return "Not everything can be recorded here: see what is missing or degraded above.";
	case DN_VERDICT_NONE:
		return "No system calls can be recorded here, only what /proc shows. See what is missing above.";
	}
	return "";
}

/* Control characters, which a path may hold, do nothing to the terminal. */
static void put_safe(FILE *f, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		putc(c < 0x20 || c == 0x7f ? '?' : c, f);
	}
}

/* Words of text from column `at` on, later lines from column `indent`. */
static void wrap(FILE *f, const char *text, size_t at, int indent)
{
	bool first = true;

	for (;;) {
		size_t n;

		text += strspn(text, " \n");
		n = strcspn(text, " \n");
		if (!n)
			break;
		if (!first && at + 1 + n > COLUMNS) {
			fprintf(f, "\n%*s", indent, "");
			at = (size_t)indent;
		} else if (!first) {
			putc(' ', f);
			at++;
		}
		put_safe(f, text, n);
		at += n;
		text += n;
		first = false;
	}
}

/* A command, to be copied: a line is broken only where the shell goes on reading. */
static void put_command(FILE *f, const char *text)
{
	const char *mark = "$";

	while (*text) {
		const char *and = strstr(text, "&& ");
		size_t n = and ? (size_t)(and - text) + 2 : strlen(text);

		fprintf(f, "\n%*s%s ", INDENT, "", mark);
		put_safe(f, text, n);
		text += and ? n + 1 : n;
		mark = " ";
	}
}

void dn_check_text(const struct dn_diagnosis *d, FILE *f, bool colour)
{
	static const char *const paint[] = { "\033[32m", "", "\033[33m", "\033[31m" };
	const char *group = "";

	for (size_t i = 0; i < d->nfindings; i++) {
		const struct dn_finding *g = &d->finding[i];
		const char *state = dn_check_state_name(g->state);

		if (strcmp(group, g->group))
			fprintf(f, "%s%s\n", *group ? "\n" : "", g->group);
		group = g->group;
		fprintf(f, "  %s%-*s%s", colour ? paint[g->state] : "", INDENT - 2, state,
			colour && *paint[g->state] ? "\033[0m" : "");
		fprintf(f, "%s: ", g->id);
		wrap(f, g->found, INDENT + strlen(g->id) + 2, INDENT);
		fprintf(f, "\n%*s", INDENT, "");
		wrap(f, g->means, INDENT, INDENT);
		put_command(f, g->fix);
		putc('\n', f);
	}
	putc('\n', f);
	wrap(f, verdict_text(d->verdict), 0, 0);
	putc('\n', f);
}

static void put_text(struct dn_json *j, const char *key, const char *text)
{
	if (*text)
		dn_json_str(j, key, text, strlen(text));
	else
		dn_json_null(j, key);
}

static void put_error(struct dn_json *j, const char *key, int err)
{
	if (err)
		dn_json_int(j, key, -err);
	else
		dn_json_null(j, key);
}

void dn_check_json(const struct dn_diagnosis *d, FILE *f)
{
	struct dn_json j = { .out = f };

	dn_json_object(&j, NULL);
	dn_json_int(&j, "schema_version", 1);
	dn_json_object(&j, "generator");
	put_text(&j, "name", "denet-record");
	put_text(&j, "version", DN_VERSION);
	dn_json_end(&j);
	put_text(&j, "verdict", verdict_name(d->verdict));
	dn_json_int(&j, "exit_status", d->verdict);
	dn_json_array(&j, "findings");
	for (size_t i = 0; i < d->nfindings; i++) {
		const struct dn_finding *g = &d->finding[i];

		dn_json_object(&j, NULL);
		put_text(&j, "id", g->id);
		put_text(&j, "group", g->group);
		put_text(&j, "state", dn_check_state_name(g->state));
		put_text(&j, "found", g->found);
		put_text(&j, "means", g->means);
		put_text(&j, "fix", g->fix);
		dn_json_end(&j);
	}
	dn_json_end(&j);
	dn_json_array(&j, "programs");
	for (size_t i = 0; i < d->ntrials; i++) {
		const struct dn_check_trial *t = &d->trial[i];

		dn_json_object(&j, NULL);
		put_text(&j, "object", t->object);
		put_text(&j, "probe", t->probe);
		put_text(&j, "rung", t->rung);
		put_text(&j, "program", t->program);
		put_error(&j, "load_errno", t->load_err);
		put_error(&j, "attach_errno", t->attach_err);
		put_text(&j, "why", t->why);
		dn_json_end(&j);
	}
	dn_json_end(&j);
	dn_json_end(&j);
}
