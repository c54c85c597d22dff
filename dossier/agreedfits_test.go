package dossier

import (
	"encoding/json/jsontext"
	"errors"
	"maps"
	"testing"

	"detente/identity"
	"detente/message"
)

// What binds is refused before release where it does not fit what it refers to,
// with the parameter named; what fits is let go.
//
// long: a row a case.
func TestInstrumentsFitWhatTheySpeakOf(t *testing.T) {
	e := edition(t)
	body := func(n message.Format, example int, from identity.Station, change map[string]string) message.Body {
		f, ok := e.Format(n)
		if !ok || example >= len(f.Examples) {
			t.Fatalf("format %s has no example %d", n, example)
		}
		params := maps.Clone(map[string]jsontext.Value(f.Examples[example]))
		for name, v := range change {
			params[name] = jsontext.Value(v)
		}
		return message.Body{Format: n, From: from, Params: params}
	}
	hash := func(c string) string {
		s := ""
		for range 32 {
			s += c
		}
		return `"` + s + `"`
	}
	m := func(kv ...string) map[string]string {
		out := make(map[string]string)
		for i := 0; i < len(kv); i += 2 {
			out[kv[i]] = kv[i+1]
		}
		return out
	}
	note := body("300", 0, boreal, nil)
	for name, c := range map[string]struct {
		body  message.Body
		about []message.Body
		param string // empty: it fits
	}{
		"the same words":                   {body("301", 0, arden, nil), []message.Body{note}, ""},
		"the same words, one left out":     {body("301", 0, arden, m("undertakings", `["U1","U2","U5"]`)), []message.Body{note}, "undertakings"},
		"an undertaking not offered":       {body("301", 0, arden, m("undertakings", `["U1","U2","U5","U6","U9"]`)), []message.Body{note}, "undertakings"},
		"a reply over another hash":        {body("301", 0, arden, m("text", hash("00"))), []message.Body{note}, "text"},
		"a reply to one's own note":        {body("301", 0, boreal, nil), []message.Body{note}, "refs"},
		"a withdrawal of another note":     {body("302", 0, arden, m("note", `"X"`)), []message.Body{note}, "note"},
		"an election of the other side":    {body("311", 0, boreal, nil), []message.Body{body("310", 0, arden, nil)}, "refs"},
		"another election":                 {body("311", 0, arden, m("election", `"X"`)), []message.Body{body("310", 0, arden, nil)}, "election"},
		"its own election":                 {body("311", 0, arden, nil), []message.Body{body("310", 0, arden, nil)}, ""},
		"agreement to another record":      {body("421", 1, arden, m("text", hash("00"))), []message.Body{body("421", 0, boreal, nil)}, "text"},
		"agreement to the record":          {body("421", 1, arden, nil), []message.Body{body("421", 0, boreal, nil)}, ""},
		"a first record":                   {body("421", 0, arden, nil), nil, ""},
		"an older version of a measure":    {body("451", 0, arden, m("version", "2")), []message.Body{body("450", 0, boreal, nil)}, "version"},
		"a measure accepted":               {body("451", 0, arden, nil), []message.Body{body("450", 0, boreal, nil)}, ""},
		"a step that is none":              {body("452", 0, arden, m("step", `"9"`)), []message.Body{body("450", 0, boreal, nil)}, "step"},
		"a signature of nobody's text":     {body("501", 0, arden, nil), []message.Body{body("500", 0, boreal, nil)}, "text"},
		"a signature of one of two texts":  {body("501", 0, arden, m("text", hash("63"))), []message.Body{body("500", 0, boreal, nil), body("500", 1, arden, nil)}, ""},
		"articles that were not suspended": {body("511", 1, arden, m("articles", `["A9","A1"]`)), []message.Body{body("510", 0, arden, nil)}, "articles [2]"},
		"a suspension of the other side":   {body("511", 0, arden, nil), []message.Body{body("510", 0, boreal, nil)}, "refs"},
		"an amendment as another text":     {body("521", 0, arden, m("text", hash("00"))), []message.Body{body("520", 0, boreal, nil)}, "text"},
		"an amendment accepted":            {body("521", 0, arden, nil), []message.Body{body("520", 0, boreal, nil)}, ""},
		"another text proposed":            {body("521", 2, arden, nil), []message.Body{body("520", 1, boreal, nil)}, ""},
		"a denunciation not one's own":     {body("531", 0, arden, nil), []message.Body{body("530", 0, boreal, nil)}, "refs"},
		"a non-renewal needs no other":     {body("531", 1, arden, nil), nil, ""},
		"consent to another card":          {body("540", 1, arden, m("card", hash("00"))), []message.Body{body("540", 0, boreal, nil)}, "card"},
		"part in nobody's exercise":        {body("120", 1, arden, nil), nil, "refs"},
		"control of another exercise":      {body("121", 0, arden, m("exercise", `"X"`)), []message.Body{body("120", 0, arden, nil)}, "exercise"},
	} {
		err := Fits(c.body, c.about)
		var f *FitError
		switch {
		case c.param == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.param != "" && (!errors.As(err, &f) || f.Param != c.param || f.Reason == "" || f.Next == ""):
			t.Errorf("%s: %v, want %s", name, err, c.param)
		}
		if !Refers(c.body.Format) {
			t.Errorf("%s: format %s is not looked at", name, c.body.Format)
		}
	}
}
