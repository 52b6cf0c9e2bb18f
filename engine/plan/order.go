package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/graph"
	"github.com/runbook-engine/runbook/engine/runbook"
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
