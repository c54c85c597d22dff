package simulate

import (
	"errors"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/watch"
)

// reading is a line as the oracle folds it from a node's disk: as all matters
// stand, not by the list of what is owed that alarms are made from.
type reading struct {
	line   *dossier.Line
	places map[message.ID]dossier.Place
	young  []dossier.Place // whose earliest receipt may still come to light
	people []word          // of the formats that people are known by
	sizes  [2]int64        // of both logs' heads and receipts, as of which it is
	owed   []owed
	asked  time.Time // when owed was
}

// word is what one message says of people.
type word struct {
	place  dossier.Place
	status string    // of a desk
	until  time.Time // it holds
	step   string    // of a check of a contact
}

// owed is what either side has to do, as people are told of it.
type owed struct {
	ref       string
	from, due time.Time
}

const (
	askAgain  = 12 * time.Minute // though nothing came: time alone makes duties
	aheadTold = 2 * time.Hour    // of a duty that becomes near until it is asked again
	longTold  = 6 * 24 * time.Hour
	oldEnough = 26 * time.Hour // after which no earlier receipt comes to light
)

func newReading(n *node) *reading {
	return &reading{line: dossier.NewLine(dossier.ByEdition(n.cast.Book)), places: make(map[message.ID]dossier.Place)}
}

// take takes an entry of a node's disk.
func (r *reading) take(m station.Message, e message.Entry) error {
	p := dossier.Place{Origin: m.Origin, Index: m.Index}
	r.line.Put(dossier.Read(m.Origin, m.Index, time.Time{}, e))
	if _, twice := r.places[m.ID]; !twice {
		r.places[m.ID] = p
	}
	r.young = append(r.young, p)
	switch m.Format {
	case "024":
		until, err := time.Parse(time.RFC3339, param(e, "until"))
		r.people = append(r.people, word{place: p, status: param(e, "status"), until: until})
		return err
	case "030", "031":
		r.people = append(r.people, word{place: p, step: param(e, "step")})
	}
	return nil
}

// receive looks for the receipts of what is young: by the record, or else by
// the cosignature that lies on the disk.
func (o *oracle) receive(tx station.Tx, n *node, r *reading) error {
	kept := r.young[:0]
	for _, p := range r.young {
		it, ok := r.line.Item(p)
		if !ok {
			continue
		}
		at, err := tx.ReceiptOf(p.Origin, p.Index)
		if errors.Is(err, station.ErrNotFound) {
			reader := n
			if p.Origin.Writer == n.name {
				reader = o.w.other(n)
			}
			c, _, covered := tx.CosignatureCovering(p.Origin, reader.cast.Card.CosignerName(), p.Index)
			at, err = c.At, covered
		}
		if err != nil {
			return err
		}
		if !at.Equal(it.Received) {
			it.Received = at.UTC().Truncate(time.Second)
			r.line.Put(it)
		}
		if at.IsZero() || o.w.now.Sub(at) < oldEnough {
			kept = append(kept, p)
		}
	}
	r.young = kept
	return nil
}

// askDuties says what is owed, anew where something came or time went by.
func (o *oracle) askDuties(tx station.Tx, n *node, r *reading) error {
	var sizes [2]int64
	for _, writer := range []*node{n, o.w.other(n)} {
		log := o.w.line.Log(writer.name, o.eras(n, writer.name))
		l, _, err := tx.Log(log)
		if err != nil {
			return err
		}
		c, _, err := tx.LastCosignature(log, o.w.other(writer).cast.Card.CosignerName())
		if err != nil {
			return err
		}
		sizes[0], sizes[1] = sizes[0]+l.Size, sizes[1]+c.Size
	}
	if sizes == r.sizes && o.w.now.Sub(r.asked) < askAgain {
		return nil
	}
	if err := o.receive(tx, n, r); err != nil {
		return err
	}
	r.sizes, r.asked, r.owed = sizes, o.w.now, nil
	first := make(map[string]int)
	for _, d := range r.line.At(o.w.now).Dossiers {
		for _, duty := range d.Duties {
			if !duty.Owed() || duty.Act == dossier.ActReceived || duty.Due.Before(o.w.now.Add(-longTold)) || duty.Due.After(o.w.now.Add(aheadTold)) {
				continue
			}
			p := r.places[duty.Of]
			what := string(duty.Act)
			if len(duty.Formats) > 0 {
				what = string(duty.Formats[0])
			}
			next := owed{strings.Join([]string{o.w.cite(p.Origin, p.Index), what, string(duty.By)}, "/"), duty.From, duty.Due}
			if i, ok := first[next.ref]; !ok {
				first[next.ref] = len(r.owed)
				r.owed = append(r.owed, next)
			} else if next.due.Before(r.owed[i].due) { // one message would meet both: the earlier is told
				r.owed[i] = next
			}
		}
	}
	return nil
}

// duties looks for what is about to lapse, and for what has.
func (o *oracle) duties(r *reading, add func(watch.Kind, string, time.Time)) {
	for _, d := range r.owed {
		near := 30 * time.Minute
		if d.due.After(d.from) {
			near = min(near, d.due.Sub(d.from)/4)
		}
		switch {
		case o.w.now.After(d.due):
			add(watch.DutyLapsed, d.ref, d.due)
		case !o.w.now.Before(d.due.Add(-near)):
			add(watch.DutyNear, d.ref, d.due.Add(-near))
		}
	}
}

// spokenOf is what the record shows of people: the other side's word of its desk,
// and of each side's contact when it was asked and answered for last.
type spokenOf struct {
	status          string
	said, until     time.Time
	known           map[identity.Station]bool
	asked, answered map[identity.Station]time.Time
}

// spokenBy reads what was said of people and received, in the order in which it
// was read.
func (r *reading) spokenBy(n *node) spokenOf {
	s := spokenOf{known: make(map[identity.Station]bool), asked: make(map[identity.Station]time.Time), answered: make(map[identity.Station]time.Time)}
	for _, x := range r.people {
		it, ok := r.line.Item(x.place)
		if !ok || it.Received.IsZero() {
			continue
		}
		by := it.Origin.Writer
		switch {
		case it.Format == "024" && by != n.name && !it.Received.Before(s.said):
			s.status, s.said, s.until = x.status, it.Received, x.until
		case it.Format == "030":
			s.known[by] = true
		case it.Format == "031" && x.step == "ping":
			s.asked[it.Origin.Reader] = later(s.asked[it.Origin.Reader], it.Received)
		case it.Format == "031" && x.step == "answer":
			s.answered[by] = later(s.answered[by], it.Received)
		}
	}
	return s
}

// contactAnswers is how long a check of a contact may wait for its answer.
const contactAnswers = 24 * time.Hour

// ofPeople looks for contacts that nobody answers for, for the other side's desk
// and for changes of officers that nobody signed.
func (o *oracle) ofPeople(n *node, l *ledger, add func(watch.Kind, string, time.Time)) {
	if l.spokenSizes != l.read.sizes || l.spoken.known == nil {
		l.spoken, l.spokenSizes = l.read.spokenBy(n), l.read.sizes
	}
	s := l.spoken
	for _, x := range o.w.nodes {
		if asked := s.asked[x.name]; s.known[x.name] && asked.After(s.answered[x.name]) && o.w.now.Sub(asked) >= contactAnswers {
			add(watch.ContactStale, string(x.name)+"/"+contactName, asked.Add(contactAnswers))
		}
	}
	switch {
	case s.said.IsZero():
	case s.status == "unmanned" && o.w.now.Before(s.until):
		add(watch.UnmannedDesk, string(o.w.other(n).name), s.said)
	case !o.w.now.Before(s.until):
		add(watch.UnmannedDesk, string(o.w.other(n).name), s.until)
	}
	o.handovers(n, l, add)
}

const (
	handoverDue  = 15 * time.Minute // after the change
	handoverTold = 23 * time.Hour   // of an alarm that stands for a day
)

// handovers looks for changes of officers over which no sheet was signed.
func (o *oracle) handovers(n *node, l *ledger, add func(watch.Kind, string, time.Time)) {
	for at := later(o.w.now.Add(-handoverTold).Truncate(shiftLength).Add(shiftLength), begin.Add(shiftLength)); at.Add(handoverDue).Before(o.w.now); at = at.Add(shiftLength) {
		out, in := pseudonyms(n.crew.onDuty(at.Add(-time.Second))), pseudonyms(n.crew.onDuty(at))
		if len(without(out, in)) == 0 || len(without(in, out)) == 0 {
			continue
		}
		done := false
		for _, s := range l.handovers {
			done = done || !s.Before(at.Add(-handoverDue)) && s.Before(at.Add(shiftLength-handoverDue))
		}
		if !done {
			add(watch.HandoverLate, deskName+"/"+at.UTC().Format(time.RFC3339), at.Add(handoverDue))
		}
	}
}

// without returns those of a list who are not in another.
func without(list, other []string) (out []string) {
	for _, x := range list {
		if !slices.Contains(other, x) {
			out = append(out, x)
		}
	}
	return out
}
