/*
 * test_tree.c - who lives: against a plain array that does the same slowly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"

#define IDS 3000

static void test_random(void **state)
{
	struct dn_tree *t = dn_tree_new();
	static bool lives[IDS];
	struct dn_tree_thread *list;
	unsigned count = 0;
	uint32_t x = 12345;
	long n;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t id;

		x = x * 1664525u + 1013904223u;
		id = 1 + (x >> 8) % (IDS - 1);
		if (lives[id]) {
			assert_true(dn_tree_remove(t, id, id % 2 + 1));
			count--;
		} else {
			struct dn_tree_thread th = { .thread = id, .process = id, .pid = id };

			assert_int_equal(dn_tree_add(t, &th), 0);
			assert_int_equal(dn_tree_add(t, &th), 0);	/* twice is once */
			count++;
		}
		lives[id] = !lives[id];
		assert_int_equal(dn_tree_processes(t), count);
	}
	n = dn_tree_list(t, &list);
	assert_int_equal(n, count);
	for (long i = 0; i < n; i++)
		assert_true(lives[list[i].thread]);
	free(list);
	dn_tree_free(t);
}

struct news {
	unsigned born, dead;
	uint32_t last;
};

static void on_news(void *ctx, const struct dn_tree_news *n)
{
	struct news *x = ctx;

	if (n->dead)
		x->dead++;
	else
		x->born++;
	x->last = n->process;
}

static void test_news(void **state)
{
	struct dn_tree *t = dn_tree_new();
	struct dn_tree_thread a = { .thread = 1, .process = 1, .pid = 10, .comm = "a" };
	struct dn_tree_thread b = { .thread = 2, .process = 1, .pid = 10, .comm = "b" };
	struct dn_tree_thread *list;
	static const char renamed[16] = "renamed";
	struct news x = { 0 };

	(void)state;
	dn_tree_add(t, &a);
	dn_tree_add(t, &b);
	dn_tree_rename(t, 2, renamed);
	dn_tree_rename(t, 9, renamed);
	assert_int_equal(dn_tree_list(t, &list), 2);
	assert_true(!strcmp(list[0].comm, "renamed") || !strcmp(list[1].comm, "renamed"));
	free(list);
	assert_false(dn_tree_remove(t, 1, 2));	/* the first thread of a process may end before it */
	assert_int_equal(dn_tree_processes(t), 1);
	assert_true(dn_tree_remove(t, 2, 2));
	dn_tree_remove(t, 2, 1);	/* unknown: nothing */
	dn_tree_news(t, on_news, &x);
	assert_int_equal(x.born, 1);
	assert_int_equal(x.dead, 1);
	dn_tree_news(t, on_news, &x);
	assert_int_equal(x.born, 1);
	dn_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
