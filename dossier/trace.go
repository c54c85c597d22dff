package dossier

import (
	"math"
	"time"

	"detente/identity"
	"detente/message"
)

// A trace notes what a fold looks at: which parts of the line, and between which
// seconds every comparison with the second asked about comes out the same. While
// none of the parts changes, and the second stays between, the fold says the
// same.
type trace struct {
	at    time.Time
	from  int64 // the first second that it holds of
	to    int64 // the first one that it does not hold of any more
	parts []part
	last  part // the one noted last: the same is often looked at again at once
}

// part is a part of a line, as a hash of what names it. Two that have the same
// hash are held for one: a fold is then done again without need, and comes out
// the same.
type part uint64

// The sorts of parts, in the hash of each.
const (
	partID        = iota + 1 // which entries have an id, and what they say
	partReferring            // who refers to an id
	partPlace                // an entry, and what names it
	partBlob
	partPolicies
	partSealed
	partNotices
	partLong    // notices with windows of too many days
	partWindows // notices of any day
	partDisowned
)

// The hash is FNV-1a, of 64 bits.
const (
	hashStart part = 14695981039346656037
	hashTimes part = 1099511628211
)

func sortOf(sort byte) part { return hashStart.add(uint64(sort)) }

func (h part) add(n uint64) part { return (h ^ part(n)) * hashTimes }

func (h part) text(s string) part {
	for i := range len(s) {
		h = h.add(uint64(s[i]))
	}
	return h.add(uint64(len(s)))
}

// id takes an id as it is: it is random, or its writer's own loss.
func (h part) id(id message.ID) part {
	for i := 0; i < len(id); i += 8 {
		var n uint64
		for _, b := range id[i:min(i+8, len(id))] {
			n = n<<8 | uint64(b)
		}
		h = h.add(n ^ n>>32)
	}
	return h
}

func ofID(id message.ID) part        { return sortOf(partID).id(id) }
func ofReferring(id message.ID) part { return sortOf(partReferring).id(id) }

func ofPlace(p Place) part {
	return sortOf(partPlace).text(string(p.Origin.Writer)).text(string(p.Origin.Class)).add(uint64(p.Origin.Era)).add(uint64(p.Index)) //nolint:gosec // a hash
}

func ofBlob(d identity.Digest) part {
	h := sortOf(partBlob)
	for _, b := range d {
		h = h.add(uint64(b))
	}
	return h
}

func ofPolicies(s identity.Station) part { return sortOf(partPolicies).text(string(s)) }
func ofDisowned(s identity.Station) part { return sortOf(partDisowned).text(string(s)) }
func ofSealed(d dayOf) part {
	return sortOf(partSealed).text(string(d.writer)).add(uint64(d.day)) //nolint:gosec // a hash
}
func ofNotices(day int64) part { return sortOf(partNotices).add(uint64(day)) } //nolint:gosec // a hash

// looks notes that the fold under way looks at a part.
func (l *Line) looks(at part) {
	if t := l.trace; t != nil && t.last != at {
		t.parts, t.last = append(t.parts, at), at
	}
}

// by reports whether a time has come as of a second.
func (l *Line) by(t, at time.Time) bool {
	first := t.Unix()
	if t.Nanosecond() > 0 {
		first++
	}
	return l.since(first, at)
}

// past reports whether a second is after a time.
func (l *Line) past(t, at time.Time) bool { return l.since(t.Unix()+1, at) }

// since reports whether a second is one, or later. Only the second that is asked
// about moves: what is compared with others holds for good.
func (l *Line) since(first int64, at time.Time) bool {
	is := at.Unix() >= first
	if t := l.trace; t != nil && at.Equal(t.at) {
		if is {
			t.from = max(t.from, first)
		} else {
			t.to = min(t.to, first)
		}
	}
	return is
}

// traced notes what a fold looks at while it is done.
func (l *Line) traced(at time.Time, fold func()) *trace {
	t := &trace{at: at, from: math.MinInt64, to: math.MaxInt64}
	l.trace = t
	defer func() { l.trace = nil }()
	fold()
	return t
}
