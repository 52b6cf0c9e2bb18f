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

action "docker.compose_stop" {
  project     = "trading"
  project_dir = "/srv/trading"
  services    = ["scheduler"]
}

action "docker.compose_down" {
  project     = "trading-blue"
  project_dir = "/srv/trading-blue"
}

action "docker.compose_build" {
  project     = "trading"
  project_dir = "/srv/trading"
  services    = ["api"]
}

action "docker.compose_pull" {
  project     = "trading"
  project_dir = "/srv/trading"
}

# The way back: what an earlier step has noted is current again.
action "docker.tag" {
  source = "sha256:4c5d6f0e4d0f0c8c3f6f0a1c5a9c4a53b6b6d0e7a2c0b8f1d7e9a3c2b1f0e9d8"
  target = "registry:5000/trading-api:current"
}

action "docker.exec" {
  container = "trading-api-1"
  argv      = ["/app/manage", "flush-cache"]
  effects   = [{ resource = "redis://cache:6379/0", mode = "delete" }]
}

action "docker.prune" {
  containers        = true
  images            = "dangling"
  anonymous_volumes = true
  older_than        = "168h"
}

action "docker.volume_remove" {
  volumes = ["trading_scratch"]
}
