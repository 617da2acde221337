#!/usr/bin/env python3
"""dnt_reader.py - a second reader of traces, written from dnt(5) alone.

It shares no line with the C reader, so that where both agree the page is
right. Needs Python's standard library and libzstd (through ctypes).

  dnt_reader.py counts FILE    NAME ROWS for every event, sorted
  dnt_reader.py sums FILE      NAME FIELD VALUES SUM for every field: how many
                               are not null, and the sum of the low 32 bits
                               (times: since the trace's start), of the bytes
                               for strings
  dnt_reader.py blocks FILE    SEQ KIND ROWS for every block
"""
import ctypes
import ctypes.util
import struct
import sys

MASK = (1 << 64) - 1
FILE_MAGIC = bytes.fromhex("89444e540d0a1a0a")
BLOCK_MAGIC = bytes.fromhex("b7646e620d0a1ae5")
TIME, INT, RAW, STR = 1, 2, 3, 4
UNFINISHED, NO_ENTER, TRUNCATED = 1, 2, 1


def xxh64(data, seed=0):
    """XXH64 by the public specification of xxHash."""
    p1, p2, p3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
    p4, p5 = 9650029242287828579, 2870177450012600261

    def rol(x, r):
        return (x << r | x >> (64 - r)) & MASK

    def turn(acc, lane):
        return rol((acc + lane * p2) & MASK, 31) * p1 & MASK

    n, at = len(data), 0
    if n >= 32:
        a = [(seed + p1 + p2) & MASK, (seed + p2) & MASK, seed, (seed - p1) & MASK]
        lanes = struct.unpack_from("<%dQ" % (n // 32 * 4), data)
        for i in range(0, len(lanes), 4):
            for k in range(4):
                a[k] = turn(a[k], lanes[i + k])
        at = n // 32 * 32
        acc = (rol(a[0], 1) + rol(a[1], 7) + rol(a[2], 12) + rol(a[3], 18)) & MASK
        for k in range(4):
            acc = ((acc ^ turn(0, a[k])) * p1 + p4) & MASK
    else:
        acc = (seed + p5) & MASK
    acc = (acc + n) & MASK
    while at + 8 <= n:
        acc = (rol(acc ^ turn(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= n:
        acc = (rol(acc ^ struct.unpack_from("<I", data, at)[0] * p1 & MASK, 23) * p2 + p3) & MASK
        at += 4
    while at < n:
        acc = rol(acc ^ data[at] * p5 & MASK, 11) * p1 & MASK
        at += 1
    acc = (acc ^ acc >> 33) * p2 & MASK
    acc = (acc ^ acc >> 29) * p3 & MASK
    return acc ^ acc >> 32


def unzstd(data, size):
    lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(size or 1)
    n = lib.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert n == size, "a payload does not decompress to its length"
    return out.raw[:size]


def unzigzag(u):
    return (u >> 1) ^ -(u & 1)


class Bytes:
    """A run of varints; past its end it yields 0."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def varint(self):
        if self.at == len(self.data):
            return 0
        v = shift = 0
        while True:
            c = self.data[self.at]      # an IndexError here is a varint cut short
            self.at += 1
            v |= (c & 127) << shift
            if c < 128:
                assert v <= MASK
                return v
            shift += 7

    def zigzag(self):
        return unzigzag(self.varint())

    def byte(self):
        if self.at == len(self.data):
            return 0
        self.at += 1
        return self.data[self.at - 1]

    def take(self, n):
        assert n <= self.left(), "a length leads beyond the end"
        self.at += n
        return self.data[self.at - n:self.at]

    def text(self):
        return self.take(self.varint()).decode()


def blocks(data):
    """Every block as (header fields, payload), checked."""
    assert data[:8] == FILE_MAGIC, "no trace"
    major, = struct.unpack_from("<H", data, 8)
    assert major in (1, 2, 3)
    assert xxh64(data[:120]) == struct.unpack_from("<Q", data, 120)[0], "file header"
    uuid = data[16:32]
    at = 128
    while at < len(data):
        head = data[at:at + 104]
        assert head[:8] == BLOCK_MAGIC, "no block at %d" % at
        seq, first, last, least = struct.unpack_from("<4Q", head, 32)
        rows, raw, stored = struct.unpack_from("<3I", head, 64)
        body = data[at + 104:at + 104 + stored]
        seed = xxh64(head[:96] + bytes(8))
        assert xxh64(body, seed) == struct.unpack_from("<Q", head, 96)[0], "checksum at %d" % at
        assert head[16:32] == uuid
        payload = unzstd(body, raw) if head[9] & 1 else body
        assert len(payload) == raw
        yield dict(offset=at, kind=head[8], seq=seq, rows=rows, first=first, last=last,
                   least=least), payload
        at += 104 + stored


def schema(payload):
    b, events = Bytes(payload), {}
    for _ in range(b.varint()):
        event, name, _doc = b.varint(), b.text(), b.text()
        fields = []
        for _ in range(b.varint()):
            kind, field, _unit, _doc = b.varint(), b.text(), b.text(), b.text()
            fields.append((field, kind))
        events[event] = (name, fields)
    assert not b.left()
    return events


def ordinary(cols, rows, fields, strings):
    last = [0] * len(fields)
    for _ in range(rows):
        row = []
        for i, (_name, kind) in enumerate(fields):
            nulls, values = cols[2 * i], cols[2 * i + 1]
            if nulls.varint():
                row.append(None)
            elif kind in (TIME, INT):
                last[i] = (last[i] + values.zigzag()) & MASK
                row.append(last[i])
            elif kind == RAW:
                row.append(values.varint())
            else:
                row.append(strings[values.varint()])
        yield row


class Time:
    """A time of a shape, in two columns: above a floor, or as in version 1."""

    def __init__(self, floors, signed):
        self.floors, self.signed, self.floor, self.seen, self.look = floors, signed, 0, [], 32

    def read(self, low, high):
        low, high = low.byte(), high.varint()
        if not self.floors:
            u = low | high << 8
            return unzigzag(u) if self.signed else u
        u = low | high >> 1 << 8
        v = (~u if high & 1 else u) + self.floor
        self.seen.append(max(0, v))
        if len(self.seen) == self.look:
            least = min(self.seen[-32:])
            if abs(least - self.floor) > 32:
                self.floor = least
            self.look *= 16
        return v


class Moment:
    """A time, and what was cut off it in parts of 2^24."""

    def __init__(self, time=0, rest=1 << 23):
        self.time, self.rest = time, rest

    def go(self, way, step, far):
        if not step:
            return Moment((self.time + way) & MASK)
        steps, beside = divmod(way, 3)
        to = (self.rest + steps * step) & MASK
        to -= to >> 63 << 64
        off = (far, 1, -1)[beside]
        rest = {0: to % (1 << 24), 1: 1 << 19, -1: (1 << 24) - (1 << 19)}.get(off, 1 << 23)
        return Moment((self.time + (to >> 24) + off) & MASK, rest)


def calls(cols, rows, strings):
    b, shapes, col, step = cols[0], [], 5, 0
    if b.left() and not b.data[0]:
        b.byte()
        step = b.varint()
        assert step >= 1 << 24
    time_columns = 3 if step else 2
    while b.left():
        first, abi, nr, flags, nstr = (b.varint(), b.varint(), b.varint(), b.varint(), b.varint())
        floors = first > 8
        assert floors or not step
        nargs = first - (9 if floors else 1)
        strs = [(b.varint(), b.varint(), b.varint()) for _ in range(nstr)]
        has_ret, has_dur = not flags & UNFINISHED, not flags & (UNFINISHED | NO_ENTER)
        cut = sum(1 for s in strs if s[2] & TRUNCATED)
        shapes.append(dict(nargs=nargs, abi=abi, nr=nr, flags=flags, strs=strs, col=col,
                           has_ret=has_ret, has_dur=has_dur, last=[0] * (1 + nargs),
                           gap=Time(floors, True), dur=Time(floors, False)))
        col += time_columns * (1 + has_dur) + has_ret + nargs + nstr + cut
    assert col == len(cols)
    thread = cpu = 0
    end = Moment()
    next_seq, ends = {}, {}
    for _ in range(rows):
        s = shapes[cols[1].varint()]
        thread = (thread + cols[2].zigzag()) & 0xffffffff
        seq = (next_seq.get(thread, 0) + cols[3].zigzag()) & 0xffffffff
        cpu = (cpu + cols[4].zigzag()) & 0xffff
        at, dur, ret = s["col"], None, None
        way = s["gap"].read(cols[at], cols[at + 1])
        end = ends.get(thread, end).go(way, step, cols[at + 2].zigzag() if step else 0)
        start = end.time
        at += time_columns
        if s["has_dur"]:
            way = s["dur"].read(cols[at], cols[at + 1])
            end = end.go(way, step, cols[at + 2].zigzag() if step else 0)
            dur = (end.time - start) & MASK
            at += time_columns
        next_seq[thread], ends[thread] = seq + 1, end
        if s["has_ret"]:
            s["last"][0] = ret = (s["last"][0] + cols[at].zigzag()) & MASK
            at += 1
        args = [None] * 6
        for i in range(s["nargs"]):
            s["last"][1 + i] = args[i] = (s["last"][1 + i] + cols[at].zigzag()) & MASK
            at += 1
        for _ in s["strs"]:
            assert strings[cols[at].varint()] is not None
            at += 1
        for _arg, _kind, flags in s["strs"]:
            if flags & TRUNCATED:
                cols[at].varint()
                at += 1
        yield [thread, seq, cpu, s["abi"], s["nr"],
               None if s["flags"] & NO_ENTER else start, dur, ret, s["flags"]] + args, end.time


def events(payload, known):
    """(event id, row, END) of a payload."""
    b = Bytes(payload)
    count, total = b.varint(), b.varint()
    lengths = [b.varint() for _ in range(count)]
    assert sum(lengths) == total
    strings = [None] + [b.take(n) for n in lengths]
    seen, most = set(), min(1048576, 4096 + 8 * len(payload))
    while b.left():
        event, rows, ncols = b.varint(), b.varint(), b.varint()
        assert event and rows and event not in seen
        seen.add(event)
        most -= rows
        assert most >= 0, "more rows than its length allows"
        sizes = [b.varint() for _ in range(ncols)]
        cols = [Bytes(b.take(n)) for n in sizes]
        if event == 1:
            for row, end in calls(cols, rows, strings):
                yield event, row, end
        elif event in known:
            fields = known[event][1][:ncols // 2]
            for row in ordinary(cols, rows, fields, strings):
                time = row[0] if fields[0][1] == TIME else None
                yield event, row, time
        for c in cols:
            assert event not in known or not c.left(), "values that nobody wants"


def footer(payload, data, seen):
    assert payload[:128] == data[:128]
    b = Bytes(payload[128:])
    n, kinds = b.varint(), b.varint()
    offset = first = last = least = 0
    for k in range(n):
        offset += b.varint()
        kind, rows = b.varint(), b.varint()
        first, last, least = first + b.zigzag(), last + b.zigzag(), least + b.zigzag()
        h, by_event = seen[k]
        assert (offset, kind, rows, first, last, least) == tuple(
            h[x] for x in ("offset", "kind", "rows", "first", "last", "least"))
        for event in range(kinds):
            assert b.varint() == by_event.get(event, 0)
    assert not b.left() and n == len(seen)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("counts", "sums", "blocks"):
        sys.exit(__doc__)
    data = open(sys.argv[2], "rb").read()
    known, seen, counts, sums = {}, [], {}, {}
    origin, = struct.unpack_from("<Q", data, 48)
    for h, payload in blocks(data):
        by_event, times, starts = {}, [], []
        if h["kind"] == 1:
            known = schema(payload)
        elif h["kind"] in (2, 3):
            for event, row, end in events(payload, known):
                name, fields = known[event]
                by_event[event] = by_event.get(event, 0) + 1
                counts[name] = counts.get(name, 0) + 1
                if end:
                    times.append(end)
                    starts.append(row[5] or end if event == 1 else end)
                for (field, kind), v in zip(fields, row):
                    s = sums.setdefault((name, field), [0, 0])
                    if v is not None:
                        s[0] += 1
                        s[1] += len(v) if kind == STR else (
                            v - (origin if kind == TIME else 0)) & 0xffffffff
            assert sum(by_event.values()) == h["rows"]
            assert (h["first"], h["last"], h["least"]) == (
                (min(times), max(times), min(starts)) if times else (0, 0, 0))
        elif h["kind"] == 4:
            footer(payload, data, seen)
        if sys.argv[1] == "blocks":
            print(h["seq"], h["kind"], h["rows"])
        seen.append((h, by_event))
    if sys.argv[1] == "counts":
        for name in sorted(counts):
            print(name, counts[name])
    if sys.argv[1] == "sums":
        for name, field in sorted(sums):
            print(name, field, *sums[name, field])


if __name__ == "__main__":
    main()
