package dossier

// The kinds of what both sides agree on to be understood: editions of the signal
// book, and terms.
const (
	KindEdition  Kind = "edition"
	KindGlossary Kind = "glossary"
)

// The stages of an edition. Silence adopts nothing: the edition in use stays.
const (
	EditionProposed Stage = "edition-proposed"
	EditionAdopted  Stage = "edition-adopted"
	EditionReserved Stage = "edition-adopted-with-reservations"
	EditionDeclined Stage = "edition-declined"
)

// editionAll is where a proposal may come to from any stage.
var editionAll = []Stage{EditionProposed, EditionAdopted, EditionReserved, EditionDeclined}

var editionNext = map[Stage][]Stage{
	"":              {EditionProposed},
	EditionProposed: editionAll,
	EditionAdopted:  editionAll,
	EditionReserved: editionAll,
	EditionDeclined: editionAll,
}

var editionTurns = map[Move]turn{
	"propose": {to: EditionProposed},
	"answer": {to: EditionAdopted, by: "decision", codes: map[string]Stage{
		"reservations": EditionReserved, "declined": EditionDeclined, "examining": EditionProposed,
	}, after: []Move{"propose"}, who: other, partly: "examining"},
}

// The stages of a term. That it is understood differently opens a consultation,
// which only an entry ends: accepted, held open or withdrawn. A term that is held
// open binds nobody. Only the other side accepts what one side proposed.
const (
	TermProposed  Stage = "term-proposed"
	TermAgreed    Stage = "term-agreed"
	TermOpen      Stage = "term-held-open"
	TermWithdrawn Stage = "term-withdrawn"
	TermDiffers   Stage = "term-in-consultation"
)

// termAll is where a term may come to from any stage.
var termAll = []Stage{TermProposed, TermAgreed, TermOpen, TermWithdrawn, TermDiffers}

var glossaryNext = map[Stage][]Stage{
	"":            {TermProposed, TermOpen, TermDiffers},
	TermProposed:  termAll,
	TermAgreed:    termAll,
	TermOpen:      termAll,
	TermWithdrawn: termAll,
	TermDiffers:   {TermAgreed, TermOpen, TermWithdrawn, TermDiffers},
}

var glossaryTurns = map[Move]turn{
	"enter": {to: TermProposed, by: "step", codes: map[string]Stage{"accepted": TermAgreed, "held-open": TermOpen, "withdrawn": TermWithdrawn}, stays: true,
		needs: map[string]need{"accepted": {[]Move{"enter", "differ"}, other}, "withdrawn": {[]Move{"enter"}, same}},
		quiet: []string{"accepted", "held-open", "withdrawn"}},
	"differ": {to: TermDiffers},
}
