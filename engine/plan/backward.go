package plan

import "github.com/runbook-engine/runbook/providers/schema"

// Backward is what taking back a run would do, by its record and a look at the
// systems.
type Backward struct {
	Steps []BackStep // in their order
	Left  []LeftStep // what they did stays
	Open  []string   // addresses of steps of which nobody knows how they ended: they are settled first
}

// BackStep is how one step would be taken back.
type BackStep struct {
	Address     string
	Title       string
	Status      string // how it ended
	Action      string
	Effects     []schema.Effect
	Undeclared  bool
	Destructive bool
	Approved    bool // with the step: nobody is asked again
	Impact      schema.Impact
	Sample      []string
	Summary     string
	Command     string
	Failed      string // why it cannot be told; empty: it can
}

// LeftStep is a step that has changed something and is not taken back.
type LeftStep struct {
	Address string
	Why     string
}

// Grew says what taking back would now do that was not shown; empty: nothing.
func (b Backward) Grew(shown Backward) []string {
	before := make(map[string]*BackStep, len(shown.Steps))
	for i := range shown.Steps {
		before[shown.Steps[i].Address] = &shown.Steps[i]
	}
	var said []string
	for i := range b.Steps {
		now, was := &b.Steps[i], before[b.Steps[i].Address]
		if was == nil {
			said = append(said, now.Address+" would now be taken back")
			continue
		}
		is := Deed{Destructive: now.Destructive, Undeclared: now.Undeclared, Effects: now.Effects}
		said = append(said, is.Outgrows("the rollback of "+now.Address, &Deed{Destructive: was.Destructive, Undeclared: was.Undeclared, Effects: was.Effects})...)
		if over := Exceeds(now.Impact, was.Impact); over != "" {
			said = append(said, "the rollback of "+now.Address+" "+over)
		}
	}
	return said
}
