/*
 * say.h - what denet-record tells people, on standard error.
 */
#ifndef DN_RECORDER_SAY_H
#define DN_RECORDER_SAY_H

/* One line, with the program's name before it. Control characters, which a
 * file name may hold, are shown as \xNN and do nothing to the terminal. */
__attribute__((format(printf, 1, 2)))
void dn_say(const char *fmt, ...);

#endif
