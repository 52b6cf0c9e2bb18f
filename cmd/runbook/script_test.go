package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"runbook": main, "runbook-provider-marker": marker})
}

// Each script in testdata/script is one way to use the command line, as its
// user types it.
func TestScripts(t *testing.T) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := exec.LookPath("runbook-provider-marker")
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("runbook")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPOSITORY", repository)
			env.Setenv("MARKER", stranger)
			env.Setenv("RUNBOOK", program)
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second more
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"example": example,
			"exits":   exits,
			"schema":  matchesSchema,
			"until":   until,
		},
	})
}

// exits CODE PROGRAM ARG...: the program must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, expected %d", got, want)
	}
}

// schema FILE NAME [lines]: the JSON document in the file, or each of its
// lines, is what docs/schemas/NAME.json promises.
func matchesSchema(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: schema FILE NAME [lines]")
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(ts.Getenv("REPOSITORY"), "docs", "schemas", args[1]+".json"))
	ts.Check(err)
	documents := []string{ts.ReadFile(args[0])}
	if len(args) > 2 {
		documents = strings.Split(strings.TrimSpace(documents[0]), "\n")
	}
	for _, document := range documents {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
		ts.Check(err)
		if err := schema.Validate(value); err != nil {
			ts.Fatalf("%v\n%s", err, document)
		}
	}
}

// until PATTERN TEXT: waits until one of the files that the pattern names holds
// the text.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: until PATTERN TEXT")
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for {
		if holds(ts, args[0], args[1]) {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			ts.Fatalf("no file %s holds %q after 30 seconds", args[0], args[1])
		}
	}
}

func holds(ts *testscript.TestScript, pattern, text string) bool {
	files, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		ts.Check(err)
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}
