runbook "rotate" {
  title = "Rotate one log"
}

variable "log" {
  type        = string
  description = "The file to rotate."
}

variable "keep" {
  type    = string
  default = "old"
}

step "rotate" {
  title = "Move the log aside"
  action "exec.run" {
    argv    = ["mv", "${var.log}.log", "${var.log}.${var.keep}"]
    effects = [{ resource = "file:///${var.log}" }]
  }
  goal "is_aside" {
    probe "exec.run" {
      argv = ["test", "!", "-e", "${var.log}.log"]
    }
  }
}

output "kept" {
  value = "${var.log}.${var.keep}"
}
