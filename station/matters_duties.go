package station

import (
	"context"
	"fmt"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// ObligationQuery says which duties are listed. The zero value lists the first
// of all that are owed, as of now.
type ObligationQuery struct {
	Line    identity.Line // if zero, all lines
	Owes    Side          // if empty, both sides
	Met     bool          // those too that were met or stopped
	Overdue bool          // only those that are owed and past
	Within  time.Duration // if not zero, only those that are owed and due by then
	At      time.Time     // the second as of which; if zero, now
	After   string        // the Cursor of the last one seen
	Limit   int           // if zero or too large, maxMatterPage
}

// Obligation is what one side owes after a message of a line.
type Obligation struct {
	dossier.Duty
	Line        identity.Line
	Matter      message.ID // zero: the message that calls for it is in none yet
	Kind        dossier.Kind
	Citation    string        // of the message that calls for it
	MetCitation string        // of the one that met it; empty: none, or a station's receipt
	Late        time.Duration // by how much it was met late, or is past; zero: it is not
	Cursor      string        // where it stands in a list
}

// Obligations lists what both sides owe each other, the first due first: the
// duties of all matters, and the receipts of own messages that the counterpart
// has not given. What is late is a fact of the record and says nothing else.
// As of now, what stands in no record yet counts from the receipt that this
// station gave or holds; as of a second that is named, only the record counts, and both sides list the same.
// That the list was read is noted in the audit trail.
func (s *Station) Obligations(ctx context.Context, actor Actor, now time.Time, q ObligationQuery) ([]Obligation, error) {
	if err := actor.must("list obligations", RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, "obligations", string(q.Owes), err)
	}
	current := q.At.IsZero()
	q.At = asked(q.At, now)
	var list []Obligation
	err := s.eachLine(ctx, q.Line, func(tx Tx, m *Matters, l identity.Line) error {
		if current {
			row, err := tx.Line(l)
			if err == nil {
				err = s.lay(tx, row, m)
			}
			if err != nil {
				return err
			}
		}
		all, err := s.obligations(tx, m, l, q.At, func(d dossier.Duty) bool { return q.Owes.has(d.By, s.name) && q.lists(d) })
		for _, o := range all {
			if o.Cursor > q.After {
				list = append(list, o)
			}
		}
		return err
	})
	list = pageOf(list, q.Limit, func(o Obligation) string { return o.Cursor })
	detail := fmt.Sprintf("%d obligations as of %s", len(list), q.At.Format(time.RFC3339))
	if err := s.looked(ctx, now, actor, "obligations", string(q.Owes), detail, err); err != nil {
		return nil, err
	}
	return list, nil
}

// lists reports whether a duty is asked for by how it stands.
func (q ObligationQuery) lists(d dossier.Duty) bool {
	switch {
	case q.Overdue && !(d.Owed() && q.At.After(d.Due)):
		return false
	case q.Within != 0 && !(d.Owed() && !d.Due.After(q.At.Add(q.Within))):
		return false
	}
	return q.Met || d.Owed()
}

// obligations returns the duties of a line that are wanted, as of a second. A
// message that is in several matters calls for the same in each: it is listed
// with the first. What is not wanted costs a glance.
func (s *Station) obligations(tx Tx, m *Matters, l identity.Line, at time.Time, wanted func(dossier.Duty) bool) ([]Obligation, error) {
	w := m.At(at)
	var list []Obligation
	known := make(map[string]bool)
	for i := range w.Dossiers {
		d := &w.Dossiers[i]
		var cited map[message.ID]string // filled in where something is listed
		for _, duty := range d.Duties {
			var name string
			if len(d.Links) > 0 || duty.Act == dossier.ActFollowed { // who shares a message is linked with the others; of two rules one is listed
				if name = dutyName(duty); known[name] {
					continue
				}
				known[name] = true
			}
			if !wanted(duty) {
				continue
			}
			if cited == nil {
				cited = s.citations(d)
			}
			o := Obligation{Duty: duty, Line: l, Matter: d.ID, Kind: d.Kind, Citation: cited[duty.Of], MetCitation: cited[duty.MetBy], Late: Lateness(duty, at)}
			if o.Cursor = name; name == "" {
				o.Cursor = dutyName(duty)
			}
			list = append(list, o)
		}
	}
	for _, x := range w.Unlisted {
		u, err := s.unlistedMessage(tx, m, x)
		if err != nil {
			return nil, err
		}
		if u.Receipt || u.Due.IsZero() || u.Written.After(at) {
			continue
		}
		duty := dossier.Duty{Of: u.Message, Act: dossier.ActReceived, By: u.Place.Origin.Reader, From: u.Written, Due: u.Due, State: u.State}
		o := Obligation{Duty: duty, Line: l, Citation: u.Citation, Late: Lateness(duty, at), Cursor: u.Message.String()}
		if it, ok := m.line.Item(u.Place); ok {
			if f, ok := s.book.Format(it.Format); ok {
				o.Kind = dossier.Kind(f.Dossier)
			}
		}
		if len(u.Joins) > 0 {
			o.Matter = u.Joins[0].ID
		}
		if wanted(duty) {
			list = append(list, o)
		}
	}
	for i := range list {
		list[i].Cursor = cursor(0, list[i].Due.Unix(), strings.ReplaceAll(list[i].Cursor, " ", ","), l.String())
	}
	return list, nil
}

// dutyName names a duty on its line.
func dutyName(d dossier.Duty) string {
	return d.Of.String() + "." + string(d.Act) + "." + fmt.Sprint(d.Formats, d.From.Unix())
}

// citations returns those of the messages of a dossier.
func (s *Station) citations(d *dossier.Dossier) map[message.ID]string {
	cited := make(map[message.ID]string, len(d.Timeline))
	for _, e := range d.Timeline {
		cited[e.Message] = s.Cite(e.Place.Origin, e.Place.Index)
	}
	return cited
}

// Lateness is by how much a duty was met after it was due, or is past as of a
// second; zero: it is not.
func Lateness(d dossier.Duty, at time.Time) time.Duration {
	end := at
	switch {
	case !d.Stopped.IsZero():
		end = d.Stopped
	case !d.Met.IsZero():
		end = d.Met
	}
	return max(0, end.Sub(d.Due))
}
