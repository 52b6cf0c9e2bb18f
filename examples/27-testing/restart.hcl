runbook "restart" {
  title = "Restart a service that does not answer"
}

check "answers" {
  probe "http.get" {
    url = "http://127.0.0.1:8080/health"
  }
}

step "restart" {
  when = check.answers.status == "fails"
  action "exec.run" {
    argv    = ["systemctl", "restart", "shop"]
    effects = [{ resource = "systemd://localhost/shop" }]
  }
  goal "answers" {
    check  = check.answers
    within = "5m"
  }
}
