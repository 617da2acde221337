/*
 * main.c - denet-record: options, recording or check, exit status.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "options.h"
#include "recording.h"
#include "target.h"

/*
 * Holds standard files that are closed, or the trace would become one of them
 * and messages would be written into it. O_CLOEXEC: for the command they stay
 * closed.
 */
static void hold_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			_exit(DN_EXIT_RECORDER);
}

int main(int argc, char **argv)
{
	struct dn_record_opts o;
	int status;

	hold_standard_files();
	status = dn_record_options(&o, argc, argv);
	if (status)
		return status - 1;
	if (o.check)
		return dn_check_main(o.json);
	dn_exit_like(dn_record(&o, argv));
}
