# The section "DVC → MinIO Sync Recovery" of the sync-recovery document, done
# right:
#
# - `dvc status -c` believes that a folder is complete where its list is there.
#   Here every object is asked for.
# - `dvc pull -r minio || dvc pull -r s3_backup` goes to the backup whatever went
#   wrong, wrong keys included. Here wrong keys block, and the backup gives what
#   is known to be lost, and nothing else.
# - `dvc checkout` before the pull deletes the folders that it cannot make whole.
#   Here files are put back last, once the cache has all that they are made of.
# - A push that ends with exit code 0 proves nothing. Here the remote is looked at
#   again, and then the dataset is read and hashed.

runbook "dvc_to_minio" {
  title       = "DVC → MinIO sync recovery"
  description = "Use when `dvc pull` fails with \"file not found\", when a dataset's hash is not the recorded one, or when training reads another version of the data than dvc.lock says."
  owner       = "trading-platform"
  severity    = "medium"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl", "escalation.hcl"]
  timeout     = "2h"
}

locals {
  severity = "medium"
}

variable "dataset_sha256" {
  type        = string
  default     = null
  nullable    = true
  description = "SHA-256 that the dataset must have, where somebody has written it down; its recorded MD5 counts anyway."
}

step "stores" {
  title = "MinIO answers and takes our keys, and nobody else is at work"
  precondition "minio" { check = check.minio }
  precondition "bucket" { check = check.dvc_bucket }
  precondition "idle" { check = check.dvc_idle }
}

step "fetch" {
  title = "Bring what only MinIO has into the cache"
  action "dvc.fetch" {
    remote     = "minio"
    allow_lost = true
  }
  goal "cache_has_what_minio_has" {
    check   = check.dvc_remote
    assert  = result.to_fetch.objects == 0
    message = "${result.to_fetch.objects} objects are in MinIO alone"
  }
  timeout = "30m"
}

step "backup" {
  title = "Bring what MinIO and the cache have lost from the backup remote"
  precondition "backup_has_it" {
    probe "dvc.remote_status" {
      remote = "s3_backup"
    }
    assert  = result.lost.objects == 0
    message = "${result.lost.objects} objects are nowhere any more, the backup included: this version of the data is lost; dvc_from_git_history goes back to the last one that MinIO still has"
    timeout = "1m"
  }
  action "dvc.fetch" {
    remote = "s3_backup"
  }
  goal "nothing_is_lost" {
    check   = check.dvc_remote
    assert  = result.lost.objects == 0
    message = "${result.lost.objects} objects are neither in the cache nor in MinIO"
  }
  timeout = "30m"
}

step "push" {
  title = "Bring what MinIO lacks, or has damaged, from the cache"
  action "dvc.push" {
    remote = "minio"
    repair = true
  }
  goal "minio_has_all" { check = check.dvc_remote }
  limit   = { objects = 50000 }
  timeout = "30m"
}

# What a file holds else than what is recorded is lost: a person sees the number
# of such files first.
step "files" {
  title = "Put the files of the work tree back as they are recorded"
  # runbook:ignore deletes_what_another_needs it puts back files of the work tree, and leaves DVC's own alone
  action "dvc.checkout" {
    force = true
  }
  goal "as_recorded" { check = check.workspace }
  limit   = { changes = 1000 }
  timeout = "30m"
}

step "dataset" {
  title = "The dataset is the recorded one, byte for byte"
  verify "hash" {
    probe "dvc.file_hash" {
      path   = var.dataset
      sha256 = var.dataset_sha256
    }
    timeout = "1m"
  }
}

output "objects_from_backup" {
  description = "How many objects only the backup had."
  value       = try(step.backup.result.objects, 0)
}
