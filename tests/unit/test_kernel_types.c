/*
 * test_kernel_types.c - recorder/kernel_types.h on the running kernel: libbpf reads the part,
 * and finds there what it finds in the whole.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_types.h"

#define KERNEL "/sys/kernel/btf/vmlinux"

/* What the part is made for: with a flavour, a union's and an enum's name, and what is not the kernel's. */
static struct btf *wanted(void)
{
	struct btf *of = btf__new_empty();

	assert_non_null(of);
	assert_true(btf__add_struct(of, "task_struct___old", 0) > 0);
	assert_true(btf__add_struct(of, "sock", 0) > 0);
	assert_true(btf__add_struct(of, "sock___another", 0) > 0);
	assert_true(btf__add_union(of, "bpf_attr", 0) > 0);
	assert_true(btf__add_enum(of, "bpf_func_id___loop", 4) > 0);
	assert_true(btf__add_struct(of, "dn_of_nobody_else", 0) > 0);
	assert_true(btf__add_struct(of, NULL, 0) > 0);
	return of;
}

static void path_of(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static uint32_t plain(const struct btf *b, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(b, id);

	while (btf_is_mod(t) || btf_is_typedef(t)) {
		id = t->type;
		t = btf__type_by_id(b, id);
	}
	return id;
}

/* Counts the members that it has compared. */
static unsigned same(const struct btf *a, uint32_t in_a, const struct btf *b, uint32_t in_b)
{
	uint32_t ia = plain(a, in_a), ib = plain(b, in_b);
	const struct btf_type *ta = btf__type_by_id(a, ia), *tb = btf__type_by_id(b, ib);
	unsigned n = 0;

	assert_non_null(ta);
	assert_non_null(tb);
	assert_int_equal(btf_kind(ta), btf_kind(tb));
	assert_string_equal(btf__name_by_offset(a, ta->name_off), btf__name_by_offset(b, tb->name_off));
	assert_int_equal(btf_vlen(ta), btf_vlen(tb));
	if (!btf_is_ptr(ta) && ia)
		assert_int_equal(btf__resolve_size(a, ia), btf__resolve_size(b, ib));
	if (btf_is_array(ta)) {
		assert_int_equal(btf_array(ta)->nelems, btf_array(tb)->nelems);
		return same(a, btf_array(ta)->type, b, btf_array(tb)->type);
	}
	for (unsigned i = 0; i < btf_vlen(ta) && btf_is_composite(ta); i++, n++) {
		const struct btf_member *ma = &btf_members(ta)[i], *mb = &btf_members(tb)[i];

		assert_string_equal(btf__name_by_offset(a, ma->name_off), btf__name_by_offset(b, mb->name_off));
		assert_int_equal(ma->offset, mb->offset);
		n += same(a, ma->type, b, mb->type);
	}
	for (unsigned i = 0; i < btf_vlen(ta) && btf_is_enum(ta); i++, n++) {
		assert_int_equal(btf_enum(ta)[i].val, btf_enum(tb)[i].val);
		assert_string_equal(btf__name_by_offset(a, btf_enum(ta)[i].name_off),
				    btf__name_by_offset(b, btf_enum(tb)[i].name_off));
	}
	return n;
}

static void a_part(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
		unsigned members;	/* at least */
	} types[] = {
		{ "task_struct", BTF_KIND_STRUCT, 400 },
		{ "sock", BTF_KIND_STRUCT, 100 },
		{ "bpf_attr", BTF_KIND_UNION, 50 },
		{ "bpf_func_id", BTF_KIND_ENUM, 100 },
	};
	struct btf *of = wanted(), *whole = btf__parse(KERNEL, NULL), *part;
	int fd = memfd_create("part", MFD_CLOEXEC);
	char path[32];

	(void)state;
	assert_non_null(whole);
	assert_int_equal(dn_kernel_types(of, KERNEL, fd), 0);
	path_of(fd, path);
	part = btf__parse(path, NULL);
	assert_non_null(part);
	assert_in_range(btf__type_cnt(part), 100, btf__type_cnt(whole) / 10);
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int a = btf__find_by_name_kind(whole, types[i].name, types[i].kind);
		int b = btf__find_by_name_kind(part, types[i].name, types[i].kind);

		assert_true(a > 0);
		assert_true(b > 0);
		assert_true(same(whole, (uint32_t)a, part, (uint32_t)b) >= types[i].members);
	}
	assert_int_equal(btf__find_by_name(part, "dn_of_nobody_else"), -ENOENT);
	assert_int_equal(btf__find_by_name(part, "inode"), -ENOENT);	/* only pointed to */
	btf__free(part);
	btf__free(whole);
	btf__free(of);
	close(fd);
}

/* Of what is no BTF, or not all of it, nothing is made. */
static void damaged(void **state)
{
	struct btf *of = wanted(), *small = btf__new_empty();
	int fd = memfd_create("part", MFD_CLOEXEC), from = memfd_create("kernel", MFD_CLOEXEC);
	unsigned char *data;
	const void *raw;
	char path[32];
	struct stat st;
	uint32_t size;
	int id;

	(void)state;
	path_of(from, path);
	assert_int_equal(dn_kernel_types(of, "/nonexistent", fd), -ENOENT);
	assert_true(dn_kernel_types(of, path, fd) < 0);	/* empty */
	id = btf__add_int(small, "int", 4, BTF_INT_SIGNED);
	assert_true(btf__add_struct(small, "sock", 8) > 0);
	assert_int_equal(btf__add_field(small, "one", id, 0, 0), 0);
	assert_int_equal(btf__add_field(small, "two", id, 32, 0), 0);
	raw = btf__raw_data(small, &size);
	data = malloc(size);
	assert_non_null(data);
	for (uint32_t i = 0; i < size; i++) {	/* cut, and each byte changed */
		assert_int_equal(ftruncate(from, 0), 0);
		assert_int_equal(pwrite(from, raw, i, 0), i);
		assert_true(dn_kernel_types(of, path, fd) < 0);
		memcpy(data, raw, size);
		data[i] ^= 0xff;
		assert_int_equal(pwrite(from, data, size, 0), size);
		dn_kernel_types(of, path, fd);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(pwrite(from, raw, size, 0), size);
	assert_int_equal(dn_kernel_types(of, path, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);	/* there was nothing else in it */
	free(data);
	btf__free(small);
	btf__free(of);
	close(fd);
	close(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part),
		cmocka_unit_test(damaged),
	};

	if (access(KERNEL, R_OK))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
