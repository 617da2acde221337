/*
 * sockaddr.h - the bytes of a socket address as a text. Any thread.
 */
#ifndef DN_ANALYZER_SOCKADDR_H
#define DN_ANALYZER_SOCKADDR_H

#include <stddef.h>

#include "text.h"

/* {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("1.2.3.4")} and
 * so on. len is at least 2: a shorter one has no family. */
void dn_sockaddr_text(struct dn_text *t, const char *p, size_t len);

#endif
