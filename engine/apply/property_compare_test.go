package apply_test

import "slices"

// comparable tells whether what a draft comes to does not depend on what happens
// to end first: where the bad end of a step stops others, they are all in a row.
// What always steps did after an interrupt stands.
func (d *draft) comparable(b disturbance) bool {
	return d.comparableForward(b) && (!d.goesBack() || d.comparableBack(b))
}

func (d *draft) comparableForward(b disturbance) bool {
	for _, s := range d.steps {
		if s.called != nil && slices.ContainsFunc(s.called.steps, func(s *sketch) bool { return s.always }) && s.mayEndBadly() {
			return false
		}
		if s.called != nil && !s.called.comparableForward(b) || s.always && b.interrupt > 0 {
			return false
		}
		if s.roll > 1 && (s.mayEndBadly() || s.mayBeUnknown()) { // the bad end of one ends the roll of the others
			return false
		}
		// A step that was skipped stays so, whatever comes later of whom it asks.
		if s.asks != "" && (d.named(s.asks).mayBeUnknown() || d.named(s.asks).mayEndBadly()) {
			return false
		}
		if (s.mayEndBadly() && d.stops(s, "failed") || s.mayBeUnknown() && d.stops(s, "unknown")) && !d.inARow() {
			return false
		}
	}
	return true
}

// comparableBack is comparable where something may be taken back. Whether what
// failed clean has changed nothing is not known of an attempt that a crash cut off;
// what ended before a point of no return depends on what ended first; and once an
// always step has run, what a crash has settled early is not gone on with.
func (d *draft) comparableBack(b disturbance) bool {
	all := d.all()
	has := func(of func(*sketch) bool) bool { return slices.ContainsFunc(all, of) }
	switch {
	case b.crash > 0 && has(func(s *sketch) bool { return (s.back != nil || s.noReturn) && s.ends(clean) }):
		return false
	case has(func(s *sketch) bool { return s.noReturn }) && !d.inARow():
		return false
	case has(func(s *sketch) bool { return s.always }):
		return !has(func(s *sketch) bool { return s.back != nil && (s.back.ending == lostIt || s.back.ending == tookIt) })
	}
	return true
}

// all are the steps of a draft and of what it calls.
func (d *draft) all() []*sketch {
	all := slices.Clone(d.steps)
	for _, s := range d.steps {
		if s.called != nil {
			all = append(all, s.called.all()...)
		}
	}
	return all
}

// goesBack tells whether something may be taken back.
func (d *draft) goesBack() bool {
	return d.byHand || d.onFailure == "rollback" || slices.ContainsFunc(d.steps, func(s *sketch) bool {
		return s.onFailure == "rollback" || s.called != nil && s.called.goesBack()
	})
}

// inARow tells whether no two steps of a draft, or of what it calls, are at work
// at once.
func (d *draft) inARow() bool {
	return !slices.ContainsFunc(d.steps, func(s *sketch) bool {
		return !s.written || s.keys != nil && s.roll != 1 || s.called != nil && !s.called.inARow()
	})
}

func (s *sketch) mayBeUnknown() bool {
	if s.called != nil {
		return slices.ContainsFunc(s.called.steps, (*sketch).mayBeUnknown)
	}
	return s.ends(lostIt, tookIt)
}

func (s *sketch) mayEndBadly() bool {
	if s.called != nil && slices.ContainsFunc(s.called.steps, func(s *sketch) bool { return s.mayEndBadly() || s.mayBeUnknown() }) {
		return true
	}
	return s.ends(clean, partial) || s.when == "err" || s.before == "err" || s.before == "no" || s.proof == "no" || s.proof == "err"
}
