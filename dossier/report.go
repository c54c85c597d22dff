package dossier

import (
	"detente/identity"
	"detente/message"
)

// KindReport is the kind of reports of third parties: matters of their own, in
// which no claim is made, with the answer of each state that they name.
const KindReport Kind = "report"

// The stages of a report. One that was put on record to be noted asks for
// nothing.
const (
	OnRecord       Stage = "on-record"
	ReportAnswered Stage = "report-answered"
)

var reportNext = map[Stage][]Stage{
	"":             {OnRecord},
	OnRecord:       {OnRecord, ReportAnswered},
	ReportAnswered: {OnRecord, ReportAnswered},
}

var reportTurns = map[Move]turn{
	"put": {to: OnRecord, by: "ask", quiet: []string{"note"}},
	"answer": {to: ReportAnswered, by: "position", codes: map[string]Stage{"examines": OnRecord},
		after: []Move{"put"}, who: other, partly: "examines"},
}

// NamedState is a state that a report names, and the last answer that was given for
// it. A state that answers elsewhere, or not at all, has none.
type NamedState struct {
	Of       message.ID // the report
	State    string     // ISO 3166 or M49
	Position string     // a code; empty: none was given
	By       message.ID // that gives it
	From     identity.Station
}

// named lists the states that reports name, and flags answers for others.
func (f *fold) named() []NamedState {
	if f.kind != KindReport {
		return nil
	}
	var list []NamedState
	index := make(map[message.ID]map[string]int)
	for _, it := range f.made {
		if stating(f.l.form(it).Move) {
			for _, s := range it.Facts.Lists["states"] {
				put2(index, it.ID, s, len(list))
				list = append(list, NamedState{Of: it.ID, State: s})
			}
			continue
		}
		n, ok := index[f.ledger.about[it.ID]][it.Facts.Words["state"]]
		if !ok {
			f.flag(it.ID, FlagNotNamed)
			continue
		}
		list[n].Position, list[n].By, list[n].From = it.Facts.Words["position"], it.ID, it.Origin.Writer
	}
	return list
}
