# DVC: a git work tree of the lab's own with two git remotes, a pipeline and a
# tracked folder, and DVC remotes in the lab's MinIO. No process stays behind.
# shellcheck shell=bash

dvc_repo=$LAB_DIR/trading
dvc_git=$LAB_DIR/git # the bare repositories
dvc_needs='minio'
dvc_remotes='minio=dvc-storage s3_backup=s3-backup' # and their buckets

dvc_missing_packages() {
	missing_python "$(dvc_venv)"
	command -v git >/dev/null || echo git
}

dvc_venv() {
	echo "$lab_cache/dvc-$(sha256sum "$lab_home/dvc.txt" | cut -c 1-16)"
}

# What a fresh lab holds: made once by git and DVC themselves, see dvc_seed.sh, and
# then taken from here.
dvc_seeded() {
	echo "$(dvc_venv)/seed-$(sha256sum "$lab_home/rooms/dvc_seed.sh" | cut -c 1-16)"
}

dvc_up() {
	local seeded
	make_venv DVC "$(dvc_venv)" "$lab_home/dvc.txt"
	seeded=$(dvc_seeded)
	exec 8>"$seeded.lock"
	flock 8
	if [ ! -e "$seeded/complete" ]; then
		say 'making a repository with data (once)'
		rm -rf "$seeded"
		mkdir -p "$seeded"
		PATH="$(dvc_venv)/bin:$PATH" bash "$lab_home/rooms/dvc_seed.sh" "$seeded"
		touch "$seeded/complete"
	fi
	exec 8>&-
	say "DVC is installed"
}

# Where MinIO listens is this lab's own matter, and so not committed.
dvc_baseline() {
	local seeded remote
	seeded=$(dvc_seeded)
	rm -rf "$dvc_repo" "$dvc_git"
	cp -a "$seeded/git" "$dvc_git"
	cp -a "$seeded/trading" "$dvc_repo"
	git -C "$dvc_repo" remote set-url origin "$dvc_git/origin.git"
	git -C "$dvc_repo" remote set-url backup "$dvc_git/backup.git"
	for remote in $dvc_remotes; do
		printf "['remote \"%s\"']\n    endpointurl = http://127.0.0.1:%s\n" "${remote%=*}" "$minio_port" >>"$dvc_repo/.dvc/config.local"
		minio_mc mirror --overwrite --remove "$seeded/storage" "lab/${remote#*=}"
	done
	say "$(git -C "$dvc_repo" rev-list --count HEAD) commits, $(wc -l <"$seeded/present") objects in the present one"
}

# How many objects of the present version are among those on standard input, each
# named with its size: one that was cut short does not count.
dvc_objects() { # dvc_objects: reads lines of SIZE NAME
	sed 's|^\([0-9]*\) .*files/md5/|\1 files/md5/|' | sort | comm -12 - <(dvc_present) | wc -l
}

dvc_present() {
	(cd "$(dvc_seeded)/trading/.dvc/cache" && xargs stat -c '%s %n' <"$(dvc_seeded)/present") | sort
}

dvc_observe() {
	local remote objects all healthy=yes
	if [ ! -d "$dvc_repo/.dvc" ]; then
		printf 'dvc missing\ndvc.healthy no\n'
		return
	fi
	all=$(wc -l <"$(dvc_seeded)/present")
	echo "dvc present"
	objects=$(find "$dvc_repo/.dvc/cache" -type f -printf '%s %p\n' 2>/dev/null | dvc_objects)
	echo "dvc.cache $objects"
	[ "$objects" = "$all" ] || healthy=no
	for remote in $dvc_remotes; do
		objects=$(minio_health live && minio_mc find --json "lab/${remote#*=}" |
			sed 's/.*"size":\([0-9]*\),"key":"\([^"]*\)".*/\1 \2/' | dvc_objects) || objects=unknown
		echo "dvc.${remote%=*} $objects"
		[ "$objects" = "$all" ] || healthy=no
	done
	objects=$(dvc_changed_files)
	echo "dvc.files_changed $objects"
	[ "$objects" = 0 ] || healthy=no
	objects=$(dvc_stages_changed)
	echo "dvc.stages_changed $objects"
	[ "$objects" = 0 ] || healthy=no
	objects=$(dvc_unpushed)
	echo "dvc.unpushed $objects"
	[ "$objects" = 0 ] || healthy=no
	objects=$(git -C "$dvc_repo" status --porcelain --untracked-files=all | wc -l)
	echo "git.files_changed $objects"
	[ "$objects" = 0 ] || healthy=no
	if [ "$(git -C "$dvc_repo" rev-parse HEAD)" = "$(git -C "$dvc_git/origin.git" rev-parse main)" ]; then
		echo git.in_sync yes
	else
		echo git.in_sync no
		healthy=no
	fi
	echo "dvc.healthy $healthy"
}

dvc_changed_files() { # how many data files are not what they are in a fresh lab
	(cd "$(dvc_seeded)/trading" && find data -type f ! -name '*.dvc' ! -name .gitignore -print0 | xargs -0 sha256sum) |
		(cd "$dvc_repo" && { sha256sum --check --quiet 2>/dev/null || true; }) | wc -l
}

# How many commands of the pipeline are not those that dvc.lock is of.
dvc_stages_changed() {
	comm -3 <(dvc_commands dvc.yaml) <(dvc_commands dvc.lock) | grep -c '^[^[:space:]]'
}

dvc_commands() { # dvc_commands FILE: of dvc.yaml or dvc.lock, without their line breaks
	awk '/^ +cmd:/ { on = 1; sub(/^ +cmd: /, "") } /^ +(deps|outs):/ { if (on) print cmd; on = 0; cmd = "" }
		on { sub(/^ +/, ""); cmd = cmd (cmd == "" ? "" : " ") $0; gsub(/ +/, " ", cmd) }' "$dvc_repo/$1" | sort
}

# How many files with a pointer of their own lie in the cache and not in the
# remote minio.
dvc_unpushed() {
	local hash
	for hash in $(cd "$dvc_repo" && git ls-files '*.dvc' | xargs sed -n 's/^- md5: \([0-9a-f]\{32\}\)$/\1/p'); do
		minio_mc stat "lab/dvc-storage/files/md5/${hash:0:2}/${hash:2}" >/dev/null 2>&1 || echo "$hash"
	done | wc -l
}

dvc_env() {
	cat <<-TEXT
		DVC_REPO=$dvc_repo
		DVC_PROGRAM=$(dvc_venv)/bin/dvc
		LAB_DVC=$(dvc_venv)/bin/dvc
		LAB_GIT=$dvc_git
	TEXT
}

# Refs, what git sees changed, and every data file and object; not what DVC and
# git keep for their own speed.
dvc_dump() { # dvc_dump DIRECTORY
	{
		git -C "$dvc_repo" for-each-ref
		git -C "$dvc_repo" status --porcelain --branch
		git -C "$dvc_git/origin.git" for-each-ref
		git -C "$dvc_git/backup.git" for-each-ref
	} >"$1/dvc-git.txt"
	(cd "$dvc_repo" && find . -path ./.git -prune -o -path ./.dvc/tmp -prune -o -type f -print0 | sort -z | xargs -0 sha256sum) >"$1/dvc-files.txt"
}
