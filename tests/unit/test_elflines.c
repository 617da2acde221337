/*
 * Lines of places in ELF files: what addr2line says of every byte of functions that are compiled
 * here, in the ways in which debug information is written.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "elflines.h"
#include "scratch.h"

static const char source[] =
	"#include <stdio.h>\n"
	"\n"
	"static inline __attribute__((always_inline)) int inner(int x)\n"
	"{\n"
	"	return x * 3 +\n"
	"		puts(\"a\");\n"
	"}\n"
	"__attribute__((noinline)) int outer(int x)\n"
	"{\n"
	"	int y = inner(x);\n"
	"\n"
	"	for (int i = 0; i < x; i++)\n"
	"		y += inner(i);\n"
	"	return y;\n"
	"}\n"
	"#include \"other.h\"\n"
	"int main(int c, char **v)\n"
	"{\n"
	"	return outer(c) + other(v[0][0]);\n"
	"}\n";
/* Its lines are those of no other file: from 51 on. */
#define TEN "\n\n\n\n\n\n\n\n\n\n"
static const char header[] = TEN TEN TEN TEN TEN
	"__attribute__((noinline)) static int other(int x)\n{\n\treturn x % 7 + puts(\"b\");\n}\n";
static const char unused[] = "int thrown_away(int x)\n{\n\tfor (int i = 0; i < 100; i++)\n\t\tx *= x + i;\n\treturn x;\n}\n";

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static bool works(const char *cmd)
{
	char quiet[600];

	snprintf(quiet, sizeof(quiet), "{ %s; } >log 2>&1", cmd);
	return !system(quiet);
}

static void need(const char *cmd)
{
#ifndef HAVE_LIBELF
	skip();
#endif
	if (!dn_lines_built()) {
		print_message("skipped: built without libdw\n");
		skip();
	}
	if (!works(cmd)) {
		print_message("skipped: not here: %s\n", cmd);
		skip();
	}
}

/* NULL with errno, as dn_lines_open. */
static struct dn_lines *open_lines(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct dn_lines *l;

	assert_true(fd >= 0);
	l = dn_lines_open(fd);
	err = errno;
	close(fd);
	errno = err;
	return l;
}

/*
 * Each byte of the functions of file, by the lines of lines and by addr2line. How many there were.
 * Of version 5 addr2line (binutils 2.40) says the wrong file where a header has its own; which it is, the number tells.
 */
static int compare(const char *file, const char *lines, bool files)
{
	struct dn_lines *l = open_lines(lines);
	char want[1000], have[1000], name[1000], cmd[600];
	struct dn_line line;
	uint64_t addr;
	int n = 0;
	FILE *f;

	if (!l)
		fail_msg("%s: %s", lines, strerror(errno));
	snprintf(cmd, sizeof(cmd),
		 "nm -S %s | awk '$4 ~ /^(main|outer|other)$/ { print $1, $2 }' | while read -r at size; do"
		 " i=0; while [ $i -lt $((0x$size)) ]; do printf '%%x\\n' $((0x$at + i)); i=$((i + 1)); done; done >places;"
		 " addr2line -a -e %s <places", file, file);
	f = popen(cmd, "r");
	while (fgets(want, sizeof(want), f)) {
		assert_int_equal(sscanf(want, "0x%" SCNx64, &addr), 1);
		assert_non_null(fgets(want, sizeof(want), f));
		want[strcspn(want, " \n")] = 0;	/* (discriminator 1) */
		strcpy(have, "??:?");
		if (dn_lines_find(l, addr, &line)) {
			snprintf(have, sizeof(have), "%s:%u", line.file, line.line);
			snprintf(name, sizeof(name), "%s/%s", scratch, line.line > 50 ? "other.h" : "source.c");
			assert_string_equal(line.file, name);
		}
		if (!files && strrchr(want, ':')) {
			memmove(have, strrchr(have, ':'), strlen(strrchr(have, ':')) + 1);
			memmove(want, strrchr(want, ':'), strlen(strrchr(want, ':')) + 1);
		}
		/* Where a line is 0 in the table, addr2line says the file and "?". */
		if (strcmp(have, want) && !(strstr(want, ":?") && strstr(have, ":?")))
			fail_msg("%s, %" PRIx64 ": %s, addr2line says %s", lines, addr, have, want);
		n++;
	}
	pclose(f);
	assert_false(dn_lines_find(l, UINT64_MAX, &line));
	dn_lines_free(l);
	return n;
}

static void compilers(void **state)
{
	static const char *const ways[] = {
		"cc -g -O0", "cc -g -O2", "cc -gdwarf-4 -O2", "cc -gdwarf-5 -O2 -gz", "cc -gdwarf-3 -O1",
		"cc -g -O2 -static", "cc -g -O2 -no-pie -fno-pie", "cc -g -O2 -ffunction-sections -Wl,--gc-sections",
		"clang -g -O2", "clang -g -O0 -gdwarf-4 -fuse-ld=lld",
		"clang -g -O2 -ffunction-sections -Wl,--gc-sections -fuse-ld=lld",
	};
	char cmd[300];

	(void)state;
	need("cc --version && nm --version && addr2line --version");
	put("source.c", source);
	put("other.h", header);
	put("unused.c", unused);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		snprintf(cmd, sizeof(cmd), "%s -o p \"$PWD\"/unused.c \"$PWD\"/source.c", ways[i]);
		if (!works(cmd)) {
			print_message("left out: %s\n", ways[i]);
			continue;
		}
		if (compare("p", "p", strstr(ways[i], "dwarf-3") || strstr(ways[i], "dwarf-4")) < 60)
			fail_msg("%s: too few places", ways[i]);
	}
}

static void separate(void **state)
{
	struct dn_lines *l;

	(void)state;
	need("cc --version && nm --version && addr2line --version && objcopy --version");
	put("source.c", source);
	put("other.h", header);
	assert_true(works("cc -g -O2 -o p \"$PWD\"/source.c && objcopy --only-keep-debug p p.debug && strip -o bare p"));
	assert_true(compare("p", "p.debug", false) > 60);
	/* Split: lines are in the program, and the other file is not asked for them. */
	if (works("cc -g -gsplit-dwarf -O2 -o split \"$PWD\"/source.c && rm -f ./*.dwo"))
		assert_true(compare("p", "split", false) > 60);
	l = open_lines("bare");
	assert_null(l);
	assert_int_equal(errno, ENODATA);
	assert_null(dn_lines_open(-1));
	assert_int_equal(errno, EBADF);
}

/* What would have libdw open another file, or unpack without end. */
static void refused(void **state)
{
	struct dn_lines *l;

	(void)state;
	need("cc --version && objcopy --version");
	put("source.c", source);
	put("other.h", header);
	put("link", "/etc/passwd");
	assert_true(works("printf '\\0aaaaaaaaaaaaaaaaaaaa' >>link && cc -g -o p source.c &&"
			  " objcopy --add-section .gnu_debugaltlink=link p shared"));
	l = open_lines("shared");
	assert_null(l);
	assert_int_equal(errno, ENOTSUP);
	if (works("objcopy --compress-debug-sections=zlib-gnu p old && readelf -SW old | grep zdebug")) {
		l = open_lines("old");
		assert_null(l);
		assert_int_equal(errno, ENOTSUP);
	}
	/* A compressed section whose header promises 2 GiB. */
	assert_true(works("cc -g -gz -o packed source.c && at=$(readelf -SW packed | awk '{ sub(/\\[ */, \"[\") }"
			  " $2 == \".debug_info\" { print $5 }') && printf '\\0\\0\\0\\200' |"
			  " dd of=packed bs=1 seek=$((0x$at + 8)) conv=notrunc"));
	l = open_lines("packed");
	assert_null(l);
	assert_int_equal(errno, E2BIG);
	put("text", "no ELF");
	l = open_lines("text");
	assert_null(l);
	assert_int_equal(errno, ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(compilers, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(separate, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refused, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
