/*
 * main.c - denet-record: options, recording or check, exit status.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "options.h"
#include "recording.h"
#include "rights.h"
#include "say.h"
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
	struct dn_invoker who = { .argv = argv };
	struct dn_record_opts o;
	char why[512];
	int status;

	hold_standard_files();
	if (dn_rights_begin(&who.capabilities, why)) {
		dn_say("%s", why);
		return DN_EXIT_RECORDER;
	}
	who.environ = dn_rights_environ(argc, argv, environ);
	status = dn_record_options(&o, argc, argv);
	if (status)
		return status - 1;
	if (o.check) {
		dn_rights_raise();	/* or what is tried would fail; what is left is told */
		return dn_check_main(o.json);
	}
	dn_exit_like(dn_record(&o, &who));
}
