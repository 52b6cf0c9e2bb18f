package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestSturdyOutlivesItsReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	out := &sturdy{w: w}
	for range 2 {
		if n, err := io.WriteString(out, "line\n"); n != 5 || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	if err := out.err(); err != nil {
		t.Errorf("a reader that wants no more is no failure: %v", err)
	}
}

func TestSturdyTellsOfAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	out := &sturdy{w: full}
	fmt.Fprintln(out, "line")
	if err := out.err(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("err = %v", err)
	}
}
