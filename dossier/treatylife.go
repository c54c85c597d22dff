package dossier

import "detente/book"

// What happens to an agreement that stands: articles are suspended and resumed,
// it is denounced or not renewed, a further party joins. And what a state
// declares by itself. In each the line goes on.

// The stages of a suspension of articles.
const (
	SuspensionAnnounced Stage = "suspension-announced"
	Suspended           Stage = "suspended"
	ResumptionAnnounced Stage = "resumption-announced"
	PartlyResumed       Stage = "partly-resumed"
	Resumed             Stage = "resumed"
)

var suspensionMachine = machine{
	next: map[Stage][]Stage{
		"":                  {SuspensionAnnounced},
		SuspensionAnnounced: {SuspensionAnnounced, Suspended, ResumptionAnnounced, PartlyResumed, Resumed},
		Suspended:           {SuspensionAnnounced, ResumptionAnnounced, PartlyResumed, Resumed},
		PartlyResumed:       {SuspensionAnnounced, ResumptionAnnounced, PartlyResumed, Resumed},
		ResumptionAnnounced: {SuspensionAnnounced, Resumed},
		Resumed:             {SuspensionAnnounced},
	},
	turns: map[Move]turn{
		"suspend": {to: SuspensionAnnounced},
		"resume":  {to: ResumptionAnnounced, by: "extent", codes: map[string]Stage{"part": PartlyResumed}, after: []Move{"suspend"}, who: same},
	},
	rest: []Stage{SuspensionAnnounced, Suspended, PartlyResumed, ResumptionAnnounced, Resumed, Withdrawn},
	plan: func(f *fold, it Item) []pass {
		switch f.course.stage {
		case SuspensionAnnounced:
			plan := []pass{{notBefore(it, "from"), Suspended}}
			if until, ok := it.Facts.Times["until"]; ok {
				plan = append(plan, pass{later(plan[0].at, until), Resumed})
			}
			return plan
		case ResumptionAnnounced:
			return []pass{{notBefore(it, "from"), Resumed}}
		}
		return f.passes
	},
}

// The stages of a denunciation, or of the end of an agreement after its term.
const (
	Denounced             Stage = "denounced"
	NotRenewed            Stage = "not-renewed"
	DenunciationWithdrawn Stage = "denunciation-withdrawn"
	AgreementEnded        Stage = "agreement-ended"
)

var denunciationMachine = machine{
	next: map[Stage][]Stage{
		"":                    {Denounced, NotRenewed},
		Denounced:             {Denounced, NotRenewed, DenunciationWithdrawn, AgreementEnded},
		NotRenewed:            {Denounced, NotRenewed, AgreementEnded},
		DenunciationWithdrawn: {Denounced, NotRenewed},
		AgreementEnded:        {},
	},
	turns: map[Move]turn{
		"denounce": {to: Denounced},
		"settle": {
			by: "effect", codes: map[string]Stage{"withdrawn": DenunciationWithdrawn, "not-renewed": NotRenewed},
			needs: map[string]need{"withdrawn": {[]Move{"denounce"}, same}},
		},
	},
	rest: []Stage{Denounced, NotRenewed, DenunciationWithdrawn, AgreementEnded, Withdrawn},
	plan: planDenunciation,
}

// denunciationMonths is how long an agreement holds after it was denounced.
const denunciationMonths = 6

// planDenunciation says when an agreement ends: for each side's notice that was
// not withdrawn six calendar months after its receipt, or later where it says
// so. Of two the earlier counts.
func planDenunciation(f *fold, _ Item) []pass {
	var plan []pass
	for i, it := range f.made {
		withdrawn := false
		for _, next := range f.made[i+1:] {
			withdrawn = withdrawn || next.Origin.Writer == it.Origin.Writer && next.Facts.Words["effect"] == "withdrawn"
		}
		switch {
		case f.l.form(it).Move == "denounce" && !withdrawn:
			if f.course.stage == DenunciationWithdrawn {
				plan = append(plan, pass{f.made[len(f.made)-1].Received, Denounced}) // the other side's stands
			}
			plan = append(plan, pass{later(it.Facts.Times["ends"], book.AddMonths(it.Received, denunciationMonths)), AgreementEnded})
		case it.Facts.Words["effect"] == "not-renewed":
			if f.course.stage == DenunciationWithdrawn {
				plan = append(plan, pass{f.made[len(f.made)-1].Received, NotRenewed})
			}
			plan = append(plan, pass{notBefore(it, "ends"), AgreementEnded})
		}
	}
	return plan
}

// The stages of an accession.
const (
	AccessionProposed  Stage = "accession-proposed"
	AccessionConsented Stage = "accession-consented"
	AccessionDeclined  Stage = "accession-declined"
)

var accessionMachine = machine{
	next: map[Stage][]Stage{
		"":                 {AccessionProposed},
		AccessionProposed:  {AccessionProposed, AccessionConsented, AccessionDeclined, TextsDiffer},
		AccessionDeclined:  {AccessionProposed, AccessionConsented, TextsDiffer},
		TextsDiffer:        {AccessionProposed, AccessionConsented, AccessionDeclined, TextsDiffer},
		AccessionConsented: {},
	},
	turns: map[Move]turn{
		"accede": {
			by: "step", codes: map[string]Stage{"propose": AccessionProposed, "consent": AccessionConsented, "decline": AccessionDeclined}, stays: true,
			quiet: []string{"consent", "decline"},
			joint: joint{same: []string{"station", "card", "capacity"}, binds: []string{"consent"}, against: []string{"propose"}, apart: TextsDiffer, answering: []string{"consent", "decline"}},
		},
	},
	rest: []Stage{AccessionConsented, AccessionDeclined, TextsDiffer, Withdrawn},
}

// The stages of a unilateral declaration.
const (
	DeclarationMade   Stage = "declaration-made"
	DeclarationHolds  Stage = "declaration-holds"
	DeclarationEnding Stage = "declaration-ending"
	DeclarationEnded  Stage = "declaration-ended"
)

var declarationMachine = machine{
	next: map[Stage][]Stage{
		"":                {DeclarationMade},
		DeclarationMade:   {DeclarationMade, DeclarationHolds, DeclarationEnding},
		DeclarationHolds:  {DeclarationMade, DeclarationEnding},
		DeclarationEnding: {DeclarationMade, DeclarationEnded},
		DeclarationEnded:  {DeclarationMade},
	},
	turns: map[Move]turn{
		"declare": {
			by: "step", codes: map[string]Stage{"declare": DeclarationMade, "restate": DeclarationMade, "withdraw": DeclarationEnding},
			needs: map[string]need{"restate": {[]Move{"declare"}, same}, "withdraw": {[]Move{"declare"}, same}},
		},
	},
	rest: []Stage{DeclarationMade, DeclarationHolds, DeclarationEnding, DeclarationEnded, Withdrawn},
	plan: func(f *fold, it Item) []pass {
		to := DeclarationHolds
		if f.course.stage == DeclarationEnding {
			to = DeclarationEnded
		}
		return []pass{{notBefore(it, "from"), to}}
	},
}
