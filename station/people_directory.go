package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

const settingContacts = "watch/contacts"

// ContactView is a contact with what is known of it.
type ContactView struct {
	watch.Listing
	Peer      identity.Station // with whom the record speaks of it; empty: it was imported
	Freshness watch.Freshness
	Since     time.Time // of the freshness; zero: not known
}

// DirectoryView is the directory of contacts.
type DirectoryView struct {
	Contacts []ContactView // by owner, entry and peer
	Refusals []watch.Refusal
}

// Contacts returns the directory: own contacts and those of counterparts, as the
// records of all lines show them, and those that were imported and that no
// record speaks of.
func (s *Station) Contacts(ctx context.Context, actor Actor, now time.Time) (DirectoryView, error) {
	if err := actor.must("see the contacts", RoleWatch, RoleRead, RoleOperator); err != nil {
		return DirectoryView{}, s.refused(ctx, now, actor, "contact list", "", err)
	}
	var v DirectoryView
	err := s.store.View(ctx, func(tx Tx) (err error) {
		v, err = s.directory(tx, now)
		return err
	})
	if err == nil {
		err = s.noted(ctx, now, actor, "contact list", "", fmt.Sprintf("%d contacts", len(v.Contacts)))
	}
	return v, err
}

// noted writes that something was looked at into the audit trail.
func (s *Station) noted(ctx context.Context, now time.Time, actor Actor, act, object, detail string) error {
	return s.update(ctx, now, func(tx Tx) error { return s.audit(tx, now, actor, act, object, "done", detail) })
}

// directory folds the directory of each counterpart. tx has to be of a View.
func (s *Station) directory(tx Tx, now time.Time) (DirectoryView, error) {
	var v DirectoryView
	peers, _, _, err := s.openLines(tx)
	if err != nil {
		return v, err
	}
	known := make(map[watch.EntryID]bool)
	for _, p := range peers {
		said, err := s.saidWith(tx, p, now)
		if err != nil {
			return v, err
		}
		d := watch.FoldDirectory(said)
		v.Refusals = append(v.Refusals, d.Refusals...)
		for _, l := range d.Listings {
			known[l.ID()] = true
			v.Contacts = append(v.Contacts, viewOf(l, p, now))
		}
	}
	imported, at, err := s.imported(tx)
	if err != nil {
		return v, err
	}
	for _, c := range imported {
		if !known[c.ID()] {
			v.Contacts = append(v.Contacts, viewOf(watch.Listing{Contact: c, Said: at}, "", now))
		}
	}
	slices.SortStableFunc(v.Contacts, func(a, b ContactView) int {
		return strings.Compare(string(a.Owner)+"\x00"+a.Entry+"\x00"+string(a.Peer), string(b.Owner)+"\x00"+b.Entry+"\x00"+string(b.Peer))
	})
	return v, nil
}

func viewOf(l watch.Listing, peer identity.Station, now time.Time) ContactView {
	f, since, _ := l.Freshness(second(now))
	return ContactView{Listing: l, Peer: peer, Freshness: f, Since: since}
}

// saidWith returns what the lines to a counterpart say of the formats that the
// watch folds. tx has to be of a View.
func (s *Station) saidWith(tx Tx, peer identity.Station, now time.Time) ([]watch.Said, error) {
	rows, err := tx.Lines()
	if err != nil {
		return nil, err
	}
	var all []watch.Said
	for _, row := range rows {
		if row.Line.Other(s.name) != peer {
			continue
		}
		said, _, err := s.record(tx, row, now)
		if err != nil {
			return nil, err
		}
		all = append(all, plainSaid(said)...)
	}
	return watch.InOrder(all), nil
}

// imported returns the contacts that were imported, and when. What is kept is
// the second of the import, a line end, and the contacts as they are exported.
func (s *Station) imported(tx Tx) ([]watch.Contact, time.Time, error) {
	text, err := tx.Setting(settingContacts)
	if err != nil || text == nil {
		return nil, time.Time{}, err
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	at, err := time.Parse(time.RFC3339, first)
	if err != nil {
		return nil, at, fmt.Errorf("internal error: imported contacts: %w", err)
	}
	all, err := watch.ParseContacts(s.book, []byte(rest))
	return all, at, err
}

// ContactForm is how contacts are written in a file.
type ContactForm string

// The forms.
const (
	ContactsJSON  ContactForm = "json"  // canonical JSON, as it is exported
	ContactsVCard ContactForm = "vcard" // vCard 4.0
)

// ImportContacts keeps contacts that came by another way than a line, in the
// place of those imported before. They are shown where no record speaks of the
// entry. A file in which a contact has another's key is refused, all that is
// wrong named; so is one whose key is that of a contact of the record.
func (s *Station) ImportContacts(ctx context.Context, actor Actor, now time.Time, form ContactForm, text []byte) (int, error) {
	if err := actor.must("import contacts", RoleOperator); err != nil {
		return 0, s.refused(ctx, now, actor, "contact import", "", err)
	}
	read := watch.ParseContacts
	if form == ContactsVCard {
		read = watch.ParseVCards
	}
	all, err := read(s.book, text)
	if err != nil {
		return 0, s.refused(ctx, now, actor, "contact import", "", invalid(err))
	}
	var known DirectoryView
	if err := s.store.View(ctx, func(tx Tx) (err error) {
		known, err = s.directory(tx, now)
		return err
	}); err != nil {
		return 0, err
	}
	if err := keysOfOthers(known, all); err != nil {
		return 0, s.refused(ctx, now, actor, "contact import", "", err)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		if err := s.audit(tx, now, actor, "contact import", "", "done", fmt.Sprintf("%d contacts", len(all))); err != nil {
			return err
		}
		kept := second(now).Format(time.RFC3339) + "\n" + string(watch.ExportContacts(all))
		return tx.PutSetting(settingContacts, []byte(kept))
	})
	return len(all), err
}

// keysOfOthers returns an error that names each contact whose key is, by the
// record, another's.
func keysOfOthers(known DirectoryView, all []watch.Contact) error {
	holder := make(map[string]watch.EntryID)
	for _, c := range known.Contacts {
		if c.Peer != "" {
			holder[c.Key] = c.ID()
		}
	}
	var wrong []string
	for _, c := range all {
		if h, ok := holder[c.Key]; ok && h != c.ID() && (h.Owner != c.Owner || h.Entry != c.Replaces) {
			wrong = append(wrong, fmt.Sprintf("%s of %s has the key %s, which is that of %s of %s", c.Entry, c.Owner, c.Key, h.Entry, h.Owner))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: contacts: %s; ask their owners: each contact has a key of its own", ErrInvalid, strings.Join(wrong, "; "))
	}
	return nil
}

// ExportContacts writes the contacts that are live, each once.
func (s *Station) ExportContacts(ctx context.Context, actor Actor, now time.Time, form ContactForm) ([]byte, error) {
	v, err := s.Contacts(ctx, actor, now)
	if err != nil {
		return nil, err
	}
	var all []watch.Contact
	for _, c := range v.Contacts {
		if c.Live() && (len(all) == 0 || all[len(all)-1].ID() != c.ID()) {
			all = append(all, c.Contact)
		}
	}
	if form == ContactsVCard {
		return watch.ExportVCards(all), nil
	}
	return watch.ExportContacts(all), nil
}

// SetContact says a contact of this station's own to its counterparts: new, in
// place of the one that it replaces, or withdrawn. On whose word it goes the
// release policy says. A key that is another's is refused here already.
func (s *Station) SetContact(ctx context.Context, actor Actor, now time.Time, c watch.Contact, withdraw bool) ([]Outgoing, error) {
	act := "contact set"
	if withdraw {
		act = "contact withdraw"
	}
	if err := actor.must("say a contact", RoleDraft); err != nil {
		return nil, s.refused(ctx, now, actor, act, c.Entry, err)
	}
	c.Owner = s.name
	var drafts []Draft
	err := s.store.View(ctx, func(tx Tx) error {
		peers, first, _, err := s.openLines(tx)
		if err != nil {
			return err
		}
		for _, p := range peers {
			said, err := s.saidWith(tx, p, now)
			if err != nil {
				return err
			}
			params := c.Params()
			if withdraw {
				this, err := ownContact(watch.FoldDirectory(said), c.ID())
				if err != nil {
					return err
				}
				params = this.WithdrawParams()
			} else if err := c.Check(s.book); err != nil {
				return invalid(err)
			}
			d := Draft{Line: first[p], Format: "030", Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params}
			if err := s.directoryTakes(said, d, now); err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		if len(drafts) == 0 {
			return fmt.Errorf("%w: there is no line on which a contact could be said: open one with `detente line open`", ErrConflict)
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, now, actor, act, c.Entry, err)
	}
	return s.submitAll(ctx, actor, now, drafts)
}

func ownContact(d watch.Directory, id watch.EntryID) (watch.Contact, error) {
	for _, l := range d.Listings {
		if l.ID() == id && l.Live() {
			return l.Contact, nil
		}
	}
	return watch.Contact{}, fmt.Errorf("%w: this station has no live contact %q: see `detente contact list`", ErrNotFound, id.Entry)
}

// directoryTakes returns an error where the fold of a directory would refuse a
// contact: its entry's name was used, what it replaces is gone, or its key is
// another's.
func (s *Station) directoryTakes(said []watch.Said, d Draft, now time.Time) error {
	body := message.Body{ID: message.ID{1}, Format: d.Format, From: s.name, To: d.Line.Other(s.name), Params: d.Params}
	if n := len(said); n > 0 && now.Before(said[n-1].Received) {
		now = said[n-1].Received
	}
	fold := watch.FoldDirectory(append(said, watch.Said{Body: body, Received: second(now)}))
	if n := len(fold.Refusals); n > 0 && fold.Refusals[n-1].Message == body.ID {
		r := fold.Refusals[n-1]
		return fmt.Errorf("%w: contact: %s: %s; see `detente contact list`: an entry's name and a key are used once for ever", ErrInvalid, r.Reason, r.Detail)
	}
	return nil
}

// submitAll submits drafts, one after the other. Where they are only tried, all of
// them are.
func (s *Station) submitAll(ctx context.Context, actor Actor, now time.Time, drafts []Draft) ([]Outgoing, error) {
	var all []Outgoing
	var tried *TriedError
	for _, d := range drafts {
		out, err := s.Submit(ctx, actor, now, d)
		if one, only := errors.AsType[*TriedError](err); only {
			if tried == nil {
				tried = &TriedError{}
			}
			tried.Would = append(tried.Would, one.Would...)
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, out)
	}
	if tried != nil {
		return nil, tried
	}
	return all, nil
}

// PingContact asks a counterpart whether a contact of its is reached: the one
// named by its entry, or, where that is empty, those of a role.
func (s *Station) PingContact(ctx context.Context, actor Actor, now time.Time, owner identity.Station, role, entry string) (Outgoing, error) {
	if err := actor.must("check a contact", RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "contact ping", entry, err)
	}
	var d Draft
	err := s.store.View(ctx, func(tx Tx) error {
		_, first, _, err := s.openLines(tx)
		if err != nil {
			return err
		}
		on, ok := first[owner]
		if !ok {
			return fmt.Errorf("%w: there is no line to %s: see `detente line list`", ErrNotFound, owner)
		}
		said, err := s.saidWith(tx, owner, now)
		if err != nil {
			return err
		}
		if role, err = pinged(watch.FoldDirectory(said), owner, role, entry, now); err != nil {
			return err
		}
		params := map[string]any{"step": "ping", "role": role, "roster_version": "0"}
		if r, err := s.roster(tx); err == nil {
			params["roster_version"] = fmt.Sprint(r.Version)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		if entry != "" {
			params["entry"] = entry
		}
		values, err := paramValues(params)
		d = Draft{Line: on, Format: "031", Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: values}
		return err
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "contact ping", entry, err)
	}
	return s.Submit(ctx, actor, now, d)
}

// pinged returns the role of the contact that a ping is about, or an error where
// the directory has no such contact.
func pinged(d watch.Directory, owner identity.Station, role, entry string, now time.Time) (string, error) {
	for _, l := range d.Find(owner, role, second(now)) {
		if entry == "" || l.Entry == entry {
			return l.Role, nil
		}
	}
	return "", fmt.Errorf("%w: the directory has no contact of %s that holds now and is %q: see `detente contact list`", ErrNotFound, owner, strings.TrimSpace(role+" "+entry))
}
