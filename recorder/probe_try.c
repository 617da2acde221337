/*
 * probe_try.c - each BPF program loaded and attached alone, for --check.
 *
 * Each try opens the object anew: an object that was loaded once cannot be
 * loaded again with other programs.
 */
#include "probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "object.h"

static bool sees_less(const struct dn_object_kind *k)
{
	return k->types && strcmp(k->types, dn_object_kind[0].types);
}

/* Tries program number `nth` of an object; sets *failed if a recording could not do
 * without it. 1 when there is none, else what fn gave. */
static int try_one(const struct dn_object_kind *k, enum dn_bytes_way way, unsigned nth, int *failed,
		   int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	struct dn_object_opts o = { .cpus = (unsigned)libbpf_num_possible_cpus(), .wake_level = 1 << 20,
		.strings = true, .net = true, .offcpu = true, .stacks = true, .freq = 1, .attach = true, .bytes = way, .hide_setuid = geteuid() != 0 };
	struct dn_trial t = { .object = k->rung, .less = sees_less(k) };
	struct bpf_program *prog, *chosen;
	struct bpf_object *obj;
	unsigned i;
	char rung[32];
	int err = 1;

again:
	obj = dn_object_open(k, &o);
	if (!obj)
		return -errno;
	chosen = NULL;
	i = 0;
	bpf_object__for_each_program(prog, obj)
		if (bpf_program__autoload(prog) && i++ == nth)
			chosen = prog;
	if (!chosen)
		goto out;
	t.program = bpf_program__name(chosen);
	snprintf(rung, sizeof(rung), "%.*s", (int)strcspn(bpf_program__section_name(chosen), "/"),
		 bpf_program__section_name(chosen));
	t.rung = rung;
	dn_object_try(obj, t.program, &t.load_err, &t.attach_err);
	if (t.load_err && !o.all_types) {	/* as a recording does: a type may be a module's */
		o.all_types = true;
		bpf_object__close(obj);
		goto again;
	}
	snprintf(t.why, sizeof(t.why), "%s", dn_object_words());
	err = 0;
	for (unsigned s = 0; !err && (!s || dn_probe_subject(t.program, s)); s++) {
		t.probe = dn_probe_subject(t.program, s) ? dn_probe_subject(t.program, s) : rung;
		if (!*failed && !dn_probe_without(t.probe))
			*failed = t.load_err ? t.load_err : t.attach_err;
		err = fn(ctx, &t);
	}
out:
	bpf_object__close(obj);
	return err;
}

/* All programs of an object. 0 or what fn gave. */
static int try_all(const struct dn_object_kind *k, enum dn_bytes_way way, int *failed,
		   int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	int err = 0;

	*failed = 0;
	for (unsigned nth = 0; !err; nth++)
		err = try_one(k, way, nth, failed, fn, ctx);
	return err < 0 ? err : 0;
}

int dn_probe_try(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	const enum dn_bytes_way way = dn_probe_bytes_way();
	int err = 0, failed = -ENOENT;

	/* As dn_probe_open() goes down the ladder. */
	for (unsigned i = 0; i < DN_OBJECT_KINDS && !err && failed && !dn_probe_hopeless(failed); i++) {
		if (geteuid() && sees_less(&dn_object_kind[i]))
			break;
		err = try_all(&dn_object_kind[i], way, &failed, fn, ctx);
	}
	return err ? err : try_all(&dn_object_trial, way, &failed, fn, ctx);
}
