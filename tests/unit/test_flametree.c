/*
 * test_flametree.c - analyzer/flametree.h: what is merged, in which order, and that
 * trees which make no sense end all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "flametree.h"
#include "folded.h"

static void frame(struct dn_flametree *t, int64_t id, int64_t parent, const char *name,
		  enum dn_frame_kind kind)
{
	assert_int_equal(dn_flametree_frame(t, id, parent < 0 ? NULL : &parent, name, strlen(name), "/lib/x.so",
					    9, kind), 0);
}

static void add(struct dn_flametree *t, const char *root, int64_t stack, int64_t weight)
{
	assert_int_equal(dn_flametree_add(t, root, strlen(root), stack, weight), 0);
}

/* The settled tree as folded stacks. */
static char *folded(struct dn_flametree *t, bool ns)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(dn_flametree_settle(t), 0);
	assert_non_null(f);
	assert_int_equal(dn_folded_write(f, t, ns), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void is_folded(struct dn_flametree *t, bool ns, const char *want)
{
	char *text = folded(t, ns);

	assert_string_equal(text, want);
	free(text);
}

/* Each subtree lies behind its parent, totals add up, siblings are in order. */
static void check_walk(const struct dn_flametree *t)
{
	uint32_t n = dn_flametree_count(t);

	assert_true(n > 0);
	assert_int_equal(dn_flametree_node(t, 0)->parent, DN_FLAME_NONE);
	assert_int_equal(dn_flametree_node(t, 0)->end, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct dn_flame_node *p = dn_flametree_node(t, i);
		uint64_t sum = p->self;
		const char *before = NULL;

		for (uint32_t k = i + 1; k < p->end; k = dn_flametree_node(t, k)->end) {
			const struct dn_flame_node *c = dn_flametree_node(t, k);
			size_t len;
			const char *name = dn_flametree_text(t, c->name, &len);

			assert_int_equal(c->parent, i);
			assert_int_equal(c->depth, p->depth + 1);
			assert_true(c->end > k && c->end <= p->end);
			assert_true(!before || strcmp(before, name) <= 0);
			before = name;
			sum += c->total;
		}
		assert_int_equal(p->total, sum);
	}
}

static void merged_by_name(void **unused)
{
	struct dn_flametree *t = dn_flametree_new(1000, 100);

	(void)unused;
	frame(t, 1, -1, "main", DN_FRAME_USER);
	frame(t, 2, 1, "work", DN_FRAME_USER);		/* called from two places in main */
	frame(t, 3, 1, "work", DN_FRAME_USER);
	frame(t, 4, 2, "read", DN_FRAME_KERNEL);
	frame(t, 5, 3, "read", DN_FRAME_KERNEL);
	frame(t, 6, 3, "read", DN_FRAME_USER);		/* another thing of the same name */
	frame(t, 7, -1, "start", DN_FRAME_USER);
	add(t, "sh", 4, 3);
	add(t, "sh", 5, 4);
	add(t, "sh", 6, 1);
	add(t, "sh", 2, 2);
	add(t, "cat", 5, 10);
	add(t, "cat", 7, 0);
	is_folded(t, false, "cat;main;work;read 10\n"
			    "sh;main;work 2\n"
			    "sh;main;work;read 1\n"
			    "sh;main;work;read 7\n");
	check_walk(t);
	assert_int_equal(dn_flametree_node(t, 0)->total, 20);
	assert_int_equal(dn_flametree_flaws(t)->broken, 0);
	/* The frames stay, the weights go. */
	dn_flametree_clear(t);
	is_folded(t, false, "");
	assert_int_equal(dn_flametree_count(t), 1);
	dn_flametree_clear(t);
	add(t, "sh", 7, 1499);
	add(t, "sh", 1, 499);
	is_folded(t, true, "sh;start 1\n");
	dn_flametree_free(t);
}

static void damaged(void **unused)
{
	struct dn_flametree *t = dn_flametree_new(1000, 100);

	(void)unused;
	frame(t, 1, 3, "a", DN_FRAME_USER);	/* a circle of three */
	frame(t, 2, 1, "b", DN_FRAME_USER);
	frame(t, 3, 2, "c", DN_FRAME_USER);
	frame(t, 4, 4, "self", DN_FRAME_USER);
	frame(t, 5, 77, "orphan", DN_FRAME_USER);
	frame(t, 6, -1, "twice", DN_FRAME_USER);
	frame(t, 6, 1, "again", DN_FRAME_USER);
	add(t, "r", 3, 1);
	add(t, "r", 2, 1);
	add(t, "r", 4, 1);
	add(t, "r", 5, 1);
	add(t, "r", 99, 1);
	add(t, "r", 6, 1);
	add(t, "r", 6, -5);
	is_folded(t, false, "r;[frames missing];orphan 1\n"
			    "r;[stack missing] 1\n"
			    "r;a;b 1\n"
			    "r;a;b;c 1\n"
			    "r;self 1\n"
			    "r;twice 1\n");
	check_walk(t);
	assert_int_equal(dn_flametree_flaws(t)->broken, 4);	/* each once */
	assert_int_equal(dn_flametree_flaws(t)->negative, 1);
	dn_flametree_free(t);
}

/* A chain of a hundred thousand, a weight on each: no time by the square of it, none lost. */
static void deep(void **unused)
{
	enum { N = 100000, DEPTH = 50 };
	struct dn_flametree *t = dn_flametree_new(1u << 20, DEPTH);
	char *text;
	int lines = 0;

	(void)unused;
	for (int64_t i = 0; i < N; i++)
		frame(t, i, i - 1, i % 2 ? "odd" : "even", DN_FRAME_USER);
	for (int64_t i = N; i-- > 0;)
		add(t, "r", i, 1);
	text = folded(t, false);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	free(text);
	assert_int_equal(lines, DEPTH);
	assert_int_equal(dn_flametree_node(t, 0)->total, N);
	assert_int_equal(dn_flametree_flaws(t)->deep, N - DEPTH);
	check_walk(t);
	dn_flametree_free(t);
}

/* More roots and frames than there is room for: what is too much is below its root. */
static void crowded(void **unused)
{
	enum { ROOTS = 100, CHAIN = 500, NODES = 1000 };
	struct dn_flametree *t = dn_flametree_new(NODES, 1000);
	char root[16];

	(void)unused;
	for (int64_t i = 0; i < CHAIN; i++)
		frame(t, i, i - 1, "f", DN_FRAME_USER);
	for (int r = 0; r < ROOTS; r++) {
		snprintf(root, sizeof(root), "r%d", r);
		add(t, root, CHAIN - 1, 1);
	}
	assert_int_equal(dn_flametree_settle(t), 0);
	assert_true(dn_flametree_count(t) <= NODES);
	assert_int_equal(dn_flametree_node(t, 0)->total, ROOTS);
	assert_true(dn_flametree_flaws(t)->crowded > 0);
	check_walk(t);
	dn_flametree_free(t);
}

static void sums_that_do_not_fit(void **unused)
{
	struct dn_flametree *t = dn_flametree_new(100, 10);

	(void)unused;
	frame(t, INT64_MIN, -1, "low", DN_FRAME_USER);
	frame(t, INT64_MAX, 0, "high", DN_FRAME_USER);
	add(t, "r", INT64_MIN, INT64_MAX);
	add(t, "r", INT64_MIN, INT64_MAX);
	add(t, "s", INT64_MIN, INT64_MAX);
	assert_int_equal(dn_flametree_settle(t), 0);
	assert_int_equal(dn_flametree_node(t, 0)->total, INT64_MAX);
	dn_flametree_free(t);
}

static void nothing(void **unused)
{
	struct dn_flametree *t = dn_flametree_new(100, 10);

	(void)unused;
	is_folded(t, false, "");
	check_walk(t);
	dn_flametree_free(t);
	dn_flametree_free(NULL);
}

/* Made at random, compared with the plain way: each stack written out as a line. */
static void as_line_by_line(void **unused)
{
	enum { N = 400, WEIGHTS = 3000 };
	static const char *const name[] = { "a", "b", "c", "dd" };
	static int64_t parent[N];
	static int which[N];
	struct dn_flametree *t = dn_flametree_new(1u << 20, 1000);
	uint64_t total = 0, state = 7;
	char *text, *line, *save = NULL;

	(void)unused;
	for (int64_t i = 0; i < N; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		parent[i] = i && state >> 60 ? (int64_t)((state >> 20) % (uint64_t)i) : -1;
		which[i] = (int)(state >> 40) & 3;
		frame(t, i, parent[i], name[which[i]], DN_FRAME_USER);
	}
	for (int k = 0; k < WEIGHTS; k++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		add(t, "r", (int64_t)((state >> 30) % N), (int64_t)(state >> 60) + 1);
		total += (state >> 60) + 1;
	}
	text = folded(t, false);
	check_walk(t);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t want = 0;

		state = 7;
		for (int64_t i = 0; i < N; i++)
			state = state * 6364136223846793005u + 1442695040888963407u;
		for (int k = 0; k < WEIGHTS; k++) {
			char stack[N * 3 + 8] = "", all[sizeof(stack) + 8];
			int64_t i;

			state = state * 6364136223846793005u + 1442695040888963407u;
			for (i = (int64_t)((state >> 30) % N); i >= 0; i = parent[i]) {
				snprintf(all, sizeof(all), ";%s%s", name[which[i]], stack);
				memcpy(stack, all, sizeof(stack));
			}
			if (!strncmp(line, "r", 1) && !strncmp(line + 1, stack, strlen(stack)) &&
			    line[1 + strlen(stack)] == ' ')
				want += (state >> 60) + 1;
		}
		assert_int_equal(strtoull(strchr(line, ' '), NULL, 10), want);
		total -= want;
	}
	assert_int_equal(total, 0);
	free(text);
	dn_flametree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged_by_name),
		cmocka_unit_test(damaged),
		cmocka_unit_test(deep),
		cmocka_unit_test(crowded),
		cmocka_unit_test(sums_that_do_not_fit),
		cmocka_unit_test(nothing),
		cmocka_unit_test(as_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
