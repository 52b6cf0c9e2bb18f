# Redis is not running: its port refuses connections.
# shellcheck shell=bash

needs=feast

break_it() {
	redis_down
}

is_broken() {
	seen redis refused && seen postgres accepting
}
