# MinIO: object storage over four drives, with the buckets of the trading system.
# Server and command line are built from source, once for all labs of this user.
# shellcheck shell=bash

minio_root=$LAB_DIR/minio
minio_port=$((LAB_PORT_BASE + 9000))
minio_ports=$minio_port
minio_access_key=lab-admin
minio_months=14 # of market data

# Market data, backups with all their versions, and what other rooms and the
# archive of another site keep here.
minio_market=00-raw-usdcop-marketdata
minio_standardized=01-l1-ds-usdcop-standardize
minio_backups=99-common-trading-backups
minio_buckets=("$minio_market" "$minio_standardized" "$minio_backups"
	dvc-storage s3-backup mlflow long-term-archive)

minio_missing_packages() {
	if ! command -v curl >/dev/null; then
		echo curl
	fi
}

minio_tools() {
	"$lab_home/../../scripts/minio" 2>&3
}

minio_mc() { # minio_mc ARGUMENT...: MinIO's command line; the server is its alias lab
	MC_HOST_lab="http://$minio_access_key:$(lab_password)@127.0.0.1:$minio_port" \
		"$(minio_tools)/mc" --config-dir "$minio_root/mc" --no-color --quiet "$@"
}

minio_health() {
	curl -sf -o /dev/null -m 2 "http://127.0.0.1:$minio_port/minio/health/$1"
}

minio_pid() {
	local pid
	pid=$(cat "$minio_root/minio.pid" 2>/dev/null) || return 1
	runs_in "$pid" "$minio_root" && echo "$pid"
}

minio_up() {
	local pid tools
	tools=$(minio_tools)
	mkdir -p "$minio_root"/drive{1,2,3,4}
	if pid=$(minio_pid); then
		kill -CONT "$pid"
	else
		refuse_taken_port "$minio_port"
		minio_start "$tools/minio"
	fi
	wait_for 60 minio_health cluster || {
		tail -n 15 "$minio_root/server.log"
		return 1
	}
	say "accepting connections on 127.0.0.1:$minio_port"
}

minio_start() ( # minio_start PROGRAM
	cd "$minio_root" || return
	# Drives that share a disk are refused outside of MINIO_CI_CD.
	MINIO_ROOT_USER=$minio_access_key MINIO_ROOT_PASSWORD=$(lab_password) MINIO_BROWSER=off MINIO_UPDATE=off \
		MINIO_CI_CD=on nohup "$1" server --quiet --address "127.0.0.1:$minio_port" drive{1,2,3,4} \
		</dev/null >server.log 2>&1 3>&- 9>&- &
	echo $! >minio.pid
)

minio_down() {
	local pid
	if pid=$(minio_pid); then
		kill -CONT "$pid"
		kill -TERM "$pid"
		wait_for 30 has_left "$pid" "$minio_root"
	fi
	say "stopped"
}

minio_baseline() {
	if [ -n "$(minio_mc ls lab)" ]; then
		minio_mc rb --force --dangerous lab
	fi
	minio_mc mb "${minio_buckets[@]/#/lab/}"
	minio_mc version enable "lab/$minio_backups"
	minio_fill
	say "$(minio_objects) objects in ${#minio_buckets[@]} buckets"
}

# Objects with ages, which only a replicated object can be given: an object is
# written as another site would hand it on.
minio_fill() {
	local objects=$minio_root/objects config=$minio_root/objects.conf
	rm -rf "$objects"
	mkdir -p "$objects"
	minio_list | (umask 077 && minio_write "$objects" >"$config")
	curl -sS -f -Z --parallel-max 8 -K "$config"
	rm -rf "$objects" "$config"
}

# BUCKET, KEY, and when it was written, one object a line; of a key that comes
# twice there are two versions.
minio_list() {
	local month week at day
	for ((month = 0; month < minio_months; month++)); do
		for week in 0 1 2 3; do
			at=$((lab_now - month * 30 * 86400 - week * 7 * 86400 - 3600))
			day=$(date -u -d "@$at" +%Y/%m/%d)
			echo "$minio_market USDCOP/M5/$day.csv $at"
			echo "$minio_standardized USDCOP/$day.parquet $at"
		done
	done
	for ((day = 0; day < 200; day += 10)); do
		at=$((lab_now - day * 86400 - 7200))
		echo "$minio_backups manifests/$(date -u -d "@$at" +%Y%m%d).json $((at - 3600))"
		echo "$minio_backups manifests/$(date -u -d "@$at" +%Y%m%d).json $at"
	done
}

minio_write() { # minio_write FOLDER: reads minio_list, writes what curl is to do
	local bucket key at n=0 secret
	secret=$(lab_password)
	while read -r bucket key at; do
		n=$((n + 1))
		printf '%s written %s\n' "$key" "$at" >"$1/$n"
		[ "$n" -eq 1 ] || echo next
		cat <<-CONF
			silent
			fail
			output = /dev/null
			aws-sigv4 = "aws:amz:us-east-1:s3"
			user = "$minio_access_key:$secret"
			upload-file = "$1/$n"
			header = "X-Minio-Source-Replication-Request: true"
			header = "X-Minio-Source-Mtime: $(utc "$at")"
			url = "http://127.0.0.1:$minio_port/$bucket/$key"
		CONF
	done
}

minio_objects() { # how many objects the buckets of the market data and backups hold
	minio_mc du --json "lab/$minio_market" "lab/$minio_standardized" "lab/$minio_backups" |
		sed -n 's/.*"objects":\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}

minio_observe() {
	local code=0 objects
	curl -s -o /dev/null -m 2 "http://127.0.0.1:$minio_port/minio/health/live" || code=$?
	case $code in
	0) ;;
	7)
		printf 'minio refused\nminio.healthy no\n'
		return
		;;
	*)
		printf 'minio no_answer\nminio.healthy no\n'
		return
		;;
	esac
	objects=$(minio_objects)
	printf 'minio accepting\nminio.objects %s\n' "$objects"
	if [ "$objects" = "$(minio_list | sort -u -k 1,2 | wc -l)" ]; then
		echo minio.healthy yes
	else
		echo minio.healthy no
	fi
}

minio_env() {
	cat <<-TEXT
		MINIO_ENDPOINT=http://127.0.0.1:$minio_port
		MINIO_ACCESS_KEY=$minio_access_key
		MINIO_SECRET_KEY=$(lab_password)
		LAB_MC=$(minio_tools)/mc
	TEXT
}

minio_dump() { # minio_dump DIRECTORY
	if ! minio_health live; then
		echo 'no answer' >"$1/minio.jsonl"
		return
	fi
	minio_mc ls --recursive --versions --json lab | sort >"$1/minio.jsonl"
}
