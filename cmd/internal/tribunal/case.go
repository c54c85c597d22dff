// Package tribunal makes records with planted fraud, and honest ones, and tells
// whether a verifier that has nothing but a record and two roots names each
// fraud. Two real stations write the records; a dishonest party then writes on
// with the keys that it would have. What the verifier must say is stated beside
// the planting.
package tribunal

import (
	"context"
	"fmt"

	"detente/identity"
	"detente/record"
)

// Case is a record for the tribunal.
type Case struct {
	Name  string
	Fraud bool
	File  []byte
	Roots [][]byte // the parties' root notes
	Want  Want
}

// Want is what the verifier must say of a record.
type Want struct {
	Verdict record.Verdict
	Code    string   // of the finding that names the fraud; empty: the record is honest
	Where   string   // the place that the finding names: a citation, a log or a file
	By      string   // the short code of the station whose hand it is; empty: whoever exported it
	Also    []string // codes of what follows from it or is plainly so, and of nothing else
	Claims  int      // that the report answers for
}

// planted is a fraud that was planted in a copy of a record.
type planted struct {
	name  string
	plant func(*copyOf) (Want, error)
}

// Cases plays the stories and makes all records. Evidence and marks of the
// stations lie in dir.
func Cases(ctx context.Context, dir string) ([]Case, error) {
	honest, base, err := honestCases(ctx, dir)
	if err != nil {
		return nil, err
	}
	var list []Case
	for _, p := range frauds() {
		from := base.plain
		if p.name == eraFraud {
			from = base.eras
		}
		c := from.clone()
		want, err := p.plant(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		file, err := c.export()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		list = append(list, Case{Name: p.name, Fraud: true, File: file, Roots: c.roots(), Want: want})
	}
	return append(list, honest...), nil
}

// roots returns the parties' root notes, as whoever judges holds them.
func (c *copyOf) roots() [][]byte {
	return [][]byte{c.casts[arden].Bundle.Root, c.casts[boreal].Bundle.Root}
}

// own and theirs are the two logs, Arden's and Boreal's.
func (c *copyOf) own() identity.Origin    { return c.log(arden, boreal) }
func (c *copyOf) theirs() identity.Origin { return c.log(boreal, arden) }
