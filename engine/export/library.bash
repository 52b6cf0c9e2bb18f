# What every such script is made of. Functions that look return 0 where something
# holds, 1 where it does not, 2 where nobody can tell, and 3 where a person would
# have to look and none is there.

say() { printf '%s\n' "${*//[[:cntrl:]]/ }" >&2; }

# evaluate PROGRAM [FLAG]: what a program of jq makes of all that is known. $lent
# are the secrets that it reads.
evaluate() {
	(
		if [ "${#lent[@]}" -gt 0 ]; then export "${lent[@]}"; fi
		exec jq -n "${2:--c}" --arg frame "$frame" "$words"'
			input as $state | input as $result | $state.run as $run
			| ($state[$frame].check // {}) as $check | ($state[$frame].step // {}) as $step
			| '"$1"
	) <<<"$state
$result" 2>"$work/why"
}

unevaluated() { sed -n '1s/^jq: error ([^)]*): //p; 1s/^jq: //p' "$work/why" | head -n 1; }

# keep PATH VALUE: remembers a value, both in JSON.
keep() {
	[ -n "$1" ] || return 0
	state=$(jq -nc --argjson path "$1" 'input as $state | input as $value | $state | setpath($path; $value)' <<<"$state
$2")
}

# value NAME WHERE PROGRAM WHAT: gives the variable a text that is known only now.
# Inside a longer word it may hold nothing that a language could take for its own.
value() {
	local text
	if ! text=$(evaluate "$3" -r); then
		why="$4 cannot be evaluated: $(unevaluated)"
		return 1
	fi
	case $text in
	*[[:cntrl:]]* | -*)
		why="$4 is not put into a command: it holds control characters or begins with a dash"
		return 1
		;;
	esac
	if [ "$2" = inside ]; then
		case $text in
		*[!][:alnum:]_.:/@+,\ \[-]*)
			why="$4 is not put into a command: it is $text"
			return 1
			;;
		esac
	fi
	printf -v "$1" %s "$text"
}

# plainly NAME...: whether secrets can stand inside another text as they are.
plainly() {
	local name
	for name in "$@"; do
		case ${!name} in
		*[[:cntrl:]\"\'\\\`\$]*)
			why="$name holds characters that have a meaning where it belongs: do this by hand"
			return 1
			;;
		esac
	done
}

# run SECONDS COMMAND...: with what is in $with, $feed and $dir, its output in files.
run() {
	(
		cd "${dir:-$home}" || exit 126
		if [ "${#with[@]}" -gt 0 ]; then export "${with[@]}" || exit 126; fi
		exec timeout --kill-after=5 "$@"
	) < <(printf %s "$feed") >"$work/stdout" 2>"$work/stderr"
}

# outcome CODE SECONDS PROGRAM [ADVICE]: what a command printed, as a result, and what
# to do where it took too long.
outcome() {
	result=null
	case $1 in
	124 | 137)
		why="no answer within $2 s${4:-}"
		return 2
		;;
	126 | 127)
		why="it cannot be run: $(head -n 1 "$work/stderr")"
		return 2
		;;
	esac
	if ! result=$(jq -nc --rawfile stdout "$work/stdout" --rawfile stderr "$work/stderr" --argjson exit_code "$1" \
		"$words"'{$stdout, $stderr, $exit_code} | '"$3"' | if type == "object" then . else error("no result") end' 2>"$work/why"); then
		result=null
		why="exit code $1: $(unevaluated)"
		return 2
	fi
}

# ask SECONDS PROGRAM COMMAND...: looks, and makes $result of the answer. On a slow
# day PATIENCE=4 lets every look take four times as long.
ask() {
	local bound=$1 program=$2 code=0 advice='; PATIENCE=4 lets every look take four times as long'
	shift 2
	if [ -n "${PATIENCE:-}" ]; then
		bound=$(jq -n --arg times "$PATIENCE" "$bound * (\$times | tonumber)")
		advice=''
	fi
	run "$bound" "$@" || code=$?
	outcome "$code" "$bound" "$program" "$advice"
}

# act SECONDS PROGRAM COMMAND...: changes something.
act() {
	local bound=$1 program=$2 code=0 shown
	shift 2
	printf -v shown ' %q' "$@"
	say "   +$shown"
	run "$bound" "$@" || code=$?
	if [ -z "$discreet" ]; then
		cat "$work/stdout" "$work/stderr" >&2
	fi
	outcome "$code" "$bound" "$program" || return 1
	if [ "$(jq '.ok == true' <<<"$result")" != true ]; then
		why="exit code $code"
		return 1
	fi
}

# holds ASSERT MESSAGE: judges $result.
holds() {
	local told
	if ! told=$(evaluate "$1"); then
		why="it cannot be evaluated: $(unevaluated)"
		return 1
	fi
	if [ "$told" = true ]; then
		why=$(evaluate '$result.summary | text' -r) || why='it holds'
		return 0
	fi
	why=$(evaluate "$2" -r) || why=$(evaluate '$result.summary | text' -r) || why='it does not hold'
	return 1
}

# met GUARD PATH WITHIN EVERY HOLD TOLERATE LOOK: looks until it holds, or its time
# is over.
met() {
	local guard=$1 begun=$SECONDS since='' missed=0 code
	while :; do
		code=0
		"$7" || code=$?
		if [ "$code" -eq 3 ]; then
			unseen=$why
			return 3
		elif [ "$code" -eq 0 ]; then
			missed=0
			since=${since:-$SECONDS}
			if [ $((SECONDS - since)) -ge "$5" ]; then
				keep "$2" "{\"holds\":true,\"result\":$result}"
				return 0
			fi
		elif [ -z "$since" ] || [ "$((missed += 1))" -gt "$6" ]; then
			since='' missed=0
			if [ $((SECONDS - begun)) -ge "$3" ]; then
				keep "$2" "{\"holds\":false,\"result\":$result}"
				why="$guard: $why"
				return "$code"
			fi
		fi
		sleep "$4"
	done
}

# seen: whether everything could be looked at.
seen() {
	[ -n "$unseen" ] || return 0
	finish blocked "$unseen"
	return 1
}

# guard NAME OTHERWISE WITHIN EVERY HOLD TOLERATE LOOK: what must hold before a step
# acts.
guard() {
	local code=0
	met "$step.$1" '' "$3" "$4" "$5" "$6" "$7" || code=$?
	[ "$code" -ne 0 ] || return 0
	if [ "$code" -eq 1 ] && [ "$2" = skip ]; then
		finish skipped "$why"
	else
		finish blocked "$why"
	fi
	return 1
}

# when PROGRAM SOURCE: whether the step is wanted.
when() {
	local told
	if ! told=$(evaluate "$1"); then
		finish blocked "$step.when cannot be evaluated: $(unevaluated)${unseen:+; $unseen}"
		return 1
	fi
	[ "$told" != true ] || return 0
	finish skipped "not wanted: $2"
	return 1
}

# person GUARD TEXT [ANSWER]: asks whoever is at the terminal.
person() {
	local answer='' wanted=${3:-yes}
	say "   ? $1: $2"
	if [ ! -t 0 ]; then
		why="$1 wants a person, and none is at a terminal"
		return 3
	fi
	read -r -p "     $wanted, or no? " answer || answer=no
	[ "$answer" = "$wanted" ] && return 0
	why="$1: a person said no"
	return 1
}

# approve GUARD TEXT [ANSWER]: nothing is done without a yes.
approve() {
	person "$@" && return 0
	finish blocked "$why"
	return 1
}

# again ATTEMPTS DELAY FACTOR MOST ACTION: tries what is harmless to repeat.
again() {
	local attempts=$1 delay=$2 try=1 code
	while :; do
		code=0
		"$5" || code=$?
		if [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || [ "$try" -ge "$attempts" ]; then
			return "$code"
		fi
		say "   $why; again in $delay s"
		sleep "$delay"
		delay=$(jq -n "[$delay * $3, $4] | min")
		try=$((try + 1))
	done
}

# attempt PROOF ACTION...: does it, and proves that it worked.
attempt() {
	local proof=$1 code=0
	shift
	"$@" && "$proof" || code=$?
	case $code in
	0) finish 'done' ;;
	3) finish blocked "$why" ;;
	*) return 1 ;;
	esac
}

# begin TITLE POLICY ALWAYS NEED...: whether the step comes to its turn.
begin() {
	local title=$1 always=$3 need
	policy=$2 unseen=''
	say ""
	say "== $step: $title"
	shift 3
	if [ "$always" = always ]; then
		roll_back 0
		return 0
	fi
	if [ -n "$interrupted" ]; then
		finish not_run 'interrupted'
		return 1
	fi
	if [ -n "$halted" ]; then
		finish not_run "it comes after $halted"
		return 1
	fi
	for need in "$@"; do
		if [ -z "${well[$need]:-}" ]; then
			finish not_run "it needs $need"
			return 1
		fi
	done
}

# finish STATUS [WHY]: how the step ended.
finish() {
	say "   $1${2:+: $2}"
	keep "$place" "$(jq -nc --arg status "$1" 'input as $state | input as $place | ($state | getpath($place)) + {$status}' <<<"$state
$place")"
	case $1 in
	'done')
		well[$step]=yes did=yes
		;;
	satisfied | skipped)
		well[$step]=yes
		;;
	not_run) ;;
	*)
		if [ "$policy" = ignore ]; then
			well[$step]=yes
			say "   this is ignored"
			return
		fi
		problems+=("$step $1: ${2:-}")
		if [ "$1" != blocked ]; then harm=yes; fi
		case $policy in
		stop) halted=$step ;;
		rollback) halted=$step take_back=yes ;;
		esac
		;;
	esac
}

# intend NAME: an action is about to begin, so that a rollback has to take it back.
intend() {
	acted+=("$1")
}

# roll_back FROM: takes back what was done since, the last first.
roll_back() {
	local i name
	[ -n "$take_back" ] || return 0
	take_back=''
	for ((i = ${#acted[@]} - 1; i >= $1 && i >= no_return; i--)); do
		name=${acted[i]}
		back "$name"
	done
}

# back NAME: takes back one step, once.
back() {
	case " ${acted[*]} " in *" $1 "*) ;; *) return 0 ;; esac
	if [ -n "${taken_back[$1]:-}" ]; then return 0; fi
	taken_back[$1]=yes
	if ! declare -F "back_$1" >/dev/null; then
		say "   $1 is not taken back: it has no rollback"
		return 0
	fi
	if "back_$1"; then
		say "   rolled back"
	else
		say "   rollback failed: $why"
		problems+=("the rollback of $1 failed: $why")
	fi
}

# diagnose NAME PATH LOOK: looks at what decides between causes.
diagnose() {
	local code=0
	"$3" || code=$?
	case $code in
	0) keep "$2" "{\"status\":\"holds\",\"holds\":true,\"result\":$result}" ;;
	1) keep "$2" "{\"status\":\"fails\",\"holds\":false,\"result\":$result}" ;;
	2) keep "$2" '{"status":"errors"}' ;;
	*) say "$why" ;;
	esac
	case $code in
	0) say "$1 holds: $why" ;;
	1) say "$1 does not hold: $why" ;;
	2) say "$1 cannot be looked at: $why" ;;
	esac
}

# secret NAME OTHER VARIABLE: a value that is asked for, and not for every child.
secret() {
	local text=${!1:-}
	if [ -z "$text" ]; then text=${!2:-}; fi
	if [ -z "$text" ] && [ -t 0 ]; then
		read -r -s -p "$3 ($1): " text || text=''
		say ''
	fi
	if [ -z "$text" ]; then
		say "var.$3 has no value: set the environment variable $1"
		exit 1
	fi
	printf -v "$1" %s "$text"
	export -n "${1?}" "${2?}"
}

# conclude: the last words, and the exit code.
conclude() {
	local problem
	roll_back 0
	say ''
	if [ "${#problems[@]}" -eq 0 ] && [ -z "$interrupted" ]; then
		if [ -n "$did" ]; then say 'done'; else say 'nothing had to be done'; fi
		exit 0
	fi
	for problem in "${problems[@]}"; do say "$problem"; done
	if [ -n "$interrupted" ]; then exit 130; fi
	if [ -z "$harm" ] && [ "${#acted[@]}" -eq 0 ]; then
		say 'nothing was changed'
		exit 3
	fi
	exit 1
}

words='
def number: if type == "number" then . elif type == "string" then tonumber else error("a number is needed, not \(type)") end;
def truth: if type == "boolean" then . elif . == "true" then true elif . == "false" then false else error("true or false is needed, not \(type)") end;
def text: if type == "string" then . elif type == "number" or type == "boolean" then tojson else error("a text is needed, not \(type)") end;
def shown: if type == "string" then . else tojson end;
def at($key):
	if type == "object" then ($key | text) as $name | if has($name) then .[$name] else error("there is no \($name)") end
	elif type == "array" then ($key | number) as $i | if $i >= 0 and $i < length then .[$i] else error("there is no element \($i)") end
	else error("\(type) has no \($key)") end;
def listed: if type == "array" then . elif type == "object" then [.[]] elif . == null then [] else [.] end;
def pairs: if type == "array" or type == "object" then to_entries | sort_by(.key)[] else error("\(type) is no list") end;
def size: if type == "string" or type == "array" or type == "object" then length else error("\(type) has no length") end;
def instant: text | sub("[.][0-9]+"; "") | sub("[+]00:00$"; "Z") | fromdate;
def worst: [.[].status] as $all | [["rollback_failed", "unknown", "failed", "interrupted", "blocked", "not_run", "rolled_back", "done", "satisfied", "skipped"][] | select(. as $one | $all | any(. == $one))][0];
def firstline: split("\n")[0];
def plain: {ok: (.exit_code == 0), summary: (if .exit_code == 0 then .stdout else "exit code \(.exit_code): \(.stderr)" end | firstline)};
'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'interrupted=yes' INT TERM
declare -A well=() taken_back=()
acted=() problems=() with=() lent=()
state='{}' result=null why='' frame='' step='' place='' policy='' feed='' dir='' discreet=''
halted='' take_back='' unseen='' interrupted='' harm='' did='' no_return=0
