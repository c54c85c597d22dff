package dossier

import (
	"encoding/json/jsontext"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

func entryOf(t *testing.T, f message.Format, params map[string]jsontext.Value) Item {
	t.Helper()
	l := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	b := message.Body{
		ID: message.ID{1}, Format: f, Line: l, From: arden, To: boreal, Precedence: message.Flash,
		Language: "en", Params: params, Marking: message.Marking{TLP: "AMBER"},
	}
	frozen, err := b.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	w := message.Wrapper{At: start, Seen: message.Head{Era: 2, Size: 9}, Provisional: true}
	return Read(l.Log(arden, 1), 3, start.Add(time.Second), message.Entry{Wrapper: w, Body: frozen})
}

// Each worked example of the edition is read: what it names is there under its
// name, and what is no time, window or blob is not taken for one.
func TestReadTheExamples(t *testing.T) {
	for _, f := range edition(t).Formats() {
		for _, x := range f.Examples {
			it := entryOf(t, f.Number, x)
			for _, p := range f.Params {
				if _, given := x[p.Name]; !given || p.Many {
					continue
				}
				_, word := it.Facts.Words[p.Name]
				_, at := it.Facts.Times[p.Name]
				_, window := it.Facts.Windows[p.Name]
				_, count := it.Facts.Counts[p.Name]
				want := map[string]bool{"code": word, "utc": at && word, "window": window, "count": count, "hash": word && !at, "text": word}
				if ok, known := want[string(p.Type)]; known && !ok {
					t.Errorf("format %s: %s of type %s was read as %+v", f.Number, p.Name, p.Type, it.Facts)
				}
				if p.IsBlob() && len(it.Facts.Blobs) == 0 {
					t.Errorf("format %s: the blob %s was not read", f.Number, p.Name)
				}
			}
			switch f.Number {
			case "002":
				if it.Refused == nil || it.refusedPlace().Origin.Writer != boreal {
					t.Errorf("format 002 refuses %+v", it.Refused)
				}
			case "004":
				if by := it.Facts.Words["receipt_by"]; it.Disputed == nil || string(it.Disputed.Origin.Reader) != by {
					t.Errorf("format 004 disputes %+v, by %s", it.Disputed, by)
				}
			case "005":
				if it.Policy == nil {
					t.Error("format 005 sets no policy")
				}
			case "012":
				if it.State == "" {
					t.Error("format 012 has no state")
				}
			}
			if it.Seen != (Seen{2, 9}) || !it.At.Equal(start) || it.Rule.Format != f.Number || it.Precedence != message.Flash {
				t.Errorf("format %s was read as %+v", f.Number, it)
			}
		}
	}
}

// What is malformed is left out, never guessed.
func TestReadLeavesOut(t *testing.T) {
	it := entryOf(t, "110", map[string]jsontext.Value{
		"window":  jsontext.Value(`{"from":"2028-03-02T00:00:00Z","to":"2028-03-01T00:00:00Z","zone":"UTC"}`),
		"by":      jsontext.Value(`"2027-02-29T00:00:00Z"`),
		"sector":  jsontext.Value(`["a",1]`),
		"assets":  jsontext.Value(`["domain:grid.example",7]`),
		"effect":  jsontext.Value(`"3"`),
		"markers": jsontext.Value(`{"hash":"no digest"}`),
	})
	f := it.Facts
	if len(f.Windows) != 0 || len(f.Times) != 0 || len(f.Counts) != 0 || len(f.Blobs) != 0 || len(f.Assets) != 1 {
		t.Errorf("read as %+v", f)
	}
	leap := entryOf(t, "110", map[string]jsontext.Value{"by": jsontext.Value(`"2028-02-29T00:00:00Z"`)})
	if leap.Facts.Times["by"].Day() != 29 {
		t.Errorf("the leap day was read as %v", leap.Facts.Times)
	}
}

// What no receipt covers is shown and not folded: undelivered after its time,
// withheld where its reader is alive; and what it would answer is said.
// covers P11
func TestUnlisted(t *testing.T) {
	s := tell(t, `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours recv=never -> Q
		2h boreal 600 W recv=never withheld=yes`)
	w := s.check(byHand(), start.Add(3*hour))
	if len(w.Unlisted) != 2 || len(w.Dossiers) != 1 {
		t.Fatalf("unlisted are %+v", w.Unlisted)
	}
	a, b := w.Unlisted[0], w.Unlisted[1]
	if a.State != Undelivered || len(a.Joins) != 1 || a.Joins[0].ID != s.names["Q"] || len(a.Joins[0].Meets) != 1 || a.Joins[0].Meets[0] != s.names["Q"] {
		t.Errorf("the answer stands so: %+v", a)
	}
	if b.State != WithheldState {
		t.Errorf("the letter stands so: %+v", b)
	}
	if now := s.check(byHand(), start.Add(hour+time.Minute)); now.Unlisted[0].State != Open {
		t.Errorf("within its time the answer stands so: %+v", now.Unlisted[0])
	}
}

// Notices that no longer overlap, or were cancelled, are in conflict no more.
func TestConflictsEnd(t *testing.T) {
	s := tell(t, `
		0s arden 110 N window=@120h..@20000h assets=domain:example.org
		1h boreal 110 M window=@130h..@140h assets=domain:a.example.org
		1h boreal 110 K window=@150h..@160h assets=domain:example.org
		2h boreal 111 S change=shift window=@20001h..@20010h -> M
		3h boreal 111 X change=cancel -> K`)
	for after, want := range map[time.Duration]int{hour: 4, 2 * hour: 2, 3 * hour: 0} {
		n := 0
		for _, d := range s.check(byHand(), start.Add(after)).Dossiers {
			n += len(d.Conflicts)
		}
		if n != want {
			t.Errorf("after %v there are %d conflicts, told from both ends; want %d", after, n, want)
		}
	}
}
