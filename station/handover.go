package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// A proposed sheet is kept with its approvals among the open ones, and once
// signed by itself, for ever, under its id. The log book names its digest.
const (
	settingHandovers = "watch/handovers"
	settingSigned    = "watch/handover/"
)

// Limits of handovers.
const (
	SheetStands  = time.Hour // a sheet that is older says too little of now to be signed
	maxOpen      = 2 * watch.MaxDesks
	maxApprovals = 2 * watch.MaxTurn
	nearChange   = 2 * time.Hour // within which a change of the roster is the one that is handed over
	RoleOfWatch  = "watch"       // of a certificate: in which officers sign handovers
)

// Handover is a sheet on its way to both signatures, or signed.
type Handover struct {
	ID        message.ID
	Sheet     watch.Sheet
	Proposed  time.Time
	By        string // the actor who proposed it
	Approvals [][]byte
	Signers   []string  // pseudonyms, in the order in which they signed
	Signed    time.Time // zero: not by both yet
	Next      string    // what is still needed, in plain words; empty once signed
}

type handoverDocument struct {
	Approvals [][]byte  `json:"approvals,omitempty"`
	By        string    `json:"by"`
	Proposed  time.Time `json:"proposed"`
	Sheet     []byte    `json:"sheet"`
	Signed    time.Time `json:"signed,omitzero"`
}

// SheetDraft is what is said of a handover by hand. The zero value means the
// roster's change of officers that is nearest.
type SheetDraft struct {
	Desk    string   // if empty, the only one of the roster, or the one whose officers change next
	Out, In []string // pseudonyms; if empty, as the roster has it
	Remarks []watch.Remark
}

// HandoverSheet computes what would be handed over now. Nothing is frozen. It
// fails with a *watch.UnreadFlashError while a FLASH is unread.
func (s *Station) HandoverSheet(ctx context.Context, actor Actor, now time.Time, d SheetDraft) (watch.Sheet, error) {
	if err := actor.must("see a handover", RoleWatch, RoleRead); err != nil {
		return watch.Sheet{}, s.refused(ctx, now, actor, "handover show", d.Desk, err)
	}
	sheet, err := s.computeSheet(ctx, now, d)
	if err != nil {
		return sheet, s.refused(ctx, now, actor, "handover show", d.Desk, err)
	}
	return sheet, s.noted(ctx, now, actor, "handover show", sheet.Desk, "")
}

func (s *Station) computeSheet(ctx context.Context, now time.Time, d SheetDraft) (sheet watch.Sheet, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		w, err := s.waiting(ctx, tx, now)
		if err != nil {
			return err
		}
		sheet = w.Sheet
		if err := s.named(tx, &sheet, d); err != nil {
			return err
		}
		sheet, err = watch.NewSheet(sheet)
		return unreadFlash(err)
	})
	return sheet, err
}

// unreadFlash marks a sheet that cannot be as refused, or as wrong input.
func unreadFlash(err error) error {
	var unread *watch.UnreadFlashError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unread):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return invalid(err)
}

// named puts desk, officers and remarks into a sheet.
func (s *Station) named(tx Tx, sheet *watch.Sheet, d SheetDraft) error {
	sheet.Desk, sheet.Out, sheet.In, sheet.Remarks = d.Desk, d.Out, d.In, d.Remarks
	r, err := s.roster(tx)
	switch {
	case errors.Is(err, ErrNotFound):
		if d.Desk == "" || len(d.Out) == 0 || len(d.In) == 0 {
			return fmt.Errorf("%w: there is no roster to say who goes and who comes: give --desk, --out and --in, or set one with `detente roster set FILE`", ErrInvalid)
		}
	case err != nil:
		return err
	default:
		if err := byRoster(r, sheet); err != nil {
			return err
		}
	}
	for _, o := range slices.Concat(sheet.Out, sheet.In) {
		if err := listedOfficer(tx, o); err != nil {
			return err
		}
	}
	return nil
}

// byRoster fills in what a sheet does not say of desk and officers, from the
// change of officers that is nearest.
func byRoster(r watch.Roster, sheet *watch.Sheet) error {
	if sheet.Desk != "" && !slices.ContainsFunc(r.Desks, func(d watch.Desk) bool { return d.Name == sheet.Desk }) {
		return fmt.Errorf("%w: the roster has no desk %q: see `detente roster show`", ErrInvalid, sheet.Desk)
	}
	var near watch.Handover
	for _, h := range r.Handovers(watch.Span{From: sheet.At.Add(-nearChange), To: sheet.At.Add(nearChange)}) {
		fits := (sheet.Desk == "" || h.Desk == sheet.Desk) && len(h.Out) > 0 && len(h.In) > 0
		if fits && (near.At.IsZero() || h.At.Sub(sheet.At).Abs() < near.At.Sub(sheet.At).Abs()) {
			near = h
		}
	}
	if sheet.Desk == "" {
		sheet.Desk = near.Desk
	}
	if len(sheet.Out) == 0 {
		sheet.Out = near.Out
	}
	if len(sheet.In) == 0 {
		sheet.In = near.In
	}
	if sheet.Desk == "" || len(sheet.Out) == 0 || len(sheet.In) == 0 {
		return fmt.Errorf("%w: by the roster nobody takes over within %s: give --desk, --out and --in", ErrInvalid, nearChange)
	}
	return nil
}

// ProposeHandover freezes the sheet of this moment, to be signed by one officer
// who goes and one who comes. It takes the place of what was proposed for the
// desk before.
func (s *Station) ProposeHandover(ctx context.Context, actor Actor, now time.Time, d SheetDraft) (Handover, error) {
	if err := actor.must("propose a handover", RoleWatch, RoleOperator); err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover propose", d.Desk, err)
	}
	sheet, err := s.computeSheet(ctx, now, d)
	if err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover propose", d.Desk, err)
	}
	doc := handoverDocument{By: actor.Name, Proposed: second(now), Sheet: sheet.Bytes()}
	var h Handover
	err = s.update(ctx, now, func(tx Tx) error {
		open, err := s.openHandovers(tx, now)
		if err != nil {
			return err
		}
		if h, err = s.handoverOf(doc); err != nil {
			return err
		}
		docs := []handoverDocument{doc}
		for _, o := range open {
			if o.Sheet.Desk != sheet.Desk {
				docs = append(docs, o.document())
			}
		}
		if len(docs) > maxOpen {
			return fmt.Errorf("%w: %d handovers are open: sign them, or let them lapse", ErrConflict, len(docs))
		}
		if err := s.audit(tx, now, actor, "handover propose", h.ID.String(), "done", sheet.Desk); err != nil {
			return err
		}
		return putHandovers(tx, docs)
	})
	if err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover propose", d.Desk, err)
	}
	return h, nil
}

func (h Handover) document() handoverDocument {
	return handoverDocument{h.Approvals, h.By, h.Proposed, h.Sheet.Bytes(), h.Signed}
}

// handoverOf reads a document; its approvals were verified when they came.
func (s *Station) handoverOf(d handoverDocument) (Handover, error) {
	sheet, err := watch.ParseSheet(d.Sheet)
	if err != nil {
		return Handover{}, fmt.Errorf("internal error: stored handover: %w", err)
	}
	h := Handover{ID: sheet.Request("").ID, Sheet: sheet, Proposed: d.Proposed.UTC(), By: d.By, Approvals: d.Approvals, Signed: d.Signed.UTC()}
	all, err := s.parseApprovals(d.Approvals)
	if err != nil {
		return h, err
	}
	for _, a := range all {
		cert, err := s.verifyApproval(a, d.Proposed)
		if err != nil {
			return h, fmt.Errorf("internal error: approval of handover %s: %w", h.ID, err)
		}
		h.Signers = append(h.Signers, cert.Pseudonym)
	}
	if h.Signed.IsZero() {
		h.Next = "one of those who go and one of those who come sign it with `detente handover sign " + h.ID.String() + "`"
		if why := sheet.Signed(all, s.own.Load().Agencies, d.Proposed); why != nil && len(all) > 0 {
			h.Next = why.Error()
		}
	}
	return h, nil
}

// openHandovers returns those that still can be signed.
func (s *Station) openHandovers(tx Tx, now time.Time) ([]Handover, error) {
	text, err := tx.Setting(settingHandovers)
	if err != nil || text == nil {
		return nil, err
	}
	var docs []handoverDocument
	if err := json.Unmarshal(text, &docs); err != nil {
		return nil, fmt.Errorf("internal error: open handovers: %w", err)
	}
	var open []Handover
	for _, d := range docs {
		if now.Sub(d.Proposed) > SheetStands {
			continue
		}
		h, err := s.handoverOf(d)
		if err != nil {
			return nil, err
		}
		open = append(open, h)
	}
	return open, nil
}

func putHandovers(tx Tx, docs []handoverDocument) error {
	text, err := json.Marshal(docs, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.PutSetting(settingHandovers, text)
}

// Handovers lists the handovers that wait for a signature, and those signed in
// the last week.
func (s *Station) Handovers(ctx context.Context, actor Actor, now time.Time) ([]Handover, error) {
	if err := actor.must("see the handovers", RoleWatch, RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, "handover list", "", err)
	}
	var all []Handover
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if all, err = s.openHandovers(tx, now); err != nil {
			return err
		}
		lines, err := tx.LogLines(LogQuery{From: now.AddDate(0, 0, -7), Kind: string(watch.LogHandover)}, maxLogPage)
		if err != nil {
			return err
		}
		for _, l := range lines {
			e, err := watch.ParseLogLine(l.Text)
			if err != nil {
				return fmt.Errorf("internal error: log book line %d: %w", l.Number, err)
			}
			id, err := message.ParseID(e.Ref[:min(len(e.Ref), 32)])
			if err != nil {
				continue
			}
			h, err := s.handover(tx, now, id)
			if err != nil {
				return err
			}
			all = append(all, h)
		}
		return s.audit(tx, now, actor, "handover list", "", "done", fmt.Sprintf("%d handovers", len(all)))
	})
	return all, err
}

// handover returns one that is open or signed.
func (s *Station) handover(tx Tx, now time.Time, id message.ID) (Handover, error) {
	open, err := s.openHandovers(tx, now)
	if err != nil {
		return Handover{}, err
	}
	for _, h := range open {
		if h.ID == id {
			return h, nil
		}
	}
	text, err := tx.Setting(settingSigned + id.String())
	if err != nil {
		return Handover{}, err
	}
	if text == nil {
		return Handover{}, fmt.Errorf("%w: no handover %s: it was never proposed, another took its place, or it lapsed after %s: see `detente handover list`", ErrNotFound, id, SheetStands)
	}
	var d handoverDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return Handover{}, fmt.Errorf("internal error: handover %s: %w", id, err)
	}
	return s.handoverOf(d)
}

// Handover returns a handover by its id, with the bytes that are signed.
func (s *Station) Handover(ctx context.Context, actor Actor, now time.Time, id message.ID) (Handover, error) {
	if err := actor.must("see a handover", RoleWatch, RoleRead); err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover show", id.String(), err)
	}
	var h Handover
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if h, err = s.handover(tx, now, id); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "handover show", id.String(), "done", "")
	})
	if err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover show", id.String(), err)
	}
	return h, nil
}

// errMoved says that messages came while a signature was judged.
var errMoved = errors.New("messages came meanwhile")

// signTries bounds how often a signature is judged anew because a message came
// at the same moment.
const signTries = 5

// SignHandover takes an officer's signature under a sheet. The second one, of
// one who goes and another one who comes, hands the watch over; the log book
// has it from then on. While a FLASH is unread it is refused.
func (s *Station) SignHandover(ctx context.Context, actor Actor, now time.Time, id message.ID, a identity.Approval) (Handover, error) {
	cert, err := s.verifyApproval(a, now)
	if err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover sign", id.String(), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	actor.Name = cert.Pseudonym
	var h Handover
	for range signTries {
		var seen int64
		err = s.store.View(ctx, func(tx Tx) error {
			if seen, err = tx.LastEvent(); err != nil {
				return err
			}
			w, err := s.waiting(ctx, tx, now)
			if err == nil && len(w.Sheet.FlashUnread) > 0 {
				err = unreadFlash(&watch.UnreadFlashError{Messages: w.Sheet.FlashUnread})
			}
			return err
		})
		if err == nil {
			err = s.update(ctx, now, func(tx Tx) (err error) {
				if moved, err := messagesSince(tx, seen); err != nil || moved {
					return errors.Join(err, errMoved)
				}
				h, err = s.signSheet(tx, now, actor, id, a, cert)
				return err
			})
		}
		if !errors.Is(err, errMoved) {
			break
		}
	}
	if errors.Is(err, errMoved) {
		err = fmt.Errorf("%w: %w: look at what came, and sign again", ErrConflict, err)
	}
	if err != nil {
		return Handover{}, s.refused(ctx, now, actor, "handover sign", id.String(), err)
	}
	return h, nil
}

func messagesSince(tx Tx, number int64) (bool, error) {
	list, err := tx.EventsAfter(number, maxLogPage)
	return len(list) == maxLogPage || slices.ContainsFunc(list, func(e Event) bool { return e.Kind == "message" }), err
}

// signSheet judges one signature under an open sheet and keeps it.
func (s *Station) signSheet(tx Tx, now time.Time, actor Actor, id message.ID, a identity.Approval, cert identity.Certificate) (Handover, error) {
	h, err := s.handover(tx, now, id)
	if err != nil {
		return h, err
	}
	text := a.Bytes()
	if has(h.Approvals, text) {
		return h, nil
	}
	if err := s.officerStands(tx, a, cert, now); err != nil {
		return h, err
	}
	switch {
	case !h.Signed.IsZero():
		return h, fmt.Errorf("%w: handover %s was signed by both at %s", ErrConflict, id, h.Signed.Format(time.RFC3339))
	case !a.Request.Equal(h.Sheet.Request(RoleOfWatch)):
		return h, fmt.Errorf("%w: %s signed another sheet, or not in the role %s: show it again and sign anew", ErrRefused, cert.Pseudonym, RoleOfWatch)
	case slices.Contains(h.Signers, cert.Pseudonym):
		return h, fmt.Errorf("%w: %s has signed already, and one officer cannot sign for both: another one is needed", ErrRefused, cert.Pseudonym)
	case !slices.Contains(h.Sheet.Out, cert.Pseudonym) && !slices.Contains(h.Sheet.In, cert.Pseudonym):
		return h, fmt.Errorf("%w: %s neither goes nor comes: the sheet names %s and %s", ErrRefused, cert.Pseudonym, strings.Join(h.Sheet.Out, ","), strings.Join(h.Sheet.In, ","))
	case len(h.Approvals) >= maxApprovals:
		return h, fmt.Errorf("%w: handover %s has %d signatures: propose it anew", ErrConflict, id, len(h.Approvals))
	}
	d := h.document()
	d.Approvals = append(slices.Clone(h.Approvals), text)
	all, err := s.parseApprovals(d.Approvals)
	if err != nil {
		return h, err
	}
	if err := s.audit(tx, now, actor, "handover sign", id.String(), "done", h.Sheet.Desk); err != nil {
		return h, err
	}
	if h.Sheet.Signed(all, s.own.Load().Agencies, now) != nil {
		return s.keepOpen(tx, now, d)
	}
	d.Signed = second(now)
	return s.handedOver(tx, now, actor, d)
}

// keepOpen puts a sheet with one more signature back among the open ones.
func (s *Station) keepOpen(tx Tx, now time.Time, d handoverDocument) (Handover, error) {
	h, err := s.handoverOf(d)
	if err != nil {
		return h, err
	}
	return h, s.replaceOpen(tx, now, h.ID, &d)
}

// replaceOpen replaces an open handover, or, where d is nil, takes it out.
func (s *Station) replaceOpen(tx Tx, now time.Time, id message.ID, d *handoverDocument) error {
	open, err := s.openHandovers(tx, now)
	if err != nil {
		return err
	}
	docs := make([]handoverDocument, 0, len(open))
	for _, o := range open {
		switch {
		case o.ID != id:
			docs = append(docs, o.document())
		case d != nil:
			docs = append(docs, *d)
		}
	}
	return putHandovers(tx, docs)
}

// handedOver keeps a sheet that both have signed, for ever, and writes it into
// the log book.
func (s *Station) handedOver(tx Tx, now time.Time, actor Actor, d handoverDocument) (Handover, error) {
	h, err := s.handoverOf(d)
	if err != nil {
		return h, err
	}
	if err := s.replaceOpen(tx, now, h.ID, nil); err != nil {
		return h, err
	}
	text, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		return h, err
	}
	// The line names the whole digest, so that its chain covers what was signed.
	line := watch.LogEntry{At: second(now), Kind: watch.LogHandover, Officer: actor.Name, Ref: h.Sheet.Digest().String(),
		Remark: watch.Remark{Language: "en", Text: fmt.Sprintf("desk %s handed over, signed by %s", h.Sheet.Desk, strings.Join(h.Signers, " and "))}}
	if _, err := s.writeLine(tx, actor.Name, line); err != nil {
		return h, err
	}
	return h, errors.Join(tx.PutSetting(settingSigned+h.ID.String(), text), s.event(tx, now, "handover", h.ID.String(), line.Remark.Text))
}
