runbook "x" {}
step "a" {
  probe "postgress.ready" {} # error: unknown_provider.*"postgress".*Did you mean "postgres"
}
step "b" {
  probe "mlflow.health" {}   # error: missing_block.*needs a block that sets "tracking_uri"
}
