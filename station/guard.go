package station

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
)

// guardState is how the guard of one direction of a line stands.
type guardState struct {
	passed  bool
	forked  []line.Point // heads of an own log that it has signed and that are of another history
	reason  string       // why it has not passed
	next    string       // what happens or must be done next
	asked   time.Time
	retry   time.Time // when the mirrors are asked again
	reports []line.Report
	behind  *line.Decision // entries to be taken back; nil if none
	lost    *line.Point    // a head that nobody can fill: the next era names it

	// Of a mirrored log: the guard has passed, since the mark holds the last
	// cosignature whole, and the store holds less than was cosigned. The
	// counterpart, who has its receipts, will not deliver that again by itself:
	// it is taken back, and meanwhile nothing waits for it.
	lacking bool
}

const notAsked = "the high-water mark and the mirrors have not been looked at since the start"

// guardRetry is how long to wait before the mirrors are asked again.
const guardRetry = 5 * time.Second

// guardPatience is how long to wait for an answer of a mirror.
const guardPatience = time.Minute

// guarded returns nil if this station may cosign a line's other log.
func (s *Station) guarded(ctx context.Context, now time.Time, l identity.Line) error {
	if err := s.judgeGuards(ctx, now, l); err != nil {
		return err
	}
	st, err := s.state(l)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !st.theirs.passed {
		return fmt.Errorf("%w: the guard has not passed: %s", ErrLineDown, st.theirs.reason)
	}
	return nil
}

// judgeGuards decides, for both directions of a line, whether the station may
// sign, from what is known by now. Directions that have passed cost nothing.
func (s *Station) judgeGuards(ctx context.Context, now time.Time, l identity.Line) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	s.mu.Lock()
	before := st.own.passed
	done := before && st.theirs.passed && !st.theirs.lacking
	s.mu.Unlock()
	if done {
		return nil
	}
	err = s.store.View(ctx, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		if err := s.judgeGuard(tx, now, row, s.name, &st.own); err != nil {
			return err
		}
		return s.judgeGuard(tx, now, row, l.Other(s.name), &st.theirs)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	passed := st.own.passed
	s.mu.Unlock()
	if before || !passed {
		return nil
	}
	// What waited for the guard goes on.
	return s.update(ctx, now, func(tx Tx) error { s.touch(l); return nil })
}

func (s *Station) judgeGuard(tx Tx, now time.Time, row Line, writer identity.Station, g *guardState) error {
	s.mu.Lock()
	done, reports, asked, forked := g.passed && !g.lacking, slices.Clone(g.reports), g.asked, slices.Clone(g.forked)
	s.mu.Unlock()
	if done {
		return nil
	}
	era := row.OwnEra
	if writer != s.name {
		era = max(row.PeerEra, 1)
	}
	log, _, err := tx.Log(row.Line.Log(writer, era))
	if err != nil {
		return err
	}
	size, root := log.Size, log.Root
	if writer != s.name {
		// What was let out of a mirrored log is what was cosigned of it.
		c, ok, err := tx.LastCosignature(row.Line.Log(writer, era), s.mirror.Cosigner.Name())
		if err != nil {
			return err
		}
		if ok {
			size, root = c.Size, c.Root
		}
	}
	mark := s.marked(row.Line, writer)
	d := line.Guard{
		Line: row.Line, Writer: writer, Store: line.Point{Era: era, Size: size, Root: root}, Mark: mark,
		Counterpart: row.Line.Other(s.name), Reports: reports, Asked: asked, Forked: forked,
	}.Decide(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if writer != s.name && mark != nil && mark.Size > 0 {
		if g.lackOf(d, *mark) {
			return nil
		}
	}
	g.settle(d)
	return nil
}

// settle notes what the guard has decided.
func (g *guardState) settle(d line.Decision) {
	g.reason, g.next, g.behind, g.lost = d.Reason, d.Next, nil, nil
	switch d.Verdict {
	case line.Pass:
		g.passed, g.lacking, g.reason, g.next, g.reports = true, false, "", "", nil
	case line.Behind:
		g.behind = &d
	case line.NextEra:
		g.lost = &d.Lost
	}
}

// lackOf handles, for a mirrored log, a store that holds less than the mark says
// was cosigned. Nothing waits for it: the mirror makes no cosignature anew up to
// the mark, which holds the last one whole. What is lacking is taken back from
// whoever shows it; where the counterpart has answered and holds no more, its
// writer delivers again, or ends its log. It reports whether that was all.
func (g *guardState) lackOf(d line.Decision, mark line.Point) bool {
	switch {
	case d.Verdict == line.Hold:
		g.passed, g.lacking, g.behind, g.reason, g.next = true, true, nil, "", ""
	case d.Verdict == line.Behind && g.passed:
		g.behind = &d
	case d.Verdict == line.NextEra && d.Lost == mark:
		g.settle(line.Decision{Verdict: line.Pass})
	default:
		return false
	}
	return true
}

// report keeps what a mirror showed of one direction of a line, in place of what
// it showed before.
func (s *Station) report(l identity.Line, r line.Report, writer identity.Station) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	g := &st.own
	if writer != s.name {
		g = &st.theirs
	}
	g.reports = slices.DeleteFunc(g.reports, func(old line.Report) bool { return old.From == r.From })
	g.reports = append(g.reports, r)
}

// stepGuard says what to do while a guard of the line has not passed.
func (s *Station) stepGuard(ctx context.Context, now time.Time, l identity.Line, st *lineState) (Step, error) {
	s.mu.Lock()
	behind, retry := st.own.behind, st.own.retry
	if behind == nil {
		behind = st.theirs.behind
	}
	s.mu.Unlock()
	if !due(now, retry, guardRetry) {
		return Step{Until: retry}, nil
	}
	if behind != nil {
		return s.stepHeal(ctx, now, l, *behind)
	}
	return s.stepHeads(ctx, l)
}

// stepHeads asks the counterpart what it holds of both logs of a line.
func (s *Station) stepHeads(ctx context.Context, l identity.Line) (Step, error) {
	var row Line
	err := s.store.View(ctx, func(tx Tx) (err error) {
		row, err = tx.Line(l)
		return err
	})
	if err != nil {
		return Step{}, err
	}
	q := line.HeadsQuery{Origins: []identity.Origin{l.Log(s.name, row.OwnEra), l.Log(l.Other(s.name), max(row.PeerEra, 1))}}
	body, err := q.Bytes()
	if err != nil {
		return Step{}, err
	}
	return Step{Request: &line.Request{Op: line.OpHeads, Peer: l.Other(s.name), Body: body}, Patience: guardPatience, kind: stepHeads}, nil
}

// answeredHeads takes a counterpart's heads, verifies each, and lets the guard
// judge.
func (s *Station) answeredHeads(ctx context.Context, now time.Time, l identity.Line, r line.Response, failed error) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	s.mu.Lock()
	st.own.retry = now.Add(guardRetry)
	s.mu.Unlock()
	if failed != nil || !r.OK() {
		return nil //nolint:nilerr // it is asked again, at the time set above
	}
	a, err := line.ParseHeadsAnswer(r.Body)
	if err != nil {
		return fmt.Errorf("heads from %s: %w", l.Other(s.name), err)
	}
	own := line.Report{From: l.Other(s.name)}
	theirs := own
	for _, h := range a.Heads {
		if h.Origin.Line() != l {
			continue
		}
		for _, shown := range s.verified(h) {
			if h.Origin.Writer == s.name {
				own.Shown = append(own.Shown, shown)
			} else {
				theirs.Shown = append(theirs.Shown, shown)
			}
		}
		if err := s.compareHead(ctx, now, h); err != nil {
			return err
		}
	}
	s.report(l, own, s.name)
	s.report(l, theirs, l.Other(s.name))
	s.mu.Lock()
	st.own.retry = time.Time{}
	s.mu.Unlock()
	if err := s.distrust(ctx, l, own); err != nil {
		return err
	}
	if err := s.judgeGuards(ctx, now, l); err != nil {
		return err
	}
	s.mu.Lock()
	if !st.own.passed && st.own.behind == nil || (!st.theirs.passed || st.theirs.lacking) && st.theirs.behind == nil {
		st.own.retry = now.Add(guardRetry)
	}
	s.mu.Unlock()
	return nil
}

// compareHead compares the heads that a counterpart shows of the log that it
// writes with what is held of it here. Two histories are kept as proof.
func (s *Station) compareHead(ctx context.Context, now time.Time, h line.Head) error {
	if h.Origin.Writer == s.name {
		return nil
	}
	pub, err := s.logKey(h.Origin)
	if err != nil {
		return nil //nolint:nilerr // a log that is not known here yet contradicts nothing
	}
	for _, note := range [][]byte{h.Checkpoint, h.Pending} {
		head, err := journal.OpenCheckpoint(pub, h.Origin, note)
		if err != nil {
			continue // a bare number, or nothing
		}
		err = s.store.View(ctx, func(tx Tx) error {
			held, ok, err := tx.Log(h.Origin)
			if err != nil || !ok || head.Size > held.Size || head.Size == 0 {
				return err // a larger one comes with a proof when it is delivered
			}
			return journal.Compare(tx, held, head, note, nil)
		})
		if fork, ok := errors.AsType[*journal.ForkError](err); ok {
			err = s.keepFork(ctx, now, fork)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// distrust makes the guard of an own log that has passed judge again where
// somebody shows a head beyond the log, or one of another history, under the log's
// own signatures. Silence and bare numbers stop nothing.
func (s *Station) distrust(ctx context.Context, l identity.Line, r line.Report) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	return s.store.View(ctx, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		log, _, err := tx.Log(l.Log(s.name, row.OwnEra))
		if err != nil {
			return err
		}
		here := line.Point{Era: row.OwnEra, Size: log.Size, Root: log.Root}
		var forked []line.Point
		for _, h := range r.Shown {
			if h.Era != here.Era || h.Size == 0 || h.Size > here.Size {
				continue
			}
			root, err := journal.RootAt(tx, log.Origin, h.Size)
			if err != nil {
				return err
			}
			if root != h.Root {
				forked = append(forked, h.Point)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if st.own.forked = forked; len(forked) > 0 {
			st.own.passed = false
		}
		for _, h := range r.Shown {
			if h.Beyond(here) {
				st.own.passed = false
			}
		}
		return nil
	})
}

// verified returns what a head shows under this station's own signatures: of a
// log that it writes a checkpoint of its own, of one that it mirrors its own
// cosignature.
func (s *Station) verified(h line.Head) []line.Shown {
	var shown []line.Shown
	add := func(note []byte, held bool) {
		if len(note) == 0 {
			return
		}
		head, err := s.ownSigned(h.Origin, note)
		if err != nil {
			return // a bare number: it stops nothing
		}
		shown = append(shown, line.Shown{Point: line.Point{Era: h.Origin.Era, Size: head.Size, Root: head.Root}, Held: held})
	}
	add(h.Checkpoint, true)
	add(h.Pending, false)
	return shown
}

// ownSigned verifies a note that this station must have let out.
func (s *Station) ownSigned(o identity.Origin, note []byte) (journal.Head, error) {
	pub, err := s.logKey(o)
	if err != nil {
		return journal.Head{}, err
	}
	head, err := journal.OpenCheckpoint(pub, o, note)
	if err != nil || o.Writer == s.name {
		return head, err
	}
	lines := journal.LinesOf(s.mirror.Cosigner.Name(), note)
	_, err = journal.OpenCosignature(s.mirror.Cosigner.Name(), s.own.Load().Card.Cosigner, head, lines)
	return head, err
}

// handleHeads answers what this station holds of the logs of lines with the
// peer. It is served before the guard has passed, so that two stations that
// start together do not wait for each other.
func (s *Station) handleHeads(ctx context.Context, p *peer, r line.Request) (line.Response, error) {
	q, err := line.ParseHeadsQuery(r.Body)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	var a line.HeadsAnswer
	err = s.store.View(ctx, func(tx Tx) error {
		for _, o := range q.Origins {
			if !o.Line().Has(p.Card.Station) || !o.Line().Has(s.name) {
				return fmt.Errorf("%w: the log %s is none of a line between us", ErrRefused, o)
			}
			heads, err := s.headsOf(tx, p, o)
			if err != nil {
				return err
			}
			a.Heads = append(a.Heads, heads...)
		}
		return nil
	})
	if err != nil {
		return line.Response{}, err
	}
	body, err := a.Bytes()
	return line.Response{Status: 200, Type: line.TypeJSON, Body: body}, err
}

// headsOf returns the head of a log, and that of the newest era of its
// direction where that is another.
func (s *Station) headsOf(tx Tx, p *peer, o identity.Origin) ([]line.Head, error) {
	first, err := s.headOf(tx, p, o)
	if err != nil {
		return nil, err
	}
	row, err := tx.Line(o.Line())
	if errors.Is(err, ErrNotFound) {
		return []line.Head{first}, nil
	} else if err != nil {
		return nil, err
	}
	newest := o
	if newest.Era = row.OwnEra; o.Writer != s.name {
		newest.Era = row.PeerEra
	}
	if newest.Era <= o.Era {
		return []line.Head{first}, nil
	}
	second, err := s.headOf(tx, p, newest)
	return []line.Head{first, second}, err
}

// headOf returns what is held of a log: of a mirrored one under its writer's
// signatures, of an own one under the reader's cosignature too.
func (s *Station) headOf(tx Tx, p *peer, o identity.Origin) (line.Head, error) {
	h := line.Head{Origin: o}
	log, ok, err := tx.Log(o)
	if err != nil || !ok {
		return h, err
	}
	h.Next = log.Size
	if o.Writer != s.name {
		h.Checkpoint, h.Pending = log.Checkpoint, log.Pending
		return h, nil
	}
	c, ok, err := tx.LastCosignature(o, p.cosigner)
	if ok {
		h.Checkpoint = append(append([]byte{}, c.Checkpoint...), c.Lines...)
	}
	return h, err
}
