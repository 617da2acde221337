/*
 * Build-ids: found among notes, at every cut, in both byte orders and alignments.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildid.h"

static const unsigned char little[] = {
	4, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 'G', 'N', 'U', 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
	4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 'X', 'Y', 'Z', 0, 9, 9, 9, 0,
	4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xab, 0xcd, 0xef,
};
static const unsigned char big8[] = {
	0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 5, 'G', 'N', 'U', 0, 1, 2, 3, 4, 0, 0, 0, 0,
	0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, 'G', 'N', 'U', 0, 0x12, 0x34,
};

static void found(void **state)
{
	struct dn_build_id id, other;

	(void)state;
	assert_true(dn_build_id_find(little, sizeof(little), 4, false, &id));
	assert_int_equal(id.len, 3);
	assert_memory_equal(id.byte, "\xab\xcd\xef", 3);
	assert_true(dn_build_id_find(big8, sizeof(big8), 8, true, &other));
	assert_int_equal(other.len, 2);
	assert_true(dn_build_id_same(&id, &id));
	assert_false(dn_build_id_same(&id, &other));
	assert_false(dn_build_id_find(big8, sizeof(big8), 4, false, &id));
	assert_int_equal(id.len, 0);
	assert_false(dn_build_id_same(&id, &id));
}

static void cut(void **state)
{
	struct dn_build_id id;

	(void)state;
	for (size_t n = 0; n < sizeof(little); n++) {
		unsigned char *p = malloc(n + 1);	/* one for malloc(0) */

		memcpy(p, little, n);
		assert_false(dn_build_id_find(p, n, 4, false, &id));
		free(p);
	}
	for (size_t i = 0; i < sizeof(little); i++)
		for (unsigned v = 0; v < 256; v += 51) {
			unsigned char bad[sizeof(little)];

			memcpy(bad, little, sizeof(bad));
			bad[i] = (unsigned char)v;
			dn_build_id_find(bad, sizeof(bad), v & 1 ? 8 : 4, v & 2, &id);
			assert_true(id.len <= DN_BUILD_ID_MAX);
		}
}

static void path(void **state)
{
	struct dn_build_id id = { { 0xab, 0xcd, 0xef }, 3 };
	char buf[64];

	(void)state;
	assert_int_equal(dn_build_id_path(buf, sizeof(buf), "/usr/lib/debug", &id), 0);
	assert_string_equal(buf, "/usr/lib/debug/.build-id/ab/cdef.debug");
	assert_int_equal(dn_build_id_path(buf, 38, "/usr/lib/debug", &id), -ENAMETOOLONG);
	assert_int_equal(dn_build_id_path(buf, 39, "/usr/lib/debug", &id), 0);
	id.len = 1;
	assert_int_equal(dn_build_id_path(buf, sizeof(buf), "/usr/lib/debug", &id), -ENODATA);
}

static void parsed(void **state)
{
	static const char *const bad[] = { "", "a", "abc", "AB", "0x", "ag", " a", "ab ", "a\0", "-1" };
	char hex[2 * DN_BUILD_ID_MAX + 1];
	struct dn_build_id id;

	(void)state;
	for (unsigned n = 1; n <= DN_BUILD_ID_MAX; n++) {
		struct dn_build_id was = { .len = (uint8_t)n };

		for (unsigned i = 0; i < n; i++)
			was.byte[i] = (uint8_t)(i * 37 + n * 11);
		dn_build_id_hex(&was, hex);
		assert_true(dn_build_id_parse(hex, 2 * n, &id));
		assert_true(dn_build_id_same(&id, &was));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		id.len = 1;
		assert_false(dn_build_id_parse(bad[i], bad[i][0] == 'a' && !bad[i][1] ? 2 : strlen(bad[i]), &id));
		assert_int_equal(id.len, 0);
	}
	assert_false(dn_build_id_parse("00112233445566778899aabbccddeeff0011223344", 42, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(cut),
		cmocka_unit_test(path),
		cmocka_unit_test(parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
