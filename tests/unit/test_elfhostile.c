/*
 * Hostile ELF files: every byte of what describes one changed, each cut short, and
 * counts that no memory would do for.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "elfsyms.h"
#include "scratch.h"
#include "tools.h"
#include "unxz.h"

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(p);
	*len = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

static void ask(const char *image, size_t len)
{
	struct dn_elfsyms *s = dn_elfsyms_open_memory(image, len);
	struct dn_elfsym sym;

	if (!s)
		return;
	for (uint64_t at = 0; at < len; at += 64)
		if (dn_elfsyms_find(s, at, &sym))
			assert_true(at - sym.start < sym.size && strlen(sym.name) <= DN_ELF_NAME_MAX + 4);
	dn_elfsyms_free(s);
}

/* As small as a linker makes it, so that all of it can be changed. */
static char *small_program(size_t *len)
{
	char cmd[400];
	FILE *f = fopen("s.c", "w");

	fputs("void other(void);\nstatic __attribute__((noinline)) int hidden(int x) { other(); return x; }\n"
	      "int start(int x) { return hidden(x) + 1; }\n", f);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "%s -w -Os -nostdlib -shared -fPIC -Wl,-z,noseparate-code,--build-id=sha1,--hash-style=gnu "
		 "-fno-asynchronous-unwind-tables -o s s.c", cc());
	run(cmd);
	return slurp("s", len);
}

static void changed_bytes(void **state)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0xff };
	size_t len;
	char *p;

	(void)state;
	need(cc());
	p = small_program(&len);
	ask(p, len);
	for (size_t i = 0; i < len; i++) {
		char old = p[i];

		for (size_t v = 0; v < sizeof(values); v++) {
			if (old == (char)values[v])
				continue;
			p[i] = (char)values[v];
			ask(p, len);
		}
		p[i] = old;
	}
	free(p);
}

/* In memory of that length, and as a file, of which another process may have cut it. */
static void cut_short(void **state)
{
	size_t len;
	char *p;
	int fd;

	(void)state;
	need(cc());
	p = small_program(&len);
	for (size_t n = 0; n < len; n += n < 4096 ? 1 : 7) {
		char *cut = malloc(n + 1);	/* one for malloc(0) */

		memcpy(cut, p, n);
		ask(cut, n);
		free(cut);
	}
	fd = open("cut", O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	for (off_t n = (off_t)len; n >= 0; n -= 61) {
		struct dn_build_id id;

		assert_int_equal(ftruncate(fd, n), 0);
		dn_elfsyms_free(dn_elfsyms_open(fd));
		dn_elf_build_id(fd, &id);
	}
	close(fd);
	free(p);
}

/* What a header claims is not believed: no memory for a billion sections, symbols or names. */
static void absurd_counts(void **state)
{
	const off_t huge = (off_t)1 << 40;
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
			 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_ehsize = sizeof(h), .e_shoff = 4096,
			 .e_shentsize = sizeof(Elf64_Shdr), .e_phoff = 64, .e_phentsize = sizeof(Elf64_Phdr) };
	Elf64_Shdr sh[4] = { 0 };
	Elf64_Phdr ph = { .p_type = PT_NOTE, .p_offset = 8192, .p_filesz = (Elf64_Xword)huge - 8192, .p_align = 4 };
	struct rusage before, after;
	clock_t begin = clock();
	struct dn_build_id id;
	int fd;

	(void)state;
	need("true");
	fd = open("huge", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (ftruncate(fd, huge)) {
		print_message("skipped: no sparse file of 1 TiB here\n");
		close(fd);
		skip();
	}
	getrusage(RUSAGE_SELF, &before);

	/* sections without number */
	sh[0].sh_size = 20000000;
	assert_int_equal(pwrite(fd, sh, sizeof(sh), 4096), sizeof(sh));
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	assert_null(dn_elfsyms_open(fd));
	assert_true(errno == E2BIG || errno == ENOEXEC);
	/* segments without number */
	h.e_shnum = 4;
	h.e_phnum = PN_XNUM;
	sh[0] = (Elf64_Shdr){ .sh_info = 1000000000 };
	assert_int_equal(pwrite(fd, sh, sizeof(sh), 4096), sizeof(sh));
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	assert_null(dn_elfsyms_open(fd));
	assert_true(errno == E2BIG || errno == ENOEXEC);
	assert_true(dn_elf_build_id(fd, &id) < 0);
	/* a note, a table, strings of 1 TiB */
	h.e_phnum = 1;
	for (int i = 1; i < 4; i++)
		sh[i] = (Elf64_Shdr){ .sh_type = i == 1 ? SHT_SYMTAB : SHT_STRTAB, .sh_offset = 8192, .sh_link = 2,
				      .sh_size = (Elf64_Xword)huge - 8192, .sh_entsize = sizeof(Elf64_Sym) };
	sh[0].sh_info = 0;
	h.e_shstrndx = 3;
	assert_int_equal(pwrite(fd, sh, sizeof(sh), 4096), sizeof(sh));
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(pwrite(fd, &ph, sizeof(ph), 64), sizeof(ph));
	assert_null(dn_elfsyms_open(fd));
	assert_int_equal(errno, E2BIG);
	assert_int_equal(dn_elf_build_id(fd, &id), -ENODATA);

	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 100 << 10);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
	close(fd);
}

static void not_elf(void **state)
{
	static const char archive[] = "!<arch>\nfile.o/         0           0     0     644     4         `\nabcd";
	int p[2];

	(void)state;
	need("true");
	assert_null(dn_elfsyms_open_memory("", 0));
	assert_int_equal(errno, ENOEXEC);
	assert_null(dn_elfsyms_open_memory(archive, sizeof(archive) - 1));
	assert_int_equal(errno, ENOEXEC);
	assert_null(dn_elfsyms_open(-1));
	assert_int_equal(errno, EBADF);
	assert_int_equal(pipe(p), 0);
	close(p[1]);
	assert_null(dn_elfsyms_open(p[0]));
	close(p[0]);
	dn_elfsyms_free(NULL);
}

static void unpacking(void **state)
{
	size_t len, n;
	char *p;
	void *out;

	(void)state;
#ifndef HAVE_LIBLZMA
	print_message("skipped: built without liblzma\n");
	skip();
#endif
	if (!have("xz"))
		skip();
	run("head -c 300000 /dev/zero | xz -9 >z.xz");
	p = slurp("z.xz", &len);
	assert_int_equal(dn_unxz(p, len, 400000, &out, &n), 0);
	assert_int_equal(n, 300000);
	free(out);
	assert_int_equal(dn_unxz(p, len, 300000, &out, &n), 0);
	free(out);
	assert_int_equal(dn_unxz(p, len, 299999, &out, &n), -E2BIG);
	assert_null(out);
	for (size_t cut = 0; cut < len; cut += 3)
		assert_int_equal(dn_unxz(p, cut, 400000, &out, &n), -EBADMSG);
	p[len / 2] ^= 1;
	assert_int_equal(dn_unxz(p, len, 400000, &out, &n), -EBADMSG);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_bytes, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(cut_short, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(absurd_counts, scratch_setup, scratch_teardown),
		cmocka_unit_test(not_elf),
		cmocka_unit_test_setup_teardown(unpacking, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
