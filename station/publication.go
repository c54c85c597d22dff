package station

import (
	"cmp"
	"context"
	"encoding/json/v2"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/seal"
)

// Redaction is what is left of a message where parameters give way to digests of
// them. Both ends make the same.
type Redaction struct {
	Citation string
	Text     []byte          // as a publication shows it
	Digest   identity.Digest // by which proposal and answer name it, in texts
}

// Redact returns a message's text without the values of parameters, to be named
// in a proposal to publish it and compared before an answer. ErrInvalid where the
// message has not one of them.
func (s *Station) Redact(ctx context.Context, actor Actor, now time.Time, text string, fields []string) (Redaction, error) {
	var out Redaction
	err := actor.must("redact a message", RoleRead, RoleDraft)
	if err == nil {
		err = s.store.View(ctx, func(tx Tx) error {
			id, err := message.ParseID(text)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrInvalid, err)
			}
			m, err := tx.MessageByID(id)
			if err != nil {
				return err
			}
			r, err := s.readable(tx, actor, m)
			if err != nil {
				return err
			}
			out, err = s.redact(tx, r, fields)
			return err
		})
	}
	if err := s.looked(ctx, now, actor, "redact", quotable(text), out.Digest.String(), err); err != nil {
		return Redaction{}, err
	}
	return out, nil
}

func (s *Station) redact(tx Tx, r Read, fields []string) (out Redaction, err error) {
	if closed, err := s.closed(tx, r.Message); err != nil {
		return out, err
	} else if closed {
		return out, fmt.Errorf("%w: %s was said without prejudice, and is not published in any form that shows of it", ErrRefused, r.Citation)
	}
	if len(fields) == 0 {
		return out, fmt.Errorf("%w: name at least one parameter that gives way", ErrInvalid)
	}
	sealed, err := tx.Entry(r.Message.Origin, r.Message.Index)
	if err != nil {
		return out, err
	}
	_, key, err := seal.Open(sealed, s.identities(r.Message.Origin.Writer == s.name)...)
	if err != nil {
		return out, fmt.Errorf("%s: %w", r.Citation, err)
	}
	text, err := record.Redact(r.Citation, r.Entry.Body, key, fields)
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return Redaction{Citation: r.Citation, Text: text, Digest: identity.Sum(text)}, nil
}

// exportPublication lists what a proposal and the answers to it let be published,
// and in which form. It refuses what neither side may publish yet.
func (s *Station) exportPublication(tx Tx, actor Actor, now time.Time, text string) (o record.Options, err error) {
	o.Kind = record.Publication
	said, err := s.consents(tx, text)
	if err != nil {
		return o, err
	}
	var given record.Consents
	proposal := said[0].Entry.Body.Body().ID
	open := make(map[record.Entry]bool) // disclosed whole
	hide := make(map[record.Entry][]string)
	for _, r := range said {
		e := record.Entry{Origin: r.Message.Origin, Index: r.Message.Index}
		given.Add(r.Entry.Body.Body())
		o.Entries, open[e] = append(o.Entries, e), true
	}
	some := false
	for _, cite := range given.Serials(proposal) {
		c := given.Of(cite)
		if c.Form == record.FormNone {
			continue // refused, or not answered
		}
		if at, err := time.Parse(time.RFC3339, c.At); err != nil || now.Before(at) {
			return o, fmt.Errorf("%w: both named %s as the date of publication; wait until then, or propose another", ErrRefused, quotable(c.At))
		}
		r, err := s.citedOn(tx, actor, said[0].Message.Origin.Line(), cite)
		if err != nil {
			return o, err
		}
		if closed, err := s.closed(tx, r.Message); err != nil {
			return o, err
		} else if closed {
			return o, fmt.Errorf("%w: %s was said without prejudice, and no record discloses it; propose the publication without it", ErrRefused, cite)
		}
		e := record.Entry{Origin: r.Message.Origin, Index: r.Message.Index}
		if o.Entries, some = append(o.Entries, e), true; c.Form == record.FormFull {
			open[e] = true
		}
		if c.Form == record.FormRedacted {
			is, err := s.redact(tx, r, c.Fields)
			if err != nil {
				return o, err
			}
			if is.Digest.String() != c.Text {
				return o, fmt.Errorf("%w: the redacted text of %s is not the one that both sides named: compare it with `detente record redact`, and propose again with its digest in texts", ErrRefused, cite)
			}
			hide[e] = c.Fields
		}
	}
	if !some {
		return o, fmt.Errorf("%w: the other side has consented to the publication of none of the messages: silence is no consent; wait for its answer, or propose again", ErrRefused)
	}
	slices.SortFunc(o.Entries, func(a, b record.Entry) int {
		return cmp.Or(cmp.Compare(a.Origin.String(), b.Origin.String()), cmp.Compare(a.Index, b.Index))
	})
	o.Disclose = func(e record.Entry) bool { return open[e] }
	o.Redacted = func(e record.Entry) []string { return hide[e] }
	return o, nil
}

// consents returns a proposal of a publication and the answers to it that stand,
// the proposal first. What its author recalled no longer stands.
func (s *Station) consents(tx Tx, text string) ([]Read, error) {
	id, err := message.ParseID(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m, err := tx.MessageByID(id)
	if err != nil {
		return nil, err
	}
	if m.Format != record.ProposePublication {
		return nil, fmt.Errorf("%w: message %s is no proposal of a publication (format %s)", ErrInvalid, id, record.ProposePublication)
	}
	if gone, err := s.recalled(tx, m); err != nil {
		return nil, err
	} else if gone {
		return nil, fmt.Errorf("%w: the proposal was recalled by its author: nothing may be published by it", ErrRefused)
	}
	said := []Read{s.opened(m)}
	referring, err := tx.Referring(id)
	if err != nil {
		return nil, err
	}
	for _, r := range referring {
		if r.Format != record.AnswerPublication || r.Problem != "" || r.Origin.Writer == m.Origin.Writer {
			continue
		}
		gone, err := s.recalled(tx, r)
		if err != nil {
			return nil, err
		}
		if !gone {
			said = append(said, s.opened(r))
		}
	}
	slices.SortStableFunc(said[1:], func(a, b Read) int {
		return cmp.Or(cmp.Compare(a.Message.Origin.Era, b.Message.Origin.Era), cmp.Compare(a.Message.Index, b.Message.Index))
	})
	return said, nil
}

// recalled reports whether a message's own author recalled it.
func (s *Station) recalled(tx Tx, m Message) (bool, error) {
	referring, err := tx.Referring(m.ID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(referring, func(r Message) bool {
		var kind string
		return r.Format == "019" && r.Origin.Writer == m.Origin.Writer && json.Unmarshal(s.opened(r).Entry.Body.Body().Params["kind"], &kind) == nil && kind == "recall"
	}), nil
}

// citedOn finds a message of a line by its citation.
func (s *Station) citedOn(tx Tx, actor Actor, l identity.Line, cite string) (Read, error) {
	row, err := tx.Line(l)
	if err != nil {
		return Read{}, err
	}
	c, err := message.ParseCitation(cite)
	if err != nil {
		return Read{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, o := range s.logsOf(row) {
		if s.Cite(o, c.Index) != cite {
			continue
		}
		m, err := tx.Message(o, c.Index)
		if err != nil {
			return Read{}, fmt.Errorf("message %s: %w", cite, err)
		}
		return s.readable(tx, actor, m)
	}
	return Read{}, fmt.Errorf("message %s: %w: the line has none of that citation", quotable(cite), ErrNotFound)
}
