runbook "x" {
  include = [
    "/etc/hosts",            # error: invalid_include.*absolute
    "missing.hcl",           # error: invalid_include.*There is no file "missing.hcl"
    "include_paths.hcl",     # error: invalid_include.*already part of this runbook
    "",                      # error: invalid_include.*path of a file
    "../../../../../../../../../../../../etc/hosts", # error: invalid_include.*lies outside the repository
    "shared/good.hcl",
    "shared/good.hcl",       # error: invalid_include.*already part
  ]
}
check "bars" {               # included again below: the first place counts
  assert = true
}
