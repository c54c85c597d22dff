package station

import (
	"encoding/json/v2"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// itemOf is a message as the fold takes it.
func itemOf(r Read) dossier.Item {
	it := dossier.Item{
		Origin: r.Origin, Index: r.Index, ID: r.ID, Format: r.Format, At: r.At, Received: r.Received, Refs: r.Refs,
		Provisional: r.Provisional, Problem: r.Problem,
	}
	body := r.Entry.Body.Body()
	params := body.Params
	if r.Provisional {
		it.Rule = body
	}
	text := func(name string) (s string) {
		if json.Unmarshal(params[name], &s) != nil {
			return ""
		}
		return s
	}
	switch r.Format {
	case "005":
		if p, err := message.PolicyOf(body); err == nil {
			it.Policy = &p
		}
	case "012":
		it.State = text("state")
	case "018":
		it.Decision = text("decision")
	case "002":
		var era identity.Era
		var index int64
		if json.Unmarshal(params["era"], &era) == nil && json.Unmarshal(params["index"], &index) == nil {
			it.Refused = &dossier.Refused{Era: era, Index: index, Reason: text("reason")}
		}
	}
	return it
}
