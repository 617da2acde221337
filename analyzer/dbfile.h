/*
 * dbfile.h - a database file put in its place only when it is whole.
 *
 * It is written under a temporary name beside the target, synced, and renamed.
 * A target that exists is replaced only if it is a regular file and a database
 * of ours. One at a time in a process: a signal that ends it removes the
 * temporary file.
 */
#ifndef DN_ANALYZER_DBFILE_H
#define DN_ANALYZER_DBFILE_H

#include <stdbool.h>
#include <stddef.h>

struct dn_dbfile {
	char *target, *temp;
};

/* A regular file that begins as a database of ours does (SQLite's header and
 * our application_id). 1 yes, 0 no, or a negative errno. Does not follow a
 * symbolic link at the end of path if !follow. */
int dn_dbfile_is_ours(const char *path, bool follow);

/*
 * Checks the target and creates the temporary file, empty. 0, or a negative
 * errno with a sentence in why: -EEXIST what is there stays, -ELOOP a symbolic
 * link, others.
 */
int dn_dbfile_begin(struct dn_dbfile *f, const char *target, char *why, size_t len);

/* The database is closed: sync it and put it in its place. 0 or a negative
 * errno; the temporary file is gone in either case. */
int dn_dbfile_commit(struct dn_dbfile *f);

/* Gives up: removes the temporary file. Does nothing after a commit. */
void dn_dbfile_abort(struct dn_dbfile *f);

#endif
