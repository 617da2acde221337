/*
 * pty - a command on a terminal of its own, and somebody who types.
 *
 *   pty STEP... -- COMMAND [ARGUMENT...]
 *
 *   wait:TEXT    until the command has written TEXT, since the last such step
 *   send:TEXT    types it; \n and \xHH as in C
 *   sleep:MS
 *
 * What the command writes goes to standard output. Ends as the command does, or with
 * 124 when a step, or the command after the last one, takes longer than 10 s.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static char seen[1 << 20];
static size_t nseen, mark;
static int terminal;
static pid_t child;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void give_up(const char *what)
{
	fprintf(stderr, "pty: too long: %s\n", what);
	kill(child, SIGKILL);
	exit(124);
}

/* Takes what there is within ms. False: the other end is closed. */
static int take(long ms)
{
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ms > 0 ? (int)ms : 0) <= 0)
		return 1;
	if (nseen == sizeof(seen) - 1)
		nseen = mark = 0;
	n = read(terminal, seen + nseen, sizeof(seen) - 1 - nseen);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (write(STDOUT_FILENO, seen + nseen, (size_t)n) != n)
		exit(99);
	nseen += (size_t)n;
	return 1;
}

static void wait_for(const char *text)
{
	long until = now_ms() + PATIENCE_MS;
	char *at;

	while (!(at = memmem(seen + mark, nseen - mark, text, strlen(text)))) {
		if (now_ms() > until || !take(until - now_ms()))
			give_up(text);
	}
	mark = (size_t)(at - seen) + strlen(text);
}

static void type(const char *s)
{
	for (; *s; s++) {
		char c = *s;
		unsigned x;

		if (c == '\\' && s[1] == 'n') {
			c = '\n';
			s++;
		} else if (c == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &x) == 1) {
			c = (char)x;
			s += 3;
		}
		if (write(terminal, &c, 1) != 1)
			exit(99);
	}
}

int main(int argc, char **argv)
{
	long until;
	int end = 1, slave, status;

	while (end < argc && strcmp(argv[end], "--"))
		end++;
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (end + 1 >= argc || terminal < 0 || grantpt(terminal) || unlockpt(terminal)) {
		perror("pty");
		return 99;
	}
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	ioctl(slave, TIOCSWINSZ, &(struct winsize){ .ws_row = 24, .ws_col = 80 });
	child = fork();
	if (!child) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		close(slave);
		close(terminal);
		execvp(argv[end + 1], argv + end + 1);
		_exit(127);
	}
	close(slave);
	for (int i = 1; i < end; i++) {
		if (!strncmp(argv[i], "wait:", 5)) {
			wait_for(argv[i] + 5);
		} else if (!strncmp(argv[i], "send:", 5)) {
			type(argv[i] + 5);
		} else if (!strncmp(argv[i], "sleep:", 6)) {
			for (until = now_ms() + atol(argv[i] + 6); now_ms() < until;)
				if (!take(until - now_ms()))
					break;
		} else {
			fprintf(stderr, "pty: no such step: %s\n", argv[i]);
			return 98;
		}
	}
	for (until = now_ms() + PATIENCE_MS; take(until - now_ms());)
		if (now_ms() > until)
			give_up("the end");
	if (waitpid(child, &status, 0) != child)
		return 99;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
