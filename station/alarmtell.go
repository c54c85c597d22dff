package station

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strconv"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// Outlets take notices to where people are. Its methods are called by a Runner
// and by the test button, never in a transaction, and may be called
// concurrently.
type Outlets interface {
	// Named lists the outlets, always in the same order; each name once.
	Named() []OutletName
	// Tell hands a notice to one outlet, once, and returns nil when the outlet
	// has it. It does not try again. An error that wraps ErrInvalid says that
	// trying again cannot help.
	Tell(ctx context.Context, name string, t Telling) error
	// Print puts a page on paper by one outlet of the class watch.Printer, once,
	// and returns nil when the printer has it. An error that wraps ErrInvalid
	// says that trying again cannot help.
	Print(ctx context.Context, name string, p Page) error
}

// OutletName is an outlet and its class.
type OutletName struct {
	Name  string
	Class watch.Outlet
}

// Telling is a notice on its way to one outlet. The same ID is the same notice,
// told again because it is not known whether it arrived.
type Telling struct {
	ID     string
	Outlet string
	Notice watch.Notice // zero where Test
	At     time.Time    // when it arose
	Test   bool         // nothing happened: somebody tries the outlet
}

// OutletState is how an outlet has done.
type OutletState struct {
	OutletName
	Told    int64
	Failed  int64 // tries
	Dropped int64 // notices that were given up
	Waiting int   // notices
	Last    time.Time
	Error   string    // of the last try; empty: it succeeded
	Tried   time.Time // by the test button, last; zero: never
}

const (
	noticesKey = "alarm/notices"

	maxNotices   = 2000            // that wait at once: groups times outlets
	tellWithin   = time.Minute     // of one try
	firstRetry   = 5 * time.Second // and twice as long each time
	longestRetry = 5 * time.Minute // a server that is down is asked that often
	giveUpAfter  = 24 * time.Hour  // what is told a day late tells nothing
	maxWhy       = 300             // bytes of an error that are kept
)

// notices is what the store keeps of notices under way.
type notices struct {
	Last    int64                   `json:"last"`
	Waiting []waitingNotice         `json:"waiting,omitempty"`
	Outlets map[string]outletRecord `json:"outlets,omitempty"`
}

type waitingNotice struct {
	Number int64      `json:"number"`
	Outlet string     `json:"outlet"`
	At     time.Time  `json:"at"`
	Next   time.Time  `json:"next"`
	Tries  int        `json:"tries,omitzero"`
	Notice noticeJSON `json:"notice"`
}

type outletRecord struct {
	Told    int64     `json:"told,omitzero"`
	Failed  int64     `json:"failed,omitzero"`
	Dropped int64     `json:"dropped,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	Error   string    `json:"error,omitempty"`
	Tried   time.Time `json:"tried,omitzero"`
}

type noticeJSON struct {
	Event    string    `json:"event"`
	Kind     string    `json:"kind"`
	Line     string    `json:"line,omitempty"`
	Level    string    `json:"level"`
	Count    int       `json:"count"`
	Lines    int       `json:"lines"`
	Since    time.Time `json:"since"`
	Refs     []string  `json:"refs,omitempty"`
	To       []string  `json:"to,omitempty"`
	Rung     int       `json:"rung,omitzero"`
	Exercise bool      `json:"exercise,omitzero"`
}

func noticeToJSON(n watch.Notice) noticeJSON {
	w := noticeJSON{Event: string(n.Event), Kind: string(n.Group.Kind), Level: n.Level.String(), Count: n.Count, Lines: n.Lines, Since: n.Since.UTC(),
		Refs: n.Refs, To: n.To, Rung: int(n.Rung), Exercise: n.Exercise}
	if n.Group.Line != (identity.Line{}) {
		w.Line = n.Group.Line.String()
	}
	return w
}

func (w noticeJSON) notice() (n watch.Notice, err error) {
	n = watch.Notice{Event: watch.Event(w.Event), Group: watch.Key{Kind: watch.Kind(w.Kind)}, Count: w.Count, Lines: w.Lines, Since: w.Since,
		Refs: w.Refs, To: w.To, Rung: watch.Rung(w.Rung), Exercise: w.Exercise}
	if n.Level, err = message.ParsePrecedence(w.Level); err != nil {
		return n, err
	}
	if w.Line != "" {
		n.Group.Line, err = identity.ParseLine(w.Line)
	}
	return n, err
}

func readNotices(tx Tx) (n notices, err error) {
	text, err := tx.Setting(noticesKey)
	if err == nil && text != nil {
		if err = json.Unmarshal(text, &n); err != nil {
			err = fmt.Errorf("internal error: stored notices: %w", err)
		}
	}
	if n.Outlets == nil {
		n.Outlets = make(map[string]outletRecord)
	}
	return n, err
}

func (n notices) put(tx Tx) error {
	text, err := json.Marshal(n, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.PutSetting(noticesKey, text)
}

// queueNotices puts the notices of a step before the outlets that they name. A newer notice of a group takes the place of one that
// the same outlet was not told yet: how things stand is told once, and an outlet
// that is down gathers no heap.
func (s *Station) queueNotices(tx Tx, now time.Time, list []watch.Notice) error {
	w := s.watching
	n, err := readNotices(tx)
	if err != nil || w.Outlets == nil || len(list) == 0 {
		return err
	}
	named := w.Outlets.Named()
	for _, notice := range list {
		for _, o := range named {
			if !slices.Contains(notice.Outlets, o.Class) {
				continue
			}
			n.Last++
			next := waitingNotice{Number: n.Last, Outlet: o.Name, At: second(now), Next: second(now), Notice: noticeToJSON(notice)}
			same := func(before waitingNotice) bool {
				return before.Outlet == o.Name && before.Notice.Kind == next.Notice.Kind && before.Notice.Line == next.Notice.Line
			}
			if i := slices.IndexFunc(n.Waiting, same); i >= 0 {
				next.Tries, next.Next = n.Waiting[i].Tries, n.Waiting[i].Next
				if notice.Event == watch.Repeated {
					next.Notice.Event = n.Waiting[i].Notice.Event
				}
				n.Waiting[i] = next
				continue
			}
			if len(n.Waiting) >= maxNotices {
				n.drop(o.Name, 1)
				continue
			}
			n.Waiting = append(n.Waiting, next)
		}
	}
	return n.put(tx)
}

func (n *notices) drop(outlet string, count int64) {
	r := n.Outlets[outlet]
	r.Dropped += count
	n.Outlets[outlet] = r
}

// tellings returns the notices that are due, at most one for each outlet, the
// gravest first and then the oldest.
func (s *Station) tellings(ctx context.Context, now time.Time) ([]Telling, error) {
	w := s.watching
	if w == nil || w.Outlets == nil {
		return nil, nil
	}
	told := w.told.Load() // before the look: what comes after it is looked at again
	if told == w.spare.Load() {
		return nil, nil
	}
	var n notices
	err := s.store.View(ctx, func(tx Tx) (err error) {
		n, err = readNotices(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(n.Waiting) == 0 {
		w.spare.Store(told)
	}
	var out []Telling
	best := make(map[string]int)
	for _, next := range n.Waiting {
		if !due(now, next.Next, longestRetry) {
			continue
		}
		notice, err := next.Notice.notice()
		if err != nil {
			return nil, fmt.Errorf("internal error: stored notice %d: %w", next.Number, err)
		}
		t := Telling{ID: "notice-" + strconv.FormatInt(next.Number, 10), Outlet: next.Outlet, Notice: notice, At: next.At}
		if i, ok := best[next.Outlet]; !ok {
			best[next.Outlet] = len(out)
			out = append(out, t)
		} else if notice.Level > out[i].Notice.Level {
			out[i] = t
		}
	}
	return out, nil
}

// told notes what came of a try. A failure is tried again later, unless it
// cannot help any more.
func (s *Station) told(ctx context.Context, now time.Time, t Telling, failed error, final bool) error {
	err := s.update(ctx, now, func(tx Tx) error {
		n, err := readNotices(tx)
		if err != nil {
			return err
		}
		r := n.Outlets[t.Outlet]
		i := slices.IndexFunc(n.Waiting, func(w waitingNotice) bool {
			return "notice-"+strconv.FormatInt(w.Number, 10) == t.ID && w.Outlet == t.Outlet
		})
		switch {
		case failed == nil:
			r.Told++
			r.Last, r.Error = second(now), ""
			if i >= 0 {
				n.Waiting = slices.Delete(n.Waiting, i, i+1)
			}
		default:
			r.Failed++
			r.Error = failed.Error()[:min(len(failed.Error()), maxWhy)]
			if i >= 0 {
				n.Waiting[i].Tries++
				n.Waiting[i].Next = second(now).Add(min(firstRetry<<min(n.Waiting[i].Tries-1, 10), longestRetry))
				if final || now.Sub(n.Waiting[i].At) > giveUpAfter {
					n.Waiting = slices.Delete(n.Waiting, i, i+1)
					r.Dropped++
				}
			}
			if err := s.audit(tx, now, itself, "alarm outlet", t.Outlet, "failed", r.Error); err != nil {
				return err
			}
		}
		n.Outlets[t.Outlet] = r
		return n.put(tx)
	})
	s.watching.told.Add(1)
	return err
}

// untried returns the sounders that nobody has tried within a day.
func (s *Station) untried(tx Tx, now time.Time) ([]watch.Condition, error) {
	w := s.watching
	if w.Outlets == nil {
		return nil, nil
	}
	var out []watch.Condition
	var n notices
	read := false
	for _, o := range w.Outlets.Named() {
		if o.Class != watch.Sounder {
			continue
		}
		if !read {
			var err error
			if n, err = readNotices(tx); err != nil {
				return nil, err
			}
			read = true
		}
		if c, ok := watch.SounderCondition(o.Name, n.Outlets[o.Name].Tried, now); ok {
			out = append(out, c)
		}
	}
	return out, nil
}
