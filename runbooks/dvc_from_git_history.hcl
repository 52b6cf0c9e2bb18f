# The section "Full Recovery from Git History" of the sync-recovery document, done
# right:
#
# - `git log | head -10` and a <commit_sha> that a person guesses. Here each of the
#   last versions is looked for in MinIO, object by object, and the newest of which
#   it has all is taken.
# - `git checkout <sha> -- dvc.lock *.dvc` writes over what was not committed. Here a
#   ref keeps it first, and a person is asked where it would be lost otherwise.
# - `dvc checkout` before `dvc pull` deletes what the cache cannot make whole. Here
#   the data comes first.
# - The pointers are left changed and not committed, so that the next `git checkout`
#   undoes the recovery. Here they are committed, and pushed, as a new version.

runbook "dvc_from_git_history" {
  title       = "Go back to the last version of the data that MinIO has whole"
  description = "Use when dvc_to_minio says that the present version of the data is lost. What was made since then has to be made again."
  owner       = "trading-platform"
  severity    = "critical"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl", "escalation.hcl"]
  timeout     = "4h"
}

variable "versions" {
  type        = number
  default     = 10
  description = "How many versions to look back."
  validation {
    condition = var.versions >= 1 && var.versions <= 100
    message   = "versions must be from 1 to 100, got ${var.versions}."
  }
}

locals {
  severity = "critical"

  # Newest first; the present one is among them, and is taken where it is whole.
  candidates = [for c in step.history.result.commits : c.commit]
  whole      = [for commit in local.candidates : commit if step.looked[commit].result.ok]
  good       = try(local.whole[0], "none")
  subjects   = { for c in step.history.result.commits : c.commit => c.subject }
}

step "ready" {
  title = "MinIO takes our keys, nobody else is at work, and origin has nothing that we lack"
  precondition "minio" { check = check.minio }
  precondition "bucket" { check = check.dvc_bucket }
  precondition "idle" { check = check.dvc_idle }
  precondition "at_rest" { check = check.git_at_rest }
  precondition "not_behind" {
    check   = check.git_in_sync
    assert  = result.behind == 0
    message = "origin: ${result.summary}; take in what is there first, by git pull"
  }
}

step "history" {
  title = "Find the commits that changed the data"
  probe "git.log" {
    paths = ["dvc.lock", "*.dvc"]
    limit = var.versions
  }
}

step "looked" {
  title    = "Look what MinIO has of each"
  for_each = local.candidates
  probe "dvc.remote_status" {
    remote = "minio"
    rev    = each.value
  }
  timeout = "5m"
}

step "last_good" {
  title = "One of them is whole"
  precondition "found" {
    assert  = length(local.whole) > 0
    message = "MinIO has none of the last ${length(local.candidates)} versions whole: restore the bucket from its backup, or look further back with --var versions=…"
  }
}

step "pointers" {
  title = "Go back to the pointers of that version"
  # runbook:ignore deletes_what_another_needs it puts back pointers, and what they hold now is kept under a ref
  action "git.checkout_paths" {
    ref   = local.good
    paths = ["dvc.lock", "*.dvc"]
    exact = true
  }
  goal "of_that_version" {
    probe "git.diff" {
      from  = local.good
      paths = ["dvc.lock", "*.dvc"]
    }
  }
  limit = { files = 1000 }
}

step "fetch" {
  title = "Bring its data into the cache"
  action "dvc.fetch" {
    remote = "minio"
  }
  goal "cache_has_it" {
    probe "dvc.remote_status" {
      remote = "minio"
      rev    = local.good
    }
    assert  = result.ok && result.to_fetch.objects == 0
    timeout = "1m"
  }
  timeout = "1h"
}

step "files" {
  title = "Put the files of the work tree back as that version has them"
  action "dvc.checkout" {
    force = true
  }
  goal "as_recorded" { check = check.workspace }
  goal "of_that_version" {
    probe "git.diff" {
      from  = local.good
      paths = ["dvc.lock", "*.dvc"]
    }
  }
  limit   = { changes = 1000 }
  timeout = "30m"
}

step "commit" {
  title = "Commit that this is the present version now"
  action "git.commit" {
    message = "Go back to the data of ${substr(local.good, 0, 10)}: ${try(local.subjects[local.good], "")}"
  }
  goal "committed" {
    probe "git.status" {
      paths = ["dvc.lock", "*.dvc"]
    }
  }
  goal "of_that_version" {
    probe "git.diff" {
      from  = local.good
      paths = ["dvc.lock", "*.dvc"]
    }
  }
}

step "push" {
  title = "Push it"
  action "git.push" {}
  goal "origin_has_it" { check = check.git_in_sync }
  goal "of_that_version" {
    probe "git.diff" {
      from  = local.good
      to    = "HEAD"
      paths = ["dvc.lock", "*.dvc"]
    }
  }
}

step "proof" {
  title = "The dataset is of that version, byte for byte, and MinIO has all of it"
  verify "hash" {
    probe "dvc.file_hash" {
      path = var.dataset
    }
    timeout = "1m"
  }
  verify "minio" {
    probe "dvc.remote_status" {
      remote = "minio"
      rev    = "HEAD"
    }
    timeout = "1m"
  }
}

output "version" {
  description = "The commit whose data is the present one."
  value       = local.good
}
