/*
 * spans.c - one sweep over the starts in order, with a heap of the ranges that began
 * and may not have ended. A range that ended while another lay above it stays in the
 * heap until it comes to its top. O(n log n).
 */
#include "spans.h"

#include <errno.h>
#include <stdlib.h>

struct sweep {
	struct dn_span *heap;	/* the highest rank first */
	size_t live;
	struct dn_piece *piece;
	size_t n;
};

static void push(struct sweep *w, struct dn_span s)
{
	size_t i = w->live++;

	while (i && w->heap[(i - 1) / 2].rank < s.rank) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = s;
}

static void pop(struct sweep *w)
{
	struct dn_span s = w->heap[--w->live];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->live) {
		if (child + 1 < w->live && w->heap[child + 1].rank > w->heap[child].rank)
			child++;
		if (w->heap[child].rank < s.rank)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = s;
}

/* From start on, rank answers. */
static void emit(struct sweep *w, uint64_t start, uint32_t rank)
{
	if (w->n && w->piece[w->n - 1].start == start)
		w->n--;
	if (w->n ? w->piece[w->n - 1].rank != rank : rank != DN_SPAN_NONE)
		w->piece[w->n++] = (struct dn_piece){ start, rank };
}

/* What answers between at, where something just ended, and until. */
static void advance(struct sweep *w, uint64_t until)
{
	while (w->live && w->heap[0].end <= until) {
		uint64_t end = w->heap[0].end;

		do
			pop(w);
		while (w->live && w->heap[0].end <= end);
		emit(w, end, w->live ? w->heap[0].rank : DN_SPAN_NONE);
	}
}

static int by_start(const void *va, const void *vb)
{
	const struct dn_span *a = va, *b = vb;

	return (a->start > b->start) - (a->start < b->start);
}

int dn_spans_flatten(struct dn_span *span, size_t count, struct dn_piece **piece, size_t *n)
{
	struct sweep w = { 0 };
	struct dn_piece *fit;

	*piece = NULL;
	*n = 0;
	w.heap = calloc(count ? count : 1, sizeof(*w.heap));
	w.piece = calloc(2 * count + 1, sizeof(*w.piece));
	if (!w.heap || !w.piece) {
		free(w.heap);
		free(w.piece);
		return -ENOMEM;
	}
	if (count)
		qsort(span, count, sizeof(*span), by_start);
	for (size_t i = 0; i < count; i++) {
		if (span[i].start >= span[i].end)
			continue;
		advance(&w, span[i].start);
		push(&w, span[i]);
		emit(&w, span[i].start, w.heap[0].rank);
	}
	advance(&w, UINT64_MAX);
	free(w.heap);
	fit = realloc(w.piece, (w.n ? w.n : 1) * sizeof(*fit));
	*piece = fit ? fit : w.piece;
	*n = w.n;
	return 0;
}

uint32_t dn_pieces_around(const struct dn_piece *piece, size_t n, uint64_t at, uint64_t *from, uint64_t *to)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (piece[mid].start <= at)
			low = mid + 1;
		else
			high = mid;
	}
	*from = low ? piece[low - 1].start : 0;
	*to = low < n ? piece[low].start : UINT64_MAX;
	return low ? piece[low - 1].rank : DN_SPAN_NONE;
}

uint32_t dn_pieces_find(const struct dn_piece *piece, size_t n, uint64_t at)
{
	uint64_t from, to;

	return dn_pieces_around(piece, n, at, &from, &to);
}
