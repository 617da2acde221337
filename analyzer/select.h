/*
 * select.h - which system calls a list names: read,write,%network,!/^epoll/
 *
 * Words are separated by commas:
 *   name      a call of any ABI that has it
 *   %name     a category of schema/categories.h
 *   /regex/   every call whose name matches the extended regular expression
 *   all       every call
 * A `!` before a word takes its calls away instead; a list that begins with
 * `!` starts from all calls. Words count from left to right.
 */
#ifndef DN_ANALYZER_SELECT_H
#define DN_ANALYZER_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_select;

/* Reads a list. 0, -ENOMEM, or -EINVAL with a sentence in err. */
int dn_select_new(const char *list, struct dn_select **out, char *err, size_t errlen);
void dn_select_free(struct dn_select *s);

/* Whether a call is among them; NULL: every call is. Any thread. */
bool dn_select_has(const struct dn_select *s, unsigned abi, uint32_t nr);

#endif
