package export

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// written writes a runbook of gates and loads it: depends says what follows
// the name of each.
func written(t testing.TB, depends ...string) *runbook.Runbook {
	t.Helper()
	var b strings.Builder
	b.WriteString("runbook \"r\" {}\n")
	for i, d := range depends {
		fmt.Fprintf(&b, "step \"s%d\" {\n%s\n}\n", i, d)
	}
	file := filepath.Join(t.TempDir(), "r.hcl")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return load(t, file)
}

func shown(d *Drawing) []string {
	var edges []string
	for _, e := range d.edges {
		edges = append(edges, fmt.Sprintf("%s %s %s", d.nodes[e.to].name, mermaidArrow(e.kind), d.nodes[e.from].name))
	}
	return edges
}

// What follows from other edges is not drawn of the written order; needs and
// waits are all drawn.
func TestWrittenOrderIsDrawnOnce(t *testing.T) {
	none := "depends_on = []"
	for name, c := range map[string]struct {
		steps []string
		want  []string
	}{
		"a list": {
			[]string{"", "", ""},
			[]string{"s1 --> s0", "s2 --> s1"},
		},
		"beside each other": {
			[]string{none, none, ""},
			[]string{"s2 --> s0", "s2 --> s1"},
		},
		"one needs the other": {
			[]string{none, none, "depends_on = [step.s0]", ""},
			[]string{"s2 ==> s0", "s3 --> s1", "s3 --> s2"},
		},
		"a need over the written order": {
			[]string{"", "", "when = step.s0.status == \"done\" && step.s1.status == \"done\""},
			[]string{"s1 --> s0", "s2 -.-> s0", "s2 -.-> s1"},
		},
		"a way round": {
			[]string{none, none, "depends_on = [step.s0]", "depends_on = [step.s2]", ""},
			[]string{"s2 ==> s0", "s3 ==> s2", "s4 --> s1", "s4 --> s3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, shown(Draw(written(t, c.steps...), nil))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// In any runbook what is left of the edges leads to the same steps, and of the
// written order nothing is left that the others lead to.
func TestReductionKeepsTheOrder(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		steps := make([]string, 2+random.IntN(25))
		for i := range steps {
			switch {
			case random.IntN(3) == 0:
				steps[i] = "depends_on = []"
			case i > 1 && random.IntN(2) == 0:
				two := random.Perm(i)
				steps[i] = fmt.Sprintf("depends_on = [step.s%d, step.s%d]", two[0], two[1])
			case i > 0 && random.IntN(4) == 0:
				steps[i] = fmt.Sprintf("when = step.s%d.status == \"done\"", random.IntN(i))
			}
		}
		rb := written(t, steps...)
		all, drawn := make([]edge, 0), Draw(rb, nil).edges
		for i, step := range rb.Steps {
			for _, e := range step.Edges {
				all = append(all, edge{e.To.Index, i, e.Kind})
			}
		}
		if diff := cmp.Diff(reach(len(steps), all), reach(len(steps), drawn)); diff != "" {
			t.Fatalf("seed %d: what comes before what (-there +drawn):\n%s", seed, diff)
		}
		for i, e := range drawn {
			rest := slices.Delete(slices.Clone(drawn), i, i+1)
			if e.kind == runbook.Order && reach(len(steps), rest)[e.to][e.from] {
				t.Fatalf("seed %d: s%d after s%d is drawn twice", seed, e.to, e.from)
			}
		}
	}
}

// reach says of each step which others come before it.
func reach(n int, edges []edge) []map[int]bool {
	before := make([]map[int]bool, n)
	for i := range before {
		before[i] = map[int]bool{}
	}
	for range n {
		for _, e := range edges {
			before[e.to][e.from] = true
			for at := range before[e.from] {
				before[e.to][at] = true
			}
		}
	}
	return before
}

// In any graph every edge is in the picture once and no two lines lie over each
// other.
func TestLanesNeverOverlap(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		d := &Drawing{nodes: make([]node, 2+random.IntN(40))}
		for to := range d.nodes {
			d.order = append(d.order, to)
			for from := range to {
				if random.IntN(8) == 0 {
					d.edges = append(d.edges, edge{from: from, to: to, kind: edgeKinds()[random.IntN(3)]})
				}
			}
		}
		l := d.lay()
		if diff := cmp.Diff(asText(d.edges), asText(drawn(l))); diff != "" {
			t.Fatalf("seed %d: edges (-there +drawn):\n%s", seed, diff)
		}
		for i, a := range l.buses {
			for _, b := range l.buses[:i] {
				if a.lane == b.lane && a.first <= b.last && b.first <= a.last {
					t.Fatalf("seed %d: %+v lies over %+v", seed, a, b)
				}
			}
		}
	}
}

// drawn reads the edges back from a layout.
func drawn(l *layout) []edge {
	var edges []edge
	for _, e := range l.direct {
		edges = append(edges, edge{e.row, e.row + 1, e.kind})
	}
	leave, arrive := make([][]int, len(l.buses)), make([][]int, len(l.buses))
	for row, ports := range l.ports {
		for _, p := range ports {
			if p.arrive {
				arrive[p.bus] = append(arrive[p.bus], row)
			} else {
				leave[p.bus] = append(leave[p.bus], row)
			}
		}
	}
	for i, b := range l.buses {
		for _, from := range leave[i] {
			for _, to := range arrive[i] {
				edges = append(edges, edge{from, to, b.kind})
			}
		}
	}
	return edges
}

func asText(edges []edge) []string {
	var lines []string
	for _, e := range edges {
		lines = append(lines, fmt.Sprintf("%03d %s %03d", e.from, mermaidArrow(e.kind), e.to))
	}
	slices.Sort(lines)
	return lines
}

// Whatever a title holds, the picture is XML, holds that text, and every other
// writer ends its strings where they end.
func FuzzTitle(f *testing.F) {
	for _, title := range []string{"plain", `"quoted" \`, "<b>&amp;", "]]>", "a\x00b\xff", "`x` $$y$$ %%{init}%%", "1. x"} {
		f.Add(title)
	}
	f.Fuzz(func(t *testing.T, title string) {
		d := &Drawing{title: tidy(title), nodes: []node{{name: "s", lines: append([]string{"s"}, wrap(title)...)}}, order: []int{0}}
		var svg, dot, mermaid bytes.Buffer
		if err := errors.Join(d.WriteSVG(&svg), d.WriteDOT(&dot), d.WriteMermaid(&mermaid)); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for decoder := xml.NewDecoder(&svg); ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if text, ok := token.(xml.CharData); ok {
				texts = append(texts, string(text))
			}
		}
		if want := strings.ToValidUTF8(d.title, "\uFFFD"); want != "" && !slices.Contains(texts, want) {
			t.Errorf("the picture does not show %q: %q", want, texts)
		}
		for _, line := range strings.Split(dot.String(), "\n") {
			if quotes := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\"`, ""), `"`); quotes%2 != 0 {
				t.Errorf("a string does not end: %s", line)
			}
		}
		for _, line := range strings.Split(mermaid.String(), "\n") {
			if (strings.HasPrefix(line, "    step_") || strings.HasPrefix(line, "  subgraph")) && strings.Count(line, `"`) != 2 {
				t.Errorf("a label does not end: %s", line)
			}
		}
	})
}

// The time a step takes must not grow with their number: compare ns/step.
func BenchmarkDraw(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		depends := make([]string, n)
		for i := range depends {
			switch i % 10 {
			case 3:
				depends[i] = "depends_on = []"
			case 4:
				depends[i] = fmt.Sprintf("depends_on = [step.s%d, step.s%d]", i-1, i-2)
			case 8:
				depends[i] = fmt.Sprintf("depends_on = [step.s%d]", i-5)
			}
		}
		rb := written(b, depends...)
		for format, write := range formats() {
			b.Run(fmt.Sprintf("%s/%d", format, n), func(b *testing.B) {
				for b.Loop() {
					if err := write(Draw(rb, nil), io.Discard); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
			})
		}
	}
}
