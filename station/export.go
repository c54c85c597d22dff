package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/record"
	"detente/seal"
)

// Export says what is exported: one message by its id, the dossier that a
// message belongs to, a whole line, or what a proposal of a publication, by its
// id, and the answers to it let be published. Exactly one of the four is given.
type Export struct {
	Message     string
	Dossier     string
	Line        string
	Publication string
	Disclose    bool // whether file keys go along, so that the reader can open the entries
	// Marking is what whoever gets a disclosed record may see. If its TLP is
	// empty, AMBER+STRICT and PAP AMBER: what is RED is disclosed only where that
	// is said.
	Marking message.Marking
	// For names a third party that is to get a disclosed record: then what the
	// counterpart wrote goes along only where it granted that. Empty: the record
	// stays with this agency and whoever the two parties let judge.
	For string
}

// object names what is exported in the audit trail.
func (e Export) object() string { return e.Message + e.Dossier + e.Line + e.Publication }

// Export writes a record that verifies offline. The audit trail says that it
// was begun, with what, before a byte leaves, and how it failed if it did.
func (s *Station) Export(ctx context.Context, actor Actor, now time.Time, e Export, w io.Writer) error {
	if err := actor.must("export a record", RoleRead); err != nil {
		return s.refused(ctx, now, actor, "export", e.object(), err)
	}
	err := s.update(ctx, now, func(tx Tx) error {
		return s.audit(tx, now, actor, "export", e.object(), "done", e.detail())
	})
	if err != nil {
		return err
	}
	kept := 0
	err = s.store.View(ctx, func(tx Tx) error {
		o, err := s.exportOptions(tx, e)
		if e.Publication != "" && err == nil {
			o, err = s.exportPublication(tx, actor, now, e.Publication)
		}
		if err != nil {
			return err
		}
		if kept, err = s.mayLeave(tx, actor, now, e, &o); err != nil {
			return err
		}
		// What a third party may have of the counterpart's is what was granted, and
		// release policies were not.
		if e.Disclose && e.For == "" && (o.Kind == record.Message || o.Kind == record.Dossier) {
			if o.Support, err = s.support(tx, actor, o.Entries, e.Marking); err != nil {
				return err
			}
		}
		return record.Export(w, source{s, tx}, o)
	})
	if err != nil {
		return s.refused(ctx, now, actor, "export", e.object(), err)
	}
	if kept == 0 {
		return nil
	}
	return s.noted(ctx, now, actor, "export", e.object(), fmt.Sprintf("%d messages said without prejudice were kept closed", kept))
}

func (s *Station) exportOptions(tx Tx, e Export) (record.Options, error) {
	o := record.Options{}
	if e.Disclose {
		o.Disclose = func(record.Entry) bool { return true }
	}
	var err error
	named := 0
	for _, one := range []string{e.Message, e.Dossier, e.Line, e.Publication} {
		if one != "" {
			named++
		}
	}
	switch {
	case named != 1:
		err = fmt.Errorf("%w: name one message, one dossier, one line or one publication to export", ErrInvalid)
	case e.Message != "":
		o.Kind = record.Message
		o.Entries, err = s.exportMessage(tx, e.Message)
	case e.Dossier != "":
		o.Kind = record.Dossier
		o.Entries, err = s.exportDossier(tx, e.Dossier)
	case e.Line != "":
		o.Kind = record.Line
		o.Entries, err = s.exportLine(tx, e.Line)
	}
	return o, err
}

func (s *Station) exportMessage(tx Tx, text string) ([]record.Entry, error) {
	id, err := message.ParseID(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m, err := tx.MessageByID(id)
	if err != nil {
		return nil, err
	}
	return []record.Entry{{Origin: m.Origin, Index: m.Index}}, nil
}

// exportDossier lists the messages that hang together with one by reference.
func (s *Station) exportDossier(tx Tx, text string) ([]record.Entry, error) {
	first, err := message.ParseID(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	seen := map[message.ID]bool{first: true}
	var list []record.Entry
	for next := []message.ID{first}; len(next) > 0; next = next[1:] {
		m, err := tx.MessageByID(next[0])
		if err != nil {
			if next[0] == first {
				return nil, err
			}
			continue // referred to, and still waiting
		}
		list = append(list, record.Entry{Origin: m.Origin, Index: m.Index})
		referring, err := tx.Referring(next[0])
		if err != nil {
			return nil, err
		}
		around := slices.Clone(m.Refs)
		for _, r := range referring {
			around = append(around, r.ID)
		}
		for _, id := range around {
			if !seen[id] {
				seen[id] = true
				next = append(next, id)
			}
		}
	}
	return list, nil
}

func (s *Station) exportLine(tx Tx, text string) ([]record.Entry, error) {
	l, err := identity.ParseLine(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	row, err := tx.Line(l)
	if err != nil {
		return nil, err
	}
	var list []record.Entry
	for _, o := range s.logsOf(row) {
		log, _, err := tx.Log(o)
		if err != nil {
			return nil, err
		}
		for i := range log.Size {
			list = append(list, record.Entry{Origin: o, Index: i})
		}
	}
	return list, nil
}

// source is a station as an exporter sees it.
type source struct {
	s  *Station
	tx Tx
}

// Sealed implements record.Source.
func (x source) Sealed(e record.Entry) ([]byte, error) { return x.tx.Entry(e.Origin, e.Index) }

// Proof implements record.Source.
func (x source) Proof(e record.Entry) ([]byte, error) {
	by := x.s.mirror.Cosigner.Name()
	if e.Origin.Writer == x.s.name {
		p, err := x.s.peerNamed(e.Origin.Reader)
		if err != nil {
			return nil, err
		}
		by = p.cosigner
	}
	proof, _, err := journal.ProofFile(x.tx, e.Origin, e.Index, by)
	return proof, err
}

// FileKey implements record.Source. It is the one place that hands out keys, and
// it has none for what was said without prejudice.
func (x source) FileKey(e record.Entry) (seal.FileKey, bool, error) {
	m, err := x.tx.Message(e.Origin, e.Index) // absent, it says no second either
	if err == nil {
		if shut, err := x.s.closed(x.tx, m); err != nil || shut {
			return seal.FileKey{}, false, err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return seal.FileKey{}, false, err
	}
	sealed, err := x.tx.Entry(e.Origin, e.Index)
	if err != nil {
		return seal.FileKey{}, false, err
	}
	_, key, err := seal.Open(sealed, x.s.identitiesNear(e.Origin.Writer == x.s.name, m.At)...)
	if err != nil {
		return x.s.givenKey(x.tx, e.Origin, e.Index)
	}
	return key, true, nil
}

// Size implements record.Source.
func (x source) Size(o identity.Origin) (int64, error) {
	l, _, err := x.tx.Log(o)
	return l.Size, err
}

// Cards implements record.Source.
func (x source) Cards(name identity.Station) (identity.Bundle, error) {
	if name == x.s.name {
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		return x.s.own.Load().bundle, nil
	}
	p, err := x.s.peerNamed(name)
	if err != nil {
		return identity.Bundle{}, err
	}
	return p.bundle, nil
}

// Succession implements record.Source.
func (x source) Succession(o identity.Origin) ([]byte, error) {
	return x.tx.Setting("succession/" + o.String())
}
