/*
 * driver.c - a fuzz target without a fuzzer: runs it on the files of
 * tests/fuzz/corpus, or on those that are named. As a test it speaks TAP, a case
 * a file, and an input that takes too long is a failure.
 */
#include "fuzz.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_A_FILE 10	/* of CPU, under sanitizers too; it takes milliseconds */

static double run(const char *path)
{
	FILE *f = fopen(path, "rb");
	clock_t begin = clock();
	uint8_t *p = NULL;
	size_t len = 0, n;

	do {
		p = realloc(p, len + 65536);
		if (!f || !p) {
			printf("Bail out! cannot read %s: %s\n", path, strerror(errno));
			exit(1);
		}
		n = fread(p + len, 1, 65536, f);
		len += n;
	} while (n);
	fclose(f);
	LLVMFuzzerTestOneInput(p, len);
	free(p);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("DN_SRCDIR");
	char **file = argv + 1, pattern[4096];
	size_t n = (size_t)argc - 1;
	glob_t g = { 0 };
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);	/* after a crash, the file before it is known */
	if (!n) {
		snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/corpus/*.%s", dir ? dir : ".", fuzz_inputs);
		if (glob(pattern, 0, NULL, &g)) {
			printf("Bail out! there is no corpus at %s\n", pattern);
			return 1;
		}
		file = g.gl_pathv;
		n = g.gl_pathc;
	}
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(file[i], '/'), *name = slash ? slash + 1 : file[i];
		double s = run(file[i]);
		int slow = s > SECONDS_A_FILE;

		printf("%sok %zu - %s\n", slow ? "not " : "", i + 1, name);
		if (slow)
			printf("# it took %.1f s\n", s);
		failed += slow;
	}
	globfree(&g);
	return failed != 0;
}
