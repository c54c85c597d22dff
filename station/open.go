package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
)

// Terms are what a station states of a line in entry 0 of its log.
type Terms struct {
	TestEvery time.Duration // how often each side tests the line
	Quota     int64         // bytes a day that the counterpart may make it store
	Texts     string        // the name of the texts under which the line runs
}

// DefaultTerms returns the terms that a line has unless the operator says
// otherwise: an hourly test, and 64 MiB a day.
func DefaultTerms() Terms {
	return Terms{TestEvery: time.Hour, Quota: 64 << 20, Texts: "detente default terms 1"}
}

// OpenLine opens this station's direction of a line: it queues entry 0, which
// states cards, edition and terms, and asks two officers for the line's first
// release policy, which stands beside it. Opening an open line again returns
// the same request.
func (s *Station) OpenLine(ctx context.Context, actor Actor, now time.Time, l identity.Line, t Terms, policy message.Policy) (Outgoing, error) {
	if err := actor.must("open a line", RoleOperator); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "line open", l.String(), err)
	}
	p, err := s.peerOf(l)
	if err != nil {
		return Outgoing{}, err
	}
	if !p.confirmed() {
		return Outgoing{}, s.refused(ctx, now, actor, "line open", l.String(), fmt.Errorf("%w: %s is %q: two officers confirm its cards first with `detente peer confirm`", ErrRefused, p.Card.Station, p.state))
	}
	opening, err := s.openingBody(now, l, p, t, nil)
	if err != nil {
		return Outgoing{}, err
	}
	first, err := s.policyBody(now, l, policy, 1)
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "line open", l.String(), fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	request, err := s.newID()
	if err != nil {
		return Outgoing{}, err
	}
	if !trying(ctx) {
		if err := s.markLine(now, l); err != nil {
			return Outgoing{}, err
		}
	}
	var out Outgoing
	err = s.update(ctx, now, func(tx Tx) error {
		if _, err := tx.Line(l); err == nil {
			return fmt.Errorf("%w: the line %s is open already: see `detente line show`", ErrConflict, l)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		row := Line{Line: l, OwnEra: 1, SendEra: 1, State: LineOpening}
		if _, err := s.logKeyOwn(row); err != nil {
			return err
		}
		if err := errors.Join(tx.PutLine(row), s.unproven(tx, now, l)); err != nil {
			return err
		}
		if _, err := s.enqueueOpening(tx, now, opening, request); err != nil {
			return err
		}
		if out, err = s.enqueue(tx, now, first, request); err != nil {
			return err
		}
		if !trying(ctx) {
			if err := s.loadLine(tx, row); err != nil {
				return err
			}
		}
		return s.audit(tx, now, actor, "line open", l.String(), "done", t.Texts)
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "line open", l.String(), err)
	}
	return out, nil
}

// markLine puts both directions of a new line at size zero into the high-water
// mark, so that a later start finds one.
func (s *Station) markLine(now time.Time, l identity.Line) error {
	for _, writer := range []identity.Station{l.A, l.B} {
		if s.marked(l, writer) != nil {
			continue
		}
		if err := s.raise(now, line.Mark{Origin: l.Log(writer, 1), Written: writer == s.name}); err != nil {
			return err
		}
	}
	return s.SaveMark(now)
}

// logKeyOwn returns an error unless the station holds the key of the log that
// it is to write on a line, and its own card lists that key.
func (s *Station) logKeyOwn(row Line) (identity.Origin, error) {
	origin := row.Line.Log(s.name, row.OwnEra)
	listed, ok := s.own.Load().Card.Log(origin)
	s.mu.Lock()
	defer s.mu.Unlock()
	key, held := s.keys.Logs[origin]
	if !ok || !held || !key.Public().Equal(listed) {
		return origin, fmt.Errorf("%w: no key for the log %s that this station's card lists: make a card for this line with `detente station card`, have it endorsed, and exchange it", ErrRefused, origin)
	}
	return origin, nil
}

// openingBody makes entry 0. previous is nil for the first era.
func (s *Station) openingBody(now time.Time, l identity.Line, p *peer, t Terms, previous map[string]any) (message.Frozen, error) {
	params := map[string]any{
		"own_card": s.own.Load().CardDigest.String(), "peer_card": p.CardDigest.String(), "edition": s.speaks(now, l).Hash().String(),
		"test_every": duration(t.TestEvery), "quota_bytes": t.Quota, "texts": t.Texts,
	}
	for k, v := range previous {
		params[k] = v
	}
	values, err := paramValues(params)
	if err != nil {
		return message.Frozen{}, err
	}
	return s.freeze(now, Draft{Line: l, Format: "001", Precedence: message.Flash, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: values})
}

// policyBody makes a message of format 005.
func (s *Station) policyBody(now time.Time, l identity.Line, policy message.Policy, from int64) (message.Frozen, error) {
	values, err := policy.Params()
	if err != nil {
		return message.Frozen{}, err
	}
	entry, err := paramValues(map[string]any{"from_entry": from})
	if err != nil {
		return message.Frozen{}, err
	}
	values["from_entry"] = entry["from_entry"]
	return s.freeze(now, Draft{Line: l, Format: "005", Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: values})
}

// takeOpening notes what a counterpart's entry 0 says of a line, and that the
// line is open once both sides have written theirs.
func (s *Station) takeOpening(tx Tx, row *Line, o identity.Origin, index int64, e message.Entry) error {
	if index != 0 || e.Body.Body().Format != "001" {
		return nil
	}
	t := DefaultTerms()
	if err := readTerms(e.Body.Body(), &t); err != nil {
		return err
	}
	row.PeerQuota = t.Quota
	row.Terms = e.Body.Bytes()
	if row.State == LineOpening {
		row.State = LineOpen
	}
	return nil
}

// duration writes d as the signal book does: whole seconds in ISO 8601.
func duration(d time.Duration) string { return fmt.Sprintf("PT%dS", int64(d/time.Second)) }

// Bounds of the terms that a counterpart may state: what lies outside is a slip
// or a trick, and would overflow what is reckoned from it.
const (
	maxTestEvery = 366 * 24 * time.Hour
	maxQuota     = 1 << 50 // bytes a day
)

// termError says which parameter of a 001 cannot be read.
type termError struct{ param, why string }

func (e *termError) Error() string { return "terms: " + e.param + ": " + e.why }

// readTerms reads the terms that a body of format 001 states. Its error is a
// *termError.
func readTerms(b message.Body, t *Terms) error {
	var every string
	var seconds int64
	if err := json.Unmarshal(b.Params["test_every"], &every); err != nil {
		return &termError{"test_every", err.Error()}
	}
	if _, err := fmt.Sscanf(every, "PT%dS", &seconds); err != nil || fmt.Sprintf("PT%dS", seconds) != every || seconds < 0 || seconds > int64(maxTestEvery/time.Second) {
		return &termError{"test_every", fmt.Sprintf("%q: whole seconds like PT3600S are needed, up to a year, or PT0S for no tests", every)}
	}
	t.TestEvery = time.Duration(seconds) * time.Second
	if err := json.Unmarshal(b.Params["quota_bytes"], &t.Quota); err != nil {
		return &termError{"quota_bytes", err.Error()}
	}
	if t.Quota < 0 || t.Quota > maxQuota {
		return &termError{"quota_bytes", fmt.Sprintf("%d is not between 0 and %d", t.Quota, int64(maxQuota))}
	}
	if err := json.Unmarshal(b.Params["texts"], &t.Texts); err != nil {
		return &termError{"texts", err.Error()}
	}
	return nil
}

// acceptOpening judges entry 0 of a counterpart's log by what this station knows
// itself: the edition of the body, the note of succession that it took, and
// whose cards are whose. A card's digest that it does not know says nothing.
func (s *Station) acceptOpening(tx Tx, o identity.Origin, b message.Body) (problem, field string, err error) {
	if b.Format != "001" {
		return problemParameter, "format", nil
	}
	if stated(b, "edition") != b.Edition.String() {
		return problemParameter, "edition", nil
	}
	if who, known := s.cardOf(stated(b, "own_card")); known && who != o.Writer {
		return problemParameter, "own_card", nil
	}
	if who, known := s.cardOf(stated(b, "peer_card")); known && who != s.name {
		return problemParameter, "peer_card", nil
	}
	previous, err := s.previousOf(tx, o)
	if err != nil || previous == nil {
		return "", "", err
	}
	for _, name := range []string{"previous_era", "previous_size", "previous_root", "previous_reason"} {
		if stated(b, name) != previous[name] {
			return problemParameter, name, nil
		}
	}
	return "", "", nil
}

// previousOf returns what entry 0 of a counterpart's log has to say of the log
// before it: nothing in the first era, else what the note of succession says; nil
// where no note is held.
func (s *Station) previousOf(tx Tx, o identity.Origin) (map[string]string, error) {
	if o.Era == 1 {
		return map[string]string{}, nil
	}
	note, err := tx.Setting("succession/" + o.String())
	if err != nil || note == nil {
		return nil, err
	}
	p, err := s.peerNamed(o.Writer)
	if err != nil {
		return nil, err
	}
	n, err := identity.OpenSuccession(p.Card, note)
	if err != nil {
		return nil, fmt.Errorf("internal error: the stored note of succession for %s: %w; run `detente station doctor`", o, err)
	}
	return map[string]string{
		"previous_era": fmt.Sprint(uint32(n.Old.Era)), "previous_size": fmt.Sprint(n.Size), "previous_root": n.Root.String(), "previous_reason": n.Reason,
	}, nil
}

// stated returns a parameter that is text or a number, as text; empty where it
// is neither or is not there.
func stated(b message.Body, name string) string {
	raw := b.Params[name]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// cardOf returns whose card in use a digest names; false where none is known.
func (s *Station) cardOf(digest string) (identity.Station, bool) {
	if s.own.Load().CardDigest.String() == digest {
		return s.name, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.peers {
		if p.CardDigest.String() == digest {
			return name, true
		}
	}
	return "", false
}
