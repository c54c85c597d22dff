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
	"detente/watch"
)

// Now is what an officer who comes has to see at once.
type Now struct {
	Sheet    watch.Sheet // what would be handed over; desk and officers are not filled in
	Unread   map[message.Precedence]int
	On       []watch.Duty
	Next     watch.Handover           // zero: none near, or no roster
	Rostered bool                     // there is a roster
	Risks    []watch.Risk             // of the next day
	Open     []Handover               // that wait for a signature
	Faults   map[identity.Line]string // why a line does not work; absent while it does
}

// riskHorizon is how far ahead the screen of the watch tells risks.
const riskHorizon = 24 * time.Hour

// WatchNow returns what waits now: what is unread, what awaits release, what is
// due, which alarms stand, and how the lines are.
func (s *Station) WatchNow(ctx context.Context, actor Actor, now time.Time) (Now, error) {
	if err := actor.must("see the watch", RoleWatch, RoleRead); err != nil {
		return Now{}, s.refused(ctx, now, actor, "watch", "", err)
	}
	var n Now
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if n, err = s.waiting(ctx, tx, now); err != nil {
			return err
		}
		if n.Open, err = s.openHandovers(tx, now); err != nil {
			return err
		}
		v, err := s.rosterView(tx, now)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		n.Rostered, n.On, n.Next = true, v.On, v.Next
		n.Risks, err = v.Roster.Risks(second(now), second(now).Add(riskHorizon))
		return err
	})
	if err == nil {
		err = s.noted(ctx, now, actor, "watch", "", "")
	}
	return n, err
}

// waiting computes what waits at a station. tx has to be of a View.
func (s *Station) waiting(ctx context.Context, tx Tx, now time.Time) (Now, error) {
	n := Now{Sheet: watch.Sheet{Station: s.name, At: second(now)}, Unread: map[message.Precedence]int{}, Faults: map[identity.Line]string{}}
	rows, err := tx.Lines()
	if err != nil {
		return n, err
	}
	for _, row := range rows {
		if err := s.waitingOn(ctx, tx, row, now, &n); err != nil {
			return n, err
		}
	}
	awaiting, err := tx.OutgoingIn(Awaiting, 0, watch.MaxItems+1)
	if err != nil {
		return n, err
	}
	for _, out := range awaiting {
		n.Sheet.Waiting = append(n.Sheet.Waiting, watch.OpenItem{Ref: out.ID.String(), What: string(out.Format), Since: out.Asked.UTC(), Detail: out.Precedence.String()})
	}
	if n.Sheet.Alarms, err = s.standingAlarms(tx); err != nil {
		return n, err
	}
	n.Sheet.SortDeadlines()
	calls, err := s.unconfirmed(tx, now)
	for _, c := range calls {
		n.Sheet.Calls = append(n.Sheet.Calls, watch.OpenItem{Ref: fmt.Sprint(c.Number), What: "025", Since: c.Call.From, Detail: string(c.Call.Caller) + " called " + string(c.Call.Station)})
	}
	return n, err
}

// standingAlarms returns the alarms that stand, for a handover and the screen of
// the watch.
func (s *Station) standingAlarms(tx Tx) ([]watch.Group, error) {
	if s.watching == nil {
		return nil, nil
	}
	state, err := alarmState(tx, s.watching.Alarms)
	return state.Groups(), err
}

// waitingOn adds what waits on a line.
func (s *Station) waitingOn(ctx context.Context, tx Tx, row Line, now time.Time, n *Now) error {
	said, waits, err := s.record(tx, row, now)
	if err != nil {
		return err
	}
	for _, w := range waits {
		item := watch.OpenItem{Ref: s.Cite(w.origin, w.index), What: string(w.format), Since: w.since.UTC(), Detail: w.precedence.String() + " " + w.id.String()}
		_, err := tx.Opened(w.id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil {
			n.Unread[w.precedence]++
			if w.precedence == message.Flash {
				n.Sheet.FlashUnread = append(n.Sheet.FlashUnread, item)
			}
		}
		n.Sheet.Unacked = append(n.Sheet.Unacked, item)
	}
	n.Sheet.Outages = append(n.Sheet.Outages, watch.FoldOutages(plainSaid(said))...)
	summary, err := s.summary(tx, row, said, now)
	if err != nil {
		return err
	}
	n.Sheet.Lines = append(n.Sheet.Lines, summary)
	status, err := s.lineStatus(tx, row)
	if err != nil {
		return err
	}
	for _, why := range []string{status.Guard, status.Reason, alarmsText(status.Alarms)} {
		if why != "" {
			n.Faults[row.Line] = why
			break
		}
	}
	due, err := s.deadlines(ctx, tx, row, now)
	n.Sheet.Deadlines = append(n.Sheet.Deadlines, due...)
	return err
}

// alarmsText names what a line's sender finds wrong with its counterpart; empty
// where nothing is.
func alarmsText(a line.Alarms) string {
	if a == 0 {
		return ""
	}
	return a.String()
}

// shiftLength is how far back the tests of a shift are counted where the roster
// does not say.
const shiftLength = 8 * time.Hour

// summary says where a line stands.
func (s *Station) summary(tx Tx, row Line, said []saidAt, now time.Time) (watch.LineSummary, error) {
	plain := plainSaid(said)
	state := watch.FoldLine(plain, row.Line)
	out := watch.LineSummary{Line: row.Line, Phase: state.Phase, Desk: deskWord(plain, row.Line.Other(s.name), row.Line, now).Status}
	opened, err := tx.Message(row.Line.Log(row.Line.A, 1), 0)
	if errors.Is(err, ErrNotFound) || err == nil && opened.At.IsZero() {
		return out, nil // nothing is tested before the line is open
	}
	if err != nil {
		return out, err
	}
	from, shift := second(now).Add(-24*time.Hour), second(now).Add(-shiftLength)
	if opened.At.After(from) {
		from = opened.At
	}
	if r, err := s.roster(tx); err == nil {
		for _, d := range r.On(second(now)) {
			if d.From.After(shift) {
				shift = d.From
			}
		}
	}
	terms, body := DefaultTerms(), message.Body{}
	if f, err := message.ParseBody(row.Terms); err == nil {
		body = f.Body()
	}
	if body.Format == "001" {
		if err := readTerms(body, &terms); err != nil {
			return out, err
		}
	}
	if !from.Before(second(now)) {
		return out, nil
	}
	stats, err := watch.Schedule{Line: row.Line, Interval: terms.TestEvery, Bearers: []string{"direct"}}.
		Measure(watch.Span{From: from, To: second(now)}, tests(said), watch.FoldOutages(plain), state.Held(now), second(now))
	if err != nil {
		return out, err
	}
	for _, r := range stats.Results {
		if r.State != watch.SlotPending {
			out.LastTest = r.State
		}
		if r.Missed() && !r.At.Before(shift) {
			out.Missed++
		}
	}
	return out, nil
}

// tests are the line tests of a record, each with its read-back.
func tests(said []saidAt) []watch.Test {
	var all []watch.Test
	place := map[message.ID]int{}
	for _, m := range said {
		if m.Body.Format != "010" {
			continue
		}
		var no string
		if json.Unmarshal(m.Body.Params["test_no"], &no) != nil {
			continue
		}
		hour, err := time.Parse(time.RFC3339, no)
		if err != nil {
			continue
		}
		place[m.Body.ID] = len(all)
		all = append(all, watch.Test{For: hour, By: m.Body.From, Sent: m.at, Received: m.Received})
	}
	groups := map[message.ID]string{}
	for _, m := range said {
		if m.Body.Format == "010" {
			groups[m.Body.ID] = string(m.Body.Params["check_groups"])
		}
	}
	for _, m := range said {
		if m.Body.Format != "011" {
			continue
		}
		for _, ref := range m.refs {
			i, ok := place[ref]
			if !ok || all[i].By == m.Body.From || !all[i].Answered.IsZero() {
				continue
			}
			all[i].Answered, all[i].Good = m.Received, string(m.Body.Params["read_back"]) == groups[ref]
		}
	}
	return all
}
