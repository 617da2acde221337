/*
 * environ.h - what host, recorder and command are, as `environment` rows, and
 * the facts of a file header.
 *
 * The keys stand in environ.def. Of the environment variables only those
 * listed there are read: any other may be a secret. One thread at a time;
 * allocates, so for start-up only.
 */
#ifndef DN_RECORDER_ENVIRON_H
#define DN_RECORDER_ENVIRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "record.h"

struct dn_environ_opts {
	const char *root;		/* NULL: "/"; a test's own tree */
	char *const *recorder_argv;	/* ends with NULL; NULL: not known */
	char *const *command_argv;	/* NULL: not known, or attached to something that runs */
	const char *attached;		/* process ids of that, as text; NULL: to nothing */
	int attached_pid;		/* with it, the first of them */
	char *const *environ;		/* of the command; NULL: not known */
	bool no_redact;			/* argument lists as they are */
	uint64_t capabilities;		/* effective when the recorder was started */
	unsigned redacted;		/* out: values that were replaced, added up */
};

/* One row a key, but for what is known later. 0, -ENOMEM, -errno (no root), or the sink's error. */
int dn_environ_emit(struct dn_environ_opts *opts, const struct dn_sink *sink);

/* A fact that is known later: the row of that key. 0 or the sink's error. */
int dn_environ_later(const char *key, uint64_t value, const struct dn_sink *sink);

/* Format version, a fresh uuid, boot id, architecture and clocks. What could
 * not be read is zero. 0, or -errno without a uuid (no randomness at all). */
int dn_environ_header(struct dn_file_header *h);

/* The table, for documents and tests. */
struct dn_environ_key {
	const char *key, *arg, *doc;
};
const struct dn_environ_key *dn_environ_keys(size_t *n);

#endif
