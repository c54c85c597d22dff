package message

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hidden reports whether a character shows nothing of itself: controls, marks
// of direction, spaces other than the plain one, fillers, joiners and selectors.
// A screen, a log or a comparison by eye misses it, so it is shown by its number
// wherever somebody else's text stands.
func Hidden(c rune) bool {
	if c >= ' ' && c <= '~' {
		return false
	}
	return c == utf8.RuneError || c != ' ' && !unicode.IsPrint(c) || c == blank ||
		unicode.In(c, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// blank is the braille pattern without a dot, which is a symbol to Unicode and
// nothing to the eye.
const blank = '\u2800'

// mostShown bounds what is repeated of somebody else's text in an error: it has
// to be found again, not to be read.
const mostShown = 60

// clip shortens what somebody else wrote before it stands, quoted, in an error.
// It cuts between characters.
func clip(s string) string {
	if len(s) <= mostShown {
		return s
	}
	n := mostShown
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// mostTold bounds one part of an error, whoever made its text.
const mostTold = 400

// shown makes a text that may hold somebody else's words fit to stand in one
// line of a log: bounded, and what is hidden, line ends among it, by its number.
func shown(s string) string {
	if len(s) > mostTold {
		s = strings.ToValidUTF8(s[:mostTold], "") + "…"
	}
	if !strings.ContainsFunc(s, Hidden) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if Hidden(c) {
			fmt.Fprintf(&b, `\u%04x`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}
