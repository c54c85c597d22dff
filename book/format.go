package book

import (
	"slices"
	"time"

	"detente/message"
)

// Type is the type of a parameter.
type Type string

// The types of parameters.
const (
	TypeCode     Type = "code"     // of a list
	TypeTime     Type = "utc"      // RFC 3339, whole seconds, Z
	TypeWindow   Type = "window"   // {from, to, zone}
	TypeDuration Type = "duration" // PTnS
	TypeCount    Type = "count"    // whole number from 0, or from the parameter's least
	TypeHash     Type = "hash"     // SHA-256 in hexadecimal
	TypeHex      Type = "hex"      // bytes in hexadecimal, as many digits as the parameter bounds
	TypeBlob     Type = "blob"     // {hash, size, type}
	TypeText     Type = "text"     // free, tagged with the body's language
	TypeID       Type = "id"       // a name that a machine gave: ASCII without spaces
	TypeStation  Type = "station"
	TypeLine     Type = "line"    // as identity.Line writes it
	TypeCite     Type = "cite"    // an entry of a log, like ARD/BOR-N1-417
	TypeAsset    Type = "asset"   // domain:, prefix:, asn:, product:, hash:, agent:
	TypeGeo      Type = "geo"     // ISO 3166 country or subdivision, or M49 area
	TypeChannel  Type = "channel" // tel:, sms:, fax:, email:, sip:, radio:, station:
	TypeHours    Type = "hours"   // days and hours in UTC, like Mo-Fr 06:00-18:00
	TypeItem     Type = "item"    // {item, code}: what the code of the list says of the item
	TypeRule     Type = "rule"    // of a release policy
	TypeRecord   Type = "record"  // an object of the parameter's fields, each one value
)

// Param is a parameter of a format.
type Param struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	List     string `json:"list,omitempty"` // of a code, or of an item's code
	Many     bool   `json:"many,omitempty"` // a list of values
	Min      int    `json:"min,omitempty"`  // the least count, or digits of a hex
	Max      int    `json:"max,omitempty"`  // characters of a text, id or hex, values of any other list, or the largest count
	Optional bool   `json:"optional,omitempty"`
	Label    Text   `json:"label"`

	Fields []Param `json:"fields,omitempty"` // of a record, in the order in which they are shown
	Checks []Rule  `json:"checks,omitempty"` // of a record: between its fields
}

// IsBlob reports whether the parameter names blobs.
func (p Param) IsBlob() bool { return p.Type == TypeBlob }

// bounded reports whether Max bounds each value, so that a list of them has the
// general bound.
func (p Param) bounded() bool {
	return p.Type == TypeText || p.Type == TypeID || p.Type == TypeHex || p.Type == TypeCount
}

// most returns how many values a list of the parameter may have.
func (p Param) most() int {
	if p.Max > 0 && !p.bounded() {
		return p.Max
	}
	return maxMany
}

// Kind is a kind of dossier.
type Kind string

// The kinds of dossiers that the formats of an edition belong to.
const (
	KindAny          Kind = "any" // the dossier of the message that it refers to
	KindService      Kind = "service"
	KindNotice       Kind = "notice"
	KindIncident     Kind = "incident"
	KindStop         Kind = "stop"
	KindTechnical    Kind = "technical"
	KindContact      Kind = "contact"
	KindConsultation Kind = "consultation"

	KindAssistance    Kind = "assistance"
	KindVulnerability Kind = "vulnerability"
	KindClaim         Kind = "claim"
	KindReport        Kind = "report" // of a third party
	KindDisclosure    Kind = "disclosure"
	KindPublication   Kind = "publication"
	KindEdition       Kind = "edition"
	KindGlossary      Kind = "glossary"
	KindStatement     Kind = "statement"

	KindGuarantee    Kind = "guarantee"
	KindElection     Kind = "election"
	KindMeasure      Kind = "measure"
	KindExercise     Kind = "exercise"
	KindInstrument   Kind = "instrument"   // a text from its first draft to its entry into force, amendments as well
	KindSuspension   Kind = "suspension"   // of articles, and its end
	KindDenunciation Kind = "denunciation" // of an agreement, or notice that it is not renewed
	KindAccession    Kind = "accession"    // of a further party or observer
	KindDeclaration  Kind = "declaration"  // unilateral
)

var kinds = []Kind{
	KindAny, KindService, KindNotice, KindIncident, KindStop, KindTechnical, KindContact, KindConsultation,
	KindAssistance, KindVulnerability, KindClaim, KindReport, KindDisclosure, KindPublication, KindEdition, KindGlossary, KindStatement,
	KindGuarantee, KindElection, KindMeasure, KindExercise, KindInstrument, KindSuspension, KindDenunciation, KindAccession, KindDeclaration,
}

// Move is what a format does in its dossier: a short verb, the only one of its
// kind of dossier.
type Move string

// AnyFormat stands in Refers where a message may refer to one of any format.
const AnyFormat message.Format = "any"

// Format is the form that a message follows.
type Format struct {
	Number     message.Format    `json:"number"`
	Name       Text              `json:"name"`
	Purpose    Text              `json:"purpose"`          // what is said by sending it, one sentence in the first person
	Act        string            `json:"act"`              // of the list act: exactly one of inform, inquire, request, warn, claim, propose
	ActBy      string            `json:"act_by,omitempty"` // the code that decides where Acts names its value
	Acts       map[string]string `json:"acts,omitempty"`   // by that code: the act instead of Act
	Dossier    Kind              `json:"dossier"`          // the kind of dossier that it belongs to
	Transition Move              `json:"transition"`       // what it does there
	Service    bool              `json:"service,omitempty"`
	Receipt    bool              `json:"receipt,omitempty"` // it is itself a receipt, and no person has to acknowledge it

	Precedence string `json:"precedence"`       // the usual one
	AsRef      bool   `json:"as_ref,omitempty"` // that of the message referred to is usual, where there is one

	SeenSeconds  int64            `json:"seen_seconds,omitzero"`  // within which the watch sees it; absent: by precedence
	ReplySeconds int64            `json:"reply_seconds,omitzero"` // within which a reply is due; absent: by precedence, if a format answers it
	ReplyBy      *ReplyBy         `json:"reply_by,omitempty"`     // by a code of its own: another time within which a reply is due
	HalfTime     bool             `json:"half_time,omitempty"`    // a reply is due in half the time of its precedence
	Replies      []message.Format `json:"replies,omitempty"`      // that answer it; absent: none is due
	Refers       []message.Format `json:"refers,omitempty"`       // to one of which it must refer; absent: it need not refer

	Lead          *Lead      `json:"lead,omitempty"`
	LapsesSeconds int64      `json:"lapses_seconds,omitzero"` // after the end of its window it has no effect any more; absent: never by itself
	Followups     []Followup `json:"followups,omitempty"`     // that its author owes later

	Params   []Param           `json:"params"`
	Checks   []Rule            `json:"checks,omitempty"` // between parameters
	Examples []message.Example `json:"examples"`         // at least two, worked

	table clockTable // of the edition
}

// Usual returns the format's usual precedence.
func (f Format) Usual() message.Precedence {
	p, err := message.ParsePrecedence(f.Precedence)
	if err != nil {
		return message.Routine
	}
	return p
}

// ReplyWithin returns the time of the format's own within which a reply is due;
// zero where it has none of its own. Clocks also says what is due by precedence.
func (f Format) ReplyWithin() time.Duration { return seconds(f.ReplySeconds) }

// ActOf returns what a message of the format does, one code of the list act.
func (f Format) ActOf(b message.Body) string {
	if act, ok := f.Acts[oneCode(b.Params[f.ActBy])]; ok {
		return act
	}
	return f.Act
}

// Mirrored reports whether the other side answers the format with one of the
// same number. Such a message that refers to one of the other side's answers it
// and owes no answer itself.
func (f Format) Mirrored() bool { return slices.Contains(f.Replies, f.Number) }

// param returns a parameter by name.
func (f Format) param(name string) (Param, bool) {
	i := slices.IndexFunc(f.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return f.Params[i], true
}
