package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// A Line holds the messages of both logs of one line, or as many of them as one
// dossier hangs on, and folds them. The zero Line is of no use; NewLine makes
// one. It is not safe for concurrent use. Whatever order messages are put in,
// and however often, it says the same.
type Line struct {
	forms     map[message.Format]Form
	editions  Editions // nil: only one is known
	mixed     bool     // something was refused as of an edition that its reader does not read
	others    map[identity.Digest]map[message.Format]Form
	moves     map[Kind]map[Move][]message.Format
	items     map[Place]Item
	ids       map[message.ID][]Place
	referring map[message.ID][]message.ID
	marks     map[Place][]Place           // the refusals, disputes and keys that name an entry
	blobs     map[identity.Digest][]Place // the receipts of a blob
	policies  map[identity.Station][]Place
	disowned  map[identity.Station][]Place // by writer, the messages that disown entries
	sealed    map[dayOf][]Place            // entries that were refused as unreadable, by the day of receipt
	notices   map[int64][]message.ID       // by the days of their windows
	long      []message.ID                 // notices whose windows have too many days
	owing     *owing                       // nil until Owing is asked

	pending map[Place]struct{} // entries without a receipt
	closed  map[Place]struct{} // entries that a refusal says cannot be opened
	keep    keep               // the dossiers that were folded before
	trace   *trace             // of the fold under way; nil: none is kept
}

// dayOf is a day of a writer's.
type dayOf struct {
	writer identity.Station
	day    int64
}

func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// NewLine returns a line without a message.
func NewLine(b Book) *Line {
	l := &Line{
		forms: make(map[message.Format]Form), moves: make(map[Kind]map[Move][]message.Format),
		items: make(map[Place]Item), ids: make(map[message.ID][]Place), referring: make(map[message.ID][]message.ID),
		marks: make(map[Place][]Place), blobs: make(map[identity.Digest][]Place), policies: make(map[identity.Station][]Place),
		disowned: make(map[identity.Station][]Place), sealed: make(map[dayOf][]Place), notices: make(map[int64][]message.ID),
		pending: make(map[Place]struct{}), closed: make(map[Place]struct{}), keep: newKeep(),
	}
	l.editions, _ = b.(Editions)
	for _, f := range b.Forms() {
		l.forms[f.Format] = f
		if l.moves[f.Kind] == nil {
			l.moves[f.Kind] = make(map[Move][]message.Format)
		}
		l.moves[f.Kind][f.Move] = append(l.moves[f.Kind][f.Move], f.Format)
	}
	return l
}

// form returns what a message's format is to matters, by the edition in which it
// is written.
func (l *Line) form(it Item) Form {
	f, _ := l.known(it)
	return f
}

// known is form, and whether the edition has the format. What its reader refused
// as of an edition that it does not read is known to neither side: both fold the
// same, whichever of them has the edition.
func (l *Line) known(it Item) (Form, bool) {
	f, ok := l.edition(it.Edition)[it.Format]
	if ok && l.unread(it) {
		return Form{}, false
	}
	return f, ok
}

// otherEdition is the reason of a refusal of what is written in an edition that
// its reader does not read.
const otherEdition = "edition"

// unread reports whether a message's reader refused it as of an edition that it
// does not read, not having acted on it before.
func (l *Line) unread(it Item) bool {
	if !l.mixed {
		return false
	}
	for _, m := range l.marksOf(it.Place()) {
		by := l.entry(m)
		if by.Refused == nil || by.Refused.Reason != otherEdition || by.Received.IsZero() || by.refusedPlace() != it.Place() || by.Origin.Writer != it.Origin.Reader {
			continue
		}
		l.looks(ofReferring(it.ID))
		acted := slices.ContainsFunc(l.referring[it.ID], func(id message.ID) bool {
			l.looks(ofID(id))
			return slices.ContainsFunc(l.ids[id], func(p Place) bool {
				on := l.items[p]
				f := l.edition(on.Edition)[on.Format]
				return on.Origin.Writer == by.Origin.Writer && !on.Received.IsZero() && p.before(m) &&
					(f.Move == "see" || f.Move == "understand" && on.State == "UND" || slices.Contains(l.edition(it.Edition)[it.Format].Replies, on.Format))
			})
		})
		if !acted {
			return true
		}
	}
	return false
}

// edition returns the forms of an edition; of one that is not known those of the
// Book's own.
func (l *Line) edition(d identity.Digest) map[message.Format]Form {
	if l.editions == nil || d == (identity.Digest{}) {
		return l.forms
	}
	if forms, ok := l.others[d]; ok {
		return forms
	}
	forms := l.forms
	if b, ok := l.editions.Of(d); ok {
		forms = make(map[message.Format]Form)
		for _, f := range b.Forms() {
			forms[f.Format] = f
		}
	}
	if l.others == nil {
		l.others = make(map[identity.Digest]map[message.Format]Form)
	}
	if len(l.others) < maxOthers {
		l.others[d] = forms
	}
	return forms
}

// maxOthers bounds the editions that are remembered: a counterpart may name as
// many as it likes.
const maxOthers = 64

// unreadable is the reason of a refusal of what cannot be opened.
const unreadable = "unreadable"

// Put takes a message, or takes it anew: with an earlier receipt, or opened
// after all. What an entry says never changes; of two that differ in more the
// last counts. It costs the same in a long record as in a short one.
func (l *Line) Put(it Item) {
	p := it.Place()
	old, known := l.items[p]
	l.items[p] = it
	l.note(p, old, it)
	if !known || old.ID != it.ID {
		l.index(it, p)
	}
	for _, m := range l.marks[p] {
		by := l.items[m]
		l.seal(by, it)
		if by.Disputed != nil && it.ID != (message.ID{}) {
			l.refer(it.ID, by.ID)
		}
	}
	if l.owing != nil {
		if !known || old.ID != it.ID {
			l.owing.note(it)
		}
		l.owing.mark(old.ID)
		l.touch(p)
	}
}

// note notes that an entry changed, for what was folded before and for the
// entries that no dossier holds.
func (l *Line) note(p Place, old, it Item) {
	l.keep.changed(ofPlace(p))
	for _, id := range []message.ID{old.ID, it.ID} {
		if id != (message.ID{}) {
			l.keep.changed(ofID(id))
			l.keep.open[id] = struct{}{}
		}
	}
	if it.Received.IsZero() {
		l.pending[p] = struct{}{}
	} else {
		delete(l.pending, p)
	}
}

// maxListScan is the length up to which a list of referring messages is kept
// free of doubles: a longer one is not worth the search, and a double in it does
// no harm.
const maxListScan = 64

func (l *Line) refer(to, by message.ID) {
	list := l.referring[to]
	if len(list) > maxListScan || !slices.Contains(list, by) {
		l.referring[to] = append(list, by)
		l.keep.changed(ofReferring(to))
	}
}

// index notes what a message names.
func (l *Line) index(it Item, p Place) {
	if it.ID == (message.ID{}) {
		return
	}
	l.ids[it.ID] = append(l.ids[it.ID], p)
	for _, ref := range l.refs(it) {
		l.refer(ref, it.ID)
	}
	if it.Refused != nil {
		if it.Refused.Reason == otherEdition && !l.mixed {
			l.mixed = true // from now on folds look at it: what was folded before did not
			for _, d := range l.keep.list {
				l.keep.drop(d)
			}
			l.owing = nil
		}
		l.mark(it.refusedPlace(), p)
		l.seal(it, l.items[it.refusedPlace()])
	}
	if it.Disputed != nil {
		l.mark(*it.Disputed, p)
	}
	if it.Key != nil {
		l.mark(*it.Key, p)
	}
	if it.Policy != nil {
		list := l.policies[it.Origin.Writer]
		at, _ := slices.BinarySearchFunc(list, p, placeOrder)
		l.policies[it.Origin.Writer] = slices.Insert(list, at, p)
		l.keep.changed(ofPolicies(it.Origin.Writer))
	}
	if it.Disowns != nil {
		l.disowned[it.Origin.Writer] = append(l.disowned[it.Origin.Writer], p)
		l.keep.changed(ofDisowned(it.Origin.Writer))
	}
	if form := l.form(it); form.Kind == KindService && form.Move == "receive" {
		if d, err := identity.ParseDigest(it.Facts.Words["hash"]); err == nil {
			l.blobs[d] = append(l.blobs[d], p)
			l.keep.changed(ofBlob(d))
		}
	}
	l.indexWindow(it)
}

func (l *Line) mark(on, by Place) {
	if !slices.Contains(l.marks[on], by) {
		l.marks[on] = append(l.marks[on], by)
		l.keep.changed(ofPlace(on))
	}
}

// seal notes an entry that a refusal says cannot be opened, by the day it was
// received. What is noted under a day that no longer holds does no harm: who
// looks reads the entry itself.
func (l *Line) seal(refusal, it Item) {
	if refusal.Refused == nil || refusal.Refused.Reason != unreadable {
		return
	}
	l.closed[refusal.refusedPlace()] = struct{}{}
	if it.Received.IsZero() {
		return
	}
	key := dayOf{it.Origin.Writer, day(it.Received)}
	if !slices.Contains(l.sealed[key], it.Place()) {
		l.sealed[key] = append(l.sealed[key], it.Place())
		l.keep.changed(ofSealed(key))
	}
}

// placeOrder is the order of a writer's logs.
func placeOrder(a, b Place) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// listed returns an entry that stands receipted in the record as of a second.
func (l *Line) listed(p Place, at time.Time) (Item, bool) {
	l.looks(ofPlace(p))
	it, ok := l.items[p]
	return it, ok && l.receipted(it, at)
}

// receipted reports whether an entry stands receipted in the record as of a
// second.
func (l *Line) receipted(it Item, at time.Time) bool {
	return !it.Received.IsZero() && l.by(it.Received, at)
}

// marksOf returns the refusals, disputes and keys that name an entry.
func (l *Line) marksOf(p Place) []Place {
	l.looks(ofPlace(p))
	return l.marks[p]
}

// entry returns what stands at a place.
func (l *Line) entry(p Place) Item {
	l.looks(ofPlace(p))
	return l.items[p]
}

// get returns the message of an id as of a second: of entries with one id the
// first counts. Absent is what is unknown, not receipted by then, or sealed to
// its reader.
func (l *Line) get(id message.ID, at time.Time) (Item, bool) {
	l.looks(ofID(id))
	var first Item
	found := false
	for _, p := range l.ids[id] {
		it, ok := l.items[p] // whose change is one of the id's
		if ok && l.receipted(it, at) && (!found || earlier(it, first)) && !l.hidden(p, at) {
			first, found = it, true
		}
	}
	return first, found
}

// earlier is the order of entries that have one id.
func earlier(a, b Item) bool {
	if c := a.Received.Compare(b.Received); c != 0 {
		return c < 0
	}
	if a.Origin != b.Origin {
		return a.Origin.String() < b.Origin.String()
	}
	return a.Index < b.Index
}

// kind returns the kind that a message's format belongs to. What the book does
// not know joins what it refers to.
func (l *Line) kind(it Item) Kind {
	if f, ok := l.known(it); ok {
		return f.Kind
	}
	return KindAny
}

// policy returns the release policy that stands in a writer's log before an
// entry.
func (l *Line) policy(p Place, at time.Time) (*message.Policy, bool) {
	l.looks(ofPolicies(p.Origin.Writer))
	list := l.policies[p.Origin.Writer]
	i, _ := slices.BinarySearchFunc(list, p, placeOrder)
	for i--; i >= 0; i-- {
		if it, ok := l.heard(list[i], at); ok {
			return it.Policy, true
		}
	}
	return nil, false
}
