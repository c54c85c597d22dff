package book_test

import (
	"encoding/json/jsontext"
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"detente/book"
	"detente/book/booktest"
	"detente/message"
)

// A message that its format's rules forbid, or a value that its type does, is
// refused with the parameter's name.
// covers P14
//
// long: one table, a line a case.
func TestRulesRefuse(t *testing.T) {
	e := edition(t)
	long := `"` + strings.Repeat("ab", 33) + `"`
	for _, c := range []struct {
		format  message.Format
		example int
		set     map[string]string // an empty value takes the parameter away
		want    string            // the parameter named; empty: accepted
	}{
		{"004", 0, map[string]string{"own_time": `"2026-11-23T15:46:02Z"`}, "own_time"},
		{"004", 0, map[string]string{"era": `0`}, "era"},
		{"013", 1, map[string]string{"fields": ""}, "fields"},
		{"013", 1, map[string]string{"what": `"resend"`, "fields": ""}, ""},
		{"015", 0, map[string]string{"nonce": `"7d1f"`}, "nonce"},
		{"015", 0, map[string]string{"nonce": long}, "nonce"},
		{"015", 0, map[string]string{"nonce": `"7D1F0C93A4BE52860EF1773D5B9C28AA"`}, "nonce"},
		{"015", 0, map[string]string{"nonce": `"7d1f0c93a4be52860ef1773d5b9c28aaf"`}, "nonce"},
		{"015", 1, map[string]string{"officer": `"BOR W 07"`}, "officer"},
		{"019", 0, map[string]string{"values": `["a","b"]`}, "values"},
		{"019", 1, map[string]string{"new_tlp": ""}, "new_tlp"},
		{"019", 1, map[string]string{"kind": `"recall"`}, "new_tlp"},
		{"020", 1, map[string]string{"window": `{"from":"2028-02-29T00:00:00Z","to":"2028-02-29T01:00:00Z","zone":"UTC"}`}, ""},
		{"020", 1, map[string]string{"window": `{"from":"2027-02-29T00:00:00Z","to":"2027-03-01T01:00:00Z","zone":"UTC"}`}, "window"},
		{"021", 1, map[string]string{"restored": `"2026-11-23T03:12:39Z"`}, "restored"},
		{"021", 1, map[string]string{"restored": `"2026-11-23T03:12:40Z"`}, ""},
		{"021", 1, map[string]string{"missed": `["ARD/BOR-417"]`}, "missed"},
		{"024", 0, map[string]string{"languages": ""}, "languages"},
		{"024", 0, map[string]string{"lines": `["nrrc.boreal.example/nrrc.arden.example/notification"]`}, "lines"},
		{"025", 0, map[string]string{"agreed": ""}, "agreed"},
		{"030", 0, map[string]string{"valid_to": `"2026-12-01T00:00:00Z"`}, "valid_to"},
		{"030", 0, map[string]string{"round_the_clock": `"no"`}, "hours"},
		{"030", 1, map[string]string{"hours": `["Mo-Fr 22:00-06:00"]`}, "hours"},
		{"030", 1, map[string]string{"hours": `["Mo-Fr 24:00-25:00"]`}, "hours"},
		{"030", 1, map[string]string{"replaces": `"BOR-C-009"`}, "replaces"},
		{"030", 1, map[string]string{"channels": `["tel:0-100"]`}, "channels"},
		{"030", 1, map[string]string{"channels": `["email:desk@cert@boreal.example"]`}, "channels"},
		{"030", 1, map[string]string{"channels": `["station:-"]`}, "channels"},
		{"030", 1, map[string]string{"channels": `["web:boreal.example"]`}, "channels"},
		{"031", 0, map[string]string{"reached": `"yes"`, "at": `"2026-11-24T07:41:00Z"`}, "reached"},
		{"031", 1, map[string]string{"reached": `"no"`}, "at"},
		{"031", 1, map[string]string{"reached": `"no"`, "at": ""}, ""},
		{"032", 0, map[string]string{"new_key": `"arden-seal-2026-11"`}, "new_key"},
		{"032", 0, map[string]string{"fingerprint": `"9f1c"`}, "fingerprint"},
		{"033", 1, map[string]string{"affected": ""}, "affected"},
		{"033", 1, map[string]string{"extent": `"all-since"`}, "affected"},
		{"110", 0, map[string]string{"places": ""}, "assets"},
		{"110", 0, map[string]string{"places": `["Boreal"]`}, "places"},
		{"110", 0, map[string]string{"by": ""}, "by"},
		{"111", 0, map[string]string{"window": ""}, "window"},
		{"111", 0, map[string]string{"change": `"cancel"`}, "window"},
		{"112", 0, map[string]string{"effect": `6`}, "effect"},
		{"202", 0, map[string]string{"n": `0`}, "n"},
		{"202", 0, map[string]string{"n": `3`}, "n"},
		{"220", 0, map[string]string{"found": `"2026-11-23T01:09:59Z"`}, "found"},
		{"220", 0, map[string]string{"next_update": `"2026-11-23T01:25:00Z"`}, "next_update"},
		{"220", 0, map[string]string{"by": ""}, "by"},
		{"221", 1, map[string]string{"closed": ""}, "closed"},
		{"221", 0, map[string]string{"next_update": ""}, "next_update"},
		{"230", 0, map[string]string{"assets": ""}, "assets"},
		{"230", 0, map[string]string{"by": ""}, "by"},
		{"231", 1, map[string]string{"grounds": ""}, "grounds"},
		{"231", 0, map[string]string{"grounds": `"lawful"`}, "grounds"},
		{"240", 0, map[string]string{"last_seen": `"2026-11-19T21:59:59Z"`}, "last_seen"},
		{"240", 0, map[string]string{"bundle": `{"hash":"` + strings.Repeat("a", 64) + `","size":0,"type":"a/b"}`}, "bundle"},
		{"241", 0, map[string]string{"items": `[{"item":"a","code":"useful"},{"item":"a","code":"false"}]`}, "items"},
		{"241", 0, map[string]string{"items": `[{"item":"a","code":"splendid"}]`}, "items"},
		{"241", 0, map[string]string{"items": `[{"item":"a b","code":"useful"}]`}, "items"},
		{"410", 0, map[string]string{"matters": ""}, "matters"},
		{"401", 0, map[string]string{"at": ""}, "at"},
		{"012", 0, map[string]string{"done": `"partly"`}, ""},
		{"034", 0, map[string]string{"base": `"` + strings.Repeat("9f1c7a52e08b4d3366d1c0aa7be5f214", 2) + `"`}, "edition"},
		{"035", 1, map[string]string{"reservations": ""}, "reservations"},
		{"035", 0, map[string]string{"decision": `"declined"`}, "from"},
		{"036", 1, map[string]string{"senses": `[{"language":"en","no":1,"words":"a"},{"language":"ru","no":1,"words":"b"}]`}, "senses"},
		{"036", 0, map[string]string{"by": ""}, "by"},
		{"037", 1, map[string]string{"your_sense": `1`}, "your_sense"},
		{"246", 0, map[string]string{"answer": `"refused"`, "until": `"2027-05-01T00:00:00Z"`}, "until"},
		{"251", 0, map[string]string{"answer": `"declined"`, "next_report": ""}, "grounds"},
		{"251", 0, map[string]string{"next_report": ""}, "next_report"},
		{"260", 0, map[string]string{"embargo": ""}, "embargo"},
		{"260", 1, map[string]string{"state": ""}, "state"},
		{"270", 0, map[string]string{"article": `"A31"`}, "article"},
		{"270", 0, map[string]string{"article": ""}, "article"},
		{"270", 0, map[string]string{"undertaking": `"U1"`}, "undertaking"},
		{"270", 0, map[string]string{"basis": `"none"`, "article": ""}, ""},
		{"270", 0, map[string]string{"technical": `"tools"`}, "technical_confidence"},
		{"270", 0, map[string]string{"political_confidence": `"likely"`}, "political_confidence"},
		{"270", 0, map[string]string{"facts": `[{"act":"scanning","asset":"asn:1","effect":"6","from":"2026-11-22T04:00:00Z","level":"1"}]`}, "facts"},
		{"270", 0, map[string]string{"facts": `[{"act":"scanning","asset":"asn:1","effect":"1","from":"2026-11-22T04:00:00Z","level":"1","to":"2026-11-22T03:00:00Z"}]`}, "facts"},
		{"270", 0, map[string]string{"facts": `[{"act":"scanning","asset":"asn:1","effect":"1","from":"2026-11-22T04:00:00Z"}]`}, "facts"},
		{"271", 1, map[string]string{"facts": `[{"answer":"partly","fact":2},{"answer":"not-ours","fact":2}]`}, "facts"},
		{"271", 0, map[string]string{"facts": `[{"answer":"guilty","fact":1}]`}, "facts"},
		{"271", 0, map[string]string{"facts": `[{"answer":"partly","fact":33}]`}, "facts"},
		{"272", 0, map[string]string{"questions": `[{"fact":1}]`}, "questions"},
		{"275", 1, map[string]string{"states": `["XB","XC"]`}, "states"},
		{"275", 0, map[string]string{"source_state": `"XC"`}, "source_state"},
		{"275", 0, map[string]string{"ask": `"position"`}, "by"},
		{"390", 0, map[string]string{"form": `"redacted"`}, "redactions"},
		{"390", 0, map[string]string{"at": `"2027-01-14T00:00:00Z"`}, "at"},
		{"391", 0, map[string]string{"answers": `[{"code":"consent","item":"ARD/BOR-N1-1"},{"code":"refuse","item":"ARD/BOR-N1-1"}]`}, "answers"},
		{"440", 0, map[string]string{"ask": `"views"`}, "by"},
	} {
		f := format(t, c.format)
		params := maps.Clone(map[string]jsontext.Value(f.Examples[c.example]))
		for name, v := range c.set {
			if v == "" {
				delete(params, name)
			} else {
				params[name] = jsontext.Value(v)
			}
		}
		err := e.Check(message.Body{Format: c.format, Refs: []message.ID{{1}}, Params: params})
		var p *book.ParamError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s with %v: %v", c.format, c.set, err)
		case c.want != "" && (!errors.As(err, &p) || p.Param != c.want || p.Reason == "" || p.Next == ""):
			t.Errorf("%s with %v: %v, want an error of %s", c.format, c.set, err, c.want)
		}
	}
}

// A message that speaks of another one names it.
func TestCheckNeedsReference(t *testing.T) {
	e := edition(t)
	f := format(t, "231")
	var p *book.ParamError
	if err := e.Check(message.Body{Format: f.Number, Params: f.Examples[0]}); !errors.As(err, &p) || p.Param != "refs" || !strings.Contains(p.Next, "230") {
		t.Errorf("an answer without what it answers: %v", err)
	}
}

// What an officer types for an item reads as the item and its code.
func TestComposeItem(t *testing.T) {
	got, err := edition(t).Compose("241", []string{"items=https://a.example/x/useful", "items=b/false"})
	if want := `[{"code":"useful","item":"https://a.example/x"},{"code":"false","item":"b"}]`; err != nil || string(got["items"]) != want {
		t.Errorf("%s, %v", got["items"], err)
	}
	if _, err := edition(t).Compose("241", []string{"items=useful"}); err == nil {
		t.Error("an item without its code is read")
	}
}

// Receipts, answers and closures say of themselves that they admit nothing, in
// every language.
// covers P20
func TestNothingAdmits(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(9, 10))
	standing, _ := e.List("standing")
	for _, f := range e.Formats() {
		b, err := booktest.Body(e, f, r).Freeze()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range book.Langs() {
			text, err := e.Render(b.Body(), l)
			if err != nil || !strings.HasSuffix(text, " — "+standing.Codes[0].Label[l]+"\n") {
				t.Errorf("%s in %s does not end with the reservation: %v", f.Number, l, err)
			}
		}
	}
}

// A message says by one word what it does, and a rendering that says another is
// not read.
func TestAct(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(11, 12))
	seen := make(map[string]bool)
	for range 20 {
		b := booktest.Body(e, format(t, "031"), r)
		act := map[string]string{`"ping"`: "inquire", `"answer"`: "inform"}[string(b.Params["step"])]
		seen[act] = true
		text, err := e.Render(b, "en")
		if err != nil || !strings.Contains(text, "\nNature of the message: "+act+" — ") {
			t.Fatalf("%s does not say %q: %v", text, act, err)
		}
		if _, _, err := e.Parse(strings.Replace(text, act+" — ", "warn — ", 1)); err == nil {
			t.Error("an act whose label is another's is read")
		}
		if _, _, err := e.Parse(strings.NewReplacer("inquire — we inquire of you", "inform — we inform you", "inform — we inform you", "inquire — we inquire of you").Replace(text)); err == nil {
			t.Error("another act is read")
		}
	}
	if len(seen) != 2 {
		t.Errorf("only %v was tried", seen)
	}
}
