/*
 * main.c - denet-analyze: options, a verb, a status.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "localnames.h"
#include "options.h"
#include "verbs.h"

/* Output that did not reach its reader is no answer. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		dn_error("write the answer", NULL, strerror(errno), NULL);
		return DN_EXIT_NONE;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct dn_namer *namer = NULL;
	struct dn_options o;
	int status = DN_EXIT_USAGE;

	/* A reader that has seen enough (head) ends us without a word, even
	 * where the caller has SIGPIPE ignored. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);	/* an error of write, which cleans up */
	switch (dn_options_parse(&o, argc, argv, dn_verbs)) {
	case DN_PARSED_RUN:
		status = dn_localnames_open(&o, &namer);
		o.namer = namer;
		if (status == DN_EXIT_OK)
			status = finish(o.verb->run(&o));
		dn_localnames_close(namer);
		break;
	case DN_PARSED_DONE:
		status = finish(DN_EXIT_OK);
		break;
	case DN_PARSED_USAGE:
		break;
	}
	dn_options_free(&o);
	return status;
}
