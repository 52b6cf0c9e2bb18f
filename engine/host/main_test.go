package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// TestMain lets the test binary be what a Host starts: a bundled provider, a
// third party's, or an engine that is going to be killed.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == prefix+"third":
		sdk.Serve(third())
	case filepath.Base(os.Args[0]) == prefix+"hostile":
		serveHostile()
	case len(os.Args) == 3 && os.Args[1] == ServeCommand:
		provider, ok := testProviders()[os.Args[2]]
		if !ok {
			fmt.Fprintln(os.Stderr, "no such provider")
			os.Exit(1)
		}
		switch os.Args[2] {
		case "noisy":
			fmt.Println("hello from init")
		case "stuck":
			fmt.Fprintln(os.Stderr, "looking for a licence")
			select {}
		case "mute":
			fmt.Fprintln(os.Stderr, "no licence, hunter22")
			os.Exit(7)
		}
		sdk.Serve(provider())
	case len(os.Args) == 2 && os.Args[1] == "engine-like":
		engineLike()
	default:
		goleak.VerifyTestMain(m)
	}
}
