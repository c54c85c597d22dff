package dossier

// The stages of an election's period of care. Time alone leads through most of
// them: it opens, its core begins and ends, and it is over.
const (
	WindowDeclared Stage = "window-declared"
	WindowOpen     Stage = "window-open"
	WindowCore     Stage = "window-core"
	WindowOver     Stage = "window-over"
	VoteReported   Stage = "vote-reported"
	YearReported   Stage = "year-reported"
)

var electionMachine = machine{
	next: map[Stage][]Stage{
		"":             {WindowDeclared, VoteReported, YearReported},
		WindowDeclared: {WindowDeclared, Changed, WindowOpen, WindowCore, WindowOver, Cancelled},
		Changed:        {Changed, WindowOpen, WindowCore, WindowOver, Cancelled},
		WindowOpen:     {Changed, WindowCore, WindowOver, Cancelled},
		WindowCore:     {Changed, WindowOpen, WindowOver, Cancelled},
		WindowOver:     {Changed, WindowOpen, WindowCore, VoteReported},
		VoteReported:   {Changed, VoteReported},
		YearReported:   {WindowDeclared, VoteReported, YearReported},
		Cancelled:      {Changed, WindowDeclared, VoteReported},
	},
	turns: map[Move]turn{
		"declare": {to: WindowDeclared, stays: true},
		"change-window": {
			to: Changed, by: "change", codes: map[string]Stage{"cancel": Cancelled, "certified": WindowOver}, stays: true,
			after: []Move{"declare"}, who: same,
		},
		"report": {to: VoteReported, by: "scope", codes: map[string]Stage{"year": YearReported}, stays: true},
	},
	rest: []Stage{WindowOver, VoteReported, YearReported, Cancelled, Withdrawn},
	ends: []Stage{Cancelled},
	plan: planElection,
}

// planElection says when a period of care opens, when its core begins and ends,
// and when it is over, and notes the whole period. A run-off or repetition adds
// its own to what is still to come.
func planElection(f *fold, it Item) []pass {
	change := it.Facts.Words["change"]
	w, given := it.Facts.Windows["window"]
	switch f.l.form(it).Move {
	case "declare":
	case "change-window":
		if change == "cancel" || change == "certified" {
			if it.Received.Before(f.d.Window.To) && !it.Received.Before(f.d.Window.From) {
				f.d.Window.To = it.Received
			}
			return nil
		}
	default:
		return f.passes
	}
	if !given {
		return f.passes
	}
	plan := windowPasses(w, it.Facts.Windows["core"])
	if change == "run-off" || change == "repeat" {
		for _, p := range f.passes {
			if p.to != WindowOver || p.at.Before(w.From) {
				plan = append(plan, p)
			}
		}
		w = Window{earliest(f.d.Window.From, w.From), later(f.d.Window.To, w.To)}
	}
	f.d.Window = w
	return since(plan, it)
}

// windowPasses are the passes of one period of care.
func windowPasses(w, core Window) []pass {
	plan := []pass{{w.From, WindowOpen}}
	if core.ok() && w.overlaps(core) {
		plan = append(plan, pass{core.From, WindowCore})
		if core.To.Before(w.To) {
			plan = append(plan, pass{core.To, WindowOpen})
		}
	}
	return append(plan, pass{w.To, WindowOver})
}
