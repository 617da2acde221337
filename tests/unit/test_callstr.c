/*
 * test_callstr.c - analyzer/callstr.h, analyzer/sockaddr.h, analyzer/flags.h:
 * strings, addresses and constants of a call. The oracle is the C library: its
 * structures, inet_ntop() and the values of its macros.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "callstr.h"
#include "flags.h"
#include "numbers.h"
#include "sockaddr.h"

static uint64_t state = 99;

static uint64_t rnd(void)
{
	return xorshift(&state);
}

/* --- callstr.h --------------------------------------------------------------- */

static struct dn_call_str str(unsigned kind, unsigned flags, const char *p, size_t len)
{
	return (struct dn_call_str){ .kind = (uint8_t)kind, .flags = (uint8_t)flags, .p = p,
				     .len = (uint32_t)len, .true_len = (uint32_t)len };
}

static void each_string_has_its_column(void **unused)
{
	const struct dn_call_str s[] = {
		str(DN_STR_TEXT, 0, "text", 4),
		str(DN_STR_PATH, DN_STR_TRUNCATED, "one", 3),
		str(DN_STR_SOCKADDR_OUT, 0, "\1\0/x", 4),
		str(DN_STR_PATH, DN_STR_LATE, "two", 3),
	};
	const struct dn_call_str bad[] = {
		str(DN_STR_PATH, DN_STR_UNREADABLE, NULL, 0),
		str(DN_STR_ARGV, DN_STR_UNREADABLE, "half", 4),
	};

	(void)unused;
	assert_ptr_equal(dn_callstr_find(s, 4, DN_CALLSTR_PATH), &s[1]);
	assert_ptr_equal(dn_callstr_find(s, 4, DN_CALLSTR_PATH2), &s[3]);
	assert_ptr_equal(dn_callstr_find(s, 4, DN_CALLSTR_TEXT), &s[0]);
	assert_ptr_equal(dn_callstr_find(s, 4, DN_CALLSTR_SOCKADDR), &s[2]);
	assert_null(dn_callstr_find(s, 4, DN_CALLSTR_ARGV));
	assert_null(dn_callstr_find(s, 3, DN_CALLSTR_PATH2));
	assert_null(dn_callstr_find(s, 0, DN_CALLSTR_TEXT));
	assert_int_equal(dn_callstr_flags(s, 4), DN_STR_TRUNCATED | DN_STR_LATE);
	assert_int_equal(dn_callstr_flags(s, 1), 0);
	/* nothing was read of the one, something of the other */
	assert_null(dn_callstr_find(bad, 2, DN_CALLSTR_PATH));
	assert_ptr_equal(dn_callstr_find(bad, 2, DN_CALLSTR_ARGV), &bad[1]);
}

static const char *shown(unsigned kind, const void *p, size_t len)
{
	static struct dn_callstr_buf b;
	static char copy[512];
	struct dn_call_str s = str(kind, 0, p, len);
	const char *q;
	size_t n;

	assert_int_equal(dn_callstr_text(&s, &b, &q, &n), 0);
	assert_true(n < sizeof(copy));
	memcpy(copy, q, n);
	copy[n] = 0;
	dn_callstr_release(&b);
	assert_null(b.p);
	return copy;
}

static void inet_addresses_as_inet_ntop(void **unused)
{
	(void)unused;
	for (int i = 0; i < 20000; i++) {
		struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)i) };
		struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)i) };
		char want[128], number[INET6_ADDRSTRLEN];

		for (int k = 0; k < 16; k++)	/* runs of zeros of every kind */
			six.sin6_addr.s6_addr[k] = rnd() % 3 ? 0 : (uint8_t)rnd();
		if (i % 8 == 0) {		/* mapped IPv4 */
			memset(&six.sin6_addr, 0, 10);
			memset(six.sin6_addr.s6_addr + 10, 0xff, 2);
		}
		four.sin_addr.s_addr = (uint32_t)rnd();
		inet_ntop(AF_INET, &four.sin_addr, number, sizeof(number));
		snprintf(want, sizeof(want), "%s:%d", number, i);
		assert_string_equal(shown(DN_STR_SOCKADDR, &four, sizeof(four)), want);

		inet_ntop(AF_INET6, &six.sin6_addr, number, sizeof(number));
		if (strchr(number, '.') && i % 8)	/* an old form that ours does not use */
			continue;
		snprintf(want, sizeof(want), "[%s]:%d", number, i);
		assert_string_equal(shown(DN_STR_SOCKADDR, &six, sizeof(six)), want);
		six.sin6_scope_id = 7;
		snprintf(want, sizeof(want), "[%s%%7]:%d", number, i);
		assert_string_equal(shown(DN_STR_SOCKADDR_OUT, &six, sizeof(six)), want);
	}
}

static void other_texts(void **unused)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX, .sun_path = "/run/x" };

	(void)unused;
	assert_string_equal(shown(DN_STR_SOCKADDR, &u, sizeof(u)), "unix:/run/x");
	assert_string_equal(shown(DN_STR_SOCKADDR, &u, 2), "unix:");
	assert_string_equal(shown(DN_STR_SOCKADDR, "\1\0\0bus", 6), "unix:@bus");
	assert_string_equal(shown(DN_STR_SOCKADDR, "\20\0\0\0\5\0\0\0\1\0\0\0", 12), "netlink:5:1");
	assert_string_equal(shown(DN_STR_SOCKADDR, "\2\0\0", 3), "family 2");	/* cut short */
	assert_string_equal(shown(DN_STR_SOCKADDR, "\50\0\0", 3), "family 40");
	assert_string_equal(shown(DN_STR_SOCKADDR, "\1", 1), "");
	assert_string_equal(shown(DN_STR_ARGV, "ls\0a b\0", 7), "ls 'a b'");
	assert_string_equal(shown(DN_STR_PATH, "/as it is", 9), "/as it is");
}

/* --- sockaddr.h -------------------------------------------------------------- */

static void check_address(const void *p, size_t len, const char *want)
{
	struct dn_text t = { 0 };

	dn_sockaddr_text(&t, p, len);
	assert_false(t.failed);
	assert_string_equal(t.p, want);
	dn_text_free(&t);
}

static void addresses_as_strace_has_them(void **unused)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(443),
				    .sin6_flowinfo = htonl(5), .sin6_scope_id = 3 };
	struct sockaddr_un u = { .sun_family = AF_UNIX, .sun_path = "/run/a\"b" };

	(void)unused;
	inet_pton(AF_INET, "192.0.2.7", &four.sin_addr);
	inet_pton(AF_INET6, "2001:db8::7", &six.sin6_addr);
	check_address(&four, sizeof(four),
		      "{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"192.0.2.7\")}");
	check_address(&six, sizeof(six),
		      "{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(5), "
		      "inet_pton(AF_INET6, \"2001:db8::7\", &sin6_addr), sin6_scope_id=3}");
	check_address(&six, 24,
		      "{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(5), "
		      "inet_pton(AF_INET6, \"2001:db8::7\", &sin6_addr)}");
	check_address(&u, sizeof(u), "{sa_family=AF_UNIX, sun_path=\"/run/a\\\"b\"}");
	check_address("\1\0\0a\0b", 6, "{sa_family=AF_UNIX, sun_path=@\"a\\0b\"}");
	check_address(&u, 2, "{sa_family=AF_UNIX}");
	check_address("\20\0\0\0\7\0\0\0\1\0\0\0", 12,
		      "{sa_family=AF_NETLINK, nl_pid=7, nl_groups=0x000001}");
	check_address(&four, 7, "{sa_family=AF_INET, sa_data=\"\\37\\220\\300\\0\\2\"}");
	check_address("\377\377", 2, "{sa_family=0xffff /* AF_??? */}");
}

/* No length of any family reads beyond its bytes (the allocation's end, for ASan). */
static void no_length_is_too_short(void **unused)
{
	(void)unused;
	for (unsigned family = 0; family < 64; family++)
		for (size_t len = 2; len <= 40; len++) {
			struct dn_callstr_buf b = { 0 };
			struct dn_text t = { 0 };
			char *p = malloc(len);
			struct dn_call_str s = str(DN_STR_SOCKADDR, 0, p, len);
			const char *q;
			size_t n;

			memset(p, 'x', len);
			p[0] = (char)family;
			p[1] = 0;
			dn_sockaddr_text(&t, p, len);
			assert_true(t.len > 2 && t.p[0] == '{' && t.p[t.len - 1] == '}');
			assert_int_equal(dn_callstr_text(&s, &b, &q, &n), 0);
			assert_true(n > 0);
			dn_text_free(&t);
			dn_callstr_release(&b);
			free(p);
		}
}

/* --- flags.h ----------------------------------------------------------------- */

static void check_flags(unsigned kind, enum dn_abi abi, uint64_t value, const char *want)
{
	struct dn_text t = { 0 };

	dn_flags_text(&t, kind, abi, value);
	assert_string_equal(t.p, want);
	dn_text_free(&t);
}

static void constants_of_the_c_library(void **unused)
{
#define NAMED(name) { name, #name }
	static const struct { uint64_t value; const char *name; } domains[] = {
		NAMED(AF_UNIX), NAMED(AF_INET), NAMED(AF_INET6), NAMED(AF_NETLINK), NAMED(AF_PACKET),
	}, commands[] = {
		NAMED(F_DUPFD), NAMED(F_GETFD), NAMED(F_SETFD), NAMED(F_GETFL), NAMED(F_SETFL),
		NAMED(F_DUPFD_CLOEXEC),
	}, whences[] = {
		NAMED(SEEK_SET), NAMED(SEEK_CUR), NAMED(SEEK_END), NAMED(SEEK_DATA), NAMED(SEEK_HOLE),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
		assert_string_equal(dn_flags_name(DN_KIND_SOCKDOMAIN, domains[i].value),
				    domains[i].name);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		assert_string_equal(dn_flags_name(DN_KIND_FCNTLCMD, commands[i].value),
				    commands[i].name);
	for (size_t i = 0; i < sizeof(whences) / sizeof(*whences); i++)
		check_flags(DN_KIND_WHENCE, DN_ABI_X86_64, whences[i].value, whences[i].name);
	assert_null(dn_flags_name(DN_KIND_WHENCE, 99));
	assert_null(dn_flags_name(0, 0));
}

static void sets_of_bits(void **unused)
{
	(void)unused;
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, O_RDWR | O_CREAT | O_TRUNC,
		    "O_RDWR|O_CREAT|O_TRUNC");
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, O_RDONLY, "O_RDONLY");
	/* a part of O_SYNC is a flag of its own */
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, O_WRONLY | O_SYNC, "O_WRONLY|O_SYNC");
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, O_WRONLY | O_DSYNC, "O_WRONLY|O_DSYNC");
	/* the same bit has another meaning on arm (asm/fcntl.h) */
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, 0x10000, "O_RDONLY|O_DIRECTORY");
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_AARCH64, 0x10000, "O_RDONLY|O_DIRECT");
	check_flags(DN_KIND_OPENFLAGS, DN_ABI_X86_64, O_RDWR | 0x80000000u, "O_RDWR|0x80000000");
	check_flags(DN_KIND_PROT, DN_ABI_X86_64, PROT_READ | PROT_EXEC, "PROT_READ|PROT_EXEC");
	check_flags(DN_KIND_PROT, DN_ABI_X86_64, PROT_NONE, "PROT_NONE");
	check_flags(DN_KIND_WHENCE, DN_ABI_X86_64, 9, "0x9 /* SEEK_??? */");
	check_flags(0, DN_ABI_X86_64, 0x1f, "0x1f");
	assert_true(dn_flags_are_bits(DN_KIND_OPENFLAGS));
	assert_false(dn_flags_are_bits(DN_KIND_WHENCE));
	assert_false(dn_flags_are_bits(0));
	assert_true(dn_kind_is_set(DN_KIND_WHENCE));
	assert_false(dn_kind_is_set(DN_KIND_MAX));
}

static void commands_without_argument(void **unused)
{
	(void)unused;
	assert_true(dn_flags_noarg(DN_KIND_IOCTLCMD, 0x5451));	/* FIOCLEX */
	assert_false(dn_flags_noarg(DN_KIND_IOCTLCMD, 0x5401));	/* TCGETS */
	assert_false(dn_flags_noarg(DN_KIND_WHENCE, SEEK_SET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_string_has_its_column),
		cmocka_unit_test(inet_addresses_as_inet_ntop),
		cmocka_unit_test(other_texts),
		cmocka_unit_test(addresses_as_strace_has_them),
		cmocka_unit_test(no_length_is_too_short),
		cmocka_unit_test(constants_of_the_c_library),
		cmocka_unit_test(sets_of_bits),
		cmocka_unit_test(commands_without_argument),
	};

	return cmocka_run_group_tests_name("callstr", tests, NULL, NULL);
}
