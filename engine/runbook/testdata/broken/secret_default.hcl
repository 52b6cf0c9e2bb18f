runbook "x" {}

variable "password" { # error: secret_in_file: Secret in the file.*"password".*RUNBOOK_VAR_password
  default   = "hunter2"
  sensitive = true
}

variable "headers" { # error: secret_in_file
  default   = { authorization = "hunter2" }
  sensitive = true
}

variable "none" {
  default   = null
  sensitive = true
}

variable "empty" {
  default   = ""
  sensitive = true
}
