package processes

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAll(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	held, other := filepath.Join(folder, "held"), filepath.Join(folder, "other")
	f, err := os.Create(held)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("sleep", "600")
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	pid := cmd.Process.Pid
	all := All()
	i := slices.IndexFunc(all, func(p Process) bool { return p.PID == pid })
	if i < 0 {
		t.Fatalf("process %d is not among %d", pid, len(all))
	}
	if diff := cmp.Diff(Process{PID: pid, Parent: os.Getpid(), Group: pid, Session: pid}, all[i]); diff != "" {
		t.Error(diff)
	}
	if !all[i].Has(other, held) || all[i].Has(other) || all[i].Has() {
		t.Error("what it has open")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Process{
		"7 (sh) S 1 2 3 0":              {PID: 7, Parent: 1, Group: 2, Session: 3},
		"7 (a) b) 9 9 9 (c) R 1 2 3":    {PID: 7, Parent: 1, Group: 2, Session: 3},
		"7 (sh) S 1 2":                  {},
		"7 (sh) S one 2 3":              {},
		"":                              {},
		"7 (new\nline) Z 1 2 3 4 5 6 7": {PID: 7, Parent: 1, Group: 2, Session: 3},
	} {
		got, ok := parse(7, []byte(text))
		if !ok {
			got = Process{}
		}
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != Process{}) {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
