package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

// Page is a message in one language, as a printer puts it on paper.
type Page struct {
	ID       string // of the page: printed twice, a message makes two
	Citation string
	Digest   identity.Digest // of the message's body, so that paper can be matched to the record
	Level    message.Precedence
	Marking  message.Marking
	At       time.Time // when it is printed
	Lang     book.Lang
	Text     string
}

// PrintMessage puts a message on paper by an outlet that prints, a page or more
// in each language, and returns how many texts the printer took. Whoever may
// read it may print it; who prints it has read it. No language is English alone.
// Where one text fails, those before it are printed, and the error says which.
func (s *Station) PrintMessage(ctx context.Context, actor Actor, now time.Time, id message.ID, outlet string, langs ...book.Lang) (int, error) {
	printed, err := s.printMessage(ctx, actor, now, id, outlet, langs)
	if err != nil {
		return printed, s.refused(ctx, now, actor, "print", id.String(), err)
	}
	return printed, nil
}

func (s *Station) printMessage(ctx context.Context, actor Actor, now time.Time, id message.ID, outlet string, langs []book.Lang) (int, error) {
	if err := actor.must("print a message", RoleRead); err != nil {
		return 0, err
	}
	if err := s.prints(outlet); err != nil {
		return 0, err
	}
	if len(langs) == 0 {
		langs = []book.Lang{"en"}
	}
	var r Read
	err := s.store.View(ctx, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		r, err = s.readable(tx, actor, m)
		return err
	})
	if err != nil {
		return 0, err
	}
	if r.Entry.Body.Bytes() == nil {
		return 0, fmt.Errorf("%w: %s cannot be opened, and so not printed: see `detente msg entry %s %d`", ErrInvalid, r.Citation, r.Origin, r.Index)
	}
	var pages []Page
	for _, l := range langs {
		text, err := s.Text(r.Entry.Body.Body(), l)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		sheet, err := s.newID()
		if err != nil {
			return 0, err
		}
		pages = append(pages, Page{ID: "print-" + sheet.String(), Citation: r.Citation, Digest: r.Entry.Body.Digest(), Level: r.Precedence,
			Marking: r.Entry.Body.Body().Marking, At: second(now), Lang: l, Text: text})
	}
	for i, p := range pages {
		if trying(ctx) {
			break // it is judged, and no paper is used
		}
		within, cancel := context.WithTimeout(ctx, tellWithin)
		err := s.watching.Outlets.Print(within, outlet, p)
		cancel()
		if err != nil {
			return i, fmt.Errorf("printing %s in %s: %w", r.Citation, p.Lang, err)
		}
	}
	var names []string
	for _, l := range langs {
		names = append(names, string(l))
	}
	return len(pages), s.update(ctx, now, func(tx Tx) error {
		return errors.Join(s.noteOpened(tx, now, actor, r.Message), s.audit(tx, now, actor, "print", r.Citation, "done", outlet+" "+strings.Join(names, ",")))
	})
}

// prints returns an error unless an outlet prints.
func (s *Station) prints(outlet string) error {
	if s.watching != nil && s.watching.Outlets != nil {
		all := s.watching.Outlets.Named()
		if i := slices.IndexFunc(all, func(o OutletName) bool { return o.Name == outlet }); i >= 0 {
			if all[i].Class != watch.Printer {
				return fmt.Errorf("%w: the outlet %s does not print: messages go to printers alone, see `detente alarm outlet list`", ErrInvalid, outlet)
			}
			return nil
		}
	}
	return fmt.Errorf("%w: there is no outlet %q: add one with `detente alarm outlet add print`, or see `detente alarm outlet list`", ErrNotFound, outlet)
}
