package airflow

import _ "embed" // the examples

// examples show each probe and action.
//
//go:embed examples.hcl
var examples string
