// Command runbook plans and applies runbooks.
package main

import (
	"os"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/cli"
)

//go:generate go run ./internal/gendocs ../../docs
//go:generate go run . providers docs ../../docs/providers
//go:generate go run . docs ../../runbooks --out ../../docs/runbooks

func main() {
	os.Exit(cli.Main(os.Args[1:]))
}
