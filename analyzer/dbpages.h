/*
 * dbpages.h - rows behind SQLite's back: tables written as pages of its file.
 *
 * For what is too much for INSERT. The database is closed, its tables are there
 * and empty, without indexes; rows get the ids 1, 2, ... in the order they come. The file
 * is what SQLite would have written (https://www.sqlite.org/fileformat2.html,
 * where its authors promise to keep it), and only grows: nothing of it is read but
 * the header.
 *
 * Several tables may be filled in turn. One thread a file. Until
 * dn_dbpages_close() has said 0 the file is not to be opened by SQLite.
 */
#ifndef DN_ANALYZER_DBPAGES_H
#define DN_ANALYZER_DBPAGES_H

#include <stddef.h>
#include <stdint.h>

#define DN_DBPAGES_COLUMNS 24

struct dn_dbpages;
struct dn_dbtable;

enum dn_cell_kind {
	DN_CELL_NULL,		/* also for the column that is the row's id */
	DN_CELL_INT,
	DN_CELL_TEXT,		/* UTF-8 */
	DN_CELL_BLOB,
};

struct dn_cell {
	union {
		int64_t i;
		const void *p;
	};
	uint32_t len;		/* bytes at p */
	uint8_t kind;		/* enum dn_cell_kind */
};

static inline struct dn_cell dn_cell_int(int64_t i)
{
	return (struct dn_cell){ .i = i, .kind = DN_CELL_INT };
}

static inline struct dn_cell dn_cell_null(void)
{
	return (struct dn_cell){ .kind = DN_CELL_NULL };
}

/* 0 or a negative errno: -ENOTSUP a database of a kind that ours never are. */
int dn_dbpages_open(const char *path, struct dn_dbpages **out);

/* The table with this root page (sqlite_schema.rootpage); it belongs to f. NULL: no memory. */
struct dn_dbtable *dn_dbpages_table(struct dn_dbpages *f, uint32_t root);

/* One row of n cells, at most DN_DBPAGES_COLUMNS. 0, -ENOMEM, or what write() said. */
int dn_dbtable_row(struct dn_dbtable *t, const struct dn_cell *cell, unsigned n);

/* Ends the tables and makes them part of the database. 0 or a negative errno. */
int dn_dbpages_close(struct dn_dbpages *f);

/* Gives up; the file is of no use then. NULL is accepted. */
void dn_dbpages_abort(struct dn_dbpages *f);

#endif
