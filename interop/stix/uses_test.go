package stix_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/interop/stix"
)

func TestParsePattern(t *testing.T) {
	for text, want := range map[string]stix.Pattern{
		`[ipv4-addr:value = '192.0.2.7']`:                                   {Terms: []stix.Comparison{{Object: "ipv4-addr", Path: []string{"value"}, Op: "=", Values: []string{"192.0.2.7"}}}},
		` [ file:hashes.'SHA-256' = 'ab' ] `:                                {Terms: []stix.Comparison{{Object: "file", Path: []string{"hashes", "SHA-256"}, Op: "=", Values: []string{"ab"}}}},
		`[url:value NOT IN ('a','b') AND network-traffic:dst_port >= 1024]`: {Terms: []stix.Comparison{{Object: "url", Path: []string{"value"}, Not: true, Op: "IN", Values: []string{"a", "b"}}, {Object: "network-traffic", Path: []string{"dst_port"}, Op: ">=", Values: []string{"1024"}}}},
		`[file:name MATCHES 'it\'s\\.exe' OR file:size = 1.5]`:              {Any: true, Terms: []stix.Comparison{{Object: "file", Path: []string{"name"}, Op: "MATCHES", Values: []string{`it's\.exe`}}, {Object: "file", Path: []string{"size"}, Op: "=", Values: []string{"1.5"}}}},
		`[a:b[*].c = t'2026-01-01T00:00:00Z']`:                              {Terms: []stix.Comparison{{Object: "a", Path: []string{"b", "[*]", "c"}, Op: "=", Values: []string{"2026-01-01T00:00:00Z"}}}},
	} {
		p, ok := stix.ParsePattern(text)
		same := ok && p.Any == want.Any && slices.EqualFunc(p.Terms, want.Terms, func(a, b stix.Comparison) bool {
			return a.Object == b.Object && slices.Equal(a.Path, b.Path) && a.Not == b.Not && a.Op == b.Op && slices.Equal(a.Values, b.Values)
		})
		if !same {
			t.Errorf("%s\nread as %+v (%v)\nwant    %+v", text, p, ok, want)
		}
	}
	for _, text := range []string{"", "[", "[]", "rule x { condition: true }", "[a:b = 'c'", "[a:b = 'c]", "[a:b = 'c'] AND [d:e = 'f']", "[a:b = 'c'] WITHIN 5 SECONDS", "[a:b = 'c' AND d:e = 'f' OR g:h = 'i']", "[(a:b = 'c')]", "[a:b == 'c']", "[a:b = ]", "[a: = 'b']", "[a:b IN ()]", `[a:b = '\`, "[a:b = 'c']x", "[" + strings.Repeat("a:b = 'c' OR ", 100) + "a:b = 'c']"} {
		if p, ok := stix.ParsePattern(text); ok {
			t.Errorf("%q is read as simple: %+v", text, p)
		}
	}
}

func TestIndicators(t *testing.T) {
	second := func(s, pattern, extra string) string {
		return strings.Replace(indicator(pattern, extra), indicatorID, "indicator--"+s+"0000000-0000-4000-8000-000000000000", 1)
	}
	b := mustRead(t, bundle(
		indicator("[ipv4-addr:value = '192.0.2.7' OR file:hashes.'SHA-256' IN ('aa','bb')]", marked(amberID)+`,"confidence":80,"valid_until":"2027-01-01T00:00:00Z"`),
		second("1", "[a:b = 'c' AND d:e = 'f']", ""),
		second("2", "[a:b != 'c']", `,"revoked":true`),
		strings.Replace(second("3", "rule r { condition: true }", ""), `"stix"`, `"yara"`, 1),
		identityObject("")))
	var have []string
	all := stix.Indicators(b)
	for _, i := range all {
		have = append(have, i.Kind+" "+i.Value)
	}
	want := []string{"ipv4-addr:value 192.0.2.7", "file:hashes.SHA-256 aa", "file:hashes.SHA-256 bb", "pattern [a:b = 'c' AND d:e = 'f']", "pattern [a:b != 'c']", "pattern rule r { condition: true }"}
	if !slices.Equal(have, want) {
		t.Fatalf("have %q\nwant %q", have, want)
	}
	i := all[0]
	if i.Object != indicatorID || i.Hash != b.Objects[0].Hash || i.Name != "Beacon" || i.Confidence != 80 || i.Marking.TLP != stix.TLPAmber || i.Revoked ||
		!i.From.Equal(time.Date(2026, 11, 19, 22, 0, 0, 0, time.UTC)) || !i.Until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("row: %+v", i)
	}
	if all[3].Confidence != stix.NoConfidence || !all[3].Until.IsZero() || !all[4].Revoked || all[5].Language != "yara" {
		t.Errorf("rows: %+v", all[3:])
	}
}

func TestFeedback(t *testing.T) {
	b := mustRead(t, sample())
	o := b.Objects[1]
	var verdicts []stix.Verdict
	for _, item := range []string{indicatorID + "@" + o.Hash.String(), indicatorID + "@" + identity.Sum(nil).String(), malwareID, "malware--00000000-0000-4000-8000-000000000000"} {
		v, err := stix.ParseVerdict(item, "useful")
		if err != nil || v.Item() != item || v.Code != "useful" || len(item) > 200 {
			t.Errorf("%s: %+v, %v", item, v, err)
		}
		verdicts = append(verdicts, v)
	}
	var have []bool
	for _, r := range stix.Match(b, verdicts) {
		have = append(have, r.Held, r.Same)
	}
	if want := []bool{true, true, true, false, true, false, false, false}; !slices.Equal(have, want) {
		t.Errorf("held and same: %v, want %v", have, want)
	}
	for _, item := range []string{"", "x", indicatorID + "@", indicatorID + "@12", "@" + o.Hash.String()} {
		if _, err := stix.ParseVerdict(item, "useful"); err == nil {
			t.Errorf("%q is read", item)
		}
	}
}

func event(act stix.Act, minute int) stix.Event {
	e := stix.Event{Act: act, Artefact: identity.Sum([]byte("disk image")), At: time.Date(2026, 11, 20, 10, minute, 0, 0, time.UTC), Station: "cert.arden.example", Officer: "officer-7", Method: "write blocker", Result: "ok"}
	if act == stix.Sent || act == stix.Received {
		e.Other = "cert.boreal.example"
	}
	return e
}

func TestCustody(t *testing.T) {
	var c stix.Custody
	for i, act := range []stix.Act{stix.Collected, stix.Examined, stix.Sealed, stix.Sent, stix.Released, stix.Received, stix.Sealed} {
		next, err := c.Add(event(act, i))
		if err != nil {
			t.Fatalf("%s: %v", act, err)
		}
		if len(c.Events()) != i || next.Events()[i].Prev != c.Head() {
			t.Fatalf("%s: the chain before changed, or the event does not name its head", act)
		}
		c = next
	}
	again, err := stix.ParseCustody(c.Bytes())
	if err != nil || again.Head() != c.Head() || !slices.Equal(again.Events(), c.Events()) {
		t.Fatalf("there and back: %v", err)
	}
	// One chain, two continuations: neither writes into the other.
	a, errA := c.Add(event(stix.Examined, 30))
	b, errB := c.Add(event(stix.Released, 40))
	if errA != nil || errB != nil || a.Events()[7].Act != stix.Examined || b.Events()[7].Act != stix.Released {
		t.Errorf("continuations: %v %v", errA, errB)
	}
}

// covers P3
func TestCustodyShowsEveryChange(t *testing.T) {
	var c stix.Custody
	for i, act := range []stix.Act{stix.Collected, stix.Sealed, stix.Sent} {
		var err error
		if c, err = c.Add(event(act, i)); err != nil {
			t.Fatal(err)
		}
	}
	text := c.Bytes()
	for i := range text {
		changed := slices.Clone(text)
		changed[i] ^= 1
		if got, err := stix.ParseCustody(changed); err == nil && got.Head() == c.Head() {
			t.Errorf("byte %d changed unseen", i)
		}
	}
	lines := strings.SplitAfter(string(text), "\n")
	for name, bad := range map[string]string{
		"an event left out": lines[0] + lines[2], "events in another order": lines[0] + lines[2] + lines[1], "an event twice": lines[0] + lines[0],
		"cut off": string(text[:len(text)-1]), "white space": strings.Replace(string(text), `,"`, `, "`, 1), "no JSON": "x\n", "unknown member": strings.Replace(string(text), `{"act"`, `{"aaa":1,"act"`, 1),
	} {
		if _, err := stix.ParseCustody([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", name)
		}
	}
}

func TestCustodyRefuses(t *testing.T) {
	first, err := stix.Custody{}.Add(event(stix.Collected, 10))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*stix.Event){
		"another artefact": func(e *stix.Event) { e.Artefact = identity.Sum(nil) },
		"earlier":          func(e *stix.Event) { e.At = e.At.Add(-time.Hour) },
		"part of a second": func(e *stix.Event) { e.At = e.At.Add(1) },
		"no officer":       func(e *stix.Event) { e.Officer = "" },
		"no station":       func(e *stix.Event) { e.Station = "" },
		"sent unsealed":    func(e *stix.Event) { e.Act, e.Other = stix.Sent, "cert.boreal.example" },
		"other of a seal":  func(e *stix.Event) { e.Other = "cert.boreal.example" },
		"unknown act":      func(e *stix.Event) { e.Act = "lost" },
		"a line in a text": func(e *stix.Event) { e.Result = "a\nb" },
		"a long text":      func(e *stix.Event) { e.Method = strings.Repeat("a", stix.MaxCustodyText+1) },
		"no Unicode":       func(e *stix.Event) { e.Method = "\xff" },
	} {
		e := event(stix.Sealed, 11)
		change(&e)
		if _, err := first.Add(e); err == nil {
			t.Errorf("accepted: %s", name)
		}
	}
}
