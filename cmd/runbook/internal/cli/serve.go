package cli

import (
	"fmt"
	"os"

	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// provideCommand is how the engine starts this program as a bundled provider.
// It is no command of the tree: nobody else types it, and it takes over neither
// signals nor streams.
const provideCommand = "provider-serve"

// servedProvider says whether args ask to be a provider, and which.
func servedProvider(args []string) (name string, ok bool) {
	if len(args) == 2 && args[0] == provideCommand {
		return args[1], true
	}
	return "", false
}

// serveProvider serves one bundled provider until its engine is gone.
func serveProvider(name string) int {
	provider := bundled.Providers()[name]
	if provider == nil {
		fmt.Fprintf(os.Stderr, "there is no bundled provider %q\n", name)
		return exitFailed
	}
	sdk.Serve(provider())
	return exitOK
}
