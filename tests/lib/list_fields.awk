# list_fields.awk - the fields that libbpf has to relocate in an object, as STRUCT.FIELD:
# of vmlinux_min.list, the first file, those with a "yes" in column 2 of the table of
# update-types.sh --check, the second. A context (uapi) and constants are not relocated.

FNR == NR {
	sub(/[#?].*/, "")
	sub(/^(x86|arm64) /, "")
	if ($1 == "struct" || $1 == "typedef" && $2 ~ /:/) {
		sub(/:/, "", $2)
		for (i = 3; i <= NF; i++)
			listed[$2 "." $i] = 1
	}
	next
}
$2 == "yes" && $1 in listed {
	sub(/___[a-z0-9_]*[.]/, ".", $1)
	print $1
}
