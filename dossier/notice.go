package dossier

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"detente/message"
)

// assets are what a notice touches.
type assets struct {
	assets, places []string
	sector         string
}

// announce judges how long ahead a message announces what it announces.
func (f *fold) announce(it Item, form Form) {
	if form.Lead == nil {
		return
	}
	from, ok := it.Facts.Times[form.Lead.Param]
	if w, is := it.Facts.Windows[form.Lead.Param]; is {
		from, ok = w.From, true
	}
	if !ok {
		return
	}
	switch ahead := from.Sub(it.Received); {
	case from.Before(form.Lead.earliest(it)):
		f.d.Lead = LeadShort
		f.flag(it.ID, FlagShortNotice)
	case ahead < form.Lead.Usual:
		f.d.Lead = LeadLeast
	default:
		f.d.Lead = LeadUsual
	}
}

// notice notes what a move of an advance notice says of its window, and what a
// cancellation stops.
func (f *fold) notice(it Item, form Form) {
	if f.kind != KindNotice {
		return
	}
	if form.Move == "notify" || form.Move == "change" {
		if w, ok := it.Facts.Windows["window"]; ok {
			f.d.Window = w
		}
		if form.Lapses > 0 {
			f.lapses = form.Lapses
		}
		if a := it.Facts.Assets; len(a) > 0 {
			f.assets.assets = a
		}
		if p := it.Facts.Places; len(p) > 0 {
			f.assets.places = p
		}
		if s := it.Facts.Words["sector"]; s != "" {
			f.assets.sector = s
		}
	}
	if f.course.stage == Cancelled {
		for _, c := range f.calls { // the cancellation itself is to be understood
			if c.it.ID != it.ID && c.it.Origin.Writer == it.Origin.Writer && c.stopped.IsZero() {
				c.stopped = it.Received
			}
		}
		f.stopOwed(it.Received, func(*owed) bool { return true })
	}
}

// lapse lets a notice lapse, where it did before a second: some days after the
// end of its window, unless it was completed or cancelled.
func (f *fold) lapse(at time.Time) {
	f.pass(at)
	f.d.LapsesAt = time.Time{}
	if f.kind != KindNotice || f.lapses == 0 || !f.d.Window.ok() {
		return
	}
	t := f.d.Window.To.Add(f.lapses)
	if f.course.stage == Lapsed || f.course.allows(f.course.stage, Lapsed) {
		f.d.LapsesAt = t
	}
	if at.After(t) && f.course.allows(f.course.stage, Lapsed) {
		f.course.stage, f.d.Since = Lapsed, t
	}
}

// maxWindowDays bounds the days under which a window is noted: one that is
// longer is looked at beside every other.
const maxWindowDays = 400

// indexWindow notes the days of a notice's window.
func (l *Line) indexWindow(it Item) {
	w, ok := it.Facts.Windows["window"]
	if !ok || l.kind(it) != KindNotice {
		return
	}
	if w.long() {
		l.long = append(l.long, it.ID)
		return
	}
	for n := day(w.From); n <= day(w.To); n++ {
		l.notices[n] = append(l.notices[n], it.ID)
	}
}

func (w Window) long() bool { return day(w.To)-day(w.From) > maxWindowDays }

// announced returns the messages whose windows may overlap with one; one may be
// there more than once.
func (l *Line) announced(w Window) []message.ID {
	list := slices.Clone(l.long)
	if w.long() {
		for _, ids := range l.notices {
			list = append(list, ids...)
		}
		return list
	}
	for n := day(w.From); n <= day(w.To); n++ {
		list = append(list, l.notices[n]...)
	}
	return list
}

// holds reports whether a notice stands in the way of others.
func (f *fold) holds() bool { return f.course.stage == Notified || f.course.stage == Changed }

// conflicts returns the other notices that hold at once with a notice and touch
// the same, by id.
func (f *fold) conflicts() []message.ID {
	if f.kind != KindNotice || !f.holds() || !f.d.Window.ok() {
		return nil
	}
	var list []message.ID
	looked := map[message.ID]bool{f.d.ID: true}
	for _, id := range f.l.announced(f.d.Window) {
		it, ok := f.l.get(id, f.at)
		if !ok {
			continue
		}
		other := f.l.idOf(it.ID, f.at)
		if looked[other] {
			continue
		}
		looked[other] = true
		g := f.l.fold(it, f.at)
		if g.holds() && g.d.Window.overlaps(f.d.Window) && f.assets.touch(g.assets) {
			list = append(list, other)
		}
	}
	slices.SortFunc(list, compareIDs)
	return list
}

// touch reports whether two notices name an asset or place in common, or, where
// one names neither, the same sector.
func (a assets) touch(b assets) bool {
	for _, x := range a.assets {
		for _, y := range b.assets {
			if sameAsset(x, y) {
				return true
			}
		}
	}
	for _, x := range a.places {
		if slices.Contains(b.places, x) {
			return true
		}
	}
	vague := len(a.assets)+len(a.places) == 0 || len(b.assets)+len(b.places) == 0
	return vague && a.sector != "" && a.sector == b.sector
}

// sameAsset reports whether one asset is, or lies within, the other.
func sameAsset(x, y string) bool {
	if x == y {
		return true
	}
	kx, vx, _ := strings.Cut(x, ":")
	ky, vy, _ := strings.Cut(y, ":")
	if kx != ky {
		return false
	}
	switch kx {
	case "domain":
		return strings.HasSuffix(vx, "."+vy) || strings.HasSuffix(vy, "."+vx)
	case "prefix":
		p, err1 := netip.ParsePrefix(vx)
		q, err2 := netip.ParsePrefix(vy)
		return err1 == nil && err2 == nil && p.Overlaps(q)
	}
	return false
}

func compareIDs(a, b message.ID) int { return compare(string(a[:]), string(b[:])) }
