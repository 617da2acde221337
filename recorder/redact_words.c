/*
 * redact_words.c - which names, programs and forms carry secrets.
 *
 * Options are those of the programs' manual pages. To add a program, add a
 * line, and a case to tests/unit/test_redact.c.
 */
#include "redact_words.h"

#include <string.h>

const struct dn_secret_option dn_secret_options[] = {
	/* clang-format off */
	{ "mysql*",	"p", DN_OPTION_GLUED, 0, "ABCEGHLNXbcfijnoqrstvwKVI", NULL },
	{ "mariadb*",	"p", DN_OPTION_GLUED, 0, "ABCEGHLNXbcfijnoqrstvwKVI", NULL },
	{ "mytop",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "mycli",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "mongo*",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "redis-cli",	"a", DN_OPTION_EITHER, 0, "", NULL },
	{ "redis-benchmark", "a", DN_OPTION_EITHER, 0, "", NULL },
	{ "cqlsh",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "sqlcmd",	"P", DN_OPTION_EITHER, 0, "", NULL },
	{ "bcp",	"P", DN_OPTION_EITHER, 0, "", NULL },
	{ "isql",	"P", DN_OPTION_EITHER, 0, "", NULL },
	{ "tsql",	"P", DN_OPTION_EITHER, 0, "", NULL },
	{ "influx",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "sshpass",	"p", DN_OPTION_EITHER, 0, "v", NULL },
	{ "curl",	"u", DN_OPTION_EITHER, ':', "0123456#BGIJLMNORSVafgijklnpqsv", NULL },
	{ "curl",	"U", DN_OPTION_EITHER, ':', "0123456#BGIJLMNORSVafgijklnpqsv", NULL },
	{ "curl",	"user", 0, ':', "", NULL },
	{ "curl",	"proxy-user", 0, ':', "", NULL },
	{ "curl",	"oauth2-bearer", 0, 0, "", NULL },
	{ "curl",	"b", DN_OPTION_EITHER, '=', "0123456#BGIJLMNORSVafgijklnpqsv", NULL },
	{ "http",	"a", DN_OPTION_EITHER, ':', "", NULL },
	{ "https",	"a", DN_OPTION_EITHER, ':', "", NULL },
	{ "http",	"auth", 0, ':', "", NULL },
	{ "https",	"auth", 0, ':', "", NULL },
	{ "xh",		"a", DN_OPTION_EITHER, ':', "", NULL },
	{ "ab",		"A", DN_OPTION_EITHER, ':', "", NULL },
	{ "ab",		"P", DN_OPTION_EITHER, ':', "", NULL },
	{ "lftp",	"u", DN_OPTION_EITHER, ',', "", NULL },
	{ "lftp",	"user", 0, ',', "", NULL },
	{ "smbclient",	"U", DN_OPTION_EITHER, '%', "", NULL },
	{ "smbclient",	"user", 0, '%', "", NULL },
	{ "rpcclient",	"U", DN_OPTION_EITHER, '%', "", NULL },
	{ "net",	"U", DN_OPTION_EITHER, '%', "", NULL },
	{ "docker",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "podman",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "nerdctl",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "buildah",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "skopeo",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "oras",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "helm",	"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "oc",		"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "az",		"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "cf",		"p", DN_OPTION_EITHER, 0, "", "login" },
	{ "skopeo",	"creds", 0, ':', "", NULL },
	{ "skopeo",	"src-creds", 0, ':', "", NULL },
	{ "skopeo",	"dest-creds", 0, ':', "", NULL },
	{ "podman",	"creds", 0, ':', "", NULL },
	{ "buildah",	"creds", 0, ':', "", NULL },
	{ "ldap*",	"w", DN_OPTION_EITHER, 0, "AcnNvMPxWI", NULL },
	{ "kinit",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "kadmin*",	"w", DN_OPTION_EITHER, 0, "", NULL },
	{ "zip",	"P", DN_OPTION_EITHER, 0, "rqjmuveT0123456789", NULL },
	{ "unzip",	"P", DN_OPTION_EITHER, 0, "oqjnuptlC", NULL },
	{ "7z*",	"p", DN_OPTION_GLUED, 0, "", NULL },
	{ "rar",	"p", DN_OPTION_GLUED, 0, "h", NULL },
	{ "unrar",	"p", DN_OPTION_GLUED, 0, "", NULL },
	{ "useradd",	"p", DN_OPTION_EITHER, 0, "mrUM", NULL },
	{ "usermod",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "groupadd",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "ipmitool",	"P", DN_OPTION_EITHER, 0, "", NULL },
	{ "snmp*",	"A", DN_OPTION_EITHER, 0, "", NULL },
	{ "snmp*",	"X", DN_OPTION_EITHER, 0, "", NULL },
	{ "snmp*",	"c", DN_OPTION_EITHER, 0, "", NULL },
	{ "openssl",	"k", DN_OPTION_NEXT, 0, "", NULL },
	{ "openssl",	"K", DN_OPTION_NEXT, 0, "", NULL },
	{ "rdesktop",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ "xfreerdp",	"p", DN_OPTION_EITHER, 0, "", NULL },
	{ NULL, NULL, 0, 0, NULL, NULL },
	/* clang-format on */
};

const struct dn_secret_word dn_secret_words[] = {
	{ "aws", "aws_secret_access_key" },
	{ "aws", "aws_session_token" },
	{ "mysqladmin", "password" },
	{ "mariadb-admin", "password" },
	{ "nmcli", "password" },
	{ "nmcli", "wifi-sec.psk" },
	{ "nmcli", "802-11-wireless-security.psk" },
	{ "redis-cli", "auth" },
	{ "redis-cli", "AUTH" },
	{ NULL, NULL },
};

/* clang-format off */
static const char *const wrappers[] = {
	"chroot", "chrt", "denet-record", "docker", "doas", "env", "exec", "faketime", "flock",
	"gdb", "heaptrack", "ionice", "kubectl", "ltrace", "lxc", "nerdctl", "nice", "nohup",
	"nsenter", "numactl", "oc", "parallel", "perf", "pkexec", "podman", "prlimit", "rr",
	"runcon", "script", "setarch", "setpriv", "setsid", "sshpass", "stdbuf", "strace",
	"sudo", "systemd-run", "taskset", "time", "timeout", "unshare", "valgrind", "watch",
	"xargs",
};

static const char *const shells[] = {
	"ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "runuser",
	"sh", "su", "tcsh", "yash", "zsh",
};

static const char *const remotes[] = {
	"autossh", "dsh", "eval", "mosh", "pdsh", "rsh", "ssh",
};
/* clang-format on */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool dn_program_matches(const char *pattern, const char *p, size_t len)
{
	size_t n;

	if (!len || *pattern != *p)	/* nearly always: this is asked for every line */
		return false;
	n = strlen(pattern);
	if (pattern[n - 1] != '*')
		return len == n && !memcmp(p, pattern, n);
	n--;
	if (len < n || memcmp(p, pattern, n))
		return false;
	/* not mysql.sock, not mongodb-7.0.tar */
	for (; n < len; n++)
		if (!is_lower(p[n]) && p[n] != '-' && p[n] != '_')
			return false;
	return true;
}

static bool among(const char *const list[], size_t n, const char *p, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (dn_program_matches(list[i], p, len))
			return true;
	return false;
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum dn_program_kind dn_program_kind(const char *p, size_t len)
{
	if (among(shells, N(shells), p, len))
		return DN_PROGRAM_SHELL;
	if (among(remotes, N(remotes), p, len))
		return DN_PROGRAM_REMOTE;
	if (among(wrappers, N(wrappers), p, len))
		return DN_PROGRAM_WRAPPER;
	return DN_PROGRAM_PLAIN;
}

bool dn_program_listed(const char *p, size_t len)
{
	for (const struct dn_secret_option *o = dn_secret_options; o->program; o++)
		if (dn_program_matches(o->program, p, len))
			return true;
	for (const struct dn_secret_word *w = dn_secret_words; w->program; w++)
		if (dn_program_matches(w->program, p, len))
			return true;
	return false;
}

/*
 * Names are compared without '-', '_' and '.', in lower case, by their ends:
 * DB_PASSWORD, spring.datasource.password and dbPassword are all "password".
 * `whole` words must begin a word of the name: "pass", but not "bypass" or
 * "compass".
 */
#define END(text) { text, sizeof(text) - 1, false }
#define WORD(text) { text, sizeof(text) - 1, true }
static const struct {
	const char *end;
	size_t len;
	bool whole;
} secret_names[] = {
	/* clang-format off */
	END("password"), END("passwd"), END("requirepass"), END("masterauth"), END("passphrase"), END("passcode"),
	END("passwort"), END("pwd"), END("secret"), END("token"),
	END("apikey"), END("accesskey"), END("secretkey"),
	END("privatekey"), END("accountkey"), END("authkey"),
	END("signingkey"), END("encryptionkey"), END("masterkey"),
	END("credential"), END("credentials"), END("accesssignature"),
	WORD("signature"), END("authorization"), WORD("cookie"),
	END("storepass"), END("keypass"), END("sshpass"), END("dbpass"),
	END("userpass"), END("rootpass"), END("adminpass"),
	END("smtppass"), END("ftppass"), WORD("passin"), WORD("passout"),
	WORD("pass"), WORD("pw"), WORD("psk"), WORD("sig"), WORD("bearer"),
	/* clang-format on */
};
#undef END
#undef WORD

bool dn_secret_name(const char *p, size_t len)
{
	char name[64];
	bool begins[sizeof(name)];
	size_t n = 0;
	bool gap = true;
	char before = 0;

	while (len && is_digit(p[len - 1]))	/* password2 */
		len--;
	if (len > sizeof(name)) {		/* only its end counts */
		p += len - sizeof(name);
		len = sizeof(name);
		gap = false;
	}
	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (c == '-' || c == '_' || c == '.') {
			gap = true;
			continue;
		}
		begins[n] = gap || (is_upper(c) && is_lower(before)) || is_digit(before);
		before = c;
		name[n++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
		gap = false;
	}
	for (size_t i = 0; i < N(secret_names); i++) {
		size_t k = secret_names[i].len;

		if (n >= k && name[n - 1] == secret_names[i].end[k - 1] &&
		    !memcmp(name + n - k, secret_names[i].end, k) &&
		    (!secret_names[i].whole || begins[n - k]))
			return true;
	}
	return false;
}

bool dn_flag_name(const char *p, size_t len)
{
	static const char *const starts[] = { "no-",   "ask-",	"prompt-", "require-", "skip-",
					      "show-", "hide-", "disable-", "enable-", "without-",
					      "allow-", "ignore-" };

	for (size_t i = 0; i < N(starts); i++)
		if (len > strlen(starts[i]) && !memcmp(p, starts[i], strlen(starts[i])))
			return true;
	return false;
}

/* Published by those who hand the tokens out, for scanners such as this. */
const struct dn_secret_form dn_secret_forms[] = {
	/* clang-format off */
	{ "AKIA", 16, "", true }, { "ASIA", 16, "", true },	/* AWS access key ids */
	{ "ABIA", 16, "", true }, { "ACCA", 16, "", true },
	{ "ghp_", 20, "", false }, { "gho_", 20, "", false },	/* GitHub */
	{ "ghu_", 20, "", false }, { "ghs_", 20, "", false },
	{ "ghr_", 20, "", false }, { "github_pat_", 20, "_", false },
	{ "glpat-", 16, "_-", false },				/* GitLab */
	{ "xoxa-", 10, "-", false }, { "xoxb-", 10, "-", false },	/* Slack */
	{ "xoxp-", 10, "-", false }, { "xoxr-", 10, "-", false }, { "xoxs-", 10, "-", false },
	{ "sk_live_", 10, "", false }, { "rk_live_", 10, "", false },	/* Stripe */
	{ "sk-", 32, "_-", false },				/* OpenAI and others */
	{ "AIza", 30, "_-", false },				/* Google */
	{ "npm_", 30, "", false }, { "pypi-", 40, "_-", false },
	{ "hvs.", 20, "_-", false },				/* Vault */
	{ "dop_v1_", 40, "", false },				/* DigitalOcean */
	{ "SG.", 40, "._-", false },				/* SendGrid */
	{ "eyJ", 17, "._-", false },				/* JSON in base64: JWT */
	{ NULL, 0, NULL, false },
	/* clang-format on */
};
