/*
 * extension_api.h - every call of SQLite through the table that the host of an
 * extension hands over. Forced in (-include) before each source of denet.so,
 * so that the same sources serve a program that links SQLite and a shell that
 * has one of its own; see extension.c.
 */
#ifndef DN_ANALYZER_EXTENSION_API_H
#define DN_ANALYZER_EXTENSION_API_H

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT3

#endif
