probe "docker.container" {
  container    = "trading-api-1"
  max_restarts = 0
}

probe "docker.project" {
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
