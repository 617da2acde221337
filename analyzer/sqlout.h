/*
 * sqlout.h - the rows of a statement as a table for people, CSV or JSON.
 *
 *   text  column mode: names, a rule, rows; numbers to the right. Widths come
 *         from the first rows, which are held back (at most SQLOUT_HELD of
 *         them); a longer value later shifts the rest of its line. NULL is
 *         empty; bytes that could do something to a terminal are escaped.
 *   CSV   RFC 4180, with a line of names; NULL is an empty field.
 *   JSON  an array of objects, one a line; NULL is null, bytes that are no
 *         UTF-8 become U+FFFD.
 *
 * A BLOB is X'6869' in all three. Memory does not grow with the rows.
 */
#ifndef DN_ANALYZER_SQLOUT_H
#define DN_ANALYZER_SQLOUT_H

#include <stdio.h>

#include "options.h"

struct sqlite3_stmt;

/*
 * Steps st to its end. 0; -EIO where SQLite failed (sqlite3_errmsg() of its
 * connection has the reason; what came before it is printed), -ENOMEM, -EPIPE
 * where out cannot be written.
 */
int dn_sqlout(FILE *out, struct sqlite3_stmt *st, enum dn_format format, bool color);

#endif
