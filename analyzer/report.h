/*
 * report.h - the reports: each reads one loaded trace of a database, by SQL
 * over the views, and prints. New reports are a function and a verb.
 */
#ifndef DN_ANALYZER_REPORT_H
#define DN_ANALYZER_REPORT_H

#include <stdint.h>
#include <stdio.h>

struct dn_db;
struct dn_options;

#define DN_REPORT_VERSION 1	/* schema_version: raised when a key changes meaning */

/* The document of schema/report.schema.json. 0, or a negative errno:
 * dn_db_error() has the reason of -EIO. */
int dn_report_json(FILE *out, struct dn_db *db, int64_t trace_id);

/* A page for a person, 80 columns. The same errors. */
int dn_report_summary(FILE *out, struct dn_db *db, int64_t trace_id, const struct dn_options *o);

#endif
