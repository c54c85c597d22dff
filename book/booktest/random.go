// Package booktest makes random messages that follow a signal book.
package booktest

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// Body returns a random message of a format that the edition accepts.
func Body(e *book.Edition, f book.Format, r *rand.Rand) message.Body {
	b := message.Body{
		ID: id(r), Format: f.Number, Edition: e.Hash(), From: "nrrc.arden.example", To: "nrrc.boreal.example",
		Line:       identity.Line{A: "nrrc.arden.example", B: "nrrc.boreal.example", Class: identity.Class(1 + r.IntN(3))},
		Precedence: message.Precedence(1 + r.IntN(4)), Language: pick(r, "en", "ru", "zh", "es", "fr", "ar"), Params: make(map[string]jsontext.Value),
		Marking: message.Marking{TLP: pick(r, "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"), PAP: pick(r, "", "", "GREEN", "RED")},
	}
	if r.IntN(2) == 0 {
		b.Expires = moment(r)
	}
	for range r.IntN(3) {
		b.Refs = append(b.Refs, id(r))
	}
	if len(f.Refers) > 0 && len(b.Refs) == 0 {
		b.Refs = append(b.Refs, id(r))
	}
	for range tries {
		b.Params = params(e, f, r)
		if len(f.Checks) == 0 || e.Check(b) == nil {
			return b
		}
	}
	panic(fmt.Sprintf("internal error: of %d random messages of format %s none keeps its rules", tries, f.Number))
}

// tries bounds the search for parameters that keep the rules between them. The
// strictest format keeps them once in a few hundred.
const tries = 100_000

// params returns random parameters, each right in itself.
func params(e *book.Edition, f book.Format, r *rand.Rand) map[string]jsontext.Value {
	out := make(map[string]jsontext.Value, len(f.Params))
	for _, p := range f.Params {
		if p.Optional && r.IntN(2) == 0 {
			continue
		}
		v := one(e, p, r)
		if p.Many {
			list := []any{v}
			for range r.IntN(3) {
				list = append(list, one(e, p, r))
			}
			v = list
		}
		out[p.Name] = value(v)
	}
	return out
}

func value(v any) jsontext.Value {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	out := jsontext.Value(text)
	if err := out.Canonicalize(); err != nil {
		panic(err)
	}
	return out
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func id(r *rand.Rand) (out message.ID) {
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func moment(r *rand.Rand) time.Time { return time.Unix(r.Int64N(4_000_000_000), 0).UTC() }

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func hash(r *rand.Rand) string { return identity.Sum(fmt.Append(nil, r.Uint64())).String() }

func one(e *book.Edition, p book.Param, r *rand.Rand) any {
	switch p.Type {
	case book.TypeCode:
		l, _ := e.List(p.List)
		return pick(r, l.Codes...).Code
	case book.TypeTime:
		return stamp(moment(r))
	case book.TypeWindow:
		from := moment(r)
		return map[string]string{"from": stamp(from), "to": stamp(from.Add(time.Duration(1+r.IntN(1_000_000)) * time.Second)), "zone": pick(r, "UTC", "Europe/Paris")}
	case book.TypeDuration:
		return fmt.Sprintf("PT%dS", r.IntN(1_000_000))
	case book.TypeCount:
		if p.Max > 0 {
			return p.Min + r.IntN(p.Max-p.Min+1)
		}
		return int64(p.Min) + r.Int64N(1<<40)
	case book.TypeHash:
		return hash(r)
	case book.TypeBlob:
		return map[string]any{"hash": hash(r), "size": 1 + r.IntN(1<<30), "type": "application/stix+json"}
	case book.TypeHex:
		return (hash(r) + hash(r))[:max(p.Min, 2)+2*r.IntN(16)]
	case book.TypeID:
		return pick(r, "ARD-C-014", "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "a", "https://a.example/#x~1", "5") + fmt.Sprint(r.IntN(1000))
	case book.TypeLine:
		return "nrrc.arden.example/nrrc.boreal.example/" + pick(r, "technical", "notification", "leadership")
	case book.TypeCite:
		return fmt.Sprintf("%s%d-%d", pick(r, "ARD/BOR-N", "BOR/ARD-T", "ARD/BOR-L"), 1+r.IntN(9), r.IntN(1_000_000))
	case book.TypeGeo:
		return pick(r, "XA", "XB-12A", "001", "ZZ")
	case book.TypeChannel:
		return pick(r, "tel:+99950100", "email:desk@cert.boreal.example", "station:nrrc.arden.example", "radio:5,5MHz/USB", "sip:watch@arden.example")
	case book.TypeHours:
		return pick(r, "Mo-Fr 06:00-18:00", "Su 00:00-24:00", "Sa-Mo 22:00-23:59")
	case book.TypeItem:
		l, _ := e.List(p.List)
		return map[string]string{"item": fmt.Sprintf("indicator--%d", r.IntN(1000)), "code": pick(r, l.Codes...).Code}
	case book.TypeStation:
		return "meridian.example"
	case book.TypeAsset:
		return pick(r, "domain:grid.example", "prefix:192.0.2.0/24", "asn:64496", "sector:energy", "agent:Survey/2.1 (a; b)")
	case book.TypeRule:
		return map[string]any{"officers": 1 + r.IntN(3), "roles": []string{"releasing"}}
	}
	return text(p, r)
}

// text makes a text of what texts should not hold.
func text(p book.Param, r *rand.Rand) string {
	pieces := []string{"word", " ", "\n", "\"", "\\", ": ", "Language: ", "\u202e", "\u200b", "\u2066", "текст", "文本", "نص", "=1+1", "<b>", "\x00", "\U0001f600", " — ", "[1/2]", "\t", "\u2028"}
	most := p.Max
	if most == 0 {
		most = 200
	}
	var b strings.Builder
	for range 1 + r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	out := []rune(b.String())
	return string(out[:min(len(out), most)])
}
