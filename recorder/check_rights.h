/*
 * check_rights.h - capabilities as the kernel stores them and as people read
 * them. Pure functions, any thread.
 */
#ifndef DN_RECORDER_CHECK_RIGHTS_H
#define DN_RECORDER_CHECK_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check_int.h"

/* The attribute security.capability (linux/capability.h, vfs_cap_data), of
 * revision 2 or 3. */
struct dn_file_caps {
	uint64_t permitted, inheritable;
	bool effective;
	uint32_t rootid;		/* of the user namespace they count in */
};

/* 0 or -EBADMSG. */
int dn_file_caps(const unsigned char *p, size_t len, struct dn_file_caps *out);

/* "cap_bpf, cap_perfmon and 3 others", "none". Returns buf. */
const char *dn_caps_text(uint64_t set, char *buf, size_t cap);

#endif
