/*
 * dbfile.h - a database as an output file (newfile.h), and how one is known.
 */
#ifndef DN_ANALYZER_DBFILE_H
#define DN_ANALYZER_DBFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "newfile.h"

/* A regular file that begins as a database of ours does (SQLite's header and
 * our application_id). 1 yes, 0 no, or a negative errno. Does not follow a
 * symbolic link at the end of path if !follow. */
int dn_dbfile_is_ours(const char *path, bool follow);

/* dn_newfile_begin() for a database. */
int dn_dbfile_begin(struct dn_newfile *f, const char *target, char *why, size_t len);

#endif
