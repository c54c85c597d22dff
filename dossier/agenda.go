package dossier

import (
	"cmp"
	"slices"
)

// The heads of the agenda of a yearly consultation, codes of the signal book, in
// the order in which they are gone through.
const (
	headPractice   = "practice"
	headSignals    = "signals"
	headThresholds = "thresholds"
	headExchange   = "exchange"
	headExtension  = "extension"
	headNext       = "next-meeting"
)

// headOf says under which head the matters of a kind are gone through, where
// anything was said of them in the period. Claims, duties and short notices stand
// under practice whatever their kind.
var headOf = map[Kind]string{
	KindStop: headSignals, KindGlossary: headSignals, KindEdition: headSignals,
	KindStatement: headExchange, KindTechnical: headExchange, KindVulnerability: headExchange, KindDisclosure: headExchange, KindPublication: headExchange,
	KindInstrument: headExtension, KindAccession: headExtension, KindDeclaration: headExtension, KindMeasure: headExtension, KindGuarantee: headExtension,
	KindSuspension: headExtension, KindDenunciation: headExtension,
}

// Why says why a message stands on an agenda, a code: where a duty put it there, the
// duty's state.
type Why string

// Why, where it is no duty.
const (
	whyOpen        Why = "open"           // a claim
	whyShort       Why = "short-notice"   // something was announced too late
	whySaid        Why = "said"           // something was said of the matter in the period
	whyRecommended Why = "recommended"    // by the committee
	whyOverdue     Why = "action-overdue" // of an agreed record
	whyAction      Why = "action-open"
	whyRecord      Why = "last-record" // it names the next place and date
)

// agenda fills the six heads from the record.
func (p *packing) agenda() {
	heads := make(map[string][]PackRef)
	put := func(head string, r PackRef) { heads[head] = append(heads[head], r) }
	for _, d := range p.w.Dossiers {
		first := d.Timeline[0]
		if d.Kind == KindClaim && !d.Closed {
			r := refOf(d, first, whyOpen)
			p.pack.Claims = append(p.pack.Claims, r)
			put(headPractice, r)
		}
		if d.Lead == LeadShort && p.in(first.Received) {
			put(headPractice, refOf(d, first, whyShort))
		}
		if head, ok := headOf[d.Kind]; ok && slices.ContainsFunc(d.Timeline, func(e Entry) bool { return p.in(e.Received) && e.Format >= firstOfMatters }) {
			put(head, refOf(d, first, whySaid))
		}
	}
	p.entries(func(d Dossier, e Entry) {
		if e.Format == "430" {
			put(headThresholds, refOf(d, e, whyRecommended))
		}
	})
	p.duties(func(d Dossier, x Duty) {
		if x.State == Open || x.State == Met || x.State == Stopped || x.Act == ActSeen {
			return
		}
		i := slices.IndexFunc(d.Timeline, func(e Entry) bool { return e.Message == x.Of })
		if i >= 0 {
			r := refOf(d, d.Timeline[i], Why(x.State))
			r.due = x.Due
			put(headPractice, r)
		}
	})
	p.nextMeeting(put)
	slices.SortFunc(p.pack.Claims, byRef)
	for _, head := range []string{headPractice, headSignals, headThresholds, headExchange, headExtension, headNext} {
		list := heads[head]
		slices.SortStableFunc(list, byRef)
		list = slices.CompactFunc(list, func(a, b PackRef) bool { return a.place == b.place && a.Why == b.Why })
		h := PackHead{Head: head, Count: len(list), Refs: []PackRef{}}
		h.Refs = append(h.Refs, list[:min(len(list), MaxPackRefs)]...)
		p.pack.Agenda = append(p.pack.Agenda, h)
	}
}

// nextMeeting puts the last agreed record, which names the next place and date,
// and the actions that no record has ended.
func (p *packing) nextMeeting(put func(string, PackRef)) {
	list, actions := p.l.Consultations(p.to)
	by := make(map[Place]Dossier)
	for _, d := range p.w.Dossiers {
		if d.Kind == KindConsultation {
			for _, e := range d.Timeline {
				by[e.Place] = d
			}
		}
	}
	ref := func(at Place, why Why) PackRef {
		d := by[at]
		i := slices.IndexFunc(d.Timeline, func(e Entry) bool { return e.Place == at })
		return refOf(d, d.Timeline[i], why)
	}
	var last AgreedRecord
	for _, c := range list {
		for _, a := range c.Agreed {
			if a.At.After(last.At) && len(a.Places) > 0 {
				last = a
			}
		}
	}
	if len(last.Places) > 0 {
		put(headNext, ref(last.Places[0], whyRecord))
	}
	for _, a := range actions {
		switch a.State {
		case ActionOpen:
			put(headNext, ref(a.Of, whyAction))
		case ActionOverdue:
			put(headNext, ref(a.Of, whyOverdue))
		case ActionCarried, ActionEnded: // the record that came later speaks of it, or of nothing
		}
	}
}

func refOf(d Dossier, e Entry, why Why) PackRef {
	return PackRef{
		Log: e.Place.Origin.String(), Index: e.Place.Index, ID: e.Message.String(), Kind: d.Kind, Stage: d.Stage, Why: why, Matter: d.ID.String(), place: e.Place,
	}
}

// byRef is the order of an agenda: what has no date, then what fell due first; then
// by place.
func byRef(a, b PackRef) int {
	return cmp.Or(a.due.Compare(b.due), byPlace(a.place, b.place), compare(a.Why, b.Why))
}
