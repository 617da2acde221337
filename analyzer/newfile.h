/*
 * newfile.h - an output file put in its place only when it is whole.
 *
 * It is written under a temporary name beside the target, mode 0600, synced, and
 * renamed. A target that exists is replaced only if it is a regular file and one
 * that we wrote ourselves, as its first bytes tell. One at a time in a process: a
 * signal that ends it removes the temporary file.
 */
#ifndef DN_ANALYZER_NEWFILE_H
#define DN_ANALYZER_NEWFILE_H

#include <stdbool.h>
#include <stddef.h>

/* What may be replaced. */
struct dn_newfile_kind {
	/* 1 yes, 0 no, or a negative errno. Does not follow a symbolic link if !follow. */
	int (*is_ours)(const char *path, bool follow);
	const char *not_ours;	/* a sentence for what is not */
};

struct dn_newfile {
	char *target, *temp;
	const struct dn_newfile_kind *kind;
};

/*
 * Checks the target and creates the temporary file, empty. 0, or a negative
 * errno with a sentence in why: -EEXIST what is there stays, -ELOOP a symbolic
 * link, others. kind is kept.
 */
int dn_newfile_begin(struct dn_newfile *f, const char *target, const struct dn_newfile_kind *kind,
		     char *why, size_t len);

/* Written and closed: sync it and put it in its place. 0 or a negative errno;
 * the temporary file is gone in either case. */
int dn_newfile_commit(struct dn_newfile *f);

/* Gives up: removes the temporary file. Does nothing after a commit. */
void dn_newfile_abort(struct dn_newfile *f);

#endif
