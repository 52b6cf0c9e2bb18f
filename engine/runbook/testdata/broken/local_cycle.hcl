runbook "x" {}
locals {
  a = local.b + 1        # error: cycle.*local.a → local.b → local.c → local.a.*local.a uses local.b at .*local_cycle.hcl:3.*local.c uses local.a at .*local_cycle.hcl:5
  b = local.c + 1
  c = local.a + 1
  d = local.d            # error: cycle.*local.d → local.d
}
