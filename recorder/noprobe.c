/*
 * noprobe.c - in the place of probe.c where denet is built without BPF: there
 * is no probe, so that nothing else here is ever called.
 */
#include "probe.h"

#include <errno.h>
#include <stdio.h>

struct dn_probe *dn_probe_open(const struct dn_probe_opts *o, char why[512])
{
	(void)o;
	snprintf(why, 512, "this denet-record was built without BPF");
	errno = ENOSYS;
	return NULL;
}

void dn_probe_close(struct dn_probe *p)
{
	(void)p;
}

int dn_probe_target(struct dn_probe *p, pid_t pid, uint32_t *thread)
{
	(void)p;
	(void)pid;
	(void)thread;
	return -ENOSYS;
}

struct dn_ring *dn_probe_life_ring(struct dn_probe *p)
{
	(void)p;
	return NULL;
}

struct dn_ring **dn_probe_rings(struct dn_probe *p, unsigned *n)
{
	(void)p;
	*n = 0;
	return NULL;
}

void dn_probe_wait(struct dn_probe *p, int timeout_ms)
{
	(void)p;
	(void)timeout_ms;
}

int dn_probe_wake_fd(struct dn_probe *p, int fd)
{
	(void)p;
	(void)fd;
	return -ENOSYS;
}

int dn_probe_stop(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	return -ENOSYS;
}

int dn_probe_counters(struct dn_probe *p, uint64_t out[DN_KCOUNTER_MAX])
{
	(void)p;
	(void)out;
	return -ENOSYS;
}

uint64_t dn_probe_misses(struct dn_probe *p)
{
	(void)p;
	return 0;
}

int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, unsigned cpu, const struct dn_loss_key *k,
			      const struct dn_loss_value *v), void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	return -ENOSYS;
}

int dn_probe_emit(struct dn_probe *p, const struct dn_sink *sink)
{
	(void)p;
	(void)sink;
	return -ENOSYS;
}
