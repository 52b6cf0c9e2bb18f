runbook "callee" {
  include = ["stack.hcl"]
}
variable "keep" {
  default = 3
}
step "only" {
  action "core.log" {
    message = "${var.host} ${var.keep}"
  }
}
output "kept" {
  value = var.keep
}
