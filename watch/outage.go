package watch

import (
	"slices"
	"time"

	"detente/identity"
)

// Outage is a loss of bearers that a station told of: planned, by format 020,
// or unplanned, by format 021.
type Outage struct {
	By       identity.Station
	Said     time.Time // when the other end receipted it
	Planned  bool
	Bearers  []string  // of the list bearer
	From, To time.Time // To is zero while an unplanned one lasts
}

// PlannedLead is how far ahead a planned outage is told of.
const PlannedLead = 72 * time.Hour

// ShortNotice reports whether a planned outage was told of too late. It counts
// all the same, and is shown so.
func (o Outage) ShortNotice() bool { return o.Planned && o.From.Sub(o.Said) < PlannedLead }

// covers reports whether the outage lasts at a time.
func (o Outage) covers(at time.Time) bool {
	return !at.Before(o.From) && (o.To.IsZero() || at.Before(o.To))
}

type windowParams struct {
	From string `json:"from"`
	To   string `json:"to"`
	Zone string `json:"zone"`
}

type plannedParams struct {
	Bearers  []string     `json:"bearers"`
	Fallback string       `json:"fallback"`
	Remarks  string       `json:"remarks,omitempty"`
	Window   windowParams `json:"window"`
}

type unplannedParams struct {
	Bearer   string   `json:"bearer"`
	Cause    string   `json:"cause"`
	Missed   []string `json:"missed,omitempty"`
	Remarks  string   `json:"remarks,omitempty"`
	Restored string   `json:"restored,omitempty"`
	Since    string   `json:"since"`
}

// FoldOutages returns the outages that a record shows, in the order in which
// they were said. A report that a bearer works again ends those of the same
// station and bearer that began no later. Messages of other formats, and those
// that cannot be read, are passed over.
func FoldOutages(record []Said) []Outage {
	var out []Outage
	for _, s := range record {
		switch s.Body.Format {
		case "020":
			var w plannedParams
			var p stamps
			if readParams(s.Body, &w) != nil {
				continue
			}
			o := Outage{By: s.Body.From, Said: s.Received, Planned: true, Bearers: w.Bearers, From: p.read("from", w.Window.From), To: p.read("to", w.Window.To)}
			if p.err == nil && o.To.After(o.From) {
				out = append(out, o)
			}
		case "021":
			out = unplanned(out, s)
		}
	}
	return out
}

func unplanned(out []Outage, s Said) []Outage {
	var w unplannedParams
	var p stamps
	if readParams(s.Body, &w) != nil {
		return out
	}
	since, restored := p.read("since", w.Since), p.read("restored", w.Restored)
	if p.err != nil || since.IsZero() {
		return out
	}
	known := false
	for i, o := range out {
		if o.Planned || o.By != s.Body.From || !slices.Equal(o.Bearers, []string{w.Bearer}) || !o.To.IsZero() {
			continue
		}
		if restored.IsZero() {
			known = known || o.From.Equal(since) // said again
		} else if !o.From.After(restored) {
			out[i].To, known = restored, true
		}
	}
	if !known {
		out = append(out, Outage{By: s.Body.From, Said: s.Received, Bearers: []string{w.Bearer}, From: since, To: restored})
	}
	return out
}

// downAt says whether every bearer of a line is out at a time, and whether
// plans alone explain it. An outage counts from when it was said: nobody
// explains a silence afterwards by plan.
func downAt(outages []Outage, bearers []string, at time.Time) (down, planned bool) {
	if len(bearers) == 0 {
		return false, false
	}
	planned = true
	for _, b := range bearers {
		out, plan := false, false
		for _, o := range outages {
			if !contains(o.Bearers, b) || !o.covers(at) {
				continue
			}
			out = true
			plan = plan || o.Planned && !o.Said.After(at)
		}
		if !out {
			return false, false
		}
		planned = planned && plan
	}
	return true, planned
}

// BothDown returns the spans in which planned outages take all bearers of a
// line at once, which nobody should plan.
func BothDown(outages []Outage, bearers []string) []Span {
	var at []time.Time
	for _, o := range outages {
		if o.Planned {
			at = append(at, o.From, o.To)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	var out []Span
	for i := range max(len(at)-1, 0) {
		if down, plan := downAt(plannedOnly(outages), bearers, at[i]); down && plan && at[i+1].After(at[i]) {
			out = append(out, Span{at[i], at[i+1]})
		}
	}
	return merge(out)
}

// plannedOnly returns the planned outages as if each had been said in time.
func plannedOnly(outages []Outage) (out []Outage) {
	for _, o := range outages {
		if o.Planned {
			o.Said = time.Time{}
			out = append(out, o)
		}
	}
	return out
}

// Desk status, format 024.

// DeskStatus is what a station says of its own desk.
type DeskStatus struct {
	By        identity.Station
	Said      time.Time // when the other end receipted it
	Status    string    // of the list desk: manned, degraded, unmanned
	Languages []string
	Until     time.Time
	Lines     []string
}

// DeskUnknown is the status of a desk of which nothing is said any more.
const DeskUnknown = "unknown"

type deskParams struct {
	Languages []string `json:"languages,omitempty"`
	Lines     []string `json:"lines"`
	Remarks   string   `json:"remarks,omitempty"`
	Status    string   `json:"status"`
	Until     string   `json:"until"`
}

// FoldDesk returns the newest status that a station said of its desk for a
// line; false where it never said one.
func FoldDesk(record []Said, by identity.Station, line identity.Line) (DeskStatus, bool) {
	var newest DeskStatus
	for _, s := range record {
		var w deskParams
		var p stamps
		if s.Body.Format != "024" || s.Body.From != by || readParams(s.Body, &w) != nil || !contains(w.Lines, line.String()) {
			continue
		}
		d := DeskStatus{By: by, Said: s.Received, Status: w.Status, Languages: w.Languages, Until: p.read("until", w.Until), Lines: w.Lines}
		if p.err == nil && !d.Said.Before(newest.Said) {
			newest = d
		}
	}
	return newest, !newest.Said.IsZero()
}

// At returns what holds of the desk at a time, and how old that word is. Once
// the time that it was said for is over, the desk is unknown: nothing stale is
// shown as well (P16).
func (d DeskStatus) At(now time.Time) (status string, age time.Duration) {
	age = max(now.Sub(d.Said), 0)
	if d.Said.IsZero() || !now.Before(d.Until) {
		return DeskUnknown, age
	}
	return d.Status, age
}

// DeskStatus returns what the station can say of its own desk at a second, from
// its roster: manned where nothing is missing, degraded where something is,
// unmanned where nobody is on; in the languages that are read, until that
// changes or the horizon of a day ends.
func (r Roster) DeskStatus(at time.Time) DeskStatus {
	need := r.Needs.filled()
	on := r.On(at)
	d := DeskStatus{By: r.Station, Said: at, Status: "manned", Until: earlier(at.Add(day), r.end())}
	missing := r.missing(on, need)
	switch {
	case len(on) == 0:
		d.Status = "unmanned"
	case len(missing) > 0:
		d.Status = "degraded"
	}
	for _, duty := range on {
		o, _ := r.Officer(duty.Officer)
		for _, l := range o.Languages {
			if !contains(d.Languages, string(l)) {
				d.Languages = append(d.Languages, string(l))
			}
		}
	}
	slices.Sort(d.Languages)
	for _, h := range r.Handovers(Span{at.Add(time.Second), d.Until}) {
		d.Until = earlier(d.Until, h.At)
	}
	return d
}
