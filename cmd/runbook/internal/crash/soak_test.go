package crash

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var soak = flag.Duration("soak", 10*time.Second, "how long to soak")

// soaked has a step of each class that settles by itself.
const soaked = `
runbook "soak" {}
variable "root" {}
provider "witness" {
  root = var.root
}
step "idempotent" {
  action "witness.idempotent" { name = "a" }
}
step "keyed" {
  action "witness.keyed" { name = "b" }
}
step "observed" {
  for_each = ["c1", "c2"]
  action "witness.observed" { name = each.key }
}
step "goal" {
  action "witness.keyed" { name = "g" }
  goal "there" {
    probe "witness.seen" { name = "g" }
  }
}
`

// TestSoak applies, kills and resumes in one store for as long as it is told to,
// and beside that in one process that lives all the time. Neither memory nor
// descriptors, goroutines or files left behind may grow, and no process is left.
func TestSoak(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	c := &campaign{T: t, random: rand.New(rand.NewPCG(*seed, 3)), found: map[string]int{}}
	c.build()
	s := &soaking{campaign: c, dir: c.prepare(), temp: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.dir, "soak.hcl"), []byte(soaked), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := newInside(t, c.program)
	begun := time.Now()
	next := time.Duration(0)
	for warm := 0; time.Since(begun) < *soak || warm < 12; warm++ {
		s.life()
		inside.life(c.random)
		sample := s.sample(inside)
		if warm >= 2 { // what is made once is there
			s.samples = append(s.samples, sample)
		}
		if took := time.Since(begun); took >= next {
			next += max(*soak/20, time.Second)
			t.Logf("%8s  %s", took.Round(time.Second), sample)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d lives of processes, killed %d times; %d runs of one process, interrupted %d times", s.lives, s.killed, inside.runs, inside.interrupted)
	s.flat("peak memory of an apply or resume", "KiB", 8<<10, func(m measure) int { return m.peak })
	s.flat("its descriptors", "", 4, func(m measure) int { return m.files })
	s.flat("the process that lives: memory in use", "KiB", 2<<10, func(m measure) int { return m.heap })
	s.flat("its descriptors", "", 2, func(m measure) int { return m.ownFiles })
	s.flat("its goroutines", "", 2, func(m measure) int { return m.goroutines })
	// An engine that is killed just before it starts a provider leaves the empty
	// folder for the provider's socket.
	if left := s.samples[len(s.samples)-1].left; left > 2+s.killed/5 {
		out, _ := exec.Command("find", s.temp, "-ls").CombinedOutput()
		t.Errorf("%d kills have left %d files behind:\n%s", s.killed, left, out)
	}
}

// soaking is the part of many processes.
type soaking struct {
	*campaign
	dir, temp string
	last      measure // of the command that ran last to its end
	samples   []measure
}

// measure is what was seen after one round.
type measure struct {
	peak, files                int // of the processes of the round: KiB; at most open at once
	heap, ownFiles, goroutines int // of the one that lives: KiB, after collecting garbage
	left                       int // files
}

func (m measure) String() string {
	return fmt.Sprintf("a process: %d KiB, %d descriptors; the one that lives: %d KiB, %d descriptors, %d goroutines; left behind: %d files",
		m.peak, m.files, m.heap, m.ownFiles, m.goroutines, m.left)
}

// life is one run from its beginning to its success.
func (s *soaking) life() {
	s.lives++
	if err := os.RemoveAll(filepath.Join(s.dir, "root")); err != nil {
		s.Fatal(err)
	}
	s.last = measure{}
	before := s.newest()
	code, out := s.try(true, "apply", "soak.hcl", "--auto-approve")
	for try := 0; code != 0; try++ {
		if try == 30 {
			s.Fatalf("no end after %d resumes: exit code %d\n%s", try, code, out)
		}
		if s.newest() == before { // killed before there was a run
			code, out = s.try(false, "apply", "soak.hcl", "--auto-approve")
			continue
		}
		code, out = s.try(try < 2, "resume", "last")
		if code == 1 && strings.Contains(out, "no beginning on record") {
			s.try(false, "locks", "release", "last")
			before = s.newest()
		}
	}
	for _, name := range []string{"b", "c1", "c2", "g"} {
		if n := s.count(s.dir, name); n != 1 {
			s.Errorf("%s was done %d times", name, n)
		}
	}
}

// newest is the run that was begun last, a journal and all; empty: there is none.
func (s *soaking) newest() string {
	for _, id := range slices.Backward(runs(s.dir)) { // sorted
		if _, err := os.Stat(filepath.Join(s.dir, ".runbook", "runs", id, "journal.jsonl")); err == nil {
			return id
		}
	}
	return ""
}

// try runs a command, to its end or, where it may be disturbed, by chance until it
// is killed: exit code -1.
func (s *soaking) try(disturbed bool, args ...string) (int, string) {
	cmd := s.command(s.dir, args...)
	cmd.Env = append(cmd.Env, "TMPDIR="+s.temp)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	s.start(cmd)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var kill <-chan time.Time
	if disturbed && s.random.IntN(2) == 0 {
		kill = time.After(time.Duration(s.random.IntN(300)) * time.Millisecond)
	}
	look := time.NewTicker(3 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			var ended *exec.ExitError
			if err != nil && !errors.As(err, &ended) {
				s.Fatal(err)
			}
			s.last.peak = max(s.last.peak, int(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss))
			return cmd.ProcessState.ExitCode(), out.String()
		case <-kill:
			if cmd.Process.Signal(syscall.SIGKILL) == nil {
				s.killed++
			}
		case <-look.C:
			s.last.files = max(s.last.files, descriptors(cmd.Process.Pid))
		}
	}
}

func (s *soaking) sample(in *inside) measure {
	m := s.last
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.heap, m.goroutines, m.ownFiles = int(mem.HeapAlloc>>10), runtime.NumGoroutine(), descriptors(os.Getpid())
	entries, err := os.ReadDir(s.temp)
	if err != nil {
		s.Fatal(err)
	}
	m.left = len(entries)
	s.alone()
	return m
}

func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)) // it may just have ended
	return len(entries)
}

// flat compares the last fifth with the first by their medians; a tenth more, and
// some slack, is no growth.
func (s *soaking) flat(what, unit string, slack int, of func(measure) int) {
	fifth := max(len(s.samples)/5, 1)
	median := func(samples []measure) int {
		values := make([]int, len(samples))
		for i, m := range samples {
			values[i] = of(m)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	first, last := median(s.samples[:fifth]), median(s.samples[len(s.samples)-fifth:])
	s.Logf("%-40s %7d at first, %7d at last %s", what, first, last, unit)
	if last > first+first/10+slack {
		s.Errorf("%s has grown from %d to %d %s", what, first, last, unit)
	}
}
