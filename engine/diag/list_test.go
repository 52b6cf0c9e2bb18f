package diag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/diag"
)

func TestListIsBounded(t *testing.T) {
	var inner, list diag.List
	for range diag.MaxListed {
		inner.Add(diag.Cycle.New("x"))
	}
	list.Join(&inner)
	got := []any{len(list.Diagnostics()), list.Full()}
	list.Add(diag.Duplicate.New("one more"))
	all := list.Diagnostics()
	got = append(got, len(all), list.Full(), len(list.Taken()), diag.Last(all[len(all)-1]), diag.Last(all[0]))
	if diff := cmp.Diff([]any{100, false, 101, true, 100, true, false}, got); diff != "" {
		t.Error(diff)
	}
	var outer diag.List
	if outer.Join(&list); !outer.Full() || len(outer.Diagnostics()) != 101 {
		t.Errorf("joined: full is %t, %d diagnostics", outer.Full(), len(outer.Diagnostics()))
	}
}
