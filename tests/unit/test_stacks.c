/*
 * test_stacks.c - stacks as the kernel side sends them: interned, told once, cut where they are broken, and
 * looked up again where something else is mapped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collect.h"
#include "enums.h"
#include "kernel_code.h"
#include "mapwatch.h"
#include "spaces.h"
#include "stacks.h"

/* What the kernel would tell of mappings: in the place of mapwatch.c. */
struct dn_mapwatch {
	struct dn_map_event event[64];
	unsigned n;
	bool closed;
};

void dn_mapwatch_read(struct dn_mapwatch *w, void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx)
{
	for (unsigned i = 0; i < w->n; i++)
		fn(ctx, &w->event[i]);
	w->n = 0;
}

uint64_t dn_mapwatch_lost(const struct dn_mapwatch *w)
{
	(void)w;
	return 17;
}

void dn_mapwatch_close(struct dn_mapwatch *w)
{
	if (w)
		w->closed = true;
}

#define SCHEDULE UINT64_C(0xffffffffff001000)
#define NANOSLEEP UINT64_C(0xffffffffff002000)
#define BPF_PROG UINT64_C(0xffffffffff003000)

static int ask(void *ctx, const uint64_t *address, unsigned n, void (*fn)(void *fn_ctx, const char *line), void *fn_ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++) {
		const uint64_t page = address[i] & ~UINT64_C(0xfff);
		const char *name = page == SCHEDULE ? "__schedule" : page == NANOSLEEP ? "do_nanosleep" : NULL;
		char line[128];

		if (name)
			snprintf(line, sizeof(line), "%llx %s+0x%llx/0x1000\n", (unsigned long long)address[i], name,
				 (unsigned long long)(address[i] - page + 1));
		else
			snprintf(line, sizeof(line), "%llx 0x%llx\n", (unsigned long long)address[i],
				 (unsigned long long)address[i] + 1);
		fn(fn_ctx, line);
	}
	return 0;
}

struct rig {
	struct collect rows;
	struct dn_mapwatch maps;
	struct dn_stacks *s;
	__u64 generation;
};

static void rig_open(struct rig *r, bool maps, bool kernel)
{
	struct dn_stacks_opts o = { .sink = &r->rows.sink, .generation = &r->generation };

	memset(r, 0, sizeof(*r));
	collect_init(&r->rows);
	o.maps = maps ? &r->maps : NULL;
	o.kernel = kernel ? dn_kernel_code_new(ask, NULL) : NULL;
	r->s = dn_stacks_new(&o);
	assert_non_null(r->s);
	assert_int_equal(dn_stacks_follow(r->s, 1), 0);
}

static void rig_close(struct rig *r)
{
	dn_stacks_free(r->s);
	collect_free(&r->rows);
}

static void mapped(struct rig *r, uint64_t time, uint64_t start, uint64_t size, const char *path)
{
	r->maps.event[r->maps.n++] = (struct dn_map_event){ .kind = DN_MAP_CODE, .pid = 1, .time = time, .start = start,
		.end = start + size, .dev = 1, .inode = (unsigned char)path[1], .path = path };
	dn_stacks_pass(r->s);
}

struct sent {
	struct dn_ring_stack head;
	uint64_t f[2 * DN_STACK_FRAMES + 2];
};

/* Kernel frames, 0, user frames, 0. */
static int sent(struct rig *r, uint64_t hash, uint64_t time, enum dn_stack_use use, ...)
{
	struct sent st = { .head = { .type = DN_RING_STACK, .use = (uint8_t)use, .pid = 1, .hash = hash, .time = time } };
	unsigned n = 0;
	va_list ap;

	va_start(ap, use);
	for (uint64_t f; (f = va_arg(ap, uint64_t));)
		st.f[n++] = f;
	st.head.kernel = (uint8_t)n;
	for (uint64_t f; (f = va_arg(ap, uint64_t));)
		st.f[n++] = f;
	va_end(ap);
	st.head.user = (uint8_t)(n - st.head.kernel);
	return dn_stacks_sent(r->s, &st.head, (uint32_t)(sizeof(st.head) + n * sizeof(st.f[0])));
}
#define A(x) ((uint64_t)(x))

static uint32_t found(struct rig *r, uint64_t hash, uint64_t time)
{
	uint32_t id = 99;

	assert_int_equal(dn_stacks_find(r->s, hash, time, &id), 0);
	return id;
}

static const struct collected *row(const struct rig *r, unsigned event, uint64_t id)
{
	for (unsigned i = 0; i < collect_count(&r->rows, event); i++)
		if (collect_find(&r->rows, event, i)->v[0].u == id)
			return collect_find(&r->rows, event, i);
	return NULL;
}

/* "outermost ... innermost" of what was told, places as PATH+OFFSET. */
static const char *text(const struct rig *r, uint64_t stack)
{
	static char out[16384];
	char one[128];

	for (out[0] = 0; stack;) {
		size_t n, len = strlen(out), gap = len > 0;

		const struct collected *s = row(r, DN_EV_stack, stack), *f, *o = NULL;

		if (!s)
			return "not told";
		f = row(r, DN_EV_frame, s->v[DN_F_stack_frame].u);
		if (!f)
			return "frame not told";
		if (f->v[DN_F_frame_object].u)
			o = row(r, DN_EV_object, f->v[DN_F_frame_object].u);
		if (f->v[DN_F_frame_object].u && !o)
			return "object not told";
		if (o && o->v[DN_F_object_kind].u == DN_CODE_MARK)
			snprintf(one, sizeof(one), "%s", o->v[DN_F_object_path].p);
		else if (o && o->v[DN_F_object_kind].u == DN_CODE_KERNEL)
			snprintf(one, sizeof(one), "kernel");
		else
			snprintf(one, sizeof(one), "%s%llx", o ? (const char *)o->v[DN_F_object_path].p : "",
				 (unsigned long long)f->v[DN_F_frame_offset].u);
		n = strlen(one);
		assert_true(n + gap + len < sizeof(out));
		memmove(out + n + gap, out, len + 1);
		memcpy(out, one, n);
		if (gap)
			out[n] = ' ';
		stack = s->v[DN_F_stack_parent].u;
	}
	return out;
}

static void test_once(void **state)
{
	struct rig r;
	uint32_t first, second;

	(void)state;
	rig_open(&r, true, false);
	mapped(&r, 10, 0x1000, 0x1000, "/a:");
	mapped(&r, 11, 0x5000, 0x1000, "/b:");
	assert_int_equal(sent(&r, 77, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1234), A(0x5101), A(0x5201), A(0)), 0);
	assert_int_equal(r.rows.n, 0);				/* only what a row names is told */
	first = found(&r, 77, 21);
	assert_int_not_equal(first, 0);
	assert_string_equal(text(&r, first), "/b:200 /b:100 /a:234");	/* of callers the byte before */
	assert_int_equal(collect_count(&r.rows, DN_EV_object), 2);
	assert_int_equal(collect_count(&r.rows, DN_EV_frame), 3);
	assert_int_equal(collect_count(&r.rows, DN_EV_stack), 3);
	assert_int_equal(found(&r, 77, 22), first);
	assert_int_equal(r.rows.n, 8);

	/* The callers are shared, and rows come before those that name them. */
	assert_int_equal(sent(&r, 78, 23, DN_STACK_OF_SAMPLE, A(0), A(0x1300), A(0x5101), A(0x5201), A(0)), 0);
	second = found(&r, 78, 23);
	assert_int_not_equal(second, first);
	assert_string_equal(text(&r, second), "/b:200 /b:100 /a:300");
	assert_int_equal(r.rows.n, 10);
	assert_int_equal(row(&r, DN_EV_stack, second)->v[DN_F_stack_parent].u, row(&r, DN_EV_stack, first)->v[DN_F_stack_parent].u);
	/* The same under another hash is the same, and the same hash comes twice from two CPUs. */
	assert_int_equal(sent(&r, 79, 24, DN_STACK_OF_SAMPLE, A(0), A(0x1234), A(0x5101), A(0x5201), A(0)), 0);
	assert_int_equal(sent(&r, 79, 24, DN_STACK_OF_SAMPLE, A(0), A(0x1234), A(0x5101), A(0x5201), A(0)), 0);
	assert_int_equal(found(&r, 79, 24), first);
	assert_int_equal(r.rows.n, 10);

	assert_int_equal(found(&r, 80, 24), 0);
	assert_int_equal(dn_stacks_mappings_lost(r.s), 17);

	/* After a keyframe what is met is told again, and nothing else. */
	dn_stacks_keyframe(r.s);
	assert_int_equal(r.rows.n, 10);
	assert_int_equal(found(&r, 78, 30), second);
	assert_int_equal(r.rows.n, 10 + 8);
	assert_int_equal(found(&r, 78, 31), second);
	assert_int_equal(found(&r, 77, 31), first);
	assert_int_equal(r.rows.n, 10 + 8 + 2);
	rig_close(&r);
	assert_true(r.maps.closed);
}

static void test_broken(void **state)
{
	struct sent deep = { .head = { .type = DN_RING_STACK, .use = DN_STACK_OF_SAMPLE, .pid = 1, .hash = 5, .time = 20,
		.user = DN_STACK_FRAMES } };
	struct rig r;

	(void)state;
	rig_open(&r, true, false);
	mapped(&r, 10, 0x1000, 0x1000, "/a:");
	sent(&r, 1, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1010), A(0x1021), A(0x7777), A(0x1031), A(0));
	assert_string_equal(text(&r, found(&r, 1, 20)), "[callers unknown] /a:20 /a:10");
	/* The call may be the last of its mapping: the address behind it is no code, and its last byte is. */
	sent(&r, 2, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1010), A(0x2000), A(0x2001), A(0));
	assert_string_equal(text(&r, found(&r, 2, 20)), "[callers unknown] /a:fff /a:10");
	/* Where it is itself may be what nobody knows. */
	sent(&r, 3, 20, DN_STACK_OF_SAMPLE, A(0), A(0x7777), A(0x1011), A(0));
	assert_string_equal(text(&r, found(&r, 3, 20)), "/a:10 7777");
	sent(&r, 4, 20, DN_STACK_OF_SAMPLE, A(0), A(UINT64_MAX), A(1), A(0));
	assert_string_equal(text(&r, found(&r, 4, 20)), "[callers unknown] ffffffffffffffff");
	for (unsigned i = 0; i < DN_STACK_FRAMES; i++)
		deep.f[i] = 0x1100;
	assert_int_equal(dn_stacks_sent(r.s, &deep.head, sizeof(deep)), 0);
	assert_memory_equal(text(&r, found(&r, 5, 20)), "[callers beyond 127] /a:ff /a:ff ", 33);
	/* One less is whole. */
	deep.head.user--;
	deep.head.hash++;
	assert_int_equal(dn_stacks_sent(r.s, &deep.head, sizeof(deep)), 0);
	assert_memory_equal(text(&r, found(&r, 6, 20)), "/a:ff /a:ff ", 12);
	rig_close(&r);

	/* Without mappings nothing is known of any, and nothing is broken. */
	rig_open(&r, false, false);
	sent(&r, 1, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1010), A(0x1021), A(0));
	assert_string_equal(text(&r, found(&r, 1, 20)), "1020 1010");
	rig_close(&r);
}

static void test_kernel(void **state)
{
	struct rig r;
	uint32_t id;

	(void)state;
	rig_open(&r, true, true);
	mapped(&r, 10, 0x1000, 0x1000, "/a:");
	/* The switch itself is no part of where it waits. */
	sent(&r, 1, 20, DN_STACK_OF_SWITCH, BPF_PROG + 5, SCHEDULE + 0x10, NANOSLEEP + 0x21, A(0), A(0x1010), A(0));
	id = found(&r, 1, 20);
	assert_string_equal(text(&r, id), "[callers unknown] /a:10 kernel");
	/* What runs there does. */
	sent(&r, 2, 20, DN_STACK_OF_SAMPLE, SCHEDULE + 0x10, NANOSLEEP + 0x21, A(0), A(0x1010), A(0));
	assert_string_equal(text(&r, found(&r, 2, 20)), "[callers unknown] /a:10 kernel kernel");
	assert_int_equal(row(&r, DN_EV_stack, found(&r, 2, 20))->v[DN_F_stack_parent].u, id);
	/* Nothing but the switch: no stack. */
	sent(&r, 3, 20, DN_STACK_OF_SWITCH, BPF_PROG + 5, SCHEDULE + 0x10, A(0), A(0));
	assert_int_equal(found(&r, 3, 20), 0);
	rig_close(&r);
}

static void test_damage(void **state)
{
	struct sent st = { .head = { .type = DN_RING_STACK, .use = DN_STACK_OF_SAMPLE, .pid = 1, .hash = 1, .time = 20 } };
	struct rig r;

	(void)state;
	rig_open(&r, true, true);
	st.head.kernel = DN_STACK_FRAMES + 1;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st)), -EPROTO);
	st.head.kernel = 0;
	st.head.user = 255;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st)), -EPROTO);
	st.head.user = 2;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head) + 15), -EPROTO);
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head)), -EPROTO);
	st.head.kernel = 1;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head) + 16), -EPROTO);
	assert_int_equal(found(&r, 1, 20), 0);
	st.f[0] = NANOSLEEP;
	st.f[1] = st.f[2] = 0x1000;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head) + 24), 0);
	assert_int_not_equal(found(&r, 1, 20), 0);
	/* Whose mappings nobody knows. */
	st.head.pid = 4000000000;
	st.head.hash = 2;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head) + 24), 0);
	assert_int_not_equal(found(&r, 2, 20), 0);
	/* No frames at all. */
	st.head.kernel = st.head.user = 0;
	st.head.hash = 3;
	assert_int_equal(dn_stacks_sent(r.s, &st.head, sizeof(st.head)), 0);
	assert_int_equal(found(&r, 3, 20), 0);
	rig_close(&r);
}

static void test_mapped_over(void **state)
{
	struct rig r;
	uint32_t before, after;

	(void)state;
	rig_open(&r, true, true);
	mapped(&r, 10, 0x1000, 0x1000, "/main:");
	mapped(&r, 11, 0x5000, 0x1000, "/a:");
	sent(&r, 1, 20, DN_STACK_OF_SWITCH, SCHEDULE + 0x10, NANOSLEEP + 0x21, A(0), A(0x1010), A(0x5011), A(0x1021), A(0));
	before = found(&r, 1, 20);
	assert_string_equal(text(&r, before), "/main:20 /a:10 /main:10 kernel");
	mapped(&r, 30, 0x5000, 0x1000, "/b:");
	assert_int_equal(found(&r, 1, 29), before);
	after = found(&r, 1, 31);
	assert_int_not_equal(after, before);
	assert_string_equal(text(&r, after), "/main:20 /b:10 /main:10 kernel");
	assert_int_equal(found(&r, 1, 40), after);
	assert_int_equal(found(&r, 1, 25), before);	/* a row of before, from another ring */
	mapped(&r, 50, 0x5000, 0x1000, "/a:");
	assert_int_equal(found(&r, 1, 51), before);
	assert_int_equal(found(&r, 1, 49), after);
	/* Nothing is known of what lies beside it by then, and it is not asked. */
	mapped(&r, 60, 0x9000, 0x1000, "/c:");
	assert_int_equal(found(&r, 1, 61), before);
	rig_close(&r);
}

/* Full, it begins anew with other ids; who comes with a hash of before is still understood, once. */
static void test_full(void **state)
{
	const unsigned room = 1u << 17;
	struct rig r;
	uint32_t first, second;

	(void)state;
	rig_open(&r, true, false);
	mapped(&r, 10, 0x1000, 0x1000, "/a:");
	for (unsigned i = 0; i < room; i++)
		sent(&r, (uint64_t)(i + 1) << 20 | 7, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1000 + i % 64), A(0));
	first = found(&r, (uint64_t)1 << 20 | 7, 20);
	assert_int_not_equal(first, 0);
	assert_int_equal(r.generation, 0);
	sent(&r, 12345, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1000), A(0));
	assert_int_equal(r.generation, 1);
	second = found(&r, 12345, 20);
	assert_true(second > first);
	assert_string_equal(text(&r, second), "[callers unknown] /a:0");
	assert_int_equal(found(&r, (uint64_t)1 << 20 | 7, 20), first);
	/* It may be one that no row had before. */
	assert_string_equal(text(&r, found(&r, (uint64_t)room << 20 | 7, 20)), "[callers unknown] /a:3f");
	dn_stacks_keyframe(r.s);
	collect_clear(&r.rows);
	assert_int_equal(found(&r, (uint64_t)1 << 20 | 7, 20), first);
	assert_string_equal(text(&r, first), "[callers unknown] /a:0");
	for (unsigned i = 0; i < room; i++)
		sent(&r, (uint64_t)(i + 1) << 20 | 9, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1000 + i % 64), A(0));
	assert_int_equal(r.generation, 2);
	assert_int_equal(found(&r, (uint64_t)1 << 20 | 7, 20), 0);
	assert_int_equal(found(&r, 12345, 20), second);
	rig_close(&r);
}

/* A disk that is full is said, and breaks nothing. */
static void test_sink_fails(void **state)
{
	struct rig r;
	uint32_t id;

	(void)state;
	rig_open(&r, true, false);
	mapped(&r, 10, 0x1000, 0x1000, "/a:");
	sent(&r, 1, 20, DN_STACK_OF_SAMPLE, A(0), A(0x1010), A(0x1021), A(0));
	for (size_t at = 1; at <= 5; at++) {
		collect_clear(&r.rows);
		dn_stacks_keyframe(r.s);
		r.rows.fail_at = at;
		assert_int_equal(dn_stacks_find(r.s, 1, 20, &id), -ENOSPC);
		assert_int_equal(r.rows.n, at - 1);
	}
	r.rows.fail_at = 0;
	collect_clear(&r.rows);
	dn_stacks_keyframe(r.s);
	assert_string_equal(text(&r, found(&r, 1, 20)), "/a:20 /a:10");
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_mapped_over),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
