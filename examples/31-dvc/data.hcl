runbook "data" {
  title = "Bring lost data back, and the remote up to date"
}

variable "repo" {
  type    = string
  default = "/srv/trading"
  env     = "DVC_REPO"
}

variable "program" {
  type    = string
  default = "/srv/trading/.venv/bin/dvc"
  env     = "DVC_PROGRAM"
}

variable "access_key" {
  type = string
  env  = "MINIO_ACCESS_KEY"
}

variable "secret_key" {
  type      = string
  sensitive = true
  env       = "MINIO_SECRET_KEY"
}

provider "dvc" {
  repo = var.repo
  dvc  = var.program
  credentials = {
    for remote in ["minio", "s3_backup"] : remote => {
      access_key_id     = var.access_key
      secret_access_key = var.secret_key
    }
  }
}

step "pull" {
  title = "Files as dvc.lock records them"

  precondition "no_other_dvc" {
    probe "dvc.lock_held" {}
  }

  action "dvc.pull" {
    remote = "minio"
  }

  fallback "backup" {
    action "dvc.pull" {
      remote = "s3_backup"
    }
  }

  goal "as_recorded" {
    probe "dvc.status" {}
    timeout = "1m"
  }
}

step "push" {
  title = "All of it in MinIO"

  action "dvc.push" {
    remote = "minio"
    repair = true
  }

  goal "complete" {
    probe "dvc.remote_status" {
      remote = "minio"
    }
  }

  limit = { objects = 50000 }
}

output "lost" {
  value = step.push.goal.complete.result.lost.objects
}
