# Feature keys are gone, and the registry says that they were materialized just now.
# shellcheck shell=bash

needs=feast

break_it() {
	postgres_tick
	feast_materialized_until "$lab_now"
	redis_say FLUSHDB
	redis_applications # which write their keys again; nobody writes Feast's
}

is_broken() {
	seen redis.feature_keys 0 &&
		seen redis.other_keys 8 &&
		seen_at_most registry.watermark_age_seconds 600 &&
		seen_at_most postgres.newest_bar_age_seconds 600
}
