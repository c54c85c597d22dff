package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// A station reads every edition of the signal book that two of its officers have
// signed, at once and for good: a message counts by the edition that it names,
// whenever that was. It writes on each line in one: that of its own entry 0, until
// both sides have adopted another (034, 035) and its day has come. So nothing is
// lost while one end has changed and the other has not; and what comes in an
// edition that nobody here has signed is kept, answered, and shown as what it is.

// The states of an edition on the shelf.
const (
	EditionProgram   = "program"   // it ships with the program, or shipped with an earlier one
	EditionOffered   = "offered"   // an operator brought it; it is not read
	EditionInstalled = "installed" // two officers signed it: it is read
)

// maxEditions bounds what is kept: an edition a year for longer than a record is
// looked at, and sixteen times some megabytes in memory.
const maxEditions = 16

// KeptEdition is an edition on the shelf.
type KeptEdition struct {
	Hash   identity.Digest      `json:"-"`
	Name   string               `json:"name"`
	State  string               `json:"state"`
	Since  time.Time            `json:"since"`
	By     string               `json:"by"` // who brought it
	Packs  map[book.Lang]string `json:"packs"`
	Signed []EditionSignature   `json:"signed,omitempty"`

	// Ceremony is the id of what officers sign, so that no signature serves twice.
	Ceremony message.ID `json:"ceremony"`

	// Known says of the counterparts' logs from which entry on the edition is read:
	// what came before was answered as unknown, and the answer stands, however often
	// the tables are made anew. A log that is not named: from its first entry on.
	Known map[string]int64 `json:"known,omitempty"`
}

// EditionSignature is an officer's signature under an edition.
type EditionSignature struct {
	Officer  string `json:"officer"`
	Approval []byte `json:"approval"` // as identity.ParseApproval reads it
}

// spokenEdition says from when on a line speaks an edition.
type spokenEdition struct {
	Edition string    `json:"edition"`
	From    time.Time `json:"from"` // zero: from the opening of the log on
	Place   string    `json:"place"`
}

// shelf is what a station has read of the editions that it holds.
type shelf struct {
	mu     sync.Mutex // guards the fields below; never held while the store is called
	kept   map[identity.Digest]KeptEdition
	books  map[identity.Digest]*book.Edition // those that are read, but the program's own
	spoken map[identity.Line][]spokenEdition // by the time from which they are spoken
	stale  bool                              // spoken is not what the store holds
}

func editionKey(d identity.Digest) string   { return "edition/" + d.String() }
func packKey(d identity.Digest) string      { return "edition-pack/" + d.String() }
func spokenKey(l identity.Line) string      { return "spoken/" + l.String() }
func (k KeptEdition) reads() bool           { return k.State != EditionOffered }
func editionList(tx Tx) ([]string, error)   { return settingOf[[]string](tx, editionsKey) }
func (k KeptEdition) text() ([]byte, error) { return json.Marshal(k, json.Deterministic(true)) }

const editionsKey = "editions"

// settingOf reads a document that the station wrote; the zero value where there
// is none.
func settingOf[T any](tx Tx, name string) (v T, err error) {
	text, err := tx.Setting(name)
	if err != nil || len(text) == 0 {
		return v, err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("internal error: stored %s: %w", name, err)
	}
	return v, nil
}

// loadShelf reads what the store holds of editions.
func (s *Station) loadShelf(ctx context.Context) error {
	kept, books := make(map[identity.Digest]KeptEdition), make(map[identity.Digest]*book.Edition)
	err := s.store.View(ctx, func(tx Tx) error {
		list, err := editionList(tx)
		if err != nil {
			return err
		}
		for _, name := range list {
			d, err := identity.ParseDigest(name)
			if err != nil {
				return fmt.Errorf("internal error: stored list of editions: %w", err)
			}
			k, err := settingOf[KeptEdition](tx, editionKey(d))
			if err != nil {
				return err
			}
			k.Hash = d
			kept[d] = k
			if d == s.book.Hash() || !k.reads() {
				continue
			}
			if books[d] = s.shelf.book(d); books[d] != nil {
				continue
			}
			pack, err := tx.Setting(packKey(d))
			if err != nil {
				return err
			}
			if books[d], err = openKept(d, pack); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.shelf.mu.Lock()
	s.shelf.kept, s.shelf.books, s.shelf.stale = kept, books, true
	s.shelf.mu.Unlock()
	s.folds.mu.Lock()
	s.folds.lines, s.folds.asked = nil, nil // they were folded by fewer editions
	s.folds.mu.Unlock()
	return s.readSpoken(ctx)
}

// openKept opens a packed edition of the store, which has to be what its name says.
func openKept(d identity.Digest, pack []byte) (*book.Edition, error) {
	e, err := book.OpenPack(pack)
	if err != nil {
		return nil, fmt.Errorf("the stored edition %s: %w; run `detente station doctor`", d, err)
	}
	if e.Hash() != d {
		return nil, fmt.Errorf("internal error: the stored edition %s has the hash %s", d, e.Hash())
	}
	return e, nil
}

func (h *shelf) book(d identity.Digest) *book.Edition {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.books[d]
}

// BookOf returns an edition that this station reads; false where it reads none of
// that hash.
func (s *Station) BookOf(d identity.Digest) (*book.Edition, bool) {
	if d == s.book.Hash() {
		return s.book, true
	}
	e := s.shelf.book(d)
	return e, e != nil
}

// bookFor returns the edition of a body, or, where it is not held, the program's.
func (s *Station) bookFor(b message.Body) *book.Edition {
	if e, ok := s.BookOf(b.Edition); ok {
		return e
	}
	return s.book
}

// Text renders a body by the edition that it names. What no edition here can
// render is shown as what it is: its codes as they stand, and why they are not
// read.
func (s *Station) Text(b message.Body, l book.Lang) (string, error) {
	e, ok := s.BookOf(b.Edition)
	if !ok {
		return s.book.Raw(b, l, book.RawEdition)
	}
	if e.Check(b) != nil {
		return e.Raw(b, l, book.RawMisfit)
	}
	return e.Render(b, l)
}

// readAt returns the edition by which an entry of a counterpart's log is judged;
// false where it was not read when the entry came.
func (s *Station) readAt(o identity.Origin, index int64, d identity.Digest) (*book.Edition, bool) {
	s.shelf.mu.Lock()
	k, kept := s.shelf.kept[d]
	e := s.shelf.books[d]
	s.shelf.mu.Unlock()
	if d == s.book.Hash() {
		e = s.book
	}
	if e == nil || kept && index < k.Known[o.String()] {
		return nil, false
	}
	return e, true
}

// forms are those of the program's own edition, and, by the edition that a message
// names, those of the others that are read.
func (s *Station) forms() dossier.Book { return shelfForms{s, dossier.ByEdition(s.book)} }

type shelfForms struct {
	s *Station
	dossier.Book
}

// Of implements dossier.Editions.
func (f shelfForms) Of(d identity.Digest) (dossier.Book, bool) {
	if d == f.s.book.Hash() {
		return f.Book, true
	}
	if e := f.s.shelf.book(d); e != nil {
		return dossier.ByEdition(e), true
	}
	return nil, false
}

// noteSpoken notes what a message says of the edition that this station is to
// speak on a line: its own entry 0, in whose edition a log begins, and the
// adoption of another, by either side.
func (s *Station) noteSpoken(tx Tx, o identity.Origin, index int64, b message.Body) error {
	said := spokenEdition{Place: fmt.Sprintf("%s %d", o, index)}
	switch {
	case b.Format == "001" && o.Writer == s.name:
		said.Edition = b.Edition.String()
	case b.Format == editionAdopted:
		f := dossier.FactsOf(b)
		if d := f.Words["decision"]; d != "adopted" && d != "reservations" {
			return nil
		}
		said.Edition, said.From = f.Words["edition"], f.Times["from"]
	default:
		return nil
	}
	list, err := settingOf[[]spokenEdition](tx, spokenKey(o.Line()))
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(e spokenEdition) bool { return e.Place == said.Place })
	list = append(list, said)
	slices.SortStableFunc(list, func(a, b spokenEdition) int { return a.From.Compare(b.From) })
	if len(list) > maxEditions {
		list = list[len(list)-maxEditions:]
	}
	text, err := json.Marshal(list, json.Deterministic(true))
	if err != nil {
		return err
	}
	s.shelf.mu.Lock()
	s.shelf.stale = true // should this be taken back, what is read anew is as it was
	s.shelf.mu.Unlock()
	return tx.PutSetting(spokenKey(o.Line()), text)
}

// readSpoken reads anew what each line speaks, where it may have changed.
func (s *Station) readSpoken(ctx context.Context) error {
	s.shelf.mu.Lock()
	stale := s.shelf.stale
	s.shelf.stale = false
	s.shelf.mu.Unlock()
	if !stale {
		return nil
	}
	spoken := make(map[identity.Line][]spokenEdition)
	err := s.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if spoken[row.Line], err = settingOf[[]spokenEdition](tx, spokenKey(row.Line)); err != nil {
				return err
			}
		}
		return nil
	})
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	if err != nil {
		s.shelf.stale = true
		return err
	}
	s.shelf.spoken = spoken
	return nil
}

// speaks returns the edition in which this station writes on a line: the one
// adopted last whose day has come, of those that it reads itself.
func (s *Station) speaks(now time.Time, l identity.Line) *book.Edition {
	s.shelf.mu.Lock()
	list := s.shelf.spoken[l]
	s.shelf.mu.Unlock()
	for _, said := range slices.Backward(list) {
		if said.From.After(now) {
			continue
		}
		d, err := identity.ParseDigest(said.Edition)
		if err != nil {
			continue // a message's word, and no edition's name
		}
		if e, ok := s.BookOf(d); ok {
			return e
		}
	}
	return s.book
}

// KeepBook keeps the edition that ships with the program on the shelf, packed: a
// later program, with another one, goes on reading and speaking it. It is called
// at each start, and does nothing, not even pack, where it is kept already.
func (s *Station) KeepBook(ctx context.Context, now time.Time, packed func() ([]byte, error)) error {
	e := s.book
	if k, ok := s.shelf.find(e.Hash()); ok && k.reads() {
		return nil
	}
	pack, err := packed()
	if err != nil {
		return err
	}
	if _, err := openKept(e.Hash(), pack); err != nil {
		return err
	}
	err = s.update(ctx, now, func(tx Tx) error {
		list, err := editionList(tx)
		if err != nil {
			return err
		}
		k := KeptEdition{Hash: e.Hash(), Name: e.Name(), State: EditionProgram, Since: second(now), By: itself.Name, Packs: packsOf(e)}
		if len(list) > 0 { // until now the station read others
			if k.Known, err = s.takenSizes(tx); err != nil {
				return err
			}
		}
		return errors.Join(s.shelve(tx, k, pack), s.audit(tx, now, itself, "edition keep", k.Hash.String(), "done", k.Name))
	})
	if err != nil {
		return err
	}
	return s.loadShelf(ctx)
}

func (h *shelf) find(d identity.Digest) (KeptEdition, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.kept[d]
	return k, ok
}

func packsOf(e *book.Edition) map[book.Lang]string {
	packs := make(map[book.Lang]string)
	for _, l := range book.Langs() {
		packs[l] = e.Status(l)
	}
	return packs
}

// shelve stores an edition, and its name in the list of all if it is not there.
// pack is nil where its files are stored already.
func (s *Station) shelve(tx Tx, k KeptEdition, pack []byte) error {
	list, err := editionList(tx)
	if err != nil {
		return err
	}
	if name := k.Hash.String(); !slices.Contains(list, name) {
		text, err := json.Marshal(append(list, name))
		if err != nil {
			return err
		}
		if err := tx.PutSetting(editionsKey, text); err != nil {
			return err
		}
	}
	text, err := k.text()
	if err != nil {
		return err
	}
	if pack != nil {
		if err := tx.PutSetting(packKey(k.Hash), pack); err != nil {
			return err
		}
	}
	return tx.PutSetting(editionKey(k.Hash), text)
}

// takenSizes returns how far the counterparts' logs have been read.
func (s *Station) takenSizes(tx Tx) (map[string]int64, error) {
	rows, err := tx.Lines()
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64)
	for _, row := range rows {
		for era := identity.Era(1); era <= row.TakenEra; era++ {
			o := row.Line.Log(row.Line.Other(s.name), era)
			log, ok, err := tx.Log(o)
			if err != nil {
				return nil, err
			}
			size := log.Size
			if era == row.TakenEra {
				size = row.TakenSize
			}
			if ok && size > 0 {
				sizes[o.String()] = size
			}
		}
	}
	return sizes, nil
}
