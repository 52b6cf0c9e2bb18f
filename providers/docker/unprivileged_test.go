package docker_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// unprivileged is set where the test runs as nobody, to the engine it may not use.
const unprivileged = "DOCKER_TEST_UNPRIVILEGED"

// Root may use every socket: the test starts itself once more, as nobody.
func TestPermissionDenied(t *testing.T) {
	if host := os.Getenv(unprivileged); host != "" {
		h := sdktest.New(t, docker.Provider(), map[string]any{"host": host})
		f := failed(t, h.Probe("container", map[string]any{"container": "web"}), schema.FailedClean, "permission_denied")
		if f.Remedy == "" {
			t.Error("it has no remedy")
		}
		failed(t, h.Act("restart", map[string]any{"container": "web"}), schema.FailedClean, "permission_denied")
		return
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "rbnobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "test")
	if err := copyProgram(program); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	again := exec.Command(program, "-test.run", "^TestPermissionDenied$", "-test.v")
	again.Dir = dir
	again.Env = []string{unprivileged + "=" + engine.Host(), "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if said, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// copyProgram copies the test's own binary, which lies where only root looks.
func copyProgram(to string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	copied, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(copied, from); err != nil {
		return err
	}
	return copied.Close()
}
