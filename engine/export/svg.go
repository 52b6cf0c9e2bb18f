package export

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"golang.org/x/text/width"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Measures of an SVG, in pixels.
const (
	margin     = 24
	titleSpace = 40
	laneWidth  = 12
	rowGap     = 26
	lineHeight = 16
	letter     = 7.4 // the widest average of the usual sans-serif fonts at 12px
	padding    = 18  // beside a label: as much as the slant of a capture or a gate takes
	portSpace  = 9
	stem       = 30 // of the arrows between rows, from the left side
)

// WriteSVG writes the drawing as a picture of its own: the steps as a list,
// from top to bottom, with the lines that skip steps to its left.
func (d *Drawing) WriteSVG(w io.Writer) error {
	c := &canvas{Writer: bufio.NewWriter(w), d: d, l: d.lay()}
	c.measure()
	c.begin()
	for _, e := range c.l.direct {
		x := c.left + stem
		c.line(e.kind, true, x, c.top[e.row]+c.height[e.row], x, c.top[e.row+1])
	}
	c.buses()
	for row, n := range c.l.rows {
		c.node(&d.nodes[n], c.left, c.top[row], c.breadth, c.height[row])
	}
	c.legend()
	c.WriteString("</svg>\n")
	return c.Flush()
}

// canvas is an SVG being written.
type canvas struct {
	*bufio.Writer
	d           *Drawing
	l           *layout
	left        float64   // of the steps
	breadth     float64   // of a step
	top, height []float64 // of a row
	bottom      float64
}

func (c *canvas) measure() {
	c.left = margin + float64(c.l.lanes)*laneWidth
	if c.l.lanes > 0 {
		c.left += laneWidth
	}
	c.breadth = 160
	y := float64(margin + titleSpace)
	for row, n := range c.l.rows {
		lines := c.d.nodes[n].lines
		for _, line := range lines {
			c.breadth = max(c.breadth, textWidth(line)+2*padding)
		}
		height := max(float64(len(lines)*lineHeight+14), float64(len(c.l.ports[row])+1)*portSpace)
		c.top, c.height = append(c.top, y), append(c.height, height)
		y += height + rowGap
	}
	c.bottom = y - rowGap + margin
}

// textWidth estimates how wide a text is drawn at 12px.
func textWidth(text string) float64 {
	letters := 0
	for _, r := range text {
		letters++
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			letters++
		}
	}
	return float64(letters) * letter
}

func (c *canvas) begin() {
	right := max(c.left+c.breadth+2*margin+legendWidth, 2*margin+textWidth(c.d.title)*1.4)
	bottom := max(c.bottom, margin+titleSpace+float64(c.d.legendRows()+1)*legendRow+margin)
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" font-family="sans-serif" font-size="12">`+"\n", right, bottom, right, bottom)
	fmt.Fprintf(c, "<title>%s</title>\n", escapeXML(c.d.title))
	c.WriteString(`<defs>` +
		`<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 8,4 0,8z" fill="#222222"/></marker>` +
		`<marker id="order" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 8,4 0,8" fill="none" stroke="#777777"/></marker>` +
		"</defs>\n")
	fmt.Fprintf(c, `<rect width="%.0f" height="%.0f" fill="#ffffff"/>`+"\n", right, bottom)
	fmt.Fprintf(c, `<text x="%d" y="%d" font-size="17" font-weight="bold">%s</text>`+"\n", margin, margin+14, escapeXML(c.d.title))
}

// buses draws each bus as one line down its lane and a branch at every port. A
// dot shows where a branch joins its lane; lines that only cross have none.
func (c *canvas) buses() {
	first, last := make([]float64, len(c.l.buses)), make([]float64, len(c.l.buses))
	for row, ports := range c.l.ports {
		for i, p := range ports {
			share := float64(i+1) / float64(len(ports)+1)
			y := c.top[row] + c.height[row]*share
			b := c.l.buses[p.bus]
			x := c.lane(b.lane)
			switch row {
			case b.first:
				first[p.bus] = y
			case b.last:
				last[p.bus] = y
			default:
				fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="2.8" fill=%q/>`+"\n", x, y, ink(b.kind))
			}
			c.line(b.kind, p.arrive, x, y, c.left+c.d.nodes[c.l.rows[row]].kind.inset(share), y)
		}
	}
	for i, b := range c.l.buses {
		x := c.lane(b.lane)
		c.line(b.kind, false, x, first[i], x, last[i])
	}
}

func (c *canvas) lane(n int) float64 { return c.left - float64(n+1)*laneWidth - 4 }

// line draws part of an edge; thick, dashed and thin tell the kinds apart
// without colour.
func (c *canvas) line(k runbook.EdgeKind, arrow bool, x1, y1, x2, y2 float64) {
	style, marker := `stroke-width="1"`, "order"
	switch k {
	case runbook.Need:
		style, marker = `stroke-width="2.2"`, "arrow"
	case runbook.Wait:
		style, marker = `stroke-width="1.2" stroke-dasharray="5,3"`, "arrow"
	}
	if arrow {
		style += fmt.Sprintf(` marker-end="url(#%s)"`, marker)
	}
	fmt.Fprintf(c, `<path d="M%.1f,%.1f %.1f,%.1f" fill="none" stroke=%q %s/>`+"\n", x1, y1, x2, y2, ink(k), style)
}

// ink is the colour of a kind of edge.
func ink(k runbook.EdgeKind) string {
	if k == runbook.Order {
		return "#777777"
	}
	return "#222222"
}

func (c *canvas) node(n *node, x, y, w, h float64) {
	c.WriteString("<g>\n")
	if n.tooltip != "" {
		fmt.Fprintf(c, "<title>%s</title>\n", escapeXML(tidy(n.tooltip)))
	}
	c.shape(n.kind, n.decision, x, y, w, h)
	baseline := y + (h-float64(len(n.lines)*lineHeight))/2 + 12
	for i, line := range n.lines {
		weight := ""
		if i == 0 {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(c, `<text x="%.1f" y="%.1f"%s>%s</text>`+"\n", x+padding, baseline+float64(i*lineHeight), weight, escapeXML(line))
	}
	c.WriteString("</g>\n")
}

// slant is how far the sides of a capture and a gate lean.
const slant = 9

// inset is how far the left side of a shape lies inside its box, at this share
// of its height.
func (k kind) inset(share float64) float64 {
	switch k {
	case capture:
		return slant * (1 - share)
	case gate:
		return slant * math.Abs(1-2*share)
	}
	return 0
}

func (c *canvas) shape(k kind, decision string, x, y, w, h float64) {
	paint := fmt.Sprintf(`fill=%q stroke=%q stroke-width="1.4"`, fill(decision), stroke(decision))
	switch k {
	case action:
		fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`+"\n", x, y, w, h, paint)
	case call:
		fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`+"\n", x, y, w, h, paint)
		fmt.Fprintf(c, `<path d="M%.1f,%.1f V%.1f M%.1f,%.1f V%.1f" fill="none" stroke=%q stroke-width="1.4"/>`+"\n", x+5, y, y+h, x+w-5, y, y+h, stroke(decision))
	case capture:
		fmt.Fprintf(c, `<path d="M%.1f,%.1f H%.1f L%.1f,%.1f H%.1fz" %s/>`+"\n", x+slant, y, x+w, x+w-slant, y+h, x, paint)
	default:
		fmt.Fprintf(c, `<path d="M%.1f,%.1f H%.1f L%.1f,%.1f %.1f,%.1f H%.1f L%.1f,%.1fz" %s/>`+"\n",
			x+slant, y, x+w-slant, x+w, y+h/2, x+w-slant, y+h, x+slant, x, y+h/2, paint)
	}
}

// escapeXML writes text for an element's content.
func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
