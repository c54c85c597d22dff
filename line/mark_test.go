package line

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/identity"
)

func mark(o identity.Origin, size int64) Mark {
	return Mark{Origin: o, Written: o.Writer == arden, Size: size, Root: identity.Digest{byte(size)}, Head: checkpoint(o, size, byte(size))}
}

func marks() Marks {
	return Marks{
		Logs:  []Mark{mark(abLog, 7), mark(abLine.Log(boreal, 2), 0), mark(identity.Line{A: arden, B: boreal, Class: identity.Leadership}.Log(arden, 4), 1)},
		Trail: Trail{Size: 12, Hash: identity.Digest{1, 2, 3}},
	}
}

func sum(m Marks) string {
	b, err := FormatMarks(m)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// covers P6, P21: a damaged mark is told from an absent one, whichever byte is
// lost or changed.
func TestMarksReadBackOrAreDamaged(t *testing.T) {
	b := must[[]byte](t)(FormatMarks(marks()))
	if got := must[Marks](t)(ParseMarks(b)); sum(got) != sum(marks()) {
		t.Errorf("read back as %v", got)
	}
	for i := range b {
		if _, err := ParseMarks(b[:i]); !errors.Is(err, ErrMarkDamaged) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		flipped := bytes.Clone(b)
		flipped[i] ^= 1
		if _, err := ParseMarks(flipped); !errors.Is(err, ErrMarkDamaged) {
			t.Fatalf("flipped at %d: %v", i, err)
		}
	}
	if _, err := FormatMarks(Marks{Logs: []Mark{mark(abLog, 1), mark(abLine.Log(arden, 2), 1)}}); err == nil {
		t.Error("two eras of one direction were written")
	}
	if _, err := FormatMarks(Marks{Logs: []Mark{{Origin: abLog, Size: 1}}}); err == nil {
		t.Error("a mark without a head was written")
	}
	if _, err := FormatMarks(Marks{Trail: Trail{Size: 1}}); err == nil {
		t.Error("an audit trail without a hash was written")
	}
	for _, bare := range []Marks{{}, {Logs: marks().Logs}, {Trail: marks().Trail}} {
		if got := must[Marks](t)(ParseMarks(must[[]byte](t)(FormatMarks(bare)))); sum(got) != sum(bare) || got.Trail != bare.Trail {
			t.Errorf("%v read back as %v", bare, got)
		}
	}
}

// covers P6, P21
func TestMarkFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	f := NewMarkFile(path)
	if _, err := f.Load(); !errors.Is(err, ErrNoMark) {
		t.Errorf("absent: %v", err)
	}
	if err := f.Save(marks()); err != nil {
		t.Fatal(err)
	}
	// A crash while the next one is written leaves half of it beside.
	if err := os.WriteFile(path+".next", []byte("detente high-wa"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := must[Marks](t)(f.Load()); sum(got) != sum(marks()) {
		t.Errorf("after a crash: %v", got)
	}
	more := Marks{Logs: append(marks().Logs[1:], mark(abLog, 9))}
	if err := f.Save(more); err != nil {
		t.Fatal(err)
	}
	if got := must[Marks](t)(f.Load()); sum(got) != sum(more) {
		t.Errorf("saved again: %v", got)
	}
	if err := os.WriteFile(path, []byte("detente high-wa"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); !errors.Is(err, ErrMarkDamaged) {
		t.Errorf("damaged: %v", err)
	}
	if err := NewMarkFile(filepath.Join(path, "x")).Save(Marks{}); err == nil {
		t.Error("saved where there is no directory")
	}
}

// covers P4, P5: nothing is let out while the mark is more than a second
// behind, and it never falls.
func TestHighWater(t *testing.T) {
	f := NewMarkFile(filepath.Join(t.TempDir(), "mark"))
	w := must[*HighWater](t)(LoadHighWater(f))
	raise := func(now time.Time, m Mark) {
		t.Helper()
		if err := w.Raise(now, m); err != nil {
			t.Fatal(err)
		}
	}
	if w.Present() || !w.MayLetOut(start) {
		t.Error("a new one is absent and behind nothing")
	}
	raise(start, mark(abLog, 3))
	raise(start.Add(MarkSlack), mark(abLog, 4))
	if !w.MayLetOut(start.Add(MarkSlack)) || w.MayLetOut(start.Add(MarkSlack+1)) || w.MayLetOut(start.Add(-1)) {
		t.Error("it may lag a second behind the oldest change, no more")
	}
	all, n, some := w.Unsaved()
	asked := start.Add(2 * time.Second)
	raise(asked.Add(time.Millisecond), mark(abLog, 5)) // while it is being saved
	if !some || f.Save(all) != nil {
		t.Fatal("it could not be saved")
	}
	w.Saved(n, all.Trail, asked)
	if !w.MayLetOut(asked.Add(MarkSlack)) || w.MayLetOut(asked.Add(MarkSlack+1)) {
		t.Error("what was raised meanwhile counts from then")
	}
	w.Saved(n, all.Trail, asked.Add(time.Hour)) // told twice
	if w.MayLetOut(asked.Add(time.Hour)) {
		t.Error("an old save counted twice")
	}
	raise(asked, mark(abLog, 2)) // lower
	if m, _ := w.Mark(Direction{Line: abLine, Writer: arden}); m.Size != 5 {
		t.Errorf("the mark fell to %d", m.Size)
	}
	raise(asked, mark(abLine.Log(arden, 2), 1)) // a later era is higher
	if m, _ := w.Mark(Direction{Line: abLine, Writer: arden}); m.Origin.Era != 2 {
		t.Errorf("the mark stays at %s", m.Origin)
	}
	all, n, _ = w.Unsaved()
	w.Saved(n, all.Trail, asked)
	if _, _, some := w.Unsaved(); some || !w.MayLetOut(asked.Add(time.Hour)) {
		t.Error("all is saved")
	}
	again := must[*HighWater](t)(LoadHighWater(f))
	if m, found := again.Mark(Direction{Line: abLine, Writer: arden}); !found || m.Size != 4 || !again.Present() {
		t.Errorf("loaded again: %v, %v", m, found)
	}
}

// covers P22: the audit trail's end is saved with the marks, and holds up
// nothing that is let out.
func TestHighWaterOfTheTrail(t *testing.T) {
	f := NewMarkFile(filepath.Join(t.TempDir(), "mark"))
	w := must[*HighWater](t)(LoadHighWater(f))
	if _, _, some := w.Unsaved(); some || w.Trail() != (Trail{}) {
		t.Error("a new one knows of a trail")
	}
	trail := Trail{Size: 3, Hash: identity.Digest{3}}
	w.SetTrail(trail)
	if !w.MayLetOut(start.Add(time.Hour)) {
		t.Error("what is let out waits for the trail")
	}
	all, n, some := w.Unsaved()
	if !some || all.Trail != trail || f.Save(all) != nil {
		t.Fatalf("%v %v", all, some)
	}
	w.SetTrail(Trail{Size: 4, Hash: identity.Digest{4}}) // while it is being saved
	w.Saved(n, all.Trail, start)
	if _, _, some := w.Unsaved(); !some {
		t.Error("what came meanwhile counts as saved")
	}
	if again := must[*HighWater](t)(LoadHighWater(f)); again.Trail() != trail {
		t.Errorf("loaded again: %v", again.Trail())
	}
}
