/*
 * flame.c - the verb `flame`: one HTML page, drawn by d3-flame-graph.
 *
 * The page is analyzer/flame.html with everything in it; what differs from trace to
 * trace is one JSON document in the middle (analyzer/flame.js says how it is read).
 * It is a block of data that no browser executes, and json.h escapes "<" in it; the
 * page's policy names the two scripts and style sheets that may take effect by their
 * hashes, so that nothing a trace holds can become one.
 *
 * A browser draws some ten thousand frames and not a million: frames below a share of
 * all are left out, those below one caller together as one. The share begins at nothing
 * and grows until few enough are left.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"	/* DN_WEB */
#endif

#include "flame.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "flametree.h"
#include "human.h"
#include "json.h"
#include "load.h"
#include "newfile.h"
#include "query.h"
#include "say.h"
#include "source.h"
#include "stacks.h"
#include "text.h"
#include "verbs.h"

#ifdef DN_WEB
#include "flame_page.h"
#else
static const char dn_flame_head[1], dn_flame_tail[1];
#endif

#define NODES_MAX (2u << 20)
#define DEPTH_MAX 1000		/* the library goes down into a tree by recursion */
#define SHARE 1000000		/* of all: the least that the share begins to grow with */
#define SHOWN_MAX 20000
#define NAME_MAX_COLUMNS 256
#define FEW 4			/* behind enum dn_frame_kind */

/* How a page begins: what makes a file one that we may replace. */
static const char mark[] = "<!DOCTYPE html>\n<!-- denet flame graph -->\n";

bool dn_flame_built(void)
{
	return sizeof(dn_flame_head) > 1;
}

/* --- trees --------------------------------------------------------------- */

struct shown {
	uint32_t depth, name, object, kind;
	uint64_t value;
};

struct page {
	struct dn_json json;
	struct dn_flametree *tree;
	uint32_t *place;	/* of a text of the tree in `names`, and 1; 0: not there yet */
	uint32_t nplace;
	uint32_t *name;		/* the texts, in the order of their places */
	uint32_t nname, name_cap;
	struct shown *shown;
	uint32_t nshown;
	uint64_t few;		/* frames that are not drawn one by one */
};

/* Frames put together, one level below a parent that is being written. */
struct few {
	uint32_t count;
	uint64_t weight;
};

static int name_place(struct page *p, uint32_t text, uint32_t *out)
{
	if (text >= p->nplace) {
		uint32_t n = dn_flametree_texts(p->tree);
		uint32_t *place = realloc(p->place, n * sizeof(*place));

		if (!place)
			return -ENOMEM;
		memset(place + p->nplace, 0, (n - p->nplace) * sizeof(*place));
		p->place = place;
		p->nplace = n;
	}
	if (!p->place[text]) {
		if (p->nname == p->name_cap) {
			uint32_t cap = p->name_cap ? p->name_cap * 2 : 256;
			uint32_t *name = realloc(p->name, cap * sizeof(*name));

			if (!name)
				return -ENOMEM;
			p->name = name;
			p->name_cap = cap;
		}
		p->name[p->nname++] = text;
		p->place[text] = p->nname;
	}
	*out = p->place[text] - 1;
	return 0;
}

/* The smallest weight that is drawn: with it few enough nodes are left. */
static uint64_t threshold(const struct dn_flametree *t)
{
	uint64_t total = dn_flametree_node(t, 0)->total, least = 0;
	uint32_t n;

	for (;; least += least / 4 + total / SHARE + 1) {
		n = 0;
		for (uint32_t i = 0; i < dn_flametree_count(t); i++)
			n += dn_flametree_node(t, i)->total >= least;
		if (n <= SHOWN_MAX / 2 || least > total)	/* each may have some put together below it */
			return least;
	}
}

static void put_few(struct page *p, struct few *few, uint32_t depth, uint64_t least)
{
	/* Those that are small together, too, are only counted. */
	if (few->count && few->weight >= least)
		p->shown[p->nshown++] = (struct shown){ depth, few->count, DN_FLAME_NONE, FEW, few->weight };
	p->few += few->count;
	*few = (struct few){ 0 };
}

/* p->shown: what is left of the tree. */
static int choose(struct page *p)
{
	const struct dn_flametree *t = p->tree;
	uint64_t least = threshold(t);
	struct few few[DEPTH_MAX + 3] = { { 0 } };
	uint32_t depth = 0;

	p->nshown = 0;
	p->few = 0;
	p->shown = calloc((size_t)dn_flametree_count(t) * 2, sizeof(*p->shown));
	if (!p->shown)
		return -ENOMEM;
	for (uint32_t i = 0; i < dn_flametree_count(t);) {
		const struct dn_flame_node *n = dn_flametree_node(t, i);
		struct shown s = { n->depth, 0, DN_FLAME_NONE, n->kind, n->total };

		for (; depth > n->depth; depth--)
			put_few(p, &few[depth], depth, least);
		depth = n->depth;
		if (i && n->total < least) {
			few[depth].count += n->end - i;
			few[depth].weight += n->total;
			i = n->end;
			continue;
		}
		if (name_place(p, n->name, &s.name) ||
		    (n->object != DN_FLAME_NONE && name_place(p, n->object, &s.object)))
			return -ENOMEM;
		p->shown[p->nshown++] = s;
		i++;
	}
	for (; depth; depth--)
		put_few(p, &few[depth], depth, least);
	return 0;
}

#define PUT_LIST(p, key, expression)                                                  \
	do {                                                                            \
		dn_json_array(&(p)->json, key);                                         \
		for (uint32_t i = 0; i < (p)->nshown; i++) {                            \
			const struct shown *s = &(p)->shown[i];                         \
			dn_json_int(&(p)->json, NULL, (int64_t)(expression));           \
		}                                                                       \
		dn_json_end(&(p)->json);                                                \
	} while (0)

static int put_tree(struct page *p, const struct dn_weight_name *name)
{
	struct dn_text flaws = { 0 };
	int err = choose(p);

	if (err)
		return err;
	dn_json_object(&p->json, NULL);
	dn_json_str(&p->json, "what", name->what, strlen(name->what));
	dn_json_str(&p->json, "title", name->title, strlen(name->title));
	dn_json_str(&p->json, "unit", name->what, strlen(name->what));
	dn_json_bool(&p->json, "ns", name->ns);
	dn_json_int(&p->json, "frames", dn_flametree_count(p->tree) - 1);
	dn_json_int(&p->json, "few", (int64_t)p->few);
	dn_stacks_flaws(p->tree, &flaws);
	dn_json_str(&p->json, "flaws", flaws.len ? flaws.p : "", flaws.len);
	dn_text_free(&flaws);
	PUT_LIST(p, "depth", s->depth);
	PUT_LIST(p, "name", s->name);
	PUT_LIST(p, "object", s->object == DN_FLAME_NONE ? -1 : (int64_t)s->object);
	PUT_LIST(p, "kind", s->kind);
	PUT_LIST(p, "value", s->value);
	dn_json_end(&p->json);
	free(p->shown);
	p->shown = NULL;
	return 0;
}

/* --- what the trace is --------------------------------------------------- */

/* Rows of text; ?1 is the trace. How many, or a negative errno. */
static int put_texts(struct page *p, struct dn_db *db, int64_t trace, const char *sql)
{
	struct dn_query *q = dn_query_new(db, sql);
	int ret, n = 0;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	while ((ret = dn_query_step(q)) > 0) {
		size_t len;
		const char *text = dn_query_text(q, 0, &len);
		char safe[1024];

		dn_safe(safe, sizeof(safe), text, len, sizeof(safe) - 1);
		dn_json_str(&p->json, NULL, safe, strlen(safe));
		n++;
	}
	dn_query_free(q);
	return ret < 0 ? ret : n;
}

static void put_safe(struct page *p, const char *key, const char *text, size_t len, size_t columns)
{
	char safe[4 * NAME_MAX_COLUMNS + 64];

	dn_safe(safe, sizeof(safe), text, len, columns);
	dn_json_str(&p->json, key, safe, strlen(safe));
}

/* Which trace, where and when, and how far to trust it. */
static int put_head(struct page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db,
		"SELECT file, command, (SELECT value FROM environment AS e WHERE e.trace_id = ?1"
		" AND key = 'host.name'), substr(started, 1, 19) || 'Z', duration_ns"
		" FROM traces WHERE trace_id = ?1");
	char buf[DN_HUMAN_SIZE];
	const char *text;
	size_t len;
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	ret = dn_query_step(q);
	if (ret > 0) {
		text = dn_query_text(q, 0, &len);
		put_safe(p, "file", text, len, NAME_MAX_COLUMNS);
		text = dn_query_text(q, 1, &len);
		put_safe(p, "command", text, len, 4 * NAME_MAX_COLUMNS);
		dn_json_array(&p->json, "about");
		for (int i = 2; i < 4; i++) {
			text = dn_query_text(q, i, &len);
			if (len)
				put_safe(p, NULL, text, len, NAME_MAX_COLUMNS);
		}
		if (!dn_query_null(q, 4)) {
			dn_human_ns(buf, sizeof(buf), (uint64_t)dn_query_int(q, 4));
			dn_json_str(&p->json, NULL, buf, strlen(buf));
		}
		text = dn_query_text(q, 0, &len);
		put_safe(p, NULL, text, len, NAME_MAX_COLUMNS);
		dn_json_end(&p->json);
	}
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

/* Counters of stacks are known by their names. */
static const char warnings_sql[] =
	"SELECT 'The trace is incomplete: ' || ifnull((SELECT group_concat(text, '; ') FROM"
	" (SELECT text FROM raw_note WHERE trace_id = ?1 LIMIT 4)), 'not all of the file could be read')"
	" FROM traces WHERE trace_id = ?1 AND complete IS NOT 1"
	" UNION ALL SELECT 'Missing: ' || printf('%,d', sum(count)) || ' ' || doc FROM losses"
	" WHERE trace_id = ?1 AND (counter GLOB 'stack*' OR counter = 'blocks_lost')"
	" GROUP BY counter";

/* Of system calls only where all are there, or how many are not. */
static const char notes_sql[] =
	"SELECT CASE WHEN NOT syscalls_recorded THEN 'System calls were not recorded.'"
	" WHEN exact THEN 'Nothing was lost: all ' || printf('%,d', calls) || ' system calls are accounted for.'"
	" ELSE printf('%,d', lost) || ' of ' || printf('%,d', calls + lost) || ' system calls were lost.' END"
	" FROM traces WHERE trace_id = ?1 AND (exact OR lost > 0 OR NOT syscalls_recorded)"
	" UNION ALL SELECT 'Not recorded: ' || subject || ' (' || reason || ').' FROM not_observed"
	" WHERE trace_id = ?1 AND subject IN ('stacks', 'samples', 'offcpu')";

static int put_remarks(struct page *p, struct dn_db *db, int64_t trace, int trees)
{
	static const char none[] = "No stacks were recorded.";
	int ret;

	dn_json_array(&p->json, "warnings");
	if (!trees)
		dn_json_str(&p->json, NULL, none, strlen(none));
	ret = put_texts(p, db, trace, warnings_sql);
	dn_json_end(&p->json);
	if (ret < 0)
		return ret;
	dn_json_array(&p->json, "notes");
	ret = put_texts(p, db, trace, notes_sql);
	dn_json_end(&p->json);
	return ret < 0 ? ret : 0;
}

/* --- the page ------------------------------------------------------------ */

static int put_data(struct page *p, struct dn_db *db, int64_t trace, const struct dn_options *o)
{
	int64_t n;
	int trees = 0, first = 0, err = dn_stacks_frames(db, trace, p->tree, false);

	dn_json_object(&p->json, NULL);
	dn_json_array(&p->json, "trees");
	for (int i = 0; !err && i < DN_WEIGHTS; i++) {
		n = dn_stacks_weigh(db, trace, p->tree, (enum dn_weight)i, o->by, false);
		if (n > 0) {
			if (o->has_of && o->of == (enum dn_weight)i)
				first = trees;
			err = put_tree(p, &dn_weight_names[i]);
			trees++;
		}
		if (n < 0)
			err = (int)n;
		dn_flametree_clear(p->tree);
	}
	if (err)
		return err;
	dn_json_end(&p->json);
	dn_json_int(&p->json, "first", first);
	dn_json_array(&p->json, "names");
	for (uint32_t i = 0; i < p->nname; i++) {
		size_t len;
		const char *name = dn_flametree_text(p->tree, p->name[i], &len);

		put_safe(p, NULL, name, len, NAME_MAX_COLUMNS);
	}
	dn_json_end(&p->json);
	err = put_head(p, db, trace);
	if (!err)
		err = put_remarks(p, db, trace, trees);
	if (err)
		return err;
	dn_json_end(&p->json);
	return trees;
}

int dn_flame_write(FILE *out, struct dn_db *db, int64_t trace, const struct dn_options *o)
{
	struct page p = { .json.out = out };
	int ret = -ENOMEM;

	if (!dn_flame_built())
		return -ENOTSUP;
	p.tree = dn_flametree_new(NODES_MAX, DEPTH_MAX);
	if (!p.tree)
		return -ENOMEM;
	fwrite(dn_flame_head, 1, sizeof(dn_flame_head) - 1, out);
	ret = put_data(&p, db, trace, o);
	fwrite(dn_flame_tail, 1, sizeof(dn_flame_tail) - 1, out);
	dn_flametree_free(p.tree);
	free(p.place);
	free(p.name);
	free(p.shown);
	return ret;
}

/* --- the verb ------------------------------------------------------------ */

static int is_page(const char *path, bool follow)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
	char head[sizeof(mark) - 1];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	return n == (ssize_t)sizeof(head) && !memcmp(head, mark, sizeof(head));
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* The page into the file that -o names, or none at all. 0 or a negative errno, said. */
static int into_file(const char *name, const char *page, size_t len)
{
	static const struct dn_newfile_kind kind = {
		is_page, "it exists and is no flame graph that denet-analyze wrote"
	};
	struct dn_newfile f;
	char why[256];
	int err = dn_newfile_begin(&f, name, &kind, why, sizeof(why)), fd;

	if (err) {
		dn_error("write", name, why, "Name another file, or - for standard output");
		return err;
	}
	fd = open(f.temp, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	err = fd < 0 ? -errno : write_all(fd, page, len);
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err)
		err = dn_newfile_commit(&f);
	dn_newfile_abort(&f);
	if (err)
		dn_error("write", name, strerror(-err), NULL);
	return err;
}

/* The page in memory, so that none is begun that cannot be finished. How many kinds of
 * stacks it has, or a negative errno. */
static int make_page(struct dn_db *db, int64_t trace, const struct dn_options *o, char **page, size_t *len)
{
	FILE *f = open_memstream(page, len);
	int ret;

	if (!f)
		return -errno;
	ret = dn_flame_write(f, db, trace, o);
	if ((ferror(f) | fclose(f)) && ret >= 0)
		ret = -ENOMEM;
	return ret;
}

static int answer(const struct dn_options *o, struct dn_source *src, void *ctx)
{
	struct dn_loaded l;
	struct dn_db *db;
	char *page = NULL;
	size_t len = 0;
	int err = dn_load_temporary(o, src, false, &db, &l), trees;

	(void)ctx;
	if (err)
		return DN_EXIT_NONE;
	trees = make_page(db, l.trace_id, o, &page, &len);
	if (trees < 0) {
		err = trees;
		dn_error("draw", dn_source_name(src), err == -EIO ? dn_db_error(db) : strerror(-err), NULL);
		goto out;
	}
	if (strcmp(o->output, "-"))
		err = into_file(o->output, page, len);
	if (!err && !trees && !o->quiet)
		dn_remark("%s has no stacks, and the page says so; denet-record(1) says how they are recorded",
			  dn_source_name(src));
	/* Last, as main() tells by errno why it did not go well. */
	if (!strcmp(o->output, "-"))
		fwrite(page, 1, len, stdout);
out:
	free(page);
	dn_db_close(db);
	return err ? DN_EXIT_NONE : dn_loaded_status(o, &l);
}

int dn_flame_main(const struct dn_options *o)
{
	if (!dn_flame_built()) {
		dn_error("draw a flame graph", NULL, "this denet-analyze was built without d3 and d3-flame-graph",
			 "Run build-aux/fetch-web in the source tree and build anew, or take the verb folded");
		return DN_EXIT_NONE;
	}
	if (!o->output) {
		dn_error("draw a flame graph", NULL, "the name of the page is missing",
			 "Give it with -o FILE, or - for standard output");
		return DN_EXIT_USAGE;
	}
	if (o->nfile > 1) {
		dn_error("draw a flame graph", NULL, "a page shows one trace and several were named",
			 "Name one at a time");
		return DN_EXIT_USAGE;
	}
	return dn_run_each(o, answer, NULL);
}
