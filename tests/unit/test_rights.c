/*
 * test_rights.c - which capabilities are there after each step, as /proc/self/status
 * has them. Each case is a child with the capabilities it begins with.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rights.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define THREE (BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_DAC_READ_SEARCH))
#define SOMEBODY 4711

/* What the kernel says: "CapEff:\t0000000000000000". */
static uint64_t status(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	uint64_t v = UINT64_MAX;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), ": %" SCNx64, &v);
	if (f)
		fclose(f);
	return v;
}

/* Said by a child, where cmocka's asserts do not reach. */
static void want(const char *what, uint64_t got, uint64_t wanted)
{
	if (got == wanted)
		return;
	fprintf(stderr, "%s: %016" PRIx64 ", want %016" PRIx64 "\n", what, got, wanted);
	_exit(1);
}

static void want_text(const char *got, const char *part, const char *not)
{
	if (strstr(got, part) && !(not && strstr(got, not)))
		return;
	fprintf(stderr, "\"%s\": want \"%s\", not \"%s\"\n", got, part, not ? not : "");
	_exit(1);
}

static void set_caps(uint64_t permitted, uint64_t inheritable, uint64_t ambient)
{
	cap_t c = cap_init();

	for (cap_value_t i = 0; i < 64; i++) {
		if (permitted & BIT(i)) {
			want("permitted", (uint64_t)cap_set_flag(c, CAP_PERMITTED, 1, &i, CAP_SET), 0);
			want("effective", (uint64_t)cap_set_flag(c, CAP_EFFECTIVE, 1, &i, CAP_SET), 0);
		}
		if (inheritable & BIT(i))
			want("inheritable", (uint64_t)cap_set_flag(c, CAP_INHERITABLE, 1, &i, CAP_SET), 0);
	}
	want("cap_set_proc", (uint64_t)cap_set_proc(c), 0);
	cap_free(c);
	for (cap_value_t i = 0; i < 64; i++)
		if (ambient & BIT(i))
			want("ambient", (uint64_t)cap_set_ambient(i, CAP_SET), 0);
}

/* Somebody who is not root, with these. */
static void become(uint64_t permitted, uint64_t ambient)
{
	want("keepcaps", (uint64_t)prctl(PR_SET_KEEPCAPS, 1), 0);
	want("setgroups", (uint64_t)setgroups(0, NULL), 0);
	want("setresgid", (uint64_t)setresgid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
	want("setresuid", (uint64_t)setresuid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
	set_caps(permitted, ambient, ambient);
	prctl(PR_SET_DUMPABLE, 1);
}

static void in_child(void (*fn)(void))
{
	int st;
	pid_t pid;

	if (geteuid() || (status("CapPrm") & (THREE | BIT(CAP_SETUID))) != (THREE | BIT(CAP_SETUID)))
		skip();
	pid = fork();
	if (!pid) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

static void steps(void)
{
	uint64_t had;
	char why[512];

	become(THREE | BIT(CAP_NET_RAW), 0);
	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("had", had, THREE | BIT(CAP_NET_RAW));
	want("permitted after begin", status("CapPrm"), THREE);
	want("effective after begin", status("CapEff"), 0);
	want("dumpable", (uint64_t)prctl(PR_GET_DUMPABLE), 0);
	want("raise", (uint64_t)dn_rights_raise(), 0);
	want("effective after raise", status("CapEff"), THREE);
	want("lower", (uint64_t)dn_rights_lower(), 0);
	want("effective after lower", status("CapEff"), 0);
	want("permitted after lower", status("CapPrm"), THREE);
	want("drop", (uint64_t)dn_rights_drop(true), 0);
	want("permitted after drop but one", status("CapPrm"), BIT(CAP_BPF));
	want("effective after drop but one", status("CapEff"), BIT(CAP_BPF));
	want("drop all", (uint64_t)dn_rights_drop(false), 0);
	want("permitted after drop", status("CapPrm"), 0);
	want("effective after drop", status("CapEff"), 0);
	want("still not dumpable", (uint64_t)prctl(PR_GET_DUMPABLE), 0);
	want("raise brings nothing back", (uint64_t)dn_rights_raise(), 0);
	want("effective at the end", status("CapEff"), 0);
	want("no_new_privs", (uint64_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

/* CAP_SYS_ADMIN is kept only where it has to stand for one of the others. */
static void admin(void)
{
	uint64_t had;
	char why[512];

	become(BIT(CAP_SYS_ADMIN) | BIT(CAP_PERFMON), 0);
	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("it is kept", status("CapPrm"), BIT(CAP_SYS_ADMIN) | BIT(CAP_PERFMON));
	want("drop", (uint64_t)dn_rights_drop(true), 0);
	want("it stands for cap_bpf", status("CapPrm"), BIT(CAP_SYS_ADMIN));
}

static void superfluous_admin(void)
{
	uint64_t had;
	char why[512];

	become(THREE | BIT(CAP_SYS_ADMIN), 0);
	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("it is not kept", status("CapPrm"), THREE);
}

/* Ambient ones that are not ours are the command's, as without a recorder. */
static void command(void)
{
	uint64_t had;
	char why[512];

	become(THREE | BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), BIT(CAP_BPF) | BIT(CAP_NET_RAW));
	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("permitted after begin", status("CapPrm"), THREE | BIT(CAP_NET_RAW));
	want("command", (uint64_t)dn_rights_command(), 0);
	want("ambient", status("CapAmb"), BIT(CAP_NET_RAW));
	want("permitted", status("CapPrm"), BIT(CAP_NET_RAW));
	want("effective", status("CapEff"), BIT(CAP_NET_RAW));
}

static void nothing(void)
{
	uint64_t had;
	char why[512], todo[512];

	become(0, 0);
	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("had", had, 0);
	want("dumpable: there is nothing to guard", (uint64_t)prctl(PR_GET_DUMPABLE), 1);
	want("raise", (uint64_t)dn_rights_raise(), 0);
	dn_rights_advice(todo, sizeof(todo));
	want_text(todo, "cap_bpf and cap_perfmon are missing", NULL);
}

static void without_bpf(void)
{
	char todo[512];

	become(THREE & ~BIT(CAP_BPF), 0);
	dn_rights_advice(todo, sizeof(todo));
	want_text(todo, "cap_bpf is missing", "cap_perfmon is");
}

static void without_perfmon(void)
{
	char todo[512];

	become(THREE & ~BIT(CAP_PERFMON), 0);
	dn_rights_advice(todo, sizeof(todo));
	want_text(todo, "cap_perfmon is missing", "cap_bpf is");
}

static void with_all(void)
{
	char todo[512];

	become(BIT(CAP_BPF) | BIT(CAP_PERFMON), 0);
	dn_rights_advice(todo, sizeof(todo));
	want_text(todo, "no capability is missing", NULL);
}

static void as_root(void)
{
	uint64_t had, before = status("CapEff");
	char why[512];

	want("begin", (uint64_t)dn_rights_begin(&had, why), 0);
	want("had", had, before);
	want("drop", (uint64_t)dn_rights_drop(false), 0);
	want("command", (uint64_t)dn_rights_command(), 0);
	want("root's rights are left alone", status("CapEff"), before);
	want("dumpable", (uint64_t)prctl(PR_GET_DUMPABLE), 1);
}

static void setuid_root(void)
{
	uint64_t had;
	char why[512];

	want("setresuid", (uint64_t)setresuid(SOMEBODY, 0, 0), 0);
	want("refused", (uint64_t)(unsigned)-dn_rights_begin(&had, why), EPERM);
	want_text(why, "setuid", NULL);
}

static void setgid_root(void)
{
	uint64_t had;
	char why[512];

	want("setresgid", (uint64_t)setresgid(SOMEBODY, 0, 0), 0);
	want("refused", (uint64_t)(unsigned)-dn_rights_begin(&had, why), EPERM);
}

/* Without privileges nothing was taken out of the environment. */
static void test_environ(void **state)
{
	char *argv[] = { (char *)"x", NULL };

	(void)state;
	assert_ptr_equal(dn_rights_environ(1, argv, environ), environ);
}

#define CASE(fn) static void test_##fn(void **state) { (void)state; in_child(fn); }
CASE(steps)
CASE(admin)
CASE(superfluous_admin)
CASE(command)
CASE(nothing)
CASE(without_bpf)
CASE(without_perfmon)
CASE(with_all)
CASE(as_root)
CASE(setuid_root)
CASE(setgid_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_admin),
		cmocka_unit_test(test_superfluous_admin),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_without_bpf),
		cmocka_unit_test(test_without_perfmon),
		cmocka_unit_test(test_with_all),
		cmocka_unit_test(test_as_root),
		cmocka_unit_test(test_setuid_root),
		cmocka_unit_test(test_setgid_root),
		cmocka_unit_test(test_environ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
