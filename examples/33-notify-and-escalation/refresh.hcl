runbook "refresh" {
  title   = "Refresh the features"
  include = ["escalation.hcl"]
}

variable "source" {
  default = "bars.csv"
}

step "copy" {
  action "exec.run" {
    argv    = ["cp", var.source, "features.csv"]
    effects = [{ resource = "file:///srv/features.csv" }]
  }
  goal "copied" {
    probe "exec.run" {
      argv = ["cmp", "-s", var.source, "features.csv"]
    }
    message = "features.csv is not what ${var.source} holds"
  }
}
