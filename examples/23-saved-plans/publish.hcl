runbook "publish" {
  title = "Publish the last export"
}

step "publish" {
  action "exec.run" {
    argv    = ["mv", "export.tmp", "export.csv"]
    effects = [{ resource = "file:///export.csv" }]
  }
  goal "is_published" {
    probe "exec.run" {
      argv = ["test", "!", "-e", "export.tmp"]
    }
    message = "export.tmp waits to be published"
  }
}
