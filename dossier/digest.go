package dossier

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"

	"detente/identity"
	"detente/message"
)

type dossierJSON struct {
	ChangesAt string         `json:"changes_at,omitempty"`
	ChangesTo Stage          `json:"changes_to,omitempty"`
	Closed    bool           `json:"closed"`
	Conflicts []string       `json:"conflicts,omitempty"`
	Duties    []dutyJSON     `json:"duties,omitempty"`
	Facts     []factJSON     `json:"facts,omitempty"`
	ID        string         `json:"id"`
	Kind      Kind           `json:"kind"`
	Ladder    *ladderJSON    `json:"ladder,omitempty"`
	LapsesAt  string         `json:"lapses_at,omitempty"`
	Last      string         `json:"last"`
	Lead      LeadKept       `json:"lead,omitempty"`
	Links     []linkJSON     `json:"links,omitempty"`
	Named     []namedJSON    `json:"named,omitempty"`
	Next      []nextJSON     `json:"next,omitempty"`
	Outcome   string         `json:"outcome,omitempty"`
	ReadBacks []readBackJSON `json:"read_backs,omitempty"`
	Report    string         `json:"report,omitempty"`
	Serials   []serialJSON   `json:"serials,omitempty"`
	Since     string         `json:"since"`
	Stage     Stage          `json:"stage"`
	Terms     []string       `json:"terms,omitempty"`
	Timeline  []entryJSON    `json:"timeline"`
	From      string         `json:"window_from,omitempty"`
	To        string         `json:"window_to,omitempty"`
}

type dutyJSON struct {
	Act      Act              `json:"act"`
	By       identity.Station `json:"by"`
	Due      string           `json:"due"`
	Extended int              `json:"extended,omitzero"`
	Formats  []message.Format `json:"formats,omitempty"`
	From     string           `json:"from"`
	Met      string           `json:"met,omitempty"`
	MetBy    string           `json:"met_by,omitempty"`
	Of       string           `json:"of"`
	Second   string           `json:"second,omitempty"`
	State    DutyState        `json:"state"`
	Stopped  string           `json:"stopped,omitempty"`
}

type entryJSON struct {
	At          string           `json:"at"`
	Blobs       int              `json:"blobs,omitzero"`
	By          identity.Station `json:"by"`
	Flags       []Flag           `json:"flags,omitempty"`
	Format      message.Format   `json:"format"`
	ID          string           `json:"id"`
	Index       int64            `json:"index"`
	Log         string           `json:"log"`
	Move        Move             `json:"move,omitempty"`
	Outstanding int              `json:"outstanding,omitzero"`
	Received    string           `json:"received"`
	Stage       Stage            `json:"stage"`
}

type nextJSON struct {
	Formats []message.Format   `json:"formats"`
	From    []identity.Station `json:"from"`
	Move    Move               `json:"move"`
	To      []Stage            `json:"to,omitempty"`
}

type linkJSON struct {
	By      string `json:"by"`
	Dossier string `json:"dossier"`
}

type sealedJSON struct {
	Index    int64  `json:"index"`
	Log      string `json:"log"`
	Received string `json:"received"`
	Refusal  string `json:"refusal"`
}

type wholeJSON struct {
	At         string        `json:"at"`
	Dossiers   []dossierJSON `json:"dossiers"`
	Unreadable []sealedJSON  `json:"unreadable,omitempty"`
}

// JSON returns the dossier in the canonical form of RFC 8785. Equal dossiers
// have equal bytes on any machine.
func (d Dossier) JSON() []byte { return canonical(d.json()) }

// JSON returns all matters in the canonical form of RFC 8785, without what is
// unlisted. Both sides have the same bytes for the same record and second.
func (w Whole) JSON() []byte {
	out := wholeJSON{At: stamp(w.At), Dossiers: []dossierJSON{}}
	for _, d := range w.Dossiers {
		out.Dossiers = append(out.Dossiers, d.json())
	}
	for _, s := range w.Unreadable {
		out.Unreadable = append(out.Unreadable, sealedJSON{s.Place.Index, s.Place.Origin.String(), stamp(s.Received), s.Refusal.String()})
	}
	return canonical(out)
}

// Digest returns the digest of JSON, for the daily comparison of both sides.
func (w Whole) Digest() identity.Digest { return identity.Sum(w.JSON()) }

func (d Dossier) json() dossierJSON {
	out := dossierJSON{
		Closed: d.Closed, ID: d.ID.String(), Kind: d.Kind, LapsesAt: stamp(d.LapsesAt), Last: stamp(d.Last), Lead: d.Lead, Outcome: d.Outcome,
		Report: d.Report, Since: stamp(d.Since), Stage: d.Stage, From: stamp(d.Window.From), To: stamp(d.Window.To), Timeline: []entryJSON{},
		ChangesAt: stamp(d.ChangesAt), ChangesTo: d.ChangesTo, Terms: d.Terms, Ladder: d.Ladder.json(),
	}
	for _, id := range d.Conflicts {
		out.Conflicts = append(out.Conflicts, id.String())
	}
	for _, x := range d.Duties {
		out.Duties = append(out.Duties, x.json())
	}
	for _, n := range d.Next {
		out.Next = append(out.Next, nextJSON{n.Formats, n.From, n.Move, n.To})
	}
	for _, e := range d.Timeline {
		out.Timeline = append(out.Timeline, entryJSON{
			stamp(e.At), e.Blobs, e.By, e.Flags, e.Format, e.Message.String(), e.Place.Index, e.Place.Origin.String(), e.Move, e.Outstanding, stamp(e.Received), e.Stage,
		})
	}
	d.stated(&out)
	for _, r := range d.ReadBacks {
		out.ReadBacks = append(out.ReadBacks, r.json())
	}
	for _, l := range d.Links {
		out.Links = append(out.Links, linkJSON{l.By.String(), l.Dossier.String()})
	}
	return out
}

func (d Duty) json() dutyJSON {
	return dutyJSON{
		Act: d.Act, By: d.By, Due: stamp(d.Due), Extended: d.Extended, Formats: d.Formats, From: stamp(d.From), Met: stamp(d.Met),
		MetBy: idText(d.MetBy), Of: d.Of.String(), Second: stamp(d.Second), State: d.State, Stopped: stamp(d.Stopped),
	}
}

func idText(id message.ID) string {
	if id == (message.ID{}) {
		return ""
	}
	return id.String()
}

func canonical(v any) []byte {
	text, err := json.Marshal(v)
	if err == nil {
		value := jsontext.Value(text)
		err = value.Canonicalize()
		text = value
	}
	if err != nil {
		panic("internal error: " + err.Error()) // strings, numbers and booleans only
	}
	return text
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
