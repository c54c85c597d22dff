package dossier

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"detente/book/booktest"
	"detente/message"
)

// Whatever messages say and refer to, Fits either finds nothing or names the
// place, the reason and a next step; and a reply that answers just the facts that
// a claim states always fits.
// covers P14
func TestFits(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(31, 32))
	refused, taken := 0, 0
	for _, form := range e.Formats() {
		f, ok := fitOf(form.Number)
		if ok != Refers(form.Number) {
			t.Errorf("format %s: Refers says %v", form.Number, !ok)
		}
		for range 8 {
			b := booktest.Body(e, form, r)
			var about []message.Body
			for _, n := range slices.Concat(f.about, []message.Format{"600", "272"}) {
				of, _ := e.Format(n)
				a := booktest.Body(e, of, r)
				if r.IntN(2) == 0 {
					a.From, a.To = a.To, a.From
				}
				about = append(about, a)
			}
			err := Fits(b, about[:r.IntN(len(about)+1)])
			var fit *FitError
			switch {
			case err == nil:
				taken++
			case !ok || !errors.As(err, &fit) || fit.Param == "" || fit.Reason == "" || fit.Next == "" || fit.Format != form.Number:
				t.Errorf("format %s: %v", form.Number, err)
			default:
				refused++
			}
		}
	}
	if refused < 20 || taken < 50 {
		t.Errorf("%d were refused and %d taken", refused, taken)
	}
	claimed, _ := e.Format("270")
	replied, _ := e.Format("271")
	for range 30 {
		claim, reply := booktest.Body(e, claimed, r), booktest.Body(e, replied, r)
		claim.From, claim.To = claim.To, claim.From
		n := len(FactsOf(claim).Records["facts"])
		facts := ""
		for i := range n {
			facts += fmt.Sprintf(`,{"answer":"partly","fact":%d}`, i+1)
		}
		reply.Params["facts"] = jsontext.Value("[" + facts[1:] + "]")
		if err := Fits(reply, []message.Body{claim}); err != nil {
			t.Fatalf("a reply to all of %d facts: %v", n, err)
		}
		reply.Params["facts"] = jsontext.Value(fmt.Sprintf(`[{"answer":"partly","fact":%d}]`, n+1))
		if Fits(reply, []message.Body{claim}) == nil {
			t.Fatalf("a reply to fact %d of %d fits", n+1, n)
		}
	}
}
