/*
 * fd_db.h - what descriptors were (analyzer/fdpass.h), into the tables
 * raw_fd_stat and raw_fd_open of the trace that is open in db.
 */
#ifndef DN_ANALYZER_FD_DB_H
#define DN_ANALYZER_FD_DB_H

struct dn_db;
struct dn_reader;

/* Reads the trace once more, which must be seekable. With DN_DB_REPORT there are
 * only counts, of all threads together. 0 or a negative errno. */
int dn_fd_store(struct dn_db *db, struct dn_reader *reader, unsigned workers);

#endif
