# PostgreSQL: a cluster of the lab's own, reached over TCP with a password.
# The server refuses to run as root, so root starts it as the postgres user.
# shellcheck shell=bash

pg_root=$LAB_DIR/postgres
pg_port=$((LAB_PORT_BASE + 5432))
postgres_ports=$pg_port
pg_database=usdcop_trading
pg_user='admin'

postgres_missing_packages() {
	if ! pg_bindir >/dev/null; then
		echo postgresql
	fi
}

pg_bindir() {
	local dir
	dir=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$dir/initdb" ] && echo "$dir"
}

pg_owner() {
	if [ "$(id -u)" -ne 0 ]; then
		id -un
	elif id -u postgres >/dev/null 2>&1; then
		echo postgres
	else
		echo nobody
	fi
}

pg_run() {
	if [ "$(id -u)" -ne 0 ]; then
		(cd / && exec "$@")
		return
	fi
	local owner
	owner=$(pg_owner)
	(cd / && exec setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups -- "$@")
}

pg_sql() { # pg_sql DATABASE PSQL_ARGUMENT...
	local database=$1
	shift
	PGPASSWORD=$(lab_password) \
		psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U "$pg_user" -d "$database" "$@"
}

# Where the server's user cannot reach the lab's folder, as in a checkout in a
# private home or a private temporary folder, the cluster lives under /var/tmp and
# the lab's folder holds a link to it, which `lab destroy` follows.
pg_place() {
	if [ -d "$pg_root" ]; then
		return
	fi
	rm -f "$pg_root"
	if [ "$(id -u)" -ne 0 ]; then
		mkdir -m 0700 "$pg_root"
	elif pg_run test -x "$LAB_DIR"; then
		install -d -m 0700 -o "$(pg_owner)" "$pg_root"
	else
		local away
		away=$(mktemp -d /var/tmp/runbook-lab.XXXXXX)
		chown "$(pg_owner)" "$away"
		ln -s "$away" "$pg_root"
		say "the server's user cannot reach $LAB_DIR; the cluster lives in $away"
	fi
}

pg_create() {
	local data=$pg_root/data version
	version=$("$(pg_bindir)/postgres" --version | sed -E 's/.* ([0-9]+)[.0-9a-z]* ?.*/\1/')
	if [ -f "$pg_root/created" ] && [ "$(cat "$data/PG_VERSION")" = "$version" ]; then
		return
	fi
	say "creating a PostgreSQL $version cluster"
	rm -rf "${data:?}"
	(umask 077 && lab_password >"$pg_root/password")
	if [ "$(id -u)" -eq 0 ]; then
		chown "$(pg_owner)" "$pg_root/password"
	fi
	pg_run "$(pg_bindir)/initdb" -D "$(realpath "$pg_root")/data" --username="$pg_user" \
		--pwfile="$(realpath "$pg_root")/password" --auth=scram-sha-256 \
		--encoding=UTF8 --locale=C.UTF-8 --no-sync
	rm -f "$pg_root/password"
	cat >>"$data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = $pg_port
		unix_socket_directories = ''
		timezone = 'UTC'
		log_timezone = 'UTC'
		log_line_prefix = '%m [%p] %q%u@%d %a '
		shared_buffers = 64MB
		fsync = off            # what is lost here is generated again
	CONF
	touch "$pg_root/created"
}

pg_pid() {
	local pid
	pid=$(head -n 1 "$pg_root/data/postmaster.pid" 2>/dev/null) || return 1
	runs_in "$pid" "$pg_root/data" && echo "$pid"
}

# Stops every process of the server where it is. The postmaster comes first:
# it starts the others.
postgres_freeze() {
	local pid
	pid=$(pg_pid)
	kill -STOP "$pid"
	pg_children "$pid" | xargs -r kill -STOP || true # one may have ended by itself
}

postgres_thaw() {
	local pid
	pid=$(pg_pid) || return 0
	pg_children "$pid" | xargs -r kill -CONT || true
	kill -CONT "$pid"
}

pg_children() {
	tr ' ' '\n' <"/proc/$1/task/$1/children"
}

postgres_up() {
	pg_place
	pg_create
	postgres_thaw
	if ! pg_pid >/dev/null; then
		refuse_taken_port "$pg_port"
		# Its own file descriptors only: what outlives this script must not keep
		# its output or its lock open.
		pg_run "$(pg_bindir)/pg_ctl" start -w -t 60 -s -D "$(realpath "$pg_root")/data" \
			-l "$(realpath "$pg_root")/server.log" </dev/null >/dev/null 2>&1 3>&- 9>&- || {
			tail -n 15 "$pg_root/server.log"
			return 1
		}
	fi
	say "accepting connections on 127.0.0.1:$pg_port"
}

postgres_down() {
	local pid
	postgres_thaw
	if pid=$(pg_pid); then
		# Its pid file goes, and pg_ctl returns, a moment before the process does.
		pg_run "$(pg_bindir)/pg_ctl" stop -w -t 30 -s -m fast -D "$(realpath "$pg_root")/data"
		wait_for 10 has_left "$pid" "$pg_root/data"
	fi
	say "stopped"
}

# The database is made anew, which also ends other sessions and their locks.
postgres_baseline() {
	pg_sql postgres <<-SQL
		ALTER SYSTEM RESET ALL;
		SELECT pg_reload_conf() \g /dev/null
		SET client_min_messages = warning;
		DROP DATABASE IF EXISTS $pg_database WITH (FORCE);
		CREATE DATABASE $pg_database;
	SQL
	pg_sql "$pg_database" --single-transaction -v since="$(utc "$lab_now - $lab_history")" \
		-v until="$(utc "$lab_now")" -f "$lab_home/sql/schema.sql" -f "$lab_home/sql/bars.sql" \
		-c 'ANALYZE usdcop_m5_ohlcv'
	say "$(pg_sql "$pg_database" -At -c "SELECT count(*) || ' bars up to ' || max(time) FROM usdcop_m5_ohlcv")"
}

# Appends the bars that the market has made since the newest one.
postgres_tick() {
	pg_sql "$pg_database" -v until="$(utc "$lab_now")" \
		-v since="$(pg_sql "$pg_database" -At -c 'SELECT max(time) FROM usdcop_m5_ohlcv')" \
		-f "$lab_home/sql/bars.sql"
}

postgres_forget_bars_after() { # postgres_forget_bars_after UNIX_TIME
	pg_sql "$pg_database" -v after="$(utc "$1")" <<-'SQL'
		DELETE FROM usdcop_m5_ohlcv WHERE time > :'after'::timestamptz;
	SQL
}

# Rows come sorted, and the random token that pg_dump puts into each dump is
# left out; nothing else is.
postgres_dump() { # postgres_dump DIRECTORY
	local table
	rm -f "$1"/postgres-*.txt
	if ! pg_sql "$pg_database" -c 'SELECT 1' >/dev/null 2>&1; then
		echo 'no answer' >"$1/postgres-server.txt"
		return
	fi
	pg_sql postgres -At -c "
		SELECT 'setting', name, setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'
		UNION ALL SELECT 'database', datname, '' FROM pg_database
		UNION ALL SELECT 'role', rolname, rolpassword FROM pg_authid
		ORDER BY 1, 2" >"$1/postgres-server.txt"
	PGPASSWORD=$(lab_password) pg_dump -h 127.0.0.1 -p "$pg_port" -U "$pg_user" \
		--schema-only "$pg_database" | sed -E '/^\\(un)?restrict /d' >"$1/postgres-schema.txt"
	pg_sql "$pg_database" -At -c "
		SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1" |
		while read -r table; do
			echo "table $table"
			pg_sql "$pg_database" -c "COPY (SELECT * FROM $table AS t ORDER BY t) TO STDOUT" </dev/null
		done >"$1/postgres-data.txt"
	pg_sql "$pg_database" -At -c "
		SELECT 'sequence', schemaname, sequencename, last_value FROM pg_sequences
		ORDER BY 2, 3" >>"$1/postgres-data.txt"
}

postgres_env() {
	cat <<-TEXT
		POSTGRES_HOST=127.0.0.1
		POSTGRES_PORT=$pg_port
		POSTGRES_DB=$pg_database
		POSTGRES_USER=$pg_user
		POSTGRES_PASSWORD=$(lab_password)
	TEXT
}
