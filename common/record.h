/*
 * record.h - the records of a trace in memory, on both sides of the file.
 *
 * Plain values without ownership: whoever hands a record on owns the bytes
 * that its pointers name, and they live until the call returns.
 */
#ifndef DN_COMMON_RECORD_H
#define DN_COMMON_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "enums.h"

#define DN_CALL_ARGS 6
#define DN_CALL_STRS 4

/* A string of a call: bytes, not text; see enum dn_str_kind. */
struct dn_call_str {
	uint8_t arg;		/* index of the argument it belongs to */
	uint8_t kind;		/* enum dn_str_kind */
	uint8_t flags;		/* enum dn_str_flag */
	uint32_t len;		/* bytes at p */
	uint32_t true_len;	/* bytes there were; > len where cut, as far as known */
	const char *p;
};

struct dn_syscall {
	uint32_t thread;	/* trace-wide thread id */
	uint32_t seq;		/* place in its thread */
	uint16_t cpu;
	uint8_t abi;		/* enum dn_abi */
	uint8_t nargs;		/* arguments that count in args[] */
	uint8_t nstr;
	uint32_t nr;
	uint32_t flags;		/* enum dn_syscall_flag */
	uint64_t start;		/* ns, boot clock; unknown with DN_CALL_NO_ENTER: the time of the return */
	uint64_t dur;		/* ns; meaningless with DN_CALL_UNFINISHED or DN_CALL_NO_ENTER */
	int64_t ret;		/* meaningless with DN_CALL_UNFINISHED */
	uint64_t args[DN_CALL_ARGS];
	struct dn_call_str str[DN_CALL_STRS];
};

/* One field of any other event. */
struct dn_value {
	uint64_t u;		/* TIME, INT, RAW; two's complement */
	const char *p;		/* STR */
	uint32_t len;		/* bytes at p */
	bool null;
};

static inline struct dn_value dn_u(uint64_t u)
{
	return (struct dn_value){ .u = u };
}

static inline struct dn_value dn_str(const char *p, size_t len)
{
	return (struct dn_value){ .p = p, .len = (uint32_t)len, .null = !p };
}

static inline struct dn_value dn_null(void)
{
	return (struct dn_value){ .null = true };
}

/* One event of a kind in events.def, fields in the table's order. */
struct dn_row {
	uint16_t event;		/* enum dn_event */
	uint16_t nfields;	/* values at v; a trace of another version may have fewer */
	const struct dn_value *v;
};

/*
 * Where records go: the next stage, handed to each stage as functions and a
 * context. Both return 0, or a negative errno that stops the stage before.
 */
struct dn_sink {
	int (*call)(void *ctx, const struct dn_syscall *s);
	int (*row)(void *ctx, const struct dn_row *r);
	void *ctx;
};

#endif
