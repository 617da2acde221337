/*
 * scratch.h - a directory of its own for each test: setup and teardown for
 * cmocka. The test runs in it.
 */
#ifndef DN_TESTS_SCRATCH_H
#define DN_TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[64];

static int scratch_setup(void **state)
{
	(void)state;
	strcpy(scratch, "/tmp/denet-test-XXXXXX");
	return !mkdtemp(scratch) || chdir(scratch);
}

static int scratch_teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", scratch);
	return chdir("/") || system(cmd);
}

#endif
