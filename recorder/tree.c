/*
 * tree.c - a hash table by thread id, and a list of news for the sampler.
 */
#include "tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct dn_tree {
	pthread_mutex_t lock;
	struct dn_tree_thread *slot;	/* thread 0: free */
	uint32_t cap, count;
	unsigned processes;
	struct dn_tree_news *news;
	size_t nnews, news_cap;
};

struct dn_tree *dn_tree_new(void)
{
	struct dn_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->cap = 256;
	t->slot = calloc(t->cap, sizeof(*t->slot));
	if (!t->slot) {
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void dn_tree_free(struct dn_tree *t)
{
	if (!t)
		return;
	free(t->slot);
	free(t->news);
	free(t);
}

static uint32_t place(const struct dn_tree_thread *slot, uint32_t cap, uint32_t thread)
{
	uint32_t i = thread * 0x9e3779b1u & (cap - 1);

	while (slot[i].thread && slot[i].thread != thread)
		i = (i + 1) & (cap - 1);
	return i;
}

static int grow(struct dn_tree *t)
{
	uint32_t cap = t->cap * 2;
	struct dn_tree_thread *slot = calloc(cap, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i].thread)
			slot[place(slot, cap, t->slot[i].thread)] = t->slot[i];
	free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return 0;
}

/* News are for the sampler only: one that finds no memory costs its readings. */
static void add_news(struct dn_tree *t, uint32_t process, pid_t pid, uint64_t born, bool dead)
{
	if (t->nnews == t->news_cap) {
		size_t cap = t->news_cap ? t->news_cap * 2 : 64;
		void *p = realloc(t->news, cap * sizeof(*t->news));

		if (!p)
			return;
		t->news = p;
		t->news_cap = cap;
	}
	t->news[t->nnews++] = (struct dn_tree_news){ process, pid, born, dead };
}

int dn_tree_add(struct dn_tree *t, const struct dn_tree_thread *th)
{
	uint32_t i;
	int err = 0;

	pthread_mutex_lock(&t->lock);
	if (t->count * 2 >= t->cap)
		err = grow(t);
	i = place(t->slot, t->cap, th->thread);
	if (!t->slot[i].thread && t->count + 1 < t->cap) {
		t->slot[i] = *th;
		t->count++;
		if (th->process == th->thread) {
			t->processes++;
			add_news(t, th->process, (pid_t)th->pid, th->born, false);
		}
		err = 0;
	}
	pthread_mutex_unlock(&t->lock);
	return err;
}

static bool has_threads(const struct dn_tree *t, uint32_t process)
{
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i].thread && t->slot[i].process == process)
			return true;
	return false;
}

bool dn_tree_remove(struct dn_tree *t, uint32_t thread, unsigned ends)
{
	bool ended = ends == 1;
	uint32_t i, j;

	pthread_mutex_lock(&t->lock);
	i = place(t->slot, t->cap, thread);
	if (t->slot[i].thread) {
		struct dn_tree_thread th = t->slot[i];

		t->slot[i].thread = 0;
		t->count--;
		/* what follows in the run may have been pushed on by it */
		for (j = (i + 1) & (t->cap - 1); t->slot[j].thread; j = (j + 1) & (t->cap - 1)) {
			struct dn_tree_thread moved = t->slot[j];

			t->slot[j].thread = 0;
			t->slot[place(t->slot, t->cap, moved.thread)] = moved;
		}
		if (ends == 2)
			ended = !has_threads(t, th.process);
		if (ended) {
			t->processes -= t->processes > 0;
			add_news(t, th.process, (pid_t)th.pid, th.born, true);
		}
	}
	pthread_mutex_unlock(&t->lock);
	return ended;
}

void dn_tree_rename(struct dn_tree *t, uint32_t thread, const char comm[16])
{
	uint32_t i;

	pthread_mutex_lock(&t->lock);
	i = place(t->slot, t->cap, thread);
	if (t->slot[i].thread)
		memcpy(t->slot[i].comm, comm, sizeof(t->slot[i].comm));
	pthread_mutex_unlock(&t->lock);
}

unsigned dn_tree_processes(struct dn_tree *t)
{
	unsigned n;

	pthread_mutex_lock(&t->lock);
	n = t->processes;
	pthread_mutex_unlock(&t->lock);
	return n;
}

void dn_tree_news(struct dn_tree *t, void (*fn)(void *ctx, const struct dn_tree_news *n), void *ctx)
{
	struct dn_tree_news *news;
	size_t n;

	pthread_mutex_lock(&t->lock);
	news = t->news;
	n = t->nnews;
	t->news = NULL;
	t->nnews = t->news_cap = 0;
	pthread_mutex_unlock(&t->lock);
	for (size_t i = 0; i < n; i++)
		fn(ctx, &news[i]);
	free(news);
}

long dn_tree_list(struct dn_tree *t, struct dn_tree_thread **list)
{
	long n = 0;

	pthread_mutex_lock(&t->lock);
	*list = calloc(t->count + 1, sizeof(**list));
	for (uint32_t i = 0; *list && i < t->cap; i++)
		if (t->slot[i].thread)
			(*list)[n++] = t->slot[i];
	pthread_mutex_unlock(&t->lock);
	return *list ? n : -ENOMEM;
}
