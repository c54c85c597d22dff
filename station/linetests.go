package station

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// keptTest is a line test as far as the record shows it.
type keptTest struct {
	ID       message.ID       `json:"id"`
	For      time.Time        `json:"for"`
	By       identity.Station `json:"by"`
	Sent     time.Time        `json:"sent"`
	Place    servicePlace     `json:"place"`
	Groups   string           `json:"groups"`
	Received time.Time        `json:"received,omitzero"`
	Back     servicePlace     `json:"back,omitzero"` // where the read-back stands
	Answered time.Time        `json:"answered,omitzero"`
	Person   string           `json:"person,omitempty"`
	Good     bool             `json:"good,omitzero"`
}

func (t keptTest) test() watch.Test {
	return watch.Test{For: t.For, By: t.By, Sent: t.Sent, Received: t.Received, Answered: t.Answered, Person: t.Person, Good: t.Good}
}

// takeTest takes a message of format 010 or 011. A read-back that is right goes
// before one that is not; the first of each counts.
func (f *lineFacts) takeTest(r Read) {
	b := r.Entry.Body.Body()
	place := servicePlace{r.Origin.String(), r.Index}
	if b.Format == "010" {
		t := keptTest{ID: b.ID, By: r.Origin.Writer, Sent: r.At.UTC(), Place: place}
		for _, known := range f.Tests {
			if known.ID == b.ID {
				return
			}
		}
		if text(b, "check_groups", &t.Groups) != nil || text(b, "test_no", &t.For) != nil {
			return // no test that could be read back
		}
		t.For = t.For.UTC()
		f.Tests = append(f.Tests, t)
		return
	}
	var back string
	if text(b, "read_back", &back) != nil {
		return
	}
	for i := range f.Tests {
		t := &f.Tests[i]
		if t.By == r.Origin.Writer || !refersTo(b, t.ID) {
			continue
		}
		good := back == t.Groups
		if t.Back != (servicePlace{}) && (t.Good || !good) {
			continue
		}
		t.Back, t.Good, t.Answered, t.Person = place, good, time.Time{}, ""
		if len(r.Entry.Wrapper.Approvals) > 0 {
			t.Person = officerOf(r.Entry.Wrapper.Approvals[0])
		}
	}
}

// text reads one parameter of a body.
func text(b message.Body, name string, into any) error { return json.Unmarshal(b.Params[name], into) }

func refersTo(b message.Body, id message.ID) bool {
	for _, r := range b.Refs {
		if r == id {
			return true
		}
	}
	return false
}

// officerOf returns the pseudonym that the certificate of an approval names.
// The entry was accepted with it, so that it was verified before.
func officerOf(a identity.Approval) string {
	var c struct {
		Pseudonym string `json:"pseudonym"`
	}
	head, _, _ := strings.Cut(string(a.Certificate), "\n\n")
	if json.Unmarshal([]byte(head), &c) != nil || c.Pseudonym == "" {
		return "officer"
	}
	return c.Pseudonym
}

// timeTests looks for the receipts that tests and read-backs still lack.
func (s *Station) timeTests(tx Tx, f *lineFacts) error {
	for i := range f.Tests {
		t := &f.Tests[i]
		if err := s.timePlace(tx, t.Place, &t.Received); err != nil {
			return err
		}
		if t.Back != (servicePlace{}) {
			if err := s.timePlace(tx, t.Back, &t.Answered); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Station) timePlace(tx Tx, p servicePlace, at *time.Time) error {
	if !at.IsZero() {
		return nil
	}
	o, err := identity.ParseOrigin(p.Log)
	if err != nil {
		return fmt.Errorf("internal error: stored place of a test: %w", err)
	}
	*at, err = s.receivedAt(tx, Message{Origin: o, Index: p.Index})
	*at = at.UTC()
	return err
}

// leastInterval is the shortest time between tests that the schedule takes for
// meant; what is shorter is tested each hour.
const leastInterval = time.Minute

// lineBearer is the way that scheduled tests take.
const lineBearer = "direct"

// schedule returns by which schedule a line is tested: from when both sides have
// opened it, as often as the side that tests less often asks. It is false before,
// and where either side wants no tests.
func (f *lineFacts) schedule(l identity.Line) (watch.Schedule, bool) {
	ours, theirs := f.Opened[0], f.Opened[1]
	if ours.At.IsZero() || theirs.At.IsZero() || ours.Every <= 0 || theirs.Every <= 0 {
		return watch.Schedule{}, false
	}
	every := time.Duration(max(ours.Every, theirs.Every)) * time.Second
	if every < leastInterval {
		every = time.Hour
	}
	return watch.Schedule{Line: l, Interval: every, Bearers: []string{lineBearer}}, true
}

// opened is when both sides had opened the line.
func (f *lineFacts) openedAt() time.Time { return later(f.Opened[0].At, f.Opened[1].At) }

// turn returns the test that this station has to send now, if any: its own turn,
// while an answer can still come in time.
func (f *lineFacts) turn(l identity.Line, name identity.Station, now time.Time) (watch.Due, watch.Schedule, bool) {
	schedule, ok := f.schedule(l)
	if !ok {
		return watch.Due{}, schedule, false
	}
	from := later(now.Add(-schedule.Within()+time.Second), f.openedAt())
	for _, d := range schedule.Due(watch.Span{From: from, To: now.Add(time.Nanosecond)}) {
		if d.By == name {
			return d, schedule, true
		}
	}
	return watch.Due{}, schedule, false
}

// testDue reports whether a test is to be sent that was not looked after.
func (s *Station) testDue(f *lineFacts, now time.Time) bool {
	if !s.watching.Tests || s.ClockSafe(now) != nil || f.Own.Era == 0 {
		return false
	}
	d, _, ok := f.turn(f.of, s.name, now)
	return ok && !d.At.Equal(f.sent)
}

// sendTest submits the test of this station's turn, once however often the
// station starts anew: its id follows from line, station and slot, and from what
// only this station knows, so that nobody can take the id before it does. What
// cannot leave in time expires, so that a line that was down is not flooded.
func (s *Station) sendTest(tx Tx, row Line, now time.Time) error {
	f := s.watching.facts[row.Line]
	if row.State != LineOpen || f.more || !s.testDue(f, now) {
		return nil
	}
	due, schedule, _ := f.turn(row.Line, s.name, now)
	secret, err := s.testSecret(tx)
	if err != nil {
		return err
	}
	id, groups := testOf(secret, row.Line, due)
	f.sent = due.At
	if _, err := tx.Outgoing(id); err == nil || !errors.Is(err, ErrNotFound) {
		return err
	}
	if _, err := tx.MessageByID(id); err == nil || !errors.Is(err, ErrNotFound) {
		return err
	}
	params, err := paramValues(map[string]any{"test_no": due.At.UTC().Format(time.RFC3339), "text_id": "T1", "check_groups": groups, "bearer": lineBearer})
	if err != nil {
		return err
	}
	frozen, err := s.freeze(now, Draft{ID: id, Line: row.Line, Format: "010", Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"},
		Language: "en", Expires: due.At.Add(schedule.Within()), Params: params})
	if err != nil {
		return fmt.Errorf("internal error: line test: %w", err)
	}
	out, err := s.enqueue(tx, now, frozen, [16]byte(id))
	if err != nil {
		return err
	}
	s.touch(row.Line)
	return s.audit(tx, now, itself, "line test", out.ID.String(), "done", row.Line.String()+" "+due.At.UTC().Format(time.RFC3339))
}

const (
	// testSecretKey is where the store keeps what the ids of line tests are made
	// with. Of ids that could be foretold a counterpart, on this line or another,
	// would take one with a message of its own, and the test would be missed.
	testSecretKey   = "watch/test-secret"
	testSecretBytes = sha256.Size
)

// testSecret returns the station's secret for line tests, and makes it the first
// time.
func (s *Station) testSecret(tx Tx) ([]byte, error) {
	secret, err := tx.Setting(testSecretKey)
	if err != nil || secret != nil {
		return secret, err
	}
	secret = make([]byte, testSecretBytes)
	s.randomMu.Lock()
	defer s.randomMu.Unlock()
	if _, err := io.ReadFull(s.random, secret); err != nil {
		return nil, err
	}
	return secret, tx.PutSetting(testSecretKey, secret)
}

// testOf returns the id and the check groups of a scheduled test: neither is
// known to the counterpart before the test comes.
func testOf(secret []byte, l identity.Line, d watch.Due) (message.ID, string) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("detente/line-test/v2\x00" + l.String() + "\x00" + string(d.By) + "\x00" + d.At.UTC().Format(time.RFC3339)))
	h := mac.Sum(nil)
	return message.ID(h[:16]), fmt.Sprintf("%X %X %X", h[16:18], h[18:20], h[20:22])
}

// conditions returns the tests of a line that failed, and a shift in which no
// person of this station read one back.
func (f *lineFacts) conditions(l identity.Line, name identity.Station, roster watch.Roster, now time.Time) ([]watch.Condition, error) {
	schedule, ok := f.schedule(l)
	if !ok {
		return nil, nil
	}
	in := watch.Span{From: later(f.openedAt(), now.Add(-testsBack)), To: now.Add(time.Second)}
	tests := f.tests()
	stats, err := schedule.Measure(in, tests, f.outages, f.held, now)
	if err != nil {
		return nil, err
	}
	out := stats.Conditions(l)
	shifts := roster.Spans(in)
	for len(shifts) > 0 && now.Before(shifts[len(shifts)-1].To) {
		shifts = shifts[:len(shifts)-1]
	}
	if len(shifts) == 0 || shifts[len(shifts)-1].From.Before(f.openedAt()) {
		return out, nil // none that the line was open throughout
	}
	last := shifts[len(shifts)-1]
	asked := false
	for _, t := range tests {
		if t.By == name {
			continue
		}
		if t.Person != "" && t.Good && !t.Answered.Before(last.From) {
			return out, nil // in it, or made good after it
		}
		asked = asked || last.Has(t.Received)
	}
	if !asked {
		return out, nil // nothing came that could be read back: that is an alarm of its own
	}
	return append(out, watch.ReadBackConditions(l, watch.MissingReadBacks(tests, name, []watch.Span{last}, now))...), nil
}

// testsBack is how far back a failed test is looked for: a day of hourly tests,
// and a little more.
const testsBack = 26 * time.Hour

func (f *lineFacts) tests() []watch.Test {
	out := make([]watch.Test, 0, len(f.Tests))
	for _, t := range f.Tests {
		out = append(out, t.test())
	}
	return out
}

// readService folds the notices of outages and of the line's state.
func (s *Station) readService(tx Tx, f *lineFacts, l identity.Line, now time.Time) error {
	var said []watch.Said
	for _, p := range f.Service {
		o, err := identity.ParseOrigin(p.Log)
		if err != nil {
			return fmt.Errorf("internal error: stored place of a notice: %w", err)
		}
		m, err := tx.Message(o, p.Index)
		if errors.Is(err, ErrNotFound) {
			continue // it was taken back by a repair, and comes again
		}
		if err != nil {
			return err
		}
		at, err := s.receivedAt(tx, m)
		if err != nil {
			return err
		}
		body, ok := f.notices[p]
		if !ok || body.ID != m.ID { // a repair may have put another in its place
			body = s.opened(m).Entry.Body.Body()
			if f.notices == nil {
				f.notices = make(map[servicePlace]message.Body)
			}
			f.notices[p] = body
		}
		said = append(said, watch.Said{Body: body, Received: at, Log: o, Index: p.Index})
	}
	said = watch.InOrder(said)
	f.outages, f.phase = watch.FoldOutages(said), watch.FoldLine(said, l)
	f.held = f.phase.Held(now)
	return nil
}

// History is what the record shows of a line's tests, outages and state.
type History struct {
	Line       identity.Line
	Interval   time.Duration // zero: the line is not tested by schedule
	Statistics watch.Statistics
	Outages    []watch.Outage
	State      watch.LineState
	Tests      []watch.Test // that were sent in the span, in order of their sending
}

// maxHistory bounds a history: a quarter of a year.
const maxHistory = 92 * 24 * time.Hour

// LineHistory measures a line in a span, from both logs.
func (s *Station) LineHistory(ctx context.Context, actor Actor, now time.Time, l identity.Line, in watch.Span) (History, error) {
	if err := actor.must("see the lines", RoleRead, RoleOperator); err != nil {
		return History{}, s.refused(ctx, now, actor, "line history", l.String(), err)
	}
	if !in.To.After(in.From) || in.To.Sub(in.From) > maxHistory {
		return History{}, s.refused(ctx, now, actor, "line history", l.String(), fmt.Errorf("%w: the span must end after it begins, and within %d days: ask for less at once", ErrInvalid, maxHistory/(24*time.Hour)))
	}
	h := History{Line: l}
	err := s.update(ctx, now, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return fmt.Errorf("line %s: %w", l, err)
		}
		var f lineFacts
		f.of = l
		if err := s.readAll(tx, row, &f); err != nil {
			return err
		}
		if err := errors.Join(s.readBacks(tx, &f), s.timeTests(tx, &f), s.readService(tx, &f, l, now)); err != nil {
			return err
		}
		schedule, ok := f.schedule(l)
		if ok {
			h.Interval = schedule.Interval
			in.From = later(in.From, f.openedAt())
		}
		if in.To.After(in.From) {
			if h.Statistics, err = schedule.Measure(in, f.tests(), f.outages, f.held, now); err != nil {
				return fmt.Errorf("%w: %w", ErrInvalid, err)
			}
		}
		h.Outages, h.State = f.outages, f.phase
		for _, t := range f.tests() {
			if in.Has(t.Sent) {
				h.Tests = append(h.Tests, t)
			}
		}
		return s.audit(tx, now, actor, "line history", l.String(), "done", "")
	})
	if err != nil {
		return History{}, s.refused(ctx, now, actor, "line history", l.String(), err)
	}
	return h, nil
}

// readAll reads the tests and notices of a line from all of its record.
func (s *Station) readAll(tx Tx, row Line, f *lineFacts) error {
	for _, side := range []struct {
		writer identity.Station
		last   identity.Era
	}{{row.Line.A, row.eraOf(s.name, row.Line.A)}, {row.Line.B, row.eraOf(s.name, row.Line.B)}} {
		for era := identity.Era(1); era <= side.last; era++ {
			o := row.Line.Log(side.writer, era)
			for from := int64(0); ; {
				page, err := tx.Messages(o, from, matterPage)
				if err != nil {
					return err
				}
				for _, m := range page {
					from = m.Index + 1
					if m.Problem != "" {
						continue
					}
					switch m.Format {
					case "001":
						if err := s.readOpening(f, m, m.Origin.Writer == s.name); err != nil {
							return err
						}
					case "010":
						f.takeTest(s.opened(m))
					case "011":
						f.Backs = append(f.Backs, servicePlace{o.String(), m.Index})
					case "020", "021", "026":
						f.takeService(m)
					}
				}
				if len(page) < matterPage {
					break
				}
			}
		}
	}
	return nil
}

// eraOf is the newest era of a side's log.
func (l Line) eraOf(own, side identity.Station) identity.Era {
	if side == own {
		return l.OwnEra
	}
	return l.PeerEra
}
