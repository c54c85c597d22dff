package line

import (
	"fmt"
	"slices"
	"time"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// Point is a state of one direction of a line: a size of the log of an era.
type Point struct {
	Era  identity.Era
	Size int64
	Root tlog.Hash
}

// Beyond reports whether p lies after q: in a later era, or the same and larger.
func (p Point) Beyond(q Point) bool {
	return p.Era > q.Era || p.Era == q.Era && p.Size > q.Size
}

// contradicts reports whether p and q are two histories of one size.
func (p Point) contradicts(q Point) bool {
	return p.Era == q.Era && p.Size == q.Size && p.Root != q.Root
}

// Shown is a head that a mirror showed. The caller has verified it: for a log
// that this station writes, under the log's own two signatures; for a log that
// it mirrors, under this station's own two cosignatures. A number without such
// signatures is not shown, and cannot be put here.
type Shown struct {
	Point
	// Held says that the mirror has the entries up to the size; otherwise it
	// knows only the head, as its pending checkpoint. The caller takes it back
	// where the mirror was asked for the entries and did not give them.
	Held bool
}

// Report is one mirror's answer to the guard's question, over a live
// authenticated connection. One that did not answer has no report.
type Report struct {
	From  identity.Station
	Shown []Shown // none: it holds nothing of this direction
}

// Guard is the question whether a station may sign in one direction of a line:
// append to a log that it writes, or cosign a log that it mirrors. For each it
// is asked after a start, and whenever the store's history may have changed
// under the station.
type Guard struct {
	Line identity.Line
	// Writer is whose log it is: this station's own, or the counterpart's.
	Writer identity.Station
	// Store is the newest era's head in the own store: written, or cosigned.
	Store Point
	// Mark is the high-water mark; nil where there is none.
	Mark *Point
	// Counterpart is the station at the other end.
	Counterpart identity.Station
	// Mirrors are the other stations that mirror the log; none if there are
	// none.
	Mirrors []identity.Station
	// Reports are the answers so far, at most one a station.
	Reports []Report
	// Forked are heads, verified as in Shown, that a proof shows to belong to a
	// history other than the store's.
	Forked []Point
	// Asked is since when the mirrors are being asked.
	Asked time.Time
}

// Verdict is what a guard decides.
type Verdict uint8

// The verdicts.
const (
	// Hold: nothing may be signed yet; messages wait in the queue.
	Hold Verdict = iota
	// Pass: the station may sign.
	Pass
	// Behind: the store is older than what was let out. It must take the
	// entries back, and the guard is asked again.
	Behind
	// NextEra: this log, or this cosigner's key, can be used no more. The
	// writer opens the next era, which names Decision.Lost.
	NextEra
)

// String returns the verdict in a word or two.
func (v Verdict) String() string {
	return [...]string{"hold", "pass", "behind", "next era"}[v]
}

// Decision is a verdict and what to do about it.
type Decision struct {
	Verdict Verdict
	// For Behind: take entries From..To of Origin from station Source. Where
	// From is zero and the era is later than the store's, the log is new here.
	Source   identity.Station
	Origin   identity.Origin
	From, To int64
	// For NextEra: the head that was let out and that nobody can fill with
	// entries, or the one that contradicts; the zero Point if there is none.
	Lost Point
	// Officers says, for NextEra, that two officers must decide it, with new
	// cosigner keys, as neither mark nor mirror can show what was let out.
	Officers bool
	// Reason says why, and Next what happens or must be done next, in a
	// sentence each.
	Reason, Next string
	// Until is when the decision may change by the passing of time alone; zero
	// for never.
	Until time.Time
}

// MirrorPatience is how long the guard waits for a silent mirror that might
// hold entries nobody else has, before it gives them up: long enough for a
// mirror to restart, short enough that no outside service stops a line (P18).
const MirrorPatience = 15 * time.Minute

// Decide answers the question at now. With a mark that the store has reached,
// only a larger or contradicting head under the right signatures stops the
// station: silence and bare numbers do not (P18). Without a mark the
// counterpart and another mirror must show one and the same head; the
// counterpart alone never clears a station (P6).
func (g Guard) Decide(now time.Time) Decision {
	if d, ok := g.contradicted(); ok {
		return d
	}
	if d, ok := g.heal(); ok {
		return d
	}
	if top, ok := g.unfilled(); ok {
		return g.givenUp(now, top)
	}
	if g.Mark != nil {
		return Decision{Verdict: Pass, Reason: "the store has reached the high-water mark, and nobody showed a larger signed head"}
	}
	return g.withoutMark()
}

// contradicted finds a head of the same size and another root: two histories.
func (g Guard) contradicted() (Decision, bool) {
	heads := slices.Clone(g.Forked)
	if g.Mark != nil && g.Mark.contradicts(g.Store) {
		heads = append(heads, *g.Mark)
	}
	for _, r := range g.Reports {
		for _, s := range r.Shown {
			if s.contradicts(g.Store) || g.Mark != nil && s.contradicts(*g.Mark) {
				heads = append(heads, s.Point)
			}
		}
	}
	if len(heads) == 0 {
		return Decision{}, false
	}
	return Decision{
		Verdict: NextEra,
		Lost:    heads[0],
		Reason:  fmt.Sprintf("a head of size %d of era %d is signed that does not belong to the history in the store", heads[0].Size, heads[0].Era),
		Next:    "keep both heads as proof; the next era names them and goes on",
	}, true
}

// heal finds entries beyond the store that a mirror holds, the nearest first:
// the rest of the store's era, then later eras one by one.
func (g Guard) heal() (Decision, bool) {
	var best Shown
	var source identity.Station
	for _, r := range g.Reports {
		for _, s := range r.Shown {
			if !s.Held || s.Size == 0 || !s.Beyond(g.Store) {
				continue
			}
			if source == "" || s.Era < best.Era || s.Era == best.Era && s.Size > best.Size {
				best, source = s, r.From
			}
		}
	}
	if source == "" {
		return Decision{}, false
	}
	d := Decision{
		Verdict: Behind, Source: source, Origin: g.Line.Log(g.Writer, best.Era), To: best.Size,
		Reason: fmt.Sprintf("%s holds the log to size %d of era %d, and the store ends at %d of era %d", source, best.Size, best.Era, g.Store.Size, g.Store.Era),
		Next:   "take the entries back, open each and mark its message as spent, then ask again",
	}
	if best.Era == g.Store.Era {
		d.From = g.Store.Size
	}
	return d, true
}

// unfilled returns the largest head known beyond the store.
func (g Guard) unfilled() (Point, bool) {
	top := g.Store
	if g.Mark != nil && g.Mark.Beyond(top) {
		top = *g.Mark
	}
	for _, r := range g.Reports {
		for _, s := range r.Shown {
			if s.Beyond(top) {
				top = s.Point
			}
		}
	}
	return top, top.Beyond(g.Store)
}

// givenUp decides about a head beyond the store whose entries nobody showed:
// wait for those who have not answered, but not for ever, and always for the
// counterpart, who is the one to have them.
func (g Guard) givenUp(now time.Time, top Point) Decision {
	reason := fmt.Sprintf("a head of size %d of era %d was let out, the store ends at %d of era %d, and nobody who answered holds the entries between", top.Size, top.Era, g.Store.Size, g.Store.Era)
	if !g.answered(g.Counterpart) {
		return Decision{Verdict: Hold, Reason: reason, Next: "waits for " + string(g.Counterpart) + " to answer; bring its copy by pouch if the line is down"}
	}
	until := g.Asked.Add(MirrorPatience)
	if missing := g.unanswered(); len(missing) > 0 && now.Before(until) {
		return Decision{Verdict: Hold, Until: until, Reason: reason, Next: "waits for " + string(missing[0]) + " to answer, until " + until.UTC().Format(time.RFC3339)}
	}
	return Decision{
		Verdict: NextEra, Lost: top, Reason: reason,
		Next: "the next era names that head and goes on; what nobody holds is lost and said to be",
	}
}

func (g Guard) withoutMark() Decision {
	if g.alone() {
		return Decision{
			Verdict: NextEra, Officers: true,
			Reason: "there is no high-water mark and no mirror with a copy but the counterpart, whose word alone clears no station",
			Next:   "put the high-water mark file back if it exists elsewhere; else two officers open the next era, with new cosigner keys",
		}
	}
	for _, m := range g.Mirrors {
		if h, ok := g.agreed(m); ok {
			return Decision{Verdict: Pass, Reason: fmt.Sprintf("%s and %s both show size %d of era %d, and the store has it", g.Counterpart, m, h.Size, h.Era)}
		}
	}
	return Decision{
		Verdict: Hold,
		Reason:  "there is no high-water mark, and the counterpart and another mirror have not shown the same head yet",
		Next:    "waits for them to answer; put the high-water mark file back if it exists elsewhere, or let two officers open the next era",
	}
}

// alone reports whether no mirror but the counterpart can say anything: there
// is none, or each has answered and holds nothing. A mirror without a copy
// agrees with whoever lies, so it does not count.
func (g Guard) alone() bool {
	return !slices.ContainsFunc(g.Mirrors, func(m identity.Station) bool {
		return m != g.Counterpart && (!g.answered(m) || g.top(m).Size > 0)
	})
}

// agreed reports whether the counterpart and mirror m show the same head, and
// not an empty one.
func (g Guard) agreed(m identity.Station) (Point, bool) {
	a, b := g.top(g.Counterpart), g.top(m)
	return a, m != g.Counterpart && a == b && a.Size > 0
}

func (g Guard) answered(s identity.Station) bool {
	return slices.ContainsFunc(g.Reports, func(r Report) bool { return r.From == s })
}

func (g Guard) unanswered() []identity.Station {
	var out []identity.Station
	for _, m := range g.Mirrors {
		if !g.answered(m) {
			out = append(out, m)
		}
	}
	return out
}

// top returns the largest head that a station showed.
func (g Guard) top(s identity.Station) Point {
	var top Point
	for _, r := range g.Reports {
		for _, h := range r.Shown {
			if r.From == s && h.Beyond(top) {
				top = h.Point
			}
		}
	}
	return top
}
