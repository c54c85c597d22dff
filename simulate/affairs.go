package simulate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/book"
	"detente/message"
	"detente/station"
	"detente/watch"
)

const (
	affairEvery = 7 * time.Hour // of a side, on average; with what answers it some ten messages a day
	burstEvery  = 4 * 24 * time.Hour
	pingEvery   = 30 * time.Hour // of the other side's contact
	mostBurst   = 20
	contactName = "C-001"
)

// planMatters lets the officers of a node raise matters, now and then many at
// once.
func (w *world) planMatters(ctx context.Context, n *node) {
	w.repeatedly(affairEvery/10, 2*affairEvery, func() error { return w.affair(ctx, n) })
	w.repeatedly(burstEvery/4, 2*burstEvery, func() error {
		w.fault("burst")
		for range 8 + w.rand.IntN(mostBurst-8) {
			if err := w.affair(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
	w.at(begin.Add(w.span(time.Hour, 4*time.Hour)), func() error { return w.contact(ctx, n) })
	w.repeatedly(pingEvery/2, 2*pingEvery, func() error { return w.ping(ctx, n) })
}

// repeatedly does something again and again, until the quiet.
func (w *world) repeatedly(least, most time.Duration, do func() error) {
	var again func() error
	again = func() error {
		if !w.now.Before(w.quiet) {
			return nil
		}
		w.at(w.now.Add(w.span(least, most)), again)
		return do()
	}
	w.at(w.now.Add(w.span(least, most)), again)
}

// affair raises one matter.
func (w *world) affair(ctx context.Context, n *node) error {
	now := w.clock(n).UTC().Truncate(time.Second)
	stamp := func(after time.Duration) string { return now.Add(after).Format(time.RFC3339) }
	say := func(f message.Format, typed ...string) error {
		_, _, err := w.speak(ctx, n, station.Draft{Format: f}, typed...)
		return err
	}
	switch w.rand.IntN(16) {
	case 0, 1, 2:
		return say("210", "kind=scanning", window(now), "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=origin", "ask=inform", "by="+stamp(24*time.Hour))
	case 3, 4:
		return w.incident(ctx, n)
	case 5:
		return say("230", "assets=domain:scada.grid.example", "observed=scanning", window(now), "danger=service", "ask=stop", "by="+stamp(2*time.Hour))
	case 6, 7:
		return w.notice(ctx, n)
	case 8:
		return say("222", "activity=availability", window(now), "assets=domain:grid.example", "certainty=likely")
	case 9:
		return w.ping(ctx, n)
	case 10:
		return say("015", "nonce="+fmt.Sprintf("%016x%016x", w.rand.Uint64(), w.rand.Uint64()), "scheme=officer-key")
	case 11:
		return say("410", "subject=other", "urgency=hours", "why=urgent", "callback=tel:+99950001", "by="+stamp(24*time.Hour))
	case 12:
		return w.claim(ctx, n)
	case 13:
		return w.share(ctx, n)
	}
	return say("600", fmt.Sprintf("text=number %d of this month", len(w.said)))
}

// claim puts a claim of two facts to the other side.
func (w *world) claim(ctx context.Context, n *node) error {
	var d station.Draft
	d.Format = "270"
	typed := w.alleges(ctx, n, d.Format, w.clock(n).UTC().Truncate(time.Second), &d)
	_, _, err := w.speak(ctx, n, d, typed...)
	return err
}

// incident tells of an incident, and later how it goes on until it is closed: in
// time most often, as its author has promised.
func (w *world) incident(ctx context.Context, n *node) error {
	now := w.clock(n).UTC().Truncate(time.Second)
	next := w.span(6*time.Hour, 20*time.Hour)
	id, ok, err := w.speak(ctx, n, station.Draft{Format: "220"},
		fmt.Sprintf("incident_id=%s-%d", n.cast.Card.Code, len(w.said)), "stage=early", "class=availability", "began="+now.Add(-2*time.Hour).Format(time.RFC3339), "found="+now.Add(-time.Hour).Format(time.RFC3339),
		"sector=energy", fmt.Sprintf("effect=%d", 1+w.rand.IntN(3)), "cross_border=yes", "status=confirmed", "next_update="+now.Add(next).Format(time.RFC3339), "ask=none")
	if err != nil || !ok {
		return err
	}
	w.update(ctx, n, id, w.now.Add(next), 1+w.rand.IntN(3))
	return nil
}

// update schedules the next report of an incident, which is due.
func (w *world) update(ctx context.Context, n *node, id message.ID, due time.Time, left int) {
	at := due.Add(-w.span(10*time.Minute, 3*time.Hour))
	if w.chance(8) {
		at = due.Add(w.span(20*time.Minute, 5*time.Hour))
	}
	var say func() error
	say = func() error {
		if len(w.awake(n)) == 0 {
			if !w.closing() {
				w.at(w.now.Add(answerAgain), say)
			}
			return nil
		}
		now := w.clock(n).UTC().Truncate(time.Second)
		if left == 0 {
			_, _, err := w.speak(ctx, n, referring("221", id), "stage=final", "status=closed", "effect=0", "cause=technical", "closed="+now.Format(time.RFC3339), "ask=none")
			return err
		}
		next := w.span(6*time.Hour, 20*time.Hour)
		if _, _, err := w.speak(ctx, n, referring("221", id), "stage=interim", "status=contained", "effect=1", "cause=open", "next_update="+now.Add(next).Format(time.RFC3339), "ask=none"); err != nil {
			return err
		}
		w.update(ctx, n, id, w.now.Add(next), left-1)
		return nil
	}
	w.at(at, say)
}

// notice tells of an activity ahead, changes it now and then, and says how it
// ended.
func (w *world) notice(ctx context.Context, n *node) error {
	now := w.clock(n).UTC().Truncate(time.Second)
	from := now.Add(w.span(60*time.Hour, 130*time.Hour)).Truncate(time.Minute)
	span := func(from time.Time) string {
		return "window=" + from.Format(time.RFC3339) + "/" + from.Add(4*time.Hour).Format(time.RFC3339)
	}
	id, ok, err := w.speak(ctx, n, station.Draft{Format: "110"}, "kind=mass-scan", span(from), "sector=energy", "markers=prefix:198.51.100.64/26", "expected_effect=alarms",
		"stop_contact=tel:+99950100", "ask=tell-watch", "by="+from.Add(-time.Hour).Format(time.RFC3339))
	if err != nil || !ok {
		return err
	}
	if w.chance(4) {
		from = from.Add(24 * time.Hour)
		w.at(w.now.Add(w.span(time.Hour, 40*time.Hour)), func() error {
			_, _, err := w.speak(ctx, n, referring("111", id), "change=shift", span(from))
			return err
		})
	}
	ended := from.Add(4 * time.Hour)
	w.at(ended.Add(w.span(time.Hour, 8*24*time.Hour)), func() error {
		_, _, err := w.speak(ctx, n, referring("112", id), "ended="+ended.Format(time.RFC3339), "deviations=none")
		return err
	})
	return nil
}

// contact tells the other side whom to turn to.
func (w *world) contact(ctx context.Context, n *node) error {
	on := w.awake(n)
	if len(on) == 0 {
		return nil
	}
	c := watch.Contact{
		Entry: contactName, Role: "watch", Body: "Risk Reduction Centre", Languages: []book.Lang{"en", "fr"}, Always: true, Channels: []string{"tel:+99950100"}, Key: "age1watch" + strings.ToLower(string(n.cast.Card.Code)),
		From: begin, To: begin.AddDate(1, 0, 0),
	}
	drafted, err := n.end.SetContact(ctx, as(on[0]), w.clock(n), c, false)
	if err != nil {
		return fmt.Errorf("%s says a contact: %w", n.name, err)
	}
	return w.release(ctx, n, drafted...)
}

// ping asks whether the other side's contact is reached.
func (w *world) ping(ctx context.Context, n *node) error {
	on := w.awake(n)
	if len(on) == 0 {
		return nil
	}
	out, err := n.end.PingContact(ctx, as(on[0]), w.clock(n), w.other(n).name, "watch", contactName)
	if errors.Is(err, station.ErrNotFound) {
		return nil // it was not said yet
	}
	if err != nil {
		return fmt.Errorf("%s checks a contact: %w", n.name, err)
	}
	return w.release(ctx, n, out)
}
