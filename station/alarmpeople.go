package station

import (
	"encoding/json/v2"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// peopleLook is what the alarms know of people: how the counterparts' desks are
// manned by their own word, the directories, and which sheets were signed. It is
// read when something came, and not when time passes.
type peopleLook struct {
	heads       map[identity.Line]lineHeads // as of which each line was read
	desks       map[identity.Line]spokenDesk
	directories map[identity.Station]directoryOf
	sheets      map[int64]string // the desks of signed sheets, by line of the log book
}

// directoryOf is a counterpart's directory, and the line that speaks for it.
type directoryOf struct {
	line identity.Line
	watch.Directory
}

// spokenDesk is what a counterpart said of its desk last, if anything.
type spokenDesk struct {
	said bool
	word watch.DeskStatus
}

func newPeopleLook() *peopleLook {
	return &peopleLook{heads: make(map[identity.Line]lineHeads), desks: make(map[identity.Line]spokenDesk),
		directories: make(map[identity.Station]directoryOf), sheets: make(map[int64]string)}
}

// peoplePage is how many messages more of a log one step reads after a start: a
// tick of a tenth of a second or two.
const peoplePage = 5000

// lookAtPeople reads what a line says of people, where anything came. tx has to
// be of a View.
func (s *Station) lookAtPeople(tx Tx, row Line, heads lineHeads, now time.Time) error {
	k := s.watching.people
	if before, ok := k.heads[row.Line]; ok && before == heads {
		return nil
	}
	more, err := s.readSome(tx, row, now, peoplePage)
	if err != nil || more {
		return err
	}
	said, _, err := s.record(tx, row, now)
	if err != nil {
		return err
	}
	peer := row.Line.Other(s.name)
	word, ok := watch.FoldDesk(plainSaid(said), peer, row.Line)
	k.desks[row.Line] = spokenDesk{ok, word}
	all, err := s.saidWith(tx, peer, now)
	if err != nil {
		return err
	}
	// An alarm's key names one line: always the same one of a counterpart.
	on := row.Line
	if before, ok := k.directories[peer]; ok {
		on = before.line
	}
	if l, err := identity.NewLine(s.name, peer, identity.Notification); err == nil {
		if _, err := tx.Line(l); err == nil {
			on = l
		}
	}
	k.directories[peer] = directoryOf{on, watch.FoldDirectory(all)}
	k.heads[row.Line] = heads
	return nil
}

// whole reports whether all lines were read: after a start that takes a few
// steps.
func (k *peopleLook) whole(rows []Line) bool {
	return !slices.ContainsFunc(rows, func(r Line) bool { _, ok := k.heads[r.Line]; return !ok })
}

// contactConditions returns the contacts that somebody has to look after. While
// not all lines are read, the alarms that stand stay.
func (s *Station) contactConditions(rows []Line, now time.Time) []watch.Condition {
	k := s.watching.people
	if !k.whole(rows) {
		return s.watching.stood(func(key watch.Key) bool { return key.Kind == watch.ContactStale })
	}
	return k.contacts(s.name, now)
}

// deskConditions returns what is wrong with the counterpart's desk on a line. A
// counterpart that never said a word of its desk has an alarm of its own once it
// is silent.
func (s *Station) deskConditions(l identity.Line, now time.Time) []watch.Condition {
	d, read := s.watching.people.desks[l]
	if !read {
		return s.watching.stood(func(key watch.Key) bool { return key.Kind == watch.UnmannedDesk && key.Line == l })
	}
	if !d.said {
		return nil
	}
	if c, ok := d.word.Condition(l, second(now)); ok {
		return []watch.Condition{c}
	}
	return nil
}

// contacts returns the contacts that somebody has to look after: own ones, each
// once though several counterparts know it, and those of counterparts.
func (k *peopleLook) contacts(own identity.Station, now time.Time) []watch.Condition {
	var out []watch.Condition
	known := make(map[watch.Key]int)
	for _, peer := range slices.Sorted(maps.Keys(k.directories)) {
		d := k.directories[peer]
		theirs := d.Conditions(peer, second(now))
		for i := range theirs {
			theirs[i].Line = d.line
		}
		for _, c := range append(d.Conditions(own, second(now)), theirs...) {
			if i, ok := known[c.Key]; ok {
				if c.Since.Before(out[i].Since) {
					out[i] = c
				}
				continue
			}
			known[c.Key] = len(out)
			out = append(out, c)
		}
	}
	return out
}

// signedSince is how far back signed sheets are looked for: a change of officers
// is an alarm for a day, and a sheet signed a little early counts.
const signedSince = 25 * time.Hour

// signedSheets returns, by desk, the seconds at which handovers of the last day
// were signed.
func (s *Station) signedSheets(tx Tx, now time.Time) (map[string][]time.Time, error) {
	lines, err := tx.LogLines(LogQuery{From: now.Add(-signedSince), Kind: string(watch.LogHandover)}, maxLogPage)
	if err != nil {
		return nil, err
	}
	known, signed := s.watching.people.sheets, make(map[string][]time.Time)
	sheets := make(map[int64]string, len(lines))
	for _, l := range lines {
		desk, ok := known[l.Number]
		if !ok {
			if desk, err = signedDesk(tx, l); err != nil {
				return nil, err
			}
		}
		sheets[l.Number] = desk
		signed[desk] = append(signed[desk], l.At)
	}
	s.watching.people.sheets = sheets
	return signed, nil
}

// signedDesk returns the desk of the sheet that a line of the log book says was
// signed by both; empty where the line is of another kind.
func signedDesk(tx Tx, l LogLine) (string, error) {
	e, err := watch.ParseLogLine(l.Text)
	if err != nil {
		return "", fmt.Errorf("internal error: log book line %d: %w", l.Number, err)
	}
	id, err := message.ParseID(e.Ref[:min(len(e.Ref), 32)])
	if err != nil {
		return "", nil //nolint:nilerr // an officer wrote it by hand
	}
	text, err := tx.Setting(settingSigned + id.String())
	if err != nil || text == nil {
		return "", err
	}
	var d handoverDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return "", fmt.Errorf("internal error: handover %s: %w", id, err)
	}
	sheet, err := watch.ParseSheet(d.Sheet)
	return sheet.Desk, err
}
