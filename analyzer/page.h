/*
 * page.h - tables and paragraphs of a text report, 80 columns wide.
 *
 * A table is a query and a list of columns that say how a value is shown. All
 * texts are made safe for a terminal here. One thread.
 */
#ifndef DN_ANALYZER_PAGE_H
#define DN_ANALYZER_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DN_PAGE_WIDTH 80

struct dn_db;

struct dn_page {
	FILE *out;
	bool color;
};

/* How a value is shown. NULL is "-" but in TEXT and BAR, where it is empty. */
enum dn_show {
	DN_SHOW_TEXT,
	DN_SHOW_INT,		/* all digits */
	DN_SHOW_COUNT,		/* 1.2 k; 0 is empty */
	DN_SHOW_NS,
	DN_SHOW_BYTES,
	DN_SHOW_SHARE,		/* of 1, as a percentage */
	DN_SHOW_BAR,		/* of 1, as a bar as wide as the column */
};

struct dn_col {
	const char *title;
	enum dn_show show;
	int width;		/* columns; texts are cut, numbers may spill over */
};

struct dn_table {
	const char *title;
	const char *sql;	/* ?1 is the trace; a column for each of col */
	size_t ncol;
	const struct dn_col *col;
};

/* A heading, with an empty line before it. */
void dn_page_heading(struct dn_page *p, const char *title);

/* "  label     text", its words to lines. */
void dn_page_field(struct dn_page *p, const char *label, const char *text);

/* Words to lines: the first begins with `first`, the others with as many
 * spaces. A word that is too long has a line of its own. */
void dn_page_wrap(struct dn_page *p, const char *first, const char *text);

/* The table with its heading; nothing where there are no rows. 0 or -errno. */
int dn_page_table(struct dn_page *p, struct dn_db *db, int64_t trace, const struct dn_table *t);

#endif
