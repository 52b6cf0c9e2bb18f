# Inference: a stand-in for the API that answers with predictions, over the lab's
# Feast and MLflow. It runs from Feast's virtual environment.
# shellcheck shell=bash

inference_root=$LAB_DIR/inference
inference_port=$((LAB_PORT_BASE + 8090))
inference_ports=$inference_port
inference_needs='feast mlflow'
inference_url=http://127.0.0.1:$inference_port

inference_missing_packages() {
	command -v curl >/dev/null || echo curl
}

# It starts beside Feast's and MLflow's own rooms, and asks them only when it is
# asked.
inference_up() {
	local pid
	mkdir -p "$inference_root"
	if pid=$(inference_pid); then
		kill -CONT "$pid"
	else
		refuse_taken_port "$inference_port"
		wait_for 300 has_venv "$(feast_venv)"
		inference_start
	fi
	wait_for 60 inference_answers || {
		tail -n 15 "$inference_root/server.log"
		return 1
	}
	say "answering on 127.0.0.1:$inference_port"
}

inference_start() (
	cd "$inference_root" || return
	POSTGRES_PASSWORD=$(lab_password) nohup "$(feast_venv)/bin/python" -O "$lab_home/rooms/inference.py" \
		"$inference_port" "$feast_repo" "$mlflow_uri" usdcop_ppo </dev/null >server.log 2>&1 3>&- 9>&- &
	echo $! >inference.pid
)

inference_pid() {
	local pid
	pid=$(cat "$inference_root/inference.pid" 2>/dev/null) || return 1
	runs_in "$pid" "$inference_root" && echo "$pid"
}

inference_answers() {
	curl -sf -o /dev/null -m 5 "$inference_url/health"
}

inference_down() {
	local pid
	if pid=$(inference_pid); then
		kill -CONT "$pid"
		kill -TERM "$pid"
		wait_for 10 has_left "$pid" "$inference_root"
	fi
	say "stopped"
}

inference_observe() {
	local code
	code=$(curl -s -o /dev/null -m 60 -w '%{http_code}' "$inference_url/predict?symbol=USDCOP") || code=none
	echo "inference $code"
	if [ "$code" = 200 ]; then
		echo inference.healthy yes
	else
		echo inference.healthy no
	fi
}

inference_env() {
	echo "INFERENCE_URL=$inference_url"
}

inference_dump() { # inference_dump DIRECTORY: it holds nothing, but is there or not
	if inference_answers; then echo answers; else echo refuses; fi >"$1/inference.txt"
}
