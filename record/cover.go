package record

import (
	"fmt"
	"strings"
	"time"

	"detente/book"
)

// Cover says how far the record of a line goes in one log, and how far the log is
// known to have gone. A record that was cut at its end is shorter than what was
// said, and nothing in it can show that: who needs to know asks the counterpart, or
// a mirror, for the log's newest head.
type Cover struct {
	Log       string     `json:"log"`
	Size      int64      `json:"size"`                   // entries that the record has, from the first on without a gap
	Receipted int64      `json:"receipted"`              // of the largest head with the reader's receipt that is there; 0 where none is
	At        *time.Time `json:"receipted_at,omitempty"` // its second
	Known     int64      `json:"known"`                  // the largest size that anything in the record shows
}

// covers says how far a log of a line's record goes.
func (l *logVerifier) covers() {
	c := Cover{Log: l.in.Origin, Receipted: l.head.Size, Known: max(l.head.Size, int64(len(l.in.Indexes)), l.v.known[l.o])}
	for _, i := range l.in.Indexes {
		if i != c.Size {
			break
		}
		c.Size++
	}
	if !l.receipt.IsZero() {
		at := l.receipt.UTC()
		c.At = &at
	}
	l.v.report.Covers = append(l.v.report.Covers, c)
}

// render says it in a language.
func (c Cover) render(l book.Lang) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %d · %s: %d", c.Log, counts["covers"][l], c.Size-1, counts["receipted"][l], c.Receipted)
	if c.At != nil {
		fmt.Fprintf(&b, ", %s", stamp(*c.At))
	}
	fmt.Fprintf(&b, " · %s: %d\n", counts["known"][l], c.Known)
	return b.String()
}
