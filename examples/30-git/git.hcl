runbook "last_good_data" {
  title = "Go back to the last good version of the data"
}

provider "git" {
  repo         = "app"
  author_name  = "runbook"
  author_email = "runbook@example.com"
}

step "history" {
  probe "git.log" {
    paths     = ["dvc.lock", "*.dvc"]
    good_tags = "good-*"
  }
}

step "restore" {
  precondition "pushed" {
    probe "git.in_sync" {}
  }

  action "git.checkout_paths" {
    ref   = step.history.result.last_good.commit
    paths = ["dvc.lock"]
  }

  goal "as_it_was" {
    probe "git.diff" {
      from  = step.history.result.last_good.commit
      paths = ["dvc.lock"]
    }
  }

  limit = { files = 10 }
}

step "commit" {
  when = step.restore.status == "done"

  action "git.commit" {
    message = "Go back to the data of ${step.history.result.last_good.tags[0]}"
  }

  verify "nothing_is_left" {
    probe "git.status" {
      paths = ["dvc.lock"]
    }
  }
}

step "push" {
  action "git.push" {}

  goal "on_the_remote" {
    probe "git.in_sync" {}
  }
}
