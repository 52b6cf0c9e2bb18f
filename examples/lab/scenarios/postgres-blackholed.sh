# PostgreSQL takes connections and never answers: every process of it is stopped.
# shellcheck shell=bash

needs=feast

break_it() {
	postgres_freeze
}

is_broken() {
	seen postgres no_answer && seen redis accepting
}
