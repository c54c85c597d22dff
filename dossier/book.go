package dossier

import (
	"maps"
	"slices"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// Book is what the fold asks of a signal book. It gives the same answers for
// ever: one edition, one Book.
type Book interface {
	// Forms returns all forms, by the number of their format.
	Forms() []Form
}

// Editions is a Book that knows other editions than its own. A message is folded
// by the edition that it names, where the Book knows it, and by the Book's own
// where it does not: its reader, who does not either, has refused it.
type Editions interface {
	Book
	// Of returns an edition by its hash; false where it is not known. What it knows
	// of an edition once it knows for ever.
	Of(identity.Digest) (Book, bool)
}

// Form is what a format is to dossiers.
type Form struct {
	Format    message.Format
	Kind      Kind // KindAny: it joins the dossiers of what it refers to
	Move      Move
	Replies   []message.Format // that answer it; none: no answer is due
	Clocks    map[message.Precedence]Clocks
	By        string                                   // the code by which ByCode sets other clocks; empty: none does
	ByCode    map[string]map[message.Precedence]Clocks // by that code
	Followups []Followup                               // that its author owes later
	Lead      *Lead                                    // nil: it announces nothing
	Lapses    time.Duration                            // after the end of its window it has no effect any more; zero: never by itself
}

// clocks returns the clocks that run for a message of the form.
func (f Form) clocks(it Item) Clocks {
	if by, ok := f.ByCode[it.Facts.Words[f.By]]; ok && f.By != "" {
		return by[it.Precedence]
	}
	return f.Clocks[it.Precedence]
}

// mirrored reports whether the other side answers with the same format.
func (f Form) mirrored() bool { return slices.Contains(f.Replies, f.Format) }

// Clocks are the times within which a message is to be received, seen,
// understood and answered: Received from its wrapper's second, the others from
// its receipt as it stands in the record. A zero says that no such stage is due.
type Clocks struct {
	Received   time.Duration // by the reader's station
	Seen       time.Duration // by a person of its watch
	Understood time.Duration // UND, NUN or COR by a person
	Interim    time.Duration // at least an interim answer
	Answered   time.Duration // in substance
}

// Followup is what the author of a message owes after it.
type Followup struct {
	Format message.Format
	Within time.Duration
	After  string // "entry": its receipt; "window": the end of the window that holds at the time; else the time in that parameter
	Effect int64  // only where the count effect is at least that
}

// Lead is how long before what it announces a message should be received.
type Lead struct {
	Param string        // the time, or the window whose start is meant
	Least time.Duration // less is short notice, a flag: the message stands
	Usual time.Duration // as a rule; zero: the least

	Months  int                      // calendar months instead of Least, by book.AddMonths; zero: none
	By      string                   // the code that decides where LeastOf names its value
	LeastOf map[string]time.Duration // by that code: the least instead of Least
}

// earliest returns the earliest second that a message may announce without being
// short notice.
func (l Lead) earliest(it Item) time.Time {
	if l.Months > 0 {
		return book.AddMonths(it.Received, l.Months)
	}
	if of, ok := l.LeastOf[it.Facts.Words[l.By]]; ok {
		return it.Received.Add(of)
	}
	return it.Received.Add(l.Least)
}

// ByNumber makes a Book of forms by hand. The Book is safe for concurrent use.
func ByNumber(forms ...Form) Book {
	list := slices.Clone(forms)
	slices.SortFunc(list, func(a, b Form) int { return compare(a.Format, b.Format) })
	return numbered(list)
}

type numbered []Form

// Forms implements Book.
func (n numbered) Forms() []Form { return n }

// ByEdition returns an edition of the signal book as the fold asks it. The Book
// is safe for concurrent use.
func ByEdition(e *book.Edition) Book {
	var forms []Form
	for _, f := range e.Formats() {
		forms = append(forms, formOf(f))
	}
	return ByNumber(forms...)
}

func formOf(f book.Format) Form {
	form := Form{
		Format: f.Number, Kind: Kind(f.Dossier), Move: Move(f.Transition), Replies: f.Replies,
		Clocks: make(map[message.Precedence]Clocks), Lapses: time.Duration(f.LapsesSeconds) * time.Second,
	}
	for p := message.Routine; p <= message.Flash; p++ {
		form.Clocks[p] = Clocks(f.Clocks(p))
	}
	if f.ReplyBy != nil {
		form.By, form.ByCode = f.ReplyBy.Param, make(map[string]map[message.Precedence]Clocks)
		for code := range f.ReplyBy.Codes {
			for p := message.Routine; p <= message.Flash; p++ {
				put2(form.ByCode, code, p, Clocks(f.ClocksOf(p, code)))
			}
		}
	}
	for _, u := range f.Followups {
		form.Followups = append(form.Followups, Followup{u.Format, time.Duration(u.WithinSeconds) * time.Second, u.After, int64(u.Effect)})
	}
	if f.Lead != nil {
		form.Lead = &Lead{
			Param: f.Lead.Param, Least: time.Duration(f.Lead.LeastSeconds) * time.Second, Usual: time.Duration(f.Lead.UsualSeconds) * time.Second,
			Months: f.Lead.LeastMonths, By: f.Lead.By, LeastOf: make(map[string]time.Duration),
		}
		for code, n := range f.Lead.LeastOf {
			form.Lead.LeastOf[code] = time.Duration(n) * time.Second
		}
	}
	return form
}

// Needs returns what dossiers need of a signal book: a format for each move of
// each kind, by kind and move.
func Needs() []book.Need {
	var needs []book.Need
	for _, k := range slices.Sorted(maps.Keys(machines)) {
		for _, m := range slices.Sorted(maps.Keys(machines[k].turns)) {
			needs = append(needs, book.Need{By: "dossier " + string(k), Dossier: book.Kind(k), Transition: book.Move(m)})
		}
	}
	return needs
}
