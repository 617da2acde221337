/*
 * hostsample.h - one reading of the host: host_sample, net_sample and
 * disk_sample rows.
 *
 * Network devices are those of the recorder's own network namespace. A device
 * that never moved a packet or served a request has no row, nor has a
 * partition (its disk counts the same requests). One thread at a time;
 * allocates nothing.
 */
#ifndef DN_RECORDER_HOSTSAMPLE_H
#define DN_RECORDER_HOSTSAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* Devices of one kind in one reading: hosts of containers have thousands. */
#define DN_HOST_DEVICES_MAX 256

/* Rows of one reading into sink. procfs: fd of /proc. *skipped grows by the
 * devices beyond the limit. 0 or the sink's error. */
int dn_host_emit(int procfs, const struct dn_sink *sink, uint64_t *skipped);

/* True if name is a partition of disk by the kernel's rule: the disk's name
 * and a number, with a 'p' between where the disk's name ends in a digit
 * (block/genhd.c, disk_name). */
bool dn_is_partition(const char *disk, size_t disk_len, const char *name, size_t len);

#endif
