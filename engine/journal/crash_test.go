package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/runbook-engine/runbook/engine/journal"
)

// appenderEnv makes the test binary append to the journal it names until it is
// killed, writing the number of each event that Append has acknowledged.
const appenderEnv = "RUNBOOK_TEST_APPEND_TO"

func appendUntilKilled(path string) {
	var j *journal.Journal
	var found journal.Recovery
	var err error
	if _, statErr := os.Stat(path); statErr == nil {
		j, found, err = journal.Open(path)
	} else {
		j, err = journal.Create(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	next := found.Records
	for range 3 {
		go func() {
			for {
				mu.Lock()
				next++
				seq := next
				mu.Unlock()
				if err := j.Append(intent(seq)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(seq)
			}
		}()
	}
	select {}
}

func TestKilledWhileAppendingLosesNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	acknowledged := map[int64]bool{}
	cuts := 0
	for round := range 40 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), appenderEnv+"="+path)
		cmd.Stderr = os.Stderr
		out := must[interface {
			Read([]byte) (int, error)
			Close() error
		}](t)(cmd.StdoutPipe())
		check(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			seq, err := strconv.ParseInt(lines.Text(), 10, 64)
			check(t, err)
			acknowledged[seq] = true
			if n == 3+round*7%50 {
				check(t, cmd.Process.Kill())
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("round %d: %v", round, err)
		}

		j, recovery, err := journal.Open(path)
		check(t, err)
		if recovery.Cut > 0 {
			cuts++
		}
		check(t, j.Close())
		there := map[int64]bool{}
		for _, e := range read(t, path) {
			there[e.Seq] = true
		}
		for seq := range acknowledged {
			if !there[seq] {
				t.Fatalf("round %d: event %d was acknowledged and is gone", round, seq)
			}
		}
	}
	t.Logf("%d events acknowledged over 40 kills, %d groups cut", len(acknowledged), cuts)
}
