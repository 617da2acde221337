# core_fields.awk - the fields in a BTF, as STRUCT.FIELD, from `bpftool btf dump`. Of a
# BTF that `bpftool gen min_core_btf` made they are those that libbpf relocates in an
# object. A field of a nameless struct is that of those which have it inside (two, where both
# are alike), or the typedef's.

/^\[/ {
	id = substr($1, 2) + 0
	kind[id] = $2
	name[id] = $3
	gsub(/'/, "", name[id])
	type[id] = $0
	sub(/.* type_id=/, "", type[id])
	type[id] += 0
	if ($2 == "TYPEDEF")
		owner[type[id]] = name[id]
	next
}
kind[id] == "STRUCT" || kind[id] == "UNION" {
	field = $1
	gsub(/'/, "", field)
	if (field == "(anon)") {
		sub(/type_id=/, "", $2)
		inside[$2 + 0] = inside[$2 + 0] " " id
	} else {
		fields[id] = fields[id] " " field
	}
}
function tell(id, field,   around, n, i)
{
	if (name[id] != "(anon)" || !(id in inside)) {
		print (name[id] == "(anon)" ? owner[id] : name[id]) "." field
		return
	}
	n = split(inside[id], around)
	for (i = 1; i <= n; i++)
		tell(around[i], field)
}
END {
	for (id in fields) {
		n = split(fields[id], list)
		for (i = 1; i <= n; i++)
			tell(id, list[i])
	}
}
