/*
 * symbols.c - which file answers for an object, and the names it gives.
 */
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clocks.h"
#include "elfsyms.h"
#include "grow.h"
#include "kernel_code.h"
#include "perfmap.h"
#include "row.h"

#define FILES_MAX 256			/* held open; what comes after is opened by name at the end */
#define VDSO_MAX 65536			/* bytes */
#define DEBUG_DIR "/usr/lib/debug"

struct dn_symbols {
	int *fd;			/* of object id i + 1, plus 1; 0: none */
	uint32_t n, cap;
	unsigned held;
};

struct dn_symbols *dn_symbols_new(void)
{
	return calloc(1, sizeof(struct dn_symbols));
}

void dn_symbols_free(struct dn_symbols *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->fd[i])
			close(s->fd[i] - 1);
	free(s->fd);
	free(s);
}

/* Whether the file is the one that was mapped. */
static bool is_it(int fd, const struct dn_code *code)
{
	struct dn_build_id id;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	if (code->build_id.len)
		return !dn_elf_build_id(fd, &id) && dn_build_id_same(&id, &code->build_id);
	return st.st_ino == code->inode && ((uint64_t)major(st.st_dev) << 20 | minor(st.st_dev)) == code->dev;
}

/* What stands there, or -1. A name may lead to anything by now: nothing is waited for. */
static int open_it(const char *path, const struct dn_code *code)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && !is_it(fd, code)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* In the mount namespace of who mapped it, else in ours. */
static int open_code(const struct dn_code *code)
{
	char path[4200];
	int fd = -1, n = snprintf(path, sizeof(path), "/proc/%u/root%s", code->pid, code->path);

	if (n > 0 && (size_t)n < sizeof(path))
		fd = open_it(path, code);
	if (fd >= 0)
		return fd;
	/* One that was deleted may be the program itself. */
	snprintf(path, sizeof(path), "/proc/%u/exe", code->pid);
	fd = open_it(path, code);
	return fd >= 0 ? fd : open_it(code->path, code);
}

void dn_symbols_meet(struct dn_symbols *s, uint32_t id, const struct dn_code *code)
{
	uint32_t had = s->cap;
	int fd;

	if (code->kind != DN_CODE_FILE || s->held == FILES_MAX || (id <= s->n && s->fd[id - 1]) ||
	    dn_grow(&s->fd, &s->cap, id, sizeof(*s->fd)))
		return;
	if (s->cap > had)
		memset(s->fd + had, 0, (s->cap - had) * sizeof(*s->fd));
	s->n = id > s->n ? id : s->n;
	fd = open_code(code);
	if (fd < 0)
		return;
	s->fd[id - 1] = fd + 1;
	s->held++;
}

/* Who answers for an object: one of these. */
struct names {
	struct dn_elfsyms *elf;
	struct dn_perfmap *jit;
	struct dn_kernel_code *kernel;
	const struct dn_code *code;
};

static struct dn_elfsyms *open_elf(struct dn_symbols *s, uint32_t id, const struct dn_code *code)
{
	int fd = id <= s->n && s->fd[id - 1] ? s->fd[id - 1] - 1 : -1, held = fd, debug;
	struct dn_elfsyms *elf = NULL;
	char path[256];

	if (fd < 0)
		fd = open_code(code);
	if (fd >= 0)
		elf = dn_elfsyms_open(fd);
	if (fd >= 0 && fd != held)
		close(fd);
	if (elf && !dn_elfsyms_complete(elf) &&
	    !dn_build_id_path(path, sizeof(path), DEBUG_DIR, dn_elfsyms_build_id(elf))) {
		debug = open(path, O_RDONLY | O_CLOEXEC);
		if (debug >= 0) {
			dn_elfsyms_add(elf, debug);	/* what it does not have stays unnamed */
			close(debug);
		}
	}
	return elf;
}

/* Our own is everybody's of our word size. */
static struct dn_elfsyms *open_vdso(void)
{
	const unsigned char *image = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	unsigned long begin, end;
	struct dn_elfsyms *elf = NULL;
	char line[256];
	FILE *f;

	f = image ? fopen("/proc/self/maps", "re") : NULL;
	while (f && !elf && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &begin, &end) == 2 && begin == (unsigned long)image && end - begin <= VDSO_MAX)
			elf = dn_elfsyms_open_memory(image, end - begin);
	if (f)
		fclose(f);
	return elf;
}

/* While it lives its own root directory and number, as its pid namespace has it, else ours. */
static struct dn_perfmap *open_jit(const struct dn_code *code, uid_t owner)
{
	char path[64], line[256], *last;
	struct dn_perfmap *map = NULL;
	unsigned long nspid = code->pid;
	struct stat st;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/status", code->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		last = strrchr(line, '\t');
		if (!strncmp(line, "NSpid:", 6) && last)
			nspid = strtoul(last, NULL, 10);
	}
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%u/root", code->pid);
	if (stat(path, &st))
		path[0] = 0;
	fd = dn_perfmap_fd(path[0] ? path : "/", (pid_t)nspid, owner);
	if (fd >= 0) {
		map = dn_perfmap_read(fd);
		close(fd);
	}
	return map;
}

static void open_names(struct dn_symbols *s, struct names *n, uint32_t id, const struct dn_symbols_opts *o)
{
	*n = (struct names){ .code = dn_codes_get(o->codes, id) };
	switch (n->code->kind) {
	case DN_CODE_FILE:
		n->elf = open_elf(s, id, n->code);
		break;
	case DN_CODE_VDSO:
		n->elf = strcmp(n->code->path, "[vdso]") ? NULL : open_vdso();
		break;
	case DN_CODE_MEMORY:
		n->jit = open_jit(n->code, o->owner);
		break;
	case DN_CODE_KERNEL:
	case DN_CODE_MODULE:
		n->kernel = o->kernel;
		break;
	}
}

static void close_names(struct names *n)
{
	dn_elfsyms_free(n->elf);
	dn_perfmap_free(n->jit);
}

static bool find(const struct names *n, uint64_t offset, struct dn_function *f)
{
	struct dn_perfmap_name j;
	struct dn_elfsym e;

	if (n->elf && dn_elfsyms_find(n->elf, offset, &e)) {
		*f = (struct dn_function){ e.start, e.size, e.name };
		return true;
	}
	if (n->jit && dn_perfmap_find(n->jit, offset, &j)) {
		*f = (struct dn_function){ j.start, j.size, j.name };
		return true;
	}
	return n->kernel && dn_kernel_code_name(n->kernel, n->code, offset, f);
}

static int by_place(const void *va, const void *vb)
{
	const struct dn_place *a = va, *b = vb;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The frames that lie in objects, sorted. Count, or -ENOMEM. */
static long frames_of(const struct dn_symbols_opts *o, struct dn_place **list)
{
	uint32_t n = 0, cap = 0;
	struct dn_place p;

	*list = NULL;
	for (uint32_t i = 0; o->frame(o->ctx, i, &p); i++) {
		if (!p.object)
			continue;
		if (dn_grow(list, &cap, n + 1, sizeof(p))) {
			free(*list);
			return -ENOMEM;
		}
		(*list)[n++] = p;
	}
	if (n)
		qsort(*list, n, sizeof(p), by_place);
	return n;
}

static int tell(const struct dn_sink *sink, uint32_t object, const struct dn_function *f)
{
	struct dn_value v[DN_F_symbol_N];

	v[DN_F_symbol_object] = dn_u(object);
	v[DN_F_symbol_offset] = dn_u(f->offset);
	v[DN_F_symbol_size] = dn_u(f->size);
	v[DN_F_symbol_name] = dn_str(f->name, strlen(f->name));
	return dn_row_send(sink, DN_EV_symbol, v, DN_F_symbol_N);
}

long dn_symbols_tell(struct dn_symbols *s, const struct dn_symbols_opts *o)
{
	const uint64_t until = dn_now() + o->budget_ns;
	struct dn_function f = { 0 };
	struct names names = { 0 };
	struct dn_place *list;
	long n = frames_of(o, &list), i;
	int err = 0;

	if (n < 0)
		return n;
	for (i = 0; i < n && !err; i++) {
		const bool other = !i || list[i].object != list[i - 1].object;

		if ((other || !(i & 1023)) && dn_now() >= until)
			break;
		if (other) {
			close_names(&names);
			open_names(s, &names, list[i].object, o);
			f.size = 0;
		}
		if (f.size && list[i].offset - f.offset < f.size)
			continue;	/* in the function told last */
		if (find(&names, list[i].offset, &f))
			err = tell(o->sink, list[i].object, &f);
		else
			f.size = 0;
	}
	close_names(&names);
	free(list);
	return err ? err : n - i;
}
