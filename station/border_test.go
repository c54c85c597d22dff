package station_test

import (
	"archive/zip"
	"bytes"
	"encoding/json/v2"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/interop/reveal"
	"detente/message"
	"detente/record"
	"detente/station"
	"detente/station/stationtest"
)

// cite returns how a message is cited.
func (w *watchPair) cite(id message.ID) string {
	w.t.Helper()
	r, err := w.a.ReadMessage(ctx, stationtest.Operator(), at(time.Hour), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Citation
}

// export returns a record, and the refusal where there is one.
func (w *watchPair) export(e stationtest.End, after time.Duration, x station.Export) ([]byte, error) {
	var buf bytes.Buffer
	err := e.Export(ctx, stationtest.Operator(), at(after), x, &buf)
	return buf.Bytes(), err
}

func (w *watchPair) roots() []identity.Root {
	return []identity.Root{w.a.Cast.RootInfo, w.b.Cast.RootInfo}
}

// A claim commits to a bundle by a digest; what is revealed later is bound to it
// at both ends, whether it is the same, a part of it, or another.
// covers P10
func TestCommitNowRevealLater(t *testing.T) {
	text := bundle("")
	secret, err := reveal.NewSecret(strings.NewReader(strings.Repeat("s", 32)))
	if err != nil {
		t.Fatal(err)
	}
	disclose := func(of string) string {
		var out bytes.Buffer
		if _, err := reveal.Write(&out, strings.NewReader(of), secret, func(int64, string) bool { return true }); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	set, err := reveal.Scan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := reveal.Commit(set, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []struct {
		file string
		want station.CommitmentState
	}{
		{"", station.NotRevealed}, {disclose(text), station.RevealedAsIs}, {disclose(strings.Replace(text, "Beacon", "Lantern", 1)), station.RevealedAnother}, {"no disclosure", station.RevealedAnother},
	} {
		w := newWatch(t)
		claim := w.say(w.a, time.Minute, "270", nil, append(slices.Clone(alleged), "committed="+c.Digest().String())...)
		if shown.file != "" {
			_, ref := add(t, w.a, w.line, reveal.MediaType, shown.file)
			if _, err := w.a.Say(ctx, at(2*time.Minute), station.Draft{Line: w.line, Format: "272", Refs: []message.ID{claim}}, "questions=ask=time;fact=1", "by=2026-11-30T00:00:00Z", "evidence="+ref); err != nil {
				t.Fatal(err)
			}
			carryBlob(t, w.a, w.b, w.line)
		}
		for _, e := range []stationtest.End{w.a, w.b} {
			for range 2 { // the second time from what was kept
				list, err := e.Commitments(ctx, stationtest.Operator(), at(time.Hour), claim.String())
				if err != nil || len(list) != 1 || list[0].State != shown.want || list[0].Commitment != c.Digest() || list[0].By != w.a.Name() {
					t.Fatalf("%s: %+v, %v, want %s", e.Name(), list, err, shown.want)
				}
			}
		}
		if _, err := w.b.Commitments(ctx, auditor, at(time.Hour), claim.String()); !errors.Is(err, station.ErrRefused) {
			t.Errorf("an auditor sees commitments: %v", err)
		}
	}
}

// What is said without prejudice, and what repeats it, is disclosed by no record
// of either end; that it exists is proven all the same.
func TestWithoutPrejudiceStaysClosed(t *testing.T) {
	w := newWatch(t)
	const offer = "we could drop the second fact"
	claim := w.say(w.a, time.Minute, "270", nil, alleged...)
	talk := w.say(w.a, 3*time.Minute, "602", []message.ID{claim}, "text="+offer)
	echo := w.say(w.b, 5*time.Minute, "600", []message.ID{talk}, "text=you write: "+offer)
	w.say(w.b, 7*time.Minute, "271", []message.ID{claim}, "facts=fact=1;answer=not-ours")
	red := message.Marking{TLP: "RED", PAP: "RED"}
	for _, e := range []stationtest.End{w.a, w.b} {
		for name, x := range map[string]station.Export{
			"the line": {Line: w.line.String(), Disclose: true, Marking: red}, "the dossier": {Dossier: claim.String(), Disclose: true, Marking: red}, "from the talk": {Dossier: talk.String(), Disclose: true, Marking: red},
		} {
			file, err := w.export(e, time.Hour, x)
			if err != nil {
				t.Fatalf("%s of %s: %v", name, e.Name(), err)
			}
			report, said, err := record.Read(bytes.NewReader(file), int64(len(file)), w.roots())
			if err != nil || report.Verdict == record.Invalid {
				t.Fatalf("%s of %s: %s, %v, %+v", name, e.Name(), report.Verdict, err, report.Findings)
			}
			if n, err := record.WithoutPrejudice(bytes.NewReader(file), int64(len(file))); err != nil || n != 2 || !slices.Contains(report.Closed, w.cite(talk)) || !slices.Contains(report.Closed, w.cite(echo)) || len(report.MissingReceipts) > 1 {
				t.Errorf("%s of %s counts %d, %v: %v", name, e.Name(), n, err, report.Closed)
			}
			for _, m := range said {
				if strings.Contains(string(m.Body.Bytes()), offer) {
					t.Errorf("%s of %s discloses %s", name, e.Name(), m.Citation)
				}
			}
			if report.Verified == 0 || len(said) == 0 {
				t.Errorf("%s of %s discloses nothing else", name, e.Name())
			}
		}
		for _, id := range []message.ID{talk, echo} {
			if _, err := w.export(e, time.Hour, station.Export{Message: id.String(), Disclose: true, Marking: red}); !errors.Is(err, station.ErrRefused) {
				t.Errorf("%s exports it alone: %v", e.Name(), err)
			}
			file, err := w.export(e, time.Hour, station.Export{Message: id.String()})
			if err != nil {
				t.Fatal(err)
			}
			if r, err := record.Verify(bytes.NewReader(file), int64(len(file)), w.roots()); err != nil || r.Receipts != 1 {
				t.Errorf("%s does not prove that it exists: %+v, %v", e.Name(), r, err)
			}
			if _, err := e.Redact(ctx, stationtest.Operator(), at(time.Hour), id.String(), []string{"text"}); !errors.Is(err, station.ErrRefused) {
				t.Errorf("%s redacts it: %v", e.Name(), err)
			}
		}
	}
}

// What the counterpart wrote goes to a third party only by its grant.
func TestOnwardByGrant(t *testing.T) {
	w := newWatch(t)
	const court = "Court of Meridian"
	letter := w.say(w.b, time.Minute, "600", nil, "text=for your eyes")
	x := station.Export{Message: letter.String(), Disclose: true, For: court, Marking: message.Marking{TLP: "RED", PAP: "RED"}}
	refusedWith := func(after time.Duration, word string) {
		t.Helper()
		if _, err := w.export(w.a, after, x); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), w.cite(letter)) || !strings.Contains(err.Error(), word) {
			t.Errorf("without a grant: %v, want %s", err, word)
		}
	}
	refusedWith(time.Hour, "not asked for")
	asked := w.say(w.a, 2*time.Hour, "245", []message.ID{letter}, "messages="+w.cite(letter), "recipient="+court, "recipient_kind=justice", "purpose=proceedings", "form=full", "by=2026-11-26T00:00:00Z")
	refusedWith(3*time.Hour, "not answered")
	w.say(w.b, 4*time.Hour, "246", []message.ID{asked}, "answer=refused")
	refusedWith(5*time.Hour, "refused in")
	grant := w.say(w.b, 6*time.Hour, "246", []message.ID{asked}, "answer=granted")
	if _, err := w.export(w.a, 7*time.Hour, x); err != nil {
		t.Errorf("granted: %v", err)
	}
	x.For = "Somebody else"
	refusedWith(7*time.Hour, "not asked for")
	x.For = court
	if _, err := w.export(w.b, 7*time.Hour, x); err != nil {
		t.Errorf("its own: %v", err)
	}
	w.say(w.b, 8*time.Hour, "019", []message.ID{grant}, "kind=recall", "ask=restrict")
	refusedWith(9*time.Hour, "recalled")
}

// altered returns a record with one member changed, as whoever can write records
// would make it.
func altered(t *testing.T, file []byte, suffix string, change func([]byte) []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, manifest, changed := zip.NewWriter(&out), "detente/manifest/v1\n", false
	put := func(name string, content []byte) {
		m, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = m.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range z.File {
		if f.Name == "manifest.txt" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, suffix) {
			content, changed = change(content), true
		}
		manifest += identity.Sum(content).String() + " " + f.Name + "\n"
		put(f.Name, content)
	}
	put("manifest.txt", []byte(manifest))
	if err := w.Close(); err != nil || !changed {
		t.Fatalf("%v, changed %v", err, changed)
	}
	return out.Bytes()
}

// Only what both consented to is published, each message in the form that both
// named; a redacted text that somebody changed is found.
//
// long: one story, from the proposal to the forged record.
func TestJointPublication(t *testing.T) {
	w := newWatch(t)
	whole := w.say(w.a, time.Minute, "600", nil, "text=this goes out whole")
	part := w.say(w.b, 3*time.Minute, "270", nil, alleged...)
	bare := w.say(w.a, 5*time.Minute, "600", nil, "text=that it exists")
	never := w.say(w.a, 7*time.Minute, "600", nil, "text=refused")
	w.say(w.a, 9*time.Minute, "600", nil, "text=not proposed")
	var left [2]station.Redaction
	for i, e := range []stationtest.End{w.a, w.b} {
		r, err := e.Redact(ctx, stationtest.Operator(), at(time.Hour), part.String(), []string{"facts"})
		if err != nil {
			t.Fatal(err)
		}
		left[i] = r
	}
	if left[0].Digest != left[1].Digest || strings.Contains(string(left[0].Text), "vote.arden.example") || !strings.Contains(string(left[0].Text), "ARD-2026-001") {
		t.Fatalf("the two ends redact to %s and %s:\n%s", left[0].Digest, left[1].Digest, left[0].Text)
	}
	if _, err := w.a.Redact(ctx, stationtest.Operator(), at(time.Hour), part.String(), []string{"absent"}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("a parameter that is not there: %v", err)
	}
	day := at(24 * time.Hour).Format(time.RFC3339)
	propose := func(after time.Duration, form, extra string, of ...message.ID) message.ID {
		typed := []string{"form=" + form, "at=" + day, "where=both", "by=" + at(20*time.Hour).Format(time.RFC3339)}
		for _, id := range of {
			typed = append(typed, "serials="+w.cite(id))
		}
		if extra != "" {
			typed = append(typed, "redactions=message="+w.cite(part)+";field=facts", extra)
		}
		return w.say(w.a, after, "390", nil, typed...)
	}
	text := "texts=message=" + w.cite(part) + ";digest=" + left[0].Digest.String()
	full := propose(2*time.Hour, "full", "", whole, bare, never)
	some := propose(3*time.Hour, "redacted", text, part)
	if _, err := w.export(w.a, 30*time.Hour, station.Export{Publication: full.String()}); !errors.Is(err, station.ErrRefused) {
		t.Errorf("without an answer: %v", err)
	}
	w.say(w.b, 4*time.Hour, "391", []message.ID{full}, "decision=part", "answers="+w.cite(whole)+"/consent", "answers="+w.cite(bare)+"/consent-existence", "answers="+w.cite(never)+"/refuse")
	w.say(w.b, 5*time.Hour, "391", []message.ID{some}, "decision=all", "answers="+w.cite(part)+"/consent", text)
	if _, err := w.export(w.a, 6*time.Hour, station.Export{Publication: full.String()}); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), day) {
		t.Errorf("before the day: %v", err)
	}
	read := func(file []byte) (record.Report, []record.Said) {
		t.Helper()
		report, said, err := record.Read(bytes.NewReader(file), int64(len(file)), w.roots())
		if err != nil {
			t.Fatal(err)
		}
		return report, said
	}
	file, err := w.export(w.a, 30*time.Hour, station.Export{Publication: full.String()})
	if err != nil {
		t.Fatal(err)
	}
	report, said := read(file)
	var shown []string
	for _, m := range said {
		shown = append(shown, string(m.Body.Body().Format))
	}
	if report.Verdict == record.Invalid || report.Messages != 4 || strings.Join(shown, " ") != "600 390 391" || !slices.Contains(report.Undisclosed, w.cite(bare)) {
		t.Fatalf("%s: %d messages, %v, %v: %+v", report.Verdict, report.Messages, shown, report.Undisclosed, report.Findings)
	}
	redacted, err := w.export(w.b, 30*time.Hour, station.Export{Publication: some.String()})
	if err != nil {
		t.Fatal(err)
	}
	if report, said := read(redacted); report.Verdict == record.Invalid || len(said) != 2 || bytes.Contains(redacted, []byte("vote.arden.example")) {
		t.Fatalf("%s, %d said: %+v", report.Verdict, len(said), report.Findings)
	}
	forged := func(what string, file []byte, code record.Reason) {
		t.Helper()
		report, said := read(file)
		if report.Verdict != record.Invalid || len(said) > 0 || !slices.ContainsFunc(report.Findings, func(f record.Finding) bool { return f.Check == record.CheckPublished && f.Code == code }) {
			t.Errorf("%s: %s, %+v", what, report.Verdict, report.Findings)
		}
	}
	forged("a word changed", altered(t, redacted, "redacted.json", func(b []byte) []byte { return bytes.Replace(b, []byte("ARD-2026-001"), []byte("ARD-2026-002"), 1) }), record.RedactionOther)
	forged("a parameter left out", altered(t, redacted, "redacted.json", func(b []byte) []byte {
		var r map[string]map[string]any
		i, j := bytes.Index(b, []byte(`"remedies":`)), bytes.Index(b, []byte(`"technical":`))
		if _ = json.Unmarshal(b, &r); i < 0 || j < i {
			t.Fatalf("%s", b)
		}
		return append(bytes.Clone(b[:i]), b[j:]...)
	}), record.RedactionOther)
	forged("no text at all", altered(t, redacted, "redacted.json", func([]byte) []byte { return []byte("{}") }), record.RedactionBad)
	if _, err := w.export(w.a, 30*time.Hour, station.Export{Publication: whole.String()}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("by what is no proposal: %v", err)
	}
}
