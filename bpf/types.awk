# types.awk - the kernel types of a list: made of BTF, and compared with it. Run by
# update-types.sh, which joins all that is read into one stream, with a line before
# each part:
#
#   @list, @header, @source	vmlinux_min.list; the headers there are; the programs
#   @btf LABEL			what `bpftool btf dump` prints of one kernel
#
# An entry is one field (or constant, or plain typedef) of the list, a group the
# entries of one line. What an entry is declared as is the text that the header has;
# where the header has none, or one that a kernel's own does not agree with, the text
# made of the first kernel that has it.
#
# -v mode=check compares, prints a table and fails; mode=make writes min and flavours.

function fail(text)
{
	print prog ": " text >"/dev/stderr"
	failed = 1
}

# --- the list ----------------------------------------------------------------------

function add_line(line,    at, head, words, n, i, why, kind, arch, name)
{
	why = ""
	if (at = index(line, "?")) {
		why = substr(line, at + 1)
		gsub(/^[ \t]+|[ \t]+$/, "", why)
		line = substr(line, 1, at - 1)
	}
	at = index(line, ":")
	n = split(substr(line, 1, at - 1), head)
	i = 1
	arch = head[i] == "x86" || head[i] == "arm64" ? head[i++] : ""
	kind = head[i++]
	if (kind == "uapi")
		kind = kind " " head[i++]
	name = i <= n ? head[i++] : ""
	if (!at || i <= n || kind !~ /^((uapi )?struct|typedef|enum)$/ || (kind ~ /struct/ && name == "")) {
		fail("cannot understand a line of the list: " line)
		return
	}
	g_why[++groups] = why
	n = split(substr(line, at + 1), words)
	for (i = 1; i <= n; i++) {
		e_group[++entries] = groups
		e_arch[entries] = arch
		e_kind[entries] = kind
		e_type[entries] = name
		e_name[entries] = words[i]
		e_key[entries] = name == "" ? words[i] : name "." words[i]
		entry[arch, e_key[entries]] = entries
		type_kind[name] = kind
		if (!((arch, kind, name) in type_seen)) {
			type_seen[arch, kind, name] = ++types
			t_first[types] = entries
		}
		g_last[groups] = entries
		if (!(groups in g_first))
			g_first[groups] = entries
	}
}

# The name in BTF: without the flavour.
function plain(name)
{
	sub(/___.*/, "", name)
	return name
}

# --- the headers there are ----------------------------------------------------------

# The field of a declaration.
function declared(text)
{
	sub(/[ ]*:.*/, "", text)
	gsub(/\[[0-9]*\]/, "", text)
	sub(/.*[ *]/, "", text)
	return text
}

function header_line(line,    i, n, name)
{
	sub(/[ \t]*\/\*.*\*\/$/, "", line)
	if (line ~ /^#(el)?if defined\(__TARGET_ARCH_/) {
		header_arch = line
		sub(/.*ARCH_/, "", header_arch)
		sub(/\)/, "", header_arch)
	} else if (line ~ /^#endif/) {
		header_arch = ""
	} else if (line ~ /^typedef .*;$/) {
		sub(/;$/, "", line)
		had["", declared(line)] = line
	} else if (line ~ /^(typedef )?(struct|enum).* \{$|^enum \{$/) {
		split("", body)
		bodies = 0
		name = line
		sub(/ \{$/, "", name)
		sub(/^(typedef struct|struct|enum)[ ]*/, "", name)
		header_type = name
	} else if (line ~ /^\}/) {
		name = line
		gsub(/^\}[ ]*|;$/, "", name)
		if (header_type == "")
			header_type = name
		for (i = 1; i <= bodies; i++) {
			n = body[i]
			sub(/ = .*/, "", n)
			name = declared(n)
			had[header_arch, header_type == "" ? name : header_type "." name] = body[i]
		}
		header_type = ""
	} else if (line ~ /^\t/) {
		gsub(/^\t|[;,]$/, "", line)
		body[++bodies] = line
	}
}

# --- BTF -------------------------------------------------------------------------------

function btf_begin(label)
{
	btf_label[++btfs] = label
	split("", kind)
	split("", ref)
	split("", title)
	split("", members)
	split("", ids)
	split("", constant)
	kind[0] = "VOID"
}

function attribute(line, key,    at)
{
	if (!(at = index(line, " " key "=")))
		return ""
	line = substr(line, at + length(key) + 2)
	sub(/ .*/, "", line)
	return line
}

function quoted(line)
{
	sub(/^[^']*'/, "", line)
	sub(/'.*/, "", line)
	return line
}

function btf_line(line)
{
	if (line ~ /^\[/) {
		id = substr($1, 2) + 0
		kind[id] = $2
		if ($2 == "STRUCT" || $2 == "UNION" || $2 == "TYPEDEF" || $2 == "FWD" || $2 ~ /^ENUM/) {
			title[id] = quoted(line)
			if ($2 == "STRUCT" || $2 == "UNION")
				ids["struct", title[id]] = ids["struct", title[id]] " " id
			else if ($2 == "TYPEDEF")
				ids["typedef", title[id]] = ids["typedef", title[id]] " " id
			if (title[id] == "(anon)")
				title[id] = ""
		} else if ($2 == "INT") {
			title[id] = quoted(line)
		}
		if ($2 == "ARRAY")
			size[id] = attribute(line, "nr_elems")
		ref[id] = attribute(line, "type_id") + 0
	} else if (kind[id] == "STRUCT" || kind[id] == "UNION") {
		members[id] = members[id] substr(line, 2) "\n"
	} else if (kind[id] ~ /^ENUM/) {
		constant[title[id], quoted(line)] = attribute(line, "val")
		constant["", quoted(line)] = attribute(line, "val")
	}
}

# The member NAME of struct ID, or of a nameless one in it: sets found_type,
# found_bits, found_at (in bits).
function find_member(id, name, base,    lines, n, i, at, to)
{
	if (!(id in members))
		return 0
	at = index("\n" members[id], "\n'" name "' ")
	if (at) {
		to = substr(members[id], at)
		sub(/\n.*/, "", to)
		found_type = attribute(to, "type_id") + 0
		found_bits = attribute(to, "bitfield_size") + 0
		found_at = base + attribute(to, "bits_offset")
		return 1
	}
	if (!index("\n" members[id], "\n'(anon)' "))
		return 0
	n = split(members[id], lines, "\n")
	for (i = 1; i <= n; i++)
		if (lines[i] ~ /^'\(anon\)'/ && find_member(bare(attribute(lines[i], "type_id") + 0), name,
							    base + attribute(lines[i], "bits_offset")))
			return 1
	return 0
}

# Behind names and qualifiers.
function bare(id)
{
	while (kind[id] == "TYPEDEF" || kind[id] == "CONST" || kind[id] == "VOLATILE" ||
	       kind[id] == "RESTRICT" || kind[id] == "TYPE_TAG")
		id = ref[id]
	return id
}

# As C has it: "unsigned long" for BTF's "long unsigned int".
function number(name)
{
	if (name == "_Bool")
		return "bool"
	if (name ~ /unsigned/) {
		sub(/[ ]*unsigned/, "", name)
		sub(/^ /, "", name)
		if (name != "int")
			sub(/ int$/, "", name)
		return "unsigned " (name == "" ? "int" : name)
	}
	if (name != "int")
		sub(/ int$/, "", name)
	return name
}

function declaration(id, name,    const, k)
{
	const = ""
	for (;;) {
		k = kind[id]
		if (k == "TYPEDEF") {
			if (type_kind[title[id]] == "typedef")
				return const title[id] " " name
			id = ref[id]
		} else if (k == "CONST") {
			const = name ~ /^\*/ ? "const " : ""
			id = ref[id]
		} else if (k == "VOLATILE" || k == "RESTRICT" || k == "TYPE_TAG") {
			id = ref[id]
		} else if (k == "PTR") {
			const = ""
			name = "*" name
			id = ref[id]
		} else if (k == "ARRAY") {
			if (name ~ /^\*/)
				return "void " name
			name = name "[" size[id] "]"
			id = ref[id]
		} else if (k == "INT") {
			return const number(title[id]) " " name
		} else if (title[id] == "" && name !~ /^\*/ && (k == "STRUCT" || k == "UNION")) {
			return whole(id) " " name
		} else if (title[id] == "" && name !~ /^\*/ && k ~ /^ENUM/) {
			return "unsigned int " name
		} else if (k == "FUNC_PROTO" || k == "VOID" || title[id] == "") {
			return (k == "FUNC_PROTO" ? "" : const) "void " name
		} else if (k ~ /^ENUM/) {
			return const "enum " title[id] " " name
		} else {
			return const (k == "UNION" ? "union " : "struct ") title[id] " " name
		}
	}
}

# A struct or union that has no name, and so cannot have a list of what is read of it.
function whole(id,    lines, n, i, text, name)
{
	text = (kind[id] == "UNION" ? "union" : "struct") " {"
	n = split(members[id], lines, "\n")
	for (i = 1; i < n; i++) {
		name = quoted(lines[i])
		text = text " " declaration(attribute(lines[i], "type_id") + 0, name == "(anon)" ? "" : name) ";"
	}
	return text " }"
}

# What entry I is declared as by this kernel, "" if it has none.
function btf_declaration(i,    list, n, ids_of, k, id, want)
{
	if (e_kind[i] == "enum") {
		if (!((plain(e_type[i]), plain(e_name[i])) in constant))
			return ""
		return e_name[i] " = " constant[plain(e_type[i]), plain(e_name[i])]
	}
	if (e_type[i] == "") {
		if (!(("typedef", e_name[i]) in ids))
			return ""
		split(ids["typedef", e_name[i]], ids_of)
		k = declaration(ref[ids_of[1]], e_name[i])
		sub(/^bool /, "_Bool ", k)
		return "typedef " k
	}
	want = e_kind[i] == "typedef" ? "typedef" : "struct"
	n = split(ids[want, plain(e_type[i])], ids_of)
	for (k = 1; k <= n; k++) {
		id = bare(ids_of[k])
		if (!find_member(id, e_name[i], 0))
			continue
		return declaration(found_type, e_name[i]) (found_bits ? " : " found_bits : "")
	}
	return ""
}

# --- agreement ---------------------------------------------------------------------------

# What has to be equal of two declarations: the sort of thing, a number's size and
# sign, a struct's name.
function sort_of(text,    word)
{
	if (text ~ / = |^typedef|\{/)
		return text
	if (text ~ /\*/)
		return "pointer"
	if (text ~ /:/)
		return "bits"
	gsub(/\[[0-9]*\]/, "[]", text)
	word = declared(text)
	sub(word, "", text)
	sub(/^const /, "", text)
	sub(/unsigned long long/, "unsigned long", text)
	sub(/^long long/, "long", text)
	return text
}

function length_of(text)
{
	if (!match(text, /\[[0-9]+\]/))
		return 0
	return substr(text, RSTART + 1, RLENGTH - 2) + 0
}

function agree(ours, theirs)
{
	return sort_of(ours) == sort_of(theirs) &&
		(length_of(ours) <= 1 || length_of(theirs) == 0 || length_of(ours) <= length_of(theirs))
}

function btf_end(    i, text)
{
	arch_of[btfs] = ""
	if (find_in("pt_regs", "orig_ax"))
		arch_of[btfs] = "x86"
	else if (find_in("pt_regs", "syscallno"))
		arch_of[btfs] = "arm64"
	promised = 0
	for (i = 1; i <= entries; i++) {
		if (e_arch[i] != "" && e_arch[i] != arch_of[btfs]) {
			cell[btfs, i] = "."
			continue
		}
		text = btf_declaration(i)
		if (text == "") {
			cell[btfs, i] = "-"
			continue
		}
		somewhere[i] = 1
		cell[btfs, i] = "yes"
		if (e_kind[i] == "uapi struct") {
			if (e_type[i] != e_type[i - 1])
				promised = 0
			if (found_at != promised)
				complain(i, "is not where the list has it, in a struct that is not relocated")
			promised = found_at + 64
		}
		if (mode == "make") {
			if (!(i in chosen) || (!fixed[i] && !agree(chosen[i], text)))
				chosen[i] = text
			fixed[i] = 1
		} else if (!(i in chosen)) {
			complain(i, "is not in the header yet")
		} else if (!agree(chosen[i], text)) {
			cell[btfs, i] = "DIFFERS"
			complain(i, "is \"" text "\", the header has \"" chosen[i] "\"")
		}
	}
}

function find_in(name, member,    n, of, k)
{
	n = split(ids["struct", name], of)
	for (k = 1; k <= n; k++)
		if (find_member(of[k], member, 0))
			return 1
	return 0
}

# --- check ----------------------------------------------------------------------------------

function complain(i, text)
{
	fail(btf_label[btfs] ": " e_key[i] " " text)
}

# A version as a number, 0 for anything else.
function version(text,    part)
{
	if (!match(text, /[0-9]+\.[0-9]+/))
		return 0
	split(substr(text, RSTART, RLENGTH), part, ".")
	return part[1] * 1000 + part[2]
}

function after(why, word)
{
	if (!match(why, "(^|[ ,])" word " [^ ,]+"))
		return ""
	why = substr(why, RSTART, RLENGTH)
	sub(/.* /, "", why)
	return why
}

# What kernel B lacks, and may or may not.
function check_groups(b,    g, i, n, all, why, v, other)
{
	v = version(btf_label[b])
	for (g = 1; g <= groups; g++) {
		n = all = 0
		for (i = g_first[g]; i <= g_last[g]; i++) {
			if (cell[b, i] == ".")
				continue
			all++
			n += cell[b, i] != "-"
		}
		why = g_why[g]
		if (n == all)
			continue
		other = after(why, "else")
		for (i = g_first[g]; i <= g_last[g]; i++) {
			if (cell[b, i] != "-")
				continue
			if (why == "") {
				cell[b, i] = "NO"
				fail(btf_label[b] ": " e_key[i] " is missing, and the list knows no reason")
			} else if (n > 0) {
				cell[b, i] = "NO"
				fail(btf_label[b] ": " e_key[i] " is missing, others of its line are not")
			} else if (other != "" && (!(("", other) in entry) || cell[b, entry["", other]] ~ /^(-|NO)$/)) {
				cell[b, i] = "NO"
				fail(btf_label[b] ": " e_key[i] " is missing, and " other " too")
			} else if (v && (version(after(why, "since")) && v >= version(after(why, "since")) ||
					 v <= version(after(why, "until")))) {
				cell[b, i] = "NO"
				fail(btf_label[b] ": " e_key[i] " is missing, though the list says: " why)
			} else if (other != "") {
				cell[b, i] = "else"
			}
		}
	}
}

function guarded(name, enumerator)
{
	return code ~ ((enumerator ? "bpf_core_enum_value_exists" : "bpf_core_field_exists") \
		       "\\([^;{]*[^A-Za-z0-9_]" name "[^A-Za-z0-9_]")
}

# By its looks: x->NAME, x.NAME, or an argument as in BPF_CORE_READ().
function is_read(i)
{
	if (e_kind[i] == "enum")
		return e_name[i] ~ /^(true|false)$/ || code ~ ("[^A-Za-z0-9_]" e_name[i] "[^A-Za-z0-9_]")
	return e_type[i] == "" || code ~ ("(->|\\.|, ?)" e_name[i] "[^A-Za-z0-9_]")
}

function check_source(    g, i, ok, other)
{
	for (i = 1; i <= entries; i++)
		if (!is_read(i))
			fail("no program reads " e_key[i] ": take it out of the list")
	for (g = 1; g <= groups; g++) {
		i = g_first[g]
		if (g_why[g] == "" || (e_kind[i] == "enum" && e_type[i] !~ /___/))
			continue
		other = after(g_why[g], "else")
		sub(/.*\./, "", other)
		ok = other != "" && guarded(other, 0)
		for (; i <= g_last[g]; i++)
			ok = ok || guarded(e_name[i], e_kind[i] == "enum")
		if (!ok)
			fail(e_key[g_first[g]] " may be missing (" g_why[g] ") and no program asks whether it is there")
	}
}

function pad(text, width)
{
	return sprintf("%-" width "s", text)
}

function print_table(    i, b, width, gap, line)
{
	width = 10
	for (i = 1; i <= entries; i++)
		if (length(e_key[i]) > width)
			width = length(e_key[i])
	line = pad("field", width)
	for (b = 1; b <= btfs; b++) {
		gap[b] = length(btf_label[b]) < 7 ? 7 : length(btf_label[b])
		line = line "  " pad(btf_label[b], gap[b])
	}
	print line
	for (i = 1; i <= entries; i++) {
		line = pad(e_key[i], width)
		for (b = 1; b <= btfs; b++)
			line = line "  " pad(cell[b, i], gap[b])
		if (g_why[e_group[i]] != "")
			line = line "  " g_why[e_group[i]]
		print line
	}
}

# --- make -------------------------------------------------------------------------------------

# Type T, behind those that it has inside.
function print_type(t, file,    i, text, word, arch, kind, name, u, tail)
{
	if (t in printed)
		return
	printed[t] = 1
	i = t_first[t]
	arch = e_arch[i]
	kind = e_kind[i]
	name = e_type[i]
	for (i = 1; i <= entries; i++) {
		if (e_type[i] != name || e_arch[i] != arch || e_kind[i] != kind || kind == "enum")
			continue
		text = chosen[i]
		if (text !~ /[*{]/ && text ~ /^struct |^[a-z_]+_t /) {
			sub(/^struct /, "", text)
			sub(/ .*/, "", text)
			u = embedded(text, arch)
			if (u)
				print_type(u, file)
			else
				fail(e_key[i] " is a struct " text ": name the fields that are read of it")
		}
	}
	if (arch != printed_arch)
		print_arch(arch, file)
	print "" >file
	if (kind == "uapi struct")
		print "/* A program's context: its layout is the kernel's promise, nothing to relocate. */" >file
	if (kind == "enum")
		print "enum " (name == "" ? "" : name " ") "{" >file
	else
		print (kind == "typedef" ? "typedef struct {" : "struct " name " {") >file
	for (i = t_first[t]; i <= entries; i++)
		if (e_type[i] == name && e_arch[i] == arch && e_kind[i] == kind)
			print "\t" chosen[i] (kind == "enum" ? "," : ";") \
				(g_why[e_group[i]] == "" ? "" : "\t/* " g_why[e_group[i]] " */") >file
	print "}" (kind == "typedef" ? " " name : "") ";" >file
}

# The type of that name that a struct of ARCH has inside.
function embedded(name, arch,    i)
{
	for (i = 1; i <= entries; i++)
		if (e_type[i] == name && (e_arch[i] == "" || e_arch[i] == arch || arch == ""))
			return type_seen[e_arch[i], e_kind[i], name]
	return 0
}

function print_arch(arch, file)
{
	if (printed_arch != "" && arch != "")
		print "\n#elif defined(__TARGET_ARCH_" arch ")" >file
	else if (arch != "")
		print "\n#if defined(__TARGET_ARCH_" arch ")" >file
	else
		print "\n#endif" >file
	printed_arch = arch
}

function print_kind(pattern, flavour, file,    a, i, t, arches)
{
	# Architectures first: common types have theirs inside.
	split("x86 arm64", arches)
	arches[3] = ""
	for (a = 1; a <= 3; a++)
		for (t = 1; t <= types; t++) {
			i = t_first[t]
			if (e_arch[i] == arches[a] && e_kind[i] ~ pattern && (e_type[i] ~ /___/) == flavour &&
			    !(e_kind[i] == "typedef" && e_type[i] == ""))
				print_type(t, file)
		}
	if (printed_arch != "")
		print_arch("", file)
}

function relocated(on, file)
{
	if (on)
		print "\n#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)" >file
	else
		print "\n#pragma clang attribute pop" >file
}

function make(    i)
{
	for (i = 1; i <= entries; i++)
		if (!(i in chosen))
			fail("cannot declare " e_key[i] ": none of the kernels given has it" \
			     (e_arch[i] == "" ? "" : ", it is of " e_arch[i]) \
			     (g_why[e_group[i]] == "" ? "" : " (" g_why[e_group[i]] ")"))
	if (failed) {
		print prog ": name the BTF of a kernel that does (make update-types TYPES_BTF=FILE)" >"/dev/stderr"
		return
	}
	print "/*\n * vmlinux_min.h - the kernel types that the programs read, and no more of\n" \
		" * them than is read. Offsets here mean nothing: preserve_access_index makes\n" \
		" * libbpf put in those of the running kernel (CO-RE).\n *\n" \
		" * Made by update-types.sh from vmlinux_min.list. Do not edit.\n */\n" \
		"#ifndef DN_VMLINUX_MIN_H\n#define DN_VMLINUX_MIN_H\n" >min
	for (i = 1; i <= entries; i++)
		if (e_kind[i] == "typedef" && e_type[i] == "")
			print chosen[i] ";" >min
	print_kind("^enum$", 0, min)
	relocated(1, min)
	print_kind("^(struct|typedef)$", 0, min)
	relocated(0, min)
	print_kind("^uapi", 0, min)
	print "\n#endif" >min

	print "/*\n * vmlinux_flavours.h - types as some kernels have them, and others not: to be asked\n" \
		" * for before they are read. What follows ___ is not part of the kernel's name.\n *\n" \
		" * Made by update-types.sh from vmlinux_min.list. Do not edit.\n */\n" \
		"#ifndef DN_VMLINUX_FLAVOURS_H\n#define DN_VMLINUX_FLAVOURS_H" >flavours
	print_kind("^enum$", 1, flavours)
	relocated(1, flavours)
	print_kind("^(struct|typedef)$", 1, flavours)
	relocated(0, flavours)
	print "\n#endif" >flavours
}

# --- the stream ----------------------------------------------------------------------------------

/^@/ {
	if (part == "@btf")
		btf_end()
	else if (part == "@header" && $1 != "@header")
		for (i = 1; i <= entries; i++)
			if ((e_arch[i], e_key[i]) in had)
				chosen[i] = had[e_arch[i], e_key[i]]
	part = $1
	if (part == "@btf")
		btf_begin($2)
	next
}
part == "@btf" { btf_line($0); next }
part == "@list" && !/^[ \t]*(#|$)/ { add_line($0); next }
part == "@header" { header_line($0); next }
part == "@source" {
	sub(/\/\*.*\*\//, "")
	code = code " " $0
}

END {
	if (!failed && mode == "check") {
		for (b = 1; b <= btfs; b++)
			check_groups(b)
		check_source()
		for (i = 1; all && i <= entries; i++)
			if (!(i in somewhere))
				fail(e_key[i] " is in none of these kernels")
		print_table()
	} else if (!failed) {
		make()
	}
	exit failed
}
