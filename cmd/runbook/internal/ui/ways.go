package ui

// command is something to type, and what for.
type command struct {
	text string
	what string
}

func (p *page) next(r *Recap) {
	commands := r.commands()
	if len(commands) == 0 {
		return
	}
	width := 0
	for _, c := range commands {
		width = max(width, len(c.text))
	}
	p.linef("")
	p.linef("%s", p.paint(bold, "Next"))
	for _, c := range commands {
		p.linef("  %s  %s", p.paint(cyan, pad(c.text, width)), p.paint(dim, c.what))
	}
}

// commands are the exact ways on from how the run ended.
func (r *Recap) commands() []command {
	run := Quote(r.run)
	resume := "runbook resume " + run
	record := command{"runbook runs show " + run, "the whole record"}
	look := command{"runbook plan " + Quote(r.start.File), "look at the systems again"}
	again := command{"runbook apply " + Quote(r.start.File), "begin anew: this run is over"}
	var list []command
	switch r.outcome {
	case "succeeded", "running":
		return nil
	case "crashed":
		return []command{{resume, "settle what was cut off, and go on"}, look}
	case "blocked":
		return []command{look, record}
	case "waiting":
		for _, s := range r.waiting() {
			list = append(list, s.approval(r.run))
		}
		return append(list, command{resume, "go on, once it is answered"}, record)
	case "interrupted", "cancelled":
		list = []command{{resume, "go on from here"}, look}
		switch {
		case r.over || r.outcome == "cancelled":
			list = []command{again}
		default:
			list = append(r.words(), list...)
		}
		if r.canGoBack() {
			list = append(list, command{"runbook rollback " + run, "take back what was done"})
		}
		return append(list, record)
	}
	list = r.words()
	switch {
	case r.outcome == "rolled_back" || r.over:
		again.what = "begin anew"
		list = append(list, again)
	case !r.back:
		list = append(list, command{resume, "go on, once the cause is mended"})
	case r.canGoBack():
		list = append(list, command{resume, "go on taking back, once the cause is mended"})
	}
	if r.canGoBack() && (!r.back || r.over) && r.outcome != "rolled_back" {
		list = append(list, command{"runbook rollback " + run, "take back what was done"})
	}
	return append(list, look, record)
}

// words are the ways on for which a person has to say what became of a step, or that
// it is to act again.
func (r *Recap) words() []command {
	resume := "runbook resume " + Quote(r.run) + " --resolve "
	var list []command
	for _, step := range r.with("unknown") {
		list = append(list, command{resume + Quote(step+"=done"), "say what " + step + " did: done, retry or fail"})
	}
	if r.over || r.outcome == "rolled_back" {
		return list
	}
	for _, step := range r.with("failed", "rollback_failed") {
		if why := r.step(step).stuck(); why != "" {
			list = append(list, command{resume + Quote(step+"=retry"), "do " + step + " again: " + why})
		}
	}
	return list
}
