/*
 * test_symfs.c - analyzer/symfs.h: which file below which directory answers for an object. The
 * functions it names are those of nm, the lines those of addr2line.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "symfs.h"

#define ID "0123456789abcdef0123456789abcdef01234567"

static const char source[] =
	"static volatile int sink;\n"
	"__attribute__((noinline)) static int hidden(int x)\n"
	"{\n"
	"	sink = x;\n"
	"	return x + sink;\n"
	"}\n"
	"int main(int c, char **v)\n"
	"{\n"
	"	(void)v;\n"
	"	return hidden(c) + hidden(c + 1);\n"
	"}\n";

static uint64_t hidden;		/* where it is, by nm and readelf */
static char with_line[300];	/* its name and the line there, by addr2line */

static void run(const char *cmd)
{
	if (system(cmd))
		fail_msg("%s", cmd);
}

/* full, stripped (without any name of its own) and debug (what objcopy leaves), and another program of other functions. */
static int make_files(void **state)
{
	unsigned long addr, off, va, size;
	char cmd[100], place[200];
	FILE *f;

	if (scratch_setup(state) || !dn_elfsyms_built() ||
	    system("{ cc --version && objcopy --version && strip --version && nm --version && readelf --version && addr2line --version; }"
		   " >log 2>&1"))
		return 0;
	f = fopen("p.c", "w");
	fputs(source, f);
	fclose(f);
	run("cc -g -O1 -fno-PIE -no-pie -Wl,--build-id=0x" ID " -o full \"$PWD\"/p.c");
	run("sed 's/hidden/other/g' p.c >q.c; cc -g -O1 -fno-PIE -no-pie -o another q.c");
	run("strip -o stripped full; objcopy --only-keep-debug full debug; strip -g -o nodebug full");
	f = popen("nm full | awk '$3 == \"hidden\" { print $1 }'; readelf -lW full | awk '$1 == \"LOAD\" && / E / "
		  "{ print $2, $3, $5 }'", "r");
	if (fscanf(f, "%lx %lx %lx %lx", &addr, &off, &va, &size) != 4 || addr - va >= size)
		return 1;
	pclose(f);
	hidden = addr - va + off;
	snprintf(cmd, sizeof(cmd), "addr2line -s -e full %lx", addr);
	f = popen(cmd, "r");
	if (!fgets(place, sizeof(place), f) || strncmp(place, "p.c:", 4))
		return 1;
	pclose(f);
	place[strcspn(place, " \n")] = 0;
	snprintf(with_line, sizeof(with_line), "hidden %s", place);
	return 0;
}

static void need(void)
{
	if (!hidden) {
		print_message("skipped: no libelf, or no compiler\n");
		skip();
	}
}

/*
 * An object of path and id, below "a" and "b", after the command: the name that stands where hidden is,
 * and its line; or the error.
 */
static const char *ask(const char *cmd, const char *path, const char *hex, bool lines)
{
	static const char *const dir[] = { "a", "b" };
	static char answer[300];
	struct dn_symfs_file *f;
	struct dn_build_id id;
	struct dn_symfs *s;
	struct dn_elfsym sym;
	struct dn_line line;
	const char *bad;

	run("rm -rf a b; mkdir -p a b a/usr/bin a/.build-id/01 a/usr/lib/debug/.build-id/01 b/.build-id/01 b/usr/bin");
	run(cmd);
	dn_build_id_parse(hex, strlen(hex), &id);
	assert_int_equal(dn_symfs_open(dir, 2, &s, &bad), 0);
	f = dn_symfs_find(s, path, &id, lines);
	if (!f) {
		snprintf(answer, sizeof(answer), "%s", errno == ENOENT ? "ENOENT" : errno == ENODATA ? "ENODATA" : "?");
		dn_symfs_close(s);
		return answer;
	}
	snprintf(answer, sizeof(answer), "%s", dn_symfs_function(f, hidden, &sym) ? sym.name : "none");
	if (dn_symfs_line(f, hidden, &line))
		snprintf(answer + strlen(answer), sizeof(answer) - strlen(answer), " %s:%u",
			 strrchr(line.file, '/') + 1, line.line);
	assert_false(dn_symfs_function(f, UINT64_MAX, &sym));
	assert_false(dn_symfs_line(f, 0, &line));
	dn_symfs_file_close(f);
	dn_symfs_close(s);
	return answer;
}

#define DEBUG "/.build-id/01/23456789abcdef0123456789abcdef01234567.debug"

static void places(void **unused)
{
	static const struct { const char *cmd, *path, *want; } table[] = {
		{ "true", "/usr/bin/p", "ENOENT" },
		{ "cp full a/usr/bin/p", "/usr/bin/p", "hidden" },
		{ "cp full b/usr/bin/p", "/usr/bin/p", "hidden" },
		{ "cp another a/usr/bin/p", "/usr/bin/p", "ENOENT" },
		{ "cp another a/usr/bin/p; cp full b/usr/bin/p", "/usr/bin/p", "hidden" },
		{ "echo >a/usr/bin/p; cp full b/usr/bin/p", "/usr/bin/p", "hidden" },
		{ "cp full a/usr/bin/p", "usr/bin/p", "ENOENT" },
		{ "cp full a/usr/bin/p", "", "ENOENT" },
		{ "cp stripped a/usr/bin/p", "/usr/bin/p", "none" },
		/* The build-id folders, with the program or without. */
		{ "cp stripped a/usr/bin/p; cp debug a" DEBUG, "/usr/bin/p", "hidden" },
		{ "cp stripped a/usr/bin/p; cp debug a/usr/lib/debug" DEBUG, "/usr/bin/p", "hidden" },
		{ "cp stripped a/usr/bin/p; cp debug b" DEBUG, "/usr/bin/p", "hidden" },
		{ "cp stripped b/usr/bin/p; cp debug a" DEBUG, "/usr/bin/p", "hidden" },
		{ "cp stripped a/usr/bin/p; cp another a" DEBUG, "/usr/bin/p", "none" },
		{ "cp stripped a/usr/bin/p; cp another a" DEBUG "; cp debug b" DEBUG, "/usr/bin/p", "hidden" },
		{ "cp full a" DEBUG, "/deleted", "hidden" },
		{ "cp full b" DEBUG, "not a path", "hidden" },
		{ "cp debug a" DEBUG "; cp full b" DEBUG, "/deleted", "hidden" },
		{ "cp debug a" DEBUG "; cp stripped b" DEBUG, "/deleted", "hidden" },
		{ "cp debug a" DEBUG, "/deleted", "ENOENT" },
		{ "cp debug a/usr/bin/p", "/usr/bin/p", "ENOENT" },
		{ "ln -s ../../usr/bin/p a" DEBUG "; cp full a/usr/bin/p", "/deleted", "hidden" },
		/* Out of them. */
		{ "true", "/../full", "ENOENT" },
		{ "true", "/usr/../../full", "ENOENT" },
		{ "ln -s ../../../full a/usr/bin/p", "/usr/bin/p", "ENOENT" },
		{ "ln -s \"$PWD\"/full a/usr/bin/p", "/usr/bin/p", "ENOENT" },
		{ "ln -s \"$PWD\" a/out", "/out/full", "ENOENT" },
		{ "ln -s ../../../full a" DEBUG, "/deleted", "ENOENT" },
		{ "rmdir a/.build-id/01; ln -s ../.. a/.build-id/01; cp full 23456789abcdef0123456789abcdef01234567.debug",
		  "/deleted", "ENOENT" },
		{ "mkfifo a/usr/bin/p", "/usr/bin/p", "ENOENT" },
	};

	(void)unused;
	need();
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *have = ask(table[i].cmd, table[i].path, ID, false);

		if (strcmp(have, table[i].want))
			fail_msg("%s; %s: %s, not %s", table[i].cmd, table[i].path, have, table[i].want);
	}
}

static void ids(void **unused)
{
	(void)unused;
	need();
	assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", "", false), "ENODATA");
	assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", "x", false), "ENODATA");
	/* One that is only the beginning of it, and one too short for a folder. */
	assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", "0123456789abcdef", false), "ENOENT");
	assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", "01", false), "ENOENT");
	/* Of a file without one nothing is known. */
	run("cc -g -O1 -fno-PIE -no-pie -Wl,--build-id=none -o noid p.c");
	assert_string_equal(ask("cp noid a/usr/bin/p", "/usr/bin/p", ID, false), "ENOENT");
	assert_string_equal(ask("cp noid a/usr/bin/p", "/usr/bin/p", "", false), "ENODATA");
}

static void lines(void **unused)
{
	(void)unused;
	need();
	if (!dn_lines_built()) {
		assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", ID, true), "hidden");
		return;
	}
	assert_string_equal(ask("cp full a/usr/bin/p", "/usr/bin/p", ID, true), with_line);
	assert_string_equal(ask("cp stripped a/usr/bin/p; cp debug a" DEBUG, "/usr/bin/p", ID, true), with_line);
	/* All names but no lines: those of the debug file. */
	assert_string_equal(ask("cp nodebug a/usr/bin/p", "/usr/bin/p", ID, true), "hidden");
	assert_string_equal(ask("cp nodebug a/usr/bin/p; cp debug b" DEBUG, "/usr/bin/p", ID, true), with_line);
	assert_string_equal(ask("cp nodebug a/usr/bin/p; cp another b" DEBUG, "/usr/bin/p", ID, true), "hidden");
	assert_string_equal(ask("cp full a" DEBUG, "/deleted", ID, true), with_line);
}

static void directories(void **unused)
{
	static const char *const missing[] = { ".", "nowhere", "." }, *const file[] = { "p.c" };
	struct dn_symfs *s;
	const char *bad;

	(void)unused;
	assert_int_equal(dn_symfs_open(missing, 3, &s, &bad), -ENOENT);
	assert_string_equal(bad, "nowhere");
	assert_null(s);
	run("echo >p.c");
	assert_int_equal(dn_symfs_open(file, 1, &s, &bad), -ENOTDIR);
	dn_symfs_close(NULL);
	dn_symfs_file_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(ids),
		cmocka_unit_test(lines),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests(tests, make_files, scratch_teardown);
}
