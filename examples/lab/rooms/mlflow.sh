# MLflow: a tracking server of the lab's own, with artifacts in the lab's MinIO,
# most of them through the server, some straight to the bucket. It runs from a
# virtual environment that all labs of this user share.
# shellcheck shell=bash

mlflow_root=$LAB_DIR/mlflow
mlflow_port=$((LAB_PORT_BASE + 5001))
mlflow_ports=$mlflow_port
mlflow_needs='minio'
mlflow_uri=http://127.0.0.1:$mlflow_port
mlflow_bucket=mlflow
mlflow_models=$LAB_DIR/models

mlflow_missing_packages() {
	missing_python "$(mlflow_venv)"
}

mlflow_venv() {
	echo "$lab_cache/mlflow-$(sha256sum "$lab_home/mlflow.txt" | cut -c 1-16)"
}

# What a fresh server holds: made once by MLflow's own client, see mlflow_seed.py,
# and then taken from here.
mlflow_seeded() {
	echo "$(mlflow_venv)/seed-$(sha256sum "$lab_home/rooms/mlflow_seed.py" | cut -c 1-16)"
}

mlflow_run() ( # mlflow_run PROGRAM ARGUMENT...: of the environment
	program=$(mlflow_venv)/bin/$1
	shift
	mlflow_exports
	"$program" "$@"
)

mlflow_exports() { # what reaches MinIO
	export PYTHONWARNINGS=ignore MLFLOW_DISABLE_TELEMETRY=true AWS_DEFAULT_REGION=us-east-1
	MLFLOW_S3_ENDPOINT_URL=http://127.0.0.1:$minio_port
	AWS_ACCESS_KEY_ID=$minio_access_key
	AWS_SECRET_ACCESS_KEY=$(lab_password)
	export MLFLOW_S3_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	unset PYTHONDONTWRITEBYTECODE
}

mlflow_up() {
	local pid
	make_venv MLflow "$(mlflow_venv)" "$lab_home/mlflow.txt" mlflow_make_empty
	mkdir -p "$mlflow_root"
	if pid=$(mlflow_pid); then
		kill -CONT "$pid"
	else
		refuse_taken_port "$mlflow_port"
		[ -e "$mlflow_root/mlflow.db" ] || cp "$(mlflow_venv)/empty.db" "$mlflow_root/mlflow.db"
		mlflow_start
	fi
	wait_for 180 mlflow_answers || {
		tail -n 15 "$mlflow_root/server.log"
		return 1
	}
	say "answering on 127.0.0.1:$mlflow_port"
}

# Making the tables takes long, so that they are made once.
mlflow_make_empty() {
	(cd "$(mlflow_venv)" && mlflow_run mlflow db upgrade "sqlite:///$(mlflow_venv)/empty.db")
}

# The process that `mlflow server` starts, without the one that waits beside it:
# in this pinned version these variables are how the one tells the other.
mlflow_start() (
	cd "$mlflow_root" || return
	mlflow_exports
	export _MLFLOW_SERVER_FILE_STORE="sqlite:///$mlflow_root/mlflow.db" _MLFLOW_SERVER_ARTIFACT_ROOT=mlflow-artifacts:/
	export _MLFLOW_SERVER_SERVE_ARTIFACTS=true _MLFLOW_SERVER_ARTIFACT_DESTINATION="s3://$mlflow_bucket"
	export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
	nohup "$(mlflow_venv)/bin/python" -m uvicorn --host 127.0.0.1 --port "$mlflow_port" mlflow.server.fastapi_app:app \
		</dev/null >server.log 2>&1 3>&- 9>&- &
	echo $! >mlflow.pid
)

mlflow_pid() {
	local pid
	pid=$(cat "$mlflow_root/mlflow.pid" 2>/dev/null) || return 1
	runs_in "$pid" "$mlflow_root" && echo "$pid"
}

mlflow_answers() {
	curl -sf -o /dev/null -m 5 "$mlflow_uri/health"
}

mlflow_down() {
	local pid
	if pid=$(mlflow_pid); then
		kill -CONT "$pid"
		kill -TERM "$pid"
		wait_for 30 has_left "$pid" "$mlflow_root"
	fi
	say "stopped"
}

mlflow_baseline() {
	local seeded
	seeded=$(mlflow_seeded)
	exec 8>"$seeded.lock"
	flock 8
	if [ ! -e "$seeded/complete" ]; then
		say 'training models (once)'
		mlflow_restore "$(mlflow_venv)/empty.db"
		mlflow_run python "$lab_home/rooms/mlflow_seed.py" "$mlflow_uri" "s3://$mlflow_bucket/direct"
		rm -rf "$seeded"
		mkdir -p "$seeded"
		mlflow_copy_db "$mlflow_root/mlflow.db" "$seeded/mlflow.db"
		minio_mc mirror "lab/$mlflow_bucket" "$seeded/artifacts"
		touch "$seeded/complete"
	else
		mlflow_restore "$seeded/mlflow.db"
		minio_mc rm --recursive --force "lab/$mlflow_bucket" # nothing is told by size and time
		minio_mc mirror "$seeded/artifacts" "lab/$mlflow_bucket"
	fi
	exec 8>&-
	mlflow_local_copy
	say "$(mlflow_observe | sed -n 's/^mlflow.artifacts //p') artifacts"
}

# What those who trained the models have kept: runs/ID and models/ID, each with
# its files.
mlflow_local_copy() {
	local folder kept
	rm -rf "$mlflow_models"
	mkdir -p "$mlflow_models/runs" "$mlflow_models/models"
	for folder in "$(mlflow_seeded)"/artifacts/*/*/artifacts "$(mlflow_seeded)"/artifacts/*/models/*/artifacts; do
		kept=${folder%/artifacts}
		case $kept in
		*/models/*) cp -r "$folder" "$mlflow_models/models/${kept##*/}" ;;
		*) cp -r "$folder" "$mlflow_models/runs/${kept##*/}" ;;
		esac
	done
}

mlflow_restore() { # mlflow_restore DATABASE: also under a server that runs
	mlflow_copy_db "$1" "$mlflow_root/mlflow.db"
}

mlflow_copy_db() { # mlflow_copy_db FROM TO
	"$(mlflow_venv)/bin/python" -c '
import sqlite3, sys
old, new = (sqlite3.connect(path, timeout=30) for path in sys.argv[1:])
old.backup(new)' "$1" "$2"
}

mlflow_observe() {
	local code=0 objects
	curl -s -o /dev/null -m 2 "$mlflow_uri/health" || code=$?
	case $code in
	0) ;;
	7)
		printf 'mlflow refused\nmlflow.healthy no\n'
		return
		;;
	*)
		printf 'mlflow no_answer\nmlflow.healthy no\n'
		return
		;;
	esac
	echo 'mlflow accepting'
	objects=$(minio_health live && minio_mc du --json "lab/$mlflow_bucket" | sed -n 's/.*"objects":\([0-9]*\).*/\1/p') || objects=unknown
	echo "mlflow.artifacts $objects"
	if [ "$objects" = "$(find "$(mlflow_seeded)/artifacts" -type f | wc -l)" ]; then
		echo mlflow.healthy yes
	else
		echo mlflow.healthy no
	fi
}

mlflow_env() {
	cat <<-TEXT
		MLFLOW_TRACKING_URI=$mlflow_uri
		MODELS_DIR=$mlflow_models
		LAB_MLFLOW_PYTHON=$(mlflow_venv)/bin/python
	TEXT
}

# Everything in the database; the artifacts are in MinIO's dump.
mlflow_dump() { # mlflow_dump DIRECTORY
	"$(mlflow_venv)/bin/python" -c '
import sqlite3, sys
for line in sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).iterdump():
    print(line)' "$mlflow_root/mlflow.db" >"$1/mlflow.sql"
}
