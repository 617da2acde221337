/*
 * demangle.h - names of C++ (Itanium ABI), Rust (legacy and v0) and D functions as
 * people write them. Through libiberty, where the build found it.
 *
 * Names come out of files of others, and some short names unfold without end (a
 * substitution that stands for two of the one before, thirty times over). So the result
 * is bounded, and the work with it.
 */
#ifndef DN_COMMON_DEMANGLE_H
#define DN_COMMON_DEMANGLE_H

#define DN_DEMANGLE_IN_MAX	(16 << 10)	/* bytes; libiberty takes 1 KiB of a C++ name */
#define DN_DEMANGLE_OUT_MAX	(64 << 10)

/*
 * With parameters, without return types' details, libstdc++'s abbreviations as they are
 * (std::string), without the hash of a Rust name. What follows an '@' (a version, "plt") is kept.
 * malloced and the caller's; NULL where name is not mangled, is beyond a limit, in a build
 * without libiberty, or without memory: then the name stays as it is.
 */
char *dn_demangle(const char *name);

#endif
