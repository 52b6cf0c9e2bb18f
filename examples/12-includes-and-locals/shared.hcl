variable "folder" {
  type        = string
  default     = "data"
  description = "Where the exports are."
}

variable "password" {
  type        = string
  sensitive   = true
  description = "Nothing in nightly.hcl leads to it: it is not asked for."
}

locals {
  source = "${var.folder}/source.csv"
}

check "source" {
  probe "exec.run" {
    argv = ["test", "-s", local.source]
  }
  message = "${local.source} is empty or missing"
}
