runbook "resuming" {
  title = "Go on where a run has ended"
}

step "copy" {
  action "exec.run" {
    argv    = ["cp", "data.txt", "copy.txt"]
    effects = [{ resource = "file:///srv/copy.txt" }]
  }
  goal "copied" {
    probe "exec.run" {
      argv = ["test", "-e", "copy.txt", "-o", "-e", "public/copy.txt"]
    }
    message = "there is no copy yet"
  }
}

step "publish" {
  precondition "server" {
    probe "exec.run" {
      argv = ["test", "-d", "public"]
    }
    message = "the folder public is not mounted"
  }
  action "exec.run" {
    argv    = ["mv", "copy.txt", "public/"]
    effects = [{ resource = "file:///srv/public" }]
  }
  goal "published" {
    probe "exec.run" {
      argv = ["test", "-e", "public/copy.txt"]
    }
    message = "the copy is not published"
  }
}
