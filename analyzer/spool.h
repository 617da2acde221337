/*
 * spool.h - a pipe made seekable: its bytes in a temporary file without a name.
 */
#ifndef DN_ANALYZER_SPOOL_H
#define DN_ANALYZER_SPOOL_H

struct dn_source;

/*
 * *out becomes a source that can be read at any offset: NULL where src itself
 * can, else a copy of all that is left of it, in a file in TMPDIR (or /tmp)
 * that is gone when the copy is closed. 0 or a negative errno.
 */
int dn_spool(struct dn_source *src, struct dn_source **out);

#endif
