probe "file.file" {
  path      = "/srv/models/ppo.zip"
  min_bytes = 1024
  max_age   = "26h"
}

probe "file.directory" {
  path    = "/backups"
  pattern = "*.dump"
  min     = 3
  max_age = "26h"
}

probe "file.disk" {
  path           = "/data"
  max_used_ratio = 0.8
}

action "file.copy" {
  from      = "config/new.yaml"
  to        = "config/current.yaml"
  overwrite = true
  backup_to = "config/before.yaml"
}

action "file.write" {
  path    = "config/mode"
  content = "drain"
}

action "file.archive" {
  to    = "/backups/settings.tar.gz"
  paths = ["nginx", "docker-compose.yml"]
}

# The newest three stay, however old they are.
action "file.delete_older_than" {
  directory = "/backups"
  pattern   = "settings-*.tar.gz"
  age       = "720h"
  keep      = 3
}

action "file.mkdir" {
  path = "/backups/2026"
}
