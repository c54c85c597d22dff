package station

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
)

// maxEvidence is how many pieces of evidence of one kind are kept against the
// counterpart of a line. One proves as much as many, and a counterpart that
// contradicts itself anew each second must not fill the disk.
const maxEvidence = 64

// contradictionError says that a counterpart has shown two signed texts that do
// not go together.
type contradictionError struct {
	journal.Contradiction
	on  identity.Line
	why string
}

func (e *contradictionError) Error() string { return e.why }

// Is makes it a refusal.
func (e *contradictionError) Is(target error) bool { return target == ErrRefused }

// putEvidence keeps a piece of evidence, with an alarm and a line of the audit
// trail. What says the same again, and more than maxEvidence of a kind, change
// nothing.
func (s *Station) putEvidence(tx Tx, now time.Time, e Evidence) error {
	held, err := tx.Evidences(0)
	if err != nil {
		return err
	}
	n := 0
	for _, h := range held {
		if h.Kind != e.Kind || h.Line != e.Line {
			continue
		}
		if n++; n >= maxEvidence || h.Summary == e.Summary {
			return nil
		}
	}
	if err := tx.PutEvidence(e); err != nil {
		return err
	}
	if err := s.event(tx, now, "alarm", e.Line.String(), e.Summary); err != nil {
		return err
	}
	against := Actor{Name: string(e.Line.Other(s.name))}
	return s.audit(tx, now, against, e.Kind, e.Line.String(), "refused", e.Summary)
}

// keepFork keeps two contradicting heads of a counterpart's log as evidence.
func (s *Station) keepFork(ctx context.Context, now time.Time, fork *journal.ForkError) error {
	file, err := journal.MarshalFork(fork.Fork)
	if err != nil {
		return err
	}
	return s.update(context.WithoutCancel(ctx), now, func(tx Tx) error {
		return s.putEvidence(tx, now, Evidence{Kind: "fork", Line: fork.Origin.Line(), At: second(now), Summary: fork.Error(), File: file})
	})
}

// keepContradiction keeps what a counterpart contradicted itself with.
func (s *Station) keepContradiction(ctx context.Context, now time.Time, c *contradictionError) error {
	return s.update(context.WithoutCancel(ctx), now, func(tx Tx) error {
		return s.putContradiction(tx, now, c.Contradiction, c.on, c.why)
	})
}

func (s *Station) putContradiction(tx Tx, now time.Time, c journal.Contradiction, l identity.Line, summary string) error {
	file, err := journal.MarshalContradiction(c)
	if err != nil {
		return err
	}
	return s.putEvidence(tx, now, Evidence{Kind: c.Kind, Line: l, At: second(now), Summary: summary, File: file})
}

// keepTimes keeps two cosignatures of a counterpart over one own log whose
// seconds do not go together: two over one size, or one that falls as sizes grow.
// Each by itself is a receipt all the same: it says that the entries are held.
func (s *Station) keepTimes(tx Tx, now time.Time, a, b journal.Cosignature) error {
	if a.Size > b.Size {
		a, b = b, a
	}
	note := func(c journal.Cosignature) []byte { return append(bytes.Clone(c.Checkpoint), c.Lines...) }
	l := a.Origin.Line()
	summary := fmt.Sprintf("%s receipted %s at size %d at %s, and at size %d at %s", a.By, a.Origin, a.Size, a.At.Format(time.RFC3339), b.Size, b.At.Format(time.RFC3339))
	return s.putContradiction(tx, now, journal.Contradiction{Kind: journal.ContradictsTimes, Who: l.Other(s.name), A: note(a), B: note(b)}, l, summary)
}

// keepWithheld keeps, as evidence, that a counterpart whose own log grows leaves
// an offered entry without a receipt: once an entry, and only where the file
// verifies, which it does once the counterpart has signed a head later than the
// one that was offered.
func (s *Station) keepWithheld(tx Tx, now time.Time, l identity.Line) error {
	row, err := tx.Line(l)
	if err != nil {
		return err
	}
	own, theirs := l.Log(s.name, max(row.SendEra, 1)), s.mirrored(row)
	from, err := s.acked(tx, own)
	if err != nil {
		return err
	}
	if kept, err := withheldKept(tx, own, from); err != nil || kept {
		return err
	}
	mine, _, err := tx.Log(own)
	if err != nil {
		return err
	}
	other, _, err := tx.Log(theirs)
	if err != nil {
		return err
	}
	w := journal.Withheld{Offered: mine.Checkpoint, From: from, Alive: other.Checkpoint}
	if !s.shows(w, own, theirs) {
		return nil
	}
	file, err := journal.MarshalWithheld(w)
	if err != nil {
		return err
	}
	summary := fmt.Sprintf("receipt withheld: entry %d of %s was offered and not receipted, while the counterpart's own log grew", from, own)
	return s.putEvidence(tx, now, Evidence{Kind: "withheld", Line: l, At: second(now), Summary: summary, File: file})
}

// withheldKept reports whether evidence is kept of the receipt of an entry.
func withheldKept(tx Tx, own identity.Origin, from int64) (bool, error) {
	held, err := tx.Evidences(0)
	if err != nil {
		return false, err
	}
	for _, e := range held {
		w, err := journal.ParseWithheld(e.File)
		if err != nil || w.From != from {
			continue
		}
		if offered, _, err := w.Origins(); err == nil && offered == own {
			return true, nil
		}
	}
	return false, nil
}

// shows reports whether evidence of a withheld receipt verifies.
func (s *Station) shows(w journal.Withheld, own, theirs identity.Origin) bool {
	mine, err := s.logKey(own)
	if err != nil {
		return false
	}
	other, err := s.logKey(theirs)
	if err != nil {
		return false
	}
	_, _, err = w.Verify(mine, other)
	return err == nil
}
