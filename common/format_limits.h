/*
 * format_limits.h - every hard limit of the format, in one place.
 *
 * A reader refuses what lies beyond before it allocates; a writer never
 * exceeds them. dnt(5) repeats them for other implementations.
 */
#ifndef DN_COMMON_FORMAT_LIMITS_H
#define DN_COMMON_FORMAT_LIMITS_H

#define DN_BLOCK_RAW_MAX (16u << 20)	/* bytes of a block before compression */
#define DN_BLOCK_STORED_MAX (17u << 20)	/* bytes of a block on disk, above ZSTD_compressBound of the former */
#define DN_BLOCK_ROWS_MAX (1u << 20)	/* events of a block, of all kinds */
#define DN_BLOCK_ROWS_FREE 4096		/* of these, those that may cost no byte ... */
#define DN_BLOCK_ROWS_A_BYTE 8		/* ... and further ones for each byte of its raw length */
#define DN_BLOCK_SITES_MAX (1u << 14)	/* shapes of system calls in a block */
#define DN_BLOCK_COLUMNS_MAX (1u << 18)	/* columns of a section */
#define DN_STRING_MAX (1u << 20)	/* bytes of one string */
#define DN_PATH_MAX 4096		/* bytes kept of a path, with its NUL (PATH_MAX) */
#define DN_ARGV_MAX 16384		/* bytes kept of an argument list */
#define DN_SOCKADDR_MAX 128		/* bytes kept of a socket address (sockaddr_storage) */
#define DN_TEXT_MAX 256			/* bytes kept of other text, with its NUL */
#define DN_FILE_BLOCKS_MAX (1u << 28)	/* blocks of a file */

#endif
