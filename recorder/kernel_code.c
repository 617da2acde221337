/*
 * kernel_code.c - the kernel's own code, as a sorted list of its functions that were met.
 *
 * Places in the kernel are counted from _text on, where it begins, so that they are the same after
 * each boot, which puts it elsewhere; in modules they are addresses.
 */
#include "kernel_code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "procfs.h"
#include "ring_event.h"

#define NOTES_MAX 65536
#define HEAD_MAX (1u << 20)	/* of /proc/kallsyms: before _text there are variables of CPUs on some kernels */

struct function {
	uint64_t start, end;		/* end is not in it */
	char *name;
	char *module;			/* as objects are named, "[ext4]"; NULL: of the kernel itself */
};

struct dn_kernel_code {
	dn_kernel_ask *ask;
	void *ctx;
	struct function *fn;		/* by start */
	uint32_t n, cap;
	uint64_t base;			/* address of _text; 0: it is not told */
	struct dn_build_id build_id;
};

/* Where the kernel was put, for who may know. */
static uint64_t find_base(void)
{
	char line[512], name[256], type;
	unsigned long long address = 0, at;
	size_t seen = 0;
	FILE *f = fopen("/proc/kallsyms", "re");

	while (f && !address && seen < HEAD_MAX && fgets(line, sizeof(line), f)) {
		seen += strlen(line);
		if (sscanf(line, "%llx %c %255s", &at, &type, name) == 3 && !strcmp(name, "_text"))
			address = at;
	}
	if (f)
		fclose(f);
	return address;
}

struct dn_kernel_code *dn_kernel_code_new(dn_kernel_ask *ask, void *ctx)
{
	struct dn_kernel_code *k = calloc(1, sizeof(*k));
	char *notes = malloc(NOTES_MAX);
	ssize_t n;

	if (!k || !notes) {
		free(k);
		free(notes);
		errno = ENOMEM;
		return NULL;
	}
	k->ask = ask;
	k->ctx = ctx;
	k->base = find_base();
	n = dn_read_file(AT_FDCWD, "/sys/kernel/notes", notes, NOTES_MAX);
	if (n > 0)
		dn_build_id_find(notes, (size_t)n, 4, false, &k->build_id);
	free(notes);
	return k;
}

void dn_kernel_code_free(struct dn_kernel_code *k)
{
	if (!k)
		return;
	for (uint32_t i = 0; i < k->n; i++) {
		free(k->fn[i].name);
		free(k->fn[i].module);
	}
	free(k->fn);
	free(k);
}

/* The first that ends behind the address. */
static uint32_t place_of(const struct dn_kernel_code *k, uint64_t address)
{
	uint32_t low = 0, high = k->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (k->fn[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct function *function_at(const struct dn_kernel_code *k, uint64_t address)
{
	uint32_t i = place_of(k, address);

	return i < k->n && k->fn[i].start <= address ? &k->fn[i] : NULL;
}

/* A line of the answer; one without a name has the address alone. */
static void take(void *ctx, const char *line)
{
	unsigned long long address, offset, size;
	struct dn_kernel_code *k = ctx;
	char name[512], module[80] = "";
	struct function f;
	uint32_t at;

	if (sscanf(line, "%llx %511[^+ ]+%llx/%llx %79s", &address, name, &offset, &size, module) < 4)
		return;
	offset--;	/* bpf/names.bpf.h */
	f = (struct function){ .start = address - offset, .end = address - offset + size };
	if (offset >= size || function_at(k, address) || dn_grow(&k->fn, &k->cap, k->n + 1, sizeof(f)))
		return;
	at = place_of(k, address);
	/* Nothing that is known already is covered a second time. */
	if (at < k->n && f.end > k->fn[at].start)
		f.end = k->fn[at].start;
	if (at && f.start < k->fn[at - 1].end)
		f.start = k->fn[at - 1].end;
	f.name = strdup(name);
	f.module = module[0] == '[' ? strdup(module) : NULL;
	if (!f.name || (module[0] == '[' && !f.module)) {
		free(f.name);
		free(f.module);
		return;
	}
	memmove(k->fn + at + 1, k->fn + at, (k->n - at) * sizeof(f));
	k->fn[at] = f;
	k->n++;
}

void dn_kernel_code_learn(struct dn_kernel_code *k, const uint64_t *address, unsigned n)
{
	uint64_t fresh[DN_NAMES_AT_ONCE];
	unsigned nfresh = 0;

	for (unsigned i = 0; i < n && nfresh < DN_NAMES_AT_ONCE; i++)
		if (!function_at(k, address[i]))
			fresh[nfresh++] = address[i];
	if (nfresh)
		k->ask(k->ctx, fresh, nfresh, take, k);	/* what is not answered has no name */
}

void dn_kernel_code_place(struct dn_kernel_code *k, struct dn_codes *codes, uint64_t address,
			  struct dn_place *place)
{
	struct dn_code code = { .kind = DN_CODE_KERNEL, .path = "[kernel]", .build_id = k->build_id };
	const struct function *f = function_at(k, address);

	if (f && f->module)
		code = (struct dn_code){ .kind = DN_CODE_MODULE, .path = f->module };
	*place = (struct dn_place){ dn_codes_add(codes, &code), address - (f && f->module ? 0 : k->base) };
}

bool dn_kernel_code_switches(const struct dn_kernel_code *k, uint64_t address)
{
	const struct function *f = function_at(k, address);

	return f && !f->module && !strcmp(f->name, "__schedule");
}

bool dn_kernel_code_name(const struct dn_kernel_code *k, const struct dn_code *object, uint64_t offset,
			 struct dn_function *f)
{
	const uint64_t base = object->kind == DN_CODE_KERNEL ? k->base : 0;
	const struct function *at = function_at(k, base + offset);

	if (at)
		*f = (struct dn_function){ at->start - base, at->end - at->start, at->name };
	return at;
}
