package dossier

import "slices"

// The stages of what stations do for the line itself. Each act begins a matter
// of its own; what a service message refers to may have come to any stage, so
// that each may also follow there.
const (
	Noted         Stage = "noted" // opening, refusal, blob receipt, file key, release policy, desk
	Tested        Stage = "tested"
	ReadBack      Stage = "read-back"
	Challenged    Stage = "challenged"
	Authenticated Stage = "authenticated"
	OutagePlanned Stage = "outage-planned"
	Outage        Stage = "outage"
	OutageOver    Stage = "outage-over"
	InService     Stage = "in-service"
	OnHold        Stage = "on-hold"
	KeyAnnounced  Stage = "key-announced"
	Compromised   Stage = "compromised"
	StateTold     Stage = "state-told"    // one side's digest of the state
	StateAgreed   Stage = "state-agreed"  // both have the same
	StateDiffers  Stage = "state-differs" // they do not
	Discrepancy   Stage = "discrepancy"
)

// serviceFirst are the stages that a service message may begin with.
var serviceFirst = []Stage{Noted, Tested, Challenged, OutagePlanned, Outage, OutageOver, InService, OnHold, KeyAnnounced, Compromised, StateTold, Discrepancy}

var serviceNext = map[Stage][]Stage{
	"":            serviceFirst,
	Noted:         serviceFirst,
	Tested:        slices.Concat([]Stage{ReadBack}, serviceFirst),
	ReadBack:      serviceFirst,
	Challenged:    slices.Concat([]Stage{Authenticated}, serviceFirst),
	Authenticated: serviceFirst,
	OutagePlanned: serviceFirst,
	Outage:        serviceFirst,
	OutageOver:    serviceFirst,
	InService:     serviceFirst,
	OnHold:        serviceFirst,
	KeyAnnounced:  serviceFirst,
	Compromised:   serviceFirst,
	StateTold:     slices.Concat([]Stage{StateAgreed, StateDiffers}, serviceFirst),
	StateAgreed:   slices.Concat([]Stage{StateAgreed, StateDiffers}, serviceFirst),
	StateDiffers:  slices.Concat([]Stage{StateAgreed, StateDiffers}, serviceFirst),
	Discrepancy:   serviceFirst,
}

var serviceTurns = map[Move]turn{
	"open": {to: Noted}, "refuse": {to: Noted}, "receive": {to: Noted}, "disclose": {to: Noted}, "policy": {to: Noted}, "desk": {to: Noted},
	"test":              {to: Tested},
	"read-back":         {to: ReadBack, stays: true, after: []Move{"test"}, who: other},
	"challenge":         {to: Challenged},
	"authenticate":      {to: Authenticated, stays: true, after: []Move{"challenge"}, who: other},
	"plan-outage":       {to: OutagePlanned},
	"report-outage":     {to: Outage, given: "restored", then: OutageOver},
	"line-state":        {to: InService, by: "state", codes: map[string]Stage{"held": OnHold}},
	"change-key":        {to: KeyAnnounced},
	"report-compromise": {to: Compromised},

	"state-digest":       {to: StateTold, stays: true, joint: joint{on: []string{"at"}, same: []string{"digest", "owed_digest"}, both: StateAgreed, apart: StateDiffers}},
	"report-discrepancy": {to: Discrepancy},
}
