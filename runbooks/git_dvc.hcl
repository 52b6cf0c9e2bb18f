# The section "Git ↔ DVC Sync Recovery" of the sync-recovery document, done right:
#
# - `git push` before `dvc push`: whoever pulls in between, or ever if the second
#   fails, has pointers to data that no remote has. Here data goes first, is looked
#   at object by object, and only then is a pointer committed and pushed.
# - `git add dvc.lock *.dvc` is the shell's pattern: files in folders stay out, and
#   so does the .gitignore that keeps the data itself out of Git. Here it is Git's
#   own, for all folders.
# - `git commit` takes along what somebody else had staged. Here that blocks.
# - `dvc repro` over a file that was changed and never added makes results of data
#   that nobody has. Here that blocks: dvc_to_minio puts it back, `dvc add` keeps it.
#
# While the pipeline is not as locked, nothing after it can be: that is among the
# goals of all that follows, so that the plan says what will come.

runbook "git_dvc" {
  title       = "Git ↔ DVC sync recovery"
  description = "Use when Git does not track DVC's files, when dvc.lock is not of the present pipeline, or when a clone cannot reproduce it."
  owner       = "trading-platform"
  severity    = "medium"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl", "escalation.hcl"]
  timeout     = "6h"
}

locals {
  severity = "medium"
}

variable "pipeline_effects" {
  type = list(object({
    resource = string
    mode     = optional(string, "write")
  }))
  default     = []
  description = "What the pipeline's commands touch besides the work tree."
}

variable "commit_message" {
  type    = string
  default = "Sync DVC files with pipeline state"
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

step "repro" {
  title = "Run the stages whose inputs or commands have changed"
  precondition "inputs_are_recorded" {
    check   = check.pipeline
    assert  = alltrue([for s in result.stages : !endswith(s.stage, ".dvc")])
    message = "files hold something else than their .dvc files record: dvc_to_minio puts them back, `dvc add` keeps them: ${result.summary}"
  }
  action "dvc.repro" {
    effects = var.pipeline_effects
  }
  goal "pipeline_is_as_locked" { check = check.pipeline }
  limit   = { stages = 100 }
  timeout = "4h"
}

step "data" {
  title = "Push the data, before anything points to it"
  action "dvc.push" {
    remote = "minio"
    repair = true
  }
  goal "minio_has_all" { check = check.dvc_remote }
  goal "pipeline_is_as_locked" { check = check.pipeline }
  limit   = { objects = 50000 }
  timeout = "1h"
}

step "stage" {
  title = "Stage the pointers"
  action "git.add" {
    paths = var.pointers
  }
  goal "all_is_staged" {
    check   = check.pointers
    assert  = length(result.changed) + length(result.untracked) == 0
    message = "the pointers: ${result.summary}"
  }
  goal "pipeline_is_as_locked" { check = check.pipeline }
  limit = { files = 1000 }
}

step "commit" {
  title = "Commit the pointers, and nothing else"
  precondition "nothing_else_is_staged" {
    probe "git.status" {
      untracked = false
    }
    assert  = alltrue([for f in result.staged : can(regex("(^|/)(dvc\\.lock|dvc\\.yaml|\\.gitignore)$|\\.dvc$", f))])
    message = "somebody has staged other files, which would be committed along: ${join(", ", result.staged)}"
  }
  action "git.commit" {
    message = var.commit_message
  }
  goal "all_is_committed" { check = check.pointers }
  goal "pipeline_is_as_locked" { check = check.pipeline }
}

step "push" {
  title = "Push the branch"
  action "git.push" {}
  goal "all_is_committed" { check = check.pointers }
  goal "pipeline_is_as_locked" { check = check.pipeline }
  goal "origin_has_it" { check = check.git_in_sync }
  timeout = "10m"
}

step "proof" {
  title = "MinIO has the data of what origin has"
  verify "in_sync" { check = check.git_in_sync }
  verify "data" {
    probe "dvc.remote_status" {
      remote = "minio"
      rev    = "HEAD"
    }
    timeout = "1m"
  }
}

output "commit" {
  description = "The commit that was made; empty where none was needed."
  value       = try(step.commit.result.head, "")
}
