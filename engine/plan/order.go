package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/graph"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Sightings is step.NAME.goal or .verify: holds and result by name. Assertions
// without a sighting are left out.
func Sightings(assertions []*runbook.Assertion, sightings []Sighting) cty.Value {
	object := make(map[string]cty.Value)
	for i, s := range sightings {
		result := s.Result
		if result == cty.NilVal {
			result = cty.NullVal(cty.DynamicPseudoType)
		}
		object[assertions[i].Name] = cty.ObjectVal(map[string]cty.Value{
			"holds":  cty.BoolVal(s.Truth == Holds),
			"result": result,
		})
	}
	return cty.ObjectVal(object)
}

// Digest is the SHA-256 of what the plan says, times and the digest itself left
// out.
func Digest(p *Plan) string {
	q := *p
	q.Digest, q.CreatedAt, q.Estimate = "", time.Time{}, nil
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // a Plan is plain data
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Grew compares what was shown with what would now be done and says what was
// not approved; empty: nothing.
func Grew(shown, now *Plan) []string {
	before := make(map[string]*Step, len(shown.Steps))
	for i := range shown.Steps {
		before[shown.Steps[i].Address] = &shown.Steps[i]
	}
	var said []string
	for i := range now.Steps {
		s := &now.Steps[i]
		if s.Action == "" || s.Decision != string(Run) {
			continue
		}
		b := before[s.Address]
		if b == nil || b.Decision != string(Run) && b.Decision != string(Deferred) && !b.Tentative {
			said = append(said, s.Address+" would now act: "+s.Reason)
			continue
		}
		if b.Decision != string(Run) {
			continue
		}
		if s.Destructive && !b.Destructive {
			said = append(said, s.Address+" would now be destructive")
		}
		for _, e := range s.Effects {
			if !Allows(b.Effects, e) {
				said = append(said, s.Address+" would now "+string(e.Mode)+" "+e.Resource)
			}
		}
		if over := Exceeds(s.Impact, b.Impact); over != "" {
			said = append(said, s.Address+" "+over)
		}
	}
	return said
}

// Allows tells whether what was approved includes an effect.
func Allows(approved []schema.Effect, e schema.Effect) bool {
	for _, a := range approved {
		if a.Covers(e.Resource) && !e.Mode.Stronger(a.Mode) {
			return true
		}
	}
	return false
}

// Exceeds says which count is more than 110 % of what was shown; empty: none.
func Exceeds(now, shown schema.Impact) string {
	for _, unit := range slices.Sorted(maps.Keys(now)) {
		if n, was := now[unit], shown[unit]; n*10 > was*11 {
			return fmt.Sprintf("would now hit %d %s, shown were %d", n, unit, was)
		}
	}
	return ""
}

// Ordered lists the steps so that each comes after those it has edges to, in
// source order where nothing else is said.
func Ordered(rb *runbook.Runbook) []*runbook.Step {
	g := Graph(rb)
	ordered := make([]*runbook.Step, 0, len(rb.Steps))
	for _, node := range g.Order() {
		ordered = append(ordered, rb.Steps[node])
	}
	return ordered
}

// Graph is the runbook's steps by their index, each after those it has edges to.
func Graph(rb *runbook.Runbook) *graph.Graph {
	g := graph.New(len(rb.Steps))
	for _, step := range rb.Steps {
		for _, e := range step.Edges {
			g.Add(step.Index, e.To.Index)
		}
	}
	return g
}
