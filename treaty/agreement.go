package treaty

import (
	"detente/book"
	"detente/message"
)

// Agreement is an instrument's text and duties as data. ParseAgreement makes it;
// its zero value is none.
type Agreement struct {
	ID        string      `json:"agreement"` // its name, such as model-incidents
	Status    string      `json:"status"`    // draft, checked or agreed
	Title     book.Text   `json:"title"`
	Languages []book.Lang `json:"languages"` // all equally authentic
	Entry     EntryRule   `json:"entry"`     // what puts it in force
	Term      Term        `json:"term"`
	Articles  []Article   `json:"articles"`
}

// Term says how long an agreement lives. Months and years are of the calendar.
type Term struct {
	Period  Period `json:"period"`           // from entry into force
	Renewal Period `json:"renewal,omitzero"` // by itself, again and again; zero: it ends
	Notice  Period `json:"notice"`           // from receipt of a denunciation to the end
}

// Article is one article: what it says in each language, and what it makes
// somebody owe.
type Article struct {
	ID          string                 `json:"article"` // A1, A2 …
	Title       book.Text              `json:"title"`
	Text        map[book.Lang][]string `json:"text"` // by paragraph; each language has as many
	Suspendable bool                   `json:"suspendable"`
	Duties      []Duty                 `json:"duties,omitempty"` // none: it owes nothing that a message discharges
	Source      string                 `json:"source,omitempty"` // what it is modelled on
}

// Who says whom a duty binds, seen from what triggers it.
type Who string

// Whom a duty may bind.
const (
	Author Who = "author" // who sent the message that triggers it
	Reader Who = "reader" // the other side of who sent it
	Each   Who = "each"   // each of the two sides, by itself
	Either Who = "either" // both together: it is met by whichever acts
)

// Duty is what an article obliges to.
type Duty struct {
	ID       string            `json:"duty"` // A12.1 …
	By       Who               `json:"by"`
	On       Trigger           `json:"on"`
	Act      Act               `json:"act"`
	From     string            `json:"from,omitempty"`      // the time, or window whose end, in this parameter of the trigger starts the clock; empty: its receipt
	Within   Period            `json:"within,omitzero"`     // zero: by precedence, or none
	WithinOf map[string]Period `json:"within_of,omitempty"` // by precedence, instead of Within
	Lead     *Lead             `json:"lead,omitempty"`      // how long ahead the trigger has to be received
	Extends  bool              `json:"extends,omitempty"`   // an interim answer (202) moves it once
	Tighten  []Tighten         `json:"tighten,omitempty"`   // in election windows
	Miss     Miss              `json:"miss"`
}

// Trigger is what makes a duty arise: exactly one of Formats, Any, Event, Every and
// After is given.
type Trigger struct {
	Formats []message.Format `json:"formats,omitempty"` // a message of one of these
	Any     bool             `json:"any,omitempty"`     // a message of any format but Except
	Except  []message.Format `json:"except,omitempty"`
	Event   Occasion         `json:"event,omitempty"`
	Every   Period           `json:"every,omitzero"`  // each such period from entry into force
	After   string           `json:"after,omitempty"` // that duty was met, counted from the receipt that met it
	Where   string           `json:"where,omitempty"` // a condition over the message; empty: always
}

// Occasion is an occasion without a message.
type Occasion string

// The occasions.
const (
	OnEntry  Occasion = "entry"  // into force
	OnAlways Occasion = "always" // as long as the agreement is in force
)

// Act is what discharges a duty: one of Formats, Self, OrReply or Abstain at least.
type Act struct {
	Formats []message.Format `json:"formats,omitempty"`  // a message of one of these by who owes it, that refers to the trigger
	Where   string           `json:"where,omitempty"`    // a condition over that message; empty: any will do
	OrReply bool             `json:"or_reply,omitempty"` // or any message by who owes it that refers to the trigger
	Self    bool             `json:"self,omitempty"`     // the trigger itself, if it was received in time
	Free    bool             `json:"free,omitempty"`     // it need not refer to the trigger
	Count   int              `json:"count,omitzero"`     // so many of them; zero: one
	Abstain bool             `json:"abstain,omitempty"`  // nothing is to be sent: the duty is to leave something alone
}

// Lead is how long before what it announces a message has to be received. Less is
// short notice: a flag; the message stands.
type Lead struct {
	Param string `json:"param"` // the time, or the window whose start is meant
	Least Period `json:"least"`
	Usual Period `json:"usual,omitzero"` // as a rule; zero: the least
}

// Phase says where a second lies as to election windows.
type Phase string

// The phases, the strictest last.
const (
	PhaseNone Phase = "none"
	PhaseOpen Phase = "open" // in a window
	PhaseCore Phase = "core" // in its core
)

// Tighten is how a window changes a duty whose clock starts in it.
type Tighten struct {
	In     Phase  `json:"in"`
	Within Period `json:"within,omitzero"`
	Halve  bool   `json:"halve,omitempty"` // half the time that it would have
	Raise  string `json:"raise,omitempty"` // the least precedence at which the act is to be sent
	Where  string `json:"where,omitempty"` // a condition over the trigger; empty: always
}

// Miss is what follows when a duty is missed: a flag, and the formats by which the
// other side may go on. There is no third, by design: nothing acts by itself.
type Miss struct {
	Flag Flag             `json:"flag"`
	Next []message.Format `json:"next,omitempty"`
}

// Flag is what a duty that was not met in time is shown with, a code.
type Flag string

// The flags.
const (
	FlagNone    Flag = "none"         // nothing is shown
	FlagMissing Flag = "missing"      // it is shown as late or missed
	FlagShort   Flag = "short-notice" // it was received too shortly before
	FlagBreach  Flag = "claimable"    // the other side may put a claim
)

// EntryRule is what puts an instrument in force, a code of the signal book.
type EntryRule string

// The rules of entry into force.
const (
	EntryOnReceipt    EntryRule = "on-receipt"    // receipt of the second note or signature
	EntryOnDate       EntryRule = "on-date"       // the date named, no earlier than that receipt
	EntryOnCompletion EntryRule = "on-completion" // receipt of the second notice that internal procedures are complete
	EntryByDepositary EntryRule = "by-depositary" // an entry of the depositary's log
)

// Article returns an article by its id; false where there is none.
func (a *Agreement) Article(id string) (Article, bool) {
	for _, art := range a.Articles {
		if art.ID == id {
			return art, true
		}
	}
	return Article{}, false
}
