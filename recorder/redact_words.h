/*
 * redact_words.h - which names, programs and forms carry secrets: the tables of
 * redact.c. Constant data, any thread.
 */
#ifndef DN_RECORDER_REDACT_WORDS_H
#define DN_RECORDER_REDACT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* What a program's name tells about the words after it. */
enum dn_program_kind {
	DN_PROGRAM_PLAIN,
	DN_PROGRAM_WRAPPER,	/* runs another program named in its arguments (sudo, env) */
	DN_PROGRAM_SHELL,	/* a wrapper that takes a command line after -c (sh, su) */
	DN_PROGRAM_REMOTE,	/* a wrapper whose arguments are command lines (ssh) */
};

/* How an option of a program gives its secret. */
enum dn_option_form {
	DN_OPTION_GLUED = 1 << 0,	/* -pX */
	DN_OPTION_NEXT = 1 << 1,	/* -p X */
	DN_OPTION_EITHER = DN_OPTION_GLUED | DN_OPTION_NEXT,
};

struct dn_secret_option {
	const char *program;	/* ends in '*': letters, '-' and '_' may follow */
	const char *name;	/* one letter: after '-'; more: after '--', also with '=' */
	unsigned form;		/* enum dn_option_form; of one-letter names only */
	char split;		/* only what follows this character is secret; 0: all */
	const char *flags;	/* letters without value that may stand before it: -sSu X */
	const char *after;	/* only after this word (docker login); NULL: always */
};

/* Ends with program NULL; several lines of a program all hold. */
extern const struct dn_secret_option dn_secret_options[];

/* Words of a program after which the next word is secret. */
struct dn_secret_word {
	const char *program, *word;
};
extern const struct dn_secret_word dn_secret_words[];

enum dn_program_kind dn_program_kind(const char *p, size_t len);

/* True if the program has options or words of its own in the tables above. */
bool dn_program_listed(const char *p, size_t len);

bool dn_program_matches(const char *pattern, const char *p, size_t len);

/* True if a value of this name is secret: DB_PASSWORD, accessToken, api-key. */
bool dn_secret_name(const char *p, size_t len);

/* True if --NAME takes no value though the name looks secret: --ask-pass. */
bool dn_flag_name(const char *p, size_t len);

/* Tokens known by how they begin. */
struct dn_secret_form {
	const char *prefix;
	unsigned min;		/* characters that must follow */
	const char *more;	/* what may follow besides letters and digits */
	bool upper;		/* only capitals and digits follow */
};
extern const struct dn_secret_form dn_secret_forms[];
#define DN_SECRET_FORM_FIRST "AgxsrnphdSe"	/* what their prefixes begin with */

#endif
