runbook "report" {
  title = "What functions make of files and values"
}

variable "hosts" {
  description = "The machines to report on; what is not said has a default."
  type = list(object({
    name = string
    port = optional(number, 5432)
  }))
  default = [{ name = "db-1" }, { name = "db-2", port = 6432 }]
}

locals {
  addresses = [for h in var.hosts : "${h.name}:${h.port}"]
  settings  = jsondecode(file("settings.json"))
  greeting  = templatefile("greeting.tmpl", { names = var.hosts[*].name })
}

step "report" {
  action "core.log" {
    message = join("\n", concat([local.greeting], local.addresses))
  }
}

output "retries" {
  value = try(local.settings.retries, 3)
}

output "window_starts" {
  value = timeadd("2026-01-17T03:00:00Z", "-${local.settings.window}")
}

output "quoted" {
  value = [shellquote("it's here"), sqlquote_identifier("bars 2025")]
}
