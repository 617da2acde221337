/*
 * test_radix.c - analyzer/radix.h: the order that qsort finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "radix.h"

static int by_key(const void *a, const void *b)
{
	const struct dn_radix *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static void sorted_as_qsort_does(void **unused)
{
	static struct dn_radix a[5000], b[5000], spare[5000];
	uint64_t state = 5;

	(void)unused;
	for (unsigned bits = 0; bits <= 64; bits += 8)
		for (uint32_t n = 0; n <= 5000; n = n * 7 + 1) {
			for (uint32_t i = 0; i < n; i++) {
				uint64_t all = xorshift(&state), below = all % (UINT64_C(1) << bits % 64);

				a[i] = (struct dn_radix){ bits == 64 ? all : UINT64_C(1) << 40 | below, i };
			}
			memcpy(b, a, sizeof(a));
			dn_radix_sort(a, spare, n);
			qsort(b, n, sizeof(*b), by_key);
			for (uint32_t i = 0; i < n; i++)
				assert_true(a[i].key == b[i].key && a[i].item == b[i].item);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_as_qsort_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
