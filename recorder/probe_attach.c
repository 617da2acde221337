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

struct walk {
	unsigned taken, later;
};

static int on_said(void *ctx, const void *record)
{
	const uint32_t *said = record;		/* enum dn_take */
	struct walk *w = ctx;

	*(*said == DN_TAKE_DONE ? &w->taken : &w->later) += 1;
	return 0;
}

/* One walk over all tasks, or all of their files. */
static int walk(struct bpf_link *link, struct walk *w)
{
	*w = (struct walk){ 0, 0 };
	return dn_probe_iterate(link, sizeof(uint32_t), on_said, w);
}

int dn_probe_attach(struct dn_probe *p, const struct dn_attach_process *a, unsigned n)
{
	int fd = dn_object_map(p->obj, "attached"), err = 0;
	struct walk w = { .taken = 1 };
	unsigned all = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		struct dn_attached v = { .process = p->taken || i ? 0 : DN_ROOT_THREAD, .born = a[i].born };
		uint32_t pid = (uint32_t)a[i].pid;

		err = bpf_map_update_elem(fd, &pid, &v, BPF_ANY) ? -errno : 0;
	}
	p->taken = true;
	for (unsigned round = 0; !err && w.taken + w.later && round < ROUNDS_MAX; round++) {
		if (!w.taken)
			usleep(BIRTH_US);
		err = walk(p->take, &w);
		all += w.taken;
	}
	if (!err && p->take_sockets)
		err = walk(p->take_sockets, &w);
	return err ? err : (int)all;
}
