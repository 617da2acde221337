/*
 * report_sql.h - pieces of queries that reports share.
 */
#ifndef DN_ANALYZER_REPORT_SQL_H
#define DN_ANALYZER_REPORT_SQL_H

/* The last part of a path. */
#define DN_SQL_FILE(path) "replace(" path ", rtrim(" path ", replace(" path ", '/', '')), '')"

/*
 * The names of a stack's frames as one text, joined by between; order ASC: innermost first; only
 * those for which `only` holds of raw_place as p, and most of them. A subquery over one stack, so
 * that the 8 of a table do not go through all there are.
 */
#define DN_SQL_STACK(stack, only, between, order, most)                                             \
	"(SELECT group_concat(name, " between ") FROM (WITH RECURSIVE up(node, depth) AS (SELECT " stack ", 0"   \
	" UNION ALL SELECT n.parent, up.depth + 1 FROM up JOIN raw_node AS n ON n.stack = up.node"     \
	" WHERE n.parent IS NOT NULL AND up.depth < 300)"                                              \
	" SELECT p.name FROM up JOIN raw_node AS n ON n.stack = up.node"                               \
	" JOIN raw_place AS p ON p.frame = n.frame WHERE " only " ORDER BY up.depth " order " LIMIT " most "))"

#endif
