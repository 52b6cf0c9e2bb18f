variable "password" {
  sensitive = true
  env       = "POSTGRES_PASSWORD"
}

variable "redis_host" {
  default = "localhost"
}

variable "far_away" {}

locals {
  not_reached = var.far_away
}

provider "postgres" {
  host     = var.connection.host
  password = var.password
}

provider "redis" {
  host = var.redis_host
}

provider "mlflow" {
  tracking_uri = local.not_reached
}
