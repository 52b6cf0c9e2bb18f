variables = { release = "v2" }

mock "check.healthy" { holds = true }

mock "docker.image" {
  returns = { ok = true, id = "sha256:old" }
  after "docker.tag" {
    at      = step.image
    returns = { ok = true, id = "sha256:new" }
  }
  after "docker.tag" {
    at      = step.image.rollback
    returns = { ok = true, id = "sha256:old" }
  }
}

mock "exec.run" {
  returns = { ok = true }
}

mock "file.copy" {}

mock "docker.tag" {
  returns = { image_id = "sha256:new" }
}

mock "docker.compose_up" { takes = "40s" }

mock "docker.config_drift" {
  returns = { ok = true }
}

# Whatever goes wrong, no service is brought up on what is half put back.
invariant "no_service_without_its_files" {
  assert  = step.compose_file.status != "rollback_failed" || run.outcome == "failed"
  message = "the old compose file is not back, and the run calls itself taken back"
}

test "every_service_gets_healthy" {
  expect {
    outcome = "succeeded"
    status  = { "step.roll[\"compliance\"]" = "done", "step.accept" = "satisfied" }
    calls   = { "docker.compose_up" = 4, "docker.tag" = 1 }
  }
}

test "the_third_never_does" {
  mock "docker.compose_up" {
    at    = step.roll["pipeline"]
    fails = "unhealthy"
  }
  mock "docker.compose_up" {
    at = step.roll["pipeline"].rollback
  }
  expect {
    outcome = "rolled_back"
    status = {
      "step.compose_file"         = "rolled_back"
      "step.image"                = "rolled_back"
      "step.roll[\"trading\"]"    = "rolled_back"
      "step.roll[\"analytics\"]"  = "rolled_back"
      "step.roll[\"pipeline\"]"   = "rolled_back"
      "step.roll[\"compliance\"]" = "not_run"
    }
    calls = { "docker.compose_up" = 6, "docker.tag" = 2 }
  }
}
