probe "mlflow.health" {}

probe "mlflow.experiments" {
  required = ["ppo"]
}

# The newest run of the week that ended well.
probe "mlflow.runs" {
  experiments = ["ppo"]
  filter      = "attributes.status = 'FINISHED'"
  order_by    = ["attributes.start_time DESC"]
  max_results = 1
  min         = 1
}

probe "mlflow.run_artifacts" {
  run_id   = "0123456789abcdef0123456789abcdef"
  required = ["model/MLmodel"]
}

# That it is registered does not say that it can be loaded.
probe "mlflow.model_version" {
  name  = "ppo"
  alias = "production"
}

action "mlflow.upload_artifacts" {
  run_id    = "0123456789abcdef0123456789abcdef"
  directory = "/backups/ppo"
}

action "mlflow.log_model_files" {
  model_id  = "m-0123456789abcdef0123456789abcdef"
  directory = "/backups/ppo/model"
}

action "mlflow.set_alias" {
  name    = "ppo"
  alias   = "production"
  version = "7"
}
