# The registry file is gone; Redis still holds the features.
# shellcheck shell=bash

needs=feast

break_it() {
	rm -f "$feast_repo/data/registry.db"
}

is_broken() {
	seen registry missing && seen redis.feature_keys 2
}
