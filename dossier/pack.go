package dossier

import (
	"cmp"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
)

// PackSchema names the form of a data pack; what changes the bytes of one changes
// the name.
const PackSchema = "detente.consultation-pack/v1"

// MaxPackRefs bounds what one head of the agenda lists: what is more is counted.
// A meeting goes through no longer list, and a pack stays a document.
const MaxPackRefs = 200

// Pack is the data pack of a consultation: what the record of a line says of a
// period, its first second in it and its last not. Both sides make the same of the
// same record, byte for byte. It counts and judges nobody.
type Pack struct {
	Schema string `json:"schema"`
	Line   string `json:"line"`
	From   string `json:"from"`
	To     string `json:"to"`
	Record string `json:"record"` // digest of all matters as of To: both have the same record where it is the same

	Messages []PackMessages `json:"messages"` // by station, then format
	Answers  []PackAnswers  `json:"answers"`  // by station, then act
	Notices  []PackNotices  `json:"notices"`  // by station
	Tests    []PackTests    `json:"tests"`    // by station
	Claims   []PackRef      `json:"claims"`   // open as of To, by place
	Windows  []PackWindow   `json:"windows"`  // that lie in the period with a second at least, by begin
	Agenda   []PackHead     `json:"agenda"`   // the six heads, in their order
}

// PackMessages counts the messages of a side by format.
type PackMessages struct {
	By     identity.Station `json:"by"`
	Format message.Format   `json:"format"`
	Count  int              `json:"count"`
}

// PackAnswers is how a side did what it owed that fell due in the period.
type PackAnswers struct {
	By            identity.Station  `json:"by"`
	Act           Act               `json:"act"`
	Due           int               `json:"due"`
	States        map[DutyState]int `json:"states"`
	MedianSeconds int64             `json:"median_seconds,omitzero"` // from when the clock ran to when it was met, of those that were; of an even number the lower one
	Met           int               `json:"met"`                     // how many the median is of, in time or late
}

// PackNotices is how long ahead a side announced things.
type PackNotices struct {
	By    identity.Station `json:"by"`
	Usual int              `json:"usual"`
	Least int              `json:"least"`
	Short int              `json:"short"`
}

// PackTests counts the line tests of a side, and those that were read back.
type PackTests struct {
	By     identity.Station `json:"by"`
	Sent   int              `json:"sent"`
	InTime int              `json:"in_time"`
	Late   int              `json:"late"`
	Never  int              `json:"never"`
}

// PackRef names a message of the record, and the matter that it is of.
type PackRef struct {
	Log    string    `json:"log"`
	Index  int64     `json:"index"`
	ID     string    `json:"id"`
	Kind   Kind      `json:"kind"`
	Stage  Stage     `json:"stage"`
	Why    Why       `json:"why"`
	Matter string    `json:"matter"`
	place  Place     // of the message
	due    time.Time // orders duties
}

// PackWindow is a window that was announced.
type PackWindow struct {
	Kind  Kind             `json:"kind"`
	By    identity.Station `json:"by"`
	From  string           `json:"from"`
	To    string           `json:"to"`
	Stage Stage            `json:"stage"`
	Log   string           `json:"log"`
	Index int64            `json:"index"`
}

// PackHead is a head of the agenda with what the record has for it.
type PackHead struct {
	Head  string    `json:"head"`
	Count int       `json:"count"`
	Refs  []PackRef `json:"refs"` // MaxPackRefs at most
}

// ErrPeriod is what a period that is none is refused with.
var ErrPeriod = errors.New("it is no period")

// packing is a pack as it is made.
type packing struct {
	l        *Line
	w        Whole
	from, to time.Time
	pack     Pack
}

// Pack makes the data pack of a period, as of its end. The line's two ends are
// those of any message; ErrPeriod where it ends before it begins.
func (l *Line) Pack(of identity.Line, from, to time.Time) (Pack, error) {
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	if !from.Before(to) {
		return Pack{}, fmt.Errorf("%s to %s: %w: it ends before it begins", stamp(from), stamp(to), ErrPeriod)
	}
	w := l.At(to)
	p := packing{l: l, w: w, from: from, to: to, pack: Pack{
		Schema: PackSchema, Line: of.String(), From: stamp(from), To: stamp(to), Record: w.Digest().String(),
		Messages: []PackMessages{}, Answers: []PackAnswers{}, Notices: []PackNotices{}, Tests: []PackTests{}, Claims: []PackRef{}, Windows: []PackWindow{},
	}}
	p.messages()
	p.answers()
	p.notices([]identity.Station{of.A, of.B})
	p.tests([]identity.Station{of.A, of.B})
	p.windows()
	p.agenda()
	return p.pack, nil
}

// Bytes returns the pack in its canonical form, of which a call of a consultation
// (format 420) names the hash.
func (p Pack) Bytes() ([]byte, error) {
	text, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("data pack of %s: %w", p.Line, err)
	}
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("data pack of %s: %w", p.Line, err)
	}
	return v, nil
}

// in reports whether a second lies in the period.
func (p *packing) in(t time.Time) bool { return !t.Before(p.from) && t.Before(p.to) }

// entries calls do for each message of the period, once each.
func (p *packing) entries(do func(Dossier, Entry)) {
	seen := make(map[message.ID]bool)
	for _, d := range p.w.Dossiers {
		for _, e := range d.Timeline {
			if p.in(e.Received) && !seen[e.Message] {
				seen[e.Message] = true
				do(d, e)
			}
		}
	}
}

func (p *packing) messages() {
	type key struct {
		by identity.Station
		f  message.Format
	}
	count := make(map[key]int)
	p.entries(func(_ Dossier, e Entry) { count[key{e.By, e.Format}]++ })
	for k, n := range count {
		p.pack.Messages = append(p.pack.Messages, PackMessages{k.by, k.f, n})
	}
	slices.SortFunc(p.pack.Messages, func(a, b PackMessages) int { return cmp.Or(compare(a.By, b.By), compare(a.Format, b.Format)) })
}

// dutyKey tells duties apart that a message in several dossiers shows in each.
type dutyKey struct {
	of      message.ID
	act     Act
	by      identity.Station
	formats string
	due     time.Time
}

// duties calls do for each duty that fell due in the period, but for receipts of
// stations, which no person owes. Of one message each counts as often as it arose
// in one dossier.
func (p *packing) duties(do func(Dossier, Duty)) {
	shown := make(map[dutyKey]message.ID)
	for _, d := range p.w.Dossiers {
		for _, x := range d.Duties {
			if x.Act == ActReceived || !p.in(x.Due) {
				continue
			}
			var formats strings.Builder
			for _, f := range x.Formats {
				formats.WriteString(string(f) + " ")
			}
			k := dutyKey{x.Of, x.Act, x.By, formats.String(), x.Due}
			if first, ok := shown[k]; ok && first != d.ID {
				continue
			}
			shown[k] = d.ID
			do(d, x)
		}
	}
}

func (p *packing) answers() {
	type key struct {
		by  identity.Station
		act Act
	}
	rows, took := make(map[key]*PackAnswers), make(map[key][]int64)
	p.duties(func(_ Dossier, d Duty) {
		k := key{d.By, d.Act}
		r := rows[k]
		if r == nil {
			r = &PackAnswers{By: d.By, Act: d.Act, States: make(map[DutyState]int)}
			rows[k] = r
		}
		r.Due++
		r.States[d.State]++
		if !d.Met.IsZero() {
			r.Met++
			took[k] = append(took[k], max(0, int64(d.Met.Sub(d.From)/time.Second)))
		}
	})
	for k, r := range rows {
		if list := took[k]; len(list) > 0 {
			slices.Sort(list)
			r.MedianSeconds = list[(len(list)-1)/2]
		}
		p.pack.Answers = append(p.pack.Answers, *r)
	}
	slices.SortFunc(p.pack.Answers, func(a, b PackAnswers) int { return cmp.Or(compare(a.By, b.By), compare(a.Act, b.Act)) })
}

func (p *packing) notices(sides []identity.Station) {
	for _, by := range sides {
		n := PackNotices{By: by}
		for _, d := range p.w.Dossiers {
			if first := d.Timeline[0]; first.By != by || !p.in(first.Received) {
				continue
			}
			switch d.Lead {
			case LeadUsual:
				n.Usual++
			case LeadLeast:
				n.Least++
			case LeadShort:
				n.Short++
			}
		}
		p.pack.Notices = append(p.pack.Notices, n)
	}
}

// testFormat is the message that tests a line.
const testFormat message.Format = "010"

func (p *packing) tests(sides []identity.Station) {
	rows := make(map[identity.Station]*PackTests)
	for _, by := range sides {
		rows[by] = &PackTests{By: by}
	}
	tests := make(map[message.ID]identity.Station)
	p.entries(func(_ Dossier, e Entry) {
		if r := rows[e.By]; r != nil && e.Format == testFormat {
			r.Sent++
			tests[e.Message] = e.By
		}
	})
	counted := make(map[message.ID]bool)
	for _, d := range p.w.Dossiers {
		for _, x := range d.Duties {
			r := rows[tests[x.Of]]
			if r == nil || x.Act != ActAnswered || counted[x.Of] {
				continue
			}
			counted[x.Of] = true
			switch {
			case x.State == Met || x.State == MetTimeDisputed || x.State == MetDisputed:
				r.InTime++
			case !x.Met.IsZero():
				r.Late++
			case x.State != Open:
				r.Never++
			}
		}
	}
	for _, by := range sides {
		p.pack.Tests = append(p.pack.Tests, *rows[by])
	}
}

func (p *packing) windows() {
	period := Window{p.from, p.to.Add(-time.Second)}
	for _, d := range p.w.Dossiers {
		if first := d.Timeline[0]; d.Window.overlaps(period) {
			p.pack.Windows = append(p.pack.Windows, PackWindow{
				d.Kind, first.By, stamp(d.Window.From), stamp(d.Window.To), d.Stage, first.Place.Origin.String(), first.Place.Index,
			})
		}
	}
	slices.SortFunc(p.pack.Windows, func(a, b PackWindow) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Log, b.Log), cmp.Compare(a.Index, b.Index))
	})
}
