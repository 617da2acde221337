/*
 * test_spaces.c - address spaces: what lay where in which process, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spaces.h"

struct rig {
	struct dn_codes *codes;
	struct dn_spaces *s;
};

static void rig_open(struct rig *r)
{
	r->codes = dn_codes_new();
	assert_non_null(r->codes);
	r->s = dn_spaces_new(r->codes);
	assert_non_null(r->s);
	assert_int_equal(dn_spaces_follow(r->s, 1, 0), 0);
}

static void rig_close(struct rig *r)
{
	dn_spaces_free(r->s);
	dn_codes_free(r->codes);
}

static void mapped(struct rig *r, uint32_t pid, uint64_t time, uint64_t start, uint64_t end, uint64_t pgoff, const char *path)
{
	const struct dn_map_event e = { .kind = DN_MAP_CODE, .pid = pid, .time = time, .start = start, .end = end,
		.pgoff = pgoff, .dev = 1, .inode = 2, .path = path };

	dn_spaces_event(r->s, &e);
}

static void event(struct rig *r, enum dn_map_kind kind, uint32_t pid, uint32_t parent, uint64_t time)
{
	const struct dn_map_event e = { .kind = (uint8_t)kind, .pid = pid, .parent = parent, .time = time };

	dn_spaces_event(r->s, &e);
}

/* "PATH+OFFSET", or "" where nothing is known. */
static const char *at(struct rig *r, uint32_t pid, uint64_t time, uint64_t address)
{
	static char text[4][64];
	static unsigned turn;
	struct dn_place p;

	turn = (turn + 1) % 4;
	text[turn][0] = 0;
	if (dn_spaces_find(r->s, pid, time, address, &p))
		snprintf(text[turn], sizeof(text[turn]), "%s+%llx", dn_codes_get(r->codes, p.object)->path,
			 (unsigned long long)p.offset);
	return text[turn];
}

static void test_bounds(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 100, 0x1000, 0x3000, 0x400, "/a");
	assert_string_equal(at(&r, 1, 99, 0x1000), "");		/* not yet */
	assert_string_equal(at(&r, 1, 100, 0x1000), "/a+400");
	assert_string_equal(at(&r, 1, 100, 0x2fff), "/a+23ff");
	assert_string_equal(at(&r, 1, 100, 0x3000), "");
	assert_string_equal(at(&r, 1, 100, 0xfff), "");
	assert_string_equal(at(&r, 2, 100, 0x1000), "");	/* whom nobody follows */
	mapped(&r, 2, 101, 0x1000, 0x3000, 0, "/stranger");
	assert_string_equal(at(&r, 2, 102, 0x1000), "");
	mapped(&r, 1, 103, UINT64_MAX - 0xfff, UINT64_MAX, 0, "/top");
	assert_string_equal(at(&r, 1, 103, UINT64_MAX - 1), "/top+ffe");
	rig_close(&r);
}

static void test_kinds(void **state)
{
	struct rig r;
	struct dn_place p, q;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 1, 0x1000, 0x2000, 0, "//anon");
	mapped(&r, 1, 1, 0x2000, 0x3000, 0x700, "[heap]");
	mapped(&r, 1, 1, 0x3000, 0x4000, 0, "/memfd:code (deleted)");
	mapped(&r, 1, 1, UINT64_C(0x7fff00000000), UINT64_C(0x7fff00001000), 0, "[vdso]");
	mapped(&r, 1, 1, 0x5000, 0x6000, 0, "[vdso]");
	mapped(&r, 1, 1, 0x6000, 0x7000, 0, "/memfd");		/* a file of that name */
	assert_string_equal(at(&r, 1, 1, 0x1234), "[memory]+1234");	/* its offset is the address */
	assert_string_equal(at(&r, 1, 1, 0x2234), "[memory]+2234");
	assert_string_equal(at(&r, 1, 1, 0x3234), "[memory]+3234");
	assert_string_equal(at(&r, 1, 1, UINT64_C(0x7fff00000010)), "[vdso]+10");
	assert_string_equal(at(&r, 1, 1, 0x5010), "[vdso32]+10");
	assert_string_equal(at(&r, 1, 1, 0x6010), "/memfd+10");
	/* A program. */
	dn_spaces_event(r.s, &(struct dn_map_event){ .kind = DN_MAP_CODE, .pid = 1, .time = 1, .start = 0x8000, .end = 0x9000,
		.build_id = { { 1, 2, 3 }, 3 }, .path = "/memfd:program (deleted)" });
	assert_string_equal(at(&r, 1, 1, 0x8010), "/memfd:program (deleted)+10");
	assert_true(dn_spaces_find(r.s, 1, 1, 0x1000, &p) && dn_spaces_find(r.s, 1, 1, 0x3000, &q));
	assert_int_equal(p.object, q.object);
	event(&r, DN_MAP_EXEC, 1, 0, 5);
	mapped(&r, 1, 6, 0x1000, 0x2000, 0, "//anon");
	assert_true(dn_spaces_find(r.s, 1, 6, 0x1000, &q));
	assert_int_not_equal(p.object, q.object);		/* memory of another program */
	rig_close(&r);
}

static void test_over(void **state)
{
	struct dn_place p;
	struct rig r;
	uint64_t address;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 10, 0x1000, 0x9000, 0, "/a");
	mapped(&r, 1, 20, 0x3000, 0x5000, 0x100, "/b");
	assert_string_equal(at(&r, 1, 19, 0x3000), "/a+2000");
	assert_string_equal(at(&r, 1, 20, 0x3000), "/b+100");
	assert_string_equal(at(&r, 1, 20, 0x2fff), "/a+1fff");
	assert_string_equal(at(&r, 1, 20, 0x5000), "/a+4000");
	assert_true(dn_spaces_changed(r.s, 1, 10, 20));
	assert_true(dn_spaces_changed(r.s, 1, 20, 10));
	assert_false(dn_spaces_changed(r.s, 1, 10, 19));
	assert_false(dn_spaces_changed(r.s, 1, 20, 30));

	/* The same there again is no change, in whole, in part, or beyond. */
	mapped(&r, 1, 30, 0x1000, 0x3000, 0, "/a");
	mapped(&r, 1, 31, 0x5000, 0x6000, 0x4000, "/a");
	mapped(&r, 1, 32, 0x8000, 0xa000, 0x7000, "/a");
	assert_false(dn_spaces_changed(r.s, 1, 21, 40));
	assert_string_equal(at(&r, 1, 40, 0x9fff), "/a+8fff");
	/* The same file elsewhere in it is one, and so is coming back. */
	mapped(&r, 1, 50, 0x1000, 0x2000, 0x1000, "/a");
	assert_true(dn_spaces_changed(r.s, 1, 49, 50));
	mapped(&r, 1, 60, 0x1000, 0x9000, 0, "/a");
	assert_true(dn_spaces_changed(r.s, 1, 59, 60));
	assert_string_equal(at(&r, 1, 60, 0x3000), "/a+2000");
	assert_string_equal(at(&r, 1, 59, 0x3000), "/b+100");

	/* Places back to addresses. */
	assert_true(dn_spaces_find(r.s, 1, 25, 0x4567, &p));
	assert_true(dn_spaces_address(r.s, 1, 25, &p, &address));
	assert_int_equal(address, 0x4567);
	assert_false(dn_spaces_address(r.s, 1, 15, &p, &address));
	p.offset = 0x100 + 0x2000;	/* behind it */
	assert_false(dn_spaces_address(r.s, 1, 25, &p, &address));
	p.offset = 0xff;
	assert_false(dn_spaces_address(r.s, 1, 25, &p, &address));
	rig_close(&r);
}

static void test_fork(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 10, 0x1000, 0x2000, 0, "/a");
	event(&r, DN_MAP_FORK, 2, 1, 20);
	mapped(&r, 1, 30, 0x1000, 0x2000, 0, "/parent");
	mapped(&r, 2, 30, 0x5000, 0x6000, 0, "/child");
	event(&r, DN_MAP_FORK, 3, 2, 40);
	mapped(&r, 2, 50, 0x5000, 0x6000, 0, "/later");
	assert_string_equal(at(&r, 2, 19, 0x1000), "");		/* not born */
	assert_string_equal(at(&r, 2, 60, 0x1000), "/a+0");	/* as it was when it was born */
	assert_string_equal(at(&r, 1, 60, 0x1000), "/parent+0");
	assert_string_equal(at(&r, 1, 60, 0x5000), "");
	assert_string_equal(at(&r, 3, 60, 0x1000), "/a+0");	/* through two of them */
	assert_string_equal(at(&r, 3, 60, 0x5000), "/child+0");
	assert_false(dn_spaces_changed(r.s, 2, 20, 45));	/* what the parent maps is nothing to it */
	assert_true(dn_spaces_changed(r.s, 1, 20, 45));
	/* Over what it has of its parent. */
	mapped(&r, 3, 70, 0x1800, 0x1900, 0, "/over");
	assert_true(dn_spaces_changed(r.s, 3, 60, 70));
	assert_string_equal(at(&r, 3, 70, 0x1800), "/over+0");
	/* The ends of parents do not end what their children have. */
	event(&r, DN_MAP_EXIT, 1, 0, 80);
	event(&r, DN_MAP_EXIT, 2, 0, 80);
	dn_spaces_forget(r.s, 1000, false);
	assert_string_equal(at(&r, 1, 60, 0x1000), "");
	assert_string_equal(at(&r, 3, 90, 0x1000), "/a+0");
	assert_string_equal(at(&r, 3, 90, 0x5000), "/child+0");
	event(&r, DN_MAP_EXIT, 3, 0, 90);
	dn_spaces_forget(r.s, 1000, false);
	assert_string_equal(at(&r, 3, 85, 0x1000), "");
	rig_close(&r);
}

static void test_exec(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 10, 0x1000, 0x2000, 0, "/old");
	event(&r, DN_MAP_FORK, 2, 1, 15);	/* vfork: it executes at once */
	event(&r, DN_MAP_EXEC, 2, 0, 16);
	mapped(&r, 2, 17, 0x1000, 0x2000, 0, "/new");
	assert_string_equal(at(&r, 2, 15, 0x1000), "/old+0");
	assert_string_equal(at(&r, 2, 16, 0x1000), "");		/* nothing of before is left */
	assert_string_equal(at(&r, 2, 17, 0x1000), "/new+0");
	assert_string_equal(at(&r, 1, 17, 0x1000), "/old+0");
	assert_false(dn_spaces_changed(r.s, 2, 15, 20));	/* two spaces, of two numbers */

	/* A thread executes: the others have ended before. */
	event(&r, DN_MAP_FORK, 1, 1, 20);
	event(&r, DN_MAP_FORK, 1, 1, 20);
	event(&r, DN_MAP_EXIT, 1, 0, 30);
	event(&r, DN_MAP_EXIT, 1, 0, 30);
	event(&r, DN_MAP_EXEC, 1, 0, 31);
	mapped(&r, 1, 32, 0x1000, 0x2000, 0, "/new");
	assert_string_equal(at(&r, 1, 30, 0x1fff), "/old+fff");
	assert_string_equal(at(&r, 1, 40, 0x1fff), "/new+fff");
	event(&r, DN_MAP_EXIT, 1, 0, 50);
	assert_string_equal(at(&r, 1, 50, 0x1000), "/new+0");
	dn_spaces_forget(r.s, 51, false);
	assert_string_equal(at(&r, 1, 50, 0x1000), "");
	rig_close(&r);
}

/* More threads end than were seen to be born: their process lives while there is one of its number. */
static void test_lost_births(void **state)
{
	const uint32_t me = (uint32_t)getpid(), nobody = 0x7fffffff;
	struct rig r;

	(void)state;
	rig_open(&r);
	event(&r, DN_MAP_FORK, me, 1, 5);
	event(&r, DN_MAP_FORK, nobody, 1, 5);
	mapped(&r, me, 10, 0x1000, 0x2000, 0, "/a");
	mapped(&r, nobody, 10, 0x1000, 0x2000, 0, "/b");
	for (unsigned i = 0; i < 3; i++) {
		event(&r, DN_MAP_EXIT, me, 0, 20 + i);
		event(&r, DN_MAP_EXIT, nobody, 0, 20 + i);
	}
	assert_string_equal(at(&r, me, 30, 0x1000), "/a+0");
	dn_spaces_forget(r.s, 30, true);
	assert_string_equal(at(&r, me, 40, 0x1000), "/a+0");
	assert_string_equal(at(&r, nobody, 20, 0x1000), "");
	mapped(&r, me, 50, 0x3000, 0x4000, 0, "/c");
	assert_string_equal(at(&r, me, 60, 0x3000), "/c+0");
	event(&r, DN_MAP_EXIT, me, 0, 70);
	dn_spaces_forget(r.s, 80, false);
	assert_string_equal(at(&r, me, 60, 0x3000), "");
	rig_close(&r);
}

static void test_threads(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 10, 0x1000, 0x2000, 0, "/a");
	event(&r, DN_MAP_FORK, 1, 1, 20);
	event(&r, DN_MAP_EXIT, 1, 0, 30);	/* one of two */
	dn_spaces_forget(r.s, 1000, false);
	assert_string_equal(at(&r, 1, 40, 0x1000), "/a+0");
	event(&r, DN_MAP_EXIT, 1, 0, 50);
	dn_spaces_forget(r.s, 50, false);
	assert_string_equal(at(&r, 1, 50, 0x1000), "/a+0");
	dn_spaces_forget(r.s, 51, false);
	assert_string_equal(at(&r, 1, 50, 0x1000), "");
	event(&r, DN_MAP_EXIT, 1, 0, 60);	/* of nobody */
	event(&r, DN_MAP_EXEC, 1, 0, 60);
	event(&r, DN_MAP_FORK, 9, 1, 60);
	mapped(&r, 9, 61, 0x1000, 0x2000, 0, "/a");
	assert_string_equal(at(&r, 9, 61, 0x1000), "");
	rig_close(&r);
}

static void test_pid_again(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 5, 0x1000, 0x2000, 0, "/root");
	event(&r, DN_MAP_FORK, 7, 1, 10);
	mapped(&r, 7, 11, 0x8000, 0x9000, 0, "/first");
	event(&r, DN_MAP_EXIT, 7, 0, 20);
	event(&r, DN_MAP_FORK, 7, 1, 30);
	mapped(&r, 7, 31, 0x8000, 0x9000, 0, "/second");
	assert_string_equal(at(&r, 7, 15, 0x8000), "/first+0");
	assert_string_equal(at(&r, 7, 25, 0x8000), "");		/* between them */
	assert_string_equal(at(&r, 7, 30, 0x8000), "");
	assert_string_equal(at(&r, 7, 35, 0x8000), "/second+0");
	assert_false(dn_spaces_changed(r.s, 7, 31, 40));
	/* The end of that one is lost. */
	event(&r, DN_MAP_FORK, 7, 1, 50);
	mapped(&r, 7, 51, 0x8000, 0x9000, 0, "/third");
	assert_string_equal(at(&r, 7, 45, 0x8000), "/second+0");
	assert_string_equal(at(&r, 7, 55, 0x8000), "/third+0");
	dn_spaces_forget(r.s, 49, false);
	assert_string_equal(at(&r, 7, 15, 0x8000), "");
	assert_string_equal(at(&r, 7, 45, 0x8000), "/second+0");
	/* One of the same bucket is another. */
	event(&r, DN_MAP_FORK, 7 + 1024, 1, 60);
	assert_string_equal(at(&r, 7 + 1024, 61, 0x8000), "");
	assert_string_equal(at(&r, 7 + 1024, 61, 0x1000), "/root+0");
	rig_close(&r);
}

/* A JIT makes the same pages executable again and again, and what it maps after that is known. */
static void test_again_and_again(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	mapped(&r, 1, 1, 0x100000, 0x200000, 0, "//anon");
	for (uint64_t i = 0; i < 200000; i++)
		mapped(&r, 1, 2 + i, 0x100000 + i % 16 * 0x1000, 0x101000 + i % 16 * 0x1000, 0, "//anon");
	mapped(&r, 1, 300000, 0x1000, 0x2000, 0, "/a");
	mapped(&r, 1, 300001, 0x100000, 0x101000, 0, "/over");
	mapped(&r, 1, 300002, 0x100000, 0x101000, 0, "//anon");
	assert_string_equal(at(&r, 1, 300003, 0x1000), "/a+0");
	assert_string_equal(at(&r, 1, 300001, 0x100000), "/over+0");
	assert_string_equal(at(&r, 1, 300003, 0x100000), "[memory]+100000");
	assert_false(dn_spaces_changed(r.s, 1, 1, 300000));
	rig_close(&r);
}

/* So many mappings that there is room for no more: what is known stays. */
static void test_limit(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	for (uint64_t i = 0; i < 65536 + 10; i++)
		mapped(&r, 1, i, 0x100000 + i * 0x2000, 0x101000 + i * 0x2000, i * 0x1000, "/a");
	assert_string_equal(at(&r, 1, 100000, 0x100000), "/a+0");
	assert_string_equal(at(&r, 1, 100000, 0x100000 + 65535 * 0x2000ull), "/a+ffff000");
	assert_string_equal(at(&r, 1, 100000, 0x100000 + 65536 * 0x2000ull), "");
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_lost_births),
		cmocka_unit_test(test_pid_again),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
