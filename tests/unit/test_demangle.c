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
	"_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_", "_GLOBAL__I_main",
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

		snprintf(cmd, sizeof(cmd), "c++filt -i %s '%s'",
			 mangled[i][1] == 'D' ? "-s dlang" : "", mangled[i]);
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
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	clock_t begin = clock();
	char *p;
	int n;

	(void)state;
	/* pair<A,A>, then pairs of the pair before, 26 deep: 2 GB */
	n = snprintf(name, sizeof(name), "_Z1fSt4pairI1AS0_E");
	for (int i = 1; i < 26; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "S_IS%c_S%c_E", digits[i], digits[i]);
	p = dn_demangle(name);
	assert_null(p);
	/* Rust v0: tuples of the tuple before */
	p = dn_demangle("_RINvC1a1bThhETB7_B7_ETBb_Bb_ETBj_Bj_ETBr_Br_ETBz_Bz_ETBH_BH_ETBP_BP_ETBX_BX_ETB15_B15_E"
			"TB1d_B1d_ETB1n_B1n_ETB1x_B1x_ETB1H_B1H_ETB1R_B1R_ETB21_B21_ETB2b_B2b_ETB2l_B2l_E"
			"TB2v_B2v_ETB2F_B2F_ETB2P_B2P_ETB2Z_B2Z_ETB39_B39_ETB3j_B3j_ETB3t_B3t_ETB3D_B3D_EE");
	assert_null(p);
	/* D: associative arrays of the one before */
	n = snprintf(name, sizeof(name), "_D1a1bFHiiHQeQg");
	for (int i = 0; i < 28; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "HQgQi");
	strcat(name, "Zv");
	p = dn_demangle(name);
	assert_null(p);

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
