/*
 * symbols.c - which file answers for an object, and the names it gives.
 */
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"
#include "elfsyms.h"
#include "grow.h"
#include "kernel_code.h"
#include "mappings.h"
#include "perfmap.h"
#include "regular.h"
#include "row.h"

#define FILES_MAX 256			/* held open; what comes after is opened by name at the end */
#define PATIENCE_NS 100000000		/* with a thread that does not end */
#define VDSO_MAX 65536			/* bytes */
#define TOLD_MAX (32u << 20)		/* bytes of names in a trace */
#define TICK_NS 10000000		/* that the times of files may be behind */
#define DEBUG_DIR "/usr/lib/debug"

/* An object whose file is to be opened. */
struct meeting {
	uint32_t id;
	struct dn_code code;		/* its path is ours */
};

struct told {
	uint32_t object;
	struct dn_function f;
};

struct dn_symbols {
	pthread_t worker;
	pthread_mutex_t lock;		/* of what stands down to `ended` */
	pthread_cond_t news;		/* of either side */
	struct meeting *meeting;
	uint32_t nmeetings, meetings_cap, met;	/* met: taken up by the worker */
	const struct dn_symbols_opts *o;	/* the order to name; NULL: not yet */
	struct dn_place *list;		/* with o: the frames, sorted */
	long n, done;
	struct told *told;
	uint32_t ntold, told_cap;
	size_t told_bytes;		/* of names */
	bool stop, ended;		/* asked to; has */
	int *fd;			/* the worker's own from here on: of object id i + 1, plus 1; 0: none */
	uint32_t nfd, fd_cap;
	unsigned held;
};

/* What the clock on the wall showed at a time of the boot clock, ns. */
static uint64_t wall_at(uint64_t boot)
{
	struct dn_clocks c;

	dn_clocks_read(&c);
	return c.wall - c.boot + boot;
}

/* Whether the inode of that number was that file already: ext4 gives the number of one that was deleted to the next
 * that is made. A file system that tells no generation may tell when a file came to be. */
static bool is_inode(int fd, const struct dn_code *code)
{
	uint32_t generation;
	struct statx st;

	if (dn_inode_generation(fd, &generation))
		return generation == (uint32_t)code->generation;
	return statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) || !(st.stx_mask & STATX_BTIME) ||
		(uint64_t)st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec <= wall_at(code->mapped);
}

/* stat(2) tells the device of the layer or the subvolume there, and perf that of the file system. */
static bool has_other_devices(int fd)
{
	struct statfs f;

	return !fstatfs(fd, &f) && (f.f_type == OVERLAYFS_SUPER_MAGIC || f.f_type == BTRFS_SUPER_MAGIC);
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
	return st.st_ino == code->inode &&
		(((uint64_t)major(st.st_dev) << 20 | minor(st.st_dev)) == code->dev || has_other_devices(fd)) &&
		is_inode(fd, code);
}

/* What stands there, or -1. */
static int open_it(const char *path, const struct dn_code *code)
{
	int at = open(path, O_PATH | O_CLOEXEC), fd = at < 0 ? -1 : dn_regular_open(at);

	if (fd >= 0 && !is_it(fd, code)) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -1 : fd;
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

static void hold(struct dn_symbols *s, uint32_t id, const struct dn_code *code)
{
	int fd;

	if (s->held == FILES_MAX || (id <= s->nfd && s->fd[id - 1]) ||
	    dn_grow_zero(&s->fd, &s->fd_cap, id, sizeof(*s->fd)))
		return;
	s->nfd = id > s->nfd ? id : s->nfd;
	fd = open_code(code);
	if (fd < 0)
		return;
	s->fd[id - 1] = fd + 1;
	s->held++;
}

void dn_symbols_meet(struct dn_symbols *s, uint32_t id, const struct dn_code *code)
{
	struct meeting m = { .id = id, .code = *code };

	if (code->kind != DN_CODE_FILE)
		return;
	m.code.path = strdup(code->path);
	pthread_mutex_lock(&s->lock);
	if (m.code.path && !dn_grow(&s->meeting, &s->meetings_cap, s->nmeetings + 1, sizeof(m))) {
		s->meeting[s->nmeetings++] = m;
		pthread_cond_broadcast(&s->news);
	} else {
		free((char *)m.code.path);	/* it is opened by name at the end */
	}
	pthread_mutex_unlock(&s->lock);
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
	int fd = id <= s->nfd && s->fd[id - 1] ? s->fd[id - 1] - 1 : -1, held = fd, debug;
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
		/* Nobody deletes them, and pids come again: one that is older than the program is another's. */
		if (!fstat(fd, &st) && (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec +
				       TICK_NS >= wall_at(code->since))
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
		/* Memory that is used again belongs to whom the map says last; each gets what is left to it. */
		*f = (struct dn_function){ j.from, j.to - j.from, j.name };
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

/* One function that answers. */
static void keep(struct dn_symbols *s, uint32_t object, const struct dn_function *f)
{
	struct told t = { object, *f };

	t.f.name = strdup(f->name);
	pthread_mutex_lock(&s->lock);
	if (t.f.name && s->told_bytes + strlen(t.f.name) <= TOLD_MAX &&
	    !dn_grow(&s->told, &s->told_cap, s->ntold + 1, sizeof(t))) {
		s->told[s->ntold++] = t;
		s->told_bytes += strlen(t.f.name);
	} else {
		free((char *)t.f.name);
	}
	pthread_mutex_unlock(&s->lock);
}

/* The functions that the frames of the order lie in. */
static void name_all(struct dn_symbols *s)
{
	struct dn_function f = { 0 }, last = { 0 };
	struct names names = { 0 };
	bool stop = false;

	for (long i = 0; i < s->n && !stop; i++) {
		const struct dn_place *p = &s->list[i];

		if (!i || p->object != p[-1].object) {
			close_names(&names);
			open_names(s, &names, p->object, s->o);
			last.size = 0;
		}
		/* Asked for each, as one function may lie within another. */
		if (!find(&names, p->offset, &f))
			f.size = 0;
		else if (f.offset != last.offset || f.size != last.size)
			keep(s, p->object, &f);
		last = f;
		pthread_mutex_lock(&s->lock);
		s->done = i + 1;
		stop = s->stop;
		pthread_mutex_unlock(&s->lock);
	}
	close_names(&names);
}

static void *work(void *arg)
{
	struct dn_symbols *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		if (s->met < s->nmeetings) {
			struct meeting m = s->meeting[s->met++];

			pthread_mutex_unlock(&s->lock);
			hold(s, m.id, &m.code);
			free((char *)m.code.path);
			pthread_mutex_lock(&s->lock);
		} else if (s->o) {
			pthread_mutex_unlock(&s->lock);
			name_all(s);
			pthread_mutex_lock(&s->lock);
			break;
		} else {
			pthread_cond_wait(&s->news, &s->lock);
		}
	}
	s->ended = true;
	pthread_cond_broadcast(&s->news);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct dn_symbols *dn_symbols_new(void)
{
	struct dn_symbols *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int err;

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->news, &attr);
	pthread_condattr_destroy(&attr);
	err = pthread_create(&s->worker, NULL, work, s);
	if (!err)
		return s;
	free(s);
	errno = err;
	return NULL;
}

/* Waits for the worker to end, for so long. False: it has not, with the lock held either way. */
static bool wait_for(struct dn_symbols *s, uint64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec += (long)(ns % 1000000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!s->ended && !pthread_cond_timedwait(&s->news, &s->lock, &until))
		;
	return s->ended;
}

long dn_symbols_tell(struct dn_symbols *s, const struct dn_symbols_opts *o)
{
	struct dn_place *list;
	long n = frames_of(o, &list), left;
	int err = 0;

	if (n < 0)
		return n;
	pthread_mutex_lock(&s->lock);
	s->list = list;
	s->n = n;
	s->o = o;
	pthread_cond_broadcast(&s->news);
	wait_for(s, o->budget_ns);
	left = n - s->done;
	for (uint32_t i = 0; i < s->ntold && !err; i++)
		err = tell(o->sink, s->told[i].object, &s->told[i].f);
	pthread_mutex_unlock(&s->lock);
	return err ? err : left;
}

bool dn_symbols_free(struct dn_symbols *s)
{
	bool ended;

	if (!s)
		return true;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->news);
	ended = wait_for(s, PATIENCE_NS);
	pthread_mutex_unlock(&s->lock);
	if (!ended) {
		pthread_detach(s->worker);	/* it hangs in a file; what it has stays its own */
		return false;
	}
	pthread_join(s->worker, NULL);
	for (uint32_t i = s->met; i < s->nmeetings; i++)
		free((char *)s->meeting[i].code.path);
	for (uint32_t i = 0; i < s->ntold; i++)
		free((char *)s->told[i].f.name);
	for (uint32_t i = 0; i < s->nfd; i++)
		if (s->fd[i])
			close(s->fd[i] - 1);
	pthread_cond_destroy(&s->news);
	pthread_mutex_destroy(&s->lock);
	free(s->meeting);
	free(s->list);
	free(s->told);
	free(s->fd);
	free(s);
	return true;
}
