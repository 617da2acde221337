/*
 * verbs.c - the table of verbs, and what verbs that answer file by file share.
 */
#include "verbs.h"

#include <errno.h>
#include <string.h>

#include "source.h"

/* clang-format off */
const struct dn_verb dn_verbs[] = {
	{ "summary", "[FILE]...", "what ran, where time went, what to look at next",
	  dn_summary_main, DN_USE_JSON | DN_USE_SYMFS },
	{ "log", "[FILE]...", "every call on a line, as strace prints it",
	  dn_log_main, DN_USE_SELECT | DN_USE_FDS },
	{ "flame", "[FILE]", "a flame graph of the stacks, as a page for a browser: -o FILE",
	  dn_flame_main, DN_USE_STACKS | DN_USE_OUTPUT | DN_USE_SYMFS | DN_USE_LINES },
	{ "folded", "[FILE]...", "a line for each stack, with its weight, for other tools",
	  dn_folded_main, DN_USE_STACKS | DN_USE_SYMFS | DN_USE_LINES },
	{ "sql", "[FILE]...", "SQL over the traces: --sql STATEMENT, or from standard input",
	  dn_sql_main, DN_USE_JSON | DN_USE_CSV | DN_USE_SYMFS | DN_USE_LINES },
	{ "import", "[FILE]...", "everything into a database: --db FILE",
	  dn_import_main, DN_USE_SYMFS | DN_USE_LINES },
	{ NULL, NULL, NULL, NULL, 0 },
};
/* clang-format on */

/* The worse of two statuses: no answer, then an incomplete one. */
static int worse(int a, int b)
{
	if (a == DN_EXIT_NONE || b == DN_EXIT_NONE)
		return DN_EXIT_NONE;
	return a > b ? a : b;
}

/* What to do about a file that does not open. */
static const char *open_hint(int err, const char *path)
{
	switch (err) {
	case -ENOENT:
		return strcmp(path, "denet.dnt") ? NULL : "Name a trace, or make one: denet-record COMMAND";
	case -EACCES:
		return "Ask its owner, or run as a user who may read it";
	case -EISDIR:
		return "Name a file in it";
	default:
		return NULL;
	}
}

int dn_run_each(const struct dn_options *o,
		int (*one)(const struct dn_options *o, struct dn_source *src, void *ctx),
		void *ctx)
{
	int status = DN_EXIT_OK;

	for (size_t i = 0; i < o->nfile; i++) {
		struct dn_source *src;
		int err = dn_source_open(o->file[i], &src);

		if (err) {
			dn_error("open", o->file[i], strerror(-err), open_hint(err, o->file[i]));
			status = worse(status, DN_EXIT_NONE);
			continue;
		}
		status = worse(status, one(o, src, ctx));
		dn_source_close(src);
	}
	return status;
}
