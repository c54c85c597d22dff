package watch

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// Contact is an entry of a directory: whom to turn to at a body in a role, how,
// and with which key. Its fields are the parameters of format 030, and the
// signal book says what each may hold.
type Contact struct {
	Owner     identity.Station // whose contact it is; nobody else may change it
	Entry     string           // the owner's name for it, used once for ever
	Role      string           // of the list contact_role
	Body      string
	Languages []book.Lang
	Always    bool     // round the clock
	Hours     []string // UTC, like Mo-Fr 06:00-18:00; none where Always
	Channels  []string // like tel:+99950100, best first
	Key       string   // identifier of its key
	Purpose   string   // of the key, of the list key_purpose; empty: not said
	From, To  time.Time
	Replaces  string // the entry whose place it takes; empty: none
	Remarks   string
}

// ID returns the entry's name, with its owner.
func (c Contact) ID() EntryID { return EntryID{c.Owner, c.Entry} }

// What a 030 does, and what a 031 is.
const (
	changeNew       = "new"
	changeChanged   = "changed"
	changeWithdrawn = "withdrawn"
	stepPing        = "ping"
)

type contactParams struct {
	Body      string   `json:"body"`
	Change    string   `json:"change"`
	Channels  []string `json:"channels"`
	Entry     string   `json:"entry"`
	Hours     []string `json:"hours,omitempty"`
	Key       string   `json:"key_id"`
	Purpose   string   `json:"key_purpose,omitempty"`
	Languages []string `json:"languages"`
	Remarks   string   `json:"remarks,omitempty"`
	Replaces  string   `json:"replaces,omitempty"`
	Role      string   `json:"role"`
	Always    string   `json:"round_the_clock"`
	From      string   `json:"valid_from"`
	To        string   `json:"valid_to"`
}

func (c Contact) params() contactParams {
	w := contactParams{
		Body: c.Body, Change: changeNew, Channels: c.Channels, Entry: c.Entry, Hours: c.Hours, Key: c.Key, Purpose: c.Purpose,
		Languages: texts(c.Languages), Remarks: c.Remarks, Replaces: c.Replaces, Role: c.Role, Always: "no", From: stamp(c.From), To: stamp(c.To),
	}
	if c.Replaces != "" {
		w.Change = changeChanged
	}
	if c.Always {
		w.Always = "yes"
	}
	return w
}

func (w contactParams) contact(owner identity.Station) (Contact, error) {
	var p stamps
	c := Contact{
		Owner: owner, Entry: w.Entry, Role: w.Role, Body: w.Body, Languages: langsOf(w.Languages), Always: w.Always == "yes", Hours: w.Hours,
		Channels: w.Channels, Key: w.Key, Purpose: w.Purpose, From: p.read("valid_from", w.From), To: p.read("valid_to", w.To),
		Replaces: w.Replaces, Remarks: w.Remarks,
	}
	return c, p.err
}

// Params returns the parameters of the message of format 030 that puts the
// contact into the directory: as new, or in place of the one that it replaces.
func (c Contact) Params() map[string]jsontext.Value { return paramsOf(c.params()) }

// WithdrawParams returns the parameters of the message of format 030 that
// withdraws the contact.
func (c Contact) WithdrawParams() map[string]jsontext.Value {
	w := c.params()
	w.Change = changeWithdrawn
	return paramsOf(w)
}

func paramsOf(v any) map[string]jsontext.Value {
	var out map[string]jsontext.Value
	if err := json.Unmarshal(canonical(v), &out); err != nil {
		panic("internal error: " + err.Error()) // what canonical wrote
	}
	return out
}

// readParams reads a body's parameters into the fields of v.
func readParams(b message.Body, v any) error {
	text, err := json.Marshal(b.Params, json.Deterministic(true))
	if err != nil {
		return fault("params", "they are no JSON: "+clip(err.Error()), "see `detente book show "+string(b.Format)+"`")
	}
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		return fault("params", "they are not those of the format: "+clip(err.Error()), "see `detente book show "+string(b.Format)+"`")
	}
	return nil
}

// ContactOf reads the contact of a message of format 030, and what it does:
// new, changed or withdrawn. The owner is who sends it. The message must have
// passed the signal book's Check; what is read from one that did not is refused
// or as it stands there.
func ContactOf(b message.Body) (c Contact, change string, err error) {
	if b.Format != formatContact {
		return c, "", fault("format", string(b.Format)+" tells of no contact", "give a message of format 030")
	}
	var w contactParams
	if err := readParams(b, &w); err != nil {
		return c, "", err
	}
	if w.Change != changeNew && w.Change != changeChanged && w.Change != changeWithdrawn {
		return c, "", fault("change", fmt.Sprintf("%q is none", clip(w.Change)), "use new, changed or withdrawn")
	}
	c, err = w.contact(b.From)
	return c, w.Change, err
}

type pingParams struct {
	At      string `json:"at,omitempty"`
	Entry   string `json:"entry,omitempty"`
	Reached string `json:"reached,omitempty"`
	Remarks string `json:"remarks,omitempty"`
	Role    string `json:"role"`
	Version string `json:"roster_version"`
	Step    string `json:"step"`
}

type pinged struct {
	step, role, entry string
	reached           bool
}

func pingOf(b message.Body) (pinged, error) {
	var w pingParams
	if err := readParams(b, &w); err != nil {
		return pinged{}, err
	}
	if w.Step != stepPing && w.Step != "answer" {
		return pinged{}, fault("step", fmt.Sprintf("%q is none", clip(w.Step)), "use ping or answer")
	}
	return pinged{w.Step, w.Role, w.Entry, w.Reached == "yes"}, nil
}

// Check returns what is wrong with a contact, as the signal book finds it.
func (c Contact) Check(e *book.Edition) error {
	if _, err := identity.ParseStation(string(c.Owner)); err != nil {
		return err
	}
	if !whole(c.From) || !whole(c.To) {
		return fault("valid_from", "a contact is valid from one second to another, from 1970 to 9999", "give both times")
	}
	if why := checkText(c.Body, 120); why != "" {
		return fault("body", why, "write it in one line")
	}
	if why := checkText(c.Remarks, 1000); why != "" && c.Remarks != "" {
		return fault("remarks", why, "write them in one line")
	}
	return e.Check(message.Body{Format: formatContact, Params: c.Params()})
}

const contactsKind = "detente/contacts/v1"

type contactJSON struct {
	Contact contactParams `json:"contact"`
	Owner   string        `json:"owner"`
}

type contactsJSON struct {
	Contacts []contactJSON `json:"contacts"`
	Kind     string        `json:"kind"`
}

// ExportContacts returns contacts as canonical JSON, to be read by
// ParseContacts.
func ExportContacts(all []Contact) []byte {
	w := contactsJSON{Kind: contactsKind, Contacts: []contactJSON{}}
	for _, c := range all {
		w.Contacts = append(w.Contacts, contactJSON{c.params(), string(c.Owner)})
	}
	return canonical(w)
}

// ParseContacts reads what ExportContacts wrote. It refuses what is not
// canonical, not known, beyond the limits, wrong by the signal book, or
// doubled: an entry that stands twice, and a key of two contacts.
func ParseContacts(e *book.Edition, text []byte) ([]Contact, error) {
	var w contactsJSON
	if err := decode("contacts", text, &w); err != nil {
		return nil, err
	}
	if w.Kind != contactsKind {
		return nil, fault("kind", fmt.Sprintf("%q is no list of contacts that is known here", clip(w.Kind)), "a newer program may have written it")
	}
	var all []Contact
	for i, j := range w.Contacts {
		c, err := j.Contact.contact(identity.Station(j.Owner))
		if err != nil {
			return nil, fmt.Errorf("contacts[%d]: %w", i, err)
		}
		if c.params().Change != j.Contact.Change {
			return nil, fault(fmt.Sprintf("contacts[%d]", i), "it says it is "+clip(j.Contact.Change)+", which does not fit the rest", "write new, or changed where it replaces another")
		}
		all = append(all, c)
	}
	if err := checkContacts(e, all); err != nil {
		return nil, err
	}
	return all, oneForm("contacts", ExportContacts(all), text)
}

// checkContacts checks a list of contacts, each alone and all together.
func checkContacts(e *book.Edition, all []Contact) error {
	if len(all) > MaxContacts {
		return fault("contacts", fmt.Sprintf("%d are more than %d", len(all), MaxContacts), "give them in several files")
	}
	var f faults
	ids, keys := map[EntryID]bool{}, map[string]string{}
	for i, c := range all {
		entry := fmt.Sprintf("contacts[%d] %s", i, clip(c.Entry))
		if err := c.Check(e); err != nil {
			f.add(entry, err.Error(), "see `detente book show 030`")
			continue
		}
		if ids[c.ID()] {
			f.add(entry, "it stands twice", "keep one of the two")
		}
		ids[c.ID()] = true
		if other, ok := keys[c.Key]; ok && c.Replaces != other {
			f.add(entry, "its key "+clip(c.Key)+" is that of "+clip(other), "ask the owner which of the two has it; each contact has its own")
		}
		keys[c.Key] = c.Entry
	}
	return f.err()
}

// Contacts returns the live contacts of a directory, as they would be exported.
func (d Directory) Contacts() []Contact {
	var out []Contact
	for _, l := range d.Listings {
		if l.Live() {
			c := l.Contact
			c.Languages, c.Hours, c.Channels = slices.Clone(c.Languages), slices.Clone(c.Hours), slices.Clone(c.Channels)
			out = append(out, c)
		}
	}
	return out
}
