/*
 * tools.h - programs of this machine that a test asks or has something made by.
 */
#ifndef DN_TESTS_TOOLS_H
#define DN_TESTS_TOOLS_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool have(const char *tool)
{
	char cmd[200];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null 2>&1", tool);
	if (!system(cmd))
		return true;
	print_message("skipped: there is no %s\n", tool);
	return false;
}

/* Skips the test without one of them, or where no names of ELF files are built in. */
static void need(const char *tools)
{
	char list[200], *save = NULL;

#ifndef HAVE_LIBELF
	print_message("skipped: built without libelf\n");
	skip();
#endif
	snprintf(list, sizeof(list), "%s", tools);
	for (char *t = strtok_r(list, " ", &save); t; t = strtok_r(NULL, " ", &save))
		if (!have(t))
			skip();
}

static void run(const char *cmd)
{
	if (system(cmd))
		fail_msg("%s", cmd);
}

static const char *cc(void)
{
	const char *s = getenv("CC");

	return s && *s ? s : "cc";
}

#endif
