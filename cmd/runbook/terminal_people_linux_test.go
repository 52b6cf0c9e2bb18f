package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const people = `runbook "people" {}

step "which" {
  action "core.input" {
    message = "Which run?"
    values = {
      days  = { type = "number", description = "how far back" }
      token = { sensitive = true }
    }
  }
}

step "look" {
  action "core.manual" { message = "Is the desk closed?" }
}

step "go" {
  action "exec.run" {
    argv    = ["sh", "-c", "printf %s \"$TOKEN\" >token"]
    env     = { TOKEN = step.which.result.values.token }
    effects = []
  }
}
`

func peopleRunbook(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "people.hcl"), []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// At a terminal questions are put one value after another, each again until it
// fits, and a confirmation takes yes and a note.
func TestTerminalAnswers(t *testing.T) {
	dir := peopleRunbook(t)
	term := startOnTerminal(t, dir, "runbook", "apply", "--auto-approve")
	term.reads("Which run?")
	term.reads("days (number; how far back):")
	term.types("many\n")
	term.reads(`days has to be a number, not "many"`)
	term.reads("days (number; how far back):")
	term.types("3\n")
	term.reads("token (string):")
	term.types("hunter2-hunter2\n")
	term.reads("Note, if any:")
	term.types("said by the desk\n")
	term.reads("days = 3, token = (sensitive)")
	term.reads("Is the desk closed?")
	term.reads("Is that so? Only yes is taken for it:")
	term.types("yes\n")
	term.reads("Note, if any:")
	term.types("\n")
	term.reads("\x1b[32mRun ")
	term.leaves(0)
	if strings.Contains(term.seen.String(), "hunter2") {
		t.Error("the token stands on the screen")
	}
	if got, err := os.ReadFile(filepath.Join(dir, "token")); err != nil || string(got) != "hunter2-hunter2" {
		t.Errorf("the action got %q, %v", got, err)
	}
	kept, err := exec.Command("grep", "-rc", "hunter2", filepath.Join(dir, ".runbook")).CombinedOutput()
	if err == nil {
		t.Errorf("the token is on the disk:\n%s", kept)
	}
	show := exec.Command("runbook", "runs", "show", "last")
	show.Dir = dir
	shown, err := show.CombinedOutput()
	if err != nil || !strings.Contains(string(shown), "said by the desk") {
		t.Errorf("the record has no note: %v\n%s", err, shown)
	}
}

// Who says no leaves the step as it is; nothing was changed by asking.
func TestTerminalDeclines(t *testing.T) {
	dir := peopleRunbook(t)
	only := strings.Index(people, "step \"look\"")
	if err := os.WriteFile(filepath.Join(dir, "people.hcl"), []byte("runbook \"people\" {}\n"+people[only:strings.Index(people, "step \"go\"")]), 0o600); err != nil {
		t.Fatal(err)
	}
	term := startOnTerminal(t, dir, "runbook", "apply", "--auto-approve")
	term.reads("Is that so?")
	term.types("no\n")
	term.reads(`"no" is not yes: the step is left as it is.`)
	term.reads("declined at the terminal")
	term.leaves(3)

	term = startOnTerminal(t, dir, "runbook", "apply", "--auto-approve")
	term.reads("Is that so?")
	term.types("\x04") // Ctrl-D: nobody answers, somebody else may
	term.reads("runbook approve")
	term.leaves(4)
}

// What was sensitive of a finished step is asked for by the resume that needs it;
// the step does not ask again, and nothing is done again.
func TestTerminalTellsWhatIsOnNoRecord(t *testing.T) {
	dir := peopleRunbook(t)
	text := strings.Replace(people, "step \"go\" {\n", "step \"go\" {\n  precondition \"ready\" {\n    probe \"exec.run\" {\n      argv = [\"test\", \"-e\", \"ready\"]\n    }\n  }\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "people.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	term := startOnTerminal(t, dir, "runbook", "apply", "--auto-approve")
	for _, said := range []struct{ asked, answer string }{
		{"days (number; how far back):", "3\n"}, {"token (string):", "hunter2-hunter2\n"}, {"Note, if any:", "\n"},
		{"Is that so?", "yes\n"}, {"Note, if any:", "\n"},
	} {
		term.reads(said.asked)
		term.types(said.answer)
	}
	term.leaves(1)
	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	term = startOnTerminal(t, dir, "runbook", "resume", "last")
	term.reads("step.which was done in an earlier process.")
	term.reads("step.go needs it")
	term.reads("values.token (string):")
	term.types("hunter3-hunter3\n")
	term.reads("Note, if any:")
	term.types("\n")
	term.reads("\x1b[32mRun ")
	term.leaves(0)
	if seen := term.seen.String(); strings.Contains(seen, "hunter") || strings.Contains(seen, "core.input") || strings.Contains(seen, "core.manual") {
		t.Errorf("a secret is on the screen, or a finished action acts again:\n%s", seen)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "token")); err != nil || string(got) != "hunter3-hunter3" {
		t.Errorf("the action got %q, %v", got, err)
	}
}
