/*
 * newfile.c - temporary name, sync, rename.
 */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What a signal handler must know cannot come in a parameter. Set while a
 * temporary file is there; the handler only unlinks and dies as it would have.
 */
static const char *volatile doomed;
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

static void on_signal(int sig)
{
	const char *path = doomed;

	if (path)
		unlink(path);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* A signal that is ignored (nohup) stays so. */
static void watch(const char *path)
{
	struct sigaction sa = { .sa_handler = path ? on_signal : SIG_DFL }, old;

	doomed = path;
	for (size_t i = 0; i < NSIGNALS; i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler == (path ? SIG_DFL : on_signal))
			sigaction(signals[i], &sa, NULL);
}

static int check_target(const char *path, const struct dn_newfile_kind *kind, char *why, size_t len)
{
	struct stat st;
	int ours;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, len, "%s", strerror(errno));
		return -errno;
	}
	if (S_ISLNK(st.st_mode)) {
		snprintf(why, len, "it is a symbolic link");
		return -ELOOP;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, len,
			 S_ISDIR(st.st_mode) ? "it is a directory" : "it is no regular file");
		return -EEXIST;
	}
	ours = kind->is_ours(path, false);
	if (ours > 0)
		return 0;
	snprintf(why, len, "%s", ours < 0 ? strerror(-ours) :
		 kind->not_ours);
	return ours < 0 ? ours : -EEXIST;
}

int dn_newfile_begin(struct dn_newfile *f, const char *target, const struct dn_newfile_kind *kind,
		     char *why, size_t len)
{
	const char *slash = strrchr(target, '/');
	int dir = slash ? (int)(slash + 1 - target) : 0;
	int err = check_target(target, kind, why, len);
	int fd;

	memset(f, 0, sizeof(*f));
	if (err)
		return err;
	if (!*target || !target[dir]) {
		snprintf(why, len, "the name of a file is missing");
		return -EINVAL;
	}
	f->kind = kind;
	f->target = strdup(target);
	f->temp = malloc(strlen(target) + 16);
	if (!f->target || !f->temp) {
		snprintf(why, len, "there is no memory");
		err = -ENOMEM;
		goto out;
	}
	sprintf(f->temp, "%.*s.denet-XXXXXX", dir, target);
	fd = mkstemp(f->temp);
	if (fd < 0) {
		err = -errno;
		snprintf(why, len, "no file can be made there: %s", strerror(errno));
		goto out;
	}
	close(fd);
	watch(f->temp);
	return 0;
out:
	free(f->target);
	free(f->temp);
	memset(f, 0, sizeof(*f));
	return err;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	/* not every file system can sync a directory */
	return err == -EINVAL && flags ? 0 : err;
}

int dn_newfile_commit(struct dn_newfile *f)
{
	char why[128];
	char *slash;
	int err = sync_path(f->temp, 0);

	/* Somebody may have put something there in the meantime. */
	if (!err)
		err = check_target(f->target, f->kind, why, sizeof(why));
	if (!err && rename(f->temp, f->target))
		err = -errno;
	if (!err) {
		slash = strrchr(f->target, '/');
		if (slash)
			slash[1] = '\0';
		/* It is in its place; a directory that may not be read is no reason
		 * to say it is not. */
		sync_path(slash ? f->target : ".", O_DIRECTORY);
		f->temp[0] = '\0';
	}
	dn_newfile_abort(f);
	return err;
}

void dn_newfile_abort(struct dn_newfile *f)
{
	watch(NULL);
	if (f->temp && *f->temp)
		unlink(f->temp);
	free(f->target);
	free(f->temp);
	memset(f, 0, sizeof(*f));
}
