# MinIO is not running: its port refuses connections.
# shellcheck shell=bash

needs=minio

break_it() {
	minio_down
}

is_broken() {
	seen minio refused
}
