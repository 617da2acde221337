/*
 * test_object.c - recorder/object.h on the real kernel: every kind opens, knows its
 * knobs, loads one program alone, and says why it does not load.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel.h"
#include "object.h"
#include "privilege.h"
#include "syscalls.h"

#if defined(__x86_64__)
#define DN_NATIVE DN_ABI_X86_64
#elif defined(__aarch64__)
#define DN_NATIVE DN_ABI_AARCH64
#endif

static const struct dn_object_opts opts = { .cpus = 2, .wake_level = 4096, .strings = true };

/* The knobs of an object that was loaded, as the kernel has them. */
static void knobs_of(struct bpf_object *obj, struct dn_knobs *k)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(dn_object_map(obj, ".rodata.knobs"), &zero, k), 0);
}

static void every_kind(void **state)
{
	static struct dn_knobs k;

	(void)state;
	for (unsigned i = 0; i < DN_OBJECT_KINDS; i++) {
		struct bpf_object *obj = dn_object_open(&dn_object_kind[i], &opts);
		struct dn_run *run, seen;
		uint32_t zero = 0;
		unsigned chosen = 0;
		struct bpf_program *prog;

		assert_non_null(obj);
		dn_object_only(obj, "on_rename");
		bpf_object__for_each_program(prog, obj)
			chosen += bpf_program__autoload(prog);
		assert_int_equal(chosen, 1);
		assert_int_equal(bpf_object__load(obj), 0);
		assert_string_equal(dn_object_words(), "");
		assert_true(dn_object_map(obj, "counters") >= 0);
		assert_int_equal(dn_object_map(obj, "none of this name"), -1);

		knobs_of(obj, &k);
		assert_int_equal(k.cpus, 2);
		assert_int_equal(k.wake_level, 4096);
		assert_true(k.strings && !k.hide_setuid);
		assert_int_equal(k.exec_nrs[DN_SLOT_NATIVE][0], dn_syscall_nr(DN_NATIVE, "execve"));
		assert_int_equal(k.exit_nrs[DN_SLOT_NATIVE][1], dn_syscall_nr(DN_NATIVE, "exit_group"));
		assert_int_equal(k.plans[dn_syscall_nr(DN_NATIVE, "pread64")].nargs, 4);
		assert_int_equal(DN_PLAN_KIND(k.plans[dn_syscall_nr(DN_NATIVE, "openat")].str[0]), DN_STR_PATH);
		assert_int_equal(DN_PLAN_ARG(k.plans[dn_syscall_nr(DN_NATIVE, "openat")].str[0]), 1);

		run = dn_object_run(obj);
		assert_non_null(run);
		assert_int_equal(run->last_thread, DN_ROOT_THREAD);
		run->root_cookie = 0x1234567890abcdef;	/* seen on the other side */
		assert_int_equal(bpf_map_lookup_elem(dn_object_map(obj, ".data.run"), &zero, &seen), 0);
		assert_true(seen.root_cookie == 0x1234567890abcdef);
		munmap(run, (size_t)sysconf(_SC_PAGESIZE));
		bpf_object__close(obj);
	}
}

/* A program that is not preempted stands in the place of one, and works where it is known. */
static void held(void **state)
{
	struct bpf_object *obj = dn_object_open(&dn_object_kind[0], &opts);
	struct bpf_program *prog, *other;
	unsigned pairs = 0, entries = 0;
	char name[64];

	(void)state;
	assert_non_null(obj);
	bpf_object__for_each_program(prog, obj) {
		snprintf(name, sizeof(name), "%s_held", bpf_program__name(prog));
		other = bpf_object__find_program_by_name(obj, name);
		if (!other)
			continue;
		assert_false(bpf_program__autoload(prog) && bpf_program__autoload(other));
		if (!strcmp(bpf_program__name(prog), "on_sys_enter"))
			entries += bpf_program__autoload(prog) + bpf_program__autoload(other);
		pairs++;
	}
	other = bpf_object__find_program_by_name(obj, "on_sys_enter_steady");
	assert_non_null(other);
	entries += bpf_program__autoload(other);
	assert_int_equal(pairs, 4);
	assert_int_equal(entries, 1);
	bpf_object__close(obj);
	for (unsigned i = 0; i < 4 && !dn_kernel_before(6, 15); i++) {
		static const char *const rest[] = { "on_sys_enter_held", "on_sys_exit_again_held",
			"on_sys_enter_steady", "on_sys_exit_steady" };

		obj = dn_object_open(&dn_object_kind[0], &opts);
		dn_object_only(obj, rest[i]);
		assert_int_equal(bpf_object__load(obj), 0);
		bpf_object__close(obj);
	}
}

/* What is known of calls about sockets, and which programs there are for it. */
static void sockets(void **state)
{
	static const struct { const char *name; uint8_t always, by_results; } calls[] = {
		{ "socket", DN_SOCK_ACT_SOCKET, DN_SOCK_ACT_SOCKET },
		{ "accept4", DN_SOCK_ACT_ACCEPT, DN_SOCK_ACT_ACCEPT },
		{ "socketpair", DN_SOCK_ACT_PAIR, DN_SOCK_ACT_PAIR },
		{ "connect", DN_SOCK_ACT_CONNECT, DN_SOCK_ACT_CONNECT },
		{ "splice", DN_SOCK_ACT_SPLICE, DN_SOCK_ACT_SPLICE },
		{ "write", DN_SOCK_ACT_NONE, DN_SOCK_ACT_OUT },
		{ "readv", DN_SOCK_ACT_NONE, DN_SOCK_ACT_IN },
		{ "recvmsg", DN_SOCK_ACT_NONE, DN_SOCK_ACT_IN_FLAGS2 },
		{ "recvfrom", DN_SOCK_ACT_NONE, DN_SOCK_ACT_IN_FLAGS3 },
		{ "recvmmsg", DN_SOCK_ACT_NONE, DN_SOCK_ACT_IN_MANY },
		{ "sendmmsg", DN_SOCK_ACT_NONE, DN_SOCK_ACT_OUT_MANY },
		{ "getppid", DN_SOCK_ACT_NONE, DN_SOCK_ACT_NONE },
	};
	static struct dn_knobs k;

	(void)state;
	for (unsigned way = 0; way <= DN_BYTES_WAYS; way++) {	/* the last: none at all */
		struct dn_object_opts o = opts;
		unsigned senders = 0, watchers = 0;
		struct bpf_program *prog;
		struct bpf_object *obj;

		o.net = way < DN_BYTES_WAYS;
		o.bytes = o.net ? way : DN_BYTES_TRACEPOINT;
		obj = dn_object_open(&dn_object_kind[0], &o);
		assert_non_null(obj);
		bpf_object__for_each_program(prog, obj) {
			const char *name = bpf_program__name(prog);

			if (!bpf_program__autoload(prog))
				continue;
			watchers += !strcmp(name, "on_sock_state") + !strcmp(name, "list_sockets");
			senders += way == DN_BYTES_TRACEPOINT && !strcmp(name, "on_sock_sent");
			senders += way == DN_BYTES_FENTRY && !strcmp(name, "fexit_inet_sendmsg");
			senders += way == DN_BYTES_KPROBE && !strcmp(name, "kretprobe_inet_sendmsg");
			/* no two of them, or bytes would count twice */
			assert_false(way != DN_BYTES_TRACEPOINT && !strcmp(name, "on_sock_sent"));
			assert_false(way != DN_BYTES_FENTRY && !strncmp(name, "fexit_", 6));
			assert_false(way != DN_BYTES_KPROBE && strstr(name, "probe_"));
		}
		assert_int_equal(watchers, o.net ? 2 : 0);
		assert_int_equal(senders, way < DN_BYTES_CALLS);

		dn_object_only(obj, "on_rename");
		assert_int_equal(bpf_object__load(obj), 0);
		knobs_of(obj, &k);
		for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			assert_int_equal(k.plans[dn_syscall_nr(DN_NATIVE, calls[i].name)].sock,
					 !o.net ? DN_SOCK_ACT_NONE : way == DN_BYTES_CALLS ?
					 calls[i].by_results : calls[i].always);
		bpf_object__close(obj);
	}
}

static void words(void **state)
{
	struct bpf_object *obj = dn_object_open(&dn_object_kind[0], &opts);

	(void)state;
	assert_non_null(obj);
	dn_object_only(obj, "on_rename");
	bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "counters"), 0);
	assert_true(bpf_object__load(obj) < 0);
	assert_non_null(strstr(dn_object_words(), "counters"));
	assert_string_equal(dn_object_words(), "");	/* once */
	bpf_object__close(obj);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(held),
		cmocka_unit_test(sockets),
		cmocka_unit_test(words),
	};

	if (!may_record())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
