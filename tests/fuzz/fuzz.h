/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is a program with one function, LLVMFuzzerTestOneInput(). libFuzzer
 * calls it with inputs of its own making (./configure --enable-fuzzers, make
 * fuzz); driver.c calls it with the files of corpus/, on any compiler.
 */
#ifndef DN_TESTS_FUZZ_H
#define DN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The suffix of the files in corpus/ that the driver runs the target on. */
extern const char fuzz_inputs[];

/*
 * An input is a trace. Hardly any mutation of one keeps its checksums, and what is
 * behind them would never be reached. So this makes a malloc()ed copy of the
 * input in which they hold, and in which a block without compression reaches to the
 * next block or the end. A block whose checksum is 0 stays as it is: that is how an
 * input has a damaged one.
 */
uint8_t *fuzz_repair(const uint8_t *data, size_t len);

#endif
