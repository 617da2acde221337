/*
 * report_json.c - one trace as a JSON document (schema/report.schema.json).
 *
 * Nearly all of it is a table: a key, a query, a shape (report_put.h). What nests
 * (errors in a syscall, threads in a process) is two queries in the same order.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"	/* DN_VERSION */
#endif

#include "report.h"
#include "report_put.h"
#include "report_sql.h"

#include <errno.h>
#include <string.h>

#include "db.h"
#include "json.h"
#include "query.h"

/* Lists that grow with the work are cut here; *_total says how many there are. */
#define FILES_MAX "1000"
#define WAKERS_MAX "50"
#define BLOCKING_MAX "10"
#define STACKS_MAX "20"
#define CONNECTIONS_MAX "1000"

#define NOT_RECORDED(probe)                                                           \
	"SELECT 1 FROM raw_probe WHERE trace_id = ?1 AND rung = 'none' AND name = '" probe "'"

static const struct section head[] = {
	{ "trace", OBJECT,
	  "SELECT file, uuid, format_major || '.' || format_minor AS format, v.abi, v.started,"
	  " v.started_ns, v.duration_ns, v.bytes, v.blocks"
	  " FROM traces AS v JOIN raw_trace USING (trace_id, file, uuid) WHERE trace_id = ?1" },
};

static const char command_sql[] =
	"SELECT t.command AS text, t.attached, p.pid, p.path,"
	" ifnull(p.cwd, (SELECT value FROM environment WHERE trace_id = ?1 AND key = 'command.cwd'))"
	" AS cwd,"
	" t.end_reason, t.exit_code, t.exit_signal,"
	" (SELECT name FROM raw_signal WHERE sig = t.exit_signal) AS exit_signal_name,"
	" t.survivors"
	" FROM traces AS t LEFT JOIN (SELECT * FROM raw_process WHERE trace_id = ?1 AND origin IN (0, 6)"
	" ORDER BY process LIMIT 1) AS p USING (trace_id) WHERE trace_id = ?1";

static const char argv_sql[] =
	"SELECT argv FROM raw_exec WHERE trace_id = ?1 AND (SELECT attached IS NULL FROM traces WHERE trace_id = ?1)"
	" ORDER BY time, rowid LIMIT 1";

static const struct section quality[] = {
	{ "blocks", OBJECT,
	  "SELECT blocks AS read, lost, damaged, duplicated, reordered, foreign_blocks AS \"foreign\","
	  " unknown, skipped AS skipped_bytes, header_ok AS \"header_ok?\", cut AS \"cut?\""
	  " FROM raw_trace WHERE trace_id = ?1" },
	{ "gaps", ARRAY,
	  "SELECT seq AS first_block, count AS blocks, after AS after_ns, before AS before_ns"
	  " FROM raw_gap WHERE trace_id = ?1 ORDER BY seq" },
	{ "losses", ARRAY,
	  "SELECT counter, kind, process_id, name, count, total_ns, first_ns, last_ns, doc FROM losses"
	  " WHERE trace_id = ?1 ORDER BY count DESC, counter, process_id, name LIMIT 1000" },
	{ "not_observed", ARRAY,
	  "SELECT subject, reason FROM not_observed WHERE trace_id = ?1 ORDER BY subject" },
	{ "probes", ARRAY,
	  "SELECT name, rung, reason FROM probes WHERE trace_id = ?1 ORDER BY name" },
	{ "overhead", OBJECT,
	  "SELECT max(iif(name = 'recorder_cpu_ns', value, NULL)) AS recorder_cpu_ns,"
	  " max(iif(name = 'ring_bytes', value, NULL)) AS ring_bytes,"
	  " (SELECT bytes FROM raw_trace WHERE trace_id = ?1) AS file_bytes"
	  " FROM raw_total WHERE trace_id = ?1" },
};

static const char quality_sql[] =
	"SELECT complete AS \"complete?\", clean_end AS \"clean_end?\", exact AS \"exact?\","
	" t.attempted, t.written, calls AS read, t.lost, redacted"
	" FROM traces AS t JOIN raw_quality USING (trace_id) WHERE trace_id = ?1";

static const struct section findings[] = {
	{ "findings", ARRAY,
	  "SELECT text, value, unit, sql FROM findings WHERE trace_id = ?1 ORDER BY rank" },
};

static const char total_sql[] =
	"SELECT calls + lost AS total FROM traces WHERE trace_id = ?1";

static const char available_sql[] =
	"SELECT syscalls_recorded AS \"available?\" FROM traces WHERE trace_id = ?1";

static const char by_category_sql[] =
	"SELECT c.category, c.count FROM categories AS c JOIN raw_category AS k ON k.name = c.category"
	" WHERE trace_id = ?1 ORDER BY k.category";

static const char by_fd_kind_sql[] =
	"SELECT kind, sum(calls) AS calls, sum(errors) AS errors, sum(total_ns) AS total_ns,"
	" sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out FROM fd_stats WHERE trace_id = ?1"
	" GROUP BY kind ORDER BY 2 DESC, 1";

static const struct section seed[] = {
	{ "top_syscalls", ARRAY,
	  "SELECT name, sum(count) AS count FROM syscall_stats WHERE trace_id = ?1"
	  " GROUP BY name ORDER BY 2 DESC, 1 LIMIT 10", NOT_RECORDED("syscalls") },
	{ "analysis", OBJECT,
	  "SELECT iif(t.duration_ns > 0, (t.calls + t.lost) * 1e9 / t.duration_ns, NULL)"
	  " AS syscall_rate_per_sec,"
	  " (SELECT share FROM categories AS c WHERE c.trace_id = ?1 AND category = 'file_io')"
	  " AS io_intensity,"
	  " (SELECT share FROM categories AS c WHERE c.trace_id = ?1 AND category = 'memory')"
	  " AS memory_intensity,"
	  " (SELECT share FROM categories AS c WHERE c.trace_id = ?1 AND category = 'process')"
	  " AS cpu_intensity,"
	  " (SELECT share FROM categories AS c WHERE c.trace_id = ?1 AND category = 'network')"
	  " AS network_intensity"
	  " FROM traces AS t WHERE t.trace_id = ?1" },
};

/* NULL where it is one of those that are only added up. */
#define LONGEST "iif(max(below_ns) > max(max_ns), NULL, max(max_ns))"

static const char offcpu_sql[] =
	"SELECT ifnull(sum(total_ns), 0) AS total_time_ns, ifnull(sum(count), 0) AS total_events,"
	" sum(total_ns) / sum(count) AS avg_time_ns, " LONGEST " AS max_time_ns,"
	" iif(count(below_ns), NULL, min(min_ns)) AS min_time_ns FROM waits WHERE trace_id = ?1";

static const struct section offcpu[] = {
	{ "by_state", ARRAY,
	  "SELECT state, sum(count) AS events, sum(total_ns) AS time_ns, sum(ready_ns) AS ready_ns,"
	  " " LONGEST " AS max_time_ns FROM waits WHERE trace_id = ?1"
	  " GROUP BY state ORDER BY sum(total_ns) DESC, state" },
	{ "by_reason", ARRAY,
	  "SELECT reason, sum(count) AS events, sum(total_ns) AS time_ns, " LONGEST " AS max_time_ns"
	  " FROM waits WHERE trace_id = ?1 GROUP BY reason ORDER BY sum(total_ns) DESC, reason" },
	{ "wakers", ARRAY,
	  "SELECT waker_id, waker_tid, waker_comm, sum(count) AS wakeups,"
	  " sum(total_ns - ready_ns) AS waited_ns FROM waits"
	  " WHERE trace_id = ?1 AND waker_comm IS NOT NULL GROUP BY waker_id, waker_tid, waker_comm"
	  " ORDER BY waited_ns DESC, wakeups DESC, waker_tid, waker_comm LIMIT " WAKERS_MAX },
	{ "top_blocking_threads", ARRAY,
	  "SELECT thread_id AS id, process_id, pid, tid, comm, waited_ns,"
	  " waits, longest_ns, longest_reason FROM thread_time WHERE trace_id = ?1 AND waited_ns > 0"
	  " ORDER BY waited_ns DESC, thread_id LIMIT " BLOCKING_MAX },
	{ "top_blocking_stacks", ARRAY,
	  "SELECT stack AS stack_id, weight AS total_time_ns, count AS events, longest AS max_time_ns, "
	  DN_SQL_STACK("stack", "1", "';'", "DESC", "300") " AS stack FROM (SELECT stack, sum(weight) AS weight,"
	  " sum(count) AS count, max(longest) AS longest FROM raw_weight WHERE trace_id = ?1 AND what = 'offcpu'"
	  " AND waited GROUP BY stack ORDER BY 2 DESC, 1 LIMIT " STACKS_MAX ")" },
	{ "thread_stats", ARRAY,
	  "SELECT thread_id AS id, process_id, pid, tid, comm, alive_ns, running_ns, runnable_ns, sleeping_ns,"
	  " disk_ns, blocked_ns, stopped_ns, other_ns, waited_ns, waits, longest_ns, longest_reason"
	  " FROM thread_time WHERE trace_id = ?1 ORDER BY thread_id" },
};

static const char samples_sql[] =
	"SELECT count(*) AS total, max(period) AS period_ns, max(cycles) AS period_cycles, count(stack) AS with_stack FROM raw_sample"
	" WHERE trace_id = ?1";

static const struct section samples[] = {
	{ "top_functions", ARRAY,
	  "SELECT p.name, p.path AS module, p.kind, sum(w.count) AS samples FROM raw_weight AS w"
	  " JOIN raw_node AS n ON n.stack = w.stack JOIN raw_place AS p ON p.frame = n.frame"
	  " WHERE w.trace_id = ?1 AND w.what = 'samples' GROUP BY p.name, p.path"
	  " ORDER BY 4 DESC, p.name, p.path LIMIT " STACKS_MAX },
	{ "top_stacks", ARRAY,
	  "SELECT stack AS stack_id, count AS samples, " DN_SQL_STACK("stack", "1", "';'", "DESC", "300") " AS stack"
	  " FROM (SELECT stack, sum(count) AS count FROM raw_weight WHERE trace_id = ?1 AND what = 'samples'"
	  " GROUP BY stack ORDER BY 2 DESC, 1 LIMIT " STACKS_MAX ")" },
};

/* Performance counters; without any, why. Columns that two views have in common: */
#define COUNTED                                                                       \
	"cycles, instructions, cache_references, cache_misses, stalled_frontend, stalled_backend, task_clock_ns," \
	" page_faults, context_switches, cpu_migrations, scaled AS \"scaled?\", ipc, cache_miss_rate,"          \
	" frontend_share, backend_share, verdict, lacks"

static const char counters_sql[] =
	"SELECT EXISTS (SELECT 1 FROM raw_probe AS p WHERE p.trace_id = ?1 AND name = 'counters' AND rung <> 'none')"
	" AS \"available?\", " COUNTED ", pressure_share FROM trace_counters WHERE trace_id = ?1";

static const struct section counters[] = {
	{ "by_process", ARRAY, "SELECT process_id, pid, comm, " COUNTED " FROM process_counters"
	  " WHERE trace_id = ?1 ORDER BY process_id" },
	{ "by_thread", ARRAY,
	  "SELECT process_id, thread_id, pid, tid, comm, counter, value, scaled AS \"scaled?\", enabled_ns, running_ns"
	  " FROM counters WHERE trace_id = ?1 ORDER BY thread_id, counter" },
};

/* Descending by count; the first column makes both sides meet. */
#define SYSCALL_ORDER                                                                 \
	"(SELECT row_number() OVER (ORDER BY c.count + c.lost DESC, c.abi, c.nr) AS place,"   \
	" c.abi, c.nr FROM raw_call AS c WHERE c.trace_id = ?1)"

static const char syscalls_sql[] =
	"SELECT o.place, s.name, s.abi, s.nr, s.category, s.count, s.errors, s.restarts, s.unfinished,"
	" s.lost, s.total_ns, s.min_ns, s.mean_ns, s.p50_ns, s.p90_ns, s.p99_ns, s.max_ns"
	" FROM " SYSCALL_ORDER " AS o"
	" LEFT JOIN raw_abi AS a ON a.abi = o.abi"
	" JOIN syscall_stats AS s ON s.abi = ifnull(a.name, 'abi_' || o.abi) AND s.nr = o.nr"
	" AND s.trace_id = ?1"
	" ORDER BY o.place";

static const char by_errno_sql[] =
	"SELECT o.place, r.result AS errno, ifnull(e.name, 'E' || r.result) AS name,"
	" r.count"
	" FROM " SYSCALL_ORDER " AS o"
	" JOIN raw_result AS r ON r.abi = o.abi AND r.nr = o.nr AND r.trace_id = ?1"
	" LEFT JOIN raw_errno AS e ON e.errno = r.result"
	" WHERE r.result > 0 ORDER BY o.place, r.count DESC, r.result";

static const char rates_sql[] =
	"SELECT DISTINCT start_ns, start_ns, width_ns FROM rates WHERE trace_id = ?1 ORDER BY 1";

static const char rate_categories_sql[] =
	"SELECT start_ns, category, count, errors, total_ns FROM rates WHERE trace_id = ?1 ORDER BY 1, 2";

static const char processes_sql[] =
	"SELECT process_id, process_id AS id, parent_id, pid, ppid, origin, comm, path, argv AS command, cwd, uid,"
	" gid, start_ns, end_ns, dur_ns, exit_code, exit_signal, calls, errors, lost, syscall_ns,"
	" utime_ns, stime_ns, runtime_ns, run_delay_ns, nvcsw, nivcsw, minflt, majflt, rchar, wchar,"
	" syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes, maxrss_bytes"
	" FROM processes WHERE trace_id = ?1 ORDER BY process_id";

static const char threads_sql[] =
	"SELECT process_id, thread_id AS id, tid, comm, origin, start_ns, end_ns, exit_code, exit_signal,"
	" calls, errors, missing, syscall_ns, utime_ns, stime_ns, runtime_ns, run_delay_ns, nvcsw,"
	" nivcsw, minflt, majflt"
	" FROM threads WHERE trace_id = ?1 AND process_id IS NOT NULL ORDER BY process_id, thread_id";

/* Rows that have rows of their own: those of `sql`, under `key`. */
static const struct list lists[] = {
	{ { "syscalls", ARRAY, syscalls_sql, NOT_RECORDED("syscalls") }, "by_errno", by_errno_sql },
	{ { "rates", ARRAY, rates_sql, NOT_RECORDED("syscalls") }, "categories", rate_categories_sql },
	{ { "processes", ARRAY, processes_sql, NULL }, "threads", threads_sql },
};

static const struct section tail[] = {
	{ "files", ARRAY,
	  "SELECT path, calls, errors, opens, failed_opens, execs, errnos, total_ns, first_ns, last_ns"
	  " FROM files WHERE trace_id = ?1 ORDER BY calls DESC, path LIMIT " FILES_MAX,
	  NOT_RECORDED("strings") },
	{ "connections", ARRAY,
	  "SELECT process_id, pid, comm, name, family, address, port, count, errors, errnos, total_ns,"
	  " first_ns, last_ns FROM connections WHERE trace_id = ?1"
	  " ORDER BY count DESC, first_ns, address LIMIT " CONNECTIONS_MAX, NOT_RECORDED("strings") },
	{ "signals", ARRAY,
	  "SELECT signal AS name, sig AS number, process_id, sum(event = 'sent') AS sent,"
	  " sum(event = 'delivered') AS delivered, min(time_ns) AS first_ns, max(time_ns) AS last_ns"
	  " FROM signals WHERE trace_id = ?1 GROUP BY sig, process_id ORDER BY sig, process_id",
	  NOT_RECORDED("signals") },
	{ "totals", OBJECT,
	  "SELECT (SELECT count(*) FROM raw_process WHERE trace_id = ?1) AS processes,"
	  " (SELECT count(*) FROM raw_thread WHERE trace_id = ?1) AS threads,"
	  " (SELECT count(*) FROM raw_exec WHERE trace_id = ?1) AS execs,"
	  " iif(EXISTS (" NOT_RECORDED("strings") "), NULL,"
	  " (SELECT count(DISTINCT path) FROM raw_path WHERE trace_id = ?1)) AS files,"
	  " iif(EXISTS (" NOT_RECORDED("strings") "), NULL,"
	  " (SELECT count(*) FROM connections WHERE trace_id = ?1)) AS connections" },
};

#define OBSERVED(subject) \
	"SELECT 1 FROM probes WHERE trace_id = ?1 AND name = '" subject "' AND rung <> 'none'"

static const struct section network[] = {
	{ "totals", OBJECT,
	  "SELECT count(*) AS sockets, (SELECT count(*) FROM v_conn WHERE trace_id = ?1) AS connections,"
	  " (SELECT ifnull(sum(failed), 0) FROM v_conn WHERE trace_id = ?1) AS failed,"
	  " ifnull(sum(sent), 0) AS sent, ifnull(sum(received), 0) AS received,"
	  " ifnull(sum(sends), 0) AS sends, ifnull(sum(receives), 0) AS receives"
	  " FROM sock WHERE trace_id = ?1" },
	{ "by_kind", ARRAY,
	  "SELECT kind, count(*) AS sockets, sum(sent) AS sent, sum(received) AS received,"
	  " sum(sends) AS sends, sum(receives) AS receives"
	  " FROM sock WHERE trace_id = ?1 GROUP BY kind ORDER BY sum(sent + received) DESC, kind" },
	{ "by_process", ARRAY,
	  "SELECT process_id, b.pid, b.comm, s.kind, count(*) AS sockets, sum(b.sent) AS sent,"
	  " sum(b.received) AS received, sum(b.sends) AS sends, sum(b.receives) AS receives"
	  " FROM sock_bytes AS b JOIN raw_socket AS s ON s.sock = b.sock_id WHERE b.trace_id = ?1"
	  " GROUP BY process_id, s.kind ORDER BY sum(b.sent + b.received) DESC, process_id, s.kind LIMIT "
	  CONNECTIONS_MAX },
	{ "connections", ARRAY,
	  "SELECT sock_id AS id, process_id, pid, comm, kind, direction, local, remote, start_ns,"
	  " connect_ns, end_ns, dur_ns, sent, received, sends, receives, error, failed AS \"failed?\","
	  " retransmits, resets, srtt_us, peer_sock_id AS peer_id FROM v_conn WHERE trace_id = ?1"
	  " ORDER BY sent + received DESC, sock_id LIMIT " CONNECTIONS_MAX },
	{ "top_talkers", ARRAY,
	  "SELECT process_id, pid, comm, kind, direction, peer, connections, failed, sent, received,"
	  " retransmits, resets, connect_mean_ns, connect_max_ns FROM peers WHERE trace_id = ?1"
	  " ORDER BY sent + received DESC, connections DESC, peer LIMIT 100" },
	{ "listening", ARRAY,
	  "SELECT sock_id AS id, process_id, pid, comm, kind, address, port, listening_ns, ended_ns,"
	  " accepted, sent, received FROM listeners WHERE trace_id = ?1 ORDER BY sock_id LIMIT "
	  CONNECTIONS_MAX },
	{ "failed_connects", ARRAY,
	  "SELECT error, remote, comm, count(*) AS count, min(start_ns) AS first_ns,"
	  " max(start_ns) AS last_ns FROM v_conn WHERE trace_id = ?1 AND failed"
	  " GROUP BY error, remote, comm ORDER BY count(*) DESC, error, remote LIMIT " CONNECTIONS_MAX },
	{ "dns", ARRAY,
	  "SELECT process_id, pid, comm, address AS server, sum(queries) AS queries,"
	  " sum(answers) AS answers FROM"
	  " (SELECT process_id, pid, comm, remote AS address, sends AS queries, receives AS answers"
	  " FROM v_conn WHERE trace_id = ?1 AND remote_port = 53 AND kind = 'udp'"
	  " UNION ALL SELECT process_id, pid, comm, address,"
	  " iif(name LIKE 'send%', count, 0), iif(name LIKE 'recv%', count, 0)"
	  " FROM connections WHERE trace_id = ?1 AND port = 53 AND"
	  " (name LIKE 'send%' OR name LIKE 'recv%'))"
	  " GROUP BY process_id, address ORDER BY sum(queries) DESC, address LIMIT " CONNECTIONS_MAX },
};

static const struct section resources[] = {
	{ "processes", OBJECT,
	  "SELECT u.utime AS utime_ns, u.stime AS stime_ns, u.runtime AS runtime_ns,"
	  " u.run_delay AS run_delay_ns, u.nvcsw, u.nivcsw, u.minflt, u.majflt, u.rchar, u.wchar,"
	  " u.read_bytes, u.write_bytes, u.maxrss AS maxrss_bytes,"
	  " (SELECT 1000000000 / CAST(value AS INTEGER) FROM environment"
	  " WHERE trace_id = ?1 AND key = 'host.kernel_hz') AS tick_ns"
	  " FROM raw_trace LEFT JOIN raw_used AS u USING (trace_id) WHERE trace_id = ?1" },
	{ "host", OBJECT,
	  "SELECT count(*) AS samples, max(load1) AS load1_max, max(mem_total_bytes) AS mem_total_bytes,"
	  " min(mem_available_bytes) AS mem_available_min_bytes,"
	  " max(cpu_user_ns) - min(cpu_user_ns) AS cpu_user_ns,"
	  " max(cpu_system_ns) - min(cpu_system_ns) AS cpu_system_ns,"
	  " max(cpu_idle_ns) - min(cpu_idle_ns) AS cpu_idle_ns,"
	  " max(cpu_iowait_ns) - min(cpu_iowait_ns) AS cpu_iowait_ns,"
	  " max(cpu_steal_ns) - min(cpu_steal_ns) AS cpu_steal_ns,"
	  " max(psi_cpu_some_ns) - min(psi_cpu_some_ns) AS psi_cpu_some_ns,"
	  " max(psi_mem_some_ns) - min(psi_mem_some_ns) AS psi_mem_some_ns,"
	  " max(psi_io_some_ns) - min(psi_io_some_ns) AS psi_io_some_ns"
	  " FROM host_samples WHERE trace_id = ?1" },
};

/* Arguments, each ended by a NUL, as an array; null where they are not known. */
static int put_argv(struct dn_json *j, struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_put_query(db, argv_sql, trace);
	const char *p, *end;
	size_t len;
	int ret;

	if (!q)
		return -EIO;
	ret = dn_query_step(q);
	if (ret <= 0 || dn_query_null(q, 0)) {
		dn_json_null(j, "argv");
	} else {
		p = dn_query_text(q, 0, &len);
		end = p + len;
		dn_json_array(j, "argv");
		while (p < end) {
			const char *nul = memchr(p, 0, (size_t)(end - p));

			if (!nul)
				nul = end;
			dn_json_str(j, NULL, p, (size_t)(nul - p));
			p = nul + 1;
		}
		dn_json_end(j);
	}
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

static int put_command(struct dn_json *j, struct dn_db *db, int64_t trace)
{
	int err;

	dn_json_object(j, "command");
	err = put_argv(j, db, trace);
	if (!err)
		err = dn_put_one(j, db, trace, command_sql);
	dn_json_end(j);
	return err;
}

static int put_quality(struct dn_json *j, struct dn_db *db, int64_t trace)
{
	int err;

	dn_json_object(j, "quality");
	err = dn_put_one(j, db, trace, quality_sql);
	if (!err)
		err = PUT_SECTIONS(j, db, trace, quality);
	if (!err)
		err = dn_put_texts(j, db, trace, "notes", "SELECT text FROM raw_note WHERE trace_id = ?1");
	dn_json_end(j);
	return err;
}

/* Whether system calls were recorded: 1, 0, or a negative errno. */
static int observed(struct dn_db *db, int64_t trace)
{
	struct dn_query *q = dn_put_query(db, available_sql, trace);
	int ret = q ? dn_query_step(q) : -EIO;

	if (ret > 0)
		ret = dn_query_int(q, 0) != 0;
	dn_query_free(q);
	return ret;
}

/* The object of the first denet, key for key, and whether it can be known. */
static int put_seed(struct dn_json *j, struct dn_db *db, int64_t trace)
{
	int err;

	dn_json_object(j, "ebpf");
	dn_json_object(j, "syscalls");
	err = dn_put_one(j, db, trace, total_sql);
	if (!err)
		err = dn_put_pairs(j, db, trace, "by_category", by_category_sql);
	if (!err)
		err = PUT_SECTIONS(j, db, trace, seed);
	if (!err)
		err = dn_put_one(j, db, trace, available_sql);
	dn_json_end(j);
	if (!err)
		err = observed(db, trace);
	if (err > 0)
		err = dn_put_objects(j, db, trace, "by_fd_kind", by_fd_kind_sql);
	else
		dn_json_null(j, "by_fd_kind");
	if (err >= 0)
		err = dn_put_known(j, db, trace, "offcpu", OBSERVED("scheduling"), offcpu_sql, offcpu,
				sizeof(offcpu) / sizeof(offcpu[0]));
	if (err >= 0)
		err = dn_put_known(j, db, trace, "samples", OBSERVED("samples"), samples_sql, samples,
				sizeof(samples) / sizeof(samples[0]));
	dn_json_end(j);
	return err;
}

static int put_lists(struct dn_json *j, struct dn_db *db, int64_t trace)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(lists) / sizeof(lists[0]); i++)
		err = dn_put_list(j, db, trace, &lists[i]);
	return err;
}

int dn_report_json(FILE *out, struct dn_db *db, int64_t trace)
{
	struct dn_json j = { .out = out };
	int err;

	dn_json_object(&j, NULL);
	dn_json_int(&j, "schema_version", DN_REPORT_VERSION);
	dn_json_object(&j, "generator");
	dn_json_str(&j, "name", "denet-analyze", strlen("denet-analyze"));
	dn_json_str(&j, "version", DN_VERSION, strlen(DN_VERSION));
	dn_json_end(&j);
	err = PUT_SECTIONS(&j, db, trace, head);
	if (!err)
		err = put_command(&j, db, trace);
	if (!err)
		err = dn_put_pairs(&j, db, trace, "environment",
				"SELECT key, value FROM environment WHERE trace_id = ?1"
				" GROUP BY key ORDER BY key");
	if (!err)
		err = put_quality(&j, db, trace);
	if (!err)
		err = PUT_SECTIONS(&j, db, trace, findings);
	if (!err)
		err = put_seed(&j, db, trace);
	if (!err)
		err = dn_put_known(&j, db, trace, "counters", "SELECT 1", counters_sql, counters,
				   sizeof(counters) / sizeof(counters[0]));
	if (!err)
		err = put_lists(&j, db, trace);
	if (!err)
		err = PUT_SECTIONS(&j, db, trace, tail);
	if (!err)
		err = dn_put_known(&j, db, trace, "network", OBSERVED("sockets"), NULL, network,
				sizeof(network) / sizeof(network[0]));
	if (!err) {
		dn_json_object(&j, "resources");
		err = PUT_SECTIONS(&j, db, trace, resources);
		dn_json_end(&j);
	}
	while (j.depth)
		dn_json_end(&j);
	return err;
}
