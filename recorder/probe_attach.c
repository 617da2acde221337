/*
 * probe_attach.c - has the programs of bpf/attach.bpf.h take processes that run already.
 */
#include "probe_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "attach.h"

#define ROUNDS_MAX 64		/* of a tree that grows faster than it is taken */
#define BIRTH_US 1000

/* One walk over all tasks, or all of their files. Adds up what was printed: enum dn_take. */
static int walk(struct bpf_link *link, unsigned *taken, unsigned *later)
{
	uint32_t said[256];
	ssize_t n;
	int fd = bpf_iter_create(bpf_link__fd(link)), err = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, said, sizeof(said))) > 0)	/* whole ones: each is written at once */
		for (size_t i = 0; i < (size_t)n / sizeof(said[0]); i++)
			*(said[i] == DN_TAKE_DONE ? taken : later) += 1;
	if (n < 0)
		err = -errno;
	close(fd);
	return err;
}

int dn_probe_attach(struct dn_probe *p, const struct dn_attach_process *a, unsigned n)
{
	int fd = dn_object_map(p->obj, "attached"), err = 0;
	unsigned all = 0, taken = 1, later = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		struct dn_attached v = { .process = p->taken || i ? 0 : DN_ROOT_THREAD, .born = a[i].born };
		uint32_t pid = (uint32_t)a[i].pid;

		err = bpf_map_update_elem(fd, &pid, &v, BPF_ANY) ? -errno : 0;
	}
	p->taken = true;
	for (unsigned round = 0; !err && taken + later && round < ROUNDS_MAX; round++) {
		if (!taken)
			usleep(BIRTH_US);
		taken = later = 0;
		err = walk(p->take, &taken, &later);
		all += taken;
	}
	if (!err && p->take_sockets)
		err = walk(p->take_sockets, &taken, &later);
	return err ? err : (int)all;
}
