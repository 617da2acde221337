/*
 * test_redact_words.c - which names and programs carry secrets: the words, and
 * that the tables keep to their own rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redact_words.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* A copy of just that size, so that the sanitizer sees one byte too many. */
static char *exact(const char *text)
{
	size_t n = strlen(text);
	char *p = malloc(n ? n : 1);

	assert_non_null(p);
	memcpy(p, text, n);
	return p;
}

#define SAYS(function)                                                                             \
	static int says_##function(const char *text)                                               \
	{                                                                                          \
		char *p = exact(text);                                                             \
		int said = (int)function(p, strlen(text));                                         \
                                                                                                   \
		free(p);                                                                           \
		return said;                                                                       \
	}
SAYS(dn_program_kind)
SAYS(dn_program_listed)
SAYS(dn_secret_name)
SAYS(dn_flag_name)

static void kinds(void **state)
{
	static const struct {
		const char *name;
		enum dn_program_kind kind;
	} t[] = {
		{ "sh", DN_PROGRAM_SHELL },	  { "busybox", DN_PROGRAM_SHELL },
		{ "su", DN_PROGRAM_SHELL },	  { "ssh", DN_PROGRAM_REMOTE },
		{ "eval", DN_PROGRAM_REMOTE },	  { "sudo", DN_PROGRAM_WRAPPER },
		{ "env", DN_PROGRAM_WRAPPER },	  { "denet-record", DN_PROGRAM_WRAPPER },
		{ "s", DN_PROGRAM_PLAIN },	  { "shh", DN_PROGRAM_PLAIN },
		{ "", DN_PROGRAM_PLAIN },	  { "SH", DN_PROGRAM_PLAIN },
		{ "mysql", DN_PROGRAM_PLAIN },	  { "sudoedit", DN_PROGRAM_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++)
		assert_int_equal(says_dn_program_kind(t[i].name), t[i].kind);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool is;
	} t[] = {
		{ "curl", "curl", true },	 { "curl", "curl7", false },
		{ "curl", "cur", false },	 { "curl", "", false },
		{ "mysql*", "mysql", true },	 { "mysql*", "mysqldump", true },
		{ "mysql*", "mysql-x_y", true }, { "mysql*", "mysql.sock", false },
		{ "mysql*", "mysql5", false },	 { "mysql*", "mysqlX", false },
		{ "mysql*", "mysq", false },	 { "mysql*", "xmysql", false },
		{ "7z*", "7za", true },		 { "7z*", "7", false },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		char *p = exact(t[i].name);

		assert_int_equal(dn_program_matches(t[i].pattern, p, strlen(t[i].name)), t[i].is);
		free(p);
	}
}

/* What redact.c relies on, for every line. */
static void tables(void **state)
{
	(void)state;
	for (const struct dn_secret_option *o = dn_secret_options; o->program; o++) {
		char name[64];
		size_t n = strcspn(o->program, "*");

		assert_true(n > 0 && n < sizeof(name) && strlen(o->program) <= n + 1);
		memcpy(name, o->program, n);
		name[n] = 0;
		assert_true(says_dn_program_listed(name));
		assert_true(o->name[0] && o->name[0] != '-');
		/* a form is of a letter, and a word has '=' or the next argument anyway */
		assert_int_equal(strlen(o->name) == 1, o->form != 0);
		assert_int_equal(o->form & ~(unsigned)DN_OPTION_EITHER, 0);
		/* a letter with a value ends a bundle of those without */
		if (o->form)
			assert_null(strchr(o->flags, o->name[0]));
		else
			assert_string_equal(o->flags, "");
	}
	for (const struct dn_secret_word *w = dn_secret_words; w->program; w++) {
		assert_true(says_dn_program_listed(w->program));
		assert_true(w->word[0] != 0);
	}
	assert_false(says_dn_program_listed("cat"));
	assert_false(says_dn_program_listed(""));
	assert_false(says_dn_program_listed("curlx"));
	assert_true(says_dn_program_listed("mysql-dump"));
}

/* The scanner looks only at places where some form may begin. */
static void forms(void **state)
{
	static const char first[] = DN_SECRET_FORM_FIRST;
	bool begun[sizeof(first)] = { false };

	(void)state;
	for (const struct dn_secret_form *f = dn_secret_forms; f->prefix; f++) {
		const char *at = strchr(first, f->prefix[0]);

		assert_non_null(at);
		begun[at - first] = true;
		assert_true(f->min >= 10);	/* less would be a word */
	}
	for (size_t i = 0; i < sizeof(first) - 1; i++)
		assert_true(begun[i]);
}

static void names(void **state)
{
	static const char *const secret[] = {
		"password", "PASSWORD", "Password2", "dbPassword", "DB_PASSWORD", "spring.datasource.password",
		"api-key", "apiKey", "API_KEY", "x-api-key", "accessToken", "AWS_SECRET_ACCESS_KEY",
		"client_secret", "pass", "my_pass", "myPass", "PGPASSWORD", "pw", "root-pw", "psk",
		"Authorization", "proxy-authorization", "set-cookie", "passphrase", "--pwd", "storepass",
		"x2pass", "_token_", "t.o.k.e.n",
	};
	static const char *const harmless[] = {
		"", "-", "123", "passwords", "bypass", "compass", "mypass", "tokenize", "key",
		"secretary", "monkey", "path", "swp", "opw", "cookies", "design", "risk", "authority",
		"passport", "sword",
	};
	char longer[200];

	(void)state;
	for (size_t i = 0; i < N(secret); i++)
		if (!says_dn_secret_name(secret[i]))
			fail_msg("%s is no secret", secret[i]);
	for (size_t i = 0; i < N(harmless); i++)
		if (says_dn_secret_name(harmless[i]))
			fail_msg("%s is a secret", harmless[i]);
	/* of a long name the end counts; what was cut off is not the beginning of a word */
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + 150, "_password", 10);
	assert_true(says_dn_secret_name(longer));
	for (size_t n = 50; n < 80; n++) {
		memset(longer, 'a', sizeof(longer));
		memcpy(longer + n, "pass", 5);
		assert_false(says_dn_secret_name(longer));
		memcpy(longer + n, "_pass", 6);
		assert_true(says_dn_secret_name(longer));
	}
}

static void flags(void **state)
{
	(void)state;
	assert_true(says_dn_flag_name("ask-pass"));
	assert_true(says_dn_flag_name("no-password"));
	assert_true(says_dn_flag_name("ignore-token"));
	assert_false(says_dn_flag_name("no-"));
	assert_false(says_dn_flag_name("nopassword"));
	assert_false(says_dn_flag_name("password"));
	assert_false(says_dn_flag_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(patterns),
		cmocka_unit_test(tables),
		cmocka_unit_test(forms),
		cmocka_unit_test(names),
		cmocka_unit_test(flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
