package station

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/treaty"
)

// AgreementQuery says which agreements are asked about. The zero value asks about
// all of all lines, as of now.
type AgreementQuery struct {
	Line identity.Line // if zero, all lines
	At   time.Time     // the second as of which; if zero, now
}

// Standing is how an agreement stands on a line: one whose text anybody signed.
type Standing struct {
	Line identity.Line
	treaty.Standing
}

// GuaranteeStanding is how an exchange of notes of guarantee stands on a line.
type GuaranteeStanding struct {
	Line     identity.Line
	Citation string // of the first note
	treaty.Exchanged
}

// AgreementView is what binds the two sides of lines, and how that stands.
type AgreementView struct {
	At         time.Time
	Agreements []Standing
	Guarantees []GuaranteeStanding
}

// AgreementState says what both sides owe each other by the agreements in force,
// until when and under which article, what was met, late, missed, suspended or
// disputed, which windows are open and which guarantees in force, as of a second.
// Only the record counts, so both sides and an arbiter come to the same. An
// agreement is in force where both sides signed one hash, by its rule, and its
// text lies in the station; without one nothing is owed by any, and everything
// else works as it does. That it was read is noted in the audit trail.
func (s *Station) AgreementState(ctx context.Context, actor Actor, now time.Time, q AgreementQuery) (AgreementView, error) {
	const act = "agreement status"
	if err := actor.must("see what is owed by agreements", RoleRead); err != nil {
		return AgreementView{}, s.refused(ctx, now, actor, act, "", err)
	}
	v := AgreementView{At: asked(q.At, now)}
	err := s.eachLine(ctx, q.Line, func(tx Tx, m *Matters, l identity.Line) error {
		a, err := s.keepAccount(ctx, tx, m, l)
		if err != nil {
			return fmt.Errorf("line %s: %w", l, err)
		}
		kept, _, err := keptTexts(tx)
		if err != nil {
			return err
		}
		for _, st := range a.standings(kept, v.At) {
			v.Agreements = append(v.Agreements, Standing{l, st})
		}
		for _, x := range a.said.Guarantees(v.At) {
			v.Guarantees = append(v.Guarantees, GuaranteeStanding{l, s.Cite(x.Place.Origin, x.Place.Index), x})
		}
		return nil
	})
	if err := s.looked(ctx, now, actor, act, lineOrAll(q.Line), "as of "+v.At.Format(time.RFC3339), err); err != nil {
		return AgreementView{}, err
	}
	return v, nil
}

func lineOrAll(l identity.Line) string {
	if l == (identity.Line{}) {
		return ""
	}
	return l.String()
}

// standings says how the signing of each text, and its agreement, stand as of a
// second.
func (a *account) standings(kept []keptText, at time.Time) (list []treaty.Standing) {
	for _, sig := range a.said.Signings() {
		st := sig.Standing(slices.ContainsFunc(kept, func(k keptText) bool { return k.Hash == sig.Text.String() }), at)
		for _, k := range a.kept {
			if slices.Contains(k.Hashes, sig.Text) {
				st.Name, st.State = k.Agreement, k.ledger.At(at)
			}
		}
		list = append(list, st)
	}
	return list
}

// ObligationName names an obligation for ever, as ExplainObligation reads it: the
// duty, whose it is, the message that triggered it and the period, with commas.
// What is absent is a dash.
func ObligationName(k treaty.Key) string {
	by, of, period := string(k.By), "-", "-"
	if by == "" {
		by = "-"
	}
	if k.Of != (message.ID{}) {
		of = k.Of.String()
	}
	if k.Period > 0 {
		period = strconv.Itoa(k.Period)
	}
	return strings.Join([]string{k.Duty, by, of, period}, ",")
}

// readKey reads what ObligationName writes.
func readKey(name string) (k treaty.Key, err error) {
	f := strings.Split(name, ",")
	if len(f) != 4 || f[0] == "" {
		return k, fmt.Errorf("%w: %.80q names no obligation: take its name from `detente agreement owed --json`", ErrInvalid, name)
	}
	k.Duty = f[0]
	if f[1] != "-" {
		k.By = identity.Party(f[1])
	}
	if f[2] != "-" {
		if k.Of, err = message.ParseID(f[2]); err != nil {
			return k, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	if f[3] != "-" {
		if k.Period, err = strconv.Atoi(f[3]); err != nil || k.Period < 1 {
			return k, fmt.Errorf("%w: %.20q is no number of a period", ErrInvalid, f[3])
		}
	}
	return k, nil
}

// ExplainedObligation is one obligation, and step by step why it stands so.
type ExplainedObligation struct {
	Line       identity.Line
	Agreement  string
	At         time.Time
	Obligation treaty.Obligation // of a period that stands in a row of its like: that row
	Steps      []treaty.Step
	Citations  map[message.ID]string // of the messages that the steps name
}

// ExplainObligation says step by step why an obligation stands as it does as of a
// second. It is named as ObligationName names it. Where no agreement in force on
// the lines asked about makes such a one, the error is ErrNotFound. That it was
// read is noted in the audit trail.
func (s *Station) ExplainObligation(ctx context.Context, actor Actor, now time.Time, q AgreementQuery, name string) (ExplainedObligation, error) {
	const act = "agreement explain"
	if err := actor.must("see what is owed by agreements", RoleRead); err != nil {
		return ExplainedObligation{}, s.refused(ctx, now, actor, act, name, err)
	}
	key, err := readKey(name)
	if err != nil {
		return ExplainedObligation{}, s.refused(ctx, now, actor, act, name, err)
	}
	x := ExplainedObligation{At: asked(q.At, now), Citations: make(map[message.ID]string)}
	err = s.eachLine(ctx, q.Line, func(tx Tx, m *Matters, l identity.Line) error {
		a, err := s.keepAccount(ctx, tx, m, l)
		if err != nil || x.Steps != nil {
			return err
		}
		for _, k := range a.kept {
			steps := k.ledger.Explain(key, x.At)
			if steps == nil {
				continue
			}
			x.Line, x.Agreement, x.Steps = l, k.Agreement, steps
			for _, o := range k.ledger.At(x.At).Obligations {
				if o.Duty == key.Duty && o.By == key.By && o.Of == key.Of && o.Period <= key.Period && key.Period <= o.Period+max(o.Periods-1, 0) {
					x.Obligation = o
				}
			}
			return s.citeSteps(tx, &x)
		}
		return nil
	})
	if err == nil && x.Steps == nil {
		err = fmt.Errorf("%w: by the agreements in force, as of %s nothing is owed that is named %s: see `detente agreement owed --all --json`", ErrNotFound, x.At.Format(time.RFC3339), name)
	}
	if err := s.looked(ctx, now, actor, act, name, "as of "+x.At.Format(time.RFC3339), err); err != nil {
		return ExplainedObligation{}, err
	}
	return x, nil
}

func (s *Station) citeSteps(tx Tx, x *ExplainedObligation) error {
	for _, step := range x.Steps {
		if step.Of == (message.ID{}) {
			continue
		}
		msg, err := tx.MessageByID(step.Of)
		if err != nil {
			return err
		}
		x.Citations[step.Of] = s.Cite(msg.Origin, msg.Index)
	}
	return nil
}
