package treaty

import (
	"testing"

	"detente/book"
)

func edition(t testing.TB) *book.Edition {
	t.Helper()
	e, err := book.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func model(t testing.TB) *Agreement {
	t.Helper()
	a, err := Model()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What the model agreement needs and the edition has not yet is all that is
// found. Where the edition has every format, nothing is found.
func TestModelIsWithoutFault(t *testing.T) {
	a, e := model(t), edition(t)
	if len(a.Articles) != 30 || len(a.Languages) != 6 {
		t.Fatalf("%d articles in %d languages", len(a.Articles), len(a.Languages))
	}
	lacks := make(map[string]bool) // duties that name a format which the edition lacks
	for _, f := range Check(a, e) {
		lacks[f.Duty] = lacks[f.Duty] || f.Fault == FaultNoFormat
		if !lacks[f.Duty] {
			t.Error(f)
		}
	}
}
