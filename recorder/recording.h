/*
 * recording.h - one recording, from the options to the exit status.
 */
#ifndef DN_RECORDER_RECORDING_H
#define DN_RECORDER_RECORDING_H

#include <stdint.h>

struct dn_record_opts;

/* What we were started with. */
struct dn_invoker {
	char *const *argv;
	char *const *environ;
	uint64_t capabilities;	/* effective ones, see rights.h */
};

/*
 * Records as told. Returns the wait status the process should end with (see
 * dn_exit_like): the command's own once it has started, 125 to 127 as an exit
 * code before that.
 */
int dn_record(const struct dn_record_opts *o, const struct dn_invoker *who);

#endif
