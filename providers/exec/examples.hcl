# An exit code of 1 is the answer "no".
probe "exec.run" {
  argv = ["systemctl", "is-active", "--quiet", "nginx"]
}

action "exec.run" {
  script = <<-EOT
    rsync -a --delete models/ "$TARGET"
  EOT
  env = {
    TARGET = "/srv/models"
  }
  dry_run    = ["rsync", "-an", "--delete", "models/", "/srv/models"]
  idempotent = true
  effects = [
    { resource = "file:///srv/models", mode = "delete" },
  ]
}

# On another machine, by a key; the machine has to be in known_hosts.
probe "exec.run" {
  host = "ssh://ops@db1.example.com"
  argv = ["systemctl", "is-active", "--quiet", "postgresql"]
}
