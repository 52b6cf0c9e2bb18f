# Feast: a feature repository of the lab's own, run from a virtual environment
# that all labs of this user share. No process of Feast's stays behind.
# shellcheck shell=bash

feast_repo=$LAB_DIR/feature_repo
feast_needs='postgres redis'

feast_missing_packages() {
	missing_python "$(feast_venv)"
}

feast_venv() {
	echo "$lab_cache/feast-$(sha256sum "$lab_home/requirements.txt" | cut -c 1-16)"
}

# Feast takes four seconds to import, most of them for its type checks; without
# assertions (-O) there are none, and what that compiles is kept for next time.
feast_run() { # feast_run PYTHON_ARGUMENT...
	env -u PYTHONDONTWRITEBYTECODE POSTGRES_PASSWORD="$(lab_password)" "$(feast_venv)/bin/python" -O "$@"
}

feast_up() {
	# The first run compiles it.
	make_venv Feast "$(feast_venv)" "$lab_home/requirements.txt" feast_run -m feast.cli.cli version
	feast_write_repo
	say "Feast is installed"
}

feast_write_repo() {
	mkdir -p "$feast_repo"
	sed -e '/^#/d' -e "s/@POSTGRES_PORT@/$pg_port/" -e "s/@POSTGRES_DB@/$pg_database/" \
		-e "s/@POSTGRES_USER@/$pg_user/" -e "s/@REDIS_PORT@/$redis_port/" \
		"$lab_home/feature_repo/feature_store.yaml" >"$feast_repo/feature_store.yaml"
	cp "$lab_home/feature_repo/technical_features.py" "$feast_repo/"
}

# Makes registry and online store what they are when the last materialization
# ended at UNIX_TIME, whatever they hold now.
feast_materialized_until() { # feast_materialized_until UNIX_TIME
	feast_run "$lab_home/rooms/feast_rebuild.py" "$feast_repo" "127.0.0.1:$redis_port" "$(utc "$1")"
}

feast_baseline() {
	feast_write_repo
	feast_materialized_until "$lab_now"
	say "materialized until $(utc "$lab_now")"
}

# Looks at PostgreSQL and Redis too.
feast_observe() {
	POSTGRES_PASSWORD=$(lab_password) "$(feast_venv)/bin/python" -B "$lab_home/rooms/observe.py" \
		"$feast_repo" "$pg_port" "$pg_database" "$pg_user" "$redis_port"
}

feast_env() {
	cat <<-TEXT
		LAB_FEATURE_REPO=$feast_repo
		LAB_FEAST=$(feast_venv)/bin/feast
		LAB_FEAST_PYTHON=$(feast_venv)/bin/python
		FEAST_REPO=$feast_repo
		FEAST_PYTHON=$(feast_venv)/bin/python
	TEXT
}

feast_dump() { # feast_dump DIRECTORY: Redis and the registry
	"$(feast_venv)/bin/python" -B "$lab_home/rooms/dump.py" "$feast_repo" "$redis_port" "$1"
}
