package stix

import (
	"fmt"
	"strings"
	"time"

	"detente/identity"
)

// NoConfidence is the confidence of an indicator that states none.
const NoConfidence = -1

// KindPattern is the kind of an indicator that is a whole pattern, not one value.
const KindPattern = "pattern"

// An Indicator is one thing to look for.
type Indicator struct {
	Object     ID
	Hash       identity.Digest // of the object it comes from
	Name       string          // foreign text; may be empty
	Kind       string          // what Value is, like ipv4-addr:value or file:hashes.SHA-256; or KindPattern
	Value      string          // foreign text; of KindPattern the pattern itself
	Language   string          // of the pattern: stix, yara, sigma …
	From       time.Time       // when it begins to be valid
	Until      time.Time       // when it ceases; zero: not stated
	Confidence int             // 0 to 100, or NoConfidence
	Revoked    bool            // withdrawn by whoever made it: do not look for it
	Marking    Marking         // the most restrictive of the object and its parts; zero: none
}

// Indicators lists what a bundle gives to look for, in its order: a row for each
// value that by itself is enough, and one row for a pattern that is not a plain
// list of such values. Withdrawn ones are listed too, and say so.
func Indicators(b *Bundle) (all []Indicator) {
	for _, o := range b.Objects {
		if o.Type() != "indicator" || !o.Known {
			continue
		}
		m := o.members()
		row := Indicator{Object: o.ID, Hash: o.Hash, Name: o.name, Kind: KindPattern, Value: text(m, "pattern"), Language: text(m, "pattern_type"), Confidence: NoConfidence}
		row.Marking, _ = b.marking(o)
		row.From, _ = parseTime(text(m, "valid_from"))
		row.Until, _ = parseTime(text(m, "valid_until"))
		row.Revoked, _ = m["revoked"].(bool)
		if c, ok := m["confidence"].(float64); ok {
			row.Confidence = int(c)
		}
		all = append(all, row.split()...)
	}
	return all
}

// split returns a row for each value where each is enough by itself.
func (i Indicator) split() (rows []Indicator) {
	p, ok := ParsePattern(i.Value)
	if i.Language != "stix" || !ok || (len(p.Terms) > 1 && !p.Any) {
		return []Indicator{i}
	}
	for _, c := range p.Terms {
		if c.Not || (c.Op != "=" && c.Op != "IN") {
			return []Indicator{i}
		}
		for _, v := range c.Values {
			row := i
			row.Kind, row.Value = c.Object+":"+strings.Join(c.Path, "."), v
			rows = append(rows, row)
		}
	}
	return rows
}

// A Verdict is one item of a message 241: what came of one object.
type Verdict struct {
	Object ID
	Hash   identity.Digest // of the object judged; zero: the item names the id alone
	Code   string          // of the signal book's list feedback
}

// hashMark separates the id from the hash in an item of a message 241.
const hashMark = "@"

// ParseVerdict reads an item of a message 241 and its code. Which codes there
// are is for the signal book.
func ParseVerdict(item, code string) (Verdict, error) {
	name, hash, hashed := strings.Cut(item, hashMark)
	id, err := ParseID(name)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Object: id, Code: code}
	if hashed {
		if v.Hash, err = identity.ParseDigest(hash); err != nil {
			return Verdict{}, fmt.Errorf("feedback on %s: %w", id, err)
		}
	}
	return v, nil
}

// Item returns the item as a message 241 has it: the id and, where it is known,
// the hash of what was judged.
func (v Verdict) Item() string {
	if v.Hash == (identity.Digest{}) {
		return string(v.Object)
	}
	return string(v.Object) + hashMark + v.Hash.String()
}

// A Result joins a verdict to the object that it judges.
type Result struct {
	Verdict
	Held bool // the bundle holds an object of that id
	Same bool // and the verdict's hash is that object's; false too where it names none
}

// Match joins feedback to a bundle, in the order of the feedback. A verdict over
// an object that the bundle does not hold, or holds in another version, is
// listed as such and not passed over.
func Match(b *Bundle, verdicts []Verdict) []Result {
	results := make([]Result, len(verdicts))
	for i, v := range verdicts {
		o, held := b.Object(v.Object)
		results[i] = Result{Verdict: v, Held: held, Same: held && o.Hash == v.Hash}
	}
	return results
}
