runbook "prune" {
  title = "Delete what is older than a year"
}

variable "postgres_password" {
  type      = string
  sensitive = true
  env       = "POSTGRES_PASSWORD"
}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
  password = var.postgres_password
}

step "prune" {
  action "postgres.delete" {
    table     = "visits"
    where     = "at < now() - interval '1 year'"
    backup_to = "visits_deleted"
  }
  goal "nothing_older" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS older FROM visits WHERE at < now() - interval '1 year'"
    }
    assert = result.rows[0].older == 0
  }
  limit = { rows = 50000 }
}
