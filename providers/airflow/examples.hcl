probe "airflow.health" {
  require = ["dag_processor"]
}

# The last run of the DAG has succeeded, and not longer ago than a day.
probe "airflow.dag_run" {
  dag_id  = "v3.l0_ohlcv"
  max_age = "24h"
}

probe "airflow.dags" {
  ids = ["v3.l0_ohlcv", "v3.l1_features"]
}

# A second attempt of the step finds the run that the first one made.
action "airflow.trigger" {
  dag_id = "v3.l1_features"
  conf   = { days = 3 }
}

action "airflow.clear" {
  dag_id = "v3.l1_features"
  run_id = "manual__2026-01-16"
}

action "airflow.pause" {
  dag_id = "v3.l0_ohlcv"
}

action "airflow.unpause" {
  dag_id = "v3.l0_ohlcv"
}
