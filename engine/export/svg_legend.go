package export

import "fmt"

// Measures of an SVG's legend, in pixels.
const (
	legendWidth = 230
	legendRow   = 28
)

// legendRows is how many things the legend explains.
func (d *Drawing) legendRows() int {
	rows := 0
	for _, k := range kinds() {
		if d.has(k) {
			rows++
		}
	}
	for _, k := range edgeKinds() {
		if d.hasEdge(k) {
			rows++
		}
	}
	for _, decision := range decisions() {
		if d.hasDecision(string(decision)) {
			rows++
		}
	}
	return rows
}

// legend explains, to the right of the steps, what is drawn.
func (c *canvas) legend() {
	const icon = 44
	x, y := c.left+c.breadth+2*margin, float64(margin+titleSpace)
	row := func(text string, draw func()) {
		draw()
		fmt.Fprintf(c, `<text x="%.1f" y="%.1f">%s</text>`+"\n", x+icon+12, y+13, escapeXML(text))
		y += legendRow
	}
	c.WriteString("<g>\n")
	for _, k := range kinds() {
		if c.d.has(k) {
			row(k.meaning(), func() { c.shape(k, "", x, y, icon, 18) })
		}
	}
	for _, k := range edgeKinds() {
		if c.d.hasEdge(k) {
			row(edgeMeaning(k), func() { c.line(k, true, x, y+9, x+icon, y+9) })
		}
	}
	for _, decision := range decisions() {
		if word := string(decision); c.d.hasDecision(word) {
			row(symbol(word)+" "+word, func() { c.shape(action, word, x, y, icon, 18) })
		}
	}
	c.WriteString("</g>\n")
}
