/*
 * callstr.c - strings of a call: which column, and how it reads.
 *
 * Socket addresses are those of Linux on a little-endian machine, whatever
 * this one is: the family in two bytes, then what the family says.
 */
#include "callstr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "shell_quote.h"

/* Families as Linux numbers them (include/linux/socket.h). */
enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16 };

static bool fits(enum dn_callstr which, unsigned kind)
{
	switch (which) {
	case DN_CALLSTR_PATH:
	case DN_CALLSTR_PATH2:
		return kind == DN_STR_PATH;
	case DN_CALLSTR_TEXT:
		return kind == DN_STR_TEXT;
	case DN_CALLSTR_SOCKADDR:
		return kind == DN_STR_SOCKADDR || kind == DN_STR_SOCKADDR_OUT;
	case DN_CALLSTR_ARGV:
		return kind == DN_STR_ARGV;
	case DN_CALLSTR_N:
		break;
	}
	return false;
}

bool dn_callstr_shown(unsigned kind)
{
	for (int i = 0; i < DN_CALLSTR_N; i++)
		if (fits((enum dn_callstr)i, kind))
			return true;
	return false;
}

const struct dn_call_str *dn_callstr_find(const struct dn_call_str *str, unsigned nstr,
					  enum dn_callstr which)
{
	unsigned skip = which == DN_CALLSTR_PATH2;

	for (unsigned i = 0; i < nstr; i++) {
		if (!fits(which, str[i].kind) || skip--)
			continue;
		return str[i].flags & DN_STR_UNREADABLE && !str[i].len ? NULL : &str[i];
	}
	return NULL;
}

bool dn_callstr_fds(const struct dn_call_str *s, int32_t fd[2])
{
	if (s->kind != DN_STR_FDS || s->flags & (DN_STR_UNREADABLE | DN_STR_TRUNCATED) || s->len != 2 * sizeof(*fd))
		return false;
	for (int i = 0; i < 2; i++)
		fd[i] = (int32_t)dn_get32((const uint8_t *)s->p + 4 * i);
	return true;
}

unsigned dn_callstr_flags(const struct dn_call_str *str, unsigned nstr)
{
	unsigned flags = 0;

	for (unsigned i = 0; i < nstr; i++)
		flags |= str[i].flags;
	return flags;
}

static int room(struct dn_callstr_buf *b, size_t n)
{
	char *p;

	if (n <= b->cap)
		return 0;
	p = realloc(b->p, n);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = n;
	return 0;
}

void dn_callstr_release(struct dn_callstr_buf *b)
{
	free(b->p);
	*b = (struct dn_callstr_buf){ 0 };
}

/* RFC 5952: lower case, no leading zeros, the longest run of two zero groups
 * or more, the first of equals, as "::". Returns the length. */
static int put_inet6(char *out, size_t cap, const uint8_t *a)
{
	unsigned group[8], best = 8, best_len = 1, n = 0;

	for (unsigned i = 0; i < 8; i++)
		group[i] = (unsigned)a[2 * i] << 8 | a[2 * i + 1];
	for (unsigned i = 0; i < 8; i++) {
		unsigned len = 0;

		while (i + len < 8 && !group[i + len])
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	if (best == 0 && best_len == 5 && group[5] == 0xffff)	/* of IPv4: RFC 5952, 5 */
		return snprintf(out, cap, "::ffff:%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
	for (unsigned i = 0; i < 8;) {
		if (i == best) {
			n += (unsigned)snprintf(out + n, cap - n, "::");
			i += best_len;
			continue;
		}
		n += (unsigned)snprintf(out + n, cap - n, "%s%x",
					i && i != best + best_len ? ":" : "", group[i]);
		i++;
	}
	return (int)n;
}

/* Into buf (cap at least 128 and longer than len + 8). Returns the length. */
static size_t put_sockaddr(char *buf, size_t cap, const uint8_t *p, size_t len)
{
	unsigned family = len >= 2 ? dn_get16(p) : 0;
	int n = 0;

	if (family == FAMILY_INET && len >= 8) {
		n = snprintf(buf, cap, "%u.%u.%u.%u:%u", p[4], p[5], p[6], p[7],
			     (unsigned)p[2] << 8 | p[3]);
	} else if (family == FAMILY_INET6 && len >= 24) {
		uint32_t scope = len >= 28 ? dn_get32(p + 24) : 0;

		buf[0] = '[';
		n = 1 + put_inet6(buf + 1, cap - 1, p + 8);
		if (scope)
			n += snprintf(buf + n, cap - (size_t)n, "%%%" PRIu32, scope);
		n += snprintf(buf + n, cap - (size_t)n, "]:%u", (unsigned)p[2] << 8 | p[3]);
	} else if (family == FAMILY_UNIX) {
		size_t k = len - 2;

		n = snprintf(buf, cap, "unix:");
		if (k && !p[2]) {		/* abstract: all bytes count */
			for (size_t i = 0; i < k; i++)	/* a NUL as ss and /proc/net/unix show it */
				buf[n++] = p[2 + i] ? (char)p[2 + i] : '@';
			return (size_t)n;
		}
		if (k) {
			const uint8_t *end = memchr(p + 2, 0, k);

			k = end ? (size_t)(end - (p + 2)) : k;
			memcpy(buf + n, p + 2, k);
		}
		return (size_t)n + k;
	} else if (family == FAMILY_NETLINK && len >= 12) {
		n = snprintf(buf, cap, "netlink:%" PRIu32 ":%" PRIu32, dn_get32(p + 4),
			     dn_get32(p + 8));
	} else if (len >= 2) {
		n = snprintf(buf, cap, "family %u", family);
	}
	return (size_t)n;
}

const char *dn_family_name(unsigned family)
{
	static const char *const names[DN_FAMILY_LAST + 1] = {
		[0] = "unspec", [1] = "unix", [2] = "inet", [10] = "inet6", [16] = "netlink",
		[17] = "packet", [29] = "can", [31] = "bluetooth", [38] = "alg", [40] = "vsock",
		[44] = "xdp",
	};

	return family <= DN_FAMILY_LAST ? names[family] : NULL;
}

int dn_callstr_text(const struct dn_call_str *s, struct dn_callstr_buf *b, const char **p,
		    size_t *len)
{
	switch (s->kind) {
	case DN_STR_SOCKADDR:
	case DN_STR_SOCKADDR_OUT:
		if (room(b, s->len + 128))
			return -ENOMEM;
		*len = put_sockaddr(b->p, b->cap, (const uint8_t *)s->p, s->len);
		*p = b->p;
		return 0;
	case DN_STR_ARGV:
		*len = dn_shell_quote(s->p, s->len, b->p, b->cap);
		if (*len > b->cap) {
			if (room(b, *len))
				return -ENOMEM;
			dn_shell_quote(s->p, s->len, b->p, b->cap);
		}
		*p = b->p;
		return 0;
	default:
		*p = s->p;
		*len = s->len;
		return 0;
	}
}
