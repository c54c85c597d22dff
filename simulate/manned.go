package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/book"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

const (
	shiftLength = 8 * time.Hour
	shiftsADay  = 3
	ofShift     = 2 // officers
	standIn     = shiftsADay * ofShift
	deskName    = "watch"

	lookEvery = 3 * time.Minute  // at what came
	ackEvery  = 12 * time.Minute // alarms
)

// crew is the people of a node: what the plan says of them, whatever roster the
// station holds. The oracle reads who is there from here.
type crew struct {
	officers []stationtest.Officer // two a shift, and one who stands in
	away     []absence
	covers   []watch.Span // when the one who stands in does
	asleep   time.Time    // until when nobody on watch does anything
	taken    map[message.ID]bool
	ledger   ledger
}

type absence struct {
	officer  string
	from, to time.Time
}

// onDuty returns who is at the desk at a moment.
func (c *crew) onDuty(at time.Time) (on []stationtest.Officer) {
	first := int(at.Sub(begin)/shiftLength) % shiftsADay * ofShift
	for _, o := range c.officers[first : first+ofShift] {
		if !slices.ContainsFunc(c.away, func(a absence) bool {
			return a.officer == o.Pseudonym && !at.Before(a.from) && at.Before(a.to)
		}) {
			on = append(on, o)
		}
	}
	if slices.ContainsFunc(c.covers, func(s watch.Span) bool { return s.Has(at) }) {
		on = append(on, c.officers[standIn])
	}
	return on
}

// awake returns who is at the desk now and does something, if the station can be
// worked with.
func (w *world) awake(n *node) []stationtest.Officer {
	if !n.up || !n.wrong.IsZero() || w.now.Before(n.crew.asleep) || w.closing() {
		return nil
	}
	return n.crew.onDuty(w.now)
}

// closing is when nobody says anything new: what was said has to arrive.
func (w *world) closing() bool { return w.now.After(w.quiet.Add(settle / 2)) }

// as is an officer with a token of one's own.
func as(o stationtest.Officer) station.Actor {
	return station.Actor{Name: o.Pseudonym, Roles: []string{station.RoleWatch, station.RoleRead, station.RoleDraft}}
}

// man gives a station its officers and its roster.
func (w *world) man(ctx context.Context, n *node) error {
	n.crew = &crew{officers: n.cast.Officers, taken: make(map[message.ID]bool)}
	n.crew.ledger.reset(n)
	for len(n.crew.officers) <= standIn {
		o, err := n.cast.NewOfficer(fmt.Sprintf("%s-%02d", n.cast.Card.Code, len(n.crew.officers)+1), []string{"watch", "releasing"})
		if err != nil {
			return err
		}
		if _, err := n.end.AddOfficer(ctx, stationtest.Operator(), w.now, "officer "+o.Pseudonym, o.Certificate); err != nil {
			return err
		}
		n.crew.officers = append(n.crew.officers, o)
	}
	monday := begin.AddDate(0, 0, -(int(begin.Weekday())+6)%7)
	r := watch.Roster{Station: n.name, Version: 1, Start: monday, Weeks: 1, Desks: []watch.Desk{{Name: deskName, Always: true}}}
	for i, o := range n.crew.officers {
		roles := []string{"watch", "releasing"}
		if i == standIn {
			roles = append(roles, watch.RoleSupervisor, watch.RoleOnCall)
		}
		r.Officers = append(r.Officers, watch.Officer{Pseudonym: o.Pseudonym, Languages: []book.Lang{"en", "fr"}, Roles: roles})
	}
	for i, s := range watch.DefaultShifts() {
		pair := []string{n.crew.officers[ofShift*i].Pseudonym, n.crew.officers[ofShift*i+1].Pseudonym}
		r.Turns = append(r.Turns, watch.Turn{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Shift: s.Name, Desk: deskName, Officers: pair})
	}
	_, err := n.end.SetRoster(ctx, stationtest.Operator(), w.now, r.Bytes())
	return err
}

// planManned schedules what people do at two stations round the clock, and what
// happens to them.
func (w *world) planManned(ctx context.Context) {
	for _, n := range w.nodes {
		w.every(lookEvery, func() error { return w.lookAtMail(ctx, n) })
		w.every(ackEvery, func() error { return w.acknowledge(ctx, n) })
		for at := begin.Add(shiftLength); at.Before(w.quiet); at = at.Add(shiftLength) {
			w.at(at.Add(-w.span(0, 10*time.Minute)), func() error { return w.changeShift(ctx, n, at) })
		}
		w.every(fetchEvery, func() error { return w.fetchBlobs(ctx, n) })
		w.planLeave(ctx, n)
		w.repeatedly(dayOffEvery/2, 2*dayOffEvery, func() error { return w.dayOff(ctx, n) })
		w.planMatters(ctx, n)
	}
	w.planOutages(ctx)
	w.planComparisons(ctx)
}

// voice is a node whose messages are released by those on duty first, and then
// by those who can be called in.
func (w *world) voice(n *node) stationtest.End {
	cast := *n.cast
	cast.Officers = n.crew.onDuty(w.now)
	for _, o := range n.crew.officers {
		if !slices.ContainsFunc(cast.Officers, func(on stationtest.Officer) bool { return on.Pseudonym == o.Pseudonym }) {
			cast.Officers = append(cast.Officers, o)
		}
	}
	return stationtest.End{Station: n.end.Station, Cast: &cast}
}

// speak lets those on duty say something. False: there was nobody to say it, or
// no station to say it with.
func (w *world) speak(ctx context.Context, n *node, d station.Draft, typed ...string) (message.ID, bool, error) {
	if len(w.awake(n)) == 0 {
		return message.ID{}, false, nil
	}
	d.Line = w.line
	out, err := w.voice(n).Say(ctx, w.clock(n), d, typed...)
	if err != nil {
		return message.ID{}, false, fmt.Errorf("%s says %s: %w", n.name, d.Format, err)
	}
	w.spoke(ctx, n, out)
	return out.ID, true, nil
}

func (w *world) spoke(ctx context.Context, n *node, out station.Outgoing) {
	w.said[out.ID.String()] = &saying{by: n.name, id: out.ID.String(), released: w.now, flash: int(out.Precedence)}
	w.kick(ctx, n)
}

// release lets those on duty release what a verb of the station has drafted.
func (w *world) release(ctx context.Context, n *node, drafted ...station.Outgoing) error {
	for _, out := range drafted {
		r, err := n.end.Release(ctx, stationtest.Operator(), w.clock(n), out.ID)
		if err != nil {
			return err
		}
		if err := w.voice(n).Approve(ctx, w.clock(n), out.ID, r.Need); err != nil {
			return err
		}
		w.spoke(ctx, n, out)
	}
	return nil
}

// acknowledge lets those on duty acknowledge what rings, most of the times.
func (w *world) acknowledge(ctx context.Context, n *node) error {
	on := w.awake(n)
	if len(on) == 0 || w.chance(4) {
		return nil
	}
	board, err := n.end.Alarms(ctx, as(on[0]))
	if err != nil {
		return err
	}
	for _, g := range board.Groups {
		if g.Open == 0 {
			continue
		}
		for _, o := range on {
			err := n.end.AcknowledgeAlarm(ctx, as(o), w.clock(n), station.AlarmAct{Key: g.Key, Group: true})
			if err != nil && !errors.Is(err, station.ErrRefused) && !errors.Is(err, station.ErrConflict) && !errors.Is(err, station.ErrNotFound) {
				return fmt.Errorf("%s acknowledges %s: %w", n.name, g.Key.Kind, err)
			}
		}
	}
	return nil
}
