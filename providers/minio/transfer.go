package minio

import (
	"context"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// workers is how many objects are compared, or copied, side by side.
const workers = 4

// copyUnits are what a copy counts, and keeps within a limit: objects and bytes
// that it writes, and how many of them over another content.
func copyUnits() []string { return []string{"objects", "bytes", "overwritten"} }

// mirrorUnits are those of a mirror, which may remove objects too.
func mirrorUnits() []string { return append(copyUnits(), "removed") }

// rules are what a copy is allowed to do.
type transferRules struct {
	mirrors   bool
	overwrite bool
	remove    bool
	min       int64            // the fewest things that the source must hold
	only      func(thing) bool // nil: all
}

// transfer is a copy that has been thought through.
type transfer struct {
	from, to Place
	mirrors  bool
	source   end
	target   end
	tasks    []task
	extra    []thing // at the target only
	same     int64
	bytes    int64
}

// task is one thing to copy; old is what is at its place.
type task struct {
	thing
	old *thing
}

func (t *transfer) close() {
	if t.source != nil {
		t.source.close()
	}
	if t.target != nil {
		t.target.close()
	}
}

func (t *transfer) overwritten() int64 {
	var n int64
	for _, one := range t.tasks {
		if one.old != nil {
			n++
		}
	}
	return n
}

func (t *transfer) impact() schema.Impact {
	impact := schema.Impact{"objects": int64(len(t.tasks)), "bytes": t.bytes, "overwritten": t.overwritten()}
	if t.mirrors {
		impact["removed"] = int64(len(t.extra))
	}
	return impact
}

// think looks at both ends and finds what is to be done. It changes nothing. The
// caller closes the transfer.
func (p *provider) think(ctx context.Context, from, to Place, rules transferRules) (_ *transfer, err error) {
	t := &transfer{from: from, to: to, mirrors: rules.mirrors}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.source, err = p.end(ctx, from); err != nil {
		return nil, err
	}
	if d, ok := t.source.(*directoryEnd); ok && d.folder == nil {
		return nil, folder.Failure("read", d.path, fs.ErrNotExist)
	}
	if t.target, err = p.end(ctx, to); err != nil {
		return nil, err
	}
	held, err := t.source.list(ctx)
	if err != nil {
		return nil, err
	}
	if int64(len(held)) < rules.min {
		f := sdk.Fail("source_too_small", "%s holds %s, at least %d are expected; nothing was copied", from, phrase.Count(int64(len(held)), "object", "objects"), rules.min)
		f.Remedy = "correct from, or find out what became of its content"
		return nil, f
	}
	there, err := t.target.list(ctx)
	if err != nil {
		return nil, err
	}
	if rules.only != nil {
		held = slices.DeleteFunc(held, func(one thing) bool { return !rules.only(one) })
	}
	if err := t.compare(ctx, held, there); err != nil {
		return nil, err
	}
	if !rules.remove {
		t.extra = nil
	}
	return t, t.check(rules)
}

// compare fills tasks and extra from two lists in order of their names.
func (t *transfer) compare(ctx context.Context, held, there []thing) error {
	old := make(map[string]*thing, len(there))
	for i := range there {
		old[there[i].name] = &there[i]
	}
	equal := make([]bool, len(held))
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, one := range held {
		if was := old[one.name]; was != nil {
			group.Go(func() (err error) {
				equal[i], err = same(bounded, t.source, one, t.target, *was)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, one := range held {
		if equal[i] {
			t.same++
		} else {
			t.tasks = append(t.tasks, task{one, old[one.name]})
			t.bytes += one.size
		}
		delete(old, one.name)
	}
	for _, one := range there {
		if old[one.name] != nil {
			t.extra = append(t.extra, one)
		}
	}
	return nil
}

// check refuses what the rules do not allow, before anything is done.
func (t *transfer) check(rules transferRules) error {
	for _, one := range t.tasks {
		if d, ok := t.target.(*directoryEnd); ok {
			if err := d.fits(one.name); err != nil {
				return err
			}
		}
		if one.old != nil && !rules.overwrite {
			f := sdk.Fail("would_overwrite", "%s of %d at %s has another content than at %s, such as %s; nothing was copied",
				phrase.Count(t.overwritten(), "object", "objects"), int64(len(t.tasks))+t.same, t.to, t.from, one.name)
			f.Remedy = "overwrite = true writes over them"
			return f
		}
	}
	return nil
}

// within refuses what is over a limit.
func (t *transfer) within(call *sdk.Call) error {
	impact := t.impact()
	for _, unit := range mirrorUnits() {
		if limit, limited := call.Limit(unit); limited && impact[unit] > limit {
			f := sdk.Fail("limit_exceeded", "it would be %d %s, the limit is %d; nothing was copied", impact[unit], unit, limit)
			f.Remedy = "narrow from, or raise limit"
			return f
		}
	}
	return nil
}
