/*
 * test_check.c - the doctor, in trees of its own and with trials of its own: it
 * reports what stands in the files, blames a cause only where a program fails,
 * and advises to weaken nothing.
 */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "check.h"
#include "check_rights.h"
#include "scratch.h"

static struct dn_diagnosis d;

/* --- trials ------------------------------------------------------------------------ */

static struct dn_trial trials[8];

static int play(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < 8 && trials[i].program && !err; i++)
		err = fn(ctx, &trials[i]);
	return err;
}

static void plays(const struct dn_trial *t, size_t n)
{
	memset(trials, 0, sizeof(trials));
	memcpy(trials, t, n * sizeof(*t));
}

#define GOOD(o, p, r, name) { .object = o, .probe = p, .rung = r, .program = name }
#define BAD(o, p, r, name, err) { .object = o, .probe = p, .rung = r, .program = name, .load_err = err, \
	.why = "words of the kernel" }
#define LESS(o, p, r, name) { .object = o, .probe = p, .rung = r, .program = name, .less = true }
#define PLAYS(...) plays((struct dn_trial[]){ __VA_ARGS__ }, \
	sizeof((struct dn_trial[]){ __VA_ARGS__ }) / sizeof(struct dn_trial))

#define ALL_GOOD GOOD("one", "syscalls", "tp_btf", "enter"), GOOD("one", "syscalls", "tp_btf", "exit")
#define ALL_BAD BAD("one", "syscalls", "tp_btf", "enter", -EPERM), BAD("one", "syscalls", "tp_btf", "exit", -EPERM)

/* --- a machine ------------------------------------------------------------------------ */

static void make_way(const char *path)
{
	char name[256];

	for (const char *p = path; (p = strchr(p, '/')); p++) {
		snprintf(name, sizeof(name), "%.*s", (int)(p - path), path);
		mkdir(name, 0755);
	}
}

static void put(const char *path, const char *content)
{
	FILE *f;

	make_way(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static void put_link(const char *path, const char *to)
{
	make_way(path);
	unlink(path);
	assert_int_equal(symlink(to, path), 0);
}

static void put_caps(uint64_t caps)
{
	char text[256];

	snprintf(text, sizeof(text), "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t%016llx\nNoNewPrivs:\t0\nSeccomp:\t0\n",
		 (unsigned long long)caps);
	put("proc/self/status", text);
}

#define CAPS_BOTH (1ull << 38 | 1ull << 39)

static int machine(void **state)
{
	int err = scratch_setup(state);

	put("proc/sys/kernel/osrelease", "6.1.0-test\n");
	put("boot/config-6.1.0-test", "");
	put("sys/kernel/btf/vmlinux", "\x9f\xeb\x01");
	put("proc/self/io", "rchar: 1\n");
	put("proc/self/schedstat", "1 2 3\n");
	put("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units     \n"
				"Max locked memory         8388608              8388608              bytes     \n");
	put("proc/self/cgroup", "0::/a\n");
	put("proc/self/mountinfo", "");
	put_link("proc/self/ns/user", "user:[4026531837]");
	put_link("proc/self/ns/pid", "pid:[4026531836]");
	put_caps(CAPS_BOTH);
	chmod(".", 0755);
	return err;
}

/* --- asking it -------------------------------------------------------------------------- */


static void check(enum dn_verdict want)
{
	struct dn_check_opts o = { .root = scratch, .attempt = play };

	assert_int_equal(dn_check(&d, &o), 0);
	assert_int_equal(d.verdict, want);
}

static const struct dn_finding *get(const char *id)
{
	for (size_t i = 0; i < d.nfindings; i++)
		if (!strcmp(d.finding[i].id, id))
			return &d.finding[i];
	fail_msg("no finding %s", id);
	return NULL;
}

static bool there(const char *id)
{
	for (size_t i = 0; i < d.nfindings; i++)
		if (!strcmp(d.finding[i].id, id))
			return true;
	return false;
}

/* A subject without a program of its own is said to be missing. */
static bool lost(const char *subject)
{
	char id[64];

	snprintf(id, sizeof(id), "probe.%s", subject);
	return there(id) && get(id)->state == DN_CHECK_MISSING &&
	       !strcmp(get(id)->means, dn_probe_without(subject));
}

static void is(const char *id, enum dn_check_state state, const char *found, const char *means)
{
	const struct dn_finding *f = get(id);

	if (f->state != state || !strstr(f->found, found) || !strstr(f->means, means))
		fail_msg("%s: state %s, found \"%s\", means \"%s\"; wanted %s, \"%s\", \"%s\"", id,
			 dn_check_state_name(f->state), f->found, f->means, dn_check_state_name(state), found, means);
}

/* --- the tests --------------------------------------------------------------------------- */

static void probes_make_the_verdict(void **state)
{
	(void)state;
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("probe.syscalls", DN_CHECK_OK, "2 of 2", "recorded");

	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("probe.syscalls", DN_CHECK_MISSING, "enter could not be loaded: EPERM; words of the kernel", "");

	/* one of two programs is not a probe */
	PLAYS(GOOD("one", "syscalls", "tp_btf", "enter"), BAD("one", "syscalls", "tp_btf", "exit", -EINVAL),
	      GOOD("one", "oom", "raw_tp", "oom"));
	check(DN_VERDICT_NONE);
	is("probe.syscalls", DN_CHECK_MISSING, "exit could not be loaded: EINVAL", "/proc only");
	is("probe.oom", DN_CHECK_INFO, "1 of 1", "of no use");

	/* a rung is taken without what it can do without, even if another has it */
	PLAYS(ALL_GOOD, BAD("one", "oom", "raw_tp", "oom", -ENOENT), GOOD("two", "oom", "raw_tp", "oom"));
	check(DN_VERDICT_DEGRADED);
	is("probe.syscalls", DN_CHECK_OK, "2 of 2", "recorded");
	is("probe.oom", DN_CHECK_MISSING, "oom could not be loaded: ENOENT", dn_probe_without("oom"));

	/* what no probe needs does not matter */
	PLAYS(ALL_GOOD, BAD(DN_TRIAL_ONLY, "fentry", "fentry", "try_fentry", -EPERM));
	check(DN_VERDICT_FULL);
	is("attach.fentry", DN_CHECK_INFO, "EPERM", "no probe");
	assert_false(there("probe.fentry"));

	/* attaching that fails is told from loading that fails */
	trials[0].attach_err = -ENOENT;
	check(DN_VERDICT_NONE);
	is("probe.syscalls", DN_CHECK_MISSING, "enter could not be attached: ENOENT", "");
}

/* Down the ladder, though the same word is used in several objects. */
static void rungs(void **state)
{
	const char *name;

	(void)state;
	/* the same is seen: worth knowing */
	PLAYS(BAD("tp_btf", "syscalls", "tp_btf", "enter", -EINVAL), GOOD("tp_btf", "oom", "raw_tp", "oom"),
	      BAD("tp_btf", "threads_at_end", "iter", "list", -EINVAL),
	      GOOD("raw_tp", "syscalls", "raw_tp", "enter"), GOOD("raw_tp", "oom", "raw_tp", "oom"));
	check(DN_VERDICT_FULL);
	is("probe.syscalls", DN_CHECK_INFO, "enter could not be loaded: EINVAL", "rung raw_tp instead");
	is("probe.oom", DN_CHECK_INFO, "enter could not be loaded: EINVAL", "rung raw_tp instead");
	is("probe.threads_at_end", DN_CHECK_INFO, "list could not be loaded: EINVAL", "rung raw_tp instead");
	for (unsigned i = 0; (name = dn_probe_typed(i)); i++)
		assert_false(lost(name));

	/* less is seen */
	PLAYS(BAD("tp_btf", "syscalls", "tp_btf", "enter", -ESRCH), BAD("tp_btf", "runtime", "tp_btf", "switch", -ESRCH),
	      BAD("tp_btf", "threads_at_end", "iter", "list", -ESRCH), BAD("raw_tp", "syscalls", "raw_tp", "enter", -ESRCH),
	      LESS("no_btf", "syscalls", "raw_tp", "enter"));
	check(DN_VERDICT_DEGRADED);
	is("probe.syscalls", DN_CHECK_DEGRADED, "enter could not be loaded: ESRCH", "rung no_btf instead, in less detail");
	is("probe.threads_at_end", DN_CHECK_DEGRADED, "list could not be loaded: ESRCH", "rung no_btf instead");
	is("probe.runtime", DN_CHECK_MISSING, "switch could not be loaded: ESRCH", dn_probe_without("runtime"));
	for (unsigned i = 0; (name = dn_probe_typed(i)); i++)
		assert_true(lost(name));
}

static void nothing_tried_is_not_full(void **state)
{
	(void)state;
	memset(trials, 0, sizeof(trials));
	unlink("sys/kernel/btf/vmlinux");
	check(DN_VERDICT_NONE);
	is("kernel.btf", DN_CHECK_MISSING, "not there", "");
}

static void versions(void **state)
{
	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_OK, "Linux 6.1.0-test", "");
	put("proc/sys/kernel/osrelease", "5.15.0-91-generic\n");
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_INFO, "5.15.0-91-generic", "older than 5.17, which brought bpf_loop");
	assert_null(strstr(get("kernel.version")->means, "5.13"));
	put("proc/sys/kernel/osrelease", "5.12.0\n");
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_INFO, "5.12.0", "older than 5.13, which brought all that the rung tp_btf needs");
	put("proc/sys/kernel/osrelease", "5.8.0\n");
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_INFO, "5.8.0", "older than 5.13");
	assert_null(strstr(get("kernel.version")->means, "ring buffer"));
	put("proc/sys/kernel/osrelease", "5.7.0\n");
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_MISSING, "5.7.0", "older than 5.8, which brought the BPF ring buffer");
	put("proc/sys/kernel/osrelease", "4.19.0\n");
	check(DN_VERDICT_NONE);
	is("kernel.version", DN_CHECK_MISSING, "4.19.0", "older than 5.8, which brought the BPF ring buffer");
	/* backported: what works is not called missing */
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("kernel.version", DN_CHECK_INFO, "4.19.0", "");
	unlink("proc/sys/kernel/osrelease");
	check(DN_VERDICT_FULL);
	is("kernel.version", DN_CHECK_INFO, "not readable", "not known");
}

static void configuration(void **state)
{
	gzFile z;

	(void)state;
	PLAYS(ALL_BAD);
	unlink("boot/config-6.1.0-test");
	check(DN_VERDICT_NONE);
	is("kernel.config", DN_CHECK_INFO, "neither /proc/config.gz nor /boot/config-6.1.0-test", "nothing is guessed");
	assert_false(there("config.KPROBES"));

	put("boot/config-6.1.0-test", "CONFIG_BPF_SYSCALL=y\n# CONFIG_BPF_EVENTS is not set\nCONFIG_KPROBES_OTHER=y\n"
					 "CONFIG_KPROBES=n\n");
	check(DN_VERDICT_NONE);
	is("kernel.config", DN_CHECK_OK, "/boot/config-6.1.0-test: 1 of ", "");
	is("config.BPF_EVENTS", DN_CHECK_MISSING, "CONFIG_BPF_EVENTS is not set", "tracepoint");
	is("config.KPROBES", DN_CHECK_INFO, "CONFIG_KPROBES is not set", "");
	assert_false(there("config.BPF_SYSCALL"));

	/* the kernel's own comes first */
	make_way("proc/config.gz");
	z = gzopen("proc/config.gz", "w");
	assert_non_null(z);
	gzputs(z, "CONFIG_BPF_EVENTS=y\nCONFIG_PSI=m\n");
	gzclose(z);
	check(DN_VERDICT_NONE);
	is("kernel.config", DN_CHECK_OK, "/proc/config.gz: 2 of ", "");
	is("config.BPF_SYSCALL", DN_CHECK_MISSING, "", "no BPF program can be loaded");
	assert_false(there("config.PSI"));

	/* neither a cut file nor one without options is taken for "all off" */
	z = gzopen("proc/config.gz", "w0");	/* stored, so that what is there can be read */
	assert_non_null(z);
	gzputs(z, "CONFIG_BPF_EVENTS=y\nCONFIG_PSI=m\nCONFIG_BPF_SYSCALL=y\n");
	gzclose(z);
	assert_int_equal(truncate("proc/config.gz", 50), 0);
	unlink("boot/config-6.1.0-test");
	check(DN_VERDICT_NONE);
	is("kernel.config", DN_CHECK_INFO, "neither", "");
	put("proc/config.gz", "");
	check(DN_VERDICT_NONE);
	is("kernel.config", DN_CHECK_INFO, "neither", "");
}

static void btf(void **state)
{
	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("kernel.btf", DN_CHECK_OK, "readable BTF", "");
	put("sys/kernel/btf/vmlinux", "\xeb\x9f\x01");
	check(DN_VERDICT_NONE);
	is("kernel.btf", DN_CHECK_MISSING, "another magic number", "");
	put("sys/kernel/btf/vmlinux", "");
	check(DN_VERDICT_NONE);
	is("kernel.btf", DN_CHECK_MISSING, "it is empty", "");
	unlink("sys/kernel/btf/vmlinux");
	check(DN_VERDICT_NONE);
	is("kernel.btf", DN_CHECK_MISSING, "not there", "CONFIG_DEBUG_INFO_BTF");
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("kernel.btf", DN_CHECK_INFO, "not there", "");
}

/* As nobody, for whom permissions count. */
static void check_as_nobody(enum dn_verdict want, int dumpable)
{
	uid_t uid = geteuid();

	assert_int_equal(seteuid(uid ? uid : 65534), 0);
	assert_int_equal(prctl(PR_SET_DUMPABLE, dumpable), 0);
	check(want);
	assert_int_equal(seteuid(uid), 0);
}

static void denied_is_not_absent(void **state)
{
	(void)state;
	PLAYS(BAD("one", "syscalls", "tp", "enter", -ENOENT));
	check(DN_VERDICT_NONE);
	is("tracefs", DN_CHECK_MISSING, "not mounted", "ENOENT");
	assert_non_null(strstr(get("tracefs")->fix, "mount -t tracefs"));

	put("sys/kernel/debug/tra cing/events/header", "");
	put("proc/self/mountinfo", "30 23 0:12 / /sys/kernel/debug/tra\\040cing rw shared:5 - tracefs tracefs rw\n");
	check(DN_VERDICT_NONE);
	is("tracefs", DN_CHECK_OK, "mounted on /sys/kernel/debug/tra cing, its events can be read", "");

	chmod("sys/kernel/debug", 0700 & ~(geteuid() ? 0100u : 0u));
	check_as_nobody(DN_VERDICT_NONE, 1);
	is("tracefs", DN_CHECK_MISSING, "sys/kernel/debug may not be searched (EACCES; mode 0", "really EACCES");
	assert_non_null(strstr(get("tracefs")->fix, "cap_dac_read_search"));
	chmod("sys/kernel/debug", 0755);

	chmod("sys/kernel/debug/tra cing/events", 0);
	check_as_nobody(DN_VERDICT_NONE, 1);
	is("tracefs", DN_CHECK_MISSING, "there and not readable by this process (EACCES; mode 0000", "");
	chmod("sys/kernel/debug/tra cing/events", 0755);

	/* a second mount that can be read is as good */
	chmod("sys/kernel/debug", 0700 & ~(geteuid() ? 0100u : 0u));
	put("sys/kernel/tracing/events/header", "");
	put("proc/self/mountinfo", "30 23 0:12 / /sys/kernel/debug/tra\\040cing rw shared:5 - tracefs tracefs rw\n"
				   "31 23 0:12 / /sys/kernel/tracing rw shared:5 - tracefs nodev rw\n");
	check_as_nobody(DN_VERDICT_NONE, 1);
	is("tracefs", DN_CHECK_OK, "mounted on /sys/kernel/tracing", "");

	/* and where no probe needs it, nothing of it is amiss */
	put("proc/self/mountinfo", "");
	PLAYS(ALL_BAD);
	check_as_nobody(DN_VERDICT_NONE, 1);
	is("tracefs", DN_CHECK_INFO, "not mounted, as far as can be seen", "no probe");
	assert_string_equal(get("tracefs")->fix, "");
	chmod("sys/kernel/debug", 0755);
}

/* Whatever a knob says, the answer is never to turn it. */
static void knobs_stay(void **state)
{
	static const char *const values[] = { "-1", "0", "1", "2", "3", "4", "junk" };
	static const char *const ids[] = { "unprivileged_bpf_disabled", "kptr_restrict", "perf_event_paranoid" };

	(void)state;
	PLAYS(ALL_BAD);
	put_caps(0);
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		for (size_t i = 0; i < 3; i++) {
			char path[64];

			snprintf(path, sizeof(path), "proc/sys/kernel/%s", ids[i]);
			put(path, values[v]);
		}
		check(DN_VERDICT_NONE);
		for (size_t i = 0; i < 3; i++) {
			const struct dn_finding *f = get(ids[i]);

			assert_string_equal(f->fix, "");
			assert_true(f->state <= DN_CHECK_INFO);
			assert_non_null(strstr(f->means, strcmp(values[v], "junk") ? "leave it" : "not needed"));
		}
		for (size_t i = 0; i < d.nfindings; i++)
			assert_null(strstr(d.finding[i].fix, "sysctl"));
	}
	put("proc/sys/kernel/perf_event_paranoid", "4\n");
	check(DN_VERDICT_NONE);
	is("perf_event_paranoid", DN_CHECK_OK, "is 4", "Ubuntu (4)");
	put("proc/sys/net/core/bpf_jit_enable", "0\n");
	check(DN_VERDICT_NONE);
	is("kernel.jit", DN_CHECK_INFO, "is 0", "interpreted");
}

static void lockdown(void **state)
{
	static const struct {
		const char *text;
		enum dn_check_state state;
		const char *means;
	} table[] = {
		{ "[none] integrity confidentiality", DN_CHECK_OK, "forbids nothing" },
		{ "none [integrity] confidentiality", DN_CHECK_OK, "ours never do" },
		{ "none integrity [confidentiality]", DN_CHECK_MISSING, "no BPF program read its memory" },
	};

	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("lockdown", DN_CHECK_INFO, "not there", "not known");
	for (size_t i = 0; i < 3; i++) {
		put("sys/kernel/security/lockdown", table[i].text);
		check(DN_VERDICT_NONE);
		is("lockdown", table[i].state, "", table[i].means);
		assert_string_equal(get("lockdown")->fix, "");
	}
}

static void memlock(void **state)
{
	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("memlock", DN_CHECK_OK, "8388608 bytes", "not counted");
	put("proc/sys/kernel/osrelease", "5.10.0\n");
	check(DN_VERDICT_NONE);
	is("memlock", DN_CHECK_MISSING, "8388608 bytes", "before Linux 5.11");
	put_caps(CAPS_BOTH | 1ull << CAP_SYS_RESOURCE);
	check(DN_VERDICT_NONE);
	is("memlock", DN_CHECK_OK, "", "cap_sys_resource raises it");
	put_caps(CAPS_BOTH);
	put("proc/self/limits", "Max locked memory         unlimited            unlimited            bytes     \n");
	check(DN_VERDICT_NONE);
	is("memlock", DN_CHECK_OK, "unlimited", "");
}

static void capabilities(void **state)
{
	char text[256];

	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("process.capabilities", DN_CHECK_OK, "not root; effective: cap_perfmon, cap_bpf", "may load");
	put_caps(1ull << CAP_SYS_ADMIN);
	check(DN_VERDICT_NONE);
	is("process.capabilities", DN_CHECK_OK, "cap_sys_admin", "may load");
	is("process.cap_bpf", DN_CHECK_INFO, "", "cap_sys_admin stands for it");
	put_caps(1ull << 39);
	check(DN_VERDICT_NONE);
	is("process.capabilities", DN_CHECK_MISSING, "effective: cap_bpf", "cap_perfmon");
	assert_non_null(strstr(get("process.capabilities")->fix, "setcap"));
	put("proc/sys/kernel/osrelease", "5.4.0\n");
	check(DN_VERDICT_NONE);
	is("process.capabilities", DN_CHECK_MISSING, "", "before Linux 5.8 that takes root");
	assert_null(strstr(get("process.capabilities")->fix, "setcap"));

	assert_string_equal(dn_caps_text(0, text, sizeof(text)), "none");
	assert_string_equal(dn_caps_text(1, text, sizeof(text)), "1 other");
	assert_string_equal(dn_caps_text(1ull << 39 | 3, text, sizeof(text)), "cap_bpf and 2 others");
}

/* The kernel's own header says how the attribute looks. */
static void file_capabilities(void **state)
{
	struct vfs_ns_cap_data raw = {
		.magic_etc = VFS_CAP_REVISION_3 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { 1u << CAP_DAC_READ_SEARCH, 1u << CAP_SYS_ADMIN }, { 1u << (39 - 32), 1u << (38 - 32) } },
		.rootid = 1000,
	};
	struct dn_file_caps fc;

	(void)state;
	assert_int_equal(dn_file_caps((void *)&raw, XATTR_CAPS_SZ_3, &fc), 0);
	assert_true(fc.permitted == (1ull << CAP_DAC_READ_SEARCH | 1ull << 39));
	assert_true(fc.inheritable == (1ull << CAP_SYS_ADMIN | 1ull << 38));
	assert_true(fc.effective);
	assert_int_equal(fc.rootid, 1000);
	raw.magic_etc = VFS_CAP_REVISION_2;
	assert_int_equal(dn_file_caps((void *)&raw, XATTR_CAPS_SZ_2, &fc), 0);
	assert_false(fc.effective);
	assert_int_equal(fc.rootid, 0);
	for (size_t len = 0; len < sizeof(raw); len++)
		if (len != XATTR_CAPS_SZ_2)
			assert_int_equal(dn_file_caps((void *)&raw, len, &fc), -EBADMSG);
	raw.magic_etc = 0x04000000;
	assert_int_equal(dn_file_caps((void *)&raw, XATTR_CAPS_SZ_3, &fc), -EBADMSG);
}

static void places(void **state)
{
	static const char environ[] = "HOME=/\0notcontainer=x\0container=lxc";
	FILE *f;

	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("container", DN_CHECK_OK, "no sign", "");
	make_way("proc/1/environ");
	f = fopen("proc/1/environ", "w");
	assert_non_null(f);
	assert_int_equal(fwrite(environ, sizeof(environ), 1, f), 1);
	fclose(f);
	check(DN_VERDICT_NONE);
	is("container", DN_CHECK_INFO, "(lxc)", "");
	put("run/.containerenv", "");
	put("proc/sys/kernel/yama/ptrace_scope", "3\n");
	check(DN_VERDICT_NONE);
	is("container", DN_CHECK_INFO, "podman", "less than --privileged");
	assert_non_null(strstr(get("container")->fix, "--cap-add BPF"));
	is("yama", DN_CHECK_OK, "is 3", "leave it");
	is("cgroup", DN_CHECK_OK, "version 2", "");
	is("namespace.user", DN_CHECK_OK, "", "");
	put_link("proc/self/ns/user", "user:[4026532177]");
	put_link("proc/self/ns/pid", "pid:[4026532178]");
	check(DN_VERDICT_NONE);
	is("namespace.user", DN_CHECK_MISSING, "4026532177", "from outside");
	is("namespace.pid", DN_CHECK_OK, "4026532178", "those of /proc here");
	is("process.capabilities", DN_CHECK_MISSING, "cap_bpf", "count for nothing");
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("namespace.user", DN_CHECK_INFO, "4026532177", "");
}

static void seccomp(void **state)
{
	(void)state;
	PLAYS(ALL_BAD);
	check(DN_VERDICT_NONE);
	is("seccomp", DN_CHECK_OK, "no seccomp filter", "");
	put("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nSeccomp:\t2\n");
	check(DN_VERDICT_NONE);
	is("seccomp", DN_CHECK_MISSING, "mode 2", "the filter forbids it");
	put("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t0000000000000000\nSeccomp:\t2\n");
	check(DN_VERDICT_NONE);
	is("seccomp", DN_CHECK_OK, "mode 2", "cannot be told");
	unlink("proc/self/status");
	check(DN_VERDICT_NONE);
	is("seccomp", DN_CHECK_INFO, "does not tell", "not known");
	is("process.capabilities", DN_CHECK_INFO, "does not tell", "not known");
}

/* The first symbols of x86-64 are at 0 for everybody. */
static void symbols(void **state)
{
	(void)state;
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("kallsyms", DN_CHECK_INFO, "No such file", "");
	put("proc/kallsyms", "0000000000000000 A fixed_percpu_data\n0000000000001000 A cpu_debug_store\n");
	check(DN_VERDICT_FULL);
	is("kallsyms", DN_CHECK_OK, "addresses are shown", "no address");
	put("proc/kallsyms", "0000000000000000 A fixed_percpu_data\n0000000000000000 A cpu_debug_store\n");
	check(DN_VERDICT_FULL);
	is("kallsyms", DN_CHECK_OK, "addresses are hidden", "no address");
	put("proc/kallsyms", "");
	check(DN_VERDICT_FULL);
	is("kallsyms", DN_CHECK_INFO, "empty", "");
}

static void figures(void **state)
{
	(void)state;
	PLAYS(ALL_GOOD);
	check(DN_VERDICT_FULL);
	is("figures.pressure", DN_CHECK_INFO, "No such file", "psi=1");
	unlink("proc/self/io");
	check(DN_VERDICT_DEGRADED);
	is("figures.io", DN_CHECK_DEGRADED, "No such file", "unmeasured");

	/* closed to a recorder with capabilities: nothing is said about the command's */
	put("proc/self/io", "rchar: 1\n");
	chmod("proc/self/io", 0);
	check_as_nobody(DN_VERDICT_DEGRADED, 1);
	is("figures.io", DN_CHECK_DEGRADED, "Permission denied", "unmeasured");
	check_as_nobody(DN_VERDICT_FULL, 0);
	is("figures.io", DN_CHECK_OK, "closed as the recorder has capabilities", "recorded");
}

/* A machine of which nothing can be read gives a diagnosis all the same. */
static void an_empty_root(void **state)
{
	char *page = NULL, *json = NULL;
	size_t n, jn;
	FILE *f;

	(void)state;
	assert_int_equal(system("rm -rf proc sys boot"), 0);
	PLAYS(BAD("one", "syscalls", "tp_btf", "e\033[2J", -EPERM));
	check(DN_VERDICT_NONE);
	f = open_memstream(&page, &n);
	dn_check_text(&d, f, false);
	fclose(f);
	assert_null(strchr(page, '\033'));
	assert_non_null(strstr(page, "No system calls can be recorded here"));
	f = open_memstream(&json, &jn);
	dn_check_json(&d, f);
	fclose(f);
	assert_null(strchr(json, '\033'));
	assert_non_null(strstr(json, "\"load_errno\":1,\"attach_errno\":null"));
	free(page);
	free(json);
}

#define T(f) cmocka_unit_test_setup_teardown(f, machine, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(probes_make_the_verdict), T(rungs), T(nothing_tried_is_not_full), T(versions), T(configuration), T(btf),
		T(denied_is_not_absent), T(knobs_stay), T(lockdown), T(memlock), T(capabilities),
		cmocka_unit_test(file_capabilities), T(places), T(seccomp), T(symbols), T(figures), T(an_empty_root),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
