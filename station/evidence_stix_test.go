package station_test

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"detente/book"
	"detente/identity"
	"detente/interop/stix"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

const (
	amberRef = `,"object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]`
	redRef   = `,"object_marking_refs":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]`
	lostRef  = `,"object_marking_refs":["marking-definition--00000000-0000-4000-8000-000000000000"]`
	seenID   = "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2"
)

// bundle is a bundle of one indicator, with more members of it.
func bundle(extra string) string {
	return `{"type":"bundle","id":"bundle--6f3c2a9e-3d1b-4a35-9a74-0d6f6a1b7c11","objects":[` + "\n" + `{"type":"indicator","spec_version":"2.1","id":"` + seenID +
		`","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Beacon","pattern":"[ipv4-addr:value = '192.0.2.7']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"` + extra + `}]}`
}

// add adds a blob and returns its hash and the parameter that names it.
func add(t *testing.T, e stationtest.End, l identity.Line, mediaType, text string) (identity.Digest, string) {
	t.Helper()
	ref, err := e.AddBlob(ctx, stationtest.Operator(), start, l, mediaType, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Hash string `json:"hash"`
	}
	if err := json.Unmarshal(ref, &v); err != nil {
		t.Fatal(err)
	}
	hash, err := identity.ParseDigest(v.Hash)
	if err != nil {
		t.Fatal(err)
	}
	return hash, string(ref)
}

// inquire drafts an inquiry that names a blob under a marking.
func inquire(t *testing.T, e stationtest.End, l identity.Line, ref string, m message.Marking) station.Draft {
	t.Helper()
	params, err := e.Book().Compose("210", []string{
		"kind=scanning", "window=2026-11-23T12:00:00Z/2026-11-23T13:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=pattern", "ask=inform", "by=2026-11-24T12:00:00Z",
	})
	if err != nil {
		t.Fatal(err)
	}
	params["evidence"] = jsontext.Value("[" + ref + "]")
	return station.Draft{Line: l, Format: "210", Marking: m, Language: "en", Params: params}
}

// carryBlob lets Boreal fetch what Arden offers.
func carryBlob(t *testing.T, a, b stationtest.End, l identity.Line) {
	t.Helper()
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	wanted, _, err := b.WantedBlobs(ctx, l, identity.Digest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wanted {
		r, _, err := a.OpenBlob(ctx, bor, w.Hash)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.TakeBlob(ctx, start, w, 0, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
}

// A message whose marking is below that of an object in its bundle is refused
// when its bytes are fixed, by words that name the object; so is a record that
// would disclose it.
func TestMarkings(t *testing.T) {
	a, b, l := pair(t)
	op := stationtest.Operator()
	hash, ref := add(t, a, l, station.StixType, bundle(redRef))
	for _, m := range []message.Marking{{TLP: "CLEAR"}, {TLP: "AMBER"}, {TLP: "AMBER+STRICT", PAP: "RED"}} {
		if _, err := a.Submit(ctx, op, start, inquire(t, a, l, ref, m)); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), seenID) {
			t.Errorf("under %v: %v", m, err)
		}
	}
	q, err := a.Submit(ctx, op, start, inquire(t, a, l, ref, message.Marking{TLP: "RED"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, start, q.ID, 2); err != nil {
		t.Fatal(err)
	}
	carryBlob(t, a, b, l)
	for _, c := range []struct {
		actor station.Actor
		e     station.Export
		ok    bool
	}{
		{op, station.Export{Message: q.ID.String(), Disclose: true}, false},
		{op, station.Export{Dossier: q.ID.String(), Disclose: true, Marking: message.Marking{TLP: "AMBER"}}, false},
		{op, station.Export{Line: l.String(), Disclose: true, Marking: message.Marking{TLP: "PINK"}}, false},
		{reader, station.Export{Message: q.ID.String(), Disclose: true, Marking: message.Marking{TLP: "RED"}}, false},
		{op, station.Export{Message: q.ID.String(), Disclose: true, Marking: message.Marking{TLP: "RED"}}, true},
		{op, station.Export{Message: q.ID.String()}, true},
	} {
		if err := a.Export(ctx, c.actor, start, c.e, io.Discard); (err == nil) != c.ok {
			t.Errorf("%s exports %+v: %v", c.actor.Name, c.e, err)
		}
	}
	for _, e := range []stationtest.End{a, b} {
		if err := e.ReadBlob(ctx, reader, start, hash, io.Discard); !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s: a reader opens what is RED: %v", e.Name(), err)
		}
		if _, err := e.ReadBundle(ctx, reader, start, hash); !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s: a reader reads what is RED: %v", e.Name(), err)
		}
	}
	// A marking that cannot be read counts as RED, and none is covered by the message's.
	_, lost := add(t, a, l, station.StixType+"; version=2.1", bundle(lostRef))
	if _, err := a.Submit(ctx, op, start, inquire(t, a, l, lost, message.Marking{TLP: "AMBER"})); !errors.Is(err, station.ErrRefused) {
		t.Errorf("a marking that cannot be read: %v", err)
	}
	_, none := add(t, a, l, station.StixType, bundle(""))
	if _, err := a.Submit(ctx, op, start, inquire(t, a, l, none, message.Marking{TLP: "CLEAR"})); err != nil {
		t.Errorf("without a marking of its own: %v", err)
	}
	// What says that it is a bundle has been read as one.
	_, plain := add(t, a, l, "application/octet-stream", bundle(redRef))
	if _, err := a.Submit(ctx, op, start, inquire(t, a, l, strings.Replace(plain, "application/octet-stream", station.StixType, 1), message.Marking{TLP: "AMBER"})); !errors.Is(err, station.ErrRefused) {
		t.Errorf("a bundle that was not read: %v", err)
	}
	if _, err := a.Submit(ctx, op, start, inquire(t, a, l, plain, message.Marking{TLP: "AMBER"})); err != nil {
		t.Errorf("carried as it is: %v", err)
	}
}

// What is no acceptable bundle is refused with all its faults, and nothing of it
// is kept; of another type it is carried unread.
func TestHostileBundles(t *testing.T) {
	a, b, l := pair(t)
	op := stationtest.Operator()
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "{", "another": `{"a":1}`, "after it": bundle("") + "x", "twice": strings.Replace(bundle(""), `"name"`, `"name":"a","name"`, 1),
		"deep": bundle(`,"x_a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "long": bundle(`,"x_a":"` + strings.Repeat("a", stix.MaxString+1) + `"`),
		"no such day": strings.Replace(bundle(""), "2026-11-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", 1), "surrogate": bundle(`,"x_a":"\ud800"`),
	} {
		_, err := a.AddBlob(ctx, op, start, l, station.StixType, strings.NewReader(text))
		var f station.FindingsError
		if !errors.As(err, &f) || !errors.Is(err, station.ErrInvalid) || len(f.Findings) == 0 || f.Findings[0].Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
		hash, ref := add(t, a, l, "application/octet-stream", text)
		if _, err := a.ReadBundle(ctx, op, start, hash); !errors.As(err, &f) {
			t.Errorf("%s, read when asked: %v", name, err)
		}
		if text == "" {
			continue
		}
		if name == "deep" { // the counterpart carries it, and refuses it only when asked
			q, err := a.Submit(ctx, op, start, inquire(t, a, l, ref, message.Marking{TLP: "AMBER"}))
			if err == nil {
				err = a.Approve(ctx, start, q.ID, 2)
			}
			if err != nil {
				t.Fatal(err)
			}
			carryBlob(t, a, b, l)
			var got bytes.Buffer
			if err := b.ReadBlob(ctx, op, start, hash, &got); err != nil || got.String() != text {
				t.Errorf("carried: %v", err)
			}
			if _, err := b.ReadBundle(ctx, op, start, hash); !errors.As(err, &f) {
				t.Errorf("read at the other end: %v", err)
			}
		}
	}
	// A stream that never ends is given up at the limit.
	if _, err := a.AddBlob(ctx, op, start, l, station.StixType, endless{}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("an endless stream: %v", err)
	}
}

// endless is white space without end.
type endless struct{}

// Read fills p.
func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// The custody of a blob says at both ends who did what, in a chain; what the
// chain does not take is refused to officers and holds up no delivery.
func TestCustody(t *testing.T) {
	a, b, l := pair(t)
	op := stationtest.Operator()
	hash, ref := add(t, a, l, station.StixType, bundle(amberRef))
	if _, err := a.ReadBundle(ctx, op, start, hash); err != nil { // before it is sent
		t.Fatal(err)
	}
	q, err := a.Submit(ctx, op, start, inquire(t, a, l, ref, message.Marking{TLP: "AMBER"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, start, q.ID, 2); err != nil {
		t.Fatal(err)
	}
	carryBlob(t, a, b, l)
	r, err := b.ReadBundle(ctx, reader, start, hash, book.Langs()...)
	if err != nil || len(r.Texts) != 6 || len(r.Bundle.Objects) != 1 {
		t.Fatalf("read at the other end: %d texts, %v", len(r.Texts), err)
	}
	if _, err := b.AddCustody(ctx, op, start, hash, stix.Released, "", "to the court"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		actor          station.Actor
		act            stix.Act
		result, method string
		want           error
	}{
		{reader, stix.Examined, "", "", station.ErrRefused}, {op, stix.Sent, "", "", station.ErrInvalid}, {op, "burnt", "", "", station.ErrInvalid},
		{op, stix.Released, "", "", station.ErrInvalid}, {op, stix.Examined, "", "", station.ErrConflict}, {op, stix.Examined, "\n", "", station.ErrConflict},
	} {
		if _, err := b.AddCustody(ctx, c.actor, start, hash, c.act, c.method, c.result); !errors.Is(err, c.want) {
			t.Errorf("%s by %s: %v", c.act, c.actor.Name, err)
		}
	}
	if err := b.ReadBlob(ctx, op, start, hash, io.Discard); err != nil {
		t.Errorf("read after its release: %v", err)
	}
	if _, err := b.Custody(ctx, auditor, start, identity.Sum(nil)); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	for e, want := range map[stationtest.End]string{a: "collected sealed examined sealed sent", b: "received examined released"} {
		for range 2 { // the tables made anew add nothing
			c, err := e.Custody(ctx, auditor, start, hash)
			if err != nil {
				t.Fatal(err)
			}
			var acts []string
			for _, ev := range c.Events() {
				acts = append(acts, string(ev.Act))
				if ev.Artefact != hash || ev.Station != e.Name() || ev.Officer == "" {
					t.Errorf("%s: %+v", e.Name(), ev)
				}
			}
			if got := strings.Join(acts, " "); got != want {
				t.Errorf("%s: %s, not %s", e.Name(), got, want)
			}
			if _, err := e.Doctor(ctx, op, start, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	checkLine(t, l, a, b)
}

// Feedback comes back, and is joined to the objects it judges.
func TestFeedback(t *testing.T) {
	a, b, l := pair(t)
	op := stationtest.Operator()
	hash, ref := add(t, a, l, station.StixType, bundle(amberRef))
	r, err := a.ReadBundle(ctx, op, start, hash)
	if err != nil {
		t.Fatal(err)
	}
	items := fmt.Sprintf(`[{"item":%q,"code":"useful"},{"item":%q,"code":"false"}]`, seenID+"@"+r.Bundle.Objects[0].Hash.String(), seenID+"@"+identity.Sum(nil).String())
	params := map[string]jsontext.Value{"items": jsontext.Value(items), "useful": jsontext.Value("1"), "false_positive": jsontext.Value("1"), "acted": jsontext.Value("0")}
	shared, err := a.Say(ctx, start, station.Draft{Line: l, Format: "240"}, "kinds=control", "bundle="+ref, "bundle_hash="+hash.String(), "objects=1", "origin_hint=unknown",
		"handling=AMBER", "permitted_actions=AMBER", "first_seen=2026-11-01T00:00:00Z", "last_seen=2026-11-02T00:00:00Z", "ask=none")
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	fb, err := b.Submit(ctx, op, start, station.Draft{Line: l, Format: station.FeedbackFormat, Refs: []message.ID{shared.ID}, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Approve(ctx, start, fb.ID, 2); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	got, err := a.MatchFeedback(ctx, op, start, hash, fb.ID)
	if err != nil || len(got) != 2 || !got[0].Held || !got[0].Same || !got[1].Held || got[1].Same {
		t.Errorf("matched: %+v, %v", got, err)
	}
	if _, err := a.MatchFeedback(ctx, op, start, hash, shared.ID); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("what was shared is no feedback: %v", err)
	}
	checkLine(t, l, a, b)
}
