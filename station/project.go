package station

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
)

// project writes what an entry of either log means into the tables: the
// message, the receipts it lists, the release policy it sets. It is the one
// way in which those tables are filled, live and on rebuilding.
func (s *Station) project(tx Tx, o identity.Origin, index int64, e message.Entry, plain []byte, problem, field string) error {
	b := e.Body.Body()
	m := Message{
		Origin: o, Index: index, ID: b.ID, Format: b.Format, Precedence: b.Precedence, At: e.Wrapper.At, Plain: plain,
		Refs: b.Refs, Provisional: e.Wrapper.Provisional, Problem: problem, Field: field,
	}
	if err := tx.PutMessage(m); err != nil {
		return err
	}
	if problem == problemUnreadable {
		return nil
	}
	if err := s.projectReceipts(tx, o, index, e.Wrapper); err != nil {
		return err
	}
	if problem == "" && (b.Format == "001" || b.Format == editionAdopted) {
		return s.noteSpoken(tx, o, index, b)
	}
	if problem == "" && b.Format == "005" {
		policy, err := message.PolicyOf(b)
		if err != nil {
			return fmt.Errorf("release policy in entry %d of %s: %w", index, o, err)
		}
		return errors.Join(tx.PutSetting("policy/"+o.String(), policy.Bytes()), notePolicy(tx, o, index))
	}
	return nil
}

// projectUnread notes an entry that could not be opened.
func (s *Station) projectUnread(tx Tx, o identity.Origin, index int64, in incoming) error {
	return tx.PutMessage(Message{Origin: o, Index: index, Plain: in.plain, Problem: in.problem, Field: in.field})
}

// projectReceipts notes the receipts that a wrapper lists: those its author
// gave, those it holds, and what it has seen.
func (s *Station) projectReceipts(tx Tx, o identity.Origin, index int64, w message.Wrapper) error {
	other := func(era identity.Era) identity.Origin { return o.Line().Log(o.Reader, era) }
	put := func(l Listed) error {
		l.By, l.Index = o, index
		return tx.PutListed(l)
	}
	if w.Seen.Size > 0 {
		if err := put(Listed{Origin: other(w.Seen.Era), Size: w.Seen.Size, At: w.At, Seen: true}); err != nil {
			return err
		}
	}
	for _, r := range w.Receipts {
		if err := put(Listed{Origin: other(r.Era), Size: r.Size, At: r.At}); err != nil {
			return err
		}
	}
	for _, h := range w.Held {
		at, err := s.heldSecond(o, h)
		if err != nil {
			continue // it proves nothing, so it counts for nothing
		}
		if err := put(Listed{Origin: o.Line().Log(o.Writer, h.Era), Size: h.Size, At: at}); err != nil {
			return err
		}
	}
	return nil
}

// heldSecond verifies a cosignature that the writer of o holds of its reader
// and returns its second.
func (s *Station) heldSecond(o identity.Origin, h message.Held) (time.Time, error) {
	card := s.own.Load().Card
	if o.Reader != s.name {
		p, err := s.peerNamed(o.Reader)
		if err != nil {
			return time.Time{}, err
		}
		card = p.Card
	}
	head := journal.Head{Origin: o.Line().Log(o.Writer, h.Era), Size: h.Size, Root: [32]byte(h.Root)}
	c, err := journal.OpenCosignature(card.CosignerName(), card.Cosigner, head, []byte(h.Lines))
	if err != nil {
		return time.Time{}, err
	}
	return c.At, nil
}

// refuse answers an entry that could not be accepted with a message of format
// 002, unless the entry is such an answer itself.
func (s *Station) refuse(tx Tx, now time.Time, o identity.Origin, index int64, in incoming, problem, field string) error {
	if in.problem == "" && in.entry.Body.Body().Format == "002" {
		return nil
	}
	params := map[string]any{"era": o.Era, "index": index, "reason": problem}
	if field = quotable(field); field != "" {
		params["field"] = field
	}
	return s.service(tx, now, o.Line(), "002", nil, params)
}

// maxField is the longest name of a field that a message of format 002 holds.
const maxField = 200

// quotable makes a name that a counterpart chose fit to stand in a message of
// this station's own: an answer that could not be written would stop the entry
// that it answers. Anything but printable ASCII becomes a question mark.
func quotable(field string) string {
	field = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, field[:min(len(field), 4*maxField)])
	return strings.TrimSpace(field[:min(len(field), maxField)])
}

// service puts a message of the station's own into the queue of a line. Where
// the release policy asks officers for it, it waits for them: what it answers is
// not held up by that.
func (s *Station) service(tx Tx, now time.Time, l identity.Line, f message.Format, refs []message.ID, params map[string]any) error {
	return s.serviceAs(tx, now, l, f, serviceDraft{Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"}, Refs: refs}, params)
}

// serviceDraft is how a message of the station's own goes.
type serviceDraft struct {
	Precedence message.Precedence
	Marking    message.Marking
	Refs       []message.ID
}

// serviceAs is service with the precedence and marking of what it is about.
func (s *Station) serviceAs(tx Tx, now time.Time, l identity.Line, f message.Format, d serviceDraft, params map[string]any) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	request, err := s.newID()
	if err != nil {
		return err
	}
	values, err := paramValues(params)
	if err != nil {
		return err
	}
	frozen, err := s.freeze(now, Draft{
		ID: id, Line: l, Format: f, Precedence: d.Precedence, Marking: d.Marking, Language: "en", Refs: d.Refs, Params: values,
	})
	if err != nil {
		return fmt.Errorf("internal error: service message %s: %w", f, err)
	}
	// Where the release policy asks officers for it, it waits for them: the
	// counterpart's entry that calls for it is taken all the same.
	_, err = s.enqueue(tx, now, frozen, request)
	return err
}

// paramValues turns plain Go values into the parameters of a body.
func paramValues(params map[string]any) (map[string]jsontext.Value, error) {
	values := make(map[string]jsontext.Value, len(params))
	for name, v := range params {
		text, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		values[name] = text
	}
	return values, nil
}
