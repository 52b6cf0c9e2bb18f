# Ingestion stopped six hours ago: the newest bar is old, and so is all that follows from it.
# shellcheck shell=bash

needs=feast

break_it() {
	postgres_forget_bars_after $((lab_now - 6 * 3600))
	feast_materialized_until "$lab_now"
}

is_broken() {
	seen_at_least postgres.newest_bar_age_seconds 20000 &&
		seen_at_least redis.oldest_feature_age_seconds 20000 &&
		seen_at_most registry.watermark_age_seconds 600
}
