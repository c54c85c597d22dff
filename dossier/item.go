package dossier

import (
	"encoding/json/v2"
	"time"

	"detente/identity"
	"detente/message"
)

// Place is where an entry stands.
type Place struct {
	Origin identity.Origin
	Index  int64
}

// before reports whether one entry of a writer's logs stands before another.
func (p Place) before(q Place) bool {
	return p.Origin.Era < q.Origin.Era || p.Origin.Era == q.Origin.Era && p.Index < q.Index
}

// Seen is how much of its reader's log the writer of an entry had read. The
// zero value says: nothing.
type Seen struct {
	Era  identity.Era
	Size int64
}

// covers reports whether an entry of the reader's logs was among what was read.
func (s Seen) covers(p Place) bool {
	return p.Origin.Era < s.Era || p.Origin.Era == s.Era && p.Index < s.Size
}

// Item is a message as the fold takes it. Read makes it of an entry. All of it
// stands in the record but Withheld.
type Item struct {
	Origin      identity.Origin
	Index       int64
	ID          message.ID // zero where the entry cannot be read
	Format      message.Format
	Edition     identity.Digest // of the signal book, in which it is written
	Precedence  message.Precedence
	At          time.Time // the wrapper's second
	Received    time.Time // the earliest receipt in the record; zero: none, so it is not folded
	Seen        Seen
	Refs        []message.ID
	Facts       Facts
	Provisional bool
	Body        identity.Digest // of format 600: what a translation is bound to
	State       string          // of format 012: UND, NUN or COR
	Decision    string          // of format 018: confirm or withdraw
	Refused     *Refused        // of format 002
	Disputed    *Place          // of format 004: the entry whose receipt is in question
	Key         *Place          // of a message that discloses the file key of its author's own entry: which one; nil: it discloses none. Disclosed says which key; who has the entry sets it where the key opens it
	Policy      *message.Policy // of format 005: who releases what from then on
	Disowns     *Disowned       // of format 033: which of its author's entries it disowns; nil: none. Who knows both short codes sets it by DisownedBy
	Rule        message.Body    // of a provisional message: what its writer's policy is asked with
	Withheld    bool            // while Received is zero: its reader, though alive, does not receipt it
}

// Place returns where the message stands.
func (it Item) Place() Place { return Place{it.Origin, it.Index} }

// Refused is what a message of format 002 refuses: an entry of the log that
// its writer reads.
type Refused struct {
	Era    identity.Era
	Index  int64
	Reason string
}

// place returns where the refused entry stands.
func (it Item) refusedPlace() Place {
	return Place{it.Origin.Line().Log(it.Origin.Reader, it.Refused.Era), it.Refused.Index}
}

// Read makes an item of an entry and of when it was received, by the record's
// earliest receipt; zero where none stands in it. Of an entry that cannot be
// opened, make the item by hand, of its place and receipt alone. Parameters
// that are not what their format asks for are left out, never guessed.
func Read(o identity.Origin, index int64, received time.Time, e message.Entry) Item {
	b := e.Body.Body()
	it := Item{
		Origin: o, Index: index, ID: b.ID, Format: b.Format, Edition: b.Edition, Precedence: b.Precedence, At: e.Wrapper.At, Received: received,
		Seen: Seen{e.Wrapper.Seen.Era, e.Wrapper.Seen.Size}, Refs: b.Refs, Facts: FactsOf(b), Provisional: e.Wrapper.Provisional,
	}
	if it.Provisional {
		it.Rule = b
	}
	var era identity.Era
	var at int64
	named := json.Unmarshal(b.Params["era"], &era) == nil && json.Unmarshal(b.Params["index"], &at) == nil
	switch b.Format {
	case "002":
		if named {
			it.Refused = &Refused{Era: era, Index: at, Reason: it.Facts.Words["reason"]}
		}
	case "004":
		if by := identity.Station(it.Facts.Words["receipt_by"]); named && o.Line().Has(by) {
			it.Disputed = &Place{o.Line().Log(o.Line().Other(by), era), at}
		}
	case "005":
		if p, err := message.PolicyOf(b); err == nil {
			it.Policy = &p
		}
	case "012":
		it.State = it.Facts.Words["state"]
	case "600":
		it.Body = e.Body.Digest()
	case "018":
		it.Decision = it.Facts.Words["decision"]
	}
	return it
}

// Disclosed returns which entry of its author's a message of format 006 names, an
// earlier one, and the key that it gives, as 32 hexadecimal digits; false where
// it does neither. Whether the key opens that entry stands in the entry's own
// header: who has it tries, and sets Item.Key where it does, whatever the reader
// says of it.
func Disclosed(o identity.Origin, index int64, b message.Body) (of Place, key string, ok bool) {
	var era identity.Era
	var at int64
	if b.Format != "006" || json.Unmarshal(b.Params["era"], &era) != nil || json.Unmarshal(b.Params["index"], &at) != nil || json.Unmarshal(b.Params["key"], &key) != nil {
		return Place{}, "", false
	}
	of = Place{o.Line().Log(o.Writer, era), at}
	return of, key, era > 0 && at >= 0 && of.before(Place{o, index})
}
