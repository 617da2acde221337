/*
 * recording.h - one recording, from the options to the exit status.
 */
#ifndef DN_RECORDER_RECORDING_H
#define DN_RECORDER_RECORDING_H

struct dn_record_opts;

/*
 * Records as told. Returns the wait status the process should end with (see
 * dn_exit_like): the command's own once it has started, 125 to 127 as an exit
 * code before that. recorder_argv is for the environment record.
 */
int dn_record(const struct dn_record_opts *o, char *const *recorder_argv);

#endif
