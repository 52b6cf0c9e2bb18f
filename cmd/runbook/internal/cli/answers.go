package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// errNoAnswer means that the terminal is gone, or its user left without a word.
var errNoAnswer = errors.New("nobody answered")

// answers reads what a person types, a line at a time. A line typed while
// nothing is asked is dropped: it must not answer the next question. Reading a
// terminal cannot be broken off, so the reader lives as long as the program.
type answers struct {
	turn  chan struct{} // holds a token while nobody asks
	ended chan struct{} // closed at the end of input

	mu    sync.Mutex
	asker chan string // of the question that stands; nil: none
}

func readAnswers(in io.Reader) *answers {
	a := &answers{turn: make(chan struct{}, 1), ended: make(chan struct{})}
	a.turn <- struct{}{}
	go func() {
		defer close(a.ended)
		reader := bufio.NewReader(in)
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			a.mu.Lock()
			if a.asker != nil {
				a.asker <- strings.TrimSpace(line)
				a.asker = nil
			}
			a.mu.Unlock()
		}
	}()
	return a
}

// hold waits until nobody else asks; until release is called nobody does.
func (a *answers) hold(ctx context.Context) (release func(), err error) {
	select {
	case <-a.turn:
		return func() { a.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next calls ask, and is the next line typed after it.
func (a *answers) next(ctx context.Context, ask func()) (string, error) {
	release, err := a.hold(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return a.line(ctx, ask)
}

// line is next for whoever holds the turn.
func (a *answers) line(ctx context.Context, ask func()) (string, error) {
	answer := make(chan string, 1)
	a.mu.Lock()
	a.asker = answer
	a.mu.Unlock()
	ask()
	select {
	case line := <-answer:
		return line, nil
	case <-a.ended:
		return "", errNoAnswer
	case <-ctx.Done():
		a.mu.Lock()
		a.asker = nil
		a.mu.Unlock()
		return "", ctx.Err()
	}
}

// ask puts a question to the person at the terminal, after what show writes,
// and waits for a line. It is asked on stderr, since stdout may go elsewhere.
// Questions of several steps are put one after another.
func (a *app) ask(ctx context.Context, show func(), question string) (string, error) {
	line, err := a.answers().next(ctx, func() {
		if show != nil {
			show()
		}
		fmt.Fprint(a.errOut, question+" ")
	})
	if err != nil {
		fmt.Fprintln(a.errOut)
	}
	return line, err
}
