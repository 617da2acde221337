/*
 * mktrace.c - traces for tests.
 */
#include "mktrace.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "block.h"
#include "encode.h"
#include "events.h"
#include "syscalls.h"

struct mktrace {
	struct dn_encoder *enc;
	struct dn_file_header file;
	uint8_t *out, *raw;
	size_t len, cap, raw_cap;
	struct dn_index_entry *index;
	uint32_t *kind_rows;
	uint32_t nblocks;
	uint64_t seq;
};

static void append(struct mktrace *m, const void *p, size_t n)
{
	if (m->len + n > m->cap) {
		m->cap = 2 * m->cap + n + 4096;
		m->out = realloc(m->out, m->cap);
		assert(m->out);
	}
	memcpy(m->out + m->len, p, n);
	m->len += n;
}

static void add_block(struct mktrace *m, unsigned kind, const void *payload, size_t len,
		      const struct dn_block_info *info)
{
	struct dn_block_header h = { .kind = (uint8_t)kind, .flags = DN_BLOCK_ZSTD, .seq = m->seq++,
				     .raw_len = (uint32_t)len };
	uint8_t head[DN_BLOCK_HEADER_LEN];
	size_t cap = ZSTD_compressBound(len), n;
	void *z = malloc(cap);

	assert(z);
	n = ZSTD_compress(z, cap, payload, len, 1);
	assert(!ZSTD_isError(n));
	h.stored_len = (uint32_t)n;
	memcpy(h.uuid, m->file.uuid, DN_UUID_LEN);
	if (info) {
		h.rows = info->rows;
		h.first_end = info->first_end;
		h.last_end = info->last_end;
		h.least_start = info->least_start;
	}
	dn_block_header_put(head, &h, z);
	if (kind != DN_BLOCK_FOOTER) {
		m->index = realloc(m->index, (m->nblocks + 1) * sizeof(*m->index));
		m->kind_rows = realloc(m->kind_rows, (m->nblocks + 1) * DN_INDEX_KINDS *
					sizeof(*m->kind_rows));
		assert(m->index && m->kind_rows);
		m->index[m->nblocks] = (struct dn_index_entry){
			.offset = m->len, .kind = h.kind, .rows = h.rows, .first_end = h.first_end,
			.last_end = h.last_end, .least_start = h.least_start };
		memset(m->kind_rows + m->nblocks * DN_INDEX_KINDS, 0, DN_INDEX_KINDS * 4);
		if (info)
			memcpy(m->kind_rows + m->nblocks * DN_INDEX_KINDS, info->kind_rows,
			       DN_INDEX_KINDS * 4);
		m->nblocks++;
	}
	append(m, head, sizeof(head));
	append(m, z, n);
	free(z);
}

void mk_temp(char path[MK_PATH])
{
	const char *dir = getenv("TMPDIR");
	int n = snprintf(path, MK_PATH, "%s/denet-test-XXXXXX", dir ? dir : "/tmp"), fd;

	assert(n < MK_PATH);
	fd = mkstemp(path);
	assert(fd >= 0);
	close(fd);
	(void)n;
}

struct mktrace *mk_new(void)
{
	struct mktrace *m = calloc(1, sizeof(*m));
	uint8_t head[DN_FILE_HEADER_LEN];
	uint8_t *schema;
	size_t len;

	assert(m);
	m->enc = dn_encoder_new();
	assert(m->enc);
	m->file = (struct dn_file_header){ .major = DN_FORMAT_MAJOR, .minor = DN_FORMAT_MINOR,
					   .native_abi = DN_ABI_X86_64, .word_bits = 64,
					   .boot_ns = MK_ORIGIN, .wall_ns = MK_WALL };
	for (int i = 0; i < DN_UUID_LEN; i++) {
		m->file.uuid[i] = (uint8_t)(i + 1);
		m->file.boot_id[i] = (uint8_t)(i + 101);
	}
	dn_file_header_put(head, &m->file);
	append(m, head, sizeof(head));
	schema = dn_schema_put(&len);
	assert(schema);
	add_block(m, DN_BLOCK_SCHEMA, schema, len, NULL);
	free(schema);
	return m;
}

void mk_block(struct mktrace *m)
{
	struct dn_block_info info;
	long n = dn_encoder_take(m->enc, &m->raw, &m->raw_cap, &info);

	assert(n >= 0);
	if (n)
		add_block(m, DN_BLOCK_EVENTS, m->raw, (size_t)n, &info);
}

void mk_payload(struct mktrace *m, const void *payload, size_t len, uint64_t first,
		uint64_t last)
{
	struct dn_block_info info = { .rows = 1, .first_end = MK_ORIGIN + first,
				      .last_end = MK_ORIGIN + last,
				      .least_start = MK_ORIGIN + first };

	mk_block(m);
	add_block(m, DN_BLOCK_EVENTS, payload, len, &info);
}

void mk_call(struct mktrace *m, const struct dn_syscall *s)
{
	int err = dn_encoder_call(m->enc, s);

	if (err == -ENOSPC) {
		mk_block(m);
		err = dn_encoder_call(m->enc, s);
	}
	assert(!err);
}

void mk_row(struct mktrace *m, unsigned event, const struct dn_value *v)
{
	struct dn_row r = { .event = (uint16_t)event, .nfields = dn_event_desc(event)->nfields,
			    .v = v };
	int err = dn_encoder_row(m->enc, &r);

	if (err == -ENOSPC) {
		mk_block(m);
		err = dn_encoder_row(m->enc, &r);
	}
	assert(!err);
}

void mk_write(struct mktrace *m, const char *path, bool footer)
{
	FILE *f;
	int err;

	mk_block(m);
	if (footer) {
		struct dn_footer ft = { .file = m->file, .nblocks = m->nblocks, .block = m->index,
					.kind_rows = m->kind_rows };
		size_t len;
		uint8_t *p = dn_footer_put(&ft, &len);

		assert(p);
		add_block(m, DN_BLOCK_FOOTER, p, len, NULL);
		free(p);
	}
	f = fopen(path, "wb");
	assert(f);
	err = fwrite(m->out, 1, m->len, f) != m->len;
	assert(!err);
	err = fclose(f);
	assert(!err);
	(void)err;
	dn_encoder_free(m->enc);
	free(m->out);
	free(m->raw);
	free(m->index);
	free(m->kind_rows);
	free(m);
}

struct dn_syscall mk_sys(uint32_t thread, uint32_t seq, const char *name, uint64_t start,
			 uint64_t dur, int64_t ret, unsigned nargs, const uint64_t *args)
{
	int nr = dn_syscall_nr(DN_ABI_X86_64, name);
	struct dn_syscall s = { .thread = thread, .seq = seq, .abi = DN_ABI_X86_64,
				.nargs = (uint8_t)nargs, .start = MK_ORIGIN + start, .dur = dur,
				.ret = ret, .cpu = (uint16_t)(thread % 4) };

	assert(nr >= 0);
	s.nr = (uint32_t)nr;
	for (unsigned i = 0; i < nargs; i++)
		s.args[i] = args[i];
	return s;
}

void mk_str(struct dn_syscall *s, unsigned arg, unsigned kind, const char *p, size_t len)
{
	assert(s->nstr < DN_CALL_STRS);
	s->str[s->nstr++] = (struct dn_call_str){ .arg = (uint8_t)arg, .kind = (uint8_t)kind,
						  .len = (uint32_t)len, .true_len = (uint32_t)len,
						  .p = p };
}

void mk_thread(struct mktrace *m, uint32_t thread, uint32_t process, uint64_t time,
	       const char *comm)
{
	struct dn_value v[DN_F_thread_start_N];

	for (unsigned i = 0; i < DN_F_thread_start_N; i++)
		v[i] = dn_null();
	v[DN_F_thread_start_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_thread_start_thread] = dn_u(thread);
	v[DN_F_thread_start_process] = dn_u(process);
	v[DN_F_thread_start_tid] = dn_u(1000 + thread);
	v[DN_F_thread_start_pid] = dn_u(1000 + process);
	v[DN_F_thread_start_ppid] = dn_u(1);
	v[DN_F_thread_start_origin] = dn_u(thread != process ? DN_ORIGIN_THREAD : DN_ORIGIN_TARGET);
	v[DN_F_thread_start_comm] = dn_str(comm, strlen(comm));
	mk_row(m, DN_EV_thread_start, v);
}

void mk_exit(struct mktrace *m, uint32_t thread, uint32_t process, uint64_t time, int status,
	     bool group_dead)
{
	struct dn_value v[DN_F_thread_exit_N];

	for (unsigned i = 0; i < DN_F_thread_exit_N; i++)
		v[i] = dn_null();
	v[DN_F_thread_exit_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_thread_exit_thread] = dn_u(thread);
	v[DN_F_thread_exit_process] = dn_u(process);
	v[DN_F_thread_exit_exit_code] = dn_u((uint64_t)status);
	v[DN_F_thread_exit_group_dead] = dn_u(group_dead);
	mk_row(m, DN_EV_thread_exit, v);
}
