/*
 * categories.h - the ten categories of system calls, written once.
 *
 * Which call belongs to which category stands in syscalls.def. The value is
 * what reports and databases store, so it is never reused and never changes
 * meaning; the names are those that users type and JSON prints.
 */
#ifndef DN_SCHEMA_CATEGORIES_H
#define DN_SCHEMA_CATEGORIES_H

/* CATEGORY(value, id, name, doc) */
#define DN_CATEGORY_TABLE(CATEGORY)                                           \
	CATEGORY(0, FILE_IO, "file_io", "files, directories, waiting for I/O") \
	CATEGORY(1, MEMORY, "memory", "memory allocation and management")     \
	CATEGORY(2, PROCESS, "process", "processes, threads, their limits and namespaces") \
	CATEGORY(3, NETWORK, "network", "sockets")                            \
	CATEGORY(4, TIME, "time", "clocks, timers, sleeping, scheduling")     \
	CATEGORY(5, IPC, "ipc", "pipes, queues, semaphores, shared memory, futexes") \
	CATEGORY(6, SECURITY, "security", "permissions, identities, keys, confinement") \
	CATEGORY(7, SIGNAL, "signal", "signals")                              \
	CATEGORY(8, SYSTEM, "system", "the machine as a whole, mounts, modules, tracing") \
	CATEGORY(9, OTHER, "other", "whatever has no better place")

enum dn_category {
#define CATEGORY(value, id, name, doc) DN_CATEGORY_##id = value,
	DN_CATEGORY_TABLE(CATEGORY)
#undef CATEGORY
	DN_CATEGORY_MAX
};

#endif
