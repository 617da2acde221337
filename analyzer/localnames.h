/*
 * localnames.h - names of functions and lines out of local files (--symfs, --lines), for the
 * places in code that a trace has none for.
 *
 * A name of the trace stays: it was found while the program was there. What is looked up are
 * places in files without one, which the recorder did not look for (--no-symbols) or did not find.
 * Files are those of symfs.h; the work with one trace is bounded in time and in bytes,
 * and what was left out for it, or for lack of a file, is said on stderr.
 */
#ifndef DN_ANALYZER_LOCALNAMES_H
#define DN_ANALYZER_LOCALNAMES_H

struct dn_namer;
struct dn_options;

/* As o says; *out NULL: no local file is asked for. An enum dn_exit, after a sentence on stderr. */
int dn_localnames_open(const struct dn_options *o, struct dn_namer **out);
void dn_localnames_close(struct dn_namer *namer);

#endif
