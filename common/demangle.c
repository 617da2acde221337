/*
 * demangle.c - libiberty's demanglers, each asked for the names that begin as its own do.
 *
 * C++ and Rust hand their output on in parts. Beyond the limit the part is not
 * returned from: longjmp(3) leaves the demangler, which has nothing on the heap then (its
 * tables are on the stack, where it limits them to 2 * DEMANGLE_RECURSION_LIMIT bytes of
 * a name; DMGL_NO_RECURSE_LIMIT would lift that).
 * D's returns a string. How far that may unfold is limited by the number of its back
 * references: each can at most double what there is.
 */
#include "config.h"

#include "demangle.h"

#include <stddef.h>

#ifdef HAVE_LIBIBERTY
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HAVE_DECL_BASENAME 1	/* libiberty.h asks; <string.h> has it */
#ifdef HAVE_LIBIBERTY_DEMANGLE_H
#include <libiberty/demangle.h>
#else
#include <demangle.h>
#endif

#define OPTIONS (DMGL_PARAMS | DMGL_ANSI)
#define D_BACK_REFERENCES_MAX 12
#define D_IN_MAX 2048

struct text {
	char *p;
	size_t len;
	size_t cap;
	jmp_buf enough;
};

static void append(const char *part, size_t len, void *ctx)
{
	struct text *t = ctx;

	if (len > DN_DEMANGLE_OUT_MAX - t->len)
		longjmp(t->enough, 1);
	if (t->len + len + 1 > t->cap) {
		size_t cap = 2 * (t->len + len + 1);
		char *p = realloc(t->p, cap);

		if (!p)
			longjmp(t->enough, 1);
		t->p = p;
		t->cap = cap;
	}
	memcpy(t->p + t->len, part, len);
	t->len += len;
	t->p[t->len] = 0;
}

typedef int (*demangler)(const char *, int, demangle_callbackref, void *);

/* In t->p what f makes of name. */
static bool try(demangler f, const char *name, struct text *t)
{
	t->len = 0;
	if (setjmp(t->enough))
		return false;
	return f(name, OPTIONS, append, t) && t->len;
}

static char *d_name(const char *name)
{
	unsigned references = 0;
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		references += name[i] == 'Q';
	return len > D_IN_MAX || references > D_BACK_REFERENCES_MAX ? NULL : dlang_demangle(name, OPTIONS);
}

char *dn_demangle(const char *name)
{
	size_t len = strnlen(name, DN_DEMANGLE_IN_MAX + 1), head = strcspn(name, "@");
	struct text t = { 0 };
	char *alone = NULL;
	bool done = false;

	/* _Z, __Z, _R, _D, _GLOBAL_ for constructors of a file */
	if (len > DN_DEMANGLE_IN_MAX || name[0] != '_')
		return NULL;
	alone = strndup(name, head);
	if (!alone)
		return NULL;
	if (alone[1] == 'D') {
		t.p = d_name(alone);
		done = t.p;
		t.len = done ? strlen(t.p) : 0;
		t.cap = done ? t.len + 1 : 0;
		done = done && t.len <= DN_DEMANGLE_OUT_MAX;
	} else {
		/* Rust's first: a legacy name is one of C++ too. */
		done = try(rust_demangle_callback, alone, &t) || try(cplus_demangle_v3_callback, alone, &t);
	}
	free(alone);
	if (done && name[head]) {
		char *p = realloc(t.p, t.len + len - head + 1);

		done = p;
		if (p) {
			t.p = p;
			memcpy(p + t.len, name + head, len - head + 1);
		}
	}
	if (!done) {
		free(t.p);
		return NULL;
	}
	return t.p;
}
#else
char *dn_demangle(const char *name)
{
	(void)name;
	return NULL;
}
#endif
