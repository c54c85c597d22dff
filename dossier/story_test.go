package dossier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

const (
	arden  identity.Station = "nrrc.arden.example"
	boreal identity.Station = "nrrc.boreal.example"
)

var start = time.Date(2028, 2, 27, 0, 0, 0, 0, time.UTC)

// A story is what two watches said, a line each:
//
//	2h arden 210 Q answer=… -> R,S
//
// at two hours after the start Arden wrote a message of format 210, which the
// story calls Q, with parameters, about R and S. Values: @2h is a time, #3 a
// count, @2h..@4h a window, others are words. recv= gives when the receipt says it
// came (never: none does), prec= the precedence.
type story struct {
	t     testing.TB
	items []Item
	names map[string]message.ID
	place map[string]Place
	size  map[identity.Station]int64
}

func span(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(s, "@"))
	if err != nil {
		t.Fatal(err)
	}
	return start.Add(d)
}

func station(name string) identity.Station {
	if name == "arden" {
		return arden
	}
	return boreal
}

func tell(t testing.TB, text string) *story {
	t.Helper()
	s := &story{t: t, names: make(map[string]message.ID), place: make(map[string]Place), size: make(map[identity.Station]int64)}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "at" {
			s.say(fields)
		}
	}
	return s
}

func (s *story) say(f []string) {
	line := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	at, who := span(s.t, f[0]), station(f[1])
	it := Item{
		Origin: line.Log(who, 1), Index: s.size[who], Format: message.Format(f[2]), Precedence: message.Priority, At: at, Received: at,
		Seen: Seen{1, s.size[line.Other(who)]},
	}
	sum := identity.Sum([]byte(f[3]))
	copy(it.ID[:], sum[:])
	s.names[f[3]], s.place[f[3]] = it.ID, it.Place()
	s.size[who]++
	for i := 4; i < len(f); i++ {
		if f[i] == "->" {
			for _, ref := range strings.Split(f[i+1], ",") {
				sum := identity.Sum([]byte(ref)) // it may not have been said yet
				var id message.ID
				copy(id[:], sum[:])
				it.Refs = append(it.Refs, id)
			}
			break
		}
		name, value, _ := strings.Cut(f[i], "=")
		s.param(&it, name, value)
	}
	s.items = append(s.items, it)
}

func (s *story) param(it *Item, name, value string) {
	switch name {
	case "recv":
		it.Received = time.Time{}
		if value != "never" {
			it.Received = span(s.t, value)
		}
	case "prec":
		p, err := message.ParsePrecedence(value)
		if err != nil {
			s.t.Fatal(err)
		}
		it.Precedence = p
	case "refuses":
		p := s.place[value]
		it.Refused = &Refused{Era: p.Origin.Era, Index: p.Index, Reason: "parameter"}
	case "unreadable":
		p := s.place[value]
		it.Refused = &Refused{Era: p.Origin.Era, Index: p.Index, Reason: unreadable}
	case "disputes":
		p := s.place[value]
		it.Disputed = &p
	case "disowns":
		it.Disowns = &Disowned{Places: []Place{s.place[value]}}
	case "disowns-since":
		it.Disowns = &Disowned{Since: span(s.t, value)}
	case "key":
		p := s.place[value]
		it.Key = &p
	case "withheld":
		it.Withheld = true
	case "confirm-within":
		d, _ := time.ParseDuration(value)
		it.Policy = &message.Policy{Rules: []message.Rule{{Officers: 2, Roles: []string{"releasing"}, Alone: true, ConfirmWithin: d}}}
	case "provisional":
		it.Provisional = true
	case "state":
		it.State = value
		put(&it.Facts.Words, name, value)
	case "decision":
		it.Decision = value
		put(&it.Facts.Words, name, value)
	case "facts", "closes", "questions", "answers", "states", "serials":
		s.listed(it, name, value)
	case "assets":
		it.Facts.Assets = strings.Split(value, ",")
	case "undertakings":
		put(&it.Facts.Lists, name, strings.Split(value, ","))
	case "steps":
		for _, step := range strings.Split(value, ",") {
			f := strings.Split(step, "/")
			r := Record{"step": f[0], "owner": f[1], "due": stamp(span(s.t, f[2]))}
			put(&it.Facts.Records, name, append(it.Facts.Records[name], r))
		}
	case "blob":
		it.Facts.Blobs = append(it.Facts.Blobs, identity.Sum([]byte(value)))
	case "hash":
		put(&it.Facts.Words, name, identity.Sum([]byte(value)).String())
	default:
		s.value(it, name, value)
	}
}

func (s *story) value(it *Item, name, value string) {
	from, to, window := strings.Cut(value, "..")
	switch {
	case window:
		put(&it.Facts.Windows, name, Window{span(s.t, from), span(s.t, to)})
	case strings.HasPrefix(value, "@"):
		put(&it.Facts.Times, name, span(s.t, value))
		put(&it.Facts.Words, name, value)
	case strings.HasPrefix(value, "#"):
		n, err := strconv.ParseInt(value[1:], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		put(&it.Facts.Counts, name, n)
	default:
		put(&it.Facts.Words, name, value)
	}
}

// listed reads what a story lists: facts=#2 states two facts; facts=1:partly,
// closes=1:dropped, questions=1:evidence and answers=X:consent say a code of
// each; states= and serials= are names.
func (s *story) listed(it *Item, name, value string) {
	if n, ok := strings.CutPrefix(value, "#"); ok {
		count, err := strconv.Atoi(n)
		if err != nil {
			s.t.Fatal(err)
		}
		for range count {
			put(&it.Facts.Records, name, append(it.Facts.Records[name], Record{"act": "scanning"}))
		}
		return
	}
	for one := range strings.SplitSeq(value, ",") {
		what, code, coded := strings.Cut(one, ":")
		field := map[string][2]string{"facts": {"fact", "answer"}, "closes": {"fact", "outcome"}, "questions": {"fact", "ask"}, "answers": {"item", "code"}}[name]
		into := strings.Replace(name, "closes", "facts", 1)
		if coded {
			put(&it.Facts.Records, into, append(it.Facts.Records[into], Record{field[0]: what, field[1]: code}))
		} else {
			put(&it.Facts.Lists, name, append(it.Facts.Lists[name], one))
		}
	}
}

// ends returns the line as each side has it: the reader of an entry that it
// refused as unreadable has its place and receipt alone, until it has the key.
func (s *story) ends(b Book) (ends [2]*Line) {
	for i, me := range []identity.Station{arden, boreal} {
		ends[i] = NewLine(b)
		list := slices.Clone(s.items)
		if i == 1 {
			slices.Reverse(list)
		}
		for _, it := range list {
			if it.Origin.Reader == me && s.sealed(it.Place()) {
				it = Item{Origin: it.Origin, Index: it.Index, Received: it.Received}
			}
			ends[i].Put(it)
		}
	}
	return ends
}

func (s *story) sealed(p Place) bool {
	sealed := false
	for _, it := range s.items {
		if it.Key != nil && *it.Key == p {
			return false
		}
		sealed = sealed || it.Refused != nil && it.Refused.Reason == unreadable && it.refusedPlace() == p
	}
	return sealed
}

// check tells what both sides say as of a second, after the checker looked at
// it, and whether it is one.
func (s *story) check(b Book, at time.Time) Whole {
	s.t.Helper()
	ends := s.ends(b)
	w, v := ends[0].At(at), ends[1].At(at)
	if err := Check(w); err != nil {
		s.t.Error(err)
	}
	if string(w.JSON()) != string(v.JSON()) {
		s.t.Errorf("as of %v the two sides differ:\n%s\n%s", at, w.JSON(), v.JSON())
	}
	return w
}

// hold checks the lines of a story that begin with "at": what is so of a
// dossier as of a time.
func hold(t *testing.T, text string) {
	t.Helper()
	s := tell(t, text)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] != "at" {
			continue
		}
		w := s.check(byHand(), span(t, f[1]))
		name := strings.TrimSuffix(f[2], ":")
		i := slices.IndexFunc(w.Dossiers, func(d Dossier) bool { return d.ID == s.names[name] })
		want := strings.Join(f[3:], " ")
		if i < 0 {
			if want != "unknown" {
				t.Errorf("%s: there is no dossier %s", strings.TrimSpace(line), name)
			}
			continue
		}
		if all := s.words(w.Dossiers[i]); !slices.Contains(all, want) {
			t.Errorf("%s: not so; what is so:\n\t%s", strings.TrimSpace(line), strings.Join(all, "\n\t"))
		}
	}
}

// words says all that is so of a dossier in the words of stories.
func (s *story) words(d Dossier) []string {
	name := func(id message.ID) string {
		for n, known := range s.names {
			if known == id {
				return n
			}
		}
		return id.String()
	}
	short := func(st identity.Station) string { return strings.Split(string(st), ".")[1] }
	all := []string{"stage " + string(d.Stage), "lead " + string(d.Lead), strings.TrimSpace("outcome " + d.Outcome), "report " + d.Report,
		fmt.Sprintf("closed %v", d.Closed), "since " + d.Since.Sub(start).String(), fmt.Sprintf("%d entries", len(d.Timeline))}
	for _, x := range d.Duties {
		all = append(all, fmt.Sprintf("%s %s %s %s", short(x.By), x.Act, name(x.Of), x.State),
			fmt.Sprintf("%s %s %s by %s", short(x.By), x.Act, name(x.Of), x.Due.Sub(start)))
	}
	if x, ok := d.Silence(); ok {
		all = append(all, fmt.Sprintf("silence: %s %s %s late after %s", short(x.By), x.Act, name(x.Of), x.Due.Sub(start)))
	} else {
		all = append(all, "silence means nothing")
	}
	for _, e := range d.Timeline {
		for _, flag := range e.Flags {
			all = append(all, fmt.Sprintf("flag %s %s", name(e.Message), flag))
		}
		if len(e.Flags) == 0 {
			all = append(all, fmt.Sprintf("flag %s none", name(e.Message)))
		}
	}
	for _, n := range d.Next {
		for _, from := range n.From {
			all = append(all, fmt.Sprintf("next %s by %s", n.Move, short(from)))
		}
	}
	for _, x := range d.Facts {
		all = append(all, fmt.Sprintf("fact %s/%d %s", name(x.Of), x.N, x.Standing))
	}
	for _, x := range d.Named {
		all = append(all, strings.TrimSpace(fmt.Sprintf("named %s %s", x.State, x.Position)))
	}
	for _, x := range d.Serials {
		all = append(all, strings.TrimSpace(fmt.Sprintf("serial %s %s %s", x.Cite, x.Form, x.Answer)))
	}
	for _, n := range d.Next {
		for _, to := range n.To {
			all = append(all, fmt.Sprintf("next %s to %s", n.Move, to))
		}
	}
	for _, id := range d.Conflicts {
		all = append(all, "conflict "+name(id))
	}
	if d.ChangesTo != "" {
		all = append(all, fmt.Sprintf("comes %s at %s", d.ChangesTo, d.ChangesAt.Sub(start)))
	} else {
		all = append(all, "nothing comes by itself")
	}
	all = append(all, "terms "+strings.Join(d.Terms, ","))
	if d.Window.ok() {
		all = append(all, fmt.Sprintf("window %s to %s", d.Window.From.Sub(start), d.Window.To.Sub(start)))
	}
	for _, l := range d.Links {
		all = append(all, fmt.Sprintf("link %s by %s", name(l.Dossier), name(l.By)))
	}
	return all
}
