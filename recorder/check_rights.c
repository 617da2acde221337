/*
 * check_rights.c - who we are to the kernel: capabilities of process and file,
 * the sysctls people lower without need, memlock, lockdown.
 *
 * The recorder needs capabilities and no sysctl. A knob that keeps others out is
 * reported so that nobody suspects it, and is to be left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "bytes.h"
#include "check_rights.h"

#define CAPS_ADVISED "cap_bpf,cap_perfmon,cap_dac_read_search"
#define USED (DN_CAP(DN_CAP_BPF) | DN_CAP(DN_CAP_PERFMON) | DN_CAP(DN_CAP_DAC_READ_SEARCH))

static const struct {
	int cap;
	const char *name;
	const char *gives;
} caps[] = {
	{ DN_CAP_BPF, "cap_bpf", "load BPF programs" },
	{ DN_CAP_PERFMON, "cap_perfmon", "have them trace" },
	{ DN_CAP_DAC_READ_SEARCH, "cap_dac_read_search", "read tracefs and what else only root may" },
	{ DN_CAP_SYS_ADMIN, "cap_sys_admin", "stands for cap_bpf and cap_perfmon, and for far too much else" },
	{ DN_CAP_SYS_PTRACE, "cap_sys_ptrace", "read I/O figures and files of processes of other users" },
	{ DN_CAP_SYS_RESOURCE, "cap_sys_resource", "raise the memlock limit, before Linux 5.11" },
};

#define CAPS (sizeof(caps) / sizeof(caps[0]))

const char *dn_caps_text(uint64_t set, char *buf, size_t cap)
{
	size_t n = 0, others = 0;

	buf[0] = 0;
	for (int bit = 0; bit < 64; bit++) {
		const char *name = NULL;

		if (!(set & DN_CAP(bit)))
			continue;
		for (size_t i = 0; i < CAPS; i++)
			if (caps[i].cap == bit)
				name = caps[i].name;
		if (name && n < cap)
			n += (size_t)snprintf(buf + n, cap - n, "%s%s", n ? ", " : "", name);
		else if (!name)
			others++;
	}
	if (others && n < cap)
		snprintf(buf + n, cap - n, "%s%zu other%s", n ? " and " : "", others, others > 1 ? "s" : "");
	else if (!n)
		snprintf(buf, cap, "none");
	return buf;
}

/* --- of the process -------------------------------------------------------------------- */

static uint64_t status_hex(struct dn_check *c, const char *key, bool *known)
{
	char text[64];

	*known = dn_env_value(&c->env, "proc/self/status", key, text, sizeof(text)) > 0;
	return *known ? strtoull(text, NULL, 16) : 0;
}

static bool is_root(struct dn_check *c)
{
	unsigned real, effective;
	char text[64];

	return dn_env_value(&c->env, "proc/self/status", "Uid:", text, sizeof(text)) > 0 &&
	       sscanf(text, "%u %u", &real, &effective) == 2 && !effective;
}

/* The order matters: chown takes the capabilities of a file away. */
static void advise_setcap(struct dn_check *c, struct dn_finding *f)
{
	dn_fix(f, "sudo groupadd -f denet && sudo chown root:denet %s && sudo chmod 0750 %s && "
		  "sudo setcap " CAPS_ADVISED "=ep %s && sudo usermod -aG denet $USER", c->self, c->self,
	       c->self);
}

void dn_check_rights(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "process.capabilities");
	bool known, may, root = is_root(c);
	char text[160];

	c->caps = status_hex(c, "CapEff:", &known);
	if (!known) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/status does not tell the effective capabilities");
		dn_means(f, "what this process may do is not known; is /proc mounted?");
		return;
	}
	may = dn_may_bpf(c);
	dn_found(f, "%s; effective: %s", root ? "root" : "not root", dn_caps_text(c->caps, text, sizeof(text)));
	if (may) {
		dn_means(f, "may load BPF programs that trace");
	} else if (c->foreign) {
		f->state = dn_blame(c);
		dn_means(f, "in this user namespace they count for nothing that BPF asks, see namespace.user");
	} else {
		f->state = dn_blame(c);
		dn_means(f, "may not load BPF programs that trace: %s. %s",
			 dn_older(c, 5, 8) ? "before Linux 5.8 that takes root" : "that takes cap_bpf and cap_perfmon",
			 root ? "This root was given less than root has; whoever started it (a container?) must grant them" :
				"Where it works with sudo only, these are the whole reason: no sysctl is in the way");
		if (!root && !dn_older(c, 5, 8))
			advise_setcap(c, f);
		else if (!root)
			dn_fix(f, "sudo %s --check", c->self);
	}
	for (size_t i = 0; i < CAPS; i++) {
		bool for_bpf = caps[i].cap == DN_CAP_BPF || caps[i].cap == DN_CAP_PERFMON;
		char id[64];

		if (dn_has(c, caps[i].cap) || caps[i].cap == DN_CAP_SYS_ADMIN || (for_bpf && !may))
			continue;
		snprintf(id, sizeof(id), "process.%s", caps[i].name);
		f = dn_finding(c, DN_CHECK_INFO, id);
		dn_found(f, "%s is not effective", caps[i].name);
		if (caps[i].cap == DN_CAP_DAC_READ_SEARCH && c->tracefs_needed)
			f->state = dn_blame(c);
		dn_means(f, "it lets a program %s%s", caps[i].gives,
			 for_bpf ? "; cap_sys_admin stands for it here" :
			 caps[i].cap == DN_CAP_SYS_PTRACE ? "; those of one's own need none" :
			 caps[i].cap == DN_CAP_DAC_READ_SEARCH && !c->tracefs_needed ? "; no probe attached here needs it" :
			 caps[i].cap == DN_CAP_SYS_RESOURCE && !dn_older(c, 5, 11) ? "; not needed here" : "");
	}
}

/* --- of the file ------------------------------------------------------------------------- */

int dn_file_caps(const unsigned char *p, size_t len, struct dn_file_caps *out)
{
	uint32_t magic;

	memset(out, 0, sizeof(*out));
	if (len < 4)
		return -EBADMSG;
	magic = dn_get32(p);
	switch (magic >> 24) {		/* linux/capability.h: VFS_CAP_REVISION_MASK */
	case 3:
		if (len != 24)
			return -EBADMSG;
		out->rootid = dn_get32(p + 20);
		break;
	case 2:
		if (len != 20)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	out->effective = magic & 1;	/* VFS_CAP_FLAGS_EFFECTIVE */
	out->permitted = dn_get32(p + 4) | (uint64_t)dn_get32(p + 12) << 32;
	out->inheritable = dn_get32(p + 8) | (uint64_t)dn_get32(p + 16) << 32;
	return 0;
}

/* Why capabilities of the file did not become ours, or NULL. */
static const char *in_vain(struct dn_check *c, const char *path, const struct dn_file_caps *fc)
{
	struct statvfs vfs;
	char text[32];

	/* Those it has no use for it gives up; whether they were effective does not matter,
	 * as it raises the others itself (rights.h). */
	if ((fc->permitted & USED & ~c->caps) == 0)
		return NULL;
	if (!statvfs(path, &vfs) && (vfs.f_flag & ST_NOSUID))
		return "the file system is mounted nosuid";
	if (dn_env_value(&c->env, "proc/self/status", "NoNewPrivs:", text, sizeof(text)) > 0 && *text == '1')
		return "no_new_privs is set (a container or a service manager does that)";
	if (fc->rootid)
		return "they count in one user namespace only (setcap -n)";
	return "the process was started without, or is traced";
}

void dn_check_file(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "file.capabilities");
	int fd = openat(c->env.root, "proc/self/exe", O_PATH | O_CLOEXEC);
	unsigned char raw[64];
	char path[64], text[160];
	struct dn_file_caps fc = { 0 };
	const char *why = NULL;
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || fstat(fd, &st)) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/exe: %s", strerror(errno));
		dn_means(f, "what rights the program file has is not known");
		goto out;
	}
	n = getxattr(path, "security.capability", raw, sizeof(raw));
	if (n < 0) {
		bool need = !dn_may_bpf(c) && !is_root(c) && !c->foreign;

		f->state = need ? dn_blame(c) : DN_CHECK_OK;
		dn_found(f, "the program file has no capabilities (%s)", errno == ENODATA ? "none set" : strerror(errno));
		dn_means(f, need ? "who is not root cannot record with it" :
			 dn_may_bpf(c) ? "not needed, the process has what it takes by itself" : "they would not help here");
		if (need)
			advise_setcap(c, f);
	} else if (dn_file_caps(raw, (size_t)n, &fc)) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "the program file has capabilities in a form of %zd bytes that is not known", n);
		dn_means(f, "what rights the program file gives is not known");
	} else {
		why = is_root(c) ? NULL : in_vain(c, path, &fc);
		f->state = why ? dn_blame(c) : DN_CHECK_OK;
		dn_found(f, "the program file has %s (%s%s)", dn_caps_text(fc.permitted, text, sizeof(text)),
			 fc.effective ? "e" : "", fc.permitted ? "p" : "");
		dn_means(f, "%s%s", why ? "they did not become those of the process: " : "who may execute it may record", why ? why : "");
	}
	f = dn_finding(c, DN_CHECK_OK, "file.mode");
	dn_found(f, "mode %04o, owner %u:%u", st.st_mode & 07777, st.st_uid, st.st_gid);
	if (fc.permitted && (st.st_mode & S_IXOTH)) {
		f->state = DN_CHECK_INFO;
		dn_means(f, "every user may execute it, and so see system calls with its capabilities; 0750 root:denet leaves it to a group");
		advise_setcap(c, f);
	} else if (fc.permitted && (st.st_mode & (S_IWOTH | (st.st_gid ? S_IWGRP : 0u)))) {
		f->state = DN_CHECK_INFO;
		dn_means(f, "others than its owner may write to it");
		dn_fix(f, "sudo chmod go-w %s", c->self);
	} else {
		dn_means(f, fc.permitted ? "only its group may use its capabilities" : "it gives no rights, so anyone may execute it");
	}
out:
	if (fd >= 0)
		close(fd);
}

/* --- knobs -------------------------------------------------------------------------------- */

static bool knob(struct dn_check *c, const char *id, const char *path, long *v, struct dn_finding **f)
{
	char text[32], *end;
	ssize_t n = dn_env_line(&c->env, path, text, sizeof(text));

	*f = dn_finding(c, DN_CHECK_OK, id);
	*v = n > 0 ? strtol(text, &end, 10) : 0;
	if (n > 0 && end != text && !*end)
		return true;
	(*f)->state = DN_CHECK_INFO;
	dn_found(*f, "/%s: %s", path, n < 0 ? strerror((int)-n) : "not a number");
	dn_means(*f, "not known, and not needed: the recorder stands on capabilities");
	return false;
}

void dn_check_sysctls(struct dn_check *c)
{
	struct dn_finding *f;
	long v;

	if (knob(c, "unprivileged_bpf_disabled", "proc/sys/kernel/unprivileged_bpf_disabled", &v, &f)) {
		dn_found(f, "kernel.unprivileged_bpf_disabled is %ld", v);
		dn_means(f, "%s; tracing takes cap_bpf at any value: leave it",
			 v == 0 ? "users without capabilities may load a few kinds of programs, tracing is not among them" :
			 v == 1 ? "bpf(2) is for cap_bpf only, until the next boot" : "bpf(2) is for cap_bpf only");
	}
	if (knob(c, "kptr_restrict", "proc/sys/kernel/kptr_restrict", &v, &f)) {
		dn_found(f, "kernel.kptr_restrict is %ld", v);
		dn_means(f, "%s; loading and attaching need no address: leave it",
			 v == 0 ? "addresses are shown to cap_syslog, and to all where perf_event_paranoid is below 2" :
			 v == 1 ? "addresses are shown to cap_syslog only" : "addresses are hidden from all");
	}
	if (knob(c, "perf_event_paranoid", "proc/sys/kernel/perf_event_paranoid", &v, &f)) {
		dn_found(f, "kernel.perf_event_paranoid is %ld", v);
		dn_means(f, "for those without cap_perfmon: %s; cap_perfmon passes it: leave it",
			 v < 0 ? "all of perf_event_open(2)" :
			 v == 0 ? "no raw tracepoints through perf" :
			 v == 1 ? "no events of whole CPUs" :
			 v == 2 ? "no events of the kernel" :
			 "no perf_event_open(2) at all, a value that Debian (3) and Ubuntu (4) added");
	}
}

void dn_check_memlock(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "memlock");
	unsigned long long soft = 0;
	char text[128], shown[64];
	ssize_t n = dn_env_value(&c->env, "proc/self/limits", "Max locked memory", text, sizeof(text));
	bool limited = n > 0 && sscanf(text, "%llu", &soft) == 1;

	if (n <= 0) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/limits does not tell the limit of locked memory");
		dn_means(f, "it matters before Linux 5.11 only");
		return;
	}
	snprintf(shown, sizeof(shown), limited ? "%llu bytes" : "unlimited", soft);
	dn_found(f, "locked memory: %s", shown);
	if (!dn_older(c, 5, 11)) {
		dn_means(f, c->major ? "since Linux 5.11 BPF memory is not counted in it" : "it matters before Linux 5.11 only");
		return;
	}
	if (!limited || dn_has(c, DN_CAP_SYS_RESOURCE)) {
		dn_means(f, limited ? "cap_sys_resource raises it" : "BPF maps have room");
		return;
	}
	f->state = dn_blame(c);
	dn_means(f, "before Linux 5.11 BPF maps count in it: loading them fails with EPERM");
	dn_fix(f, "sudo prlimit --memlock=unlimited --pid $$");
}

/* [none] integrity confidentiality */
void dn_check_lockdown(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "lockdown");
	struct dn_reached r;
	char text[128], where[256];

	if (dn_env_line(&c->env, "sys/kernel/security/lockdown", text, sizeof(text)) < 0) {
		f->state = DN_CHECK_INFO;
		dn_reach(c, "sys/kernel/security/lockdown", &r);
		dn_found(f, "/sys/kernel/security/lockdown: %s", dn_reach_text(&r, where, sizeof(where)));
		dn_means(f, "not known: securityfs is not mounted, or the kernel has no lockdown");
	} else if (strstr(text, "[confidentiality]")) {
		f->state = dn_blame(c);
		dn_found(f, "confidentiality is in force");
		dn_means(f, "the kernel lets no BPF program read its memory, root's neither: paths, arguments and states "
			    "of tasks cannot be read. Whoever runs this machine chose that; record on another one");
	} else if (strstr(text, "[integrity]")) {
		dn_found(f, "integrity is in force");
		dn_means(f, "forbids BPF programs to write to memory of processes, which ours never do");
	} else {
		dn_found(f, "%s", strstr(text, "[none]") ? "none is in force" : text);
		dn_means(f, "forbids nothing");
	}
}
