/*
 * probe_try.c - each BPF program loaded and attached alone, for --check.
 *
 * Each try opens the object anew: an object that was loaded once cannot be
 * loaded again with other programs. Knobs and map sizes stay at the object's
 * own defaults, which are the widest there are.
 */
#include "probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "denet.skel.h"
#include "trial.skel.h"

/* The best first. */
static const struct {
	const char *name;
	const void *(*bytes)(size_t *size);
} objects[] = {
	{ "denet", denet_bpf__elf_bytes },
	{ DN_TRIAL_ONLY, trial_bpf__elf_bytes },
};

/* Which probe a hook belongs to, whatever the rung it is taken by. */
static const struct {
	const char *hook, *probe;
} hooks[] = {
	{ "sys_enter", "syscalls" },
	{ "sys_exit", "syscalls" },
	{ "task_newtask", "process" },
	{ "sched_process_exec", "process" },
	{ "sched_process_exit", "process" },
	{ "sched_switch", "process" },
	{ "task_rename", "process" },
	{ "signal_generate", "signals" },
	{ "signal_deliver", "signals" },
	{ "mark_victim", "oom" },
	{ "task", "threads_at_end" },
};

/*
 * What libbpf said of one try. The first warning names the step that failed;
 * of the verifier's log, which follows it, the last line is the reason.
 */
static struct {
	char first[256], verifier[256];
} words;

static void keep_verdict(const char *log)
{
	const char *end = strstr(log, "-- END");
	size_t n = end ? (size_t)(end - log) : strlen(log);

	while (n) {
		size_t from = n, len;

		while (from && log[from - 1] != '\n')
			from--;
		len = n - from;
		if (len && strncmp(log + from, "processed ", 10) && strncmp(log + from, "libbpf:", 7) &&
		    strncmp(log + from, "verification time", 17) && strncmp(log + from, "stack depth", 11)) {
			snprintf(words.verifier, sizeof(words.verifier), "%.*s", (int)len, log + from);
			return;
		}
		n = from ? from - 1 : 0;
	}
}

__attribute__((format(printf, 2, 0)))
static int keep_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static char text[8192];
	const char *log;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	/* libbpf goes on after these; what fails then is told too */
	if (strstr(text, "bump RLIMIT_MEMLOCK") || strstr(text, "Retrying without BTF"))
		return 0;
	/* libbpf's own words blame memlock, which is rarely it */
	if (strstr(text, "probe_loading"))
		snprintf(text, sizeof(text), "not even an empty program can be loaded");
	log = strstr(text, "BEGIN PROG LOAD LOG --\n");
	if (log)
		keep_verdict(strchr(log, '\n') + 1);
	if (!words.first[0])
		snprintf(words.first, sizeof(words.first), "%.255s", text + (strncmp(text, "libbpf: ", 8) ? 0 : 8));
	return 0;
}

/* "tp_btf/sys_enter": rung and hook. */
static void name_trial(struct dn_trial *t, const char *section, char rung[32])
{
	size_t n = strcspn(section, "/");

	snprintf(rung, 32, "%.*s", (int)n, section);
	t->rung = rung;
	t->probe = rung;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (section[n] && !strcmp(section + n + 1, hooks[i].hook))
			t->probe = hooks[i].probe;
}

static struct bpf_object *open_object(size_t which)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = objects[which].name);
	size_t size;
	const void *bytes = objects[which].bytes(&size);

	return bpf_object__open_mem(bytes, size, &opts);
}

/* Tries program number `nth` of an object. 1 when there is none, else what fn gave. */
static int try_one(size_t which, unsigned nth, int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	struct dn_trial t = { .object = objects[which].name };
	struct bpf_program *prog, *chosen = NULL;
	struct bpf_link *link = NULL;
	struct bpf_object *obj;
	unsigned i = 0;
	char rung[32];
	int err = 1;

	memset(&words, 0, sizeof(words));
	obj = open_object(which);
	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj) {
		bpf_program__set_autoload(prog, i == nth);
		if (i++ == nth)
			chosen = prog;
	}
	if (!chosen)
		goto out;
	t.program = bpf_program__name(chosen);
	name_trial(&t, bpf_program__section_name(chosen), rung);
	t.load_err = bpf_object__load(obj);
	if (!t.load_err) {
		link = bpf_program__attach(chosen);
		if (!link)
			t.attach_err = -errno;
	}
	snprintf(t.why, sizeof(t.why), "%s", words.verifier[0] ? words.verifier : words.first);
	t.why[strcspn(t.why, "\n")] = 0;
	err = fn(ctx, &t);
out:
	bpf_link__destroy(link);
	bpf_object__close(obj);
	return err;
}

int dn_probe_try(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	libbpf_print_fn_t before = libbpf_set_print(keep_words);
	int err = 0;

	for (size_t which = 0; which < sizeof(objects) / sizeof(objects[0]) && err >= 0; which++) {
		err = 0;
		for (unsigned nth = 0; !err; nth++)
			err = try_one(which, nth, fn, ctx);
	}
	libbpf_set_print(before);
	return err < 0 ? err : 0;
}
