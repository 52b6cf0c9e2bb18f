package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// WriteDOT writes the drawing in Graphviz' language.
func (d *Drawing) WriteDOT(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "digraph %s {\n", dotQuote(d.name))
	fmt.Fprintf(b, "  graph [label=%s, labelloc=t, fontname=\"sans-serif\", rankdir=TB, nodesep=0.3, ranksep=0.35]\n", dotQuote(d.title))
	b.WriteString("  node [fontname=\"sans-serif\", fontsize=11, style=filled, margin=\"0.15,0.07\"]\n")
	b.WriteString("  edge [fontname=\"sans-serif\", fontsize=10, arrowsize=0.7]\n\n")
	for i := range d.nodes {
		n := &d.nodes[i]
		fmt.Fprintf(b, "  %s [label=%s, %s", dotQuote("step."+n.name), dotLabel(n.lines), dotShape(n.kind))
		fmt.Fprintf(b, ", fillcolor=%q, color=%q", fill(n.decision), stroke(n.decision))
		if n.tooltip != "" {
			fmt.Fprintf(b, ", tooltip=%s", dotQuote(tidy(n.tooltip)))
		}
		b.WriteString("]\n")
	}
	b.WriteString("\n")
	for _, e := range d.edges {
		fmt.Fprintf(b, "  %s -> %s [%s]\n", dotQuote("step."+d.nodes[e.from].name), dotQuote("step."+d.nodes[e.to].name), dotEdge(e.kind))
	}
	d.dotLegend(b)
	b.WriteString("}\n")
	return b.Flush()
}

// dotLegend writes the legend as a column: unseen edges keep it narrow.
func (d *Drawing) dotLegend(b *bufio.Writer) {
	b.WriteString("\n  subgraph cluster_legend {\n    label=\"Legend\"; style=dashed; color=\"#999999\"\n")
	var column []string
	for _, k := range kinds() {
		if d.has(k) {
			id := fmt.Sprintf(`"legend.kind%d"`, k)
			fmt.Fprintf(b, "    %s [label=%s, %s, fillcolor=%q, color=%q]\n", id, dotQuote(k.meaning()), dotShape(k), fill(""), stroke(""))
			column = append(column, id)
		}
	}
	for _, decision := range decisions() {
		if word := string(decision); d.hasDecision(word) {
			id := dotQuote("legend." + word)
			fmt.Fprintf(b, "    %s [label=%s, shape=box, fillcolor=%q, color=%q]\n", id, dotQuote(symbol(word)+" "+word), fill(word), stroke(word))
			column = append(column, id)
		}
	}
	for _, k := range edgeKinds() {
		if d.hasEdge(k) {
			from, to := fmt.Sprintf(`"legend.from%d"`, k), fmt.Sprintf(`"legend.to%d"`, k)
			fmt.Fprintf(b, "    %s [label=\"step\", shape=plain, fillcolor=none]\n", from)
			fmt.Fprintf(b, "    %s [label=%s, shape=plain, fillcolor=none]\n", to, dotQuote(edgeMeaning(k)))
			fmt.Fprintf(b, "    %s -> %s [%s]\n", from, to, dotEdge(k))
			column = append(column, from, to)
		}
	}
	for i := 1; i < len(column); i++ {
		fmt.Fprintf(b, "    %s -> %s [style=invis]\n", column[i-1], column[i])
	}
	b.WriteString("  }\n")
}

// dotShape is the shape of a kind of step; a parallelogram, as the other
// formats have it, would be as wide as it is high twice over.
func dotShape(k kind) string {
	switch k {
	case action:
		return "shape=box"
	case call:
		return "shape=box, peripheries=2"
	case capture:
		return "shape=note"
	default:
		return `shape=hexagon, margin="0.02,0.04"`
	}
}

// dotEdge is how an edge is drawn: thick, dashed and thin tell the kinds apart
// without colour.
func dotEdge(k runbook.EdgeKind) string {
	switch k {
	case runbook.Need:
		return `penwidth=2, color="#222222"`
	case runbook.Wait:
		return `style=dashed, color="#222222"`
	default:
		return `color="#888888", arrowhead=vee`
	}
}

func dotLabel(lines []string) string {
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = dotEscape(line)
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}

func dotQuote(text string) string { return `"` + dotEscape(tidy(text)) + `"` }

// dotEscape writes text for a double-quoted string that is shown: the language
// knows \", labels know escapes such as \N, and HTML's entities.
func dotEscape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '\\', '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
