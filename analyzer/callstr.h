/*
 * callstr.h - the strings of one call as the columns of raw_syscall show them.
 *
 * A call has up to DN_CALL_STRS strings, each with a kind and an argument. The
 * table has one column for each purpose; a string goes to the first column of
 * its kind that is free. Pure functions, any thread.
 */
#ifndef DN_ANALYZER_CALLSTR_H
#define DN_ANALYZER_CALLSTR_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

enum dn_callstr {
	DN_CALLSTR_PATH,
	DN_CALLSTR_PATH2,
	DN_CALLSTR_TEXT,
	DN_CALLSTR_SOCKADDR,
	DN_CALLSTR_ARGV,
	DN_CALLSTR_N
};

/* The string for a column, or NULL: the call has none, or it was not readable. */
const struct dn_call_str *dn_callstr_find(const struct dn_call_str *str, unsigned nstr,
					  enum dn_callstr which);

/* Whether strings of a kind have a column. */
bool dn_callstr_shown(unsigned kind);

/* The two descriptors that a call made, in host order; false: s is something else, or could not be read. */
bool dn_callstr_fds(const struct dn_call_str *s, int32_t fd[2]);

/* enum dn_str_flag of all strings together. */
unsigned dn_callstr_flags(const struct dn_call_str *str, unsigned nstr);

/* Memory for a text that is not in the call as it stands; zero it first. */
struct dn_callstr_buf {
	char *p;
	size_t cap;
};

/*
 * The bytes a column shows for string s: *p and *len, in s or in b, until the
 * next call with b. 0 or -ENOMEM.
 */
int dn_callstr_text(const struct dn_call_str *s, struct dn_callstr_buf *b, const char **p,
		    size_t *len);

/* Name of an address family as Linux numbers them, of those that a person may
 * meet; NULL: none of them. */
#define DN_FAMILY_LAST 44
const char *dn_family_name(unsigned family);

void dn_callstr_release(struct dn_callstr_buf *b);

#endif
