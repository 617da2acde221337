# rooms.sh - the table of doc/ARCHITECTURE.md that says which folder may include
# what, and the lists of the build, checked against the files themselves.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

cd "$DN_SRCDIR" || exit 99

# The folder of an included file: named in its path, else the folder of the
# includer when it is there, else the first that has it.
room_of()
{
	case $2 in
	*/*) echo "${2%%/*}" ;;
	syscalls_gen.h) echo common ;;
	schema_sql.h | flame_page.h) echo analyzer ;;
	*.skel.h) echo skeleton ;;
	*)
		for room in "$1" schema common bpf recorder analyzer; do
			if [ -f "$room/$2" ]; then
				echo "$room"
				return
			fi
		done
		echo nowhere
		;;
	esac
}

# Every include of our own as "file header folder".
for f in schema/*.[ch] bpf/*.[ch] common/*.[ch] recorder/*.[ch] analyzer/*.[ch]; do
	[ -f "$f" ] || continue
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$f" |
		while read -r header; do
			[ "$header" = config.h ] || echo "$f $header $(room_of "${f%%/*}" "$header")"
		done
done >"$scratch/ours"

# ... and of libraries and the system as "file header".
grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<[^>]*>' \
	schema/*.[ch] bpf/*.[ch] common/*.[ch] recorder/*.[ch] analyzer/*.[ch] 2>/dev/null |
	sed -E 's/:[^<]*</ /; s/>$//' >"$scratch/theirs"

# may FOLDER REGEX: FOLDER includes our files from these folders only.
may()
{
	is "$(awk -v from="^$1/" -v to="^($2)\$" '$1 ~ from && $3 !~ to { print $1 " includes " $2 }' "$scratch/ours")" \
		"" "$1 includes nothing outside: $2"
}

# only WHAT HEADER-REGEX FILE-REGEX: these headers are seen by these files only.
only()
{
	is "$(awk -v header="$2" -v file="$3" '$2 ~ header && $1 !~ file { print $1 " includes <" $2 ">" }' \
		"$scratch/theirs" "$scratch/ours")" "" "$1: seen only where they may be"
}

may schema 'schema'
may bpf 'schema|bpf'
may common 'schema|common'
may recorder 'schema|common|recorder|skeleton'
may analyzer 'schema|common|analyzer'

only 'the skeletons' '[.]skel[.]h$' '^recorder/object[.]c$'
only 'libbpf' '^bpf/' '^(bpf/|recorder/((object|probe|ring)[a-z_]*|kernel_types)[.]c$)'
only 'SQLite' '^sqlite3(ext)?[.]h$' '^analyzer/(db|guard|import|vtab|quer|rollup_db|sql|extension)[a-z_]*[.][ch]$'
only 'libelf' '^(libelf|gelf|elfread|elfsyms_int)[.]h$' '^common/elf(read|lines|syms(_collect|_int|_plt)?)[.][ch]$'
only 'libdw' '^(elfutils/.*|dwarf[.]h)$' '^common/elflines[.]c$'
only 'liblzma' '^lzma[.]h$' '^common/unxz[.]c$'
only 'libiberty' '^(libiberty/)?demangle[.]h$' '^(common/demangle[.][ch]|analyzer/.*[.]c)$'
only 'Linux headers' '^(linux|asm)/' '^((bpf|recorder)/|schema/ring_event[.]h$)'
only 'ring_event.h' 'ring_event[.]h$' '^(bpf|recorder|schema)/'

# A file that no fragment names is missing from a release and from the build.
for f in schema/* bpf/* common/* recorder/* analyzer/* doc/* tests/unit/*.c tests/oracle/*.sh \
	tests/fault/*.sh tests/kernels/*.sh tests/rules/*.sh; do
	case $f in
	*.[1-9] | *.[ch] | *.def | *.tbl | *.sql | *.awk | *.md | *.json | *.html | *.js | *.css | *.sh) ;;
	*) continue ;;
	esac
	case $f in
	*'*'* | tests/*/lib*.sh | tests/kernels/work.sh | *.skel.h | common/syscalls_gen.h | analyzer/schema_sql.h | analyzer/flame_page.h) continue ;;
	tests/unit/*.c) want=${f%.c} ;;
	*) want=$f ;;
	esac
	grep -Fqw -- "$want" ./*/*.am || echo "$f"
done >"$scratch/unlisted"
is "$(cat "$scratch/unlisted")" "" "every file is listed in the fragment of its folder"

done_testing
