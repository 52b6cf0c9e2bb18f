package sdk_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// dies is a process that dies as the kernel ends those whose memory it dumps.
const dies = "SDK_DIES"

func TestMain(m *testing.M) {
	switch os.Getenv(dies) {
	case "":
		os.Exit(m.Run())
	case "private":
		sdk.PrivateMemory()
	}
	// The limit is raised again: what then holds is that nothing may be dumped.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// dumped tells whether a process that is ended so leaves a core dump.
func dumped(t *testing.T, how string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Dir = append(os.Environ(), dies+"="+how, "GOTRACEBACK=crash"), t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was aborted
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signal() != syscall.SIGABRT {
		t.Fatalf("it ended with %v", status)
	}
	return status.CoreDump()
}

func TestPrivateMemoryIsNotDumped(t *testing.T) {
	if dumped(t, "private") {
		t.Error("its memory was dumped")
	}
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.TrimSpace(string(pattern)) == "" {
		t.Fatal("this system dumps nothing", err)
	}
	if !dumped(t, "public") {
		t.Logf("this system dumps nothing for %q: only the system's own settings are seen", pattern)
	}
}
