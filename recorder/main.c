/*
 * main.c - denet-record: options, recording, exit status.
 */
#include <stdlib.h>

#include "options.h"
#include "recording.h"
#include "target.h"

int main(int argc, char **argv)
{
	struct dn_record_opts o;
	int status = dn_record_options(&o, argc, argv);

	if (status)
		return status - 1;
	dn_exit_like(dn_record(&o, argv));
}
