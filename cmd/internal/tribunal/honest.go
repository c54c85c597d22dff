package tribunal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"detente/record"
	"detente/station"
	"detente/station/stationtest"
)

// bases are the records that frauds are planted in.
type bases struct{ plain, eras *copyOf }

// honestCases plays the honest stories.
func honestCases(ctx context.Context, dir string) (list []Case, base bases, err error) {
	add := func(name string, c *copyOf, file []byte, want Want) {
		list = append(list, Case{Name: name, File: file, Roots: c.roots(), Want: want})
	}
	valid := Want{Verdict: record.Valid, Claims: 1}
	plain, err := played(ctx, filepath.Join(dir, "plain"), func(*stage) error { return nil })
	if err != nil {
		return nil, base, err
	}
	base.plain = plain.copy
	add("a whole line, disclosed", plain.copy, plain.file, valid)

	hidden := plain.copy.clone()
	hidden.hidden[record.Entry{Origin: hidden.own(), Index: 2}] = true // the letter, of which nobody speaks
	file, err := hidden.export()
	if err != nil {
		return nil, base, err
	}
	add("a line with an entry undisclosed", hidden, file, Want{Verdict: record.Indeterminate, Also: []string{"undisclosed", "policy-hidden"}, Claims: 1})

	eras, err := played(ctx, filepath.Join(dir, "eras"), func(s *stage) error { return s.newEra(ctx) })
	if err != nil {
		return nil, base, err
	}
	base.eras = eras.copy
	add("a line over two eras", eras.copy, eras.file, valid)

	late, err := played(ctx, filepath.Join(dir, "late"), func(s *stage) error { return s.disputed(ctx) })
	if err != nil {
		return nil, base, err
	}
	add("a receipt late and disputed", late.copy, late.file, valid)

	refused := plain.copy.clone()
	if err := refuse(refused); err != nil {
		return nil, base, err
	}
	if file, err = refused.export(); err != nil {
		return nil, base, err
	}
	add("an entry that its reader refused", refused, file, Want{Verdict: record.Indeterminate, Also: []string{"too-few"}, Claims: 1})
	return list, base, nil
}

// story is what a played line left.
type story struct {
	copy *copyOf
	file []byte
}

// played plays the common story, and what comes after it.
func played(ctx context.Context, dir string, more func(*stage) error) (out story, err error) {
	s, err := newStage(ctx, dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.story(ctx); err != nil {
		return out, err
	}
	if err := more(s); err != nil {
		return out, err
	}
	out.copy, out.file, err = s.taken(ctx)
	return out, err
}

// newEra lets Arden end its log and go on in the next.
func (s *stage) newEra(ctx context.Context) error {
	cards, key, err := s.a.Cast.NextEra(s.line.Log(arden, 1))
	if err != nil {
		return err
	}
	s.now = s.now.Add(10 * minute)
	if err := s.a.OpenEra(ctx, stationtest.Operator(), s.now, s.line, station.EraByChoice, cards, s.a.Cast.RootInfo.Key, key); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.say(ctx, "anew", s.a, 0, "600", nil, "text=with new keys"); err != nil {
		return err
	}
	return s.say(ctx, "seen anew", s.b, 0, "600", nil, "text=we see them")
}

// disputed lets a letter arrive hours late, and its writer dispute the second of
// the receipt.
func (s *stage) disputed(ctx context.Context) error {
	const late = 5 * time.Hour
	if err := s.say(ctx, "slow", s.a, late, "600", nil, "text=we wait"); err != nil {
		return err
	}
	got, err := s.a.ReadMessage(ctx, stationtest.Operator(), s.now, s.ids["slow"])
	if err != nil {
		return err
	}
	if err := s.say(ctx, "dispute", s.a, 0, "004", []string{"slow"}, "era=1", fmt.Sprintf("index=%d", got.Index), "receipt_by="+string(boreal),
		"receipt_time="+s.now.UTC().Format(time.RFC3339), "own_time="+s.now.Add(-late).UTC().Format(time.RFC3339), "basis=mirror"); err != nil {
		return err
	}
	return s.say(ctx, "noted", s.b, 0, "600", nil, "text=we note it")
}

// refuse writes an entry on one officer's approval where two are needed, and its
// reader's refusal of it.
func refuse(c *copyOf) error {
	b, err := c.body(c.theirs(), "600", nil, "text=in haste")
	if err != nil {
		return err
	}
	e, err := c.entry(c.theirs(), b)
	if err != nil {
		return err
	}
	e.Wrapper.Approvals = e.Wrapper.Approvals[:1]
	bad, err := c.write(c.theirs(), e)
	if err != nil {
		return err
	}
	no, err := c.body(c.own(), "002", nil, "era=1", fmt.Sprintf("index=%d", bad.Index), "reason=authority")
	if err != nil {
		return err
	}
	answer, err := c.entry(c.own(), no)
	if err != nil {
		return err
	}
	answer.Wrapper.Approvals = nil // a refusal needs nobody
	_, err = c.write(c.own(), answer)
	return err
}
