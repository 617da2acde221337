# roff.awk - text for manual pages: the function that gen-dnt.awk and gen-sql.awk share.

# Text as roff sees it: nothing of it is a request, and every - is a hyphen-minus.
function roff(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	gsub(/\^/, "\\(ha", s)
	gsub(/~/, "\\(ti", s)
	gsub(/`/, "\\(ga", s)
	if (s ~ /^\./)
		s = "\\&" s
	return s
}
