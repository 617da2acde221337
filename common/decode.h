/*
 * decode.h - the payload of one block to records. Twin: encode.h.
 *
 * Input is untrusted: every count, index and length is checked against the
 * bytes at hand and format_limits.h before it is used. No state is kept between
 * blocks: any number of threads may decode with a decoder each.
 */
#ifndef DN_COMMON_DECODE_H
#define DN_COMMON_DECODE_H

#include "record.h"

struct dn_decoder;

struct dn_decoder *dn_decoder_new(void);	/* NULL with errno; scratch memory is reused */
void dn_decoder_free(struct dn_decoder *d);

/* Which records the caller wants; others are skipped without decoding. Bit i:
 * event id i (DN_EV_syscall is 1). Default: all. */
void dn_decoder_want(struct dn_decoder *d, uint64_t events);

/*
 * Hands every record of a payload to the sink: first all rows of the other
 * events in id order, then the system calls, each kind in the order in which
 * it was added. Records of unknown kinds are skipped and counted in *skipped
 * (may be NULL). Strings live until the next call with this decoder or the
 * end of payload's life, whichever is first. The sink is called dn_rows_max()
 * times at most (columns.h), and other work is linear in len.
 * 0, -EBADMSG (damaged; what came before it has been handed on), -ENOMEM, or
 * what the sink returned.
 */
int dn_decode(struct dn_decoder *d, const void *payload, size_t len,
	      const struct dn_sink *sink, uint64_t *skipped);

#endif
