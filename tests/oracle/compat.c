/*
 * compat.c - a 32-bit program without a library: its calls are of the i386 ABI.
 * Built by facts.sh, where the compiler can.
 */
static int call(int nr, long a, long b, long c, long d, long e)
{
	int ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return ret;
}

void _start(void);
void _start(void)
{
	static const char *const argv[] = { "zero", "one", 0 };
	long long where;
	int status = 0, pid;

	call(20, 0, 0, 0, 0, 0);				/* getpid */
	call(5, (long)"compat missing", 0, 0, 0, 0);		/* open */
	call(140, 0, 0, 0, (long)&where, 99);			/* _llseek */
	call(4, -1, (long)"x", 1, 0, 0);			/* write */
	call(38, (long)"one", (long)"two", 0, 0, 0);		/* rename */
	pid = call(2, 0, 0, 0, 0, 0);				/* fork */
	if (!pid)
		call(1, 5, 0, 0, 0, 0);				/* exit */
	call(7, pid, (long)&status, 0, 0, 0);			/* waitpid */
	call(11, (long)"missing", (long)argv, 0, 0, 0);		/* execve */
	call(252, status == 5 << 8 ? 0 : 1, 0, 0, 0, 0);	/* exit_group */
	__builtin_trap();
}
