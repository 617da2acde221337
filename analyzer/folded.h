/*
 * folded.h - a settled flame tree as folded stacks.
 */
#ifndef DN_ANALYZER_FOLDED_H
#define DN_ANALYZER_FOLDED_H

#include <stdbool.h>
#include <stdio.h>

struct dn_flametree;

/*
 * A line for each node that has a weight of its own: the names from its root down,
 * ";" between them, a blank and the weight; `ns`: in us, rounded, 0 left out. In the
 * order of the names. 0 or -ENOMEM; ferror(out) tells the rest.
 */
int dn_folded_write(FILE *out, const struct dn_flametree *t, bool ns);

#endif
