package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

const (
	handoverAgain = 4 * time.Minute // where a FLASH was unread
	handoverTries = 12
)

// changeShift lets one shift hand over to the next: in time, late, or not at
// all. Before that the one that comes may be one that sleeps.
func (w *world) changeShift(ctx context.Context, n *node, at time.Time) error {
	if w.chance(25) {
		n.crew.asleep = at.Add(w.span(time.Hour, shiftLength-time.Hour))
	}
	if w.chance(15) {
		return nil // nobody thought of it
	}
	var late time.Duration
	if w.chance(10) {
		late = w.span(20*time.Minute, time.Hour)
	}
	w.at(w.now.Add(late), func() error { return w.handOver(ctx, n, at, handoverTries) })
	return nil
}

// handOver computes the sheet of a change of officers and has it signed by one
// who goes and one who comes. While a FLASH is unread there is no handover: it
// is read, and the sheet proposed again.
func (w *world) handOver(ctx context.Context, n *node, change time.Time, tries int) error {
	out, in := n.crew.onDuty(change.Add(-time.Second)), n.crew.onDuty(change)
	if len(out) == 0 || len(in) == 0 || tries == 0 || !n.up || !n.wrong.IsZero() || w.closing() {
		return nil
	}
	h, err := n.end.ProposeHandover(ctx, as(out[0]), w.clock(n), station.SheetDraft{Desk: deskName, Out: pseudonyms(out), In: pseudonyms(in)})
	for _, o := range []stationtest.Officer{out[0], in[0]} {
		if err != nil {
			break
		}
		var a identity.Approval
		if a, err = o.Sign(h.Sheet.Request(station.RoleOfWatch)); err != nil {
			return err
		}
		h, err = n.end.SignHandover(ctx, as(o), w.clock(n), h.ID, a)
	}
	if unread, ok := errors.AsType[*watch.UnreadFlashError](err); ok {
		w.result.Unread++
		if err := w.readFlashes(ctx, n, out[0], unread); err != nil {
			return err
		}
		w.at(w.now.Add(handoverAgain), func() error { return w.handOver(ctx, n, change, tries-1) })
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s hands over: %w", n.name, err)
	}
	if h.Signed.IsZero() {
		return w.oracle.broken("P16", "%s: a handover that two officers signed is not signed: %s", n.name, h.Next)
	}
	w.result.Handovers++
	n.crew.ledger.handovers = append(n.crew.ledger.handovers, w.now)
	return w.newShift(ctx, n, in[0], change)
}

func pseudonyms(list []stationtest.Officer) (out []string) {
	for _, o := range list {
		out = append(out, o.Pseudonym)
	}
	return out
}

// readFlashes lets an officer open what no sheet is signed over.
func (w *world) readFlashes(ctx context.Context, n *node, o stationtest.Officer, unread *watch.UnreadFlashError) error {
	var list []station.Message
	if err := view(n, func(tx station.Tx) (err error) {
		list, err = tx.RecentMessages(0, mailPage)
		return err
	}); err != nil {
		return err
	}
	for _, m := range list {
		for _, u := range unread.Messages {
			if u.Ref != w.cite(m.Origin, m.Index) {
				continue
			}
			if _, err := n.end.ReadMessage(ctx, as(o), w.clock(n), m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// newShift tells the other side how the desk is manned, and writes into the log
// book.
func (w *world) newShift(ctx context.Context, n *node, o stationtest.Officer, change time.Time) error {
	w.at(change.Add(w.span(time.Minute, 15*time.Minute)), func() error {
		if len(w.awake(n)) == 0 {
			return nil
		}
		drafted, err := n.end.SetDesk(ctx, as(o), w.clock(n), watch.DeskStatus{Status: station.DeskByRoster}, w.line)
		if err != nil {
			return fmt.Errorf("%s tells its desk: %w", n.name, err)
		}
		if err := w.release(ctx, n, drafted...); err != nil {
			return err
		}
		if _, err := n.end.WriteLog(ctx, as(o), w.clock(n), "", "en", "the watch is taken over, the night's backlog is read"); err != nil {
			return err
		}
		if w.chance(12) {
			return w.call(ctx, n, o)
		}
		return nil
	})
	return nil
}

// call notes a telephone call with the other side's watch, and confirms it in
// writing.
func (w *world) call(ctx context.Context, n *node, o stationtest.Officer) error {
	now := w.clock(n).UTC().Truncate(time.Second)
	c := watch.Call{
		Caller: n.name, Station: w.other(n).name, From: now.Add(-10 * time.Minute), To: now, Bearer: "voice", Officers: []string{o.Pseudonym}, Other: "officer of the watch",
		Agreed: []string{"the next test is read back by telephone"}, Language: "en",
	}
	e, err := n.end.LogCall(ctx, as(o), w.clock(n), "", c)
	if err != nil {
		return fmt.Errorf("%s notes a call: %w", n.name, err)
	}
	out, err := n.end.ConfirmCall(ctx, as(o), w.clock(n), e.Number)
	if err != nil {
		return fmt.Errorf("%s confirms a call: %w", n.name, err)
	}
	return w.release(ctx, n, out)
}

// planLeave takes one officer away for some days, covered by the one who stands
// in, and both of a shift for one, with nobody in their place.
func (w *world) planLeave(ctx context.Context, n *node) {
	days := int(w.opt.Length / (24 * time.Hour))
	first := w.rand.IntN(max(days-1, 1))
	hole := w.rand.IntN(max(days, 1))
	w.at(begin.Add(time.Hour), func() error {
		shift := w.rand.IntN(shiftsADay)
		from := begin.AddDate(0, 0, first).Add(time.Duration(shift) * shiftLength)
		for d := range min(days-first, 4) {
			s := watch.Span{From: from.AddDate(0, 0, d), To: from.AddDate(0, 0, d).Add(shiftLength)}
			n.crew.covers = append(n.crew.covers, s)
			if _, err := n.end.AddOverride(ctx, stationtest.Operator(), w.clock(n), watch.Temporary{Desk: deskName, From: s.From, To: s.To, Officers: []string{n.crew.officers[standIn].Pseudonym}}, true); err != nil {
				return err
			}
		}
		if err := w.leave(ctx, n, n.crew.officers[ofShift*shift], from, from.AddDate(0, 0, min(days-first, 4))); err != nil {
			return err
		}
		shift = 1 + w.rand.IntN(shiftsADay-1) // not the first one, which is on now
		from = begin.AddDate(0, 0, hole).Add(time.Duration(shift) * shiftLength)
		for _, o := range n.crew.officers[ofShift*shift : ofShift*(shift+1)] {
			if err := w.leave(ctx, n, o, from, from.Add(shiftLength)); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	dayOffEvery  = 4 * 24 * time.Hour
	dayOffNotice = 2 // days before the one that is taken off, its own not counted
)

// dayOff lets an officer take a day off at some days' notice: mostly the one who
// stands in comes instead, and else the other of the shift is alone. What that
// leaves open the roster tells beforehand.
// covers P16
func (w *world) dayOff(ctx context.Context, n *node) error {
	shift, who := w.rand.IntN(shiftsADay), w.rand.IntN(ofShift)
	from := begin.AddDate(0, 0, int(w.now.Sub(begin)/(24*time.Hour))+dayOffNotice).Add(time.Duration(shift) * shiftLength)
	to := from.Add(shiftLength)
	covered := !w.chance(3)
	lost := !n.copied.IsZero() && !w.now.Before(n.copied) && w.now.Before(n.copied.Add(backupAge+siteOpens+siteWires))
	if !n.up || !n.wrong.IsZero() || lost || to.After(w.quiet) {
		return nil
	}
	for _, o := range n.crew.officers[ofShift*shift : ofShift*(shift+1)] {
		if slices.ContainsFunc(n.crew.away, func(a absence) bool { return a.officer == o.Pseudonym && a.from.Before(to) && from.Before(a.to) }) {
			return nil // one of the two is away already
		}
	}
	if slices.ContainsFunc(n.crew.covers, func(s watch.Span) bool {
		return s.From.Before(to.Add(shiftLength)) && from.Add(-shiftLength).Before(s.To)
	}) {
		covered = false // who stands in has another shift to stand in for
	}
	if err := w.leave(ctx, n, n.crew.officers[ofShift*shift+who], from, to); err != nil {
		return err
	}
	if covered {
		n.crew.covers = append(n.crew.covers, watch.Span{From: from, To: to})
		if _, err := n.end.AddOverride(ctx, stationtest.Operator(), w.clock(n), watch.Temporary{Desk: deskName, From: from, To: to, Officers: []string{n.crew.officers[standIn].Pseudonym}}, true); err != nil {
			return err
		}
	}
	risks, err := n.end.Risks(ctx, stationtest.Operator(), w.clock(n), to.Sub(w.now)+time.Hour)
	if err != nil {
		return fmt.Errorf("%s asks for the risks of its roster: %w", n.name, err)
	}
	told := slices.ContainsFunc(risks, func(r watch.Risk) bool { return r.Kind == watch.RiskFlash && !r.From.After(from) && !r.To.Before(to) })
	if told == covered {
		return w.oracle.broken("P16", "%s: %s has leave from %s, somebody in place: %t, and the roster says that a FLASH could not be acknowledged: %t",
			n.name, n.crew.officers[ofShift*shift+who].Pseudonym, from.Format(time.RFC3339), covered, told)
	}
	w.result.DaysOff++
	return nil
}

func (w *world) leave(ctx context.Context, n *node, o stationtest.Officer, from, to time.Time) error {
	n.crew.away = append(n.crew.away, absence{o.Pseudonym, from, to})
	_, err := n.end.AddLeave(ctx, stationtest.Operator(), w.clock(n), watch.Leave{Officer: o.Pseudonym, From: from, To: to})
	if err != nil {
		return fmt.Errorf("%s gives leave: %w", n.name, err)
	}
	return nil
}

// cite writes the reference of an entry, as people do.
func (w *world) cite(o identity.Origin, index int64) string {
	codes := make(map[identity.Station]identity.Code)
	for _, n := range w.nodes {
		codes[n.name] = n.cast.Card.Code
	}
	return fmt.Sprintf("%s/%s-N%d-%d", codes[o.Writer], codes[o.Reader], o.Era, index)
}

// mailPage is how many of the newest messages an officer looks through.
const mailPage = 100

// referring is a draft that refers to a message.
func referring(f message.Format, id message.ID) station.Draft {
	return station.Draft{Format: f, Refs: []message.ID{id}}
}
