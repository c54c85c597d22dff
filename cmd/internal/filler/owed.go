package filler

import (
	"encoding/json/jsontext"
	"fmt"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/treaty"
)

// owedAsked is how often what is owed is asked for, for a mean.
const owedAsked = 5

// Owed reports how long it takes to say what is owed by the model agreement while
// so many of its obligations at least are open: inquiries that nobody answered.
func Owed(open int) (time.Duration, error) {
	e, err := book.Embedded()
	if err != nil {
		return 0, err
	}
	text, err := treaty.Model()
	if err != nil {
		return 0, err
	}
	l, err := identity.NewLine("nrrc.arden.example", "nrrc.boreal.example", identity.Notification)
	if err != nil {
		return 0, err
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	ledger, err := treaty.NewLedger(treaty.Setup{
		Agreement: text.ID, Parties: [2]identity.Party{"arden.example", "boreal.example"}, Versions: []treaty.Version{{From: at, Text: text}},
	}, e)
	if err != nil {
		return 0, err
	}
	for n := range open {
		at = at.Add(time.Second)
		body := message.Body{ID: idOf(n + 1), Format: "210", Precedence: message.Routine, Params: map[string]jsontext.Value{"kind": jsontext.Value(`"scanning"`)}}
		ev := treaty.Read(treaty.Place{Origin: l.Log(l.A, 1), Index: int64(n)}, "arden.example", "boreal.example", body, at, e)
		ev.Received = at
		ledger.Put(ev)
	}
	ledger.At(at) // what comes in order costs nothing to fold anew
	began := time.Now()
	for range owedAsked {
		if owed := ledger.At(at).Owed(""); len(owed) < open {
			return 0, fmt.Errorf("%d obligations are owed after %d inquiries", len(owed), open)
		}
	}
	return time.Since(began) / owedAsked, nil
}
