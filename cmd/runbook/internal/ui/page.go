package ui

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// styled is text that is fit to be printed: cleaned, and perhaps coloured.
// Only paint and our own literals make it.
type styled string

// color is what a piece of text is painted in.
type color string

const (
	plain  color = ""
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	cyan   color = "36"
)

// page collects text in one style.
type page struct {
	text  strings.Builder
	style Style
}

// paint cleans text to one line and paints it.
func (p *page) paint(c color, text string) styled {
	text = oneLine(text)
	if !p.style.Color || c == plain || text == "" {
		return styled(text)
	}
	return styled("\x1b[" + string(c) + "m" + text + "\x1b[0m")
}

// linef adds a line. Arguments of type string are cleaned to one line, styled
// ones are taken as they are.
func (p *page) linef(format string, args ...any) {
	for i, arg := range args {
		if text, dirty := arg.(string); dirty {
			args[i] = oneLine(text)
		}
	}
	line := fmt.Sprintf(format, args...)
	p.text.WriteString(strings.TrimRight(line, " "))
	p.text.WriteByte('\n')
}

// blank adds an empty line, unless the page is empty.
func (p *page) blank() {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
}

// labelWidth is the column of the labels beside a field's value.
const labelWidth = 10

// field adds "label  value", the value wrapped under itself. The value may have
// several lines; an empty one adds nothing.
func (p *page) field(indent int, label string, value string) {
	p.marked(indent, label, "", value)
}

// marked is a field whose value begins with a mark, such as a coloured tick.
func (p *page) marked(indent int, label string, mark styled, value string) {
	if value == "" && mark == "" {
		return
	}
	head := p.paint(dim, pad(label, labelWidth))
	hang := labelWidth
	if mark != "" {
		head += mark + " "
		hang += 2
	}
	p.hanging(indent, head, hang, value)
}

// item adds a marked point of a list.
func (p *page) item(indent int, mark styled, text string) {
	p.hanging(indent, mark+" ", 2, text)
}

// paragraph adds text wrapped to the style's width, its own line breaks kept.
func (p *page) paragraph(indent int, text string) {
	p.hanging(indent, "", 0, text)
}

// hanging adds text behind a head that is hang columns wide, wrapped under
// itself.
func (p *page) hanging(indent int, head styled, hang int, text string) {
	width := p.style.Width
	if width > 0 {
		width = max(width-indent-hang, minWidth/2)
	}
	margin := strings.Repeat(" ", indent)
	for _, line := range wrap(clean(text), width) {
		p.linef("%s%s%s", margin, head, styled(line))
		head = styled(strings.Repeat(" ", hang))
	}
}

// flush writes the page to w, in ASCII where the style knows no more.
func (p *page) flush(w io.Writer) error {
	text := p.text.String()
	p.text.Reset()
	if !p.style.Unicode {
		text = ascii(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// wrap breaks cleaned text at spaces into lines of at most width columns; a
// longer word stands alone. Width 0 only splits at line breaks.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if width <= 0 || utf8.RuneCountInString(paragraph) <= width {
			lines = append(lines, paragraph)
			continue
		}
		line, columns := "", 0
		for word := range strings.FieldsSeq(paragraph) {
			length := utf8.RuneCountInString(word)
			if columns > 0 && columns+1+length > width {
				lines = append(lines, line)
				line, columns = "", 0
			}
			if columns > 0 {
				line, columns = line+" ", columns+1
			}
			line, columns = line+word, columns+length
		}
		lines = append(lines, line)
	}
	return lines
}

// pad fills text with spaces to width columns.
func pad(text string, width int) string {
	if missing := width - utf8.RuneCountInString(text); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}

// WriteAside writes a line that nobody has to act on, as quiet as can be.
func WriteAside(w io.Writer, style Style, text string) error {
	p := &page{style: style}
	p.linef("%s", p.paint(dim, text))
	return p.flush(w)
}
