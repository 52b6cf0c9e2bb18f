runbook "publish" {
  title       = "Publish today's prices"
  description = "Use when the site shows yesterday's prices."
  owner       = "trading-platform"
}

check "complete" {
  description = "The price list is whole"
  probe "exec.run" {
    argv = ["tail", "-n", "1", "prices.csv"]
  }
  assert  = result.stdout == "END"
  message = "the last line of prices.csv is '${result.stdout}', not END"
}

step "publish" {
  title = "Put the price list where the site reads it"

  precondition "complete" { check = check.complete }

  action "exec.run" {
    argv    = ["cp", "prices.csv", "site.csv"]
    effects = [{ resource = "file:///srv/site.csv" }]
  }

  goal "published" {
    probe "exec.run" {
      argv = ["cmp", "prices.csv", "site.csv"]
    }
    message = "the site does not show today's prices"
  }
}

step "tell" {
  title = "Tell the desk"

  action "core.manual" {
    message = "Call the desk: new prices are out."
  }
}
