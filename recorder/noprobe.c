/*
 * noprobe.c - in the place of object.c and the probe*.c where denet is built without BPF: there
 * is no probe, so that nothing else here is ever called.
 */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

bool dn_probe_parse_rung(const char *list, char rung[16], char bytes[16])
{
	bytes[0] = 0;
	snprintf(rung, 16, "%s", list);
	return !strcmp(list, "proc");
}

uint64_t dn_probe_target(struct dn_probe *p)
{
	(void)p;
	return 0;
}

int dn_probe_attach(struct dn_probe *p, const struct dn_attach_process *a, unsigned n)
{
	(void)p;
	(void)a;
	(void)n;
	return -ENOSYS;
}

uint64_t dn_probe_tick_ns(const struct dn_probe *p)
{
	(void)p;
	return 0;
}

const char *dn_probe_rung(const struct dn_probe *p, const char *name)
{
	(void)p;
	(void)name;
	return NULL;
}

bool dn_probe_lacks(const struct dn_probe *p, char names[256], const char **why)
{
	(void)p;
	(void)names;
	(void)why;
	return false;
}

const char *dn_probe_subject(const char *program, unsigned nth)
{
	(void)program;
	(void)nth;
	return NULL;
}

const char *dn_probe_without(const char *subject)
{
	(void)subject;
	return NULL;
}

const char *dn_probe_typed(unsigned i)
{
	(void)i;
	return NULL;
}

bool dn_probe_walks(const char *rung, const char *subject)
{
	(void)rung;
	(void)subject;
	return false;
}

/* There is nothing to try. */
int dn_probe_try(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx)
{
	(void)fn;
	(void)ctx;
	return 0;
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

void dn_probe_misses(struct dn_probe *p, uint64_t *needed, uint64_t *others)
{
	(void)p;
	*needed = *others = 0;
}

int dn_probe_short(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_short *s), void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	return -ENOSYS;
}

int dn_probe_perf(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_perf *r), void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	return -ENOSYS;
}

uint64_t dn_probe_stopped(const struct dn_probe *p)
{
	(void)p;
	return 0;
}

uint64_t dn_probe_cycles(const struct dn_probe *p, const char **why)
{
	(void)p;
	*why = "";
	return 0;
}

uint32_t dn_probe_perf_kinds(const struct dn_probe *p)
{
	(void)p;
	return 0;
}

const char *dn_probe_perf_lacks(const struct dn_probe *p, uint32_t kinds, const char **why)
{
	(void)p;
	(void)kinds;
	(void)why;
	return NULL;
}

int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v), void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	return -ENOSYS;
}

struct dn_mapwatch *dn_probe_take_maps(struct dn_probe *p)
{
	(void)p;
	return NULL;
}

int dn_probe_name(void *ctx, const uint64_t *address, unsigned n,
		  void (*fn)(void *fn_ctx, const char *line), void *fn_ctx)
{
	(void)ctx;
	(void)address;
	(void)n;
	(void)fn;
	(void)fn_ctx;
	return -ENOTSUP;
}

__u64 *dn_probe_stack_generation(struct dn_probe *p)
{
	(void)p;
	return NULL;
}

int dn_probe_emit(struct dn_probe *p, const struct dn_sink *sink)
{
	(void)p;
	(void)sink;
	return -ENOSYS;
}
