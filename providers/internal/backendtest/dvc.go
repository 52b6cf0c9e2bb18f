package backendtest

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// WithDVC stores the path of the real dvc program in *to, from the pinned
// environment that scripts/venv makes where it is missing.
func WithDVC(to *string) Backend {
	return func() (func(), error) {
		_, here, _, _ := runtime.Caller(0)
		script := filepath.Join(filepath.Dir(here), "..", "..", "..", "scripts", "venv")
		command := exec.Command("bash", script, "dvc")
		var said bytes.Buffer
		command.Stderr = &said
		printed, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("install DVC: %w\n%s", err, said.Bytes())
		}
		*to = filepath.Join(strings.TrimSpace(string(printed)), "bin", "dvc")
		return func() {}, nil
	}
}
