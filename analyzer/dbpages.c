/*
 * dbpages.c - b-trees of rows that come in the order of their ids.
 *
 * Such a tree grows at its right edge only. Each table keeps that edge in
 * memory: the leaf that is being filled, and for every level above it the
 * children that have no page yet. What is full is written and becomes a child
 * of the level above:
 *
 *   level 2              child child                     in memory
 *   level 1    page page ...    child child child        in memory
 *   leaves     page page page ...            leaf        in memory
 *
 * A page gets its number when it is written, so writing is one stream at the
 * end of the file; only the root, whose number SQLite chose, and the number of
 * pages in the file's header are written in place, last.
 *
 *   page    type, 0 0, cells (2), begin of the cells (2), 0, above the leaves
 *           the last child (4); an offset (2) for each cell; room; the cells
 *   leaf    a cell is: bytes of the row, id, the row; of a long one its begin
 *           and the number (4) of a page with more: next page or 0 (4), bytes
 *   above   a cell is: child (4), greatest id below it
 *   row     bytes of this head, a type for each column; the columns
 *
 * Numbers are big-endian; those without a width here are varints, 7 bits a byte,
 * most significant first.
 */
#include "dbpages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file's header, on page 1. */
#define HEADER 100
#define AT_PAGE_SIZE 16
#define AT_RESERVED 20		/* bytes at the end of each page */
#define AT_PAGES 28
#define AT_FORMAT 44
#define AT_VACUUM 52		/* not 0: some pages are maps */
#define AT_ENCODING 56

#define LEAF 0x0d
#define INNER 0x05
#define LEAF_HEADER 8
#define INNER_HEADER 12
#define INNER_CELL (2 + 4 + VARINT_MAX)
#define VARINT_MAX 8		/* of lengths and ids */
#define LEVELS 8		/* above the leaves: a page has 32 children at least */
#define HEAD_MAX 127		/* so that its length is one byte */
#define LOCK_AT (1u << 30)	/* the page with this byte is never used: locks are there */
#define BUFFER (256u << 10)

static_assert(1 + DN_DBPAGES_COLUMNS * 5 <= HEAD_MAX, "a type of a 32-bit length has 5 bytes");

struct child {
	int64_t last;		/* greatest id */
	uint32_t page;
};

struct level {
	struct child *child;
	unsigned n;
};

struct dn_dbtable {
	struct dn_dbpages *file;
	struct dn_dbtable *next;
	uint32_t root;
	int64_t rows;
	unsigned cells;		/* of the leaf */
	size_t top;		/* where its cells begin */
	uint8_t *leaf;
	struct level level[LEVELS];
	uint8_t *row;		/* being encoded */
	size_t cap;
};

struct dn_dbpages {
	int fd;
	size_t page, usable;
	unsigned fanout;	/* children a page has room for, whatever their ids */
	uint32_t lock_page;
	uint32_t next;		/* number of the next page */
	uint8_t *buf;		/* pages on their way to the file */
	size_t used, cap;
	uint64_t at;		/* place in the file of the first of them */
	struct dn_dbtable *table;
};

/* --- numbers ---------------------------------------------------------------- */

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p + 4, (uint32_t)v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	unsigned n = 1;

	if (v < 0x80) {
		*p = (uint8_t)v;
		return p + 1;
	}
	assert(!(v >> 56));	/* the ninth byte would have 8 */
	for (uint64_t u = v; u >>= 7;)
		n++;
	for (unsigned i = n; i-- > 0; v >>= 7)
		p[i] = (uint8_t)(i == n - 1 ? v & 0x7f : v | 0x80);
	return p + n;
}

/* --- the file --------------------------------------------------------------- */

static int write_at(int fd, const uint8_t *p, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
		at += (size_t)n;
	}
	return 0;
}

static int flush(struct dn_dbpages *f)
{
	int err = write_at(f->fd, f->buf, f->used, f->at);

	f->at += f->used;
	f->used = 0;
	return err;
}

/* Number of the next page; the one of the locks is passed over. */
static uint32_t upcoming(const struct dn_dbpages *f)
{
	return f->next + (f->next == f->lock_page);
}

/* The next page, zeroed, which upcoming() has numbered; valid until the next call. */
static int new_page(struct dn_dbpages *f, uint8_t **page)
{
	uint32_t number = upcoming(f);
	int err = 0;

	do {
		if (f->used == f->cap)
			err = flush(f);
		if (err)
			return err;
		*page = f->buf + f->used;
		memset(*page, 0, f->page);
		f->used += f->page;
	} while (f->next++ != number);
	return 0;
}

int dn_dbpages_open(const char *path, struct dn_dbpages **out)
{
	struct dn_dbpages *f = calloc(1, sizeof(*f));
	uint8_t h[HEADER];
	ssize_t n;
	int err = -ENOTSUP;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	f->fd = open(path, O_RDWR | O_CLOEXEC);
	if (f->fd < 0) {
		err = -errno;
		goto out;
	}
	n = pread(f->fd, h, sizeof(h), 0);
	if (n < 0) {
		err = -errno;
		goto out;
	}
	/* dn_db_open() makes them so */
	if (n != sizeof(h) || get32(h + AT_FORMAT) != 4 || get32(h + AT_VACUUM) ||
	    get32(h + AT_ENCODING) != 1)
		goto out;
	f->page = (size_t)h[AT_PAGE_SIZE] << 8 | h[AT_PAGE_SIZE + 1];
	if (f->page == 1)
		f->page = 65536;
	if (f->page < 512 || h[AT_RESERVED] > f->page - 480)
		goto out;
	f->usable = f->page - h[AT_RESERVED];
	f->fanout = (unsigned)((f->usable - INNER_HEADER) / INNER_CELL) + 1;
	f->lock_page = (uint32_t)(LOCK_AT / f->page) + 1;
	f->next = get32(h + AT_PAGES) + 1;
	f->at = (uint64_t)(f->next - 1) * f->page;
	f->cap = BUFFER;
	f->buf = malloc(f->cap);
	err = f->buf ? 0 : -ENOMEM;
out:
	if (err)
		dn_dbpages_abort(f);
	else
		*out = f;
	return err;
}

struct dn_dbtable *dn_dbpages_table(struct dn_dbpages *f, uint32_t root)
{
	struct dn_dbtable *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->file = f;
	t->next = f->table;
	f->table = t;
	t->root = root;
	t->top = f->usable;
	t->leaf = calloc(1, f->page);
	return t->leaf ? t : NULL;
}

/* --- the tree --------------------------------------------------------------- */

static void put_leaf_header(struct dn_dbtable *t)
{
	t->leaf[0] = LEAF;
	put16(t->leaf + 3, t->cells);
	put16(t->leaf + 5, t->top);
}

/* n children are n - 1 cells and the last one in the header. */
static void put_inner(const struct dn_dbpages *f, uint8_t *page, const struct child *c, unsigned n)
{
	size_t top = f->usable;

	for (unsigned i = 0; i < n - 1; i++) {
		uint8_t cell[4 + VARINT_MAX];
		size_t len;

		put32(cell, c[i].page);
		len = (size_t)(put_varint(cell + 4, (uint64_t)c[i].last) - cell);
		top -= len;
		memcpy(page + top, cell, len);
		put16(page + INNER_HEADER + 2 * i, top);
	}
	page[0] = INNER;
	put16(page + 3, n - 1);
	put16(page + 5, top);
	put32(page + 8, c[n - 1].page);
}

/*
 * A child for the level; a level that is full is written first but for its last
 * child, since a page above the leaves must have two at least.
 */
static int add_child(struct dn_dbtable *t, unsigned level, struct child c)
{
	struct dn_dbpages *f = t->file;
	struct level *l = &t->level[level];
	uint8_t *page;
	int err;

	assert(level < LEVELS);
	if (!l->child)
		l->child = malloc(f->fanout * sizeof(*l->child));
	if (!l->child)
		return -ENOMEM;
	if (l->n == f->fanout) {
		struct child full = { l->child[l->n - 2].last, upcoming(f) };

		err = new_page(f, &page);
		if (err)
			return err;
		put_inner(f, page, l->child, l->n - 1);
		l->child[0] = l->child[l->n - 1];
		l->n = 1;
		err = add_child(t, level + 1, full);
		if (err)
			return err;
	}
	l->child[l->n++] = c;
	return 0;
}

/* Writes the leaf and begins another; last is the greatest id in it. */
static int end_leaf(struct dn_dbtable *t, int64_t last)
{
	struct child c = { last, upcoming(t->file) };
	uint8_t *page;
	int err = new_page(t->file, &page);

	if (err)
		return err;
	put_leaf_header(t);
	memcpy(page, t->leaf, t->file->page);
	memset(t->leaf, 0, t->file->page);
	t->cells = 0;
	t->top = t->file->usable;
	return add_child(t, 0, c);
}

/* Writes the edge; what nothing is above becomes the root. */
static int end_table(struct dn_dbtable *t)
{
	struct dn_dbpages *f = t->file;
	uint8_t *root = t->leaf, *page;
	unsigned i = 0;
	int err = 0;

	if (!t->rows)
		return 0;	/* as SQLite left it */
	if (!t->level[0].n) {
		put_leaf_header(t);
	} else {
		err = end_leaf(t, t->rows);
		for (; !err && t->level[i + 1].n; i++) {
			struct level *l = &t->level[i];
			struct child c = { t->rows, upcoming(f) };

			err = new_page(f, &page);
			if (err)
				break;
			put_inner(f, page, l->child, l->n);
			err = add_child(t, i + 1, c);
		}
		if (!err)	/* end_leaf() has left it empty */
			put_inner(f, root, t->level[i].child, t->level[i].n);
	}
	return err ? err : write_at(f->fd, root, f->page, (uint64_t)(t->root - 1) * f->page);
}

/* --- rows ------------------------------------------------------------------- */

static int row_room(struct dn_dbtable *t, size_t len)
{
	uint8_t *p;

	if (len <= t->cap)
		return 0;
	p = realloc(t->row, len * 2);
	if (!p)
		return -ENOMEM;
	t->row = p;
	t->cap = len * 2;
	return 0;
}

/* Puts the least bytes that hold v at p, where 8 may be written; its type into *type. */
static uint8_t *put_int(uint8_t *p, int64_t v, uint8_t *type)
{
	static const uint8_t width[9] = { 0, 1, 2, 3, 4, 6, 6, 8, 8 };
	static const uint8_t of_width[9] = { 0, 1, 2, 3, 4, 0, 5, 0, 6 };
	uint64_t u = v < 0 ? ~(uint64_t)v : (uint64_t)v;
	unsigned bytes;

	if (v == 0 || v == 1) {
		*type = (uint8_t)(8 + v);
		return p;
	}
	bytes = width[(64 - (unsigned)__builtin_clzll(u | 1)) / 8 + 1];
	*type = of_width[bytes];
	put64(p, (uint64_t)v << (64 - 8 * bytes));
	return p + bytes;
}

/* The row as it will stand in the file: *row in t->row, *len bytes. */
static int encode(struct dn_dbtable *t, const struct dn_cell *cell, unsigned n,
		  const uint8_t **row, size_t *len)
{
	uint8_t head[HEAD_MAX], *h = head + 1, *p, *begin;
	size_t most = HEAD_MAX + 8 * (size_t)n;
	int err;

	for (unsigned i = 0; i < n; i++)
		if (cell[i].kind >= DN_CELL_TEXT)
			most += cell[i].len;
	err = row_room(t, most);
	if (err)
		return err;
	p = t->row + HEAD_MAX;
	for (unsigned i = 0; i < n; i++) {
		switch (cell[i].kind) {
		case DN_CELL_INT:
			p = put_int(p, cell[i].i, h++);
			break;
		case DN_CELL_TEXT:
		case DN_CELL_BLOB:
			h = put_varint(h, 12 + 2 * (uint64_t)cell[i].len +
						  (cell[i].kind == DN_CELL_TEXT));
			if (cell[i].len)
				memcpy(p, cell[i].p, cell[i].len);
			p += cell[i].len;
			break;
		default:
			*h++ = 0;
		}
	}
	head[0] = (uint8_t)(h - head);
	begin = t->row + HEAD_MAX - head[0];
	memcpy(begin, head, head[0]);
	*row = begin;
	*len = (size_t)(p - begin);
	return 0;
}

/* Bytes of a row of len that stay in its leaf. */
static size_t local(const struct dn_dbpages *f, size_t len)
{
	size_t least = (f->usable - 12) * 32 / 255 - 23;
	size_t k;

	if (len <= f->usable - 35)
		return len;
	k = least + (len - least) % (f->usable - 4);
	return k <= f->usable - 35 ? k : least;
}

/* The others, on pages of their own. */
static int put_overflow(struct dn_dbpages *f, const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = len < f->usable - 4 ? len : f->usable - 4;
		uint8_t *page;
		int err = new_page(f, &page);

		if (err)
			return err;
		if (n < len)
			put32(page, upcoming(f));
		memcpy(page + 4, p, n);
		p += n;
		len -= n;
	}
	return 0;
}

int dn_dbtable_row(struct dn_dbtable *t, const struct dn_cell *cell, unsigned n)
{
	struct dn_dbpages *f = t->file;
	uint8_t before[2 * VARINT_MAX], *p;
	const uint8_t *row;
	size_t lead, len, here, room;
	int err;

	assert(n <= DN_DBPAGES_COLUMNS);
	err = encode(t, cell, n, &row, &len);
	if (err)
		return err;
	p = put_varint(before, len);
	p = put_varint(p, (uint64_t)t->rows + 1);
	lead = (size_t)(p - before);
	here = local(f, len);
	room = lead + here + (here < len ? 4 : 0);
	if (LEAF_HEADER + 2 * (t->cells + 1) + room > t->top) {
		err = end_leaf(t, t->rows);
		if (err)
			return err;
	}
	t->rows++;
	t->top -= room;
	put16(t->leaf + LEAF_HEADER + 2 * t->cells++, t->top);
	p = t->leaf + t->top;
	memcpy(p, before, lead);
	memcpy(p + lead, row, here);
	if (here == len)
		return 0;
	put32(p + lead + here, upcoming(f));
	return put_overflow(f, row + here, len - here);
}

/* --- the end ---------------------------------------------------------------- */

int dn_dbpages_close(struct dn_dbpages *f)
{
	uint8_t pages[4];
	int err = 0;

	for (struct dn_dbtable *t = f->table; t && !err; t = t->next)
		err = end_table(t);
	if (!err)
		err = flush(f);
	put32(pages, f->next - 1);
	if (!err)
		err = write_at(f->fd, pages, sizeof(pages), AT_PAGES);
	dn_dbpages_abort(f);
	return err;
}

void dn_dbpages_abort(struct dn_dbpages *f)
{
	if (!f)
		return;
	while (f->table) {
		struct dn_dbtable *t = f->table;

		f->table = t->next;
		for (unsigned i = 0; i < LEVELS; i++)
			free(t->level[i].child);
		free(t->leaf);
		free(t->row);
		free(t);
	}
	if (f->fd >= 0)
		close(f->fd);
	free(f->buf);
	free(f);
}
