package book

import (
	"encoding/json/v2"
	"slices"
	"time"

	"detente/message"
)

// understanding is the format by which a person says whether a message was
// understood.
const understanding message.Format = "012"

// Clocks are the times within which a message is to be received, seen,
// understood and answered, each from its receipt as it stands in the record,
// but Received, which runs from its sending. A zero says that no such stage is
// due.
type Clocks struct {
	Received   time.Duration // by the counterpart's station
	Seen       time.Duration // by a person of its watch
	Understood time.Duration // UND, NUN or COR by a person
	Interim    time.Duration // at least an interim answer
	Answered   time.Duration // in substance, by a format of Replies
}

// clockSeconds is a row of the edition's table.
type clockSeconds struct {
	Received   int64 `json:"received_seconds"`
	Seen       int64 `json:"seen_seconds"`
	Understood int64 `json:"understood_seconds"`
	Interim    int64 `json:"interim_seconds,omitzero"`
	Answered   int64 `json:"answered_seconds"`
}

// clockTable holds the general times by the word of precedence.
type clockTable map[string]clockSeconds

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// Clocks returns the times that run for a message of the format at a
// precedence: the edition's by precedence, but for what the format sets itself.
// A stage is never due after a later one, because whoever answers has seen and
// understood. A service message needs no person unless an understanding is what
// answers it; a receipt never does. Neither an answer nor an understanding
// that is late triggers anything: it is shown.
func (f Format) Clocks(p message.Precedence) Clocks {
	row := f.table[p.String()]
	c := Clocks{Received: seconds(row.Received)}
	personal := len(f.Replies) == 1 && f.Replies[0] == understanding
	if !f.Receipt && (!f.Service || personal) {
		c.Seen, c.Understood = seconds(row.Seen), seconds(row.Understood)
		if f.SeenSeconds > 0 {
			c.Seen = seconds(f.SeenSeconds)
		}
		if personal && f.ReplySeconds > 0 {
			c.Understood = f.ReplyWithin()
		}
		c.Seen = min(c.Seen, c.Understood)
	}
	if personal || len(f.Replies) == 0 {
		return c
	}
	c.Answered = seconds(row.Answered)
	if f.HalfTime {
		c.Answered /= 2
	}
	if f.ReplySeconds > 0 {
		c.Answered = f.ReplyWithin()
	}
	if interim := seconds(row.Interim); interim < c.Answered {
		c.Interim = interim
	}
	c.Seen, c.Understood = min(c.Seen, c.Answered), min(c.Understood, c.Answered)
	return c
}

// ReplyBy sets the time of a reply by what the message says of itself.
type ReplyBy struct {
	Param string                `json:"param"` // a code that always stands
	Codes map[string]CodeClocks `json:"codes"` // a code that is not there: as the format sets it
}

// CodeClocks are the times that a code sets.
type CodeClocks struct {
	ReplySeconds   int64 `json:"reply_seconds"`            // within which a reply is due
	InterimSeconds int64 `json:"interim_seconds,omitzero"` // within which at least an interim answer is; absent: by precedence
}

// ClocksOf returns the times that run for a message that says a code where the
// format sets a reply's time by one: those of Clocks but for what the code sets.
func (f Format) ClocksOf(p message.Precedence, code string) Clocks {
	c := f.Clocks(p)
	if f.ReplyBy == nil {
		return c
	}
	by, ok := f.ReplyBy.Codes[code]
	if !ok {
		return c
	}
	f.ReplySeconds, f.HalfTime = by.ReplySeconds, false
	c = f.Clocks(p)
	if by.InterimSeconds > 0 {
		c.Interim = seconds(by.InterimSeconds)
	}
	return c
}

// Lead is how long before what it announces a message of a format should be
// received. Less is short notice, a flag; the message stands.
type Lead struct {
	Param        string `json:"param"`                  // the time, or the window whose start is meant
	LeastSeconds int64  `json:"least_seconds"`          // less is short notice
	UsualSeconds int64  `json:"usual_seconds,omitzero"` // as a rule; absent: the least

	LeastMonths int              `json:"least_months,omitzero"` // calendar months instead of LeastSeconds; see AddMonths
	By          string           `json:"by,omitempty"`          // the code that decides where LeastOf names its value
	LeastOf     map[string]int64 `json:"least_of,omitempty"`    // by that code: the least in seconds instead of LeastSeconds
}

// Earliest returns the earliest second that may be announced by a message
// received at one without its being short notice. Word is the value of the code
// By, or nothing.
func (l Lead) Earliest(received time.Time, word string) time.Time {
	if l.LeastMonths > 0 {
		return AddMonths(received, l.LeastMonths)
	}
	least := l.LeastSeconds
	if of, ok := l.LeastOf[word]; ok {
		least = of
	}
	return received.Add(seconds(least))
}

// AddMonths returns the same second of the day so many calendar months later, in
// UTC, or earlier where months is below zero. Where the month has no such day it
// is the last one of that month: six months after 31 August is 28 or 29 February.
func AddMonths(t time.Time, months int) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// ShortNotice reports whether a message was received later than the least lead
// of its format before what it announces. False for a format without one.
func (f Format) ShortNotice(b message.Body, received time.Time) bool {
	if f.Lead == nil {
		return false
	}
	from, _, ok := moment(b, f.Lead.Param)
	return ok && from.Before(f.Lead.Earliest(received, oneCode(b.Params[f.Lead.By])))
}

// Lapse returns when a message loses its effect by itself: some days after the
// end of its window. False where it never does.
func (f Format) Lapse(b message.Body) (time.Time, bool) {
	if f.LapsesSeconds == 0 {
		return time.Time{}, false
	}
	_, to, ok := moment(b, "window")
	return to.Add(seconds(f.LapsesSeconds)), ok
}

// afterEntry says that a follow-up is counted from the receipt of the message
// itself.
const afterEntry = "entry"

// Followup is what the author of a message owes after it.
type Followup struct {
	Format        message.Format `json:"format"`
	WithinSeconds int64          `json:"within_seconds,omitzero"`
	After         string         `json:"after"`           // entry: its receipt; else the time, or the end of the window, in a parameter
	Effect        int            `json:"effect,omitzero"` // only where the parameter effect is at least that
}

// Due is a message that is owed, and by when.
type Due struct {
	Format message.Format
	By     time.Time
}

// Owes returns what the author of a message owes after it, the earliest first:
// of one format only the earliest counts. None where nothing is owed.
func (f Format) Owes(b message.Body, received time.Time) []Due {
	var out []Due
	for _, u := range f.Followups {
		if u.Effect > 0 {
			var effect int
			if v, ok := b.Params["effect"]; !ok || json.Unmarshal(v, &effect) != nil || effect < u.Effect {
				continue
			}
		}
		from := received
		if u.After != afterEntry {
			var ok bool
			if _, from, ok = moment(b, u.After); !ok {
				continue
			}
		}
		out = append(out, Due{u.Format, from.Add(seconds(u.WithinSeconds))})
	}
	slices.SortStableFunc(out, func(a, b Due) int { return a.By.Compare(b.By) })
	seen := make(map[message.Format]bool)
	return slices.DeleteFunc(out, func(d Due) bool {
		before := seen[d.Format]
		seen[d.Format] = true
		return before
	})
}

// moment returns start and end of the window in a parameter, or twice the time
// in it. False where it is absent or neither.
func moment(b message.Body, param string) (from, to time.Time, ok bool) {
	v, there := b.Params[param]
	if !there {
		return from, to, false
	}
	var w window
	var s string
	if json.Unmarshal(v, &s) == nil {
		w.From, w.To = s, s
	} else if json.Unmarshal(v, &w) != nil {
		return from, to, false
	}
	from, err1 := time.Parse(time.RFC3339, w.From)
	to, err2 := time.Parse(time.RFC3339, w.To)
	return from, to, err1 == nil && err2 == nil
}
