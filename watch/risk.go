package watch

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"detente/book"
)

// RiskKind says what will go wrong with a watch.
type RiskKind string

// The kinds of risks. Each is a code with a text in six languages.
const (
	RiskNobody    RiskKind = "nobody"       // nobody on watch at all
	RiskDesk      RiskKind = "empty-desk"   // nobody at a desk that is always manned
	RiskFew       RiskKind = "too-few"      // fewer officers than the watch needs
	RiskFlash     RiskKind = "flash-alone"  // fewer than it takes to acknowledge a FLASH
	RiskLanguage  RiskKind = "no-language"  // nobody reads a language
	RiskClearance RiskKind = "no-clearance" // nobody holds a clearance
	RiskLong      RiskKind = "long-duty"    // an officer is on too long
	RiskRest      RiskKind = "short-rest"   // an officer rests too little
	RiskSwap      RiskKind = "swap-pending" // a swap has not been agreed by both
)

// RiskKinds returns all kinds, the gravest first.
func RiskKinds() []RiskKind {
	return []RiskKind{RiskNobody, RiskDesk, RiskFew, RiskFlash, RiskLanguage, RiskClearance, RiskLong, RiskRest, RiskSwap}
}

// Risk is something that will be wrong from one second to another if the
// roster stays as it is.
type Risk struct {
	Kind RiskKind
	Span
	Desk      string    // of RiskDesk, RiskSwap
	Language  book.Lang // of RiskLanguage
	Clearance string    // of RiskClearance
	Officer   string    // of RiskLong, RiskRest, RiskSwap
	Have      int       // of RiskFew, RiskFlash: the fewest officers in the span
	Need      int       // of RiskFew, RiskFlash
}

// MaxHorizon bounds how far ahead risks are looked for: a quarter of a year.
const MaxHorizon = 92 * day

// Risks returns what will go wrong in a span, as ranges that do not touch,
// ordered by beginning. It fails where the span is empty or longer than
// MaxHorizon. The roster must have passed Check.
func (r Roster) Risks(from, to time.Time) ([]Risk, error) {
	in := Span{from.UTC(), to.UTC()}
	if !to.After(from) || to.Sub(from) > MaxHorizon || !whole(from) || !whole(to) {
		return nil, fault("horizon", fmt.Sprintf("%s to %s", stamp(from), stamp(to)), fmt.Sprintf("give whole seconds, at most %d days of them", MaxHorizon/day))
	}
	need := r.Needs.filled()
	// Rest and long duty look beyond the edges, as far as they can matter.
	around := need.MaxDuty + need.MinRest + day
	duties := r.Duties(Span{in.From.Add(-around), earlier(in.To.Add(around), lastSecond)})
	out := r.coverRisks(duties, in, need)
	out = append(out, strainRisks(duties, in, need)...)
	for _, s := range r.Swaps {
		for _, slot := range []Slot{s.First, s.Second} {
			if !s.Effective() && in.Has(slot.Begin) {
				out = append(out, Risk{Kind: RiskSwap, Span: Span{slot.Begin, slot.Begin.Add(time.Second)}, Desk: slot.Desk, Officer: slot.Officer})
			}
		}
	}
	slices.SortFunc(out, func(a, b Risk) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(slices.Index(RiskKinds(), a.Kind), slices.Index(RiskKinds(), b.Kind)),
			cmp.Compare(a.Desk, b.Desk), cmp.Compare(a.Language, b.Language), cmp.Compare(a.Officer, b.Officer), a.To.Compare(b.To))
	})
	return out, nil
}

// coverRisks walks from change to change and says what is missing in between.
func (r Roster) coverRisks(duties []Duty, in Span, need Needs) []Risk {
	at := append(edges(duties, in), in.From, in.To)
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, time.Time.Equal)
	type key struct {
		kind                  RiskKind
		desk, lang, clearance string
	}
	open := map[key]int{} // where in out the risk stands that may go on
	var out []Risk
	first := 0
	for i := range len(at) - 1 {
		// Duties are ordered by beginning and last three months at most.
		for first < len(duties) && !duties[first].To.After(at[i]) {
			first++
		}
		on := duties[first:]
		if n := slices.IndexFunc(on, func(d Duty) bool { return d.From.After(at[i]) }); n >= 0 {
			on = on[:n]
		}
		now := slices.DeleteFunc(slices.Clone(on), func(d Duty) bool { return !d.Has(at[i]) })
		for _, risk := range r.missing(now, need) {
			k := key{risk.Kind, risk.Desk, string(risk.Language), risk.Clearance}
			if j, ok := open[k]; ok && out[j].To.Equal(at[i]) {
				out[j].To, out[j].Have = at[i+1], min(out[j].Have, risk.Have)
				continue
			}
			risk.Span = Span{at[i], at[i+1]}
			open[k] = len(out)
			out = append(out, risk)
		}
	}
	return out
}

// missing says what those who are on cannot do.
func (r Roster) missing(on []Duty, need Needs) (out []Risk) {
	var officers []Officer
	for _, d := range on {
		o, _ := r.Officer(d.Officer)
		if !slices.ContainsFunc(officers, func(p Officer) bool { return p.Pseudonym == o.Pseudonym }) {
			officers = append(officers, o)
		}
	}
	if len(officers) == 0 {
		return []Risk{{Kind: RiskNobody}} // which says all the others
	}
	for _, desk := range r.Desks {
		if desk.Always && !slices.ContainsFunc(on, func(d Duty) bool { return d.Desk == desk.Name }) {
			out = append(out, Risk{Kind: RiskDesk, Desk: desk.Name})
		}
	}
	if len(officers) < need.Officers {
		out = append(out, Risk{Kind: RiskFew, Have: len(officers), Need: need.Officers})
	}
	if len(officers) < need.Flash {
		out = append(out, Risk{Kind: RiskFlash, Have: len(officers), Need: need.Flash})
	}
	for _, l := range need.Languages {
		if !slices.ContainsFunc(officers, func(o Officer) bool { return o.reads(l) }) {
			out = append(out, Risk{Kind: RiskLanguage, Language: l})
		}
	}
	if level := slices.Index(r.Clearances, need.Clearance); level >= 0 &&
		!slices.ContainsFunc(officers, func(o Officer) bool { return slices.Index(r.Clearances, o.Clearance) >= level }) {
		out = append(out, Risk{Kind: RiskClearance, Clearance: need.Clearance})
	}
	return out
}

// strainRisks finds officers who are on too long or rest too little.
func strainRisks(duties []Duty, in Span, need Needs) (out []Risk) {
	spans := map[string][]Span{}
	var officers []string
	for _, d := range duties {
		if spans[d.Officer] == nil {
			officers = append(officers, d.Officer)
		}
		spans[d.Officer] = append(spans[d.Officer], d.Span)
	}
	for _, o := range officers {
		chains := merge(spans[o])
		for i, c := range chains {
			if c.To.Sub(c.From) > need.MaxDuty && c.overlaps(in) {
				out = append(out, Risk{Kind: RiskLong, Officer: o, Span: c})
			}
			if i == 0 {
				continue
			}
			rest := Span{chains[i-1].To, c.From}
			if rest.To.Sub(rest.From) < need.MinRest && rest.overlaps(in) {
				out = append(out, Risk{Kind: RiskRest, Officer: o, Span: rest})
			}
		}
	}
	return out
}
