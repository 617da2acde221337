/*
 * symfs.c - candidates for an object, one after the other, until there is nothing more
 * to be known.
 */
#include "symfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooted.h"

static const char *const debug_dirs[] = { "", "/usr/lib/debug" };

#define DEBUG_DIRS (sizeof(debug_dirs) / sizeof(*debug_dirs))

struct dn_symfs {
	size_t n;
	int root[];
};

struct dn_symfs_file {
	struct dn_elfsyms *syms;	/* NULL: none was found yet */
	struct dn_lines *lines;
};

int dn_symfs_open(const char *const *dir, size_t n, struct dn_symfs **out, const char **bad)
{
	struct dn_symfs *s = calloc(1, sizeof(*s) + n * sizeof(*s->root));
	int err;

	*out = NULL;
	*bad = NULL;
	if (!s)
		return -ENOMEM;
	for (; s->n < n; s->n++) {
		s->root[s->n] = open(dir[s->n], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->root[s->n] < 0) {
			err = -errno;
			*bad = dir[s->n];
			dn_symfs_close(s);
			return err;
		}
	}
	*out = s;
	return 0;
}

void dn_symfs_close(struct dn_symfs *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		close(s->root[i]);
	free(s);
}

/* A program, or a debug file that tells where code is. */
static void take_program(struct dn_symfs_file *f, int fd, const struct dn_build_id *id)
{
	struct dn_build_id found;

	if (dn_elf_build_id(fd, &found) || !dn_build_id_same(&found, id))
		return;
	f->syms = dn_elfsyms_open(fd);
	if (f->syms && !dn_elfsyms_maps(f->syms)) {
		dn_elfsyms_free(f->syms);
		f->syms = NULL;
	}
}

/* What path below a root adds to what is known. */
static void try(struct dn_symfs_file *f, int root, const char *path, const struct dn_build_id *id, bool lines)
{
	int fd = dn_rooted_open(root, path);
	bool same = false;

	if (fd < 0)
		return;
	if (!f->syms) {
		take_program(f, fd, id);
		same = f->syms;
	} else {
		same = !dn_elfsyms_add(f->syms, fd);	/* only one of the same build-id */
	}
	if (same && lines && !f->lines)
		f->lines = dn_lines_open(fd);
	close(fd);
}

static bool enough(const struct dn_symfs_file *f, bool lines)
{
	return f->syms && dn_elfsyms_complete(f->syms) && (!lines || f->lines);
}

struct dn_symfs_file *dn_symfs_find(const struct dn_symfs *s, const char *path, const struct dn_build_id *id,
				    bool lines)
{
	struct dn_symfs_file *f = calloc(1, sizeof(*f));
	char debug[128];

	if (!f)
		return NULL;
	if (!id->len) {
		free(f);
		errno = ENODATA;
		return NULL;
	}
	for (size_t i = 0; path[0] == '/' && i < s->n && !f->syms; i++)
		try(f, s->root[i], path, id, lines);
	/* Twice, as the one that tells where code is may stand behind another. */
	for (int round = 0; round < 2 && (!round || f->syms); round++)
		for (size_t i = 0; i < s->n * DEBUG_DIRS && !(round ? enough(f, lines) : f->syms != NULL); i++)
			if (!dn_build_id_path(debug, sizeof(debug), debug_dirs[i % DEBUG_DIRS], id))
				try(f, s->root[i / DEBUG_DIRS], debug, id, lines);
	if (f->syms)
		return f;
	free(f);
	errno = ENOENT;
	return NULL;
}

void dn_symfs_file_close(struct dn_symfs_file *f)
{
	if (!f)
		return;
	dn_elfsyms_free(f->syms);
	dn_lines_free(f->lines);
	free(f);
}

bool dn_symfs_function(const struct dn_symfs_file *f, uint64_t offset, struct dn_elfsym *out)
{
	return dn_elfsyms_find(f->syms, offset, out);
}

bool dn_symfs_line(struct dn_symfs_file *f, uint64_t offset, struct dn_line *out)
{
	uint64_t addr;

	return f->lines && dn_elfsyms_address(f->syms, offset, &addr) && dn_lines_find(f->lines, addr, out);
}
