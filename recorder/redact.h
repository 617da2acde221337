/*
 * redact.h - takes what looks like a secret out of argument lists and command
 * lines before they reach the disk.
 *
 * Found are: values of names that end in password, token, secret, api_key and
 * the like, as NAME=VALUE, "NAME": "VALUE", NAME: VALUE, --NAME VALUE or
 * --NAME=VALUE, in upper or lower case; the options that carry a password in
 * some fifty programs (mysql -pX, sshpass -p X, curl -u user:X, openssl
 * pass:X ...); the password in scheme://user:password@host; Authorization
 * headers; SQL's IDENTIFIED BY 'X' and PASSWORD 'X'; tokens known by their
 * form (AWS, GitHub, GitLab, Slack, Stripe, Google, JWT); PEM private keys.
 * Arguments that are command lines themselves (sh -c '...') are read as such.
 *
 * It errs on the side of hiding: a harmless value may go. It cannot know every
 * secret: a bare password as an argument of an unknown program stays.
 *
 * Pure functions over memory of the caller, any thread; linear in the length.
 * in and out may not overlap.
 */
#ifndef DN_RECORDER_REDACT_H
#define DN_RECORDER_REDACT_H

#include <stddef.h>

#define DN_REDACTED "[redacted]"

/* Bytes that are looked at; of a longer text only these are kept. */
#define DN_REDACT_MAX 65536

/*
 * Copies a list of arguments, each ended by a NUL, with every secret replaced
 * by DN_REDACTED. If the last has no NUL the list is taken as cut there, and a
 * secret cut in the middle is one too. Writes at most cap bytes and returns
 * how many; *count grows by the secrets replaced (it may be NULL).
 *
 * The result may be longer than the text was. Where it is cut at cap, its last
 * byte may not be a NUL.
 */
size_t dn_redact_argv(const char *in, size_t len, char *out, size_t cap, unsigned *count);

/* The same for one text that is a command line or part of one, such as a
 * shell-quoted list. */
size_t dn_redact_text(const char *in, size_t len, char *out, size_t cap, unsigned *count);

#endif
