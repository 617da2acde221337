/*
 * check_tracing.c - tracefs and kernel symbols.
 *
 * "No such file or directory" from a tool that attaches through tracefs is often
 * a lie: it tried /sys/kernel/debug/tracing, was not let through the directory
 * above (EACCES), went on to /sys/kernel/tracing, where nothing is mounted, and
 * told of that. So every directory on the way is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_int.h"
#include "procfs.h"

/* "/a\040b": mountinfo writes blanks and the like in octal. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		unsigned v;

		if (*s == '\\' && sscanf(s + 1, "%3o", &v) == 1) {
			*to++ = (char)v;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

#define POINT_MAX 256

/* Where tracefs is mounted, the place whose events we can read first. -1: nowhere. */
static int find_tracefs(struct dn_check *c, char point[POINT_MAX], struct dn_reached *r)
{
	char buf[4096], path[POINT_MAX + 16], this[POINT_MAX];
	struct dn_reached got;
	struct dn_lines l;
	int found = -1;
	char *line;
	size_t len;

	if (dn_lines_open(&l, c->env.root, "proc/self/mountinfo", buf, sizeof(buf) - 1))
		return -1;
	while (dn_lines_next(&l, &line, &len) > 0) {
		const char *dash;

		line[len] = 0;
		dash = strstr(line, " - tracefs ");
		if (!dash || sscanf(line, "%*s %*s %*s %*s /%255s", this) != 1)
			continue;
		unescape(this);
		snprintf(path, sizeof(path), "%s/events", this);
		if (found == 0 && r->how == DN_REACH_OK)
			continue;
		dn_reach(c, path, &got);
		if (found < 0 || got.how == DN_REACH_OK) {
			memcpy(point, this, sizeof(this));
			*r = got;
			found = 0;
		}
	}
	dn_lines_close(&l);
	return found;
}

#define NOT_NEEDED "no probe of the recorder is attached through it"

void dn_check_tracefs(struct dn_check *c)
{
	enum dn_check_state bad = c->tracefs_needed ? dn_blame(c) : DN_CHECK_INFO;
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "tracefs");
	struct dn_reached r, debug;
	char point[POINT_MAX], text[768];

	if (find_tracefs(c, point, &r)) {
		f->state = bad;
		dn_reach(c, "sys/kernel/debug/tracing", &debug);
		dn_found(f, "tracefs is not mounted%s%s%s", debug.how == DN_REACH_HIDDEN ? ", as far as can be seen: " : "",
			 debug.how == DN_REACH_HIDDEN ? debug.at : "",
			 debug.how == DN_REACH_HIDDEN ? " may not be searched" : "");
		dn_means(f, c->tracefs_needed ? "tracepoints cannot be found by name: errors of attaching say ENOENT" : NOT_NEEDED);
		if (c->tracefs_needed)
			dn_fix(f, "sudo mount -t tracefs nodev /sys/kernel/tracing");
		return;
	}
	if (r.how == DN_REACH_OK) {
		dn_found(f, "mounted on /%s, its events can be read", point);
		dn_means(f, c->tracefs_needed ? "tracepoints are found by name" : NOT_NEEDED);
		return;
	}
	f->state = bad;
	dn_found(f, "mounted on /%s; its events are %s", point, dn_reach_text(&r, text, sizeof(text)));
	dn_means(f, "%s; where a tool says of it \"No such file or directory\" (ENOENT), it is really EACCES",
		 c->tracefs_needed ? "tracepoints cannot be found by name" : NOT_NEEDED);
	if (c->tracefs_needed)
		dn_fix(f, "sudo setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep %s", c->self);
}

/* Symbols of per-CPU areas begin at 0, so one line of zeros says nothing. */
#define SYMBOLS_LOOKED_AT 64

/* Attaching by name never needed the addresses: the kernel looks them up itself. */
void dn_check_symbols(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "kallsyms");
	bool shown = false, any = false;
	struct dn_lines l;
	char buf[4096], *line;
	size_t len;
	int err = dn_lines_open(&l, c->env.root, "proc/kallsyms", buf, sizeof(buf) - 1);

	if (!err) {
		for (int i = 0; i < SYMBOLS_LOOKED_AT && !shown && (err = dn_lines_next(&l, &line, &len)) > 0; i++) {
			line[len] = 0;
			any = true;
			shown = strtoull(line, NULL, 16) != 0;
		}
		dn_lines_close(&l);
	}
	if (err < 0 || !any) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/kallsyms: %s", err < 0 ? strerror(-err) : "it is empty");
	} else {
		dn_found(f, "/proc/kallsyms can be read, addresses are %s", shown ? "shown" : "hidden (zeros)");
	}
	dn_means(f, "the recorder looks up no address of the kernel");
}
