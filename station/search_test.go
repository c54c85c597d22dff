package station_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

var (
	reader  = station.Actor{Name: "reader", Roles: []string{station.RoleRead}}
	auditor = station.Actor{Name: "auditor", Roles: []string{station.RoleAudit}}
)

// spoken is a line on which both sides have spoken, with one message that is for
// named roles only.
func spoken(t testing.TB) (a, b stationtest.End, l identity.Line, ids map[string]message.ID) {
	t.Helper()
	a, b, l = pair(t)
	ids = make(map[string]message.ID)
	say := func(e stationtest.End, name, tlp string, p message.Precedence, f message.Format, typed ...string) {
		t.Helper()
		q, err := e.Say(ctx, start, station.Draft{Line: l, Format: f, Precedence: p, Marking: message.Marking{TLP: tlp}}, typed...)
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = q.ID
	}
	say(a, "transformer", "AMBER", message.Routine, "600", "text=the transformer at the Énergie yard hums")
	say(b, "answer", "GREEN", message.Routine, "600", "text=наблюдаем электросеть <script>")
	say(a, "secret", "RED", message.Routine, "600", "text=the transformer is a decoy")
	say(a, "flash", "AMBER", message.Flash, "222", "activity=availability", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z", "assets=domain:www.grid.example", "certainty=likely")
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	return a, b, l, ids
}

// hits names what a search finds, newest first.
func hits(t testing.TB, e stationtest.End, actor station.Actor, ids map[string]message.ID, q station.Search) string {
	t.Helper()
	h, err := e.Search(ctx, actor, start, q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	var names []string
	for _, hit := range h.List {
		for name, id := range ids {
			if id == hit.ID {
				names = append(names, name)
			}
		}
	}
	return fmt.Sprintf("%s hidden=%d", strings.Join(names, " "), h.Hidden)
}

func TestSearch(t *testing.T) {
	a, b, l, ids := spoken(t)
	secret, err := a.ReadMessage(ctx, stationtest.Operator(), start, ids["secret"])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		q    station.Search
	}{
		{"secret transformer hidden=0", station.Search{Words: "Transformer"}},
		{"transformer hidden=0", station.Search{Words: "transf energie"}},
		{"answer hidden=0", station.Search{Words: "ЭЛЕКТРОСЕТ"}},
		{"flash hidden=0", station.Search{Words: "grid.example"}},
		{"flash hidden=0", station.Search{Words: "可能 grid"}}, // the list's word in Chinese, whatever language it was written in
		{"flash hidden=0", station.Search{Words: "grid", Formats: []message.Format{"222"}, Precedence: message.Flash, Direction: "out", Line: l, Party: "boreal.example"}},
		{"answer hidden=0", station.Search{Formats: []message.Format{"600"}, Direction: "in", Party: string(bor)}},
		{" hidden=0", station.Search{Words: "transformer", Party: "cassia.example"}},
		{" hidden=0", station.Search{Words: "transformer", Since: start.Add(time.Hour)}},
		{"secret transformer hidden=0", station.Search{Words: "transformer", Since: start, Until: start.Add(time.Second), State: "accepted"}},
		{"secret hidden=0", station.Search{Ref: secret.Citation}},
		{"secret hidden=0", station.Search{Ref: ids["secret"].String()}},
		{" hidden=0", station.Search{Ref: "ARD/BOR-N9-417"}},
		{" hidden=0", station.Search{State: "provisional"}},
		{"secret transformer hidden=0", station.Search{Words: "transformer", State: "receipted"}},
		{" hidden=0", station.Search{Words: "transformer", State: "unreceipted"}},
	} {
		if got := hits(t, a, stationtest.Operator(), ids, c.q); got != c.want {
			t.Errorf("%s: %s, not %s", c.q, got, c.want)
		}
	}
	if got := hits(t, b, stationtest.Operator(), ids, station.Search{Words: "transformer", Direction: "in"}); got != "secret transformer hidden=0" {
		t.Errorf("at the other end: %s", got)
	}
	h, err := a.Search(ctx, stationtest.Operator(), start, station.Search{Words: "электросеть", Lang: "fr"})
	if err != nil || len(h.List) != 1 || h.List[0].Snippet.Match != "электросеть" || h.List[0].Snippet.Lang != "fr" || !strings.Contains(h.List[0].Snippet.After, "<script>") {
		t.Errorf("snippet %+v, %v", h.List, err)
	}
	for _, q := range []station.Search{
		{Words: "—"}, {Words: strings.Repeat("w ", 600)}, {Words: "a b c d e f g h i j k l m n o p q"}, {Limit: -1}, {Limit: station.MaxHits + 1}, {Direction: "up"}, {State: "lost"},
		{Ref: "x"}, {After: "x"}, {After: "0.-1"}, {Lang: "de"}, {Since: start, Until: start},
	} {
		if _, err := a.Search(ctx, stationtest.Operator(), start, q); !errors.Is(err, station.ErrInvalid) {
			t.Errorf("%s after %q: %v", q, q.After, err)
		}
	}
}

// What an actor may not read is counted and not shown, nor is it told whether a
// word stands in it; the trail has every search, refused ones too.
func TestSearchRights(t *testing.T) {
	a, _, l, ids := spoken(t)
	for words, want := range map[string]string{"transformer": "transformer hidden=1", "decoy": " hidden=1", "nowhere": " hidden=1"} {
		if got := hits(t, a, reader, ids, station.Search{Words: words}); got != want {
			t.Errorf("%s: %s, not %s", words, got, want)
		}
	}
	if got := hits(t, a, reader, ids, station.Search{Formats: []message.Format{"600"}}); got != "answer transformer hidden=1" {
		t.Errorf("without words: %s", got)
	}
	if got := hits(t, a, reader, ids, station.Search{Ref: ids["secret"].String(), Words: "nowhere"}); got != " hidden=1" {
		t.Errorf("by its name: %s", got)
	}
	if _, err := a.ReadMessage(ctx, reader, start, ids["secret"]); !errors.Is(err, station.ErrRefused) {
		t.Errorf("read by its id: %v", err)
	}
	list, err := a.List(ctx, reader, start, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.ID == ids["secret"] || m.Hidden != (m.Format == "") {
			t.Errorf("listed: %+v", m)
		}
	}
	if _, err := a.Search(ctx, auditor, start, station.Search{Words: "decoy"}); !errors.Is(err, station.ErrRefused) {
		t.Errorf("without the role: %v", err)
	}
	op := stationtest.Operator()
	// A line for nobody but one role, a label of which no rule speaks: both refuse.
	if err := a.SetRights(ctx, op, start, station.Rights{{Line: l.String(), Roles: []string{"leadership"}}, {TLP: "AMBER", Roles: []string{station.RoleRead}}}); err != nil {
		t.Fatal(err)
	}
	if got := hits(t, a, op, ids, station.Search{Words: "transformer"}); !strings.HasPrefix(got, " hidden=") || got == " hidden=0" {
		t.Errorf("on a closed line: %s", got)
	}
	lead := station.Actor{Name: "lead", Roles: []string{station.RoleRead, "leadership"}}
	if got := hits(t, a, lead, ids, station.Search{Formats: []message.Format{"600"}}); got != "transformer hidden=2" {
		t.Errorf("with the line's role: %s", got)
	}
	for _, bad := range []station.Rights{{{}}, {{TLP: "PINK"}}, {{Line: "x"}}, {{Class: "x"}}, {{Class: "technical", TLP: "RED"}}, make(station.Rights, station.MaxRights+1), {{TLP: "RED", Roles: []string{""}}}} {
		if err := a.SetRights(ctx, op, start, bad); !errors.Is(err, station.ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := a.SetRights(ctx, reader, start, nil); !errors.Is(err, station.ErrRefused) {
		t.Errorf("set by a reader: %v", err)
	}
	if err := a.SetRights(ctx, op, start, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := a.Rights(ctx, reader); err != nil || len(r) != len(station.DefaultRights()) {
		t.Errorf("put back: %v, %v", r, err)
	}
	trail, err := a.AuditTrail(ctx, op, start, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`search words="transformer" done 1 found, 1 hidden`, `search words="decoy" refused`} {
		if !slices.ContainsFunc(trail, func(l station.Audit) bool {
			return strings.HasPrefix(fmt.Sprintf("%s %s %s %s", l.Act, l.Object, l.Result, l.Detail), want)
		}) {
			t.Errorf("the trail lacks %q", want)
		}
	}
}

// Pages are stable while messages arrive, cover everything once, and end with an
// error where the tables were made anew between them.
func TestSearchPages(t *testing.T) {
	a, b, l, _ := spoken(t)
	op := stationtest.Operator()
	var want []message.ID
	say := func(n int) message.ID {
		q, err := a.Say(ctx, start, station.Draft{Line: l, Format: "600"}, fmt.Sprintf("text=counted %d", n))
		if err != nil {
			t.Fatal(err)
		}
		return q.ID
	}
	for n := range 9 {
		want = append(want, say(n))
	}
	slices.Reverse(want)
	var got []message.ID
	q := station.Search{Words: "counted", Limit: 4}
	for page := 0; ; page++ {
		h, err := a.Search(ctx, op, start, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range h.List {
			got = append(got, hit.ID)
		}
		if q.After = h.Next; h.Next == "" {
			break
		}
		say(100 + page) // arrives between two pages
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d found, not %d, or in another order", len(got), len(want))
	}
	h, err := a.Search(ctx, op, start, station.Search{Words: "counted", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Doctor(ctx, op, start, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Search(ctx, op, start, station.Search{Words: "counted", After: h.Next}); !errors.Is(err, station.ErrConflict) {
		t.Errorf("a cursor of tables that are gone: %v", err)
	}
	again, err := a.Search(ctx, op, start, station.Search{Words: "counted"})
	if err != nil || len(again.List) != 11 || again.Pending != 0 {
		t.Errorf("after doctor: %d found, %d pending, %v", len(again.List), again.Pending, err)
	}
}

// What the index adds to the store for a message is measured, and bounded: in six
// languages it stays below what the message itself takes.
func TestIndexSize(t *testing.T) {
	ca, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a, b := open(t, start, ca, dir), open(t, start, cb, t.TempDir())
	if err := stationtest.Introduce(ctx, start, a, b); err != nil {
		t.Fatal(err)
	}
	l, err := identity.NewLine(arden, bor, identity.Notification)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []stationtest.End{a, b} {
		if err := errors.Join(e.OpenLine(ctx, start, l, station.DefaultTerms()), e.Tick(ctx, start)); err != nil {
			t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	const n = 64
	for i := range n {
		_, err := a.Say(ctx, start, station.Draft{Line: l, Format: "222"}, "activity=availability", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z",
			fmt.Sprintf("assets=domain:host%d.grid.example", i), "certainty=likely")
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(stationtest.Settle(ctx, start, l, a, b), a.Close(start), b.Close(start)); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "store", "station.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	filled := size()
	a = open(t, start, ca, dir)
	began := time.Now()
	for range 2 + n/128 {
		if err := a.Tick(ctx, start); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	if h, err := a.Search(ctx, stationtest.Operator(), start, station.Search{Words: "host17.grid", Limit: station.MaxHits}); err != nil || len(h.List) != 1 || h.Pending > 0 {
		t.Errorf("%d found, %d not indexed, %v", len(h.List), h.Pending, err)
	}
	if err := a.Close(start); err != nil {
		t.Fatal(err)
	}
	message, words := filled/n, (size()-filled)/n
	t.Logf("a message takes about %d bytes, its words %d more, and %s", message, words, took/n)
	if words <= 0 || words > message {
		t.Errorf("a message takes %d bytes, its words %d", message, words)
	}
}
