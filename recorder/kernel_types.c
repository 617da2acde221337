/*
 * kernel_types.c - a part of the kernel's BTF (Documentation/bpf/btf.rst).
 */
#include "kernel_types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "procfs.h"

#define SLOTS 1024		/* power of two, some times the names of an object */

struct name {
	const char *text;	/* NULL: a free slot */
	size_t len;
};

struct part {
	uint8_t *data;		/* of the kernel */
	size_t size;
	bool mapped;
	const char *strings;
	uint32_t strings_len, n;
	struct btf_type **type;	/* in data, not to be written; by id, 0 being void */
	uint32_t *id;		/* by id of the kernel: that in the part; 0: not in it */
	uint32_t *todo, ntodo;
	struct name name[SLOTS];
	unsigned names;
};

/* ___ANYTHING is no part of a type's name: libbpf, bpf_core_essential_name_len(). */
static size_t essential(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

/* The slot of a name, its own or a free one. */
static struct name *slot_of(struct part *p, const char *text, size_t len)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 16777619u;
	for (;; h++) {
		struct name *n = &p->name[h % SLOTS];

		if (!n->text || (n->len == len && !memcmp(n->text, text, len)))
			return n;
	}
}

static bool has_name(const struct btf_type *t)
{
	return t->name_off && (btf_is_composite(t) || btf_is_any_enum(t));
}

static int take_names(struct part *p, const struct btf *of)
{
	for (uint32_t i = 1; i < btf__type_cnt(of); i++) {
		const struct btf_type *t = btf__type_by_id(of, i);
		const char *text = btf__name_by_offset(of, t->name_off);
		struct name *n;

		if (!has_name(t))
			continue;
		n = slot_of(p, text, essential(text));
		if (!n->text && ++p->names > SLOTS / 2)
			return -E2BIG;
		n->text = text;
		n->len = essential(text);
	}
	return 0;
}

/* Bytes of a type; 0: of a kind that is not known. */
static size_t size_of(const struct btf_type *t)
{
	const size_t n = btf_vlen(t);

	switch (btf_kind(t)) {
	case BTF_KIND_PTR: case BTF_KIND_FWD: case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST: case BTF_KIND_RESTRICT: case BTF_KIND_FUNC: case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return sizeof(*t);
	case BTF_KIND_INT:
		return sizeof(*t) + sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(*t) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT: case BTF_KIND_UNION:
		return sizeof(*t) + n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return sizeof(*t) + n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return sizeof(*t) + n * 3 * sizeof(uint32_t);
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*t) + n * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(*t) + sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return sizeof(*t) + n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(*t) + sizeof(struct btf_decl_tag);
	}
	return 0;
}

/* Mapped, to be read only, since 6.16; read before. */
static int get_data(struct part *p, const char *kernel)
{
	int fd = open(kernel, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		goto out;
	}
	p->size = (size_t)st.st_size;
	p->data = mmap(NULL, p->size, PROT_READ, MAP_PRIVATE, fd, 0);
	p->mapped = p->data != MAP_FAILED;
	if (p->mapped)
		goto out;
	p->data = malloc(p->size);
	n = p->data ? dn_read_file(AT_FDCWD, kernel, (char *)p->data, p->size) : -ENOMEM;
	err = n < 0 ? (int)n : (size_t)n < p->size ? -EIO : 0;
out:
	if (fd >= 0)
		close(fd);
	return err;
}

/* Finds all types. */
static int take_types(struct part *p)
{
	const struct btf_header *h = (void *)p->data;
	uint8_t *at, *end;

	if (p->size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len > p->size ||
	    h->type_off > p->size - h->hdr_len || h->type_len > p->size - h->hdr_len - h->type_off ||
	    h->str_off > p->size - h->hdr_len || h->str_len > p->size - h->hdr_len - h->str_off ||
	    h->type_off % 4 || h->hdr_len % 4 || !h->str_len)
		return -EINVAL;
	p->strings = (char *)p->data + h->hdr_len + h->str_off;
	p->strings_len = h->str_len;
	if (p->strings[h->str_len - 1])
		return -EINVAL;
	at = p->data + h->hdr_len + h->type_off;
	end = at + h->type_len;
	p->type = calloc(h->type_len / sizeof(struct btf_type) + 1, sizeof(*p->type));
	if (!p->type)
		return -ENOMEM;
	for (p->n = 1; at < end; p->n++) {
		struct btf_type *t = (void *)at;
		size_t size = (size_t)(end - at) < sizeof(*t) ? 0 : size_of(t);

		if (!size || size > (size_t)(end - at) || t->name_off >= p->strings_len)
			return -EINVAL;
		p->type[p->n] = t;
		at += size;
	}
	p->id = calloc(p->n, sizeof(*p->id));
	p->todo = calloc(p->n, sizeof(*p->todo));
	return p->id && p->todo ? 0 : -ENOMEM;
}

static int want(struct part *p, uint32_t id)
{
	if (id >= p->n)
		return -EINVAL;
	if (id && !p->id[id]) {
		p->id[id] = 1;
		p->todo[p->ntodo++] = id;
	}
	return 0;
}

/* The types that t is made of; fn gets the place of each id. */
static int parts_of(struct part *p, struct btf_type *t, int (*fn)(struct part *p, uint32_t *id))
{
	int err = 0;

	switch (btf_kind(t)) {
	case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST: case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		err = fn(p, &t->type);
		break;
	case BTF_KIND_ARRAY:
		err = fn(p, &btf_array(t)->type);
		err = err ? err : fn(p, &btf_array(t)->index_type);
		break;
	case BTF_KIND_STRUCT: case BTF_KIND_UNION:
		for (unsigned i = 0; i < btf_vlen(t) && !err; i++)
			err = fn(p, &btf_members(t)[i].type);
		break;
	}
	return err;
}

static int want_part(struct part *p, uint32_t *id)
{
	return want(p, *id);
}

static int renumber(struct part *p, uint32_t *id)
{
	*id = p->id[*id];
	return 0;
}

/* Which types are in the part, and the numbers they have there. */
static int choose(struct part *p)
{
	uint32_t last = 0;
	int err = 0;

	for (uint32_t i = 1; i < p->n; i++) {
		struct name *n;
		const char *text;

		if (!has_name(p->type[i]))
			continue;
		text = p->strings + p->type[i]->name_off;
		n = slot_of(p, text, strlen(text));
		if (n->text)
			want(p, i);
	}
	while (p->ntodo && !err)
		err = parts_of(p, p->type[p->todo[--p->ntodo]], want_part);
	for (uint32_t i = 1; i < p->n && !err; i++)
		if (p->id[i])
			p->id[i] = ++last;
	return err;
}

static int write_part(struct part *p, int fd)
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h),
		.str_len = p->strings_len };
	uint8_t *types = malloc(p->size);
	struct iovec part[3] = { { &h, sizeof(h) }, { types, 0 }, { (void *)p->strings, p->strings_len } };
	size_t at = 0;
	ssize_t n;

	if (!types)
		return -ENOMEM;
	for (uint32_t i = 1; i < p->n; i++) {
		struct btf_type *t = (void *)(types + at);

		if (!p->id[i])
			continue;
		memcpy(t, p->type[i], size_of(p->type[i]));
		if (btf_is_ptr(t))
			t->type = 0;
		parts_of(p, t, renumber);
		at += size_of(t);
	}
	h.type_len = h.str_off = (uint32_t)at;
	part[1].iov_len = at;
	n = writev(fd, part, 3);
	free(types);
	return n < 0 ? -errno : (size_t)n == sizeof(h) + at + p->strings_len ? 0 : -EIO;
}

int dn_kernel_types(const struct btf *of, const char *kernel, int fd)
{
	struct part *p = calloc(1, sizeof(*p));
	int err = p ? take_names(p, of) : -ENOMEM;

	err = err ? err : get_data(p, kernel);
	err = err ? err : take_types(p);
	err = err ? err : choose(p);
	err = err ? err : write_part(p, fd);
	if (p) {
		if (p->mapped)
			munmap(p->data, p->size);
		else
			free(p->data);
		free(p->type);
		free(p->id);
		free(p->todo);
	}
	free(p);
	return err;
}
