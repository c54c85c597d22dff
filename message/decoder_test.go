package message_test

import (
	"bytes"
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/message"
)

func readBody(b []byte) error { _, err := message.ParseBody(b); return err }

func readEntry(b []byte) error { _, err := message.ParseEntry(b); return err }

func readPolicy(b []byte) error { _, err := message.ParsePolicy(b); return err }

func wrapper() message.Wrapper {
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	return message.Wrapper{
		At: at, Seen: message.Head{Era: 1, Size: 4, Root: identity.Sum(nil)}, Receipts: []message.Listed{{Era: 1, Size: 3, At: at}},
		Held: []message.Held{{Era: 1, Size: 2, Root: identity.Sum(nil), Lines: "\u2014 x y\n"}}, Provisional: true,
	}
}

func plain(t testing.TB) []byte {
	t.Helper()
	b, err := message.Entry{Wrapper: wrapper(), Body: freeze(t, body())}.Plain()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told checks that a refusal names field, reason and next step, on one line.
func told(t testing.TB, name string, err error) {
	t.Helper()
	var field *message.FieldError
	if !errors.As(err, &field) {
		t.Errorf("%s: %v", name, err)
		return
	}
	if field.Field == "" || field.Reason == "" || field.Next == "" {
		t.Errorf("%s: an error without field, reason or next step: %+v", name, *field)
	}
	decodertest.Short(t, err)
}

// No hostile document passes for a body, a wrapper or a policy, and each is told
// what is wrong with it.
// covers P14
func TestHostileDocuments(t *testing.T) {
	good := freeze(t, body()).Bytes()
	for name, text := range decodertest.JSON(good) {
		told(t, "body: "+name, readBody(text))
		told(t, "entry's body: "+name, readEntry(slices.Concat(plain(t)[:bytes.IndexByte(plain(t), '\n')+1], text, []byte("\n"))))
	}
	w, _, _ := bytes.Cut(plain(t), []byte("\n"))
	for name, text := range decodertest.JSON(w) {
		told(t, "wrapper: "+name, readEntry(slices.Concat(text, []byte("\n"), good, []byte("\n"))))
	}
	for name, text := range decodertest.JSON(message.DefaultPolicy().Bytes()) {
		told(t, "policy: "+name, readPolicy(text))
	}
}

// One message has one text: what says nothing may not be said.
// covers P3 P13
func TestOneForm(t *testing.T) {
	b := body()
	b.Expires, b.Refs, b.Marking.PAP = time.Time{}, nil, ""
	good := string(freeze(t, b).Bytes())
	for _, member := range []string{`"expires":""`, `"expires":null`, `"pap":""`, `"pap":null`, `"refs":[]`, `"refs":null`} {
		name, _, _ := strings.Cut(member, ":")
		text := jsontext.Value(strings.Replace(good, "{", "{"+member+",", 1))
		if err := text.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		told(t, name, readBody(text))
	}
	told(t, "no parameters", readBody([]byte(strings.Replace(good, `"params":{"text":"да `+"\u2028"+`"}`, `"params":null`, 1))))
	empty := plain(t)
	for _, member := range []string{`"approvals":[]`, `"approvals":null`} {
		told(t, member, readEntry(bytes.Replace(empty, []byte("{"), []byte("{"+member+","), 1)))
	}
	told(t, "provisional", readEntry(bytes.Replace(empty, []byte(`"provisional":true`), []byte(`"provisional":false`), 1)))
}

// Values at their limits freeze and come back; one beyond does not.
// covers P14
func TestLimits(t *testing.T) {
	ids := func(n int) (out []message.ID) {
		for i := range n {
			out = append(out, message.ID{0xff, byte(i)})
		}
		return out
	}
	params := func(n int) map[string]jsontext.Value {
		m := make(map[string]jsontext.Value)
		for i := range n {
			m[fmt.Sprintf("p%d", i)] = jsontext.Value("true")
		}
		return m
	}
	one := func(v string) map[string]jsontext.Value { return map[string]jsontext.Value{"p": jsontext.Value(v)} }
	size := len(freeze(t, with(func(b *message.Body) { b.Params = one(`""`) })).Bytes())
	for name, c := range map[string]struct{ fits, not func(*message.Body) }{
		"refs":   {func(b *message.Body) { b.Refs = ids(message.MaxRefs) }, func(b *message.Body) { b.Refs = ids(message.MaxRefs + 1) }},
		"params": {func(b *message.Body) { b.Params = params(message.MaxParams) }, func(b *message.Body) { b.Params = params(message.MaxParams + 1) }},
		"name": {func(b *message.Body) {
			b.Params = map[string]jsontext.Value{strings.Repeat("a", 40): jsontext.Value("true")}
		}, func(b *message.Body) {
			b.Params = map[string]jsontext.Value{strings.Repeat("a", 41): jsontext.Value("true")}
		}},
		"size":     {func(b *message.Body) { b.Params = one(`"` + strings.Repeat("x", message.MaxBody-size) + `"`) }, func(b *message.Body) { b.Params = one(`"` + strings.Repeat("x", message.MaxBody-size+1) + `"`) }},
		"number":   {func(b *message.Body) { b.Params = one("9007199254740991") }, func(b *message.Body) { b.Params = one("9007199254740992") }},
		"negative": {func(b *message.Body) { b.Params = one("-9007199254740991") }, func(b *message.Body) { b.Params = one("-9007199254740992") }},
		"depth":    {func(b *message.Body) { b.Params = one(`[[[[1]]]]`) }, func(b *message.Body) { b.Params = one(`[[[[[1]]]]]`) }},
		"earliest": {func(b *message.Body) { b.Expires = time.Unix(0, 0) }, func(b *message.Body) { b.Expires = time.Unix(-1, 0) }},
		"latest": {func(b *message.Body) { b.Expires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, func(b *message.Body) {
			b.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
	} {
		if _, err := with(c.fits).Freeze(); err != nil {
			t.Errorf("%s: what fits is refused: %v", name, err)
		}
		_, err := with(c.not).Freeze()
		told(t, name, err)
	}
}

func with(change func(*message.Body)) message.Body {
	b := body()
	change(&b)
	return b
}

// No hostile text is a name, a number or a code, and the refusal is fit to show.
// covers P14
func TestHostileTexts(t *testing.T) {
	for name, text := range decodertest.Texts() {
		for decoder, err := range map[string]error{
			"id":         second(message.ParseID(text)),
			"precedence": second(message.ParsePrecedence(text)),
			"format":     second(message.ParseFormat(text)),
			"citation":   second(message.ParseCitation(text)),
		} {
			if err == nil {
				t.Errorf("%s is read as %s", name, decoder)
				continue
			}
			decodertest.Short(t, err)
		}
		quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "?"))
		if err != nil {
			t.Fatal(err)
		}
		v := jsontext.Value(quoted)
		if err := v.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		good := freeze(t, body()).Bytes()
		for _, member := range []string{"edition", "expires", "format", "from", "id", "kind", "language", "line", "pap", "precedence", "tlp", "to"} {
			at := bytes.Index(good, []byte(`"`+member+`":"`)) + len(member) + 3
			end := at + 1 + bytes.IndexByte(good[at+1:], '"') + 1
			told(t, name+" as "+member, readBody(slices.Concat(good[:at], v, good[end:])))
		}
		told(t, name+" as a parameter's name", readBody(bytes.Replace(good, []byte(`"params":{`), slices.Concat([]byte(`"params":{`), v, []byte(":1,")), 1)))
		told(t, name+" as a role", readPolicy(slices.Concat([]byte(`{"rules":[{"officers":1,"roles":[`), v, []byte(`]}]}`))))
	}
}

func second[T any](_ T, err error) error { return err }

// A policy's numbers are bounded before anything is computed with them.
// covers P8 P14
func TestPolicyBounds(t *testing.T) {
	for _, seconds := range []string{"86401", "18446744074", "9223372036854775807", "-1", "0", "1e3", "1.5", "9223372036854775808"} {
		told(t, seconds, readPolicy([]byte(`{"rules":[{"officers":2,"roles":["releasing"],"alone":true,"confirm_seconds":`+seconds+`}]}`)))
	}
	p, err := message.ParsePolicy([]byte(`{"rules":[{"officers":2,"roles":["releasing"],"alone":true,"confirm_seconds":86400}]}`))
	if err != nil || p.Rules[0].ConfirmWithin != 24*time.Hour {
		t.Errorf("a day: %v, %v", p, err)
	}
}

// No file that breaks JSON parsers passes for a body, a wrapper or a policy; one
// that parsers must accept passes as a parameter only as what JSON keeps exactly.
// covers P14
func TestJSONSuite(t *testing.T) {
	good := string(freeze(t, body()).Bytes())
	for name, text := range decodertest.Folder(t, "json", ".json") {
		told(t, name, readBody(text))
		told(t, name, readEntry(slices.Concat(text, []byte("\n"), text, []byte("\n"))))
		told(t, name, readPolicy(text))
		within := []byte(strings.Replace(good, `{"text":`, `{"aext":`+string(text)+`,"text":`, 1))
		f, err := message.ParseBody(within)
		if err != nil {
			told(t, name, err)
			continue
		}
		if strings.HasPrefix(name, "n_") {
			t.Errorf("%s passes within a body", name)
		}
		var old any // the older JSON library, which must see the same
		if err := json.Unmarshal(f.Body().Params["aext"], &old); err != nil {
			t.Errorf("%s is taken, and is no JSON to others: %v", name, err)
		}
	}
}

// Evidence of others is refused as a body or a policy, whatever it is.
// covers P14
func TestOthersDocuments(t *testing.T) {
	for _, folder := range []string{"stix", "misp", "csaf", "taxonomies", "text"} {
		for name, text := range decodertest.Folder(t, folder, ".json") {
			told(t, name, readBody(text))
			told(t, name, readPolicy(text))
			told(t, name, readEntry(text))
		}
	}
}

// FuzzParseBody reads a body a second time with the older JSON library.
// covers P3 P14
func FuzzParseBody(f *testing.F) {
	bare := with(func(b *message.Body) {
		b.Expires, b.Refs, b.Marking.PAP, b.Params = time.Time{}, nil, "", map[string]jsontext.Value{}
	})
	accepted := [][]byte{freeze(f, body()).Bytes(), freeze(f, bare).Bytes()}
	decodertest.Seeds(f, readBody, accepted, slices.Collect(maps.Values(decodertest.JSON(accepted[1]))))
	f.Fuzz(func(t *testing.T, text []byte) {
		frozen, err := message.ParseBody(text)
		if err != nil {
			told(t, "", err)
			return
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%q is a body and no JSON to others: %v", text, err)
		}
		b := frozen.Body()
		want := map[string]any{
			"kind": "detente/body/v1", "id": b.ID.String(), "format": string(b.Format), "edition": b.Edition.String(), "line": b.Line.String(),
			"from": string(b.From), "to": string(b.To), "precedence": b.Precedence.String(), "tlp": b.Marking.TLP, "language": b.Language,
		}
		for name, v := range want {
			if members[name] != v {
				t.Errorf("%s was read as %v from %q", name, v, text)
			}
			delete(members, name)
		}
		for _, optional := range []string{"expires", "pap", "refs", "params"} {
			delete(members, optional)
		}
		if len(members) != 0 {
			t.Errorf("%v was read over", members)
		}
		again, err := b.Freeze()
		if err != nil || !bytes.Equal(again.Bytes(), text) {
			t.Errorf("%q was read, and freezes as %q, %v", text, again.Bytes(), err)
		}
	})
}

// FuzzParseEntry takes an entry apart a second time by its line ends.
// covers P3 P14
func FuzzParseEntry(f *testing.F) {
	good := plain(f)
	accepted := [][]byte{good, append(bytes.Clone(good), "\n\n\n"...)}
	rejected := [][]byte{[]byte("{}\n{}\n"), append(bytes.Clone(good), 'x'), bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), bytes.TrimSuffix(good, []byte("\n"))}
	decodertest.Seeds(f, readEntry, accepted, rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := message.ParseEntry(text)
		if err != nil {
			told(t, "", err)
			return
		}
		again, err := e.Plain()
		if err != nil || string(bytes.TrimRight(again, "\n")) != string(bytes.TrimRight(text, "\n")) {
			t.Errorf("%q was read, and is written as %q, %v", text, again, err)
		}
		lines := strings.Split(string(text), "\n")
		if len(lines) < 3 || strings.Join(lines[2:], "") != "" || lines[1] != string(e.Body.Bytes()) {
			t.Errorf("%q is not two lines and padding", text)
		}
	})
}

// FuzzParsePolicy writes what was read and reads it again.
// covers P14
func FuzzParsePolicy(f *testing.F) {
	accepted := [][]byte{message.DefaultPolicy().Bytes(), message.Bootstrap().Bytes(), []byte(`{ "rules" : [ { "roles":["watch"], "officers":1 } ] }`)}
	rejected := [][]byte{[]byte(`{"rules":[]}`), []byte(`{"rules":[{"officers":2}]}`), []byte(`{"rules":[{"officers":2,"roles":["a\u202eb"]}]}`)}
	decodertest.Seeds(f, readPolicy, accepted, rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := message.ParsePolicy(text)
		if err != nil {
			told(t, "", err)
			return
		}
		again, err := message.ParsePolicy(p.Bytes())
		if err != nil || again.Digest() != p.Digest() {
			t.Errorf("%q was read, and comes back as %q, %v", text, again.Bytes(), err)
		}
		var second struct {
			Rules []struct {
				Officers int
				Confirm  int64 `json:"confirm_seconds"`
			}
		}
		if err := json.Unmarshal(text, &second); err != nil || len(second.Rules) != len(p.Rules) {
			t.Fatalf("%q is a policy, and others read %v, %v", text, second, err)
		}
		for i, r := range second.Rules {
			if got := p.Rules[i]; got.Officers != r.Officers || got.ConfirmWithin.Seconds() != float64(r.Confirm) {
				t.Errorf("rule %d of %q was read as %+v", i, text, got)
			}
		}
	})
}

// FuzzParseTexts reads the short texts of this package: each has one spelling.
// covers P14
func FuzzParseTexts(f *testing.F) {
	read := func(s string) (string, error) {
		if id, err := message.ParseID(s); err == nil {
			return id.String(), nil
		}
		if p, err := message.ParsePrecedence(s); err == nil {
			return p.String(), nil
		}
		if n, err := message.ParseFormat(s); err == nil {
			return string(n), nil
		}
		c, err := message.ParseCitation(s)
		return message.Cite(c.Writer, c.Reader, c.Class, c.Era, c.Index), err
	}
	accepted := []string{message.ID{1, 255}.String(), "FLASH", "210", "ARD/BOR-N1-417", "ARD/BOR-T4294967295-9223372036854775807"}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), "Flash", "2100", "٢١٠", "ARD/BOR-N4294967296-0", "ARD/BOR-N1--1", "ARD/BOR-N1-+1", "ARD/BOR-N1-9223372036854775808")
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, s string) {
		again, err := read(s)
		if err != nil {
			decodertest.Short(t, err)
		} else if again != s {
			t.Errorf("%q was read, and is written %q", s, again)
		}
	})
}
