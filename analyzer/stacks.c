/*
 * stacks.c - two queries, and names made fit to be shown.
 *
 * The names of folded stacks follow the scripts of Brendan Gregg's FlameGraph, as
 * its README and stackcollapse-perf.pl's options describe them: ";" between frames,
 * _[k] behind a frame of the kernel, "_" for a blank in the name of a thread.
 */
#include "stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "db.h"
#include "flametree.h"
#include "human.h"
#include "query.h"
#include "say.h"
#include "text.h"

#define NAME_MAX_BYTES 4096	/* a name of C++ may be longer; nobody reads on */

const struct dn_weight_name dn_weight_names[DN_WEIGHTS] = {
	[DN_WEIGHT_SAMPLES] = { "samples", "Samples of what ran", false },
	[DN_WEIGHT_OFFCPU] = { "offcpu", "Time off the CPU", true },
	[DN_WEIGHT_CALLS] = { "calls", "System calls", false },
	[DN_WEIGHT_CALLTIME] = { "calltime", "Time in system calls", true },
};

static enum dn_frame_kind kind_of(const char *s)
{
	return !strcmp(s, "kernel") || !strcmp(s, "module") ? DN_FRAME_KERNEL : !strcmp(s, "mark") ? DN_FRAME_MARK : DN_FRAME_USER;
}

/* What a name looks like, behind what is in out: what does not print as \xNN, never empty. */
static void add(struct dn_text *out, const char *p, size_t len, bool folded)
{
	char safe[NAME_MAX_BYTES + 1];

	dn_safe(safe, sizeof(safe), p, len, NAME_MAX_BYTES / 4);
	if (folded)
		for (char *c = safe; *c; c++)
			if (*c == ';')
				*c = ':';
	dn_text_add(out, *safe ? safe : "[unknown]");
}

static void show(struct dn_text *out, const char *p, size_t len, bool folded)
{
	dn_text_reset(out);
	add(out, p, len, folded);
}

/* " FILE:LINE", of the file the last part. */
static void add_line(struct dn_text *out, const char *p, size_t len, int64_t line, bool folded)
{
	size_t dir = len;

	while (dir && p[dir - 1] != '/')
		dir--;
	dn_text_char(out, ' ');
	add(out, p + dir, len - dir, folded);
	dn_text_addf(out, ":%" PRId64, line);
}

int dn_stacks_frames(struct dn_db *db, int64_t trace, struct dn_flametree *t, bool folded)
{
	struct dn_query *q = dn_query_new(db,
		"SELECT stack_id, parent_id, name, module, ifnull(kind, ''), file, line FROM stack_nodes WHERE trace_id = ?1"
		" ORDER BY stack_id");
	struct dn_text name = { 0 }, object = { 0 };
	int err;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	while ((err = dn_query_step(q)) > 0) {
		enum dn_frame_kind kind = kind_of(dn_query_text(q, 4, NULL));
		int64_t parent = dn_query_int(q, 1);
		bool has_object = !folded && !dn_query_null(q, 3);
		size_t len;
		const char *p = dn_query_text(q, 2, &len);

		show(&name, p, len, folded);
		if (!dn_query_null(q, 6)) {
			p = dn_query_text(q, 5, &len);
			add_line(&name, p, len, dn_query_int(q, 6), folded);
		}
		p = dn_query_text(q, 3, &len);
		show(&object, p, has_object ? len : 0, false);
		if (folded && kind == DN_FRAME_KERNEL)
			dn_text_add(&name, "_[k]");
		err = name.failed || object.failed ? -ENOMEM :
		      dn_flametree_frame(t, dn_query_int(q, 0), dn_query_null(q, 1) ? NULL : &parent,
					 name.p, name.len, has_object ? object.p : NULL, object.len,
					 folded ? DN_FRAME_USER : kind);
		if (err)
			break;
	}
	dn_text_free(&name);
	dn_text_free(&object);
	dn_query_free(q);
	return err;
}

/* "comm", "comm-12" or "comm-12/13". */
static void name_root(struct dn_text *out, const struct dn_query *q, enum dn_stacks_by by, bool folded)
{
	size_t len;
	const char *comm = dn_query_text(q, 1, &len);

	show(out, comm, len, folded);
	for (size_t i = 0; folded && i < out->len; i++)
		if (out->p[i] == ' ')
			out->p[i] = '_';
	if (by != DN_BY_NONE)
		dn_text_addf(out, "-%" PRId64, dn_query_int(q, 2));
	if (by == DN_BY_THREAD)
		dn_text_addf(out, "/%" PRId64, dn_query_int(q, 3));
}

int64_t dn_stacks_weigh(struct dn_db *db, int64_t trace, struct dn_flametree *t, enum dn_weight of,
			enum dn_stacks_by by, bool folded)
{
	struct dn_query *q = dn_query_new(db,
		"SELECT stack_id, comm, pid, tid, weight FROM stack_weights"
		" WHERE trace_id = ?1 AND what = ?2");
	struct dn_text root = { 0 };
	int64_t n = 0;
	int err;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	dn_query_bind_text(q, 2, dn_weight_names[of].what);
	for (; (err = dn_query_step(q)) > 0; n++) {
		name_root(&root, q, by, folded);
		err = root.failed ? -ENOMEM :
		      dn_flametree_add(t, root.p, root.len, dn_query_int(q, 0), dn_query_int(q, 4));
		if (err)
			break;
	}
	dn_text_free(&root);
	dn_query_free(q);
	if (!err)
		err = dn_flametree_settle(t);
	return err ? err : n;
}

int dn_stacks_has(struct dn_db *db, int64_t trace, enum dn_weight of)
{
	struct dn_query *q = dn_query_new(db,
		"SELECT 1 FROM stack_weights WHERE trace_id = ?1 AND what = ?2 LIMIT 1");
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	dn_query_bind_text(q, 2, dn_weight_names[of].what);
	ret = dn_query_step(q);
	dn_query_free(q);
	return ret;
}

void dn_stacks_flaws(const struct dn_flametree *t, struct dn_text *out)
{
	const struct dn_flame_flaws *f = dn_flametree_flaws(t);
	const struct {
		uint64_t n;
		const char *what;
	} said[] = {
		{ f->broken, "stacks that the trace does not have whole" },
		{ f->deep, "frames too deep to be told apart" },
		{ f->crowded, "weights of stacks that there was no room for" },
		{ f->negative, "weights below 0 left out" },
	};
	char buf[DN_HUMAN_SIZE];

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (said[i].n)
			dn_text_addf(out, "%s%s: %s", out->len ? "; " : "", said[i].what,
				     dn_human_digits(buf, sizeof(buf), said[i].n));
}
