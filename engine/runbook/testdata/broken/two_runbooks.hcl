runbook "x" {}
runbook "y" {} # error: duplicate.*already holds a runbook at .*two_runbooks.hcl:1
