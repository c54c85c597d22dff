package station

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

const (
	// stateEvery is how often a digest of the state is sent: by one side on
	// one day and by the other on the next, so that with the answers each side
	// gives one a day.
	stateEvery = 24 * time.Hour
	// stateWithin is how long a digest may wait in the queue.
	stateWithin = stateEvery
	// maxStateAnswers is how many digests of a counterpart are answered a day: its
	// own, and what it may ask to find the first second of a difference, by halves
	// of centuries. Each other cut that it names costs a fold of the record.
	maxStateAnswers = 96
	// maxStateProbes is how many digests are asked for to find that second.
	maxStateProbes = 64
	// maxStates is how many digests are kept: those of a search from both
	// sides, and what a counterpart adds.
	maxStates = 2 * (maxStateAnswers + maxStateProbes)
	// maxDiffering is how many events of one second an alarm counts.
	maxDiffering = 1000
)

// states is what the record shows of the daily comparison of both sides' states.
type states struct {
	Digests   []stateDigest `json:"digests,omitempty"`
	Found     foundEvent    `json:"found,omitzero"`
	Misstated foundEvent    `json:"misstated,omitzero"` // the last digest of the counterpart that is not of the logs as they stand here
	Day       string        `json:"day,omitempty"`      // of which so many were answered
	Answered  int           `json:"answered,omitzero"`
}

// stateDigest is a digest of the state that one side gave.
type stateDigest struct {
	ID    message.ID   `json:"id"`
	Refs  []message.ID `json:"refs,omitempty"`
	Place servicePlace `json:"place"`
	Own   bool         `json:"own,omitzero"`
	Sent  time.Time    `json:"sent"`
	At    time.Time    `json:"at"`
	Cut   extent       `json:"cut"`
	Said  said         `json:"said"`
}

// foundEvent is where the states part first: in the second At, by what Refs say.
type foundEvent struct {
	Cut    extent    `json:"cut"`
	At     time.Time `json:"at"`
	Ref    string    `json:"ref"` // the first event's citation; the second, where nothing that this side knows happened in it
	Count  int       `json:"count,omitzero"`
	ByTime bool      `json:"by_time,omitzero"`
}

// comparison is what both sides said of one cut and second.
type comparison struct {
	at     time.Time
	cut    extent
	known  time.Time // when the later of the two was written
	equal  bool
	asked  bool // by this station
	theirs servicePlace
}

// take takes a message of format 022. One that says nothing that could be
// compared is left out.
func (x *states) take(r Read, own bool) {
	b := r.Entry.Body.Body()
	d := stateDigest{ID: b.ID, Refs: b.Refs, Own: own, Sent: r.At.UTC(), Place: servicePlace{r.Origin.String(), r.Index}}
	writers, readers := &d.Cut.Own, &d.Cut.Peers
	if !own {
		writers, readers = readers, writers
	}
	err := errors.Join(text(b, "at", &d.At), text(b, "digest", &d.Said.Matters),
		text(b, "own_era", &writers.Era), text(b, "own_size", &writers.Size), text(b, "own_root", &writers.Root),
		text(b, "peer_era", &readers.Era), text(b, "peer_size", &readers.Size), text(b, "peer_root", &readers.Root))
	if _, given := b.Params["owed_digest"]; given {
		err = errors.Join(err, text(b, "owed_digest", &d.Said.Owed))
	}
	if err != nil || slices.ContainsFunc(x.Digests, func(o stateDigest) bool { return o.ID == d.ID }) {
		return
	}
	if len(d.Refs) > 1 {
		d.Refs = d.Refs[:1] // an answer names what it answers, first
	}
	d.At = d.At.UTC()
	if x.Digests = append(x.Digests, d); len(x.Digests) > maxStates {
		x.Digests = slices.Delete(x.Digests, 0, len(x.Digests)-maxStates)
	}
}

// answer returns the other side's answer to a digest.
func (x *states) answer(d stateDigest) (stateDigest, bool) {
	i := slices.IndexFunc(x.Digests, func(a stateDigest) bool {
		return a.Own != d.Own && slices.Contains(a.Refs, d.ID) && a.Cut == d.Cut && a.At.Equal(d.At)
	})
	if i < 0 {
		return stateDigest{}, false
	}
	return x.Digests[i], true
}

// compared returns what both sides said of the same, the latest second first.
func (x *states) compared() (list []comparison) {
	for _, d := range x.Digests {
		a, ok := x.answer(d)
		if !ok {
			continue
		}
		c := comparison{at: d.At, cut: d.Cut, known: later(d.Sent, a.Sent), equal: d.Said == a.Said, asked: d.Own, theirs: d.Place}
		if d.Own {
			c.theirs = a.Place
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b comparison) int { return cmp.Or(b.at.Compare(a.at), b.known.Compare(a.known)) })
	return list
}

// prune drops what no comparison needs any more: all but those of the newest
// cut that both sides spoke of, and what may still be answered.
func (x *states) prune(now time.Time) {
	list := x.compared()
	x.Digests = slices.DeleteFunc(x.Digests, func(d stateDigest) bool {
		if len(list) > 0 && d.Cut == list[0].cut {
			return list[0].equal && !d.At.Equal(list[0].at)
		}
		return d.Sent.Before(now.Add(-2 * stateEvery))
	})
	if len(list) == 0 || x.Found.Cut != list[0].cut {
		x.Found.Count = 0 // its second is where the next search begins
	}
}

// parting returns between which seconds the states of a cut part: equal at low,
// different at high. Low is before the line was opened where nothing equal is
// known.
func parting(list []comparison, c extent, opened time.Time) (low, high time.Time) {
	low = opened.Add(-stateEvery)
	for _, x := range list {
		if x.cut != c {
			continue
		}
		if !x.equal && (high.IsZero() || x.at.Before(high)) {
			high = x.at
		}
	}
	for _, x := range list {
		if x.cut == c && x.equal && x.at.After(low) && x.at.Before(high) {
			low = x.at
		}
	}
	return low, high
}

// probe returns the next second to ask about: where a difference was found
// before, then back by days, each step twice the last, then by halves.
func (x *states) probe(list []comparison, c extent, low, high, opened time.Time) time.Time {
	for _, at := range []time.Time{x.Found.At.Add(-time.Second), x.Found.At} {
		if !x.Found.At.IsZero() && at.After(low) && at.Before(high) {
			return at
		}
	}
	if low.Before(opened) {
		newest := list[0].at
		for back := stateEvery; ; back *= 2 {
			at := newest.Add(-back)
			if !at.After(low) || back <= 0 {
				break
			}
			if at.Before(high) {
				return at
			}
		}
	}
	return low.Add(high.Sub(low) / 2).Truncate(time.Second)
}

// stateJob is what a station has to do for a comparison, one thing a step.
type stateJob struct {
	do     string // answer, name or ask; empty: send the digest of the day, if that is due
	cut    extent
	at     time.Time
	of     stateDigest // that is answered
	opened bool        // both sides opened the line
}

// job returns the next thing to do of what the record shows.
func (f *lineFacts) job(now time.Time) (j stateJob) {
	x := &f.States
	j.opened = !f.Opened[0].At.IsZero() && !f.Opened[1].At.IsZero()
	day := now.UTC().Format(time.DateOnly)
	for _, d := range x.Digests {
		if d.Own || len(d.Refs) > 0 || d.Sent.Before(now.Add(-stateWithin)) || x.Day == day && x.Answered >= maxStateAnswers {
			continue
		}
		if _, done := x.answer(d); !done {
			return stateJob{do: "answer", cut: d.Cut, at: d.At, of: d}
		}
	}
	list := x.compared()
	if len(list) == 0 || list[0].equal {
		return j
	}
	c := list[0].cut
	if x.Found.Cut == c && x.Found.Count > 0 {
		return j
	}
	opened := f.openedAt()
	if first := f.Opened[0].At; first.Before(opened) {
		opened = first
	} else if f.Opened[1].At.Before(opened) {
		opened = f.Opened[1].At
	}
	low, high := parting(list, c, opened)
	if high.Sub(low) <= time.Second {
		return stateJob{do: "name", cut: c, at: high}
	}
	asked := 0
	for _, d := range x.Digests {
		if d.Own && d.Cut == c && len(d.Refs) == 0 {
			asked++
		}
	}
	if list[0].asked && asked < maxStateProbes {
		return stateJob{do: "ask", cut: c, at: x.probe(list, c, low, high, opened)}
	}
	return j
}

// compareStates takes the next step of the daily comparison of each line: it
// sends the digest that is due, answers the counterpart's, and where the two
// differ asks for those of earlier seconds until it can name the first event on
// which they do.
func (s *Station) compareStates(ctx context.Context, now time.Time) error {
	w := s.watching
	if w == nil || !w.Digests || s.ClockSafe(now) != nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range s.LineNames() {
		f := w.facts[l]
		if f == nil || f.more || f.Own.Era == 0 || f.Theirs.Era == 0 {
			continue
		}
		j := f.job(now)
		var err error
		switch j.do {
		case "":
			delete(w.cuts, l)
			if j.opened {
				err = s.sendState(ctx, f, l, now)
			}
		case "name":
			err = s.nameDifference(ctx, f, l, j)
		default:
			err = s.sayState(ctx, f, l, j, now)
		}
		if err != nil {
			return fmt.Errorf("line %s: comparison of the states: %w", l, err)
		}
	}
	return nil
}

// stateID returns the id of a digest: one however often the station starts
// anew, and not known to the counterpart before it comes.
func (s *Station) stateID(tx Tx, parts ...string) (message.ID, error) {
	secret, err := s.testSecret(tx)
	if err != nil {
		return message.ID{}, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("detente/state-digest/v1\x00" + strings.Join(parts, "\x00")))
	return message.ID(mac.Sum(nil)[:16]), nil
}

// sendState sends the digest of the day, if it is this station's turn and it was
// not sent.
func (s *Station) sendState(ctx context.Context, f *lineFacts, l identity.Line, now time.Time) error {
	day := now.UTC().Truncate(stateEvery)
	turn := l.A
	if day.Unix()/int64(stateEvery/time.Second)%2 != 0 {
		turn = l.B
	}
	if turn != s.name || f.stated.Equal(day) || day.Before(f.openedAt()) {
		return nil // the day on which a line is opened is no whole one
	}
	var c extent
	var is said
	at := second(now)
	err := s.matters(ctx, l, func(tx Tx, m *Matters) error {
		row, err := tx.Line(l)
		if err != nil || row.State != LineOpen {
			return err
		}
		if c, err = m.cutNow(tx, row); err != nil {
			return err
		}
		is, err = s.stateSaid(ctx, tx, m, l, at)
		return err
	})
	if err != nil || is == (said{}) {
		return err
	}
	err = s.putState(ctx, now, l, c, at, is, nil, "day", day.Format(time.DateOnly))
	if err == nil {
		f.stated = day
	}
	return err
}

// putState submits a digest, unless it was before.
func (s *Station) putState(ctx context.Context, now time.Time, l identity.Line, c extent, at time.Time, is said, refs []message.ID, of ...string) error {
	return s.update(ctx, now, func(tx Tx) error {
		id, err := s.stateID(tx, slices.Concat([]string{l.String()}, of)...)
		if err != nil {
			return err
		}
		if _, err := tx.Outgoing(id); err == nil || !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := tx.MessageByID(id); err == nil || !errors.Is(err, ErrNotFound) {
			return err
		}
		params, err := paramsOf(c, at, is)
		if err != nil {
			return err
		}
		frozen, err := s.freeze(now, Draft{ID: id, Line: l, Format: "022", Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"},
			Language: "en", Expires: second(now).Add(stateWithin), Refs: refs, Params: params})
		if err != nil {
			return fmt.Errorf("internal error: digest of the state: %w", err)
		}
		out, err := s.enqueue(tx, now, frozen, [16]byte(id))
		if err != nil {
			return err
		}
		s.touch(l)
		return s.audit(tx, now, itself, "state digest", out.ID.String(), "done", l.String()+" as of "+at.Format(time.RFC3339))
	})
}

// waits reports whether a digest stands in the queue or in the log already.
func (s *Station) waits(tx Tx, id message.ID) (bool, error) {
	if _, err := tx.Outgoing(id); err == nil || !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	_, err := tx.MessageByID(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// sayState computes the digest of a cut and a second, and sends it: as an answer
// or as a question.
func (s *Station) sayState(ctx context.Context, f *lineFacts, l identity.Line, j stateJob, now time.Time) error {
	of, refs := []string{"ask", secondText(j.at), j.cut.Own.Root, j.cut.Peers.Root}, []message.ID(nil)
	if j.do == "answer" {
		of, refs = []string{"answer", j.of.ID.String()}, []message.ID{j.of.ID}
	}
	var is said
	ready := false
	err := s.store.View(ctx, func(tx Tx) error {
		secret, err := tx.Setting(testSecretKey)
		if err != nil {
			return err
		}
		if secret != nil {
			id, err := s.stateID(tx, slices.Concat([]string{l.String()}, of)...)
			if err != nil {
				return err
			}
			if there, err := s.waits(tx, id); err != nil || there {
				return err
			}
		}
		if err := s.checkCut(tx, l, j.cut); err != nil {
			return err
		}
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		m, err := s.foldedTo(ctx, tx, row, j.cut)
		if err != nil || m == nil {
			return err
		}
		is, err = s.stateSaid(ctx, tx, m, l, j.at)
		ready = err == nil
		return err
	})
	if errors.Is(err, errMisstated) {
		f.States.misstated(s, j.of)
		return nil
	}
	if err != nil || !ready {
		return err
	}
	if err := s.putState(ctx, now, l, j.cut, j.at, is, refs, of...); err != nil {
		return err
	}
	if j.do == "answer" {
		if day := now.UTC().Format(time.DateOnly); f.States.Day != day {
			f.States.Day, f.States.Answered = day, 0
		}
		f.States.Answered++
	}
	return nil
}

// misstated notes a digest that is not of the logs as they stand here: it cannot
// be answered, and is itself what the two sides differ on.
func (x *states) misstated(s *Station, d stateDigest) {
	x.Digests = slices.DeleteFunc(x.Digests, func(o stateDigest) bool { return o.ID == d.ID })
	if o, err := identity.ParseOrigin(d.Place.Log); err == nil {
		x.Misstated = foundEvent{At: d.Sent, Ref: s.Cite(o, d.Place.Index), Count: 1}
	}
}

// nameDifference finds what happened in the first second on which both sides
// differ.
func (s *Station) nameDifference(ctx context.Context, f *lineFacts, l identity.Line, j stateJob) error {
	return s.store.View(ctx, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		m, err := s.foldedTo(ctx, tx, row, j.cut)
		if err != nil || m == nil {
			return err
		}
		refs, byTime := s.changeAt(m, j.at)
		found := foundEvent{Cut: j.cut, At: j.at, Ref: secondText(j.at), Count: max(min(len(refs), maxDiffering), 1), ByTime: byTime}
		if len(refs) > 0 {
			found.Ref = refs[0]
		}
		f.States.Found = found
		return nil
	})
}

// stateConditions returns that the two sides' states differ, by the newest
// comparison, and on what first as far as that is known.
func (f *lineFacts) stateConditions(l identity.Line) []watch.Condition {
	x := &f.States
	list := x.compared()
	differs := len(list) > 0 && !list[0].equal
	c := watch.Condition{Key: watch.Key{Kind: watch.StateDiffers, Line: l}}
	switch {
	case x.Misstated.Ref != "" && (len(list) == 0 || x.Misstated.At.After(list[0].known)):
		c.Ref, c.Since = x.Misstated.Ref, x.Misstated.At
	case differs && x.Found.Cut == list[0].cut && x.Found.Count > 0:
		c.Ref, c.Since, c.Count = x.Found.Ref, list[0].known, x.Found.Count
	case differs:
		c.Ref, c.Since = "as-of-"+secondText(list[0].at), list[0].known
	default:
		return nil
	}
	return []watch.Condition{c}
}

// secondText writes a second as records do.
func secondText(at time.Time) string { return at.UTC().Format(time.RFC3339) }
