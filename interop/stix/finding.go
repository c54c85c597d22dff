package stix

import (
	"encoding/json/jsontext"
	"fmt"
	"strings"

	"detente/book"
)

// Limits of a bundle. What is larger is split, or sent as artefacts of their
// own, which travel as blobs beside the bundle.
const (
	// MaxBytes bounds a bundle; a station holds one in memory while it reads.
	MaxBytes = 32 << 20
	// MaxObject bounds one object, and any gap between two.
	MaxObject = 1 << 20
	// MaxObjects is more than a person or a desk can act on in a day.
	MaxObjects = 20_000
	// MaxDepth bounds nesting within an object; the deepest that the profile
	// needs is an extension of an observable, about 8.
	MaxDepth = 32
	// MaxString bounds one string, in bytes of UTF-8.
	MaxString = 256 << 10
	// MaxName bounds the name of a member, in bytes; the standard has the same.
	MaxName = 250
	// MaxValues bounds the texts, numbers and words of a whole bundle: about
	// twenty in each object. Whatever is told of a bundle is bounded by it too.
	MaxValues = 400_000
	// MaxReferences bounds the references of one object.
	MaxReferences = 5_000
	// MaxFindings bounds a list of findings; of the rest only the number is told.
	MaxFindings = 200
	// maxMembers bounds the members of the bundle itself, of which there are three.
	maxMembers = 16
)

// Code is the kind of a finding, the same in all versions.
type Code string

// The kinds of findings. Those of the first group refuse a bundle when it is
// read; those of the second are notes; those of the third come from [Allowed].
const (
	CodeSyntax     Code = "syntax"      // no JSON, or something after it
	CodeNotBundle  Code = "not-bundle"  // other data than a bundle
	CodeVersion    Code = "version"     // not STIX 2.1
	CodeTooLarge   Code = "too-large"   // beyond a limit of size or number
	CodeTooDeep    Code = "too-deep"    // nested beyond MaxDepth
	CodeText       Code = "text"        // no clean Unicode: lone surrogate, NUL, byte order mark
	CodeNumber     Code = "number"      // not exact in every reader
	CodeDuplicate  Code = "duplicate"   // a member or an object twice
	CodeSchema     Code = "schema"      // not as the profile has it
	CodeTime       Code = "time"        // no real time, or an end before its beginning
	CodeCycle      Code = "cycle"       // an object that holds itself
	CodeMarkingDef Code = "marking-def" // a marking that contradicts a published one

	CodeUnknown     Code = "unknown"     // a type, member or extension outside the profile
	CodeDangling    Code = "dangling"    // a reference to what the bundle does not hold
	CodeAttribution Code = "attribution" // evidence that says who is behind something
	CodeReporter    Code = "reporter"    // a report that names its own reporter among what it reports

	CodeUnmarked   Code = "unmarked"   // no TLP marking
	CodeUnreadable Code = "unreadable" // a marking that cannot be read
	CodeAbove      Code = "above"      // more restrictive than allowed
)

// A Finding is one thing that is to be said of a bundle.
type Finding struct {
	Code    Code
	Object  ID               // zero: the bundle itself, or an object without a readable id
	Pointer jsontext.Pointer // RFC 6901, from the bundle; empty: the whole
	Line    int              // of the bytes read, from 1
	Reason  string           // what is wrong, foreign text quoted
	Next    string           // what to do; empty: nothing
}

// String returns the finding on one line.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d", f.Line)
	if f.Object != "" {
		fmt.Fprintf(&b, ": %s", f.Object)
	}
	if f.Pointer != "" {
		fmt.Fprintf(&b, ": %s", show(string(f.Pointer)))
	}
	fmt.Fprintf(&b, ": %s", f.Reason)
	if f.Next != "" {
		b.WriteString("; " + f.Next)
	}
	return b.String()
}

// Refused says that a bundle is not accepted, and all the reasons.
type Refused struct {
	Findings []Finding // at least one, in the order of the bytes where it is known
	More     int       // how many there are beyond MaxFindings
}

// Error returns the first finding and the number of the others.
func (r *Refused) Error() string {
	s := "the bundle is refused: " + r.Findings[0].String()
	if n := len(r.Findings) - 1 + r.More; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Has says whether a finding of this kind is among them.
func (r *Refused) Has(c Code) bool {
	for _, f := range r.Findings {
		if f.Code == c {
			return true
		}
	}
	return false
}

// list collects findings up to the limit.
type list struct {
	found []Finding
	more  int
}

func (l *list) add(f Finding) {
	if len(l.found) >= MaxFindings {
		l.more++
		return
	}
	l.found = append(l.found, f)
}

// show quotes foreign text and shortens it, for a reason's sentence.
func show(s string) string {
	const most = 80 // enough to recognise a text by
	r := []rune(s)
	if len(r) > most {
		return book.Quote(string(r[:most])) + "…"
	}
	return book.Quote(s)
}
