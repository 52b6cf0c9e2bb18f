# One step of each kind, one edge of each kind, and texts that mean something
# to DOT, Mermaid and XML.
runbook "mixed" {
  title = "A \"mixed\" one: 50% <b>&amp; #1 \\N"
}

step "a-b" {
  title = "1. Where *are* we _really_? `now` $$x$$"
  probe "core.time" {}
}

step "a_b" {
  title = "- Say \"hello\" to C:\\Users %%{init} --> x"
  action "core.log" {
    message = "hello ${step.a-b.result.summary}"
  }
}

step "end" {
  depends_on = [step.a-b]
  action "core.log" {
    message = "second"
  }
}

step "skipped" {
  when = step.end.status == "failed"
  action "core.log" {
    message = "third"
  }
}

step "locked" {
  title = "This title goes on and on, far beyond what anybody would read in a box of a drawing, and then it goes on some more, to no end"
  precondition "door" {
    assert  = false
    message = "the door is locked"
  }
  action "core.log" {
    message = step.a_b.result.summary
  }
}

step "last" {
  title      = "データベースの復旧を確認する手順"
  depends_on = [step.a_b, step.end]
}

step "writers" {
  always = true
  action "core.log" {
    message = "back"
  }
}
