probe "docker.container" {
  container    = "trading-api-1"
  max_restarts = 0
}

probe "docker.project" {
  project     = "trading"
  project_dir = "/srv/trading"
}

probe "docker.logs" {
  container = "trading-api-1"
  since     = "10m"
  pattern   = "(?i)error|panic"
}

probe "docker.disk_usage" {
  max_reclaimable = 10737418240
}

probe "docker.image" {
  image   = "registry:5000/trading-api:v2"
  max_age = "720h"
}

probe "docker.config_drift" {
  project     = "trading"
  project_dir = "/srv/trading"
}

action "docker.restart" {
  container = "trading-api-1"
}

# One service of a rolling change: what it depends on is left alone.
action "docker.compose_up" {
  project     = "trading"
  project_dir = "/srv/trading"
  services    = ["api"]
  no_deps     = true
}
