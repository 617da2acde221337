/*
 * The status line: its text at every width, and that it is drawn on a terminal
 * only, over itself, and taken off at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "status.h"

static const struct dn_status_numbers numbers = {
	.elapsed_ns = 62000000000, .events = 1234567, .lost = 0, .bytes = 3565158, .processes = 3,
};

static void every_width(void **state)
{
	static const char full[] =
		"1 m 02 s  1.2 M events (19.9 k/s)  0 lost  3.4 MiB  3 processes";
	char *buf;

	(void)state;
	for (unsigned width = 0; width < 100; width++) {
		buf = malloc(128);
		buf[0] = '\0';
		dn_status_text(buf, 128, width, &numbers, 0, 0);
		assert_true(strlen(buf) < (width ? width : 1));
		assert_memory_equal(buf, full, strlen(buf));
		/* whole fields only */
		assert_true(!full[strlen(buf)] || full[strlen(buf)] == ' ' || !*buf);
		free(buf);
	}
	buf = malloc(10);
	dn_status_text(buf, 10, 80, &numbers, 0, 0);
	assert_string_equal(buf, "1 m 02 s");
	free(buf);
}

static size_t drawn(int master, char *buf, size_t cap)
{
	ssize_t n;

	usleep(10000);
	n = read(master, buf, cap - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void terminal(void **state)
{
	struct winsize size = { .ws_row = 24, .ws_col = 40 };
	struct dn_status_numbers n = numbers;
	char buf[512];
	struct dn_status *s;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;

	(void)state;
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
	setenv("TERM", "xterm", 1);
	s = dn_status_new(slave);
	assert_non_null(s);
	dn_status_show(s, &n);
	drawn(master, buf, sizeof(buf));
	assert_string_equal(buf, "\r1 m 02 s  1.2 M events (19.9 k/s)\033[K");
	n.elapsed_ns += 1000000;	/* too soon */
	dn_status_show(s, &n);
	assert_int_equal(drawn(master, buf, sizeof(buf)), 0);
	n.elapsed_ns += 1000000000;
	n.events += 1000000;
	dn_status_show(s, &n);
	drawn(master, buf, sizeof(buf));
	assert_non_null(strstr(buf, "2.2 M events"));
	n.elapsed_ns += 1000000000;
	n.events += 1000000;
	dn_status_show(s, &n);		/* the rate is of the last seconds by now */
	n.elapsed_ns += 1000000000;
	n.events += 1000000;
	dn_status_show(s, &n);
	drawn(master, buf, sizeof(buf));
	assert_non_null(strstr(buf, "4.2 M events (1.0 M/s)"));

	/* output held: nothing is written, nothing blocks */
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	n.elapsed_ns += 1000000000;
	dn_status_show(s, &n);
	assert_int_equal(tcflow(slave, TCOON), 0);
	assert_int_equal(drawn(master, buf, sizeof(buf)), 0);

	dn_status_clear(s);
	drawn(master, buf, sizeof(buf));
	assert_string_equal(buf, "\r\033[K");
	dn_status_free(s);
	assert_int_equal(drawn(master, buf, sizeof(buf)), 0);

	setenv("TERM", "dumb", 1);
	assert_null(dn_status_new(slave));
	assert_int_equal(errno, ENOTTY);
	close(slave);
	close(master);
}

static void no_terminal(void **state)
{
	int fd = open("/dev/null", O_WRONLY);

	(void)state;
	assert_null(dn_status_new(fd));
	assert_int_equal(errno, ENOTTY);
	dn_status_show(NULL, &numbers);
	dn_status_clear(NULL);
	dn_status_free(NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width),
		cmocka_unit_test(terminal),
		cmocka_unit_test(no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
