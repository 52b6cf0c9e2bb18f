variable "a" {} # error: missing_block.*holds no runbook block
