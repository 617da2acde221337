/*
 * folded.c - the verb `folded`: "comm;outer;inner WEIGHT", a line for each stack.
 *
 * The form is that of the stackcollapse scripts, which flamegraph.pl and others
 * read. Times are in us, as offcputime -f of bcc prints them, so that
 * flamegraph.pl --countname=us says what they are.
 */
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "flametree.h"
#include "folded.h"
#include "load.h"
#include "source.h"
#include "stacks.h"
#include "text.h"

#define NODES_MAX (2u << 20)
#define DEPTH_MAX 4096

int dn_folded_write(FILE *out, const struct dn_flametree *t, bool ns)
{
	struct dn_text line = { 0 };
	size_t end[DEPTH_MAX + 3] = { 0 };	/* of the line, with so many levels in it */
	uint32_t depth = 0;

	for (uint32_t i = 1; i < dn_flametree_count(t) && !line.failed; i++) {
		const struct dn_flame_node *n = dn_flametree_node(t, i);
		uint64_t weight = ns ? (n->self + 500) / 1000 : n->self;
		size_t len;
		const char *name = dn_flametree_text(t, n->name, &len);

		if (n->depth >= sizeof(end) / sizeof(*end))
			continue;
		for (; depth >= n->depth; depth--)
			line.len = end[depth - 1];
		if (line.len)
			dn_text_char(&line, ';');
		dn_text_bytes(&line, name, len);
		depth = n->depth;
		end[depth] = line.len;
		if (weight && !line.failed) {
			fwrite(line.p, 1, line.len, out);
			fprintf(out, " %" PRIu64 "\n", weight);
		}
	}
	dn_text_free(&line);
	return line.failed ? -ENOMEM : 0;
}

/* Nothing to print is no answer: it says why, and what there is. */
static void nothing(struct dn_db *db, int64_t trace, const char *name, enum dn_weight of)
{
	char why[80], hint[80] = "denet-record(1) says how stacks are recorded";

	snprintf(why, sizeof(why), "it has no stacks of %s", dn_weight_names[of].what);
	for (int i = 0; i < DN_WEIGHTS; i++)
		if (dn_stacks_has(db, trace, (enum dn_weight)i) > 0)
			snprintf(hint, sizeof(hint), "It has some of others: --of %s",
				 dn_weight_names[i].what);
	dn_error("fold", name, why, hint);
}

static int answer(const struct dn_options *o, struct dn_source *src, void *ctx)
{
	struct dn_flametree *t;
	struct dn_loaded l;
	struct dn_db *db;
	int64_t n = 0;
	int err = dn_load_temporary(o, src, false, &db, &l);

	(void)ctx;
	if (err)
		return DN_EXIT_NONE;
	t = dn_flametree_new(NODES_MAX, DEPTH_MAX);
	err = t ? dn_stacks_frames(db, l.trace_id, t, true) : -ENOMEM;
	if (!err)
		n = dn_stacks_weigh(db, l.trace_id, t, o->of, o->by, true);
	if (n < 0)
		err = (int)n;
	if (!err && n)
		err = dn_folded_write(stdout, t, dn_weight_names[o->of].ns);
	/* What was printed shows up before the next trace is read. */
	if (!err && fflush(stdout))
		err = -errno;
	if (err) {
		dn_error("fold", dn_source_name(src), err == -EIO ? dn_db_error(db) : strerror(-err), NULL);
	} else if (!n) {
		nothing(db, l.trace_id, dn_source_name(src), o->of);
		err = -ENODATA;
	} else if (!o->quiet) {
		struct dn_text flaws = { 0 };

		dn_stacks_flaws(t, &flaws);
		if (flaws.len)
			dn_remark("%s: %s", dn_source_name(src), flaws.p);
		dn_text_free(&flaws);
	}
	dn_flametree_free(t);
	dn_db_close(db);
	return err ? DN_EXIT_NONE : dn_loaded_status(o, &l);
}

int dn_folded_main(const struct dn_options *o)
{
	return dn_run_each(o, answer, NULL);
}
