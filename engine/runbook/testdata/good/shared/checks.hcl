check "redis" {
  probe "redis.ping" {}
}

check "models" {
  probe "mlflow.health" {}
}
