/*
 * rollup_db.h - rollups into the tables raw_syscall_stat, raw_latency,
 * raw_rate, raw_path and raw_address of the trace that is open in db.
 *
 * Rows of the same key add up, so a rollup may be stored in parts. The caller
 * holds whatever lock guards the database.
 */
#ifndef DN_ANALYZER_ROLLUP_DB_H
#define DN_ANALYZER_ROLLUP_DB_H

struct dn_db;
struct dn_rollup;

/* Makes room in a rollup that answered -ENOSPC: what is over half its limit
 * goes to the database and is cleared. */
int dn_rollup_spill(struct dn_db *db, struct dn_rollup *r);

/* Stores all of a merged rollup. */
int dn_rollup_store(struct dn_db *db, struct dn_rollup *r);

#endif
