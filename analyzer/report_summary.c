/*
 * report_summary.c - one trace on a page: what ran, how well it was seen,
 * where time went, and what to look at next.
 */
#include "report.h"
#include "report_sql.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "db.h"
#include "human.h"
#include "options.h"
#include "page.h"
#include "query.h"

#define COLUMNS(...)                                                                  \
	.col = (const struct dn_col[]){ __VA_ARGS__ },                                  \
	.ncol = sizeof((const struct dn_col[]){ __VA_ARGS__ }) / sizeof(struct dn_col)

/* clang-format off */
static const struct dn_table tables[] = {
	{ "Time in system calls, by category",
	  "SELECT category, count, share, errors, total_ns, of_time, of_time FROM"
	  " (SELECT *, total_ns * 1.0 / max(1, sum(total_ns) OVER ()) AS of_time FROM categories"
	  " WHERE trace_id = ?1 AND count > 0) ORDER BY total_ns DESC, count DESC",
	  COLUMNS({ "category", DN_SHOW_TEXT, 9 }, { "calls", DN_SHOW_COUNT, 8 },
		  { "of all", DN_SHOW_SHARE, 7 }, { "errors", DN_SHOW_COUNT, 7 },
		  { "time", DN_SHOW_NS, 8 }, { "of all", DN_SHOW_SHARE, 7 },
		  { "", DN_SHOW_BAR, 18 }) },
	{ "System calls with most time",
	  "SELECT name, count, errors, total_ns, p50_ns, p99_ns, max_ns FROM syscall_stats"
	  " WHERE trace_id = ?1 ORDER BY total_ns DESC, count DESC, name LIMIT 12",
	  COLUMNS({ "name", DN_SHOW_TEXT, 18 }, { "calls", DN_SHOW_COUNT, 7 },
		  { "errors", DN_SHOW_COUNT, 7 }, { "time", DN_SHOW_NS, 8 },
		  { "median", DN_SHOW_NS, 8 }, { "99 %", DN_SHOW_NS, 8 },
		  { "longest", DN_SHOW_NS, 8 }) },
	{ "Processes with most CPU time",
	  "SELECT pid, comm, calls, utime_ns, stime_ns, syscall_ns, maxrss_bytes, dur_ns FROM processes"
	  " WHERE trace_id = ?1 ORDER BY ifnull(utime_ns, 0) + ifnull(stime_ns, 0) DESC, calls DESC,"
	  " process_id LIMIT 8",
	  COLUMNS({ "pid", DN_SHOW_INT, 7 }, { "name", DN_SHOW_TEXT, 13 },
		  { "calls", DN_SHOW_COUNT, 6 }, { "user", DN_SHOW_NS, 7 },
		  { "system", DN_SHOW_NS, 7 }, { "in calls", DN_SHOW_NS, 8 },
		  { "peak mem", DN_SHOW_BYTES, 8 }, { "lived", DN_SHOW_NS, 7 }) },
	{ "Threads that waited longest",
	  "SELECT tid, comm, running_ns, runnable_ns, waited_ns, longest_ns, longest_reason FROM thread_time"
	  " WHERE trace_id = ?1 AND waits > 0 ORDER BY waited_ns + runnable_ns DESC, thread_id LIMIT 8",
	  COLUMNS({ "tid", DN_SHOW_INT, 7 }, { "name", DN_SHOW_TEXT, 13 }, { "ran", DN_SHOW_NS, 7 },
		  { "for a CPU", DN_SHOW_NS, 9 }, { "otherwise", DN_SHOW_NS, 9 },
		  { "longest", DN_SHOW_NS, 7 }, { "in", DN_SHOW_TEXT, 15 }) },
	{ "Performance counters",
	  "SELECT t.name, iif(t.name = 'task-clock', human_ns(t.value), human_count(t.value)), iif(p.value > 0, r.comm, ''),"
	  " p.value * 1.0 / nullif(t.value, 0), iif(t.scaled, 'in part', '') FROM raw_counted AS t JOIN raw_perf_kind AS k USING (name)"
	  " LEFT JOIN (SELECT name, process, max(value) AS value FROM raw_counted WHERE trace_id = ?1 AND level = 'process'"
	  " GROUP BY name) AS p ON p.name = t.name LEFT JOIN raw_process AS r ON r.process = p.process"
	  " WHERE t.trace_id = ?1 AND t.level = 'trace' ORDER BY k.counter",
	  COLUMNS({ "counter", DN_SHOW_TEXT, 23 }, { "total", DN_SHOW_TEXT, 8 }, { "most in", DN_SHOW_TEXT, 15 },
		  { "of all", DN_SHOW_SHARE, 7 }, { "counted", DN_SHOW_TEXT, 8 }) },
	{ "Processes with most cycles",
	  "SELECT pid, comm, cycles, iif(ipc IS NULL, '-', printf('%.2f', ipc)), cache_miss_rate, frontend_share, backend_share, verdict"
	  " FROM process_counters WHERE trace_id = ?1 AND cycles > 0 ORDER BY cycles DESC, process_id LIMIT 8",
	  COLUMNS({ "pid", DN_SHOW_INT, 7 }, { "name", DN_SHOW_TEXT, 13 }, { "cycles", DN_SHOW_COUNT, 7 },
		  { "IPC", DN_SHOW_TEXT, 5 }, { "misses", DN_SHOW_SHARE, 7 }, { "frontend", DN_SHOW_SHARE, 8 },
		  { "backend", DN_SHOW_SHARE, 7 }, { "verdict", DN_SHOW_TEXT, 17 }) },
	{ "Functions that ran, by samples",
	  "SELECT sum(w.count), sum(w.count) * 1.0 / (SELECT sum(count) FROM raw_weight WHERE trace_id = ?1"
	  " AND what = 'samples'), p.name, " DN_SQL_FILE("p.path") " FROM raw_weight AS w"
	  " JOIN raw_node AS n ON n.stack = w.stack JOIN raw_place AS p ON p.frame = n.frame"
	  " WHERE w.trace_id = ?1 AND w.what = 'samples' GROUP BY p.name, p.path"
	  " ORDER BY 1 DESC, p.name, p.path LIMIT 8",
	  COLUMNS({ "samples", DN_SHOW_COUNT, 7 }, { "of all", DN_SHOW_SHARE, 7 },
		  { "function", DN_SHOW_TEXT, 38 }, { "in", DN_SHOW_TEXT, 18 }) },
	{ "Where threads waited: functions, innermost first",
	  "SELECT weight, count, comm, ifnull("
	  DN_SQL_STACK("stack", "p.kind IN ('file', 'vdso', 'memory')", "' < '", "ASC", "4") ", "
	  DN_SQL_STACK("stack", "p.kind IN ('kernel', 'module')", "' < '", "ASC", "4") ")"
	  " FROM (SELECT w.stack, t.comm, sum(w.weight) AS weight, sum(w.count) AS count FROM raw_weight AS w"
	  " LEFT JOIN raw_thread AS t ON t.thread = w.thread WHERE w.trace_id = ?1 AND w.what = 'offcpu' AND w.waited"
	  " GROUP BY w.stack, t.comm ORDER BY 3 DESC, 1 LIMIT 8)",
	  COLUMNS({ "time", DN_SHOW_NS, 7 }, { "times", DN_SHOW_COUNT, 6 }, { "name", DN_SHOW_TEXT, 13 },
		  { "where", DN_SHOW_TEXT, 44 }) },
	{ "Errors",
	  "SELECT sum(count), error, name, group_concat(DISTINCT comm) FROM errors"
	  " WHERE trace_id = ?1 GROUP BY name, error ORDER BY 1 DESC, name, error LIMIT 8",
	  COLUMNS({ "calls", DN_SHOW_COUNT, 7 }, { "error", DN_SHOW_TEXT, 13 },
		  { "call", DN_SHOW_TEXT, 18 }, { "in", DN_SHOW_TEXT, 33 }) },
	{ "Paths in most calls",
	  "SELECT calls, errors, total_ns, path FROM files WHERE trace_id = ?1"
	  " ORDER BY calls DESC, total_ns DESC, path LIMIT 8",
	  COLUMNS({ "calls", DN_SHOW_COUNT, 7 }, { "errors", DN_SHOW_COUNT, 7 },
		  { "time", DN_SHOW_NS, 8 }, { "path", DN_SHOW_TEXT, 49 }) },
	{ "By kind of descriptor",
	  "SELECT kind, sum(calls), sum(errors), sum(total_ns), nullif(sum(bytes_in), 0),"
	  " nullif(sum(bytes_out), 0) FROM fd_stats WHERE trace_id = ?1 GROUP BY kind"
	  " ORDER BY 4 DESC, 2 DESC, 1 LIMIT 8",
	  COLUMNS({ "kind", DN_SHOW_TEXT, 18 }, { "calls", DN_SHOW_COUNT, 7 },
		  { "errors", DN_SHOW_COUNT, 7 }, { "time", DN_SHOW_NS, 8 },
		  { "read", DN_SHOW_BYTES, 9 }, { "written", DN_SHOW_BYTES, 9 }) },
	{ "Network, by process and other end",
	  "SELECT comm, kind, direction, ifnull(peer, '-'), connections, failed, sent, received FROM peers"
	  " WHERE trace_id = ?1 AND kind <> 'netlink' AND (sent + received > 0 OR failed > 0)"
	  " ORDER BY sent + received DESC, connections DESC, peer LIMIT 10",
	  COLUMNS({ "process", DN_SHOW_TEXT, 11 }, { "kind", DN_SHOW_TEXT, 4 },
		  { "dir", DN_SHOW_TEXT, 5 }, { "other end", DN_SHOW_TEXT, 23 },
		  { "conns", DN_SHOW_COUNT, 6 }, { "failed", DN_SHOW_COUNT, 6 },
		  { "sent", DN_SHOW_BYTES, 8 }, { "received", DN_SHOW_BYTES, 8 }) },
	{ "Listening",
	  "SELECT comm, kind, ifnull(address, '-'), accepted, sent, received FROM listeners"
	  " WHERE trace_id = ?1 ORDER BY accepted DESC, sock_id LIMIT 6",
	  COLUMNS({ "process", DN_SHOW_TEXT, 13 }, { "kind", DN_SHOW_TEXT, 4 },
		  { "address", DN_SHOW_TEXT, 29 }, { "accepted", DN_SHOW_COUNT, 8 },
		  { "sent", DN_SHOW_BYTES, 8 }, { "received", DN_SHOW_BYTES, 8 }) },
	{ "Socket addresses",
	  "SELECT count, errors, total_ns, name, address, comm FROM connections WHERE trace_id = ?1"
	  " AND name NOT IN ('getsockname', 'getpeername')"
	  " AND NOT EXISTS (SELECT 1 FROM raw_socket WHERE trace_id = ?1)"
	  " ORDER BY total_ns DESC, count DESC, address LIMIT 8",
	  COLUMNS({ "calls", DN_SHOW_COUNT, 7 }, { "errors", DN_SHOW_COUNT, 7 },
		  { "time", DN_SHOW_NS, 8 }, { "call", DN_SHOW_TEXT, 8 },
		  { "address", DN_SHOW_TEXT, 28 }, { "in", DN_SHOW_TEXT, 10 }) },
	{ "Signals",
	  "SELECT signal, sum(event = 'sent'), sum(event = 'delivered'),"
	  " group_concat(DISTINCT ifnull(sender_comm, (SELECT comm FROM raw_thread AS t"
	  " WHERE t.thread = sender_id))) FROM signals WHERE trace_id = ?1"
	  " GROUP BY signal ORDER BY 2 DESC, 3 DESC, 1 LIMIT 6",
	  COLUMNS({ "signal", DN_SHOW_TEXT, 12 }, { "sent", DN_SHOW_COUNT, 7 },
		  { "taken", DN_SHOW_COUNT, 7 }, { "sent by", DN_SHOW_TEXT, 42 }) },
};
/* clang-format on */

/* A text that grows in a fixed buffer and is cut at its end. */
struct line {
	char text[512];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n;
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
}

static void add_count(struct line *l, int64_t n, const char *one, const char *many)
{
	char buf[DN_HUMAN_SIZE];

	add(l, "%s %s", dn_human_digits(buf, sizeof(buf), (uint64_t)n), n == 1 ? one : many);
}

/* --- the head ------------------------------------------------------------ */

/* clang-format off */
enum { T_COMMAND, T_STARTED, T_DURATION, T_REASON, T_CODE, T_SIGNAL, T_SURVIVORS, T_COMPLETE,
       T_CLEAN, T_EXACT, T_CALLS, T_LOST, T_BYTES, T_BLOCKS_LOST, T_DAMAGED, T_PROCESSES,
       T_THREADS, T_FILE, T_WRITTEN, T_RECORDED, T_ATTACHED };

static const char trace_sql[] =
	"SELECT command, started, duration_ns, end_reason, exit_code,"
	" ifnull((SELECT name FROM raw_signal WHERE sig = exit_signal), exit_signal), survivors,"
	" complete, clean_end, exact, calls, lost, bytes, blocks_lost, damaged,"
	" (SELECT count(*) FROM raw_process AS p WHERE p.trace_id = ?1),"
	" (SELECT count(*) FROM raw_thread AS h WHERE h.trace_id = ?1), file, written, syscalls_recorded, attached"
	" FROM traces WHERE trace_id = ?1";

enum { H_NAME, H_KERNEL, H_MACHINE, H_CPUS, H_MODEL, H_MEMORY, H_OS };

static const char host_sql[] =
	"SELECT max(iif(key = 'host.name', value, NULL)), max(iif(key = 'host.kernel.release', value, NULL)),"
	" max(iif(key = 'host.kernel.machine', value, NULL)),"
	" max(iif(key = 'host.cpu.threads', value, NULL)), max(iif(key = 'host.cpu.model', value, NULL)),"
	" CAST(max(iif(key = 'host.memory.total', value, NULL)) AS INTEGER),"
	" max(iif(key = 'host.os.name', value, NULL))"
	" FROM environment WHERE trace_id = ?1";

/* clang-format on */

static void put_end(struct line *l, const struct dn_query *q)
{
	const char *reason = dn_query_text(q, T_REASON, NULL);

	if (!dn_query_null(q, T_SIGNAL))
		add(l, "killed by %s", dn_query_text(q, T_SIGNAL, NULL));
	else if (!dn_query_null(q, T_CODE))
		add(l, "exit status %" PRId64, dn_query_int(q, T_CODE));
	else if (dn_query_null(q, T_REASON))
		add(l, "its end is not in the file");
	else if (!strcmp(reason, "command"))
		add(l, "ended");	/* it was not our child, whose status we know */
	else
		add(l, "ran on");
	if (!strcmp(reason, "duration"))
		add(l, ", recorded for the time asked for");
	else if (!strcmp(reason, "signal"))
		add(l, ", recording stopped by a signal");
	else if (!strcmp(reason, "error"))
		add(l, ", recording stopped by an error");
	if (dn_query_int(q, T_SURVIVORS) > 0) {
		add(l, ", ");
		add_count(l, dn_query_int(q, T_SURVIVORS), "process lives on", "processes live on");
	}
}

static void put_quality(struct line *l, const struct dn_query *q)
{
	int64_t calls = dn_query_int(q, T_CALLS), lost = dn_query_int(q, T_LOST);
	int64_t written = dn_query_int(q, T_WRITTEN);
	char buf[DN_HUMAN_SIZE];

	if (!dn_query_int(q, T_RECORDED))
		add(l, "no system calls, only what /proc shows");
	else if (dn_query_int(q, T_EXACT))
		add(l, "all %s system calls, exactly",
		    dn_human_digits(buf, sizeof(buf), (uint64_t)(calls + lost)));
	else
		add_count(l, calls, "system call", "system calls");
	if (lost)
		add(l, ", %s of them only counted",
		    dn_human_percent(buf, sizeof(buf), (uint64_t)lost, (uint64_t)(calls + lost)));
	if (written > calls)
		add(l, ", %s more in lost blocks",
		    dn_human_digits(buf, sizeof(buf), (uint64_t)(written - calls)));
	add(l, "; ");
	add_count(l, dn_query_int(q, T_PROCESSES), "process", "processes");
	add(l, ", ");
	add_count(l, dn_query_int(q, T_THREADS), "thread", "threads");
	add(l, "; %s", dn_human_bytes(buf, sizeof(buf), (uint64_t)dn_query_int(q, T_BYTES)));
}

static int put_host(struct dn_page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db, host_sql);
	struct line l = { "", 0 };
	char buf[DN_HUMAN_SIZE];
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	ret = dn_query_step(q);
	if (ret > 0 && !dn_query_null(q, H_KERNEL)) {
		add(&l, "%s, Linux %s %s", dn_query_text(q, H_NAME, NULL),
		    dn_query_text(q, H_KERNEL, NULL), dn_query_text(q, H_MACHINE, NULL));
		if (!dn_query_null(q, H_CPUS))
			add(&l, ", %s CPU%s", dn_query_text(q, H_CPUS, NULL),
			    strcmp(dn_query_text(q, H_CPUS, NULL), "1") ? "s" : "");
		if (!dn_query_null(q, H_MEMORY))
			add(&l, ", %s", dn_human_bytes(buf, sizeof(buf),
						       (uint64_t)dn_query_int(q, H_MEMORY)));
		dn_page_field(p, "Host", l.text);
		if (!dn_query_null(q, H_MODEL)) {
			l.len = 0;
			add(&l, "%s", dn_query_text(q, H_MODEL, NULL));
			if (!dn_query_null(q, H_OS))
				add(&l, ", %s", dn_query_text(q, H_OS, NULL));
			dn_page_field(p, "", l.text);
		}
	}
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

/* What reading the file had to say against it. */
static int put_notes(struct dn_page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db,
		"SELECT text, '!' FROM (SELECT text FROM raw_note WHERE trace_id = ?1 LIMIT 8)"
		" UNION ALL SELECT 'lost besides system calls, as the view losses explains: ' ||"
		" group_concat(counter || ' ' || count, ', '), '!' FROM (SELECT counter, count FROM losses"
		" WHERE trace_id = ?1 AND (counter GLOB '*_lost' OR counter IN ('stack_missing', 'perf_missed'))"
		" AND counter NOT IN ('syscall_lost', 'block_calls_lost', 'blocks_lost') ORDER BY counter) HAVING count(*) > 0"
		" UNION ALL SELECT 'not observed: ' || group_concat(subject, ', '), 'Note' FROM"
		" (SELECT subject FROM not_observed WHERE trace_id = ?1 ORDER BY subject)"
		" HAVING count(*) > 0");
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	while ((ret = dn_query_step(q)) > 0)
		dn_page_field(p, dn_query_text(q, 1, NULL), dn_query_text(q, 0, NULL));
	dn_query_free(q);
	return ret;
}

#define FEW_TICKS 100

/* The share of the threads' lives that was in calls, and CPU time. */
static int put_time(struct dn_page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db,
		"WITH open_calls AS (SELECT count(*) AS n, total(e.observed - max(ifnull(e.call_start, t.start), t.start)) AS ns"
		" FROM raw_thread_end AS e JOIN raw_thread AS t USING (thread) WHERE t.trace_id = ?1 AND e.in_call"
		" AND e.observed > t.start) "
		"SELECT CAST(total(max(coalesce(end_ns, (SELECT max(observed) FROM raw_thread_end WHERE trace_id = ?1),"
		" (SELECT last FROM raw_trace WHERE trace_id = ?1)) - start_ns, 0)) AS INTEGER),"
		" sum(syscall_ns) + (SELECT ns FROM open_calls), (SELECT utime FROM raw_used WHERE trace_id = ?1),"
		" (SELECT stime FROM raw_used WHERE trace_id = ?1),"
		" (SELECT 1000000000 / CAST(value AS INTEGER) FROM environment"
		" WHERE trace_id = ?1 AND key = 'host.kernel_hz'), (SELECT n FROM open_calls)"
		" FROM threads WHERE trace_id = ?1");
	struct line l = { "", 0 };
	char a[DN_HUMAN_SIZE], b[DN_HUMAN_SIZE];
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	ret = dn_query_step(q);
	if (ret > 0 && dn_query_int(q, 0) > 0) {
		uint64_t life = (uint64_t)dn_query_int(q, 0), in = (uint64_t)dn_query_int(q, 1);

		add(&l, "%s of threads' life", dn_human_ns(a, sizeof(a), life));
		if (!dn_query_null(q, 1))
			add(&l, ", %s of it in system calls%s", dn_human_percent(b, sizeof(b), in, life),
			    dn_query_int(q, 5) > 0 ? ", also those open at the end" : "");
		if (dn_query_null(q, 2))
			add(&l, "; CPU time is not known of all processes");
		else
			add(&l, "; CPU %s user, %s system",
			    dn_human_ns(a, sizeof(a), (uint64_t)dn_query_int(q, 2)),
			    dn_human_ns(b, sizeof(b), (uint64_t)dn_query_int(q, 3)));
		/* Where the share of one tick shows in a percentage. */
		if (!dn_query_null(q, 2) && (dn_query_int(q, 2) + dn_query_int(q, 3)) / FEW_TICKS <
					    dn_query_int(q, 4))
			add(&l, ", told apart in ticks of %s",
			    dn_human_ns(a, sizeof(a), (uint64_t)dn_query_int(q, 4)));
		dn_page_field(p, "Time", l.text);
	}
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

static int put_head(struct dn_page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db, trace_sql);
	struct line l = { "", 0 };
	char buf[DN_HUMAN_SIZE];
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	ret = dn_query_step(q);
	if (ret <= 0)
		goto out;
	dn_page_field(p, "Trace", dn_query_text(q, T_FILE, NULL));
	if (!dn_query_null(q, T_COMMAND))
		dn_page_field(p, "Command", dn_query_text(q, T_COMMAND, NULL));
	if (!dn_query_null(q, T_ATTACHED)) {
		add(&l, "to %s, which ran already", dn_query_text(q, T_ATTACHED, NULL));
		dn_page_field(p, "Attached", l.text);
		l.len = 0;
	}
	ret = put_host(p, db, trace);
	if (ret)
		goto out;
	if (!dn_query_null(q, T_STARTED))	/* whole seconds are enough here */
		add(&l, "%.19sZ, ", dn_query_text(q, T_STARTED, NULL));
	if (!dn_query_null(q, T_DURATION))
		add(&l, "%s, ", dn_human_ns(buf, sizeof(buf), (uint64_t)dn_query_int(q, T_DURATION)));
	put_end(&l, q);
	dn_page_field(p, "Ran", l.text);
	l.len = 0;
	put_quality(&l, q);
	dn_page_field(p, "Recorded", l.text);
	ret = put_time(p, db, trace);
	if (!ret)
		ret = put_notes(p, db, trace);
out:
	dn_query_free(q);
	return ret;
}

/* --- the end ------------------------------------------------------------- */

static int put_findings(struct dn_page *p, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_query_new(db, "SELECT text, sql, rank FROM findings WHERE trace_id = ?1"
					      " ORDER BY rank LIMIT 8");
	char number[16];
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	while ((ret = dn_query_step(q)) > 0) {
		if (dn_query_int(q, 2) == 1)
			dn_page_heading(p, "What to look at next (each with a query for --sql)");
		snprintf(number, sizeof(number), "%3" PRId64 ". ", dn_query_int(q, 2));
		dn_page_wrap(p, number, dn_query_text(q, 0, NULL));
		dn_page_wrap(p, "     > ", dn_query_text(q, 1, NULL));
	}
	dn_query_free(q);
	return ret;
}

int dn_report_summary(FILE *out, struct dn_db *db, int64_t trace, const struct dn_options *o)
{
	struct dn_page p = { .out = out, .color = o->color };
	int err = put_head(&p, db, trace);

	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(*tables); i++)
		err = dn_page_table(&p, db, trace, &tables[i]);
	return err ? err : put_findings(&p, db, trace);
}
