/*
 * json.h - writing JSON to a stream, in order, on one line.
 *
 * Values are written where they are said; the writer puts the commas. Nothing
 * is checked but nesting (an assert). One thread at a time.
 *
 * Strings: control characters, DEL, U+2028, U+2029 and "<" are escaped, so that
 * a document may stand inside HTML; each byte that is no UTF-8 becomes U+FFFD.
 * Integers are written with all their digits, also beyond 2^53.
 */
#ifndef DN_COMMON_JSON_H
#define DN_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DN_JSON_DEPTH 16

struct dn_json {
	FILE *out;
	unsigned depth;
	bool keyed;		/* a key stands there and waits for its value */
	char close[DN_JSON_DEPTH];
	bool any[DN_JSON_DEPTH];	/* something stands in it */
};

/* Begins an object or an array, under key in an object (else NULL). */
void dn_json_object(struct dn_json *j, const char *key);
void dn_json_array(struct dn_json *j, const char *key);
void dn_json_end(struct dn_json *j);

void dn_json_null(struct dn_json *j, const char *key);
void dn_json_bool(struct dn_json *j, const char *key, bool v);
void dn_json_int(struct dn_json *j, const char *key, int64_t v);
/* null where v is not finite: JSON has no word for it. */
void dn_json_real(struct dn_json *j, const char *key, double v);
void dn_json_str(struct dn_json *j, const char *key, const char *p, size_t len);

/* A key that is not ours, before one of the above with NULL as key. */
void dn_json_key(struct dn_json *j, const char *p, size_t len);

#endif
