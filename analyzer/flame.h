/*
 * flame.h - the stacks of a loaded trace as a page for a browser.
 */
#ifndef DN_ANALYZER_FLAME_H
#define DN_ANALYZER_FLAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct dn_db;
struct dn_options;

/* Whether the libraries that draw were there when this was built. */
bool dn_flame_built(void);

/*
 * One self-contained HTML page with a flame graph for each kind of weight the trace
 * has, o->of first. A trace without stacks gives a page that says so. How many kinds
 * there were, or a negative errno: -ENOTSUP where !dn_flame_built(); dn_db_error() has
 * the reason of -EIO, ferror(out) tells the rest.
 */
int dn_flame_write(FILE *out, struct dn_db *db, int64_t trace, const struct dn_options *o);

#endif
