# Redis: the online store, which Feast shares with other applications.
# shellcheck shell=bash

redis_root=$LAB_DIR/redis
redis_port=$((LAB_PORT_BASE + 6379))
redis_ports=$redis_port

redis_missing_packages() {
	if ! command -v redis-server >/dev/null; then
		echo redis-server
	fi
}

redis_say() { # redis_say COMMAND...: fails where Redis answers an error
	redis-cli -e -h 127.0.0.1 -p "$redis_port" "$@"
}

redis_pid() {
	local pid
	pid=$(cat "$redis_root/redis.pid" 2>/dev/null) || return 1
	runs_in "$pid" "$redis_root" && echo "$pid"
}

redis_up() {
	mkdir -p "$redis_root"
	local pid
	if pid=$(redis_pid); then
		kill -CONT "$pid"
	else
		refuse_taken_port "$redis_port"
		cat >"$redis_root/redis.conf" <<-CONF
			bind 127.0.0.1
			port $redis_port
			daemonize yes
			dir "$redis_root"
			pidfile "$redis_root/redis.pid"
			logfile "$redis_root/server.log"
			save ""
		CONF
		redis-server "$redis_root/redis.conf" </dev/null >/dev/null 2>&1 3>&- 9>&-
	fi
	wait_for 10 redis_say PING || {
		tail -n 15 "$redis_root/server.log"
		return 1
	}
	say "accepting connections on 127.0.0.1:$redis_port"
}

redis_down() {
	local pid
	if pid=$(redis_pid); then
		kill -CONT "$pid"
		kill -TERM "$pid"
		wait_for 10 has_left "$pid" "$redis_root"
	fi
	say "stopped"
}

redis_baseline() {
	redis_say FLUSHALL
	redis_applications
	say "$(redis_say --raw DBSIZE) keys of other applications"
}

# What the other applications of the trading system keep in the same database.
redis_applications() {
	redis_say HSET api_key_status twelvedata_1 active twelvedata_2 active twelvedata_3 exhausted
	redis_say SET session:7f3a '{"user":"trader-1","role":"operator"}' EX 86400
	redis_say SET session:b21c '{"user":"trader-2","role":"viewer"}' EX 86400
	redis_say SET ratelimit:twelvedata 412 EX 86400
	redis_say SET config:trading_mode paper
	redis_say RPUSH signals:USDCOP '{"side":"hold","score":0.12}' '{"side":"buy","score":0.61}'
	redis_say SADD models:active ppo_v20
	redis_say ZADD latency:inference 12.4 p50 31.9 p95
}

redis_env() {
	cat <<-TEXT
		REDIS_HOST=127.0.0.1
		REDIS_PORT=$redis_port
	TEXT
}
