package tribunal

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"path/filepath"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
	"detente/store/memory"
)

// The parties are fictional.
const (
	arden  identity.Station = "nrrc.arden.example"
	boreal identity.Station = "nrrc.boreal.example"
)

// opens is when the line opens.
var opens = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a second

// stage is two real stations in this process, with a line between them.
type stage struct {
	a, b stationtest.End
	line identity.Line
	now  time.Time
	ids  map[string]message.ID // of what was said, by its part in the story
}

// newStage makes both parties and opens the line. Evidence and marks lie in dir.
func newStage(ctx context.Context, dir string) (*stage, error) {
	s := &stage{now: opens, ids: make(map[string]message.ID)}
	var err error
	for _, p := range []struct {
		end   *stationtest.End
		party string
		code  identity.Code
		peer  identity.Station
	}{{&s.a, "arden.example", "ARD", boreal}, {&s.b, "boreal.example", "BOR", arden}} {
		cast, err := stationtest.NewCast(rand.Reader, opens, p.party, p.code, p.peer)
		if err != nil {
			return nil, err
		}
		if *p.end, err = open(ctx, cast, filepath.Join(dir, p.party)); err != nil {
			return nil, err
		}
	}
	if err := stationtest.Introduce(ctx, s.now, s.a, s.b); err != nil {
		return nil, err
	}
	if s.line, err = identity.NewLine(arden, boreal, identity.Notification); err != nil {
		return nil, err
	}
	for _, e := range []stationtest.End{s.a, s.b} {
		if err := e.OpenLine(ctx, s.now, s.line, station.DefaultTerms()); err != nil {
			return nil, err
		}
	}
	for _, e := range []stationtest.End{s.a, s.b} {
		if err := e.Tick(ctx, s.now); err != nil {
			return nil, err
		}
	}
	return s, s.settle(ctx)
}

func open(ctx context.Context, c *stationtest.Cast, dir string) (stationtest.End, error) {
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		return stationtest.End{}, err
	}
	seed, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return stationtest.End{}, err
	}
	s, err := station.New(ctx, opens, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(seed.Uint64(), 0)),
	}, func(f station.Finish) (station.Store, error) { return memory.Open(memory.NewDisk(), f, nil), nil })
	return stationtest.End{Station: s, Cast: c}, err
}

func (s *stage) settle(ctx context.Context) error {
	return stationtest.Settle(ctx, s.now, s.line, s.a, s.b)
}

// close ends both stations.
func (s *stage) close() error {
	if err := s.a.Close(s.now); err != nil {
		return err
	}
	return s.b.Close(s.now)
}

// say lets a station say something ten minutes on. It is delivered after delay.
func (s *stage) say(ctx context.Context, part string, e stationtest.End, delay time.Duration, format message.Format, about []string, typed ...string) error {
	s.now = s.now.Add(10 * minute)
	d := station.Draft{Line: s.line, Format: format}
	for _, p := range about {
		d.Refs = append(d.Refs, s.ids[p])
	}
	out, err := e.Say(ctx, s.now, d, typed...)
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	s.ids[part] = out.ID
	s.now = s.now.Add(delay)
	return s.settle(ctx)
}

// facts are what Arden claims.
var facts = []string{ //nolint:gochecknoglobals // parameters
	"facts=from=2026-11-22T10:00:00Z;asset=domain:grid.arden.example;act=scanning;effect=1;level=1",
	"facts=from=2026-11-22T12:00:00Z;asset=domain:vote.arden.example;act=intrusion;effect=4;level=2;words=one table",
}

// claimed are the parameters of a claim that states facts.
func claimed(number string, facts ...string) []string {
	return append([]string{
		"claim_no=" + number, "basis=article", "article=A8", "urgency=urgent", "evidence_level=1", "technical=none", "political=none", "remedies=explain", "by=2026-11-30T00:00:00Z",
	}, facts...)
}

// story lets both sides speak: a letter, a claim of two facts, its reply in part
// and a question on the rest.
func (s *stage) story(ctx context.Context) error {
	for _, m := range []struct {
		part   string
		from   stationtest.End
		format message.Format
		about  []string
		typed  []string
	}{
		{"letter", s.a, "600", nil, []string{"text=good day"}},
		{"claim", s.a, "270", nil, claimed("ARD-2026-001", facts...)},
		{"reply", s.b, "271", []string{"claim"}, []string{"facts=fact=1;answer=not-ours;words=the range is leased"}},
		{"question", s.a, "272", []string{"claim", "reply"}, []string{"questions=ask=time;fact=2", "by=2026-11-30T00:00:00Z"}},
		{"thanks", s.b, "600", nil, []string{"text=we look into it"}},
		{"greeting", s.a, "600", nil, []string{"text=and to you"}},
		{"closing", s.b, "600", nil, []string{"text=good evening"}},
	} {
		if err := s.say(ctx, m.part, m.from, 0, m.format, m.about, m.typed...); err != nil {
			return err
		}
	}
	return nil
}

// export lets Arden's station export the whole line.
func (s *stage) export(ctx context.Context, disclose bool) ([]byte, error) {
	var b bytes.Buffer
	err := s.a.Export(ctx, stationtest.Operator(), s.now, station.Export{Line: s.line.String(), Disclose: disclose}, &b)
	return b.Bytes(), err
}

// taken exports the line and takes the record apart.
func (s *stage) taken(ctx context.Context) (*copyOf, []byte, error) {
	file, err := s.export(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	c, err := takeApart(file, s.a.Cast, s.b.Cast)
	return c, file, err
}
