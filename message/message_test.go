package message_test

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

func body() message.Body {
	return message.Body{
		ID: message.ID{1, 2, 3}, Format: "600", Edition: identity.Sum([]byte("edition")), Line: identity.Line{A: "nrrc.arden.example", B: "nrrc.boreal.example", Class: identity.Notification},
		From: "nrrc.arden.example", To: "nrrc.boreal.example", Precedence: message.Flash, Marking: message.Marking{TLP: "AMBER+STRICT", PAP: "GREEN"}, Language: "ru",
		Expires: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Refs: []message.ID{{9}}, Params: map[string]jsontext.Value{"text": jsontext.Value(`"да \u2028"`)},
	}
}

func freeze(t testing.TB, b message.Body) message.Frozen {
	t.Helper()
	f, err := b.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Frozen bytes come back as the body that they were made of, and are never
// written anew.
// covers P3
func TestFreeze(t *testing.T) {
	f := freeze(t, body())
	again, err := message.ParseBody(f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != f.Digest() || !reflect.DeepEqual(again.Body(), f.Body()) || !bytes.Equal(again.Bytes(), f.Bytes()) {
		t.Errorf("came back as %+v", again.Body())
	}
	b := f.Body()
	b.Params = body().Params
	if !reflect.DeepEqual(b.Refs, body().Refs) || !b.Expires.Equal(body().Expires) || b.Marking != body().Marking {
		t.Errorf("froze %+v", b)
	}
}

// What is not exactly a body is refused, with the field at fault.
// covers P3 P14
func TestParseBodyRefuses(t *testing.T) {
	good := string(freeze(t, body()).Bytes())
	for name, c := range map[string]struct{ from, to, field string }{
		"space":             {`{"edition"`, `{ "edition"`, "body"},
		"unknown member":    {`{"edition"`, `{"a":1,"edition"`, "body"},
		"doubled member":    {`"to":`, `"to":"x","to":`, "body"},
		"precedence":        {"FLASH", "FLUSH", "precedence"},
		"format":            {`"format":"600"`, `"format":"6000"`, "format"},
		"TLP":               {"AMBER+STRICT", "PINK", "marking.tlp"},
		"language":          {`"language":"ru"`, `"language":"xx"`, "language"},
		"leap second":       {"2026-11-24T00:00:00Z", "2026-06-30T23:59:60Z", "expires"},
		"offset":            {"2026-11-24T00:00:00Z", "2026-11-24T01:00:00+01:00", "expires"},
		"line out of order": {"nrrc.arden.example/nrrc.boreal.example", "nrrc.boreal.example/nrrc.arden.example", "line"},
		"null":              {`{"text":`, `{"sext":null,"text":`, "params.sext"},
		"a float":           {`{"text":`, `{"sext":1.5,"text":`, "params.sext"},
		"beyond 2^53":       {`{"text":`, `{"sext":9007199254740993,"text":`, "body"},
		"trailing":          {`"to":"nrrc.boreal.example"}`, `"to":"nrrc.boreal.example"}x`, "body"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%s: nothing was changed in %s", name, good)
		}
		_, err := message.ParseBody([]byte(text))
		var field *message.FieldError
		if !errors.As(err, &field) || !strings.HasPrefix(field.Field, c.field) || field.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := message.ParseBody([]byte("\ufeff" + good)); err == nil {
		t.Error("a byte order mark is taken")
	}
	big := body()
	big.Params = map[string]jsontext.Value{"text": jsontext.Value(`"` + strings.Repeat("x", message.MaxBody) + `"`)}
	if _, err := big.Freeze(); err == nil {
		t.Error("a body beyond its limit is frozen")
	}
}

func TestEntry(t *testing.T) {
	w := message.Wrapper{
		At: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC), Seen: message.Head{Era: 1, Size: 4, Root: identity.Sum(nil)},
		Receipts: []message.Listed{{Era: 1, Size: 3, At: time.Unix(1_700_000_000, 0).UTC()}, {Era: 1, Size: 4, At: time.Unix(1_700_000_000, 0).UTC()}}, Provisional: true,
		Held: []message.Held{{Era: 1, Size: 2, Root: identity.Sum(nil), Lines: "\u2014 x y\n"}},
	}
	plain, err := message.Entry{Wrapper: w, Body: freeze(t, body())}.Plain()
	if err != nil {
		t.Fatal(err)
	}
	got, err := message.ParseEntry(append(plain, "\n\n\n"...))
	if err != nil || !reflect.DeepEqual(got.Wrapper, w) {
		t.Errorf("came back as %+v, %v", got.Wrapper, err)
	}
	for name, text := range map[string]string{
		"padding":  string(plain) + "x",
		"one line": strings.Replace(string(plain), "\n", " ", 1),
		"falling":  strings.Replace(string(plain), `"era":1,"size":4}]`, `"era":1,"size":3}]`, 1),
	} {
		if _, err := message.ParseEntry([]byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// One person counts once, in a role that the rule names; a rejection ends it.
// covers P8
func TestJudge(t *testing.T) {
	by := func(who, role string) message.Approver {
		return message.Approver{Pseudonym: who, Role: role, Decision: "approve"}
	}
	flash, routine, test, contact := body(), body(), body(), body()
	routine.Precedence, test.Format, contact.Format = message.Routine, "010", "410"
	for name, c := range map[string]struct {
		body message.Body
		by   []message.Approver
		want message.Verdict
	}{
		"two":                        {flash, []message.Approver{by("A", "releasing"), by("B", "releasing")}, message.Released},
		"one twice":                  {flash, []message.Approver{by("A", "releasing"), by("A", "releasing")}, message.Provisional},
		"one alone":                  {routine, []message.Approver{by("A", "releasing")}, message.Short},
		"wrong role":                 {routine, []message.Approver{by("A", "releasing"), by("B", "watch")}, message.Short},
		"rejected":                   {routine, []message.Approver{by("A", "releasing"), by("B", "releasing"), {Pseudonym: "C", Role: "releasing", Decision: "reject"}}, message.Refused},
		"a test":                     {test, nil, message.Released},
		"a contact request of one":   {contact, []message.Approver{by("A", "releasing")}, message.Short},
		"a contact request by watch": {contact, []message.Approver{by("A", "releasing"), by("B", "watch")}, message.Short},
		"a contact request of two":   {contact, []message.Approver{by("A", "releasing"), by("B", "releasing")}, message.Released},
		"confirm is none":            {routine, []message.Approver{by("A", "releasing"), {Pseudonym: "B", Role: "releasing", Decision: "confirm"}}, message.Short},
	} {
		if got := message.DefaultPolicy().Judge(c.body, c.by); got.Verdict != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, f := range []message.Format{"011", "012", "013", "014", "015", "016", "017", "020", "021", "023", "024", "031", "121"} {
		for q := message.Routine; q <= message.Flash; q++ {
			b := message.Body{Format: f, Precedence: q}
			if got := message.DefaultPolicy().Judge(b, nil); got.Verdict != message.Short || got.Need != 1 {
				t.Errorf("%s at %s on nobody's word: %+v", f, q, got)
			}
			if got := message.DefaultPolicy().Judge(b, []message.Approver{by("A", "watch")}); got.Verdict != message.Released {
				t.Errorf("%s at %s by the watch: %+v", f, q, got)
			}
		}
	}
	for _, f := range []message.Format{"300", "301", "302", "421", "453", "501", "510", "511", "520", "521", "522", "530", "531", "540", "550"} {
		b := message.Body{Format: f, Precedence: message.Flash}
		if got := message.DefaultPolicy().Judge(b, []message.Approver{by("A", "releasing")}); got.Verdict != message.Short || got.Need != 2 {
			t.Errorf("the instrument %s on one word: %+v", f, got)
		}
		if got := message.DefaultPolicy().Judge(b, []message.Approver{by("A", "releasing"), by("B", "plenipotentiary")}); got.Verdict != message.Released {
			t.Errorf("the instrument %s by two: %+v", f, got)
		}
	}
	digest := message.Body{Format: "022", Precedence: message.Priority}
	if got := message.DefaultPolicy().Judge(digest, nil); got.Verdict != message.Released {
		t.Errorf("a digest of the state on nobody's word: %+v", got)
	}
	if got := message.DefaultPolicy().Judge(flash, []message.Approver{by("A", "releasing"), by("B", "plenipotentiary")}); got.Verdict != message.Provisional {
		t.Errorf("a plenipotentiary released what is no instrument: %+v", got)
	}
	if got := message.Bootstrap().Judge(flash, nil); got.Verdict != message.Refused {
		t.Errorf("before the first policy: %+v", got)
	}
	again, err := message.ParsePolicy(message.DefaultPolicy().Bytes())
	if err != nil || again.Digest() != message.DefaultPolicy().Digest() {
		t.Errorf("the default policy does not come back: %v", err)
	}
	for _, bad := range []string{`{"rules":[]}`, `{"rules":[{"officers":2}]}`, `{"rules":[{"officers":9,"roles":["a"]}]}`, `{"rules":[{"officers":1,"roles":["a"],"alone":true,"confirm_seconds":5}]}`, `{}`} {
		if _, err := message.ParsePolicy([]byte(bad)); err == nil {
			t.Errorf("%s is taken for a policy", bad)
		}
	}
}

func TestCitation(t *testing.T) {
	c, err := message.ParseCitation("ARD/BOR-N1-417")
	if err != nil || message.Cite(c.Writer, c.Reader, c.Class, c.Era, c.Index) != "ARD/BOR-N1-417" {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"", "ARD/BOR-N1", "ARD/BOR-X1-4", "ARD/BOR-N01-4", "ard/BOR-N1-4", "ARD/BOR-N1-4 ", "ARD/BOR-N0-4"} {
		if _, err := message.ParseCitation(bad); err == nil {
			t.Errorf("%q is a citation", bad)
		}
	}
}
