package dossier

import (
	"encoding/json/v2"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Disowned is what an author says of its own earlier entries when a key of its was
// stolen (format 033): that it stands by them no more. It is a claim and no finding.
// Whether they count is for their approvals to say, as before; they are shown as
// contested.
type Disowned struct {
	Places []Place   // entries of the author's own logs
	Since  time.Time // all entries from this second on; zero: those of Places alone
}

// contests says for which purposes a stolen key puts what was said in doubt. By one
// of the others nothing could be said, only read, receipted or carried.
var contests = map[string]bool{"": true, "sign": true, "release": true}

// DisownedBy returns which entries of its author's a message disowns; nil: none. An
// entry stands in it by its citation, for which the short codes of the message's
// writer and reader are needed: what is cited of another log is somebody else's to
// disown.
func DisownedBy(o identity.Origin, writer, reader identity.Code, b message.Body) *Disowned {
	var purpose, extent string
	if b.Format != "033" || !optional(b, "key_purpose", &purpose) || !contests[purpose] || !optional(b, "extent", &extent) {
		return nil
	}
	switch extent {
	case "all-since":
		var text string
		if !optional(b, "suspect_since", &text) {
			return nil
		}
		if since, ok := second(text); ok {
			return &Disowned{Since: since}
		}
	case "listed":
		var cites []string
		if !optional(b, "affected", &cites) {
			return nil
		}
		var d Disowned
		for _, text := range cites {
			c, err := message.ParseCitation(text)
			if err == nil && c.Writer == writer && c.Reader == reader && c.Class == o.Class {
				d.Places = append(d.Places, Place{o.Line().Log(o.Writer, c.Era), c.Index})
			}
		}
		if len(d.Places) > 0 {
			return &d
		}
	}
	return nil
}

// optional reads a parameter; what is absent is the zero value. It reports false
// for what is of another type.
func optional[T any](b message.Body, name string, into *T) bool {
	v, ok := b.Params[name]
	return !ok || json.Unmarshal(v, into) == nil
}

// Covers reports whether an entry, written at a second, is disowned by what stands
// at a place.
func (d Disowned) Covers(by, p Place, at time.Time) bool {
	if p.Origin.Writer != by.Origin.Writer || p.Origin.Line() != by.Origin.Line() || !p.before(by) {
		return false
	}
	return slices.Contains(d.Places, p) || !d.Since.IsZero() && !at.Before(d.Since)
}

// contested reports whether the author of a message disowns it, as of a second. A
// word that was itself taken back, or refused, disowns nothing.
func (l *Line) contested(it Item, at time.Time) bool {
	l.looks(ofDisowned(it.Origin.Writer))
	return slices.ContainsFunc(l.disowned[it.Origin.Writer], func(p Place) bool {
		by, ok := l.heard(p, at)
		return ok && by.Disowns.Covers(p, it.Place(), it.At) && !l.undone(by, at)
	})
}
