package dossier

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// What a reader understood is compared with what was written, and a difference
// is shown to both sides.
// covers P10
func TestReadBack(t *testing.T) {
	s := tell(t, `
		0s arden 230 S ask=stop effect=#3 window=@2h..@3h
		1h boreal 012 U state=UND -> S
		2h boreal 012 V state=UND -> S`)
	put(&s.items[1].Facts.Records, readBackParam, []Record{{"field": "ask", "value": "stop"}, {"field": "effect", "value": "3"}, {"field": "window", "value": "2028-02-27T02:00:00Z/2028-02-27T03:00:00Z"}})
	put(&s.items[2].Facts.Records, readBackParam, []Record{{"field": "ask", "value": "observe"}, {"field": "no-such", "value": "1"}})
	w := s.check(byHand(), start.Add(3*time.Hour))
	if len(w.Dossiers) != 1 || len(w.Dossiers[0].ReadBacks) != 2 {
		t.Fatalf("%s", w.JSON())
	}
	d := w.Dossiers[0]
	if d.ReadBacks[0].Differs() || !d.ReadBacks[1].Differs() || d.ReadBacks[1].Fields[0].Wrote != "stop" || d.ReadBacks[1].Fields[1].Wrote != "" {
		t.Errorf("read back: %+v", d.ReadBacks)
	}
	for id, want := range map[string]bool{"U": false, "V": true} {
		i := slices.IndexFunc(d.Timeline, func(e Entry) bool { return e.Message == s.names[id] })
		if got := slices.Contains(d.Timeline[i].Flags, FlagReadDiffers); got != want {
			t.Errorf("%s is flagged: %v", id, got)
		}
	}
}

// A translation is of the text that it refers to, or both sides see that it is
// not.
// covers P10
func TestTranslationOfAnotherOriginal(t *testing.T) {
	s := tell(t, `
		0s arden 600 T
		1h boreal 601 A -> T
		2h boreal 601 B -> T
		3h boreal 601 C`)
	s.items[0].Body = identity.Sum([]byte("the text"))
	put(&s.items[1].Facts.Words, "original", identity.Sum([]byte("the text")).String())
	put(&s.items[2].Facts.Words, "original", identity.Sum([]byte("another")).String())
	w := s.check(byHand(), start.Add(9*time.Hour))
	flagged := map[string]bool{}
	for _, d := range w.Dossiers {
		for _, e := range d.Timeline {
			for name, id := range s.names {
				flagged[name] = flagged[name] || e.Message == id && slices.Contains(e.Flags, FlagOtherOriginal)
			}
		}
	}
	if got := fmt.Sprint(flagged); got != "map[A:false B:true C:true T:false]" {
		t.Error(got)
	}
}

// An answer to a recall that does not say what was done is flagged at both ends.
// covers P10
func TestDeedUntold(t *testing.T) {
	s := tell(t, `
		0s arden 270 C
		1h arden 019 R -> C
		2h boreal 012 A -> R
		3h boreal 012 B -> R
		4h boreal 012 D -> C`)
	put(&s.items[1].Facts.Words, "ask", "stop-use")
	for i, done := range map[int]string{2: "", 3: "stopped-use", 4: ""} {
		s.items[i].State = "UND"
		if done != "" {
			put(&s.items[i].Facts.Words, "done", done)
		}
	}
	w := s.check(byHand(), start.Add(9*time.Hour))
	flagged := map[string]bool{}
	for _, d := range w.Dossiers {
		for _, e := range d.Timeline {
			for name, id := range s.names {
				flagged[name] = flagged[name] || e.Message == id && slices.Contains(e.Flags, FlagDeedUntold)
			}
		}
	}
	if got := fmt.Sprint(flagged); got != "map[A:true B:false C:false D:false R:false]" {
		t.Error(got)
	}
}

// Before release a translation of another original is refused, with its place,
// and so is reading back a field that the message has not.
func TestFitsOriginalAndFields(t *testing.T) {
	text := func(s string) jsontext.Value { return jsontext.Value(`"` + s + `"`) }
	body := func(format message.Format, from identity.Station, params map[string]jsontext.Value) message.Body {
		return message.Body{
			ID: message.ID{byte(len(format)), 7}, Format: format, Line: identity.Line{A: arden, B: boreal, Class: identity.Notification}, From: from, To: map[identity.Station]identity.Station{arden: boreal, boreal: arden}[from],
			Precedence: message.Routine, Marking: message.Marking{TLP: "AMBER", PAP: "AMBER"}, Language: "en", Params: params,
		}
	}
	original := body("600", arden, map[string]jsontext.Value{"text": text("Good evening.")})
	frozen, err := original.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	ask := body("230", arden, map[string]jsontext.Value{"ask": text("stop")})
	read := func(field string) message.Body {
		return body("012", boreal, map[string]jsontext.Value{readBackParam: jsontext.Value(`[{"field":"` + field + `","value":"x"}]`)})
	}
	for name, c := range map[string]struct {
		b     message.Body
		about []message.Body
		place string // of the refusal; empty: none
	}{
		"of this original":    {body("601", boreal, map[string]jsontext.Value{"original": text(frozen.Digest().String()), "into": text("fr")}), []message.Body{original}, ""},
		"of another original": {body("601", boreal, map[string]jsontext.Value{"original": text(strings.Repeat("0", 64)), "into": text("fr")}), []message.Body{original}, "original"},
		"of no text":          {body("601", boreal, map[string]jsontext.Value{"original": text(frozen.Digest().String()), "into": text("fr")}), []message.Body{ask}, "refs"},
		"into its own":        {body("601", boreal, map[string]jsontext.Value{"original": text(frozen.Digest().String()), "into": text("en")}), []message.Body{original}, "into"},
		"a field there":       {read("ask"), []message.Body{ask}, ""},
		"a field not there":   {read("asks"), []message.Body{ask}, "understood [1].field"},
		"nothing read back":   {body("012", boreal, nil), nil, ""},
	} {
		err := Fits(c.b, c.about)
		var fit *FitError
		if c.place == "" && err != nil || c.place != "" && (!errors.As(err, &fit) || fit.Param != c.place) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
