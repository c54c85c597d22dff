package station

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// Side is whose duties are meant: this station's, its counterparts', or, as the
// zero value, those of both.
type Side string

// The sides.
const (
	SideOwn         Side = "own"
	SideCounterpart Side = "counterpart"
)

// has reports whether the duties of by are meant, at the station own.
func (s Side) has(by, own identity.Station) bool {
	return s == "" || (s == SideOwn) == (by == own)
}

// maxMatterPage is how many matters or duties one answer lists at most: a
// screen's worth many times over, and an answer of some hundred kilobytes.
const maxMatterPage = 500

// MatterQuery says which matters are listed. The zero value lists the first of
// all of them, as of now.
type MatterQuery struct {
	Line  identity.Line // if zero, all lines
	Kind  dossier.Kind  // if empty, every kind
	Stage dossier.Stage // if empty, every stage
	Owes  Side          // with SideOwn or SideCounterpart, only where that side still owes something
	At    time.Time     // the second as of which; if zero, now
	After string        // the Cursor of the last one seen
	Limit int           // if zero or too large, maxMatterPage
}

// Matter is a dossier of a line.
type Matter struct {
	dossier.Dossier
	Line     identity.Line
	Citation string // of its first message
	Cursor   string // where it stands in a list
}

// Due returns the duty that is next to be met, or that is longest past; false
// where nothing is owed.
func (m Matter) Due() (dossier.Duty, bool) {
	owed := m.Owed()
	if len(owed) == 0 {
		return dossier.Duty{}, false
	}
	return owed[0], true
}

// Matters lists matters: those in which something is owed first, by when, then
// those that are open, then those at rest, the latest first. That the list was
// read is noted in the audit trail. The caller changes nothing in what the
// dossiers hold.
func (s *Station) Matters(ctx context.Context, actor Actor, now time.Time, q MatterQuery) ([]Matter, error) {
	if err := actor.must("list matters", RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, "matters", string(q.Kind), err)
	}
	q.At = asked(q.At, now)
	var all []placed
	err := s.eachLine(ctx, q.Line, func(_ Tx, m *Matters, l identity.Line) error {
		dossiers := m.At(q.At).Dossiers
		for i := range dossiers {
			if d := &dossiers[i]; s.wanted(q, d) {
				if x := place(l, d); q.After == "" || x.cursor() > q.After {
					all = append(all, x)
				}
			}
		}
		return nil
	})
	slices.SortFunc(all, placed.compare)
	all = all[:min(pageLimit(q.Limit), len(all))]
	list := make([]Matter, len(all))
	for i, x := range all {
		list[i] = s.matter(x.line, *x.dossier)
	}
	if err := s.looked(ctx, now, actor, "matters", string(q.Kind), fmt.Sprintf("%d matters as of %s", len(list), q.At.Format(time.RFC3339)), err); err != nil {
		return nil, err
	}
	return list, nil
}

// wanted reports whether a matter is asked for.
func (s *Station) wanted(q MatterQuery, m *dossier.Dossier) bool {
	if q.Kind != "" && m.Kind != q.Kind || q.Stage != "" && m.Stage != q.Stage {
		return false
	}
	return q.Owes == "" || slices.ContainsFunc(m.Owed(), func(d dossier.Duty) bool { return q.Owes.has(d.By, s.name) })
}

// matter places a dossier in a list.
func (s *Station) matter(l identity.Line, d dossier.Dossier) Matter {
	m := Matter{Dossier: d, Line: l}
	if i := slices.IndexFunc(d.Timeline, func(e dossier.Entry) bool { return e.Message == d.ID }); i >= 0 {
		m.Citation = s.Cite(d.Timeline[i].Place.Origin, d.Timeline[i].Place.Index)
	}
	m.Cursor = place(l, &d).cursor()
	return m
}

// placed is a dossier with its place in a list. Of thousands that are looked at a
// page is shown: only its places are written out.
type placed struct {
	dossier *dossier.Dossier
	line    identity.Line
	rank    int
	at      int64
}

// place finds the place of a dossier: what is owed first, by when, then what is
// open, then what is at rest, the latest first.
func place(l identity.Line, d *dossier.Dossier) placed {
	p := placed{dossier: d, line: l, rank: 1, at: endOfRecords - d.Last.Unix()}
	if owed := d.Owed(); len(owed) > 0 {
		p.rank, p.at = 0, owed[0].Due.Unix()
	} else if d.Closed {
		p.rank = 2
	}
	return p
}

// cursor writes the place.
func (p placed) cursor() string {
	return cursor(p.rank, p.at, p.dossier.ID.String(), p.line.String())
}

// compare is the order of places, that of their cursors.
func (p placed) compare(q placed) int {
	if p.rank != q.rank {
		return cmp.Compare(p.rank, q.rank)
	}
	if p.at != q.at {
		return cmp.Compare(p.at, q.at)
	}
	return strings.Compare(p.cursor(), q.cursor())
}

// endOfRecords is after every second that stands in a record.
const endOfRecords = 1 << 40

// cursor is a place in a list: places compare as their cursors do.
func cursor(rank int, at int64, more ...string) string {
	return fmt.Sprintf("%d.%014d.%s", rank, at, strings.Join(more, "."))
}

// pageOf sorts a list by its cursors and cuts it.
func pageOf[T any](list []T, limit int, at func(T) string) []T {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(at(a), at(b)) })
	return list[:min(pageLimit(limit), len(list))]
}

// pageLimit is how many are listed where so many are asked for.
func pageLimit(limit int) int {
	if limit <= 0 || limit > maxMatterPage {
		return maxMatterPage
	}
	return limit
}

// asked is the second that is asked about.
func asked(at, now time.Time) time.Time {
	if at.IsZero() {
		at = now
	}
	return second(at)
}

// eachLine asks one line, or all of them.
func (s *Station) eachLine(ctx context.Context, only identity.Line, do func(Tx, *Matters, identity.Line) error) error {
	lines := []identity.Line{only}
	if only == (identity.Line{}) {
		lines = s.LineNames()
		slices.SortFunc(lines, func(a, b identity.Line) int { return strings.Compare(a.String(), b.String()) })
	}
	for _, l := range lines {
		if err := s.matters(ctx, l, func(tx Tx, m *Matters) error { return do(tx, m, l) }); err != nil {
			return err
		}
	}
	return nil
}

// MatterView is one matter in full.
type MatterView struct {
	Matter
	At        time.Time                       // as of which second
	Stages    map[message.ID]dossier.Stages   // how far each of its messages has come
	Citations map[message.ID]string           // of its messages
	Unlisted  []UnlistedMessage               // that will be in it
	Replies   map[message.ID][]message.Format // by which formats each message is answered, by the signal book
}

// UnlistedMessage is a message whose receipt stands in neither log yet.
type UnlistedMessage struct {
	dossier.Waiting
	Citation string
	Written  time.Time // its writer's second
	Receipt  bool      // this station gave its receipt, or holds the counterpart's: the next entry lists it
}

// Matter returns the matter that a message belongs to, the first where there are
// several, as of a second (zero: now). Where the message is unknown, or the
// record says that it was not received by then, the error is ErrNotFound. That
// it was read is noted in the audit trail.
func (s *Station) Matter(ctx context.Context, actor Actor, now time.Time, id message.ID, at time.Time) (MatterView, error) {
	if err := actor.must("read a matter", RoleRead); err != nil {
		return MatterView{}, s.refused(ctx, now, actor, "matter", id.String(), err)
	}
	view := MatterView{At: asked(at, now)}
	l, err := s.lineOf(ctx, id)
	if err == nil {
		err = s.matters(ctx, l, func(tx Tx, m *Matters) error { return s.viewMatter(tx, m, l, id, &view) })
	}
	if err := s.looked(ctx, now, actor, "matter", id.String(), "as of "+view.At.Format(time.RFC3339), err); err != nil {
		return MatterView{}, err
	}
	return view, nil
}

// lineOf returns the line on which a message stands.
func (s *Station) lineOf(ctx context.Context, id message.ID) (l identity.Line, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		l = m.Origin.Line()
		return nil
	})
	return l, err
}

// viewMatter fills in what of a matter is to be seen.
func (s *Station) viewMatter(tx Tx, m *Matters, l identity.Line, id message.ID, view *MatterView) error {
	d, ok := m.Dossier(id, view.At)
	if !ok {
		return fmt.Errorf("message %s: %w: the record does not say that it was received by %s", id, ErrNotFound, view.At.Format(time.RFC3339))
	}
	view.Matter, view.Stages = s.matter(l, d), m.line.Stages(id, view.At)
	view.Citations, view.Replies = make(map[message.ID]string), make(map[message.ID][]message.Format)
	for _, e := range d.Timeline {
		view.Citations[e.Message] = s.Cite(e.Place.Origin, e.Place.Index)
		if f, ok := s.book.Format(e.Format); ok {
			view.Replies[e.Message] = f.Replies
		}
	}
	for _, w := range m.At(view.At).Unlisted {
		if !slices.ContainsFunc(w.Joins, func(j dossier.Joined) bool { return j.ID == d.ID }) {
			continue
		}
		u, err := s.unlistedMessage(tx, m, w)
		if err != nil {
			return err
		}
		if !u.Written.After(view.At) {
			view.Unlisted = append(view.Unlisted, u)
		}
	}
	return nil
}

// unlistedMessage says of a message without a receipt in the record what this
// station knows beyond it.
func (s *Station) unlistedMessage(tx Tx, m *Matters, w dossier.Waiting) (UnlistedMessage, error) {
	u := UnlistedMessage{Waiting: w, Citation: s.Cite(w.Place.Origin, w.Place.Index)}
	if it, ok := m.line.Item(w.Place); ok {
		u.Written = it.At
	}
	if w.Place.Origin.Writer != s.name {
		u.Receipt = true // it came with a receipt, or it would not be here
		return u, nil
	}
	acked, err := s.acked(tx, w.Place.Origin)
	u.Receipt = w.Place.Index < acked
	return u, err
}
