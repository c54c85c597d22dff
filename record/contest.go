package record

import (
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// Contested are entries that follow each other in a log and that their author
// disowns, since a key of its was stolen. That is a claim: a signature made by a
// stolen key and one made by its owner look alike. So it alters no verdict, and
// whether the entries count is for their approvals to say.
type Contested struct {
	First   string `json:"first"` // citation
	Last    string `json:"last"`
	Entries int64  `json:"entries"`
	By      string `json:"by"` // citation of the message that says so
}

// disowning is a message that disowns entries of its author's.
type disowning struct {
	by    dossier.Place
	id    message.ID
	cited string
	says  *dossier.Disowned
}

// contests notes what a message that counts disowns, or takes back.
func (l *logVerifier) contests(index int64, b message.Body) {
	if says := dossier.DisownedBy(l.o, l.writer.Card.Code, l.reader.Card.Code, b); says != nil {
		l.v.disowns = append(l.v.disowns, disowning{dossier.Place{Origin: l.o, Index: index}, b.ID, l.cite(index), says})
	}
	var kind string
	if b.Format == "019" && json.Unmarshal(b.Params["kind"], &kind) == nil && kind == "recall" {
		for _, ref := range b.Refs {
			l.v.takenBack[ref] = append(l.v.takenBack[ref], l.o.Writer)
		}
	}
}

// contest says which entries in the record are contested.
func (v *verifier) contest(origins []identity.Origin) {
	for _, d := range v.disowns {
		_, refused := v.refused[Entry{d.by.Origin, d.by.Index}]
		if refused || slices.Contains(v.takenBack[d.id], d.by.Origin.Writer) {
			continue
		}
		for _, o := range origins {
			if o.Writer == d.by.Origin.Writer && o.Line() == d.by.Origin.Line() {
				v.logs[o].contested(d)
			}
		}
	}
}

// contested reports which entries of the log one message disowns. Of an entry that
// is not disclosed only its place is known.
func (l *logVerifier) contested(d disowning) {
	last, list := int64(-2), &l.v.report.Contested
	next := 0 // of the disclosed ones, which ascend as all do
	for _, index := range l.in.Indexes {
		var at time.Time
		if next < len(l.disclosed) && l.disclosed[next] == index {
			at = time.Unix(l.written[next], 0)
			next++
		}
		switch {
		case !d.says.Covers(d.by, dossier.Place{Origin: l.o, Index: index}, at):
		case index == last+1:
			c := &(*list)[len(*list)-1]
			c.Last, c.Entries, last = l.cite(index), c.Entries+1, index
		default:
			*list, last = append(*list, Contested{l.cite(index), l.cite(index), 1, d.cited}), index
		}
	}
}

// render says it in a language.
func (c Contested) render(l book.Lang) string {
	var b strings.Builder
	b.WriteString(c.First)
	if c.Entries > 1 {
		fmt.Fprintf(&b, " … %s", c.Last)
	}
	fmt.Fprintf(&b, " %s: %s\n", counts["contested"][l], c.By)
	return b.String()
}
