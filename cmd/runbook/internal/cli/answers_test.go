package cli

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// person types into the pipe that answers are read from.
type person struct {
	t *testing.T
	w *io.PipeWriter
}

func (p person) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.w, line+"\n"); err != nil {
		p.t.Error(err)
	}
}

func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		typed, somebody := readAnswers(r), person{t, w}

		somebody.types("yes") // before anything was asked
		synctest.Wait()
		got, err := typed.next(t.Context(), func() { go somebody.types(" no ") })
		if got != "no" || err != nil {
			t.Errorf("a line typed ahead answered: %q, %v", got, err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		if _, err := typed.next(ctx, cancel); !errors.Is(err, context.Canceled) {
			t.Errorf("a question that was taken back: %v", err)
		}
		somebody.types("late")
		synctest.Wait()
		got, err = typed.next(t.Context(), func() { go somebody.types("flush") })
		if got != "flush" || err != nil {
			t.Errorf("the answer to a question that was taken back went to the next: %q, %v", got, err)
		}

		_, err = typed.next(t.Context(), func() { w.Close() })
		if !errors.Is(err, errNoAnswer) {
			t.Errorf("the terminal is gone: %v", err)
		}
	})
}

// Questions of steps that run side by side are put one after another.
func TestAnswersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		typed, somebody := readAnswers(r), person{t, w}
		asked, got := make(chan string, 2), make(chan string, 2)
		for _, step := range []string{"a", "b"} {
			go func() {
				line, _ := typed.next(t.Context(), func() { asked <- step })
				got <- step + line
			}()
		}
		for range 2 {
			synctest.Wait()
			if len(asked) != 1 {
				t.Errorf("%d questions stand at once", len(asked))
			}
			step := <-asked
			somebody.types("!")
			if line := <-got; line != step+"!" {
				t.Errorf("asked %s, answered %s", step, line)
			}
		}
		w.Close()
		synctest.Wait()
	})
}
