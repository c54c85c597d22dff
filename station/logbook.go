package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// Limits of the log book's use.
const (
	maxLogPage   = 500 // lines, or events, at once
	maxLogText   = watch.MaxRemark
	settingLog   = "watch/log" // up to where lines were written by themselves
	maxCallsSeen = 5000        // calls of a log book that are looked through for their confirmation
)

// LogEntry is a line of the log book as it is read.
type LogEntry struct {
	watch.LogEntry
	Actor string // whose token wrote it
	Text  []byte // its bytes, which the next line's hash covers
	Hash  identity.Digest
}

// writeLine puts a line at the end of the log book. Whoever writes for the
// station by itself gives its name as the actor.
func (s *Station) writeLine(tx Tx, actor string, e watch.LogEntry) (LogEntry, error) {
	before, err := lastEntry(tx)
	if err != nil {
		return LogEntry{}, err
	}
	return writeAfter(tx, before, actor, e)
}

// lastEntry returns the newest line, the zero value where there is none.
func lastEntry(tx Tx) (before watch.LogEntry, err error) {
	last, err := tx.LastLogLine()
	if err != nil || last.Number == 0 {
		return before, err
	}
	if before, err = watch.ParseLogLine(last.Text); err != nil {
		return before, fmt.Errorf("internal error: log book line %d: %w", last.Number, err)
	}
	return before, nil
}

// writeAfter puts a line behind the newest one.
func writeAfter(tx Tx, before watch.LogEntry, actor string, e watch.LogEntry) (LogEntry, error) {
	e = e.Chain(before)
	if err := e.Check(); err != nil {
		return LogEntry{}, err
	}
	l := LogLine{Number: e.Number, At: e.At, Kind: string(e.Kind), Actor: actor, Text: e.Bytes(), Hash: e.Digest()}
	return LogEntry{e, actor, l.Text, l.Hash}, tx.PutLogLine(l)
}

// WriteLog writes a remark into the log book. The officer is the actor, or,
// where an operator writes it down for somebody, that officer.
func (s *Station) WriteLog(ctx context.Context, actor Actor, now time.Time, officer, language, text string) (LogEntry, error) {
	return s.logged(ctx, actor, now, "log write", officer, watch.LogEntry{Kind: watch.LogRemark, Remark: watch.Remark{Language: langOf(language), Text: text}})
}

// LogCall writes a telephone call into the log book. It is listed as not
// confirmed until a written confirmation, format 025, stands in the record.
func (s *Station) LogCall(ctx context.Context, actor Actor, now time.Time, officer string, c watch.Call) (LogEntry, error) {
	if c.Language == "" {
		c.Language = langOf("")
	}
	if len(c.Officers) == 0 {
		if officer == "" {
			officer = actor.Name
		}
		c.Officers = []string{officer}
	}
	if c.Caller != s.name && c.Station != s.name {
		err := fmt.Errorf("%w: call: neither %s nor %s is this station, %s", ErrInvalid, c.Caller, c.Station, s.name)
		return LogEntry{}, s.refused(ctx, now, actor, "log call", officer, err)
	}
	if _, err := s.confirmation(c, identity.Line{}); err != nil {
		return LogEntry{}, s.refused(ctx, now, actor, "log call", officer, err)
	}
	return s.logged(ctx, actor, now, "log call", officer, watch.LogEntry{Kind: watch.LogCall, Call: &c})
}

func (s *Station) logged(ctx context.Context, actor Actor, now time.Time, act, officer string, e watch.LogEntry) (LogEntry, error) {
	if err := actor.must("write the log book", RoleWatch, RoleOperator); err != nil {
		return LogEntry{}, s.refused(ctx, now, actor, act, officer, err)
	}
	var out LogEntry
	err := s.update(ctx, now, func(tx Tx) (err error) {
		e.At = second(now)
		if e.Officer, err = s.writer(tx, actor, officer); err != nil {
			return err
		}
		if out, err = s.writeLine(tx, actor.Name, e); err != nil {
			return invalid(err)
		}
		return s.audit(tx, now, actor, act, fmt.Sprint(out.Number), "done", "")
	})
	if err != nil {
		return LogEntry{}, s.refused(ctx, now, actor, act, officer, err)
	}
	return out, nil
}

// Log lists lines of the log book, by number.
func (s *Station) Log(ctx context.Context, actor Actor, now time.Time, q LogQuery, limit int) ([]LogEntry, error) {
	if err := actor.must("read the log book", RoleWatch, RoleRead, RoleAudit); err != nil {
		return nil, s.refused(ctx, now, actor, "log list", "", err)
	}
	if q.Kind != "" && !slices.Contains(watch.LogKinds(), watch.LogKind(q.Kind)) {
		return nil, s.refused(ctx, now, actor, "log list", "", fmt.Errorf("%w: kind: %q is none of %v", ErrInvalid, q.Kind, watch.LogKinds()))
	}
	var all []LogEntry
	err := s.update(ctx, now, func(tx Tx) error {
		if err := s.writeEvents(tx, now); err != nil {
			return err
		}
		lines, err := tx.LogLines(q, limit)
		if err != nil {
			return err
		}
		if all, err = readLines(lines); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "log list", "", "done", fmt.Sprintf("%d lines", len(all)))
	})
	return all, err
}

func readLines(lines []LogLine) ([]LogEntry, error) {
	all := make([]LogEntry, 0, len(lines))
	for _, l := range lines {
		e, err := watch.ParseLogLine(l.Text)
		if err != nil {
			return nil, fmt.Errorf("internal error: log book line %d: %w", l.Number, err)
		}
		all = append(all, LogEntry{e, l.Actor, l.Text, l.Hash})
	}
	return all, nil
}

// CheckLog reads the whole log book and returns how many lines it has, and an
// error that names the first line that does not follow from the one before it.
func (s *Station) CheckLog(ctx context.Context, actor Actor, now time.Time) (n int64, err error) {
	if err := actor.must("check the log book", RoleWatch, RoleRead, RoleAudit); err != nil {
		return 0, s.refused(ctx, now, actor, "log check", "", err)
	}
	err = s.store.View(ctx, func(tx Tx) error {
		var before watch.LogEntry
		for {
			lines, err := tx.LogLines(LogQuery{After: n}, maxLogPage)
			if err != nil || len(lines) == 0 {
				return err
			}
			for _, l := range lines {
				e, err := watch.ParseLogLine(l.Text)
				if err != nil {
					return fmt.Errorf("log book line %d: %w", l.Number, err)
				}
				if err := watch.CheckChain(before, []watch.LogEntry{e}); err != nil {
					return err
				}
				if l.Number != e.Number || l.Hash != e.Digest() || !l.At.Equal(e.At) || l.Kind != string(e.Kind) {
					return fmt.Errorf("log book line %d: what it is searched by is not what it says: compare with a backup", l.Number)
				}
				before, n = e, e.Number
			}
		}
	})
	if err == nil {
		err = s.noted(ctx, now, actor, "log check", "", fmt.Sprintf("%d lines", n))
	}
	return n, err
}

// UnconfirmedCalls lists the telephone calls of the log book that no written
// confirmation of either side speaks of.
func (s *Station) UnconfirmedCalls(ctx context.Context, actor Actor, now time.Time) ([]watch.LogEntry, error) {
	if err := actor.must("read the log book", RoleWatch, RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, "log calls", "", err)
	}
	var all []watch.LogEntry
	err := s.store.View(ctx, func(tx Tx) (err error) {
		all, err = s.unconfirmed(tx, now)
		return err
	})
	if err == nil {
		err = s.noted(ctx, now, actor, "log calls", "", fmt.Sprintf("%d calls", len(all)))
	}
	return all, err
}

// unconfirmed holds the calls up to the record of the line to each counterpart.
// tx has to be of a View.
func (s *Station) unconfirmed(tx Tx, now time.Time) ([]watch.LogEntry, error) {
	lines, err := tx.LogLines(LogQuery{Kind: string(watch.LogCall)}, maxCallsSeen)
	if err != nil {
		return nil, err
	}
	calls := map[identity.Station][]watch.LogEntry{}
	var peers []identity.Station
	for _, l := range lines {
		e, err := watch.ParseLogLine(l.Text)
		if err != nil {
			return nil, fmt.Errorf("internal error: log book line %d: %w", l.Number, err)
		}
		p := s.spokeWith(*e.Call)
		if calls[p] == nil {
			peers = append(peers, p)
		}
		calls[p] = append(calls[p], e)
	}
	var open []watch.LogEntry
	for _, p := range peers {
		said, err := s.saidWith(tx, p, now)
		if err != nil {
			return nil, err
		}
		open = append(open, watch.UnconfirmedCalls(calls[p], said)...)
	}
	slices.SortFunc(open, func(a, b watch.LogEntry) int { return int(a.Number - b.Number) })
	return open, nil
}

func (s *Station) spokeWith(c watch.Call) identity.Station {
	if c.Caller == s.name {
		return c.Station
	}
	return c.Caller
}

// ConfirmCall puts a call of the log book in writing, to be confirmed by the
// counterpart: format 025. On whose word it goes the release policy says.
func (s *Station) ConfirmCall(ctx context.Context, actor Actor, now time.Time, number int64) (Outgoing, error) {
	object := fmt.Sprint(number)
	if err := actor.must("confirm a call in writing", RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "log confirm", object, err)
	}
	var d Draft
	err := s.store.View(ctx, func(tx Tx) error {
		lines, err := tx.LogLines(LogQuery{After: number - 1}, 1)
		if err != nil {
			return err
		}
		all, err := readLines(lines)
		if err != nil {
			return err
		}
		if len(all) == 0 || all[0].Number != number || all[0].Call == nil {
			return fmt.Errorf("%w: line %d of the log book is no call: see `detente log calls`", ErrNotFound, number)
		}
		_, first, _, err := s.openLines(tx)
		if err != nil {
			return err
		}
		on, ok := first[s.spokeWith(*all[0].Call)]
		if !ok {
			return fmt.Errorf("%w: there is no line to %s: see `detente line list`", ErrNotFound, s.spokeWith(*all[0].Call))
		}
		d, err = s.confirmation(*all[0].Call, on)
		return err
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "log confirm", object, err)
	}
	return s.Submit(ctx, actor, now, d)
}

// confirmation is the draft of a call's written confirmation. It fails where the
// signal book would not take it.
func (s *Station) confirmation(c watch.Call, on identity.Line) (Draft, error) {
	params := map[string]any{
		"caller": string(c.Caller), "bearer": c.Bearer,
		"window": map[string]string{"from": c.From.UTC().Format(time.RFC3339), "to": c.To.UTC().Format(time.RFC3339), "zone": "UTC"},
	}
	if len(c.Agreed) > 0 {
		params["agreed"] = c.Agreed
	}
	if len(c.Open) > 0 {
		params["open"] = c.Open
	}
	values, err := paramValues(params)
	if err != nil {
		return Draft{}, err
	}
	if err := s.book.Check(message.Body{Format: "025", Params: values}); err != nil {
		return Draft{}, fmt.Errorf("%w: call: %w", ErrInvalid, err)
	}
	return Draft{Line: on, Format: "025", Marking: message.Marking{TLP: "AMBER"}, Language: string(c.Language), Params: values}, nil
}

// logCursor is up to where the log book was written by itself.
type logCursor struct {
	Event int64     `json:"event"`
	Shift time.Time `json:"shift,omitzero"`
}

// writeEvents writes what happened since it last did into the log book: what
// was released, came and was receipted, what became of lines, and who came and
// went by the roster. It is called each second and costs next to nothing where
// nothing happened; a crowd of events is taken a page at a time.
func (s *Station) writeEvents(tx Tx, now time.Time) error {
	newest, err := tx.LastEvent()
	if err != nil {
		return err
	}
	text, err := tx.Setting(settingLog)
	if err != nil {
		return err
	}
	var at logCursor
	if text != nil {
		if err := json.Unmarshal(text, &at); err != nil {
			return fmt.Errorf("internal error: log book: %w", err)
		}
	}
	before := at
	if at.Event > newest {
		at.Event = newest // the store was put back
	}
	if at.Event < newest {
		events, err := tx.EventsAfter(at.Event, maxLogPage)
		if err != nil {
			return err
		}
		if err := writeAll(tx, events); err != nil {
			return err
		}
		at.Event = events[len(events)-1].Number
	}
	if at.Shift, err = s.writeShifts(tx, at.Shift, now); err != nil {
		return err
	}
	if at.Event == before.Event && at.Shift.Equal(before.Shift) {
		return nil
	}
	if text, err = json.Marshal(at, json.Deterministic(true)); err != nil {
		return err
	}
	return tx.PutSetting(settingLog, text)
}

// eventKinds are the events that the log book has a line of, and its kind.
// Handovers and alarms write their own.
var eventKinds = map[string]watch.LogKind{
	"message": watch.LogMessage, "receipt": watch.LogMessage, "release": watch.LogMessage, "line": watch.LogLine, "alarm": watch.LogLine,
}

// writeAll writes a line of each event that the log book has lines of.
func writeAll(tx Tx, events []Event) error {
	before, err := lastEntry(tx)
	if err != nil {
		return err
	}
	for _, e := range events {
		kind, ok := eventKinds[e.Kind]
		if !ok {
			continue
		}
		text := e.Text
		if e.Kind == "alarm" {
			text = "alarm: " + text
		}
		l, err := writeAfter(tx, before, itself.Name, watch.LogEntry{At: e.At, Kind: kind, Ref: quotableRef(e.Ref), Remark: remarkOf(text)})
		if err != nil {
			return err
		}
		before = l.LogEntry
	}
	return nil
}

// remarkOf makes a text of the station's own fit for a line: it may quote what a
// counterpart wrote.
func remarkOf(text string) watch.Remark {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxLogText {
		text = string(runes[:maxLogText])
	}
	if text == "" {
		return watch.Remark{}
	}
	return watch.Remark{Language: langOf(""), Text: text}
}

func quotableRef(ref string) string { return strings.ReplaceAll(quotable(ref), " ", "_") }

// writeShifts writes who came and went by the roster since a second, and returns
// up to when it did. Of what lies more than a day back nothing is written.
func (s *Station) writeShifts(tx Tx, since, now time.Time) (time.Time, error) {
	r, err := s.roster(tx)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return since, err
	}
	now = second(now)
	if since.IsZero() {
		return now, nil
	}
	if oldest := now.AddDate(0, 0, -1); since.Before(oldest) {
		since = oldest
	}
	if !s.desk.shiftDue(r, since, now) {
		return since, nil
	}
	written := since
	for _, h := range r.Handovers(watch.Span{From: since.Add(time.Second), To: now.Add(time.Second)}) {
		text := fmt.Sprintf("desk %s: goes %s; comes %s", h.Desk, listOf(h.Out), listOf(h.In))
		if _, err := s.writeLine(tx, itself.Name, watch.LogEntry{At: now, Kind: watch.LogShift, Ref: h.Desk, Remark: remarkOf(text)}); err != nil {
			return since, err
		}
		written = now
	}
	return written, nil
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// shiftDue reports whether officers may have changed between two seconds. It
// looks the roster up once for each change, and not each second.
func (d *watchDesk) shiftDue(r watch.Roster, since, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.version != r.Version || !d.due.since.Equal(since) || now.Before(d.due.looked) || now.After(d.due.until) {
		d.due = shiftLook{version: r.Version, since: since, looked: now, until: now.Add(shiftLength)}
		d.due.next = d.due.until
		if all := r.Handovers(watch.Span{From: since.Add(time.Second), To: d.due.until}); len(all) > 0 {
			d.due.next = all[0].At
		}
	}
	return !now.Before(d.due.next)
}

// shiftLook is when officers change next by a version of the roster, as it was
// looked up.
type shiftLook struct {
	version       uint64
	since, looked time.Time
	next, until   time.Time
}
