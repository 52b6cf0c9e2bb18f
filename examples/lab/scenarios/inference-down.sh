# The inference API is not running: its port refuses connections.
# shellcheck shell=bash

needs=inference

break_it() {
	inference_down
}

is_broken() {
	seen inference none && seen inference.healthy no
}
