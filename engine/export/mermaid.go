package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// WriteMermaid writes the drawing as a Mermaid flowchart, which GitHub and most
// wikis draw by themselves.
func (d *Drawing) WriteMermaid(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString("flowchart TB\n")
	// A title in front matter would be cleaned of what looks like HTML.
	fmt.Fprintf(b, "  subgraph steps[%s]\n    direction TB\n", mermaidLabel([]string{tidy(d.title)}))
	ids := d.mermaidIDs()
	for i := range d.nodes {
		n := &d.nodes[i]
		fmt.Fprintf(b, "    %s%s\n", ids[i], mermaidShape(n.kind, mermaidLabel(n.lines)))
	}
	for _, e := range d.edges {
		fmt.Fprintf(b, "    %s %s %s\n", ids[e.from], mermaidArrow(e.kind), ids[e.to])
	}
	b.WriteString("  end\n")
	d.mermaidLegend(b)
	d.mermaidColours(b, ids)
	return b.Flush()
}

func (d *Drawing) mermaidLegend(b *bufio.Writer) {
	b.WriteString("  subgraph legend[\"Legend\"]\n    direction LR\n")
	for _, k := range kinds() {
		if d.has(k) {
			fmt.Fprintf(b, "    legend_kind%d%s\n", k, mermaidShape(k, mermaidLabel([]string{k.meaning()})))
		}
	}
	for _, decision := range decisions() {
		if word := string(decision); d.hasDecision(word) {
			fmt.Fprintf(b, "    legend_%s[%s]:::%s\n", word, mermaidLabel([]string{symbol(word) + " " + word}), word)
		}
	}
	for _, k := range edgeKinds() {
		if d.hasEdge(k) {
			fmt.Fprintf(b, "    legend_from%d[\"step\"] %s legend_to%d[%s]\n", k, mermaidArrow(k), k, mermaidLabel([]string{edgeMeaning(k)}))
		}
	}
	b.WriteString("  end\n  style steps fill:none,stroke:none\n  style legend fill:none,stroke:#999999,stroke-dasharray:4\n")
}

// mermaidColours writes a class for each decision, with the steps it colours.
func (d *Drawing) mermaidColours(b *bufio.Writer, ids []string) {
	fmt.Fprintf(b, "  classDef default fill:%s,stroke:%s,color:#000000\n", fill(""), stroke(""))
	for _, decision := range decisions() {
		word := string(decision)
		if !d.hasDecision(word) {
			continue
		}
		fmt.Fprintf(b, "  classDef %s fill:%s,stroke:%s,color:#000000\n", word, fill(word), stroke(word))
		var of []string
		for i := range d.nodes {
			if d.nodes[i].decision == word {
				of = append(of, ids[i])
			}
		}
		fmt.Fprintf(b, "  class %s %s\n", strings.Join(of, ","), word)
	}
}

// mermaidIDs names every node. Names of steps may hold a dash, which Mermaid
// takes for the beginning of an arrow; the prefix keeps its own words, such as
// end, out of the way.
func (d *Drawing) mermaidIDs() []string {
	ids := make([]string, len(d.nodes))
	taken := make(map[string]bool, len(d.nodes))
	for i := range d.nodes {
		id := "step_" + strings.ReplaceAll(d.nodes[i].name, "-", "_")
		for taken[id] {
			id += "_"
		}
		taken[id] = true
		ids[i] = id
	}
	return ids
}

func mermaidShape(k kind, label string) string {
	switch k {
	case action:
		return "[" + label + "]"
	case call:
		return "[[" + label + "]]"
	case capture:
		return "[/" + label + "/]"
	default:
		return "{{" + label + "}}"
	}
}

func mermaidArrow(k runbook.EdgeKind) string {
	switch k {
	case runbook.Need:
		return "==>"
	case runbook.Wait:
		return "-.->"
	default:
		return "-->"
	}
}

func mermaidLabel(lines []string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = mermaidEscape(line)
	}
	return `"` + strings.Join(escaped, "<br/>") + `"`
}

// mermaidEscape writes every character that Mermaid, its Markdown, its formulas
// or a browser could take for more than itself as a numbered entity. Formulas
// begin with two dollars even where those are entities: they are kept apart.
func mermaidEscape(text string) string {
	text = strings.ReplaceAll(text, "$$", "$\u200b$")
	text = strings.ReplaceAll(text, "$$", "$\u200b$") // of three
	var b strings.Builder
	list := true // at a line's start, where "1." or "-" would begin a list
	for _, r := range text {
		switch {
		case strings.ContainsRune("\"#&<>`*~%\\[]{}|;", r), list && strings.ContainsRune("-+.)", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
		list = list && (unicode.IsDigit(r) || r == ' ')
	}
	return b.String()
}
