package main

import (
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// grid lines up rows of cells as a terminal shows them: a Chinese sign takes two
// places, a vowel sign, an accent of its own or a mark of direction takes none. A
// row's last cell takes no part in a column's width.
type grid struct {
	out  io.Writer
	rows [][]string
}

// gap is how many places lie between two columns.
const gap = 2

// places counts the places that a text takes.
func places(text string) (n int) {
	for _, r := range text {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// row keeps a row until it is flushed.
func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// flush writes the rows kept, lined up, without spaces at their ends.
func (g *grid) flush() error {
	var widths []int
	for _, cells := range g.rows {
		for i, c := range cells[:max(len(cells)-1, 0)] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], places(c))
		}
	}
	var b strings.Builder
	for _, cells := range g.rows {
		var line strings.Builder
		for i, c := range cells {
			line.WriteString(c)
			if i < len(cells)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-places(c)+gap))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	g.rows = nil
	_, err := io.WriteString(g.out, b.String())
	return err
}
