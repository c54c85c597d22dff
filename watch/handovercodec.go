package watch

import (
	"fmt"

	"detente/book"
	"detente/identity"
	"detente/message"
)

const sheetKind = "detente/handover/v1"

type itemJSON struct {
	Detail string `json:"detail,omitempty"`
	Ref    string `json:"ref"`
	Since  string `json:"since,omitempty"`
	What   string `json:"what"`
}

type deadlineJSON struct {
	At   string `json:"at"`
	By   string `json:"by"`
	Late bool   `json:"late,omitzero"`
	Ref  string `json:"ref"`
	What string `json:"what"`
}

type lineJSON struct {
	Desk     string `json:"desk"`
	LastTest string `json:"last_test,omitempty"`
	Line     string `json:"line"`
	Missed   int    `json:"missed,omitzero"`
	Phase    string `json:"phase"`
}

type groupJSON struct {
	Count int     `json:"count"`
	Key   keyJSON `json:"key"`
	Level string  `json:"level"`
	Open  int     `json:"open,omitzero"`
	Since string  `json:"since"`
}

type outageJSON struct {
	Bearers []string `json:"bearers"`
	By      string   `json:"by"`
	From    string   `json:"from"`
	Planned bool     `json:"planned,omitzero"`
	Said    string   `json:"said"`
	To      string   `json:"to,omitempty"`
}

type remarkJSON struct {
	Language string `json:"language"`
	Text     string `json:"text"`
}

type sheetJSON struct {
	Alarms    []groupJSON    `json:"alarms"`
	At        string         `json:"at"`
	Calls     []itemJSON     `json:"calls"`
	Deadlines []deadlineJSON `json:"deadlines"`
	Desk      string         `json:"desk"`
	Exercise  bool           `json:"exercise,omitzero"`
	In        []string       `json:"in"`
	Kind      string         `json:"kind"`
	Lines     []lineJSON     `json:"lines"`
	More      int            `json:"more,omitzero"`
	Out       []string       `json:"out"`
	Outages   []outageJSON   `json:"outages"`
	Remarks   []remarkJSON   `json:"remarks"`
	Silenced  []itemJSON     `json:"silenced"`
	Station   string         `json:"station"`
	Unacked   []itemJSON     `json:"unacknowledged"`
	Waiting   []itemJSON     `json:"waiting"`
}

func itemsJSON(all []OpenItem) []itemJSON {
	out := []itemJSON{}
	for _, i := range all {
		out = append(out, itemJSON{i.Detail, i.Ref, stamp(i.Since), i.What})
	}
	return out
}

// Bytes returns the sheet's frozen form, canonical JSON, which both officers
// sign. Its kind is the domain tag.
func (s Sheet) Bytes() []byte {
	w := sheetJSON{
		Exercise: s.Exercise, Kind: sheetKind, Station: string(s.Station), Desk: s.Desk, At: stamp(s.At), Out: list(s.Out), In: list(s.In), More: s.More,
		Unacked: itemsJSON(s.Unacked), Waiting: itemsJSON(s.Waiting), Silenced: itemsJSON(s.Silenced), Calls: itemsJSON(s.Calls),
		Alarms: []groupJSON{}, Deadlines: []deadlineJSON{}, Lines: []lineJSON{}, Outages: []outageJSON{}, Remarks: []remarkJSON{},
	}
	for _, d := range s.Deadlines {
		w.Deadlines = append(w.Deadlines, deadlineJSON{stamp(d.At), string(d.By), d.Late, d.Ref, d.What})
	}
	for _, l := range s.Lines {
		w.Lines = append(w.Lines, lineJSON{l.Desk, string(l.LastTest), lineText(l.Line), l.Missed, string(l.Phase)})
	}
	for _, g := range s.Alarms {
		w.Alarms = append(w.Alarms, groupJSON{g.Count, g.Key.json(), g.Level.String(), g.Open, stamp(g.Since)})
	}
	for _, o := range s.Outages {
		w.Outages = append(w.Outages, outageJSON{list(o.Bearers), string(o.By), stamp(o.From), o.Planned, stamp(o.Said), stamp(o.To)})
	}
	for _, r := range s.Remarks {
		w.Remarks = append(w.Remarks, remarkJSON{string(r.Language), r.Text})
	}
	return canonical(w)
}

// list is an empty list in place of none.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// ParseSheet reads what Bytes wrote, and checks it.
func ParseSheet(text []byte) (Sheet, error) {
	var w sheetJSON
	if err := decode("handover", text, &w); err != nil {
		return Sheet{}, err
	}
	if w.Kind != sheetKind {
		return Sheet{}, fault("kind", fmt.Sprintf("%q is no handover", clip(w.Kind)), "a newer program may have written it")
	}
	var p stamps
	items := func(all []itemJSON) (out []OpenItem) {
		for _, i := range all {
			out = append(out, OpenItem{i.Ref, i.What, p.read("items."+clip(i.Ref), i.Since), i.Detail})
		}
		return out
	}
	s := Sheet{Exercise: w.Exercise, Station: identity.Station(w.Station), Desk: w.Desk, At: p.read("at", w.At), Out: w.Out, In: w.In, More: w.More,
		Unacked: items(w.Unacked), Waiting: items(w.Waiting), Silenced: items(w.Silenced), Calls: items(w.Calls)}
	for _, d := range w.Deadlines {
		s.Deadlines = append(s.Deadlines, Deadline{d.Ref, d.What, identity.Station(d.By), p.read("deadlines", d.At), d.Late})
	}
	for _, o := range w.Outages {
		s.Outages = append(s.Outages, Outage{identity.Station(o.By), p.read("outages", o.Said), o.Planned, o.Bearers, p.read("outages", o.From), p.read("outages", o.To)})
	}
	for _, r := range w.Remarks {
		s.Remarks = append(s.Remarks, Remark{book.Lang(r.Language), r.Text})
	}
	if err := w.named(&s, &p); err != nil {
		return Sheet{}, err
	}
	if p.err != nil {
		return Sheet{}, p.err
	}
	if err := s.Check(); err != nil {
		return Sheet{}, err
	}
	return s, oneForm("handover", s.Bytes(), text)
}

// named reads what stands there by name: lines and levels.
func (w sheetJSON) named(s *Sheet, p *stamps) error {
	for _, j := range w.Lines {
		l, err := parseLine("lines", j.Line)
		if err != nil {
			return err
		}
		s.Lines = append(s.Lines, LineSummary{l, LinePhase(j.Phase), j.Desk, SlotState(j.LastTest), j.Missed})
	}
	for _, j := range w.Alarms {
		k, err := j.Key.key()
		if err != nil {
			return err
		}
		level, err := message.ParsePrecedence(j.Level)
		if err != nil {
			return err
		}
		s.Alarms = append(s.Alarms, Group{k, level, j.Count, j.Open, p.read("alarms", j.Since)})
	}
	return nil
}
