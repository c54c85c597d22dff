package station_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// edition returns an edition made of the program's own by text changes, each in a
// file, packed. A file that is not there is made of the one named after it.
func edition(t *testing.T, changes ...[3]string) ([]byte, *book.Edition) {
	t.Helper()
	files := fstest.MapFS{}
	for _, dir := range []string{".", "formats", "lists"} {
		entries, err := os.ReadDir("../book/data/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range entries {
			if f.IsDir() {
				continue
			}
			name := strings.TrimPrefix(dir+"/"+f.Name(), "./")
			text, err := os.ReadFile("../book/data/" + name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
	}
	for _, c := range append([][3]string{{"edition.json", `"2026.1"`, `"2027.1"`}}, changes...) {
		name, from, _ := strings.Cut(c[0], " of ")
		if from == "" {
			from = name
		}
		if c[1] == "" {
			delete(files, name)
			continue
		}
		was := string(files[from].Data)
		if !strings.Contains(was, c[1]) {
			t.Fatalf("%s does not hold %s", from, c[1])
		}
		files[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(was, c[1], c[2]))}
	}
	pack, err := book.Pack(files)
	if err != nil {
		t.Fatal(err)
	}
	e, err := book.OpenPack(pack)
	if err != nil {
		t.Fatal(err)
	}
	return pack, e
}

// newer is an edition with a format more, and half the time to answer an inquiry.
func newer(t *testing.T) ([]byte, *book.Edition) {
	t.Helper()
	pack, e := edition(t, [3]string{"formats/262.json of formats/600.json", `"600"`, `"262"`}, [3]string{"formats/262.json", `"transition": "write"`, `"transition": "note"`},
		[3]string{"formats/210.json", `"reply_seconds": 86400`, `"reply_seconds": 43200`})
	return pack, e
}

// sign lets an officer sign an edition.
func sign(t *testing.T, e stationtest.End, now time.Time, d identity.Digest, officer int) station.EditionState {
	t.Helper()
	r, err := e.EditionRequest(ctx, op, d, "releasing", now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	approval, err := e.Cast.Officers[officer].Sign(r)
	if err != nil {
		t.Fatal(err)
	}
	k, err := e.SignEdition(ctx, op, now, d, approval)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// install brings an edition and lets two officers sign it.
func install(t *testing.T, e stationtest.End, now time.Time, pack []byte) identity.Digest {
	t.Helper()
	k, err := e.InstallEdition(ctx, op, now, pack)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, e, now, k.Hash, 0)
	if k = sign(t, e, now, k.Hash, 1); k.State != station.EditionInstalled {
		t.Fatalf("after two signatures it is %q", k.State)
	}
	return k.Hash
}

// An edition is brought, signed by two different officers, and read from then on,
// without a restart. Both sides adopt it; from its day on both write in it, and
// what was said in the older one goes on counting as it did.
// covers P8 P10 P13
func TestEditionIsAdopted(t *testing.T) {
	w := newWatch(t)
	old := w.say(w.a, time.Minute, "210", nil, inquiry...)
	pack, next := newer(t)
	k, err := w.a.InstallEdition(ctx, op, at(time.Hour), pack)
	if err != nil || k.State != station.EditionOffered || k.Hash != next.Hash() {
		t.Fatalf("%+v, %v", k.KeptEdition, err)
	}
	for range 2 { // one person counts once
		if k = sign(t, w.a, at(time.Hour), next.Hash(), 0); k.State != station.EditionOffered || len(k.Signed) != 1 {
			t.Fatalf("after one officer's signature: %+v", k.KeptEdition)
		}
	}
	if _, reads := w.a.BookOf(next.Hash()); reads {
		t.Error("an edition that one officer has signed is read")
	}
	if k = sign(t, w.a, at(time.Hour), next.Hash(), 1); k.State != station.EditionInstalled {
		t.Fatalf("after two: %+v", k.KeptEdition)
	}
	proposal := w.say(w.a, time.Hour, "034", nil, "edition="+next.Hash().String(), "base="+w.a.Book().Hash().String(), "name=2027.1", "changes=formats/262/new",
		"from="+at(10*time.Hour).Format(time.RFC3339), "by="+at(9*time.Hour).Format(time.RFC3339))
	adopt := []string{"edition=" + next.Hash().String(), "decision=adopted", "from=" + at(10*time.Hour).Format(time.RFC3339)}
	if _, err := w.b.Say(ctx, at(2*time.Hour), station.Draft{Line: w.line, Format: "035", Refs: []message.ID{proposal}}, adopt...); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "edition: this station does not read") {
		t.Fatalf("an edition is adopted that nobody here can read: %v", err)
	}
	install(t, w.b, at(2*time.Hour), pack)
	w.say(w.b, 2*time.Hour, "035", []message.ID{proposal}, adopt...)
	w.pass(3 * time.Hour)
	if _, err := w.a.Submit(ctx, op, at(9*time.Hour), station.Draft{Line: w.line, Format: "262", Marking: message.Marking{TLP: "AMBER"}}); err == nil || !strings.Contains(err.Error(), "not in edition 2026.1") {
		t.Errorf("the newer edition is spoken before its day: %v", err)
	}
	w.pass(11 * time.Hour)
	said := w.in(w.a, next, 11*time.Hour, "262", "text=good day")
	asked := w.in(w.a, next, 11*time.Hour+10*time.Minute, "210", inquiry...)
	w.test(w.b, 11*time.Hour+11*time.Minute)
	answer := w.in(w.b, next, 12*time.Hour, "211", "answer=not-ours", "action=examining")
	for id, edition := range map[message.ID]*book.Edition{old: w.a.Book(), said: next, asked: next, answer: next} {
		for _, e := range []stationtest.End{w.a, w.b} {
			r, err := e.ReadMessage(ctx, op, at(13*time.Hour), id)
			if err != nil || r.Problem != "" || r.Entry.Body.Body().Edition != edition.Hash() {
				t.Fatalf("%s: %s in %s: problem %q, %v", e.Name(), id, r.Entry.Body.Body().Edition, r.Problem, err)
			}
			text, err := e.Text(r.Entry.Body.Body(), "fr")
			if err != nil {
				t.Fatal(err)
			}
			if back, _, err := edition.Parse(text); err != nil || back.ID != id {
				t.Errorf("%s does not read back by its edition: %v", id, err)
			}
		}
	}
	for id, due := range map[message.ID]time.Time{old: at(time.Minute + 24*time.Hour), asked: at(11*time.Hour + 10*time.Minute + 12*time.Hour)} {
		if o, ok := w.answer(w.b, id, 11*time.Hour+20*time.Minute, station.ObligationQuery{}); !ok || !o.Due.Equal(due) {
			t.Errorf("%s is to be answered by %s, and not %s: each by its own edition", id, o.Due, due)
		}
	}
	w.equal(time.Hour, 12*time.Hour)
	w.shelfSays(next)
}

// in says something in an edition that the line speaks by then.
func (w *watchPair) in(e stationtest.End, edition *book.Edition, after time.Duration, f message.Format, typed ...string) message.ID {
	w.t.Helper()
	params, err := edition.Compose(f, typed)
	if err != nil {
		w.t.Fatal(err)
	}
	d := station.Draft{Line: w.line, Format: f, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params}
	if f == "211" {
		list, err := e.List(ctx, op, at(after), 0, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(r station.Read) bool { return r.Format == "210" })
		d.Refs = []message.ID{list[i].ID}
	}
	out, err := e.Submit(ctx, op, at(after), d)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := e.Release(ctx, op, at(after), out.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := e.Approve(ctx, at(after), out.ID, r.Need); err != nil {
		w.t.Fatal(err)
	}
	w.pass(after)
	return out.ID
}

// shelfSays demands that both ends list both editions, and say who signed and
// where each is spoken.
func (w *watchPair) shelfSays(next *book.Edition) {
	w.t.Helper()
	for _, e := range []stationtest.End{w.a, w.b} {
		list, err := e.Editions(ctx, op, at(13*time.Hour))
		if err != nil || len(list) != 2 {
			w.t.Fatalf("%s: %d editions, %v", e.Name(), len(list), err)
		}
		if own := list[0]; own.Hash != e.Book().Hash() || len(own.Lines) != 0 || own.Packs["ar"] != "draft" {
			w.t.Errorf("%s: its own is %+v", e.Name(), own)
		}
		if k := list[1]; k.Hash != next.Hash() || len(k.Signed) != 2 || len(k.Lines) != 1 || !k.Lines[0].Now || !k.Lines[0].From.Equal(at(10*time.Hour)) {
			w.t.Errorf("%s: the newer is %+v", e.Name(), k)
		}
		if _, got, err := e.Edition(ctx, op, at(13*time.Hour), next.Hash()); err != nil || len(got) == 0 {
			w.t.Errorf("%s: %d bytes, %v", e.Name(), len(got), err)
		}
	}
}

// What comes in an edition that a station does not read is held, receipted,
// answered, and shown as what it is. Once the edition is installed what comes from
// then on is read; what was answered stays so, however often the tables are made
// anew.
// covers P14 P15
func TestUnknownEditionLosesNothing(t *testing.T) {
	ca, cb := casts(t)
	pack, next := newer(t)
	ca.Book = next
	a, b := open(t, start, ca, t.TempDir()), open(t, start, cb, t.TempDir())
	t.Cleanup(func() {
		closeEnd(t, a)
		closeEnd(t, b)
	})
	w := &watchPair{t, a, b, introduced(t, a, b)}
	install(t, a, at(time.Minute), packOf(t))
	first := w.in(a, next, time.Minute, "262", "text=\u202eabc")
	w.pass(2 * time.Minute)
	r, err := b.ReadMessage(ctx, op, at(2*time.Minute), first)
	if err != nil || r.Problem != "edition" || r.Received.IsZero() {
		t.Fatalf("%q received at %s, %v", r.Problem, r.Received, err)
	}
	for _, l := range book.Langs() {
		text, err := b.Text(r.Entry.Body.Body(), l)
		if err != nil || !strings.Contains(text, next.Hash().String()) || !strings.Contains(text, `\u202eabc`) || strings.Contains(text, "\u202e") || !strings.HasPrefix(strings.Trim(text, "\u2066"), "262") {
			t.Errorf("%s: %v\n%s", l, err, text)
		}
		if _, _, err := b.Book().Parse(text); err == nil {
			t.Errorf("%s: it passes for a rendering", l)
		}
	}
	list, err := a.List(ctx, op, at(3*time.Minute), 0, 100)
	if err != nil || !slices.ContainsFunc(list, func(r station.Read) bool { return r.Format == "002" && r.Origin.Writer == b.Name() }) {
		t.Fatalf("it is not answered: %v", err)
	}
	w.test(b, 3*time.Minute) // the refusal's receipt stands in the record with it
	w.test(a, 3*time.Minute+10*time.Second)
	w.equal(4 * time.Minute) // whichever end has the edition
	install(t, b, at(3*time.Minute), pack)
	second := w.in(a, next, 5*time.Minute, "262", "text=again")
	for id, problem := range map[message.ID]string{first: "edition", second: ""} {
		if r, err := b.ReadMessage(ctx, op, at(5*time.Minute), id); err != nil || r.Problem != problem {
			t.Errorf("%s: problem %q and not %q, %v", id, r.Problem, problem, err)
		}
	}
	if r, err = b.ReadMessage(ctx, op, at(5*time.Minute), first); err != nil {
		t.Fatal(err)
	}
	if text, err := b.Text(r.Entry.Body.Body(), "en"); err != nil || !strings.HasPrefix(text, "262: ") {
		t.Errorf("the edition is held, and the first message is not read: %v\n%s", err, text)
	}
	w.test(b, 6*time.Minute)
	w.equal(7 * time.Minute)
}

// packOf packs the edition that ships with the program.
func packOf(t *testing.T) []byte {
	t.Helper()
	pack, err := book.EmbeddedPack()
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// An officer's signature under one edition takes no other from the shelf: what was
// installed before is read after a restart too.
// covers P10
func TestSigningOneEditionKeepsTheOthers(t *testing.T) {
	cast, other := casts(t)
	dir := t.TempDir()
	e, b := open(t, start, cast, dir), open(t, start, other, t.TempDir())
	introduced(t, e, b)
	closeEnd(t, b)
	if err := e.KeepBook(ctx, at(0), book.EmbeddedPack); err != nil {
		t.Fatal(err)
	}
	pack, _ := newer(t)
	first := install(t, e, at(time.Hour), pack)
	pack, _ = edition(t, [3]string{"edition.json", `"2027.1"`, `"2028.1"`})
	offered, err := e.InstallEdition(ctx, op, at(2*time.Hour), pack)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, e, at(2*time.Hour), offered.Hash, 0)
	closeEnd(t, e)
	e = open(t, at(3*time.Hour), cast, dir)
	t.Cleanup(func() { closeEnd(t, e) })
	if _, reads := e.BookOf(first); !reads {
		t.Error("an edition that was installed is read no more")
	}
	var names []string
	list, err := e.Editions(ctx, op, at(3*time.Hour))
	for _, k := range list {
		names = append(names, k.Name+" "+k.State)
	}
	if want := []string{"2026.1 program", "2027.1 installed", "2028.1 offered"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("on the shelf stand %q, %v, and not %q", names, err, want)
	}
}

// A program with a newer edition goes on speaking the one that its lines were
// opened in, and reading it.
// covers P10 P21
func TestUpgradeKeepsTheOldEdition(t *testing.T) {
	ca, cb := casts(t)
	dir := t.TempDir()
	a, b := open(t, start, ca, dir), open(t, start, cb, t.TempDir())
	w := &watchPair{t, a, b, introduced(t, a, b)}
	old := a.Book()
	if err := a.KeepBook(ctx, at(0), book.EmbeddedPack); err != nil {
		t.Fatal(err)
	}
	first := w.say(w.b, time.Minute, "600", nil, "text=good day")
	closeEnd(t, a)
	pack, next := newer(t)
	ca.Book = next
	w.a = open(t, at(time.Hour), ca, dir)
	if err := w.a.KeepBook(ctx, at(time.Hour), func() ([]byte, error) { return pack, nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closeEnd(t, w.a)
		closeEnd(t, w.b)
	})
	second := w.in(w.a, old, time.Hour, "600", "text=after the change")
	for _, id := range []message.ID{first, second} {
		for _, e := range []stationtest.End{w.a, w.b} {
			if r, err := e.ReadMessage(ctx, op, at(2*time.Hour), id); err != nil || r.Problem != "" || r.Entry.Body.Body().Edition != old.Hash() {
				t.Errorf("%s: %s in %s, %q, %v", e.Name(), id, r.Entry.Body.Body().Edition, r.Problem, err)
			}
		}
	}
	checkLine(t, w.line, w.a, w.b)
}

// What is no sound edition is not taken, and all that is wrong is told with its
// place.
// covers P14
func TestFaultyEditionsAreRefused(t *testing.T) {
	a, _, _ := pair(t)
	for name, c := range map[string]struct {
		change [3]string
		want   string
	}{
		"a format for a turn is missing": {[3]string{"formats/211.json", "", ""}, "211"},
		"two labels alike":               {[3]string{"lists/ask.json", `"en": "stop the activity if it is yours"`, `"en": "tell us what you know"`}, "have one label in en"},
		"what stations write changed":    {[3]string{"formats/002.json", `"name": "field"`, `"name": "place"`}, "formats/002: stations write it by themselves"},
	} {
		pack, _ := edition(t, c.change)
		if _, err := a.InstallEdition(ctx, op, start, pack); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, pack := range map[string][]byte{"nothing": nil, "rubbish": []byte("x"), "the program's own": packOf(t)} {
		if _, err := a.InstallEdition(ctx, op, start, pack); !errors.Is(err, station.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.InstallEdition(ctx, station.Actor{Name: "x", Roles: []string{station.RoleDraft}}, start, packOf(t)); !errors.Is(err, station.ErrRefused) {
		t.Errorf("whoever drafts may install: %v", err)
	}
}

// An edition that drops a format in use on the line is neither proposed nor
// adopted, and the place is told.
// covers P14
func TestFormatInUseIsKept(t *testing.T) {
	w := newWatch(t)
	pack, next := edition(t, [3]string{"formats/441.json of formats/440.json", `"440"`, `"441"`}, [3]string{"formats/440.json", "", ""})
	install(t, w.b, at(time.Minute), pack)
	propose := []string{"edition=" + next.Hash().String(), "base=" + w.a.Book().Hash().String(), "name=2027.1", "changes=lists/ask/wording", "changes=formats/440/dropped",
		"from=" + at(10*time.Hour).Format(time.RFC3339), "by=" + at(9*time.Hour).Format(time.RFC3339)}
	proposal := w.say(w.a, time.Minute, "034", nil, propose...) // as long as nobody uses it
	w.say(w.a, 10*time.Minute, "440", nil, "kind=strategy", "title=x", "original_language=en", "hash="+strings.Repeat("ab", 32), "public=yes", "ask=none")
	_, err := w.a.Say(ctx, at(time.Hour), station.Draft{Line: w.line, Format: "034"}, propose...)
	if !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "changes [2]: format 440 is in use on this line, last by ARD/BOR-N1-") {
		t.Errorf("it is proposed: %v", err)
	}
	adopt := []string{"edition=" + next.Hash().String(), "decision=adopted", "from=" + at(10*time.Hour).Format(time.RFC3339)}
	_, err = w.b.Say(ctx, at(time.Hour), station.Draft{Line: w.line, Format: "035", Refs: []message.ID{proposal}}, adopt...)
	if !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "edition: format 440 is in use on this line") {
		t.Errorf("it is adopted: %v", err)
	}
	if _, err = w.b.Say(ctx, at(time.Hour), station.Draft{Line: w.line, Format: "035", Refs: []message.ID{proposal}}, adopt[0], "decision=declined"); err != nil {
		t.Errorf("it cannot be declined: %v", err)
	}
}
