runbook "backup" {
  title = "Back up the settings, and drop old backups"
}

step "pack" {
  action "file.archive" {
    directory = "settings"
    paths     = ["docker-compose.yml", "nginx"]
    to        = "backups/settings.tar"
    overwrite = true
  }
  verify "is_there" {
    probe "file.file" {
      path      = "backups/settings.tar"
      min_bytes = 1
    }
  }
  limit = { overwritten = 1 }
}

step "rotate" {
  goal "no_old_backup" {
    probe "file.directory" {
      path       = "backups"
      pattern    = "settings*.tar"
      older_than = "720h"
      keep       = 3
      min        = 0
      max        = 0
    }
  }
  action "file.delete_older_than" {
    directory = "backups"
    pattern   = "settings*.tar"
    age       = "720h"
    keep      = 3
  }
  limit = { files = 20 }
}
