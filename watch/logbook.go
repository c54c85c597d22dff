package watch

import (
	"fmt"
	"slices"
	"time"

	"detente/book"
	"detente/identity"
)

// LogKind says what a line of the log book is about.
type LogKind string

// The kinds of log book lines. Each is a code with a text in six languages.
const (
	LogAlarm    LogKind = "alarm"    // what an alarm did, or an officer about it
	LogShift    LogKind = "shift"    // who came and who went, by the roster
	LogHandover LogKind = "handover" // a sheet was signed by both
	LogCall     LogKind = "call"     // a telephone call
	LogRemark   LogKind = "remark"   // typed
	LogLine     LogKind = "line"     // a test, an outage, an act on a line
	LogSounder  LogKind = "sounder"  // a sounder was tried, and heard or not
	LogMessage  LogKind = "message"  // a message was released, came, or was receipted
)

// LogKinds returns all kinds.
func LogKinds() []LogKind {
	return []LogKind{LogAlarm, LogShift, LogHandover, LogCall, LogRemark, LogLine, LogSounder, LogMessage}
}

// Call is a telephone call: who, when, over which bearer, and what was said.
// What is agreed in it binds once it is confirmed in writing, by format 025.
type Call struct {
	Caller   identity.Station // who called
	Station  identity.Station // who was called
	From, To time.Time
	Bearer   string   // of the list bearer
	Officers []string // ours, by pseudonym
	Other    string   // who spoke on the other side, as they said: a role or a name
	Agreed   []string // points, one line each
	Open     []string
	Language book.Lang // of the points
}

// LogEntry is one line of the log book.
type LogEntry struct {
	Number  int64 // from 1, without gaps
	At      time.Time
	Kind    LogKind
	Event   Event  // of LogAlarm
	Officer string // who wrote or acted; empty: the station did by itself
	Ref     string // what it is about; empty: the kind says it all
	Count   int    // of LogAlarm: how many alarms it sums up
	Reason  string // of LogAlarm: why an act was refused, a code
	Remark  Remark // of LogRemark, and to any other line
	Call    *Call  // of LogCall
	Prev    identity.Digest
}

// Limits of the log book.
const (
	MaxPoints   = 20
	MaxPoint    = 300 // characters, as format 025 has it
	MaxLogLine  = 64 << 10
	maxOther    = 120
	maxCallTime = 24 * time.Hour
)

// Check returns what is wrong with a line.
func (l LogEntry) Check() error {
	var f faults
	if l.Number < 1 || !whole(l.At) || !contains(LogKinds(), l.Kind) {
		f.add("log", fmt.Sprintf("line %d has no number, second or kind", l.Number), "number lines from 1")
	}
	if l.Officer != "" && !pseudonymForm.MatchString(l.Officer) {
		f.add("officer", fmt.Sprintf("%q is no pseudonym", clip(l.Officer)), "write it like ARD-W-07")
	}
	if l.Ref != "" && checkRef(l.Ref, 3*MaxRef) != "" || l.Reason != "" && checkRef(l.Reason, maxName) != "" || l.Count < 0 {
		f.add("ref", "it cannot be shown", "write a citation, a code or a name without spaces")
	}
	if (l.Kind == LogAlarm) != (l.Event != "") || l.Event != "" && !contains(Events(), l.Event) {
		f.add("event", "only a line about an alarm has one, and it always does", "leave it out, or use one that is known")
	}
	if l.Remark != (Remark{}) {
		if why := checkText(l.Remark.Text, MaxRemark); why != "" || !knownLang(l.Remark.Language) {
			f.add("remark", "no language, or "+why, "write one line, and name its language")
		}
	} else if l.Kind == LogRemark {
		f.add("remark", "it is empty", "write what is to be remembered")
	}
	if (l.Kind == LogRemark || l.Kind == LogCall) && l.Officer == "" {
		f.add("officer", "nobody wrote it", "name the officer")
	}
	if (l.Kind == LogCall) != (l.Call != nil) {
		f.add("call", "only a line about a call has one, and it always does", "say who called, when and what was said")
	} else if l.Call != nil {
		l.Call.check(&f)
	}
	return f.err()
}

func (c Call) check(f *faults) {
	if _, err := identity.ParseStation(string(c.Caller)); err != nil {
		f.add("call.caller", err.Error(), "name the station that called")
	}
	if _, err := identity.ParseStation(string(c.Station)); err != nil || c.Station == c.Caller {
		f.add("call.station", "it is no other station", "name the station that was called")
	}
	checkSpan(f, "call.window", c.From, c.To, maxCallTime)
	if why := checkRef(c.Bearer, maxName); why != "" {
		f.add("call.bearer", why, "use a code of the list bearer, like voice")
	}
	if len(c.Officers) == 0 || len(c.Officers) > MaxTurn || slices.ContainsFunc(c.Officers, func(o string) bool { return !pseudonymForm.MatchString(o) }) {
		f.add("call.officers", "none of ours, too many, or no pseudonym", "name who spoke, like ARD-W-07")
	}
	if why := checkText(c.Other, maxOther); why != "" {
		f.add("call.other", why, "say who spoke on the other side")
	}
	if !knownLang(c.Language) {
		f.add("call.language", fmt.Sprintf("%q is none of the six", clip(string(c.Language))), "use en, ru, zh, es, fr or ar")
	}
	if n := len(c.Agreed) + len(c.Open); n == 0 || n > MaxPoints {
		f.add("call.points", fmt.Sprintf("%d points", n), fmt.Sprintf("write 1 to %d, agreed or open", MaxPoints))
	}
	for _, p := range slices.Concat(c.Agreed, c.Open) {
		if why := checkText(p, MaxPoint); why != "" {
			f.add("call.points", why, "write each in one line")
		}
	}
}

// Entry returns the log book line of a note, without its place in the chain.
func (n Note) Entry() LogEntry {
	ref := string(n.Key.Kind)
	for _, s := range []string{lineText(n.Key.Line), n.Key.Ref} {
		if s != "" {
			ref += ":" + s
		}
	}
	officer := n.Officer
	if !pseudonymForm.MatchString(officer) {
		officer = ""
	}
	return LogEntry{At: n.At, Kind: LogAlarm, Event: n.Event, Officer: officer, Ref: ref, Count: n.Count, Reason: n.Reason}
}

// Chain returns a line with its place behind another one: the next number, and
// the digest of the line before. The zero value is before the first.
func (l LogEntry) Chain(before LogEntry) LogEntry {
	l.Number, l.Prev = before.Number+1, identity.Digest{}
	if before.Number > 0 {
		l.Prev = before.Digest()
	}
	return l
}

// Digest is the digest of the line's bytes.
func (l LogEntry) Digest() identity.Digest { return identity.Sum(l.Bytes()) }

// CheckChain returns an error that names the first line that does not follow
// from the one before it: lines are missing, doubled, exchanged or altered
// (P22). Lines are given from any place on; before is the one ahead of them, or
// the zero value where they begin with the first.
func CheckChain(before LogEntry, lines []LogEntry) error {
	for _, l := range lines {
		want := l.Chain(before)
		if l.Number != want.Number {
			return fault("log book", fmt.Sprintf("line %d follows line %d", l.Number, before.Number), "lines are missing or doubled: compare with a backup")
		}
		if l.Prev != want.Prev {
			return fault("log book", fmt.Sprintf("line %d does not follow from the line before it: one of the two was altered", l.Number), "compare with a backup")
		}
		before = l
	}
	return nil
}

const logKind = "detente/log/v1"

type callJSON struct {
	Agreed   []string `json:"agreed,omitempty"`
	Bearer   string   `json:"bearer"`
	Caller   string   `json:"caller"`
	From     string   `json:"from"`
	Language string   `json:"language"`
	Officers []string `json:"officers"`
	Open     []string `json:"open,omitempty"`
	Other    string   `json:"other"`
	Station  string   `json:"station"`
	To       string   `json:"to"`
}

type logJSON struct {
	About   string     `json:"about"`
	At      string     `json:"at"`
	Call    *callJSON  `json:"call,omitempty"`
	Count   int        `json:"count,omitzero"`
	Event   string     `json:"event,omitempty"`
	Kind    string     `json:"kind"`
	Number  int64      `json:"number"`
	Officer string     `json:"officer,omitempty"`
	Prev    string     `json:"prev"`
	Reason  string     `json:"reason,omitempty"`
	Ref     string     `json:"ref,omitempty"`
	Remark  remarkJSON `json:"remark,omitzero"`
}

// Bytes returns the line's canonical JSON.
func (l LogEntry) Bytes() []byte {
	w := logJSON{Kind: logKind, About: string(l.Kind), Number: l.Number, At: stamp(l.At), Event: string(l.Event), Officer: l.Officer, Ref: l.Ref,
		Count: l.Count, Reason: l.Reason, Remark: remarkJSON{string(l.Remark.Language), l.Remark.Text}, Prev: l.Prev.String()}
	if c := l.Call; c != nil {
		w.Call = &callJSON{c.Agreed, c.Bearer, string(c.Caller), stamp(c.From), string(c.Language), list(c.Officers), c.Open, c.Other, string(c.Station), stamp(c.To)}
	}
	return canonical(w)
}

// ParseLogLine reads what Bytes wrote, and checks it.
func ParseLogLine(text []byte) (LogEntry, error) {
	var w logJSON
	if len(text) > MaxLogLine {
		return LogEntry{}, fault("log", fmt.Sprintf("%d bytes are more than %d", len(text), MaxLogLine), "write a shorter line")
	}
	if err := decode("log", text, &w); err != nil {
		return LogEntry{}, err
	}
	if w.Kind != logKind {
		return LogEntry{}, fault("kind", fmt.Sprintf("%q is no line of a log book", clip(w.Kind)), "a newer program may have written it")
	}
	var p stamps
	l := LogEntry{Number: w.Number, At: p.read("at", w.At), Kind: LogKind(w.About), Event: Event(w.Event), Officer: w.Officer, Ref: w.Ref,
		Count: w.Count, Reason: w.Reason, Remark: Remark{book.Lang(w.Remark.Language), w.Remark.Text}}
	var err error
	if l.Prev, err = identity.ParseDigest(w.Prev); err != nil {
		return LogEntry{}, err
	}
	if c := w.Call; c != nil {
		l.Call = &Call{identity.Station(c.Caller), identity.Station(c.Station), p.read("call", c.From), p.read("call", c.To), c.Bearer, c.Officers, c.Other, c.Agreed, c.Open, book.Lang(c.Language)}
	}
	if p.err != nil {
		return LogEntry{}, p.err
	}
	if err := l.Check(); err != nil {
		return LogEntry{}, err
	}
	return l, oneForm("log", l.Bytes(), text)
}

// UnconfirmedCalls returns the calls of a log book that no message of format
// 025 has confirmed since: one that names the same caller and a window that
// meets the call's, sent by either side.
func UnconfirmedCalls(lines []LogEntry, record []Said) []LogEntry {
	var windows []struct {
		caller identity.Station
		Span
	}
	for _, s := range record {
		var w struct {
			Agreed  []string     `json:"agreed,omitempty"`
			Bearer  string       `json:"bearer"`
			Caller  string       `json:"caller"`
			Open    []string     `json:"open,omitempty"`
			Remarks string       `json:"remarks,omitempty"`
			Window  windowParams `json:"window"`
		}
		var p stamps
		if s.Body.Format != "025" || readParams(s.Body, &w) != nil {
			continue
		}
		span := Span{p.read("from", w.Window.From), p.read("to", w.Window.To)}
		if p.err == nil {
			windows = append(windows, struct {
				caller identity.Station
				Span
			}{identity.Station(w.Caller), span})
		}
	}
	var out []LogEntry
	for _, l := range lines {
		if l.Call == nil {
			continue
		}
		confirmed := false
		for _, w := range windows {
			confirmed = confirmed || w.caller == l.Call.Caller && w.overlaps(Span{l.Call.From, l.Call.To})
		}
		if !confirmed {
			out = append(out, l)
		}
	}
	return out
}
