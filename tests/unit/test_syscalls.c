/*
 * The system call tables: known anchors, completeness against the .tbl files,
 * the seed categories, and the definitions of the running kernel, which
 * tracefs shows as the fields of its sys_enter_* events.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#include "syscalls.h"

static const enum dn_abi all_abis[] = {
	DN_ABI_X86_64, DN_ABI_X32, DN_ABI_I386, DN_ABI_AARCH64, DN_ABI_ARM,
};
#define N_ABIS (sizeof(all_abis) / sizeof(all_abis[0]))

static void anchors(void **state)
{
	static const struct {
		enum dn_abi abi;
		uint32_t nr;
		const char *name;
	} known[] = {
		{ DN_ABI_X86_64, 0, "read" },
		{ DN_ABI_X86_64, 231, "exit_group" },
		{ DN_ABI_X86_64, 257, "openat" },
		{ DN_ABI_X86_64, 262, "newfstatat" },
		{ DN_ABI_X32, 0, "read" },
		{ DN_ABI_X32, 512, "rt_sigaction" },
		{ DN_ABI_X32, 520, "execve" },
		{ DN_ABI_I386, 1, "exit" },
		{ DN_ABI_I386, 102, "socketcall" },
		{ DN_ABI_I386, 192, "mmap2" },
		{ DN_ABI_I386, 403, "clock_gettime64" },
		{ DN_ABI_AARCH64, 56, "openat" },
		{ DN_ABI_AARCH64, 221, "execve" },
		{ DN_ABI_ARM, 4, "write" },
		{ DN_ABI_ARM, 192, "mmap2" },
		{ DN_ABI_ARM, 341, "arm_sync_file_range" },
		{ DN_ABI_ARM, 0x0f0002, "cacheflush" },
		{ DN_ABI_ARM, 0x0f0005, "set_tls" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct dn_syscall_info *info = dn_syscall_info(known[i].abi, known[i].nr);

		assert_non_null(info);
		assert_string_equal(info->name, known[i].name);
		assert_int_equal(dn_syscall_nr(known[i].abi, known[i].name), (int)known[i].nr);
	}
}

static void unknown_numbers(void **state)
{
	char buf[DN_SYSCALL_NAME_SIZE];

	(void)state;
	assert_null(dn_syscall_info(DN_ABI_X86_64, 400));
	assert_null(dn_syscall_info(DN_ABI_X86_64, 0xffffffff));
	assert_null(dn_syscall_info(DN_ABI_X86_64, 0x0f0002));
	assert_null(dn_syscall_info(DN_ABI_ARM, 0x0f0007));
	assert_null(dn_syscall_info(DN_ABI_ARM, 0x0f0000));
	assert_null(dn_syscall_info(DN_ABI_UNKNOWN, 0));
	assert_null(dn_syscall_info((enum dn_abi)77, 0));
	assert_int_equal(dn_syscall_nr(DN_ABI_X86_64, "socketcall"), -ENOENT);
	assert_int_equal(dn_syscall_nr(DN_ABI_X86_64, ""), -ENOENT);
	assert_int_equal(dn_syscall_nr(DN_ABI_UNKNOWN, "read"), -ENOENT);
	assert_string_equal(dn_syscall_name(DN_ABI_X86_64, 0x1a2 + 0x100, buf), "syscall_0x2a2");
	assert_string_equal(dn_syscall_name(DN_ABI_X86_64, 0xffffffff, buf), "syscall_0xffffffff");
	assert_string_equal(dn_syscall_name(DN_ABI_X86_64, 1, buf), "write");
	assert_int_equal(dn_syscall_category(DN_ABI_X86_64, 400), DN_CATEGORY_OTHER);
}

/* Every number of every table is found, under its name and no other. */
static void tables_are_complete(void **state)
{
	const char *srcdir = getenv("DN_SRCDIR");

	(void)state;
	for (size_t i = 0; i < N_ABIS; i++) {
		enum dn_abi abi = all_abis[i];
		unsigned int nr, lines = 0, found = 0;
		char path[4096], name[64];
		FILE *f;

		snprintf(path, sizeof(path), "%s/schema/syscalls-%s.tbl",
			 srcdir ? srcdir : ".", dn_abi_name(abi));
		f = fopen(path, "r");
		assert_non_null(f);
		while (fscanf(f, "%u %63s", &nr, name) == 2) {
			const struct dn_syscall_info *info = dn_syscall_info(abi, nr);

			lines++;
			assert_non_null(info);
			assert_string_equal(info->name, name);
			assert_int_equal(dn_syscall_nr(abi, name), (int)nr);
		}
		assert_true(feof(f));
		fclose(f);
		assert_true(lines > 300);
		for (nr = 0; nr < dn_syscall_end(abi); nr++)
			found += dn_syscall_info(abi, nr) != NULL;
		for (nr = 0x0f0000; nr < 0x0f0010; nr++)
			found += dn_syscall_info(abi, nr) != NULL;
		assert_int_equal(found, lines);
	}
}

/* What the table of categories in the first documentation named. */
static void seed_categories(void **state)
{
	static const struct {
		enum dn_category category;
		const char *names;
	} seed[] = {
		{ DN_CATEGORY_FILE_IO, "read write open close lseek openat" },
		{ DN_CATEGORY_MEMORY, "mmap munmap brk" },
		{ DN_CATEGORY_PROCESS, "clone fork execve exit wait4" },
		{ DN_CATEGORY_NETWORK, "socket connect accept sendto recvfrom" },
		{ DN_CATEGORY_TIME, "nanosleep gettimeofday clock_gettime" },
		{ DN_CATEGORY_IPC, "msgget semget shmget msgsnd semop" },
		{ DN_CATEGORY_SECURITY, "chmod chown capget capset" },
		{ DN_CATEGORY_SIGNAL, "rt_sigaction rt_sigprocmask kill" },
		{ DN_CATEGORY_SYSTEM, "sysinfo uname reboot" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(seed) / sizeof(seed[0]); i++) {
		char names[256], *save, *name;

		snprintf(names, sizeof(names), "%s", seed[i].names);
		for (name = strtok_r(names, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
			int nr = dn_syscall_nr(DN_ABI_X86_64, name);

			assert_true(nr >= 0);
			if (dn_syscall_category(DN_ABI_X86_64, (uint32_t)nr) != seed[i].category)
				fail_msg("%s is not %s", name, dn_category_name(seed[i].category));
		}
	}
	assert_int_equal(DN_CATEGORY_MAX, 10);
	assert_string_equal(dn_category_name(DN_CATEGORY_FILE_IO), "file_io");
	assert_string_equal(dn_category_name(9), "other");
	assert_null(dn_category_name(10));
	for (unsigned int c = 0; c < DN_CATEGORY_MAX; c++) {
		assert_int_equal(dn_category_by_name(dn_category_name(c)), (int)c);
		assert_non_null(dn_category_doc(c));
	}
	assert_int_equal(dn_category_by_name("disk"), -ENOENT);
}

/* A call keeps its category whatever the ABI, overridden or not. */
static void category_is_of_the_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ABIS; i++)
		for (uint32_t nr = 0; nr < dn_syscall_end(all_abis[i]); nr++) {
			const struct dn_syscall_info *info = dn_syscall_info(all_abis[i], nr);

			for (size_t j = 0; info && j < N_ABIS; j++) {
				int other = dn_syscall_nr(all_abis[j], info->name);

				if (other >= 0)
					assert_int_equal(info->category,
						dn_syscall_category(all_abis[j], (uint32_t)other));
			}
		}
}

static void argument_kinds(void **state)
{
	const struct dn_syscall_info *info;
	int paths = 0;

	(void)state;
	info = dn_syscall_info(DN_ABI_X86_64, 257);
	assert_int_equal(info->nargs, 4);
	assert_int_equal(info->arg[0].kind, DN_KIND_DIRFD);
	assert_int_equal(info->arg[1].kind, DN_KIND_PATH);
	assert_string_equal(info->arg[1].name, "filename");
	assert_int_equal(info->arg[2].kind, DN_KIND_OPENFLAGS);

	/* The order of the arguments of clone, and split values. */
	info = dn_syscall_info(DN_ABI_X86_64, 56);
	assert_string_equal(info->arg[3].name, "child_tidptr");
	info = dn_syscall_info(DN_ABI_AARCH64, 220);
	assert_string_equal(info->arg[3].name, "tls");
	info = dn_syscall_info(DN_ABI_I386, 180);
	assert_string_equal(info->name, "pread64");
	assert_int_equal(info->arg[3].kind, DN_KIND_OFF_LO);
	info = dn_syscall_info(DN_ABI_ARM, 180);
	assert_int_equal(info->arg[3].kind, DN_KIND_PAD);
	assert_int_equal(info->nargs, 6);
	assert_int_equal(dn_syscall_info(DN_ABI_I386, 90)->nargs, 1);

	for (size_t i = 0; i < N_ABIS; i++)
		for (uint32_t nr = 0; nr < dn_syscall_end(all_abis[i]); nr++) {
			info = dn_syscall_info(all_abis[i], nr);
			if (!info)
				continue;
			assert_true(info->category < DN_CATEGORY_MAX);
			assert_true(info->nargs <= DN_SYSCALL_MAX_ARGS);
			for (unsigned int a = 0; a < DN_SYSCALL_MAX_ARGS; a++) {
				unsigned int kind = info->arg[a].kind;

				assert_true(kind < DN_KIND_MAX);
				assert_true((kind != DN_KIND_NONE) == (a < info->nargs));
				assert_true((info->arg[a].name != NULL) == (a < info->nargs));
				paths += dn_kind_is_path(kind);
				/* A length has to follow. */
				if (dn_kind_is_sockaddr(kind) || kind == DN_KIND_STRN)
					assert_true(a + 1u < info->nargs);
			}
		}
	assert_true(paths > 300);
}

static void abi_names(void **state)
{
	(void)state;
	assert_int_equal(dn_abi_by_name("aarch64"), DN_ABI_AARCH64);
	assert_int_equal(dn_abi_by_name("mips"), -ENOENT);
	assert_null(dn_abi_name(DN_ABI_MAX));
	assert_int_equal(dn_abi_pointer_size(DN_ABI_X86_64), 8);
	assert_int_equal(dn_abi_pointer_size(DN_ABI_I386), 4);
}

#define EVENTS "/sys/kernel/tracing/events/syscalls"

/* Does the kernel's C type of an argument allow the kind? */
static int type_fits(const char *type, unsigned int kind)
{
	int pointer = strchr(type, '*') != NULL;
	int text = strstr(type, "char *") != NULL;

	switch (kind) {
	case DN_KIND_PATH:
	case DN_KIND_STR:
	case DN_KIND_STRN:
		return text;
	case DN_KIND_ARGV:
	case DN_KIND_ENVP:
		return strstr(type, "char *const *") != NULL;
	case DN_KIND_SOCKADDR:
	case DN_KIND_SOCKADDR_OUT:
		return strstr(type, "struct sockaddr *") != NULL;
	case DN_KIND_MSGHDR:
	case DN_KIND_MSGHDR_OUT:
		return strstr(type, "msghdr *") != NULL;
	case DN_KIND_FDS_OUT:
		return strstr(type, "int *") != NULL;
	case DN_KIND_PTR:
		return pointer || strstr(type, "cap_user") != NULL ||
		       strcmp(type, "unsigned long") == 0;
	case DN_KIND_ADDR:
		return pointer || strstr(type, "long") || strstr(type, "aio_context_t");
	case DN_KIND_UID:
		return strcmp(type, "uid_t") == 0;
	case DN_KIND_GID:
		return strcmp(type, "gid_t") == 0;
	case DN_KIND_OFF:
		return strstr(type, "off_t") || strstr(type, "long");
	default:
		return !pointer && !strstr(type, "uid_t") && !strstr(type, "gid_t") &&
		       !strstr(type, "sockaddr");
	}
}

struct kernel_check {
	int calls, args, names_differ;
};

/* Compares one call with the fields of its event, from __syscall_nr on. */
static void check_event(const char *name, struct kernel_check *c)
{
	static const struct {
		const char *event, *name;
	} renamed[] = {
		{ "newstat", "stat" }, { "newlstat", "lstat" }, { "newfstat", "fstat" },
		{ "newuname", "uname" }, { "sendfile64", "sendfile" }, { "umount", "umount2" },
	};
	const struct dn_syscall_info *info;
	char path[512], line[512];
	unsigned int nargs = 0;
	int in_args = 0, nr;
	FILE *f;

	snprintf(path, sizeof(path), EVENTS "/sys_enter_%s/format", name);
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
		if (strcmp(name, renamed[i].event) == 0)
			name = renamed[i].name;
	nr = dn_syscall_nr(DN_ABI_X86_64, name);
	if (nr < 0)
		fail_msg("the kernel has %s and the tables have not", name);
	info = dn_syscall_info(DN_ABI_X86_64, (uint32_t)nr);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *type = strstr(line, "field:"), *end, *arg;

		if (!type || !(end = strchr(type, ';')))
			continue;
		if (strstr(line, "__syscall_nr")) {
			in_args = 1;
			continue;
		}
		/* Copies of user strings, which newer kernels append. */
		if (!in_args || strstr(line, "__data_loc"))
			continue;
		type += strlen("field:");
		*end = '\0';
		arg = strrchr(type, ' ');
		assert_non_null(arg);
		*arg++ = '\0';
		arg += arg[0] == '_';
		if (arg[0] == 'u' && arg[1] == '_')
			arg += 2;
		if (nargs < info->nargs) {
			/* A text that goes in is to be read, unless it is a buffer. */
			if (strcmp(type, "const char *") == 0 &&
			    info->arg[nargs].kind == DN_KIND_PTR &&
			    info->arg[nargs + 1].kind != DN_KIND_SIZE)
				fail_msg("%s: string %s is not read", name, arg);
			if (!type_fits(type, info->arg[nargs].kind))
				fail_msg("%s: argument %u is %s %s and has kind %u", name, nargs,
					 type, arg, info->arg[nargs].kind);
			if (strcmp(arg, info->arg[nargs].name) != 0) {
				print_message("%s: argument %u is %s, not %s\n", name, nargs,
					      arg, info->arg[nargs].name);
				c->names_differ++;
			}
		}
		nargs++;
	}
	fclose(f);
	if (nargs != info->nargs)
		fail_msg("%s has %u arguments, not %u", name, nargs, info->nargs);
	c->calls++;
	c->args += (int)nargs;
}

static void running_kernel(void **state)
{
#ifdef __x86_64__
	struct kernel_check c = { 0 };
	char name[128];
	FILE *f;

	(void)state;
	if (access(EVENTS, R_OK) && !unshare(CLONE_NEWNS) &&	/* for us alone */
	    !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		mount("nodev", "/sys/kernel/tracing", "tracefs", 0, NULL);
	f = popen("ls " EVENTS " 2>/dev/null | sed -n 's/^sys_enter_//p'", "r");
	assert_non_null(f);
	while (fscanf(f, "%127s", name) == 1)
		check_event(name, &c);
	pclose(f);
	if (c.calls == 0)
		skip();
	print_message("%d calls, %d arguments, %d other names\n", c.calls, c.args, c.names_differ);
	/* Kernels rename an argument now and then; a table of another kernel
	 * would differ in most. */
	assert_true(c.names_differ * 20 < c.args);
#else
	(void)state;
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anchors),
		cmocka_unit_test(unknown_numbers),
		cmocka_unit_test(tables_are_complete),
		cmocka_unit_test(seed_categories),
		cmocka_unit_test(category_is_of_the_name),
		cmocka_unit_test(argument_kinds),
		cmocka_unit_test(abi_names),
		cmocka_unit_test(running_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
