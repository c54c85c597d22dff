package dossier

import (
	"cmp"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// ActionState is how an action of an agreed record stands, a code.
type ActionState string

// The states of actions.
const (
	ActionOpen    ActionState = "open"
	ActionOverdue ActionState = "overdue" // past, and no later record ended it
	ActionCarried ActionState = "carried" // a later agreed record has it again
	ActionEnded   ActionState = "ended"   // a later agreed record has it no more: both signed that
)

// Consultation is a dossier of consultation, with its record as both sides gave
// it.
type Consultation struct {
	Dossier  message.ID
	Place    Place // of its first message
	Stage    Stage
	Since    time.Time
	Session  string // of the last call: first, annual, committee or interim; empty: none was called
	Year     int64
	Window   Window // of the last call
	Where    string
	PackHash string          // of the data pack that the last call names
	Agenda   []Record        // of the last call: head, title and article
	Versions []RecordVersion // what each side said of the record last: of one text, or of two
	Agreed   []AgreedRecord  // in the order in which both had given the same text
}

// RecordVersion is the record of a consultation as one side gave it.
type RecordVersion struct {
	By          identity.Station
	Place       Place
	Position    string // draft, agree or differ
	Text        string // its hash
	Items       []Record
	Actions     []Record
	Differences []string // as it names them
	NextPlace   string
	NextWindow  Window
}

// AgreedRecord is a record of which both sides gave the same text.
type AgreedRecord struct {
	Dossier    message.ID
	At         time.Time // when the second of them was received
	Text       string
	Places     []Place // of both
	Items      []Record
	Actions    []Record
	NextPlace  string
	NextWindow Window
}

// Action is what a side undertook in an agreed record. Which word of its owner's
// ends it no machine can tell: what the owner said with reference to the record is
// shown, and only the next agreed record ends it.
type Action struct {
	Number string
	Owner  identity.Station
	Due    time.Time
	What   string
	State  ActionState
	Of     Place   // of the record, as it was agreed
	Said   []Place // what its owner said since with reference to the record; where it is no end of the line, either side
}

// Consultations returns the consultations as of a second, by dossier, and the
// actions of all agreed records, the first due first.
func (l *Line) Consultations(at time.Time) (list []Consultation, actions []Action) {
	w := l.At(at)
	var agreed []AgreedRecord
	for _, d := range w.Dossiers {
		if d.Kind == KindConsultation {
			c := l.consultation(d)
			list, agreed = append(list, c), append(agreed, c.Agreed...)
		}
	}
	slices.SortStableFunc(agreed, func(a, b AgreedRecord) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Text, b.Text)) })
	return list, l.actions(w, agreed)
}

func (l *Line) consultation(d Dossier) Consultation {
	c := Consultation{Dossier: d.ID, Stage: d.Stage, Since: d.Since, Place: d.Timeline[0].Place}
	for _, it := range l.said(d, "420") {
		f := it.Facts
		c.Session, c.Year, c.Window, c.Where = f.Words["session"], f.Counts["year"], f.Windows["window"], f.Words["place"]
		c.PackHash, c.Agenda = f.Words["pack_hash"], f.Records["agenda"]
	}
	for _, e := range d.Timeline {
		it, ok := l.Item(e.Place)
		if !ok || e.Format != "421" || !e.counts() {
			continue
		}
		v := versionOf(it)
		c.Versions = append(slices.DeleteFunc(c.Versions, func(old RecordVersion) bool { return old.By == v.By }), v)
		if e.Stage == RecordAgreed {
			c.agree(d, it.Received, v)
		}
	}
	return c
}

func versionOf(it Item) RecordVersion {
	f := it.Facts
	return RecordVersion{
		By: it.Origin.Writer, Place: it.Place(), Position: f.Words["position"], Text: f.Words["text"], Items: f.Records["items"], Actions: f.Records["actions"],
		Differences: f.Lists["differences"], NextPlace: f.Words["next_place"], NextWindow: f.Windows["next_window"],
	}
}

// agree notes that a side gave the text that the other had given. What stands in
// the first of the two counts; where it says nothing the second one's does.
func (c *Consultation) agree(d Dossier, at time.Time, v RecordVersion) {
	if n := len(c.Agreed); n > 0 && c.Agreed[n-1].Text == v.Text {
		return
	}
	a := AgreedRecord{Dossier: d.ID, At: at, Text: v.Text}
	for _, x := range c.Versions {
		if x.Text != v.Text {
			continue
		}
		a.Places = append(a.Places, x.Place)
		if a.Items == nil {
			a.Items = x.Items
		}
		if a.Actions == nil {
			a.Actions = x.Actions
		}
		a.NextPlace = cmp.Or(a.NextPlace, x.NextPlace)
		if !a.NextWindow.ok() {
			a.NextWindow = x.NextWindow
		}
	}
	c.Agreed = append(c.Agreed, a)
}

// actions returns the actions of the records, each followed by the later ones.
func (l *Line) actions(w Whole, agreed []AgreedRecord) (list []Action) {
	for i, a := range agreed {
		for _, r := range a.Actions {
			owner, err := identity.ParseStation(r["owner"])
			due, ok := second(r["due"])
			if err != nil || !ok || len(a.Places) == 0 {
				continue
			}
			x := Action{Number: r["action"], Owner: owner, Due: due, What: r["what"], Of: a.Places[0], State: ActionOpen, Said: l.saidOf(w, a, owner)}
			switch {
			case i+1 < len(agreed) && slices.ContainsFunc(agreed[i+1].Actions, func(n Record) bool { return n["action"] == x.Number }):
				x.State = ActionCarried
			case i+1 < len(agreed):
				x.State = ActionEnded
			case w.At.After(due):
				x.State = ActionOverdue
			}
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b Action) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Number, b.Number)) })
	return list
}

// firstOfMatters is the first format that speaks of a matter; those below serve
// the line itself.
const firstOfMatters message.Format = "100"

// saidOf returns what an owner said of a record after it was agreed, by place; of
// an owner that is no end of the line what either side said.
func (l *Line) saidOf(w Whole, a AgreedRecord, owner identity.Station) (list []Place) {
	of := make(map[message.ID]bool)
	for _, p := range a.Places {
		of[l.items[p].ID] = true
	}
	for _, d := range w.Dossiers {
		for _, e := range d.Timeline {
			it, ok := l.Item(e.Place)
			if !ok || !e.counts() || e.Place.Origin.Line().Has(owner) && e.By != owner || e.Format < firstOfMatters || e.Format == "421" || !it.Received.After(a.At) {
				continue
			}
			if slices.ContainsFunc(it.Refs, func(id message.ID) bool { return of[id] }) && !slices.Contains(list, e.Place) {
				list = append(list, e.Place)
			}
		}
	}
	slices.SortFunc(list, byPlace)
	return list
}
