package station_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// An answer to a recall says what was done, or is refused with the place; what was
// done is said of nothing else.
// covers P14
func TestRecallIsAnswered(t *testing.T) {
	w := newWatch(t)
	claim := w.say(w.a, time.Minute, "270", nil, alleged...)
	recall := w.say(w.a, time.Hour, "019", []message.ID{claim}, "kind=recall", "ask=stop-use", "by=2026-11-30T00:00:00Z")
	noted := w.say(w.a, 2*time.Hour, "019", []message.ID{claim}, "kind=add", "fields=remarks", "values=x", "ask=note")
	for name, c := range map[string]struct {
		of   message.ID
		more []string
		want string // in the error; empty: taken
	}{
		"nothing is said of what was done": {recall, nil, `done: the message that it answers asks for "stop-use", and it does not say what was done`},
		"it is said":                       {recall, []string{"done=stopped-use"}, ""},
		"that nothing was done":            {recall, []string{"done=not-done"}, ""},
		"nothing is asked for":             {noted, nil, ""},
		"done in answer to a claim":        {claim, []string{"done=noted"}, "done: it answers no recall or correction"},
		"an answer to a claim":             {claim, nil, ""},
		"it is not understood":             {recall, []string{"state=NUN"}, ""},
	} {
		typed := append([]string{"role=watch", "received=2026-11-23T16:00:00Z"}, c.more...)
		if !slices.Contains(typed, "state=NUN") {
			typed = append(typed, "state=UND")
		}
		_, err := w.b.Say(ctx, at(3*time.Hour), station.Draft{Line: w.line, Format: "012", Refs: []message.ID{c.of}}, typed...)
		var fit *dossier.FitError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.Is(err, station.ErrInvalid) || !errors.As(err, &fit) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An analysis is attached to the other side's evidence and changes nothing of it:
// neither that evidence itself nor a bundle with one of its objects in another
// wording goes as an analysis, and both ends list what was attached.
// covers P3 P14
func TestAnalysisIsAttached(t *testing.T) {
	a, b, l := pair(t)
	w := &watchPair{t, a, b, l}
	original, ref := add(t, a, l, station.StixType, bundle(""))
	claim := evidenced(t, w, a, "270", nil, "evidence", ref, alleged...)
	carryBlob(t, a, b, l)
	if _, err := b.ReadBundle(ctx, stationtest.Operator(), at(time.Hour), original); err != nil {
		t.Fatal(err)
	}
	_, edited := add(t, b, l, station.StixType, strings.Replace(bundle(""), "Beacon", "No beacon", 1))
	note := strings.NewReplacer(`"type":"indicator"`, `"type":"note"`, seenID, "note--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", `"name":"Beacon","pattern":"[ipv4-addr:value = '192.0.2.7']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"`,
		`"content":"the address was leased","object_refs":["`+seenID+`"]`).Replace(bundle(""))
	analysis, sound := add(t, b, l, station.StixType, note)
	answers := []string{"facts=fact=1;answer=partly"}
	for ref, want := range map[string]string{ref: "counter_evidence [1]: it is the evidence of the message that is answered", edited: "counter_evidence [1]: the bundle holds " + seenID} {
		if _, err := submitWith(t, b, l, at(2*time.Hour), "271", []message.ID{claim}, "counter_evidence", ref, answers...); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
	reply := evidenced(t, w, b, "271", []message.ID{claim}, "counter_evidence", sound, answers...)
	for _, e := range []stationtest.End{a, b} {
		list, err := e.AttachedTo(ctx, stationtest.Operator(), at(4*time.Hour), original)
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %d are attached, %v", e.Name(), len(list), err)
		}
		if got := list[0]; got.Hash != analysis || got.By != b.Name() || got.Message != reply || got.To != claim || got.Held != (e.Name() == b.Name()) {
			t.Errorf("%s: %+v", e.Name(), got)
		}
	}
	if r, err := b.ReadBundle(ctx, stationtest.Operator(), at(4*time.Hour), original); err != nil || !strings.Contains(fmt.Sprint(r.Bundle.Manifest()), seenID) {
		t.Errorf("the evidence reads otherwise: %v", err)
	}
}

// submitWith submits a message with a blob in one of its parameters.
func submitWith(t *testing.T, e stationtest.End, on identity.Line, now time.Time, f message.Format, refs []message.ID, param, blob string, typed ...string) (station.Outgoing, error) {
	t.Helper()
	params, err := e.Book().Compose(f, typed)
	if err != nil {
		t.Fatal(err)
	}
	params[param] = []byte("[" + blob + "]")
	return e.Submit(ctx, stationtest.Operator(), now, station.Draft{Line: on, Format: f, Refs: refs, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params})
}

// evidenced says something with a blob, and carries it over.
func evidenced(t *testing.T, w *watchPair, e stationtest.End, f message.Format, refs []message.ID, param, blob string, typed ...string) message.ID {
	t.Helper()
	out, err := submitWith(t, e, w.line, start, f, refs, param, blob, typed...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Release(ctx, stationtest.Operator(), start, out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Approve(ctx, start, out.ID, r.Need); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start, w.line, w.a, w.b); err != nil {
		t.Fatal(err)
	}
	return out.ID
}

// objects writes a bundle of n objects, and counts what was read of it.
type objects struct {
	n, told int
	rest    string
}

func (o *objects) Read(p []byte) (int, error) {
	for len(o.rest) < len(p) && o.told <= o.n {
		switch {
		case o.told == 0:
			o.rest = `{"type":"bundle","id":"bundle--6f3c2a9e-3d1b-4a35-9a74-0d6f6a1b7c11","objects":[`
		case o.told > 1:
			o.rest += ","
			fallthrough
		default:
			o.rest += fmt.Sprintf(`{"type":"mutex","spec_version":"2.1","id":"mutex--%08x-0000-4000-8000-000000000000","name":"m"}`, o.told)
		}
		if o.told == o.n {
			o.rest += "]}"
		}
		o.told++
	}
	if o.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// A bundle of 200,000 objects is refused as evidence with the limit named, once
// that many were read and no more, in bounded memory; nothing of it is kept. What
// is within the limit is taken.
// covers P14
func TestBundleOf200000Objects(t *testing.T) {
	a, _, l := pair(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	many := &objects{n: 200_000}
	begun := time.Now()
	_, err := a.AddBlob(ctx, stationtest.Operator(), start, l, station.StixType, many)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "more than 20000 objects") || !strings.Contains(err.Error(), "split the bundle") {
		t.Fatalf("it is taken, or not told: %v", err)
	}
	if many.told > 25_000 {
		t.Errorf("%d objects were read", many.told)
	}
	if grown := after.Sys - before.Sys; grown > 256<<20 {
		t.Errorf("it took %d MiB", grown>>20)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	if list, err := a.ListBlobs(ctx, stationtest.Operator(), start, 0, identity.Digest{}, 10); err != nil || len(list) > 0 {
		t.Errorf("%d blobs are kept, %v", len(list), err)
	}
	if _, err := a.AddBlob(ctx, stationtest.Operator(), start, l, station.StixType, &objects{n: 5_000}); err != nil {
		t.Errorf("a bundle within the limits: %v", err)
	}
	if list, err := a.ListBlobs(ctx, stationtest.Operator(), start, 0, identity.Digest{}, 10); err != nil || len(list) != 1 {
		t.Errorf("of the second bundle %d blobs are kept, %v", len(list), err)
	}
}
