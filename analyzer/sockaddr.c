/*
 * sockaddr.c - the bytes of a socket address as a text.
 *
 * The layouts are those of struct sockaddr_in and its kin, read by offset:
 * this builds without Linux headers. All ABIs that are recorded are
 * little-endian, so is the family; ports and addresses are in network order.
 */
#include "sockaddr.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes.h"
#include "flags.h"

enum { UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16, PACKET = 17, VSOCK = 40 };

static unsigned int net16(const char *p)
{
	return (unsigned int)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static uint32_t net32(const char *p)
{
	return (uint32_t)net16(p) << 16 | net16(p + 2);
}

static uint32_t host32(const char *p)
{
	return dn_get32((const uint8_t *)p);
}

static void put_unix(struct dn_text *t, const char *path, size_t len)
{
	if (len == 0)
		return;
	dn_text_add(t, ", sun_path=");
	if (path[0] == '\0') {
		/* An abstract name: all bytes count, also further NULs. */
		dn_text_char(t, '@');
		dn_text_quote(t, path + 1, len - 1);
	} else {
		dn_text_quote(t, path, strnlen(path, len));
	}
}

static void put_inet(struct dn_text *t, const char *p)
{
	dn_text_addf(t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")", net16(p + 2),
		     (uint8_t)p[4], (uint8_t)p[5], (uint8_t)p[6], (uint8_t)p[7]);
}

static void put_inet6(struct dn_text *t, const char *p, size_t len)
{
	char addr[64] = "";

	inet_ntop(AF_INET6, p + 8, addr, sizeof(addr));
	dn_text_addf(t,
		     ", sin6_port=htons(%u), sin6_flowinfo=htonl(%lu), "
		     "inet_pton(AF_INET6, \"%s\", &sin6_addr)",
		     net16(p + 2), (unsigned long)net32(p + 4), addr);
	/* Older programs leave out the scope. */
	if (len >= 28)
		dn_text_addf(t, ", sin6_scope_id=%lu", (unsigned long)host32(p + 24));
}

static void put_packet(struct dn_text *t, const char *p, size_t len)
{
	size_t addr_len = (uint8_t)p[11], kept = len - 12;

	dn_text_add(t, ", sll_protocol=htons(");
	dn_flags_text(t, DN_KIND_ETHPROTO, DN_ABI_UNKNOWN, net16(p + 2));
	dn_text_addf(t, "), sll_ifindex=%d, sll_hatype=%#x, sll_pkttype=%u, sll_halen=%zu",
		     (int)host32(p + 4), dn_get16((const uint8_t *)p + 8), (uint8_t)p[10],
		     addr_len);
	if (kept > addr_len)
		kept = addr_len;
	if (kept > 8)
		kept = 8;
	for (size_t i = 0; i < kept; i++)
		dn_text_addf(t, "%s%02x", i ? ", " : ", sll_addr=[", (uint8_t)p[12 + i]);
	if (kept)
		dn_text_add(t, addr_len > kept ? ", ...]" : "]");
}

void dn_sockaddr_text(struct dn_text *t, const char *p, size_t len)
{
	unsigned int family = dn_get16((const uint8_t *)p);

	dn_text_add(t, "{sa_family=");
	dn_flags_text(t, DN_KIND_SOCKDOMAIN, DN_ABI_UNKNOWN, family);
	if (family == UNIX) {
		put_unix(t, p + 2, len - 2);
	} else if (family == INET && len >= 16) {
		put_inet(t, p);
	} else if (family == INET6 && len >= 24) {
		put_inet6(t, p, len);
	} else if (family == NETLINK && len >= 12) {
		dn_text_addf(t, ", nl_pid=%d, nl_groups=%#08lx", (int)host32(p + 4),
			     (unsigned long)host32(p + 8));
	} else if (family == PACKET && len >= 12) {
		put_packet(t, p, len);
	} else if (family == VSOCK && len >= 12) {
		dn_text_addf(t, ", svm_cid=%#lx, svm_port=%#lx", (unsigned long)host32(p + 8),
			     (unsigned long)host32(p + 4));
	} else if (len > 2) {
		dn_text_add(t, ", sa_data=");
		dn_text_quote(t, p + 2, len - 2);
	}
	dn_text_char(t, '}');
}
