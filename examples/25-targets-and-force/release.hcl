runbook "release" {
  title = "Build, publish, announce"
}

step "build" {
  action "exec.run" {
    argv    = ["touch", "build.tar"]
    effects = [{ resource = "file:///build.tar" }]
  }
  goal "built" {
    probe "exec.run" {
      argv = ["test", "-e", "build.tar"]
    }
  }
}

step "publish" {
  depends_on = [step.build]
  action "exec.run" {
    argv    = ["cp", "build.tar", "published.tar"]
    effects = [{ resource = "file:///published.tar" }]
  }
  goal "published" {
    probe "exec.run" {
      argv = ["cmp", "-s", "build.tar", "published.tar"]
    }
  }
}

step "announce" {
  depends_on = [step.publish]
  action "core.log" {
    message = "published"
  }
}
