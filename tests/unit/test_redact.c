/*
 * Redaction: what must go, what must stay, and that no input whatever makes it
 * read or write beyond its buffers, or take more than linear time.
 *
 * Lists are written with '|' for the NUL that ends each argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "numbers.h"
#include "redact.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define R DN_REDACTED

struct pair {
	const char *in, *out;
};

/* Buffers of the exact size, so that the sanitizer sees one byte too many. */
static char *exact(const char *text, size_t *len)
{
	char *p;

	*len = strlen(text);
	p = malloc(*len ? *len : 1);
	assert_non_null(p);
	for (size_t i = 0; i < *len; i++)
		p[i] = text[i];
	for (size_t i = 0; i < *len; i++)
		if (p[i] == '|')
			p[i] = '\0';
	return p;
}

static unsigned occurrences(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void check_one(const char *text, const char *want)
{
	size_t len, n;
	char *in = exact(text, &len), *out = malloc(strlen(want) + 64);
	unsigned count = 7;

	assert_non_null(out);
	n = dn_redact_argv(in, len, out, strlen(want) + 63, &count);
	for (size_t i = 0; i < n; i++)
		if (!out[i])
			out[i] = '|';
	out[n] = '\0';
	assert_string_equal(out, want);
	assert_int_equal(count - 7, occurrences(want, R));
	free(in);
	free(out);
}

static void check(const struct pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_one(p[i].in, p[i].out);
}

static void programs(void **state)
{
	static const struct pair p[] = {
		{ "mysql|-psecret|db|", "mysql|-p" R "|db|" },
		{ "mysql|-u|root|-p|db|", "mysql|-u|root|-p|db|" },
		{ "mysql|-uroot|-NBpsecret|db|", "mysql|-uroot|-NBp" R "|db|" },
		{ "/usr/bin/mysqldump|-pabc|--password=xyz|d|",
		  "/usr/bin/mysqldump|-p" R "|--password=" R "|d|" },
		{ "mysqladmin|-u|root|password|new|", "mysqladmin|-u|root|password|" R "|" },
		{ "mariadb|-ps3|", "mariadb|-p" R "|" },
		{ "curl|-u|user:pass|http://h/|", "curl|-u|user:" R "|http://h/|" },
		{ "curl|-sSu|bob:pw|h|", "curl|-sSu|bob:" R "|h|" },
		{ "curl|--user=bob:pw|h|", "curl|--user=bob:" R "|h|" },
		{ "curl|--proxy-user|bob:pw|-u|justname|", "curl|--proxy-user|bob:" R "|-u|justname|" },
		{ "sshpass|-p|X|ssh|host|ls|", "sshpass|-p|" R "|ssh|host|ls|" },
		{ "sshpass|-pX|ssh|host|", "sshpass|-p" R "|ssh|host|" },
		{ "openssl|enc|-pass|pass:foo|-in|x|", "openssl|enc|-pass|pass:" R "|-in|x|" },
		{ "openssl|rsa|-passin|file:/x|-passout|env:P|", "openssl|rsa|-passin|file:/x|-passout|env:P|" },
		{ "openssl|enc|-k|word|", "openssl|enc|-k|" R "|" },
		{ "redis-cli|-a|pw|ping|", "redis-cli|-a|" R "|ping|" },
		{ "docker|login|-u|u|-p|pw|reg|", "docker|login|-u|u|-p|" R "|reg|" },
		{ "docker|run|-p|80:80|nginx|", "docker|run|-p|80:80|nginx|" },
		{ "ldapsearch|-x|-w|pw|-D|cn=x|", "ldapsearch|-x|-w|" R "|-D|cn=x|" },
		{ "smbclient|-U|dom/u%pw|//h/s|", "smbclient|-U|dom/u%" R "|//h/s|" },
		{ "nmcli|dev|wifi|connect|S|password|pw|", "nmcli|dev|wifi|connect|S|password|" R "|" },
		{ "aws|configure|set|aws_secret_access_key|abc|",
		  "aws|configure|set|aws_secret_access_key|" R "|" },
		/* run by another */
		{ "sudo|-u|root|mysql|-ppw|", "sudo|-u|root|mysql|-p" R "|" },
		{ "sudo|env|A=b|mysql|-ppw|", "sudo|env|A=b|mysql|-p" R "|" },
		{ "denet-record|-o|x|--|mysql|-ppw|", "denet-record|-o|x|--|mysql|-p" R "|" },
		{ "ssh|host|mysql|-ppw|", "ssh|host|mysql|-p" R "|" },
		{ "-bash|-c|mysql -ppw|", "-bash|-c|mysql -p" R "|" },
	};

	(void)state;
	check(p, N(p));
}

static void names(void **state)
{
	static const struct pair p[] = {
		{ "x|password=a|Passwd=a|PWD=a|pwd=a|SECRET=a|", "x|password=" R "|Passwd=" R "|PWD=" R
		  "|pwd=" R "|SECRET=" R "|" },
		{ "x|token=a|api_key=a|apikey=a|access_key=a|api-key=a|", "x|token=" R "|api_key=" R
		  "|apikey=" R "|access_key=" R "|api-key=" R "|" },
		{ "x|--password|a|--password=b|-password|c|", "x|--password|" R "|--password=" R
		  "|-password|" R "|" },
		{ "x|--token|a|--client-secret|-dash|", "x|--token|" R "|--client-secret|" R "|" },
		{ "x|--password|--verbose|-p|", "x|--password|--verbose|-p|" },
		{ "x|--ask-pass|host|--no-password|db|", "x|--ask-pass|host|--no-password|db|" },
		{ "env|PGPASSWORD=a b|psql|", "env|PGPASSWORD=" R "|psql|" },
		{ "MYSQL_PWD=a|AWS_SECRET_ACCESS_KEY=b|AWS_SESSION_TOKEN=c|SSHPASS=d|",
		  "MYSQL_PWD=" R "|AWS_SECRET_ACCESS_KEY=" R "|AWS_SESSION_TOKEN=" R "|SSHPASS=" R "|" },
		{ "java|-Ddb.password=a|-storepass|b|-DkeyStorePassword=c|",
		  "java|-Ddb.password=" R "|-storepass|" R "|-DkeyStorePassword=" R "|" },
		{ "kubectl|--from-literal=password=a b&c|", "kubectl|--from-literal=password=" R "|" },
		{ "psql|host=h password=abc user=u|", "psql|host=h password=" R " user=u|" },
		{ "x|Server=a;Password=b;Database=c|", "x|Server=a;Password=" R ";Database=c|" },
		{ "x|Server=a;Password=b;c&d|", "x|Server=a;Password=" R "|" },
		{ "mount|-o|user=u,password=p,vers=3|", "mount|-o|user=u,password=" R ",vers=3|" },
		{ "curl|-d|{\"user\": \"x\", \"password\": \"a \\\" b\", \"n\": 1}|",
		  "curl|-d|{\"user\": \"x\", \"password\": \"" R "\", \"n\": 1}|" },
		{ "curl|-d|{'token' : 'a'}|", "curl|-d|{'token' : '" R "'}|" },
		{ "x|foo password = bar baz|", "x|foo password = " R " baz|" },
		{ "x|secret => 'a'|", "x|secret => '" R "'|" },
		/* nothing there, or no secret */
		{ "x|password=|--token=|", "x|password=|--token=|" },
		{ "PWD=/home/x|OLDPWD=/|", "PWD=/home/x|OLDPWD=/|" },
		{ "x|bypass=1|compass=2|max_tokens=5|--tokens|3|token_ttl=5|keyboard=us|",
		  "x|bypass=1|compass=2|max_tokens=5|--tokens|3|token_ttl=5|keyboard=us|" },
		{ "x|--password-file|/x|--token-file=/y|", "x|--password-file|/x|--token-file=/y|" },
		{ "docker|run|-v|/run/secrets/token:/token:ro|i|", "docker|run|-v|/run/secrets/token:/token:ro|i|" },
		{ "find|/var/lib/mysql|-print|", "find|/var/lib/mysql|-print|" },
		{ "mkdir|-p|a|", "mkdir|-p|a|" },
		{ "gcc|-pipe|-O2|-o|x|x.c|", "gcc|-pipe|-O2|-o|x|x.c|" },
	};

	(void)state;
	check(p, N(p));
}

static void headers_and_urls(void **state)
{
	static const struct pair p[] = {
		{ "curl|-H|Authorization: Bearer abc.def|", "curl|-H|Authorization: Bearer " R "|" },
		{ "curl|-H|authorization: basic YTpi|", "curl|-H|authorization: basic " R "|" },
		{ "curl|-HAuthorization: abc def|", "curl|-HAuthorization: " R "|" },
		{ "git|-c|http.extraheader=AUTHORIZATION: basic abcd|fetch|",
		  "git|-c|http.extraheader=AUTHORIZATION: basic " R "|fetch|" },
		{ "curl|-H|X-Api-Key: abc def|", "curl|-H|X-Api-Key: " R "|" },
		{ "curl|-H|Cookie: a=b; c=d|", "curl|-H|Cookie: " R "|" },
		{ "x|say Bearer abcdefgh now|", "x|say Bearer " R " now|" },
		{ "x|Bearer of news|", "x|Bearer of news|" },
		{ "psql|postgres://u:p@h/db|", "psql|postgres://u:" R "@h/db|" },
		{ "psql|postgres://u:p/w@x@h/db|", "psql|postgres://u:" R "@h/db|" },
		{ "curl|https://u:p@h/x?token=a&b=c|", "curl|https://u:" R "@h/x?token=" R "&b=c|" },
		{ "git|clone|https://abcdefghijklmnopqrst0123@github.com/x|",
		  "git|clone|https://" R "@github.com/x|" },
		{ "git|clone|ssh://git@github.com:22/x|http://h:8080/a@b|http://[::1]:80/a@b|",
		  "git|clone|ssh://git@github.com:22/x|http://h:8080/a@b|http://[::1]:80/a@b|" },
		{ "x|redis://:pw@h:6379/0|amqp://a:b@c,d:e@f|", "x|redis://:" R "@h:6379/0|amqp://a:" R "@f|" },
	};

	(void)state;
	check(p, N(p));
}

static void forms(void **state)
{
	static const struct pair p[] = {
		{ "x|AKIAIOSFODNN7EXAMPLE|AKIASHORT|", "x|" R "|AKIASHORT|" },
		{ "x|id:ASIAIOSFODNN7EXAMPLE,|", "x|id:" R ",|" },
		{ "x|ghp_abcdefghijklmnopqrst0123|aghp_abcdefghijklmnopqrst0123|",
		  "x|" R "|aghp_abcdefghijklmnopqrst0123|" },
		{ "x|eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln|", "x|" R "|" },
		{ "x|-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----|",
		  "x|-----BEGIN RSA PRIVATE KEY-----" R "-----END RSA PRIVATE KEY-----|" },
		{ "x|-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----|",
		  "x|-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----|" },
		{ "mysql|-e|ALTER USER x IDENTIFIED BY 'pw'; CREATE ROLE y PASSWORD 'z'|",
		  "mysql|-e|ALTER USER x IDENTIFIED BY '" R "'; CREATE ROLE y PASSWORD '" R "'|" },
		{ "mysql|-e|set password for x = PASSWORD('a b')|",
		  "mysql|-e|set password for x = PASSWORD('" R "')|" },
	};

	(void)state;
	check(p, N(p));
}

static void nested(void **state)
{
	static const struct pair p[] = {
		{ "sh|-c|mysql --password=x db; y|", "sh|-c|mysql --password=" R " db; y|" },
		{ "bash|-lc|PGPASSWORD=a psql -h h; echo done|",
		  "bash|-lc|PGPASSWORD=" R " psql -h h; echo done|" },
		{ "sh|-c|mysql -u root -p'my pw' db|", "sh|-c|mysql -u root -p'" R "' db|" },
		{ "sh|-c|curl -H 'Authorization: Basic abc' -u 'a:b c' x|",
		  "sh|-c|curl -H 'Authorization: Basic " R "' -u 'a:" R "' x|" },
		{ "sh|-c|a && TOKEN=\"x y\" b; c $(d --token e)|",
		  "sh|-c|a && TOKEN=\"" R "\" b; c $(d --token " R ")|" },
		{ "ssh|h|sudo mysql -ppw -e \"select 1\"|", "ssh|h|sudo mysql -p" R " -e \"select 1\"|" },
		{ "su|-c|mysql -pfoo|bob|", "su|-c|mysql -p" R "|bob|" },
		{ "sh|-c|sh -c \"sh -c 'mysql -pfoo'\"|", "sh|-c|sh -c \"sh -c 'mysql -p" R "'\"|" },
		{ "sh|-c|curl -d \"{\\\"password\\\": \\\"a b\\\"}\" h|",
		  "sh|-c|curl -d \"{\\\"password\\\": \\\"" R "\\\"}\" h|" },
		{ "x|don't --password abc|", "x|don't --password " R "|" },
		{ "flock|/l|-c|--command=mysql -pfoo|", "flock|/l|-c|--command=mysql -p" R "|" },
	};

	(void)state;
	check(p, N(p));
}

static void cut(void **state)
{
	static const struct pair p[] = {
		{ "curl|https://user:pas", "curl|https://user:" R },
		{ "curl|https://user:12", "curl|https://user:" R },
		{ "curl|-H|Authorization: Bearer ey", "curl|-H|Authorization: Bearer " R },
		{ "x|eyJhbGc", "x|" R },
		{ "x|AKIAIOSF", "x|" R },
		{ "mysql|-psec", "mysql|-p" R },
		{ "x|--password|ab", "x|--password|" R },
		{ "x|PGPASSWORD=a", "x|PGPASSWORD=" R },
		{ "sh|-c|mysql --password='a b", "sh|-c|mysql --password='" R },
		{ "x|-----BEGIN PRIVATE KEY-----\nab", "x|-----BEGIN PRIVATE KEY-----" R },
		{ "x|--passw", "x|--passw" },
		{ "x", "x" },
		{ "", "" },
	};

	(void)state;
	check(p, N(p));
}

static void text(void **state)
{
	static const struct pair p[] = {
		{ "mysql -psecret db", "mysql -p" R " db" },
		{ "sudo mysql '--password=a b' db", "sudo mysql '--password=" R "' db" },
		{ "env TOKEN=a b", "env TOKEN=" R " b" },
		{ "/usr/bin:/bin", "/usr/bin:/bin" },
		{ "password = x", "password = " R },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < N(p); i++) {
		size_t n = dn_redact_text(p[i].in, strlen(p[i].in), out, sizeof(out) - 1, NULL);

		out[n] = '\0';
		assert_string_equal(out, p[i].out);
	}
}

/* What is redacted once comes out the same the second time. */
static void again(void **state)
{
	static const char in[] = "mysql\0-pa\0--password=b\0https://u:p@h/\0Authorization: Bearer c\0"
				 "sh\0-c\0TOKEN='a b' x";
	char a[512], b[512];
	size_t n = dn_redact_argv(in, sizeof(in), a, sizeof(a), NULL), m;

	(void)state;
	m = dn_redact_argv(a, n, b, sizeof(b), NULL);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
}

static void small_output(void **state)
{
	static const char in[] = "mysql\0-psecret\0db";
	static const char want[] = "mysql\0-p" R "\0db";

	(void)state;
	for (size_t cap = 0; cap < sizeof(want) + 3; cap++) {
		char *out = malloc(cap ? cap : 1);
		size_t n = dn_redact_argv(in, sizeof(in), out, cap, NULL);

		assert_int_equal(n, cap < sizeof(want) ? cap : sizeof(want));
		assert_memory_equal(out, want, n);
		free(out);
	}
}

/* Every prefix of some list, and random mixtures of its pieces. */
static void any_bytes(void **state)
{
	static const char *const pieces[] = {
		"mysql", "-p", "--password", "=", ":", "://", "@", "'", "\"", "\\", " ", "\n", "|", "&",
		"token", "Authorization", "Bearer ", "eyJ", "AKIA", "sh", "-c", "(", "$", ";", "PWD=/",
		"identified ", " by ", "password ", "-----BEGIN ", "-----", "PRIVATE KEY", "\xff", "a1",
		"curl", "-u", "{", ",", "pass:", "login", "docker", "#", "[", "%",
	};
	uint64_t rnd = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char buf[256], *in, *out;
		size_t len = 0, n;
		unsigned count = 0;

		while (len < sizeof(buf) - 20) {
			size_t k;
			const char *piece;

			xorshift(&rnd);
			if (rnd % 29 == 0)
				break;
			piece = pieces[rnd / 29 % N(pieces)];
			k = strlen(piece);
			memcpy(buf + len, piece, k);
			len += k;
		}
		for (size_t i = 0; i < len; i++)
			if (buf[i] == '|')
				buf[i] = '\0';
		in = malloc(len + !len);
		out = malloc(10 * len + 1);
		memcpy(in, buf, len);
		n = dn_redact_argv(in, len, out, 10 * len, &count);
		assert_true(n <= 10 * len);
		assert_true(count || (n == len && !memcmp(in, out, n)));
		/* arguments stay apart */
		count = 0;
		for (size_t i = 0; i < len; i++)
			count += !in[i];
		for (size_t i = 0; i < n; i++)
			count -= !out[i];
		assert_int_equal(count, 0);
		dn_redact_text(in, len, out, 10 * len, NULL);
		free(in);
		free(out);
	}
}

/* Texts made to be slow: a square would take minutes. */
static void linear(void **state)
{
	static const char *const units[] = {
		"://", "://a:b/", "password=", "a=", "'", "\"'", "\\", "-----BEGIN ", "eyJ.", "& ",
		"password ", "password '", "identified ", "bearer ", "(", " -", "sh -c '", "=:", "\\\"",
		"token: \\'", "a:", "sk-", "& a", "'\"a b", "://a:b/ ", "pwd=&", "secret='", "`",
	};
	size_t len = DN_REDACT_MAX;
	char *in = malloc(len), *out = malloc(8 * len);

	(void)state;
	for (size_t i = 0; i < N(units); i++) {
		for (int with_nul = 0; with_nul < 2; with_nul++) {
			clock_t from = clock();
			double took;

			for (size_t k = 0; k < len; k++)
				in[k] = units[i][k % strlen(units[i])];
			if (with_nul)
				in[len - 1] = '\0';
			dn_redact_argv(in, len, out, 8 * len, NULL);
			dn_redact_text(in, len, out, 8 * len, NULL);
			took = (double)(clock() - from) / CLOCKS_PER_SEC;
			if (took > 1)
				print_error("\"%s\" took %.1f s\n", units[i], took);
			assert_true(took < 5);
		}
	}
	/* what lies beyond the limit is not kept */
	assert_int_equal(dn_redact_argv(in, len, out, 8 * len, NULL) > 0, 1);
	free(in);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs),
		cmocka_unit_test(names),
		cmocka_unit_test(headers_and_urls),
		cmocka_unit_test(forms),
		cmocka_unit_test(nested),
		cmocka_unit_test(cut),
		cmocka_unit_test(text),
		cmocka_unit_test(again),
		cmocka_unit_test(small_output),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
