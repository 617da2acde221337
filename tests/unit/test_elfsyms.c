/*
 * Names of functions in ELF files: what readelf, nm and objdump say of files of this machine
 * and of programs made here, and what the running process itself knows.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cmocka.h>

#include "elfsyms.h"
#include "scratch.h"
#include "tools.h"

#define SYMBOLS_MAX 20000

struct oracle {
	struct {
		uint64_t addr, size, offset;
	} text[8];
	int ntext;
	struct {
		uint64_t start, size;	/* file offsets */
		char name[120];
	} sym[SYMBOLS_MAX];
	int nsym;
};

static struct oracle oracle;

static struct dn_elfsyms *open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dn_elfsyms *s;

	assert_true(fd >= 0);
	s = dn_elfsyms_open(fd);
	close(fd);
	return s;
}

static bool to_offset(uint64_t addr, uint64_t *offset)
{
	for (int i = 0; i < oracle.ntext; i++)
		if (addr >= oracle.text[i].addr && addr - oracle.text[i].addr < oracle.text[i].size) {
			*offset = addr - oracle.text[i].addr + oracle.text[i].offset;
			return true;
		}
	return false;
}

/* The executable segments of path, as readelf has them. */
static void read_segments(const char *path)
{
	unsigned long off, addr, phys, filesz, memsz;
	char line[600], flags[4], x[4];
	FILE *f;

	snprintf(line, sizeof(line), "readelf -lW %.500s 2>/dev/null", path);
	f = popen(line, "r");
	oracle.ntext = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " LOAD %lx %lx %lx %lx %lx %3[R W]%3[E]", &off, &addr, &phys, &filesz, &memsz, flags,
			   x) == 7 && oracle.ntext < 8) {
			oracle.text[oracle.ntext].addr = addr;
			oracle.text[oracle.ntext].size = filesz;
			oracle.text[oracle.ntext++].offset = off;
		}
	}
	pclose(f);
	assert_true(oracle.ntext > 0);
}

/* Functions of the tables that readelf prints of path (options: -s, --dyn-syms), added to the oracle. */
static void read_functions(const char *path, const char *options)
{
	char line[4096], type[16], bind[16], vis[16], ndx[16], name[2000];
	unsigned long value, size;
	FILE *f;

	snprintf(line, sizeof(line), "readelf -W %s %s 2>/dev/null | sed 's/ 0x\\([0-9a-f]*\\) / \\1 /'", options, path);
	f = popen(line, "r");
	while (fgets(line, sizeof(line), f)) {
		char sizetext[32];
		int n = oracle.nsym;

		/* a large size is printed in hex, with 0x */
		if (sscanf(line, " %*d: %lx %31s %15s %15s %15s %15s %1999s", &value, sizetext, type, bind, vis, ndx,
			   name) != 7)
			continue;
		size = strtoul(sizetext, NULL, 10);
		if ((strcmp(type, "FUNC") && strcmp(type, "IFUNC")) || ndx[0] < '0' || ndx[0] > '9')
			continue;
		name[strcspn(name, "@")] = 0;
		if (n == SYMBOLS_MAX || !to_offset(value, &oracle.sym[n].start))
			continue;
		oracle.sym[n].size = size;
		snprintf(oracle.sym[n].name, sizeof(oracle.sym[n].name), "%.119s", name);
		oracle.nsym++;
	}
	pclose(f);
}

/* Is there a function of that start and name? And does any with a size cover at? */
static bool known(const struct dn_elfsym *sym)
{
	size_t len = strcspn(sym->name, "@");

	if (len > 119)
		len = 119;
	for (int i = 0; i < oracle.nsym; i++)
		if (oracle.sym[i].start == sym->start && strlen(oracle.sym[i].name) == len &&
		    !memcmp(oracle.sym[i].name, sym->name, len))
			return true;
	return false;
}

static bool covered(uint64_t at)
{
	for (int i = 0; i < oracle.nsym; i++)
		if (at - oracle.sym[i].start < oracle.sym[i].size)
			return true;
	return false;
}

/*
 * Every function with a size is found at its first and last byte, by a name that is at
 * the start said. With exact, an offset that none covers has no name (but a PLT's).
 */
static void check_all(const struct dn_elfsyms *s, bool exact)
{
	struct dn_elfsym sym;
	uint64_t addr, back;

	assert_true(oracle.nsym > 0);
	for (int i = 0; i < oracle.nsym; i++) {
		uint64_t start = oracle.sym[i].start, size = oracle.sym[i].size;

		assert_true(dn_elfsyms_address(s, start, &addr) && to_offset(addr, &back) && back == start);
		if (!size)
			continue;
		for (int last = 0; last < 2; last++) {
			uint64_t at = last ? start + size - 1 : start;

			if (!dn_elfsyms_find(s, at, &sym))
				fail_msg("%s at %lx has no name", oracle.sym[i].name, (unsigned long)at);
			if (at - sym.start >= sym.size || !known(&sym))
				fail_msg("%s at %lx is called %s", oracle.sym[i].name, (unsigned long)at, sym.name);
			assert_true(last || sym.start == start);
		}
		if (exact && i % 4 == 0 && dn_elfsyms_find(s, start + size, &sym) && !covered(start + size) &&
		    !strstr(sym.name, "@plt"))
			fail_msg("behind %s is nothing, not %s", oracle.sym[i].name, sym.name);
	}
}

static void machines_own(void **state)
{
	static const char *const files[] = { "/bin/ls", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6",
		"/lib/aarch64-linux-gnu/libc.so.6", "/usr/lib/libc.so.6" };
	struct dn_elfsyms *s;
	Dl_info info = { 0 };
	int checked = 0;
	char path[PATH_MAX];

	(void)state;
	need("readelf");
	dladdr(dlsym(RTLD_DEFAULT, "write"), &info);
	for (size_t i = 0; i <= sizeof(files) / sizeof(files[0]); i++) {
		const char *file = i ? files[i - 1] : info.dli_fname;

		if (!file || !realpath(file, path) || access(path, R_OK))
			continue;
		s = open_path(path);
		assert_non_null(s);
		read_segments(path);
		oracle.nsym = 0;
		read_functions(path, "--syms");
		if (oracle.nsym) {
			check_all(s, !dn_elfsyms_complete(s));
			checked++;
		}
		dn_elfsyms_free(s);
	}
	assert_true(checked);
}

static const char source[] =
	"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
	"static __attribute__((noinline)) int hidden(int x) { return x * 3 + puts(\"a\"); }\n"
	"__attribute__((weak)) int __second(int x) { return hidden(x) + atoi(\"4\"); }\n"
	"int third(int) __attribute__((weak, alias(\"__second\")));\n"
	"void *volatile address = free;\n"
	"int main(int c, char **v) { printf(\"%d\\n\", __second(c)); free(strdup(v[0])); return hidden(c); }\n";

/* Compiles source to the file name. */
static void compile(const char *compiler, const char *options, const char *name)
{
	char cmd[400];
	FILE *f = fopen("source.c", "w");

	fputs(source, f);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "%s -w -O1 %s -o %s source.c", compiler, options, name);
	run(cmd);
}

static const char *name_of(const struct dn_elfsyms *s, uint64_t offset)
{
	struct dn_elfsym sym;

	return dn_elfsyms_find(s, offset, &sym) ? sym.name : "";
}

/* The file offset of a function of the oracle. */
static uint64_t where(const char *name)
{
	for (int i = 0; i < oracle.nsym; i++)
		if (!strcmp(oracle.sym[i].name, name))
			return oracle.sym[i].start;
	fail_msg("there is no %s", name);
	return 0;
}

/* Every PLT entry that objdump names has that name from first to last byte. */
static int check_plt(const char *objdump, const char *path, const struct dn_elfsyms *s)
{
	char line[400], name[200];
	unsigned long addr;
	uint64_t offset;
	int n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "%s -d -j .plt -j .plt.sec -j .plt.got %s 2>/dev/null", objdump, path);
	f = popen(line, "r");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx <%199[^>]>:", &addr, name) != 2 || !strstr(name, "@plt") || strcmp(strstr(name, "@plt"), "@plt") || name[0] == '*' ||
		    !to_offset(addr, &offset))
			continue;
		assert_string_equal(name_of(s, offset), name);
		assert_string_equal(name_of(s, offset + 7), name);
		n++;
	}
	pclose(f);
	return n;
}

static void programs(void **state)
{
	static const char *const options[] = {
		"-fPIE -pie", "-fno-PIE -no-pie", "-static", "-fPIE -pie -Wl,-z,now", "-fPIE -pie -Wl,-z,lazy",
		"-fPIE -pie -fcf-protection=full -Wl,-z,ibtplt,-z,lazy", "-fuse-ld=lld", "-fuse-ld=gold", "-fuse-ld=mold",
	};
	struct dn_elfsyms *s;
	char cmd[200];
	uint64_t addr;

	(void)state;
	need("readelf objdump strip objcopy");
	need(cc());
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		/* What this compiler or linker cannot do is not asked of it. */
		snprintf(cmd, sizeof(cmd), "echo 'int main(void){return 0;}' | %s %s -x c -o t - 2>/dev/null", cc(),
			 options[i]);
		if (system(cmd)) {
			print_message("left out: %s %s\n", cc(), options[i]);
			continue;
		}
		compile(cc(), options[i], "p");
		s = open_path("p");
		assert_non_null(s);
		assert_true(dn_elfsyms_complete(s));
		read_segments("p");
		oracle.nsym = 0;
		read_functions("p", "--syms");
		check_all(s, false);
		assert_string_equal(name_of(s, where("hidden")), "hidden");
		assert_string_equal(name_of(s, where("third")), "third");
		if (strcmp(options[i], "-static") && check_plt("objdump", "p", s) < 2)
			fail_msg("no PLT names with %s", options[i]);
		/* Between the entries of the linker's own, and outside of everything, is nothing. */
		assert_string_equal(name_of(s, 0), "");
		assert_string_equal(name_of(s, UINT64_MAX), "");
		assert_false(dn_elfsyms_address(s, UINT64_MAX, &addr));
		assert_true(dn_elfsyms_maps(s));
		dn_elfsyms_free(s);

		/* What objcopy leaves in a debug file does not say where code was. */
		run("objcopy --only-keep-debug p p.debug");
		s = open_path("p.debug");
		assert_non_null(s);
		assert_false(dn_elfsyms_maps(s));
		assert_int_equal(dn_elfsyms_count(s), 0);
		dn_elfsyms_free(s);

		/* Stripped: what the dynamic table has. */
		run("strip p");
		s = open_path("p");
		assert_non_null(s);
		assert_false(dn_elfsyms_complete(s));
		assert_string_equal(name_of(s, where("hidden")), "");
		assert_string_equal(name_of(s, where("main")), "");
		dn_elfsyms_free(s);
	}
}

/* Another architecture's PLT, read here. */
static void other_machine(void **state)
{
	static const char *const options[] = { "-pie", "-mbranch-protection=standard -Wl,-z,force-bti",
					       "-mbranch-protection=standard -Wl,-z,pac-plt" };
	struct dn_elfsyms *s;

	(void)state;
	need("aarch64-linux-gnu-gcc aarch64-linux-gnu-objdump readelf");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		compile("aarch64-linux-gnu-gcc", options[i], "p");
		s = open_path("p");
		assert_non_null(s);
		read_segments("p");
		oracle.nsym = 0;
		read_functions("p", "--syms");
		check_all(s, false);
		assert_string_equal(name_of(s, where("hidden")), "hidden");
		assert_true(check_plt("aarch64-linux-gnu-objdump", "p", s) > 2);
		dn_elfsyms_free(s);
	}
}

/* Symbols without a size, labels, data in code, and what is behind them. */
static void assemble_and_check(const char *options)
{
	struct dn_elfsyms *s;
	char cmd[200];
	uint64_t at;
	FILE *f;

	f = fopen("a.s", "w");
	fputs(".text\n.balign 64\n.globl begin\n.type begin,%function\nbegin: .fill 32\n"	/* 0 */
	      "label: .fill 32\n"						/* 32 */
	      ".type sized,%function\nsized: .fill 8\ninner: .fill 8\n.size sized, . - sized\n" /* 64 */
	      ".fill 16\n"							/* 80: nothing */
	      ".type open,%function\nopen: .fill 16\n"				/* 96 */
	      ".type data,%object\ndata: .fill 16\n"				/* 112 */
	      ".weak __alias\n.type __alias,%function\n"
	      ".type local,%function\n.globl best\n.type best,%function\n"
	      "local:\n__alias:\nbest: .fill 16\n"				/* 128 */
	      ".size local, 16\n.size __alias, 16\n.size best, 8\n"
	      ".type last,%function\nlast: .fill 16\n"				/* 144 */
	      ".section .text.other,\"ax\",%progbits\n.fill 64\n"
	      ".globl main\n.type main,%function\nmain: .fill 4\n.size main, 4\n", f);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "%s %s -w -nostdlib -static -Wl,--unique=.text.other -Wl,-e,begin -o a a.s 2>/dev/null",
		 cc(), options);
	if (system(cmd)) {
		assert_true(options[0]);
		print_message("left out: %s %s\n", cc(), options);
		return;
	}
	read_segments("a");
	oracle.nsym = 0;
	read_functions("a", "--syms");
	at = where("begin");
	s = open_path("a");
	assert_non_null(s);
	assert_string_equal(name_of(s, at), "begin");
	assert_string_equal(name_of(s, at + 30), "begin");
	assert_string_equal(name_of(s, at + 31), "");	/* before a return address at the next one: no call is there */
	assert_string_equal(name_of(s, at + 32), "label");
	assert_string_equal(name_of(s, at + 62), "label");
	assert_string_equal(name_of(s, at + 63), "");
	assert_string_equal(name_of(s, at + 64), "sized");
	assert_string_equal(name_of(s, at + 72), "sized");
	assert_string_equal(name_of(s, at + 79), "sized");
	assert_string_equal(name_of(s, at + 80), "");
	assert_string_equal(name_of(s, at + 95), "");
	assert_string_equal(name_of(s, at + 96), "open");
	assert_string_equal(name_of(s, at + 110), "open");
	assert_string_equal(name_of(s, at + 111), "");
	assert_string_equal(name_of(s, at + 112), "");
	assert_string_equal(name_of(s, at + 128), "best");
	assert_string_equal(name_of(s, at + 136), "__alias");
	assert_string_equal(name_of(s, at + 159), "last");
	assert_string_equal(name_of(s, at + 160), "");
	assert_string_equal(name_of(s, where("main")), "main");
	assert_string_equal(name_of(s, where("main") - 1), "");
	dn_elfsyms_free(s);

	/* Without its section headers a program has no names. */
	if (have("objcopy") && !system("objcopy --strip-section-headers a b 2>/dev/null")) {
		s = open_path("b");
		assert_non_null(s);
		assert_int_equal(dn_elfsyms_count(s), 0);
		dn_elfsyms_free(s);
	}
}

static void assembled(void **state)
{
	(void)state;
	need("readelf");
	need(cc());
	assemble_and_check("");
	assemble_and_check("-m32");
}

static void separate_files(void **state)
{
	const struct dn_build_id *id;
	struct dn_build_id same;
	struct dn_elfsyms *s;
	char hex[64] = "", line[200], path[200];
	size_t before;
	FILE *f;
	int fd;

	(void)state;
	need("readelf objdump objcopy strip nm xz comm");
	need(cc());
	compile(cc(), "-fPIE -pie -g -Wl,--build-id=sha1", "p");
	compile(cc(), "-fPIE -pie -g -DX -Wl,--build-id=sha1 -O0", "q");
	read_segments("p");
	oracle.nsym = 0;
	read_functions("p", "--syms");

	run("objcopy --only-keep-debug p p.debug && objcopy --only-keep-debug q q.debug");
	/* As gdb's manual makes MiniDebugInfo. */
	run("nm -D p --format=posix --defined-only | awk '{ print $1 }' | sort >dynamic; "
	    "nm p --format=posix --defined-only | awk '$2 ~ /[Tt]/ { print $1 }' | sort >functions; "
	    "comm -13 dynamic functions >keep; "
	    "objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbols=keep p.debug mini; "
	    "xz -k mini; strip p; cp p m; objcopy --add-section .gnu_debugdata=mini.xz m");

	/* The build-id, by the kernel's measure of a note and by readelf. */
	f = popen("readelf -nW p", "r");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "Build ID: "))
			sscanf(strstr(line, "Build ID: "), "Build ID: %63s", hex);
	pclose(f);
	s = open_path("p");
	assert_non_null(s);
	id = dn_elfsyms_build_id(s);
	assert_int_equal(2 * id->len, strlen(hex));
	assert_int_equal(dn_build_id_path(path, sizeof(path), "d", id), 0);
	snprintf(line, sizeof(line), "d/.build-id/%.2s/%s.debug", hex, hex + 2);
	assert_string_equal(path, line);
	fd = open("p.debug", O_RDONLY);
	assert_int_equal(dn_elf_build_id(fd, &same), 0);
	assert_true(dn_build_id_same(id, &same));
	close(fd);

	assert_string_equal(name_of(s, where("hidden")), "");
	before = dn_elfsyms_count(s);
	fd = open("q.debug", O_RDONLY);
	assert_int_equal(dn_elfsyms_add(s, fd), -ESTALE);
	close(fd);
	fd = open("source.c", O_RDONLY);
	assert_int_equal(dn_elfsyms_add(s, fd), -ENOEXEC);
	close(fd);
	assert_int_equal(dn_elfsyms_count(s), before);
	fd = open("p.debug", O_RDONLY);
	assert_int_equal(dn_elfsyms_add(s, fd), 0);
	close(fd);
	assert_true(dn_elfsyms_complete(s));
	check_all(s, false);
	assert_string_equal(name_of(s, where("hidden")), "hidden");
	dn_elfsyms_free(s);

#ifdef HAVE_LIBLZMA
	s = open_path("m");
	assert_non_null(s);
	assert_true(dn_elfsyms_complete(s));
	assert_string_equal(name_of(s, where("hidden")), "hidden");
	assert_string_equal(name_of(s, where("main")), "main");
	assert_true(check_plt("objdump", "m", s) > 2);
	dn_elfsyms_free(s);
#else
	print_message("left out: .gnu_debugdata, built without liblzma\n");
#endif
}

/* What a stack would have of an address of this process. */
static bool own_offset(const void *address, uint64_t *offset, char *path)
{
	unsigned long from, to, off, want = (unsigned long)(uintptr_t)address;
	char line[600];
	FILE *f = fopen("/proc/self/maps", "r");
	bool found = false;

	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %500s", &from, &to, &off, path) == 4 && want >= from &&
		    want < to) {
			*offset = want - from + off;
			found = true;
		}
	fclose(f);
	return found;
}

static void own_process(void **state)
{
	static const char *const names[] = { "write", "read", "malloc", "pthread_create", "qsort", "poll" };
	const void *vdso = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	struct dn_elfsyms *s;
	struct dn_elfsym sym;
	char path[600];
	uint64_t offset;

	(void)state;
	need("true");
	if (own_offset((const void *)(uintptr_t)own_process, &offset, path)) {
		s = open_path(path);
		assert_non_null(s);
		assert_true(dn_elfsyms_find(s, offset, &sym));
		assert_string_equal(sym.name, "own_process");
		assert_int_equal(sym.start, offset);
		dn_elfsyms_free(s);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *f = dlsym(RTLD_DEFAULT, names[i]);

		/* Not a sanitizer's, which has a name of its own. */
		if (!f || !own_offset(f, &offset, path) || !strstr(path, "libc"))
			continue;
		s = open_path(path);
		assert_non_null(s);
		assert_string_equal(name_of(s, offset), names[i]);
		dn_elfsyms_free(s);
	}
	if (!vdso) {
		print_message("left out: there is no vdso\n");
		return;
	}
	/* Two pages are its code on both machines; three hold it with its sections. */
	for (size_t len = 4096; len <= 3 * 4096; len += 4096) {
		bool clock = false;

		if (!own_offset((const char *)vdso + len - 1, &offset, path))
			break;
		s = dn_elfsyms_open_memory(vdso, len);
		if (!s)
			continue;
		for (offset = 0; offset < len; offset += 4)
			clock |= dn_elfsyms_find(s, offset, &sym) && strstr(sym.name, "clock_gettime") != NULL;
		if (len == 8192)
			assert_true(clock);
		dn_elfsyms_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(machines_own, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(programs, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(other_machine, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(assembled, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(separate_files, scratch_setup, scratch_teardown),
		cmocka_unit_test(own_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
