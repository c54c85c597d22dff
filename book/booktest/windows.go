package booktest

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"

	"detente/book"
)

type window struct {
	From string `json:"from"`
	To   string `json:"to"`
	Zone string `json:"zone"`
}

// fit moves windows that must lie in others to where they may stand: by chance
// alone they never would.
func (g generator) fit(f book.Format, params map[string]jsontext.Value) map[string]jsontext.Value {
	for _, rule := range f.Checks {
		inner, ok := params[rule.Param]
		outer, there := params[rule.Than]
		if !ok || !there || rule.Rule != book.RuleInside {
			continue
		}
		var w window
		read(outer, &w)
		if from, to := parsed(w.From), parsed(w.To); to.Sub(from) < roomy {
			if from.Add(roomy).After(last) {
				from = from.Add(-roomy)
			}
			w.From, w.To = stamp(from), stamp(from.Add(roomy))
			params[rule.Than] = value(w)
		}
		params[rule.Param] = g.within(w, inner, rule.Field)
	}
	return params
}

// roomy is the least span that holds other windows.
const roomy = 1_000_000 * time.Second

func parsed(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func read(v jsontext.Value, into any) {
	if err := json.Unmarshal(v, into); err != nil {
		panic(err)
	}
}

// within returns the windows or times of a value, or in a field of records,
// moved into a window, one after the other.
func (g generator) within(outer window, v jsontext.Value, field string) jsontext.Value {
	list := []jsontext.Value{v}
	if v.Kind() == '[' {
		read(v, &list)
	}
	from := parsed(outer.From)
	part := int64(parsed(outer.To).Sub(from)/time.Second) / int64(len(list))
	for i, one := range list {
		begin := from.Add(time.Duration(int64(i)*part+g.r.Int64N(part/2)) * time.Second)
		end := from.Add(time.Duration(int64(i+1)*part-g.r.Int64N(part/4)) * time.Second)
		if field == "" {
			list[i] = moved(one, begin, end)
			continue
		}
		var fields map[string]jsontext.Value
		read(one, &fields)
		fields[field] = moved(fields[field], begin, end)
		list[i] = value(fields)
	}
	if v.Kind() == '[' {
		return value(list)
	}
	return list[0]
}

func moved(v jsontext.Value, from, to time.Time) jsontext.Value {
	if v.Kind() == '"' {
		return value(stamp(from))
	}
	var w window
	read(v, &w)
	return value(window{stamp(from), stamp(to), w.Zone})
}
