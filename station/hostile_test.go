package station_test

import (
	"crypto/rand"
	"encoding/json/jsontext"
	"io"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"
	"detente/seal"
	"detente/station"
	"detente/station/stationtest"
	"detente/store/memory"
)

// marks is a high-water mark in memory.
type marks struct {
	saved line.Marks
	any   bool
	fails error // what Save returns, saving nothing
}

func (m *marks) Load() (line.Marks, error) {
	if !m.any {
		return line.Marks{}, line.ErrNoMark
	}
	return m.saved, nil
}

func (m *marks) Save(saved line.Marks) error {
	if m.fails != nil {
		return m.fails
	}
	m.saved, m.any = saved, true
	return nil
}

// side is a station whose store a test can reach into.
type side struct {
	stationtest.End
	t     *testing.T
	disk  *memory.Disk
	store *memory.Store
	marks *marks
	line  identity.Line

	steady func() time.Duration // nil: the times given are the steady clock
}

// begin starts the side's process at a moment.
func (s *side) begin(now time.Time) {
	s.t.Helper()
	c := s.Cast
	st, err := station.New(ctx, now, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: s.marks, Blobs: noBlobs{}, Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)), Steady: s.steady,
	}, func(f station.Finish) (station.Store, error) {
		s.store = memory.Open(s.disk, f, nil)
		return s.store, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.End = stationtest.End{Station: st, Cast: c}
}

// log is the log that the side writes.
func (s *side) log() identity.Origin { return s.line.Log(s.Name(), 1) }

// view reads the side's store.
func (s *side) view(do func(station.Tx) error) {
	s.t.Helper()
	if err := s.store.View(ctx, do); err != nil {
		s.t.Fatal(err)
	}
}

// size is how many entries of a log the side holds.
func (s *side) size(o identity.Origin) (n int64) {
	s.view(func(tx station.Tx) error {
		l, _, err := tx.Log(o)
		n = l.Size
		return err
	})
	return n
}

// write appends entries to the side's own log under its true key, whatever they
// are.
func (s *side) write(now time.Time, entries ...[]byte) {
	s.t.Helper()
	signer, err := journal.NewSigner(s.log(), s.Cast.Keys.Logs[s.log()])
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.store.Update(ctx, func(tx station.Tx) error {
		_, err := journal.Append(tx, signer, entries, now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// last returns the newest entry of the side's log that it can open itself.
func (s *side) last() (e message.Entry) {
	s.t.Helper()
	s.view(func(tx station.Tx) error {
		list, err := tx.Messages(s.log(), 0, 0)
		for _, m := range list {
			if parsed, err := message.ParseEntry(m.Plain); err == nil {
				e = parsed
			}
		}
		return err
	})
	return e
}

// sealed seals a text to the other side.
func sealed(t *testing.T, to *side, now time.Time, plain []byte) []byte {
	t.Helper()
	b, err := seal.Seal(plain, to.Cast.Keys.Sealing[seal.PeriodOf(now)].Recipient())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answers lists the refusals that a side has written, by the index refused.
func (s *side) answers() map[string]string {
	s.t.Helper()
	out := make(map[string]string)
	s.view(func(tx station.Tx) error {
		list, err := tx.Messages(s.log(), 0, 0)
		for _, m := range list {
			if e, err := message.ParseEntry(m.Plain); err == nil && m.Format == "002" {
				p := e.Body.Body().Params
				out[string(p["index"])] = strings.Trim(string(p["reason"]), `"`) + " " + strings.Trim(string(p["field"]), `"`)
			}
		}
		return err
	})
	return out
}

// duo opens a line between a station and a hostile one, both in memory.
func duo(t *testing.T) (victim, hostile *side) {
	t.Helper()
	sides := [2]*side{}
	for i, name := range []string{"arden.example", "boreal.example"} {
		other := []identity.Station{bor, arden}[i]
		c, err := stationtest.NewCast(rand.Reader, start, name, []identity.Code{"ARD", "BOR"}[i], other)
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = &side{t: t, disk: memory.NewDisk(), marks: &marks{}, End: stationtest.End{Cast: c}}
		if sides[i].line, err = identity.NewLine(arden, bor, identity.Notification); err != nil {
			t.Fatal(err)
		}
		sides[i].begin(start)
	}
	victim, hostile = sides[0], sides[1]
	if err := stationtest.Introduce(ctx, start, victim.End, hostile.End); err != nil {
		t.Fatal(err)
	}
	for _, s := range sides {
		if err := s.OpenLine(ctx, start, s.line, station.DefaultTerms()); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, start, victim, hostile)
	return victim, hostile
}

// meet lets two sides carry out all that they have to do at a moment.
func meet(t *testing.T, now time.Time, a, b *side) {
	t.Helper()
	for _, s := range []*side{a, b} {
		if err := s.Tick(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, now, a.line, a.End, b.End); err != nil {
		t.Fatal(err)
	}
}

// Whatever an entry of a consistent tree says, it is stored, cosigned and
// answered with its index: no name that its writer chose, no emptiness and no
// size stops the log.
// covers P14 P15
func TestNothingSaidStopsALog(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	said, err := h.Say(ctx, now, station.Draft{Line: h.line, Format: "600"}, "text=good day")
	if err != nil {
		t.Fatal(err)
	}
	meet(t, now, v, h)
	if _, err := v.ReadMessage(ctx, op, now, said.ID); err != nil {
		t.Fatal(err)
	}
	honest := h.last()
	plain, err := honest.Plain()
	if err != nil {
		t.Fatal(err)
	}
	wrapper, body, _ := strings.Cut(string(plain), "\n")
	long := strings.TrimSuffix(wrapper, "}") + `,"` + strings.Repeat("z\u202e", 900) + `":1}`
	bad := map[string][]byte{
		"an unknown member with a long name": sealed(t, v, now, []byte(long+"\n"+body)),
		"noise":                              {1},
		"nothing":                            {},
		"the largest entry":                  make([]byte, journal.MaxEntry),
		"an empty text":                      sealed(t, v, now, nil),
	}
	for name, entry := range bad {
		t.Run(name, func(t *testing.T) {
			h.write(now, entry)
			index := h.size(h.log()) - 1
			meet(t, now, v, h)
			if got := v.size(h.log()); got != index+1 {
				t.Fatalf("entry %d was not taken: %d are held", index, got)
			}
			if _, ok := v.answers()[decimal(index)]; !ok {
				t.Errorf("entry %d was not answered: %v", index, v.answers())
			}
		})
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// noBlobs is a place for blobs that holds none.
type noBlobs struct{}

func (noBlobs) Put(func(io.Writer) error) (identity.Digest, int64, error) {
	return identity.Digest{}, 0, station.ErrNotFound
}
func (noBlobs) Extend(identity.Digest, int64, []byte) (int64, error) { return 0, station.ErrNotFound }
func (noBlobs) Finish(identity.Digest) error                         { return station.ErrNotFound }
func (noBlobs) Open(identity.Digest) (io.ReadSeekCloser, error)      { return nil, station.ErrNotFound }

// least is the size of the smallest entry of the side's own log.
func (s *side) least() (n int) {
	s.view(func(tx station.Tx) error {
		l, _, err := tx.Log(s.log())
		if err != nil {
			return err
		}
		entries, err := tx.Entries(s.log(), 0, l.Size)
		for _, e := range entries {
			if n == 0 || len(e) < n {
				n = len(e)
			}
		}
		return err
	})
	return n
}

func (s *side) random() io.Reader { return rand.Reader }

var tlp = message.Marking{TLP: "AMBER"}

// text is the parameters of a free text.
func text(t *testing.T, s *side, what string) map[string]jsontext.Value {
	t.Helper()
	p, err := s.Book().Compose("600", []string{"text=" + what})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lineTest is the parameters of a line test, which needs no officer.
func lineTest(t *testing.T, s *side) map[string]jsontext.Value {
	t.Helper()
	p, err := s.Book().Compose("010", []string{"test_no=2026-11-23T14:00:00Z", "text_id=T1", "check_groups=4F2A 91C7", "bearer=direct"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
