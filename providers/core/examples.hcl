# The nightly load needs room, and the two servers.
probe "core.host" {
  path                  = "/data"
  min_disk_free_percent = 20
  ports                 = [5432, 6379]
}

# Only after the market has closed.
probe "core.time" {
  timezone = "America/Bogota"
  weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri"]
  between  = ["13:00", "18:00"]
}

action "core.log" {
  message = "the maintenance window begins"
}

action "core.wait" {
  duration = "90s"
}

# For a branch that must not be reached.
action "core.fail" {
  message = "neither colour is live: look at the proxy first"
}

action "core.manual" {
  message = "Look at the dashboard: do the prices move?"
}

action "core.input" {
  message = "Which run is to be brought back?"
  values = {
    run_id = { description = "ID of the run", pattern = "[0-9a-f]{32}" }
    reason = { choices = ["drift", "bad data"] }
  }
}
