/*
 * Names as people write them: c++filt says what they are.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "demangle.h"

static const char *const mangled[] = {
	"_Z3foov", "_ZN3foo3barEi", "_ZNKSt6vectorIiSaIiEE4sizeEv", "_ZNSs6appendERKSs",
	"_ZN9wikipedia7article6formatEv", "_ZZN1A1fEvENKUlvE_clEv", "_ZN1AC2Ev", "_ZTV1A",
	"_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_", "_GLOBAL__sub_I_main",
	"_ZN3fooIiE3barEv.cold", "_ZL4funci.isra.0",
	/* Rust, legacy and v0 */
	"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
	"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
	"_RNvCskwGfYPst2Cb_3foo16example_function", "_RINvNtC3std3mem8align_ofjE",
	/* D */
	"_D8demangle4testFaZv", "_Dmain",
};

static void same_as_cxxfilt(void **state)
{
	char cmd[512], line[512];

	(void)state;
#ifndef HAVE_LIBIBERTY
	print_message("skipped: built without libiberty\n");
	skip();
#endif
	if (system("command -v c++filt >/dev/null")) {
		print_message("skipped: there is no c++filt\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(mangled) / sizeof(mangled[0]); i++) {
		char *name = dn_demangle(mangled[i]);
		FILE *f;

		snprintf(cmd, sizeof(cmd), "c++filt -i '%s'", mangled[i]);
		f = popen(cmd, "r");
		assert_non_null(fgets(line, sizeof(line), f));
		pclose(f);
		line[strcspn(line, "\n")] = 0;
		assert_non_null(name);
		assert_string_equal(name, line);
		free(name);
	}
}

static void known(void **state)
{
	static const char *const as[][2] = {
		{ "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt" },
		{ "_ZN3foo3barEi@plt", "foo::bar(int)@plt" },
		{ "_ZNSs6appendERKSs@@GLIBCXX_3.4", "std::string::append(std::string const&)@@GLIBCXX_3.4" },
	};

	(void)state;
#ifndef HAVE_LIBIBERTY
	print_message("skipped: built without libiberty\n");
	skip();
#endif
	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++) {
		char *name = dn_demangle(as[i][0]);

		assert_non_null(name);
		assert_string_equal(name, as[i][1]);
		free(name);
	}
}

static void not_mangled(void **state)
{
	static const char *const names[] = {
		"", "_", "__", "main", "write@plt", "_start", "_init", "__libc_start_main", "_Z", "_R", "_D", "_ZN",
		"_ZN3fo", "_Zzzz", "_Rust", "_Data", "_D3", "_D9999999999999999999a", "@", "_@", "_Z@",
		"_Z99999999999999999999a", "\xff\xfe", "_Z\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(dn_demangle(names[i]));
}

/* Short names that unfold without end, long ones, deep ones: an answer or none, soon. */
static void bombs(void **state)
{
	static char name[4 * DN_DEMANGLE_IN_MAX];
	clock_t begin = clock();
	char *p;
	int n;

	(void)state;
	/* f(pair<A,A>, pair<that,that>, ...) */
	n = snprintf(name, sizeof(name), "_Z1fSt4pairI1AS0_E");
	for (int i = 1; i < 30; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "S_IS%d_S%d_E", i, i);
	p = dn_demangle(name);
	assert_true(!p || strlen(p) <= DN_DEMANGLE_OUT_MAX);
	free(p);

	/* Rust v0: tuples of back references to the tuple before */
	n = snprintf(name, sizeof(name), "_RINvC1a1b");
	for (int i = 0; i < 34; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "T%sB%c_E", i ? "B7_" : "hh", '7');
	strcat(name, "E");
	free(dn_demangle(name));

	/* D: back references to types with two of them */
	n = snprintf(name, sizeof(name), "_D1a1bFS1c");
	for (int i = 0; i < 400; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "QbQd");
	strcat(name, "Zv");
	free(dn_demangle(name));

	for (size_t len = 100; len < sizeof(name); len *= 3)
		for (const char *c = "NSIPRKFTJXLDAQBhE1_a"; *c; c++) {
			memcpy(name, c[0] == 'B' || c[0] == 'h' ? "_R" : c[0] == 'Q' ? "_D" : "_Z", 2);
			memset(name + 2, *c, len - 2);
			name[len] = 0;
			p = dn_demangle(name);
			if (len > DN_DEMANGLE_IN_MAX)
				assert_null(p);
			free(p);
		}
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_cxxfilt),
		cmocka_unit_test(known),
		cmocka_unit_test(not_mangled),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
