/*
 * human.h - numbers as people read them, the same in both programs.
 *
 * Three significant digits where a number is scaled, rounded half up; a value
 * that rounds to 1000 goes to the next unit (999950 is "1.0 M"). Integer
 * arithmetic only, so that the locale changes nothing.
 *
 * Each function writes a NUL-terminated text into the caller's buffer, cut at
 * cap, and returns the buffer, for use as an argument of printf. Any thread.
 */
#ifndef DN_COMMON_HUMAN_H
#define DN_COMMON_HUMAN_H

#include <stddef.h>
#include <stdint.h>

/* Longest result of any function below, with its NUL. */
#define DN_HUMAN_SIZE 32

/* A count in thousands: "999", "1.2 k", "12.3 M", "123 G". */
char *dn_human_count(char *buf, size_t cap, uint64_t n);

/* Bytes in powers of 1024: "999 B", "3.4 MiB", "123 GiB". */
char *dn_human_bytes(char *buf, size_t cap, uint64_t n);

/* A duration: "850 ns", "12.3 us", "1.23 s", "1 m 02 s", "3 h 05 m", "2 d 04 h". */
char *dn_human_ns(char *buf, size_t cap, uint64_t ns);

/* Events a second: "1.2 M/s"; "-" where ns is 0. */
char *dn_human_rate(char *buf, size_t cap, uint64_t events, uint64_t ns);

/* Share of part in whole: "12.3 %", below a tenth of a percent "<0.1 %",
 * "-" where whole is 0. */
char *dn_human_percent(char *buf, size_t cap, uint64_t part, uint64_t whole);

/* All digits, in groups: "1,234,567". */
char *dn_human_digits(char *buf, size_t cap, uint64_t n);

#endif
