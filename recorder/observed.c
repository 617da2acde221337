/*
 * observed.c - the rows `probe` and `not_observed`.
 */
#include "observed.h"

#include <string.h>

#include "events.h"
#include "row.h"

int dn_probe_row(const struct dn_sink *sink, const char *name, const char *rung, const char *reason)
{
	struct dn_value v[DN_F_probe_N];

	v[DN_F_probe_name] = dn_str(name, strlen(name));
	v[DN_F_probe_rung] = dn_str(rung, strlen(rung));
	v[DN_F_probe_reason] = reason && *reason ? dn_str(reason, strlen(reason)) : dn_null();
	return dn_row_send(sink, DN_EV_probe, v, DN_F_probe_N);
}

int dn_not_observed_row(const struct dn_sink *sink, const char *subject, const char *reason)
{
	struct dn_value v[DN_F_not_observed_N];

	v[DN_F_not_observed_subject] = dn_str(subject, strlen(subject));
	v[DN_F_not_observed_reason] = dn_str(reason, strlen(reason));
	return dn_row_send(sink, DN_EV_not_observed, v, DN_F_not_observed_N);
}
