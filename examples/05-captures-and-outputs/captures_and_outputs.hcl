runbook "captures_and_outputs" {
  title = "Remember what was there before"
}

step "before" {
  title = "Which release is live"
  probe "exec.run" {
    argv = ["cat", "release.txt"]
  }
}

step "promote" {
  action "exec.run" {
    argv       = ["cp", "candidate.txt", "release.txt"]
    effects    = [{ resource = "file:///srv/release.txt" }]
    idempotent = true
  }

  verify "it_is_another" {
    probe "exec.run" {
      argv = ["cat", "release.txt"]
    }
    assert  = self.result.ok && result.stdout != step.before.result.stdout
    message = "the release is still ${step.before.result.stdout}"
  }
}

output "way_back" {
  description = "The release to go back to."
  value       = step.before.result.stdout
}

output "promoted" {
  value = step.promote.status == "done"
}
