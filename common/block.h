/*
 * block.h - file header and block headers of a .dnt, both directions.
 *
 * The bytes are laid down in dnt(5). A file is a file header and a chain of
 * blocks; a block is a block header and its stored payload (one zstd frame,
 * or the raw bytes). The checksum of a block (XXH64) runs over its header with
 * the checksum field zero and the stored payload, so that a swapped header is
 * seen as well as a damaged payload.
 *
 * Pure functions over memory of the caller; any thread.
 */
#ifndef DN_COMMON_BLOCK_H
#define DN_COMMON_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_FORMAT_MAJOR 3	/* a reader refuses a later one by name, and reads all before */
#define DN_FORMAT_MINOR 0	/* additions that an older reader may skip */

#define DN_FILE_HEADER_LEN 128
#define DN_BLOCK_HEADER_LEN 104
#define DN_MAGIC_LEN 8
#define DN_UUID_LEN 16

extern const uint8_t dn_file_magic[DN_MAGIC_LEN];
extern const uint8_t dn_block_magic[DN_MAGIC_LEN];

struct dn_file_header {
	uint16_t major, minor;
	uint8_t uuid[DN_UUID_LEN];
	uint8_t boot_id[DN_UUID_LEN];
	uint8_t native_abi;	/* enum dn_abi of the host */
	uint8_t word_bits;	/* 64 or 32 */
	uint8_t big_endian;	/* of the host; the file is little-endian always */
	uint64_t boot_ns;	/* boot clock when the recording began */
	uint64_t wall_ns;	/* wall clock at the same moment, ns since 1970 UTC */
};

enum dn_block_kind {
	DN_BLOCK_SCHEMA = 1,	/* event kinds and fields of the writer */
	DN_BLOCK_EVENTS = 2,
	DN_BLOCK_KEYFRAME = 3,	/* the same layout as EVENTS: state to start reading from */
	DN_BLOCK_FOOTER = 4,	/* index of the blocks, at a clean close */
};

enum dn_block_flag {
	DN_BLOCK_ZSTD = 1 << 0,	/* payload is one zstd frame, else stored as it is */
};

struct dn_block_header {
	uint8_t kind;		/* enum dn_block_kind */
	uint8_t flags;		/* enum dn_block_flag */
	uint8_t uuid[DN_UUID_LEN];
	uint64_t seq;		/* 0, 1, 2 ... in the file */
	uint64_t first_end;	/* END time of its first and last event in time */
	uint64_t last_end;
	uint64_t least_start;	/* least START time; all three 0 in a block without times */
	uint32_t rows;		/* events of all kinds */
	uint32_t raw_len;	/* payload before compression */
	uint32_t stored_len;	/* payload on disk */
	uint64_t checksum;
};

/* Writes DN_FILE_HEADER_LEN bytes, its checksum included. */
void dn_file_header_put(uint8_t *p, const struct dn_file_header *h);

/* Reads a file header. 0, -EBADMSG (not a trace), -EILSEQ (a trace with a
 * damaged header; what could be read stands in h), -EPROTONOSUPPORT (a
 * later major version, in h->major, or none). */
int dn_file_header_get(const uint8_t *p, size_t len, struct dn_file_header *h);

/* Writes DN_BLOCK_HEADER_LEN bytes and sets h->checksum over them and payload. */
void dn_block_header_put(uint8_t *p, struct dn_block_header *h, const void *payload);

/* Reads and bounds-checks a header (magic, kind, lengths against format_limits.h).
 * 0, or -EBADMSG where it is none. The checksum is not verified. */
int dn_block_header_get(const uint8_t *p, size_t len, struct dn_block_header *h);

/* True if the checksum of header bytes p and payload holds. */
bool dn_block_verify(const uint8_t *p, const struct dn_block_header *h, const void *payload);

/*
 * The footer's payload: the file header once more, totals, and an index.
 * One entry a block before it, and its rows by event kind.
 */
struct dn_index_entry {
	uint64_t offset;	/* of the block header in the file */
	uint8_t kind;
	uint32_t rows;
	uint64_t first_end, last_end, least_start;
};

struct dn_footer {
	struct dn_file_header file;
	uint32_t nblocks;
	struct dn_index_entry *block;	/* owned by whoever filled it: free() */
	uint32_t *kind_rows;		/* nblocks x DN_INDEX_KINDS rows by event id, same ownership */
};

#define DN_INDEX_KINDS 32	/* event ids 0..31 have a count in the index */

/* Bytes of a footer payload: allocated, *len set. NULL with errno. */
uint8_t *dn_footer_put(const struct dn_footer *f, size_t *len);
int dn_footer_get(const void *p, size_t len, struct dn_footer *f);
void dn_footer_free(struct dn_footer *f);

#endif
