# Materialization stopped six hours ago: online features are old, PostgreSQL is fresh.
# shellcheck shell=bash

needs=feast

break_it() {
	postgres_tick
	feast_materialized_until $((lab_now - 6 * 3600))
}

is_broken() {
	seen_at_most postgres.newest_bar_age_seconds 600 &&
		seen_at_least redis.oldest_feature_age_seconds 20000 &&
		seen_at_least registry.watermark_age_seconds 20000
}
