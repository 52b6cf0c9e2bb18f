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
