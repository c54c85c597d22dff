// Package booktest makes random messages that follow a signal book, and for
// each the messages that are easiest to take for it.
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

// Body returns a random message of a format that the edition accepts. One of its
// parameters in two messages has values at its limits.
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
	for range pick(r, 0, 0, 1, 2, 3, message.MaxRefs) {
		b.Refs = append(b.Refs, id(r))
	}
	if len(f.Refers) > 0 && len(b.Refs) == 0 {
		b.Refs = append(b.Refs, id(r))
	}
	g := generator{e, r, ""}
	for range tries {
		if n := len(f.Params); n > 0 {
			g.limit = pick(r, "", f.Params[r.IntN(n)].Name) // one only: a message has a limit too
		}
		b.Params = g.fit(f, g.params(f))
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
func (g generator) params(f book.Format) map[string]jsontext.Value {
	out := make(map[string]jsontext.Value, len(f.Params))
	for _, p := range f.Params {
		if p.Optional && g.r.IntN(2) == 0 && p.Name != g.limit {
			continue
		}
		out[p.Name] = g.param(p)
	}
	return out
}

type generator struct {
	e     *book.Edition
	r     *rand.Rand
	limit string // the parameter whose values stand at their limits
}

// param returns a random value of a parameter.
func (g generator) param(p book.Param) jsontext.Value {
	if !p.Many {
		return value(g.one(p))
	}
	n := 1 + g.r.IntN(4)
	if p.Name == g.limit {
		n = 32
	}
	switch p.Type {
	case book.TypeText, book.TypeID, book.TypeHex, book.TypeCount: // whose bound is that of each value
	default:
		if p.Max > 0 && (n > p.Max || p.Name == g.limit) {
			n = p.Max
		}
	}
	list := make([]any, n)
	for i := range list {
		list[i] = g.one(p)
	}
	return value(list)
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

// first and last are the seconds that records may hold.
var (
	first = time.Unix(0, 0).UTC()
	last  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

func moment(r *rand.Rand) time.Time { return time.Unix(r.Int64N(4_000_000_000), 0).UTC() }

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func hash(r *rand.Rand) string { return identity.Sum(fmt.Append(nil, r.Uint64())).String() }

// one returns one value of a parameter's type.
//
// long: a case a type.
func (g generator) one(p book.Param) any {
	r, limit := g.r, p.Name == g.limit
	switch p.Type {
	case book.TypeCode:
		l, _ := g.e.List(p.List)
		return pick(r, l.Codes...).Code
	case book.TypeTime:
		if limit {
			return stamp(pick(r, first, last))
		}
		return stamp(moment(r))
	case book.TypeWindow:
		from := moment(r)
		to := from.Add(time.Duration(1+r.IntN(1_000_000)) * time.Second)
		if limit {
			from, to = first, pick(r, last, first.Add(time.Second))
		}
		return map[string]string{"from": stamp(from), "to": stamp(to), "zone": pick(r, "UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+12")}
	case book.TypeDuration:
		if limit {
			return fmt.Sprintf("PT%dS", pick(r, 0, 100*366*24*60*60))
		}
		return fmt.Sprintf("PT%dS", r.IntN(1_000_000))
	case book.TypeCount:
		return g.count(p)
	case book.TypeHash:
		return hash(r)
	case book.TypeBlob:
		size := 1 + r.Int64N(1<<30)
		if limit {
			size = pick[int64](r, 1, 1<<53-1)
		}
		return map[string]any{"hash": hash(r), "size": size, "type": pick(r, "application/stix+json", "text/plain; charset=utf-8", "text/plain;charset=utf-8", "a/"+strings.Repeat("b", 98))}
	case book.TypeHex:
		least, most := max(p.Min, 2), max(p.Max, 0)
		if most == 0 {
			most = 128
		}
		digits := least + 2*r.IntN((most-least)/2+1)
		if limit {
			digits = pick(r, least, most)
		}
		return strings.Repeat(hash(r), 1+digits/64)[:digits]
	case book.TypeID:
		return g.id(p)
	case book.TypeLine:
		return "nrrc.arden.example/nrrc.boreal.example/" + pick(r, "technical", "notification", "leadership")
	case book.TypeCite:
		if limit {
			return pick(r, "ARD/BOR-L4294967295-9223372036854775807", "AAA/ZZZ-T1-0")
		}
		return fmt.Sprintf("%s%d-%d", pick(r, "ARD/BOR-N", "BOR/ARD-T", "ARD/BOR-L"), 1+r.IntN(9), r.IntN(1_000_000))
	case book.TypeGeo:
		return pick(r, "XA", "XB-12A", "001", "ZZ")
	case book.TypeChannel:
		return pick(r, "tel:+99950100", "email:desk@cert.boreal.example", "station:nrrc.arden.example", "radio:5,5MHz/USB", "sip:watch@arden.example", "radio:"+strings.Repeat("x", 194))
	case book.TypeHours:
		return pick(r, "Mo-Fr 06:00-18:00", "Su 00:00-24:00", "Sa-Mo 22:00-23:59")
	case book.TypeItem:
		l, _ := g.e.List(p.List)
		item := fmt.Sprintf("indicator--%d", r.IntN(1000))
		if limit {
			item = fmt.Sprintf("%03d/", r.IntN(1000)) + strings.Repeat("x/", 98)
		}
		return map[string]string{"item": item, "code": pick(r, l.Codes...).Code}
	case book.TypeStation:
		return pick(r, "meridian.example", "a", strings.Repeat("a", 100), "1.2.3")
	case book.TypeAsset:
		return pick(r, "domain:grid.example", "domain:xn--e1afmkfd.example", "prefix:192.0.2.0/24", "prefix:2001:db8::/32", "asn:64496", "sector:energy",
			`product:a "b" - c: d / e [1/2]: \u202e`, "url:https://host.example/?a=1&b=<c>", "hash:"+hash(r), "agent:Survey/2.1 (a; b)", "product:"+strings.Repeat("x", 292))
	case book.TypeRule:
		return g.rule()
	case book.TypeRecord:
		return g.record(p)
	}
	return g.text(p)
}

func (g generator) count(p book.Param) int64 {
	least, most := int64(p.Min), int64(1<<53-1)
	if p.Max > 0 {
		most = int64(p.Max)
	}
	if p.Name == g.limit {
		return pick(g.r, least, most)
	}
	return least + g.r.Int64N(most-least+1)
}

func (g generator) id(p book.Param) string {
	most := p.Max
	if most == 0 {
		most = 80
	}
	if p.Name == g.limit {
		return fmt.Sprintf("%03d", g.r.IntN(1000)) + strings.Repeat("~", most-3)
	}
	s := pick(g.r, "ARD-C-014", "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "a", "https://a.example/#x~1", "5", "a/b/c:d") + fmt.Sprint(g.r.IntN(1000))
	return s[:min(len(s), most)]
}

// record returns a random record; one that stands at its limits has all fields
// at theirs.
func (g generator) record(p book.Param) map[string]any {
	for range tries {
		out := make(map[string]any, len(p.Fields))
		for _, f := range p.Fields {
			if f.Optional && p.Name != g.limit && g.r.IntN(2) == 0 {
				continue
			}
			in := g
			in.limit = ""
			if p.Name == g.limit && f.Type != book.TypeText { // one text at its limit is a message's share
				in.limit = f.Name
			}
			out[f.Name] = in.one(f)
		}
		if g.e.Sound(p, value(out)) == nil {
			return out
		}
	}
	panic(fmt.Sprintf("internal error: of %d random records %s none keeps its rules", tries, p.Name))
}

func (g generator) rule() map[string]any {
	rule := map[string]any{"officers": 1 + g.r.IntN(3), "roles": pick(g.r, []string{"releasing"}, []string{"watch", "releasing"}, []string{"a-b", "aa"})}
	if g.r.IntN(3) == 0 {
		rule["officers"], rule["alone"], rule["confirm_seconds"] = 2, true, pick(g.r, 1, 1800, 24*60*60)
	}
	if g.r.IntN(3) == 0 {
		rule["formats"], rule["precedences"] = []string{"210", "211"}, []string{"FLASH"}
	}
	return rule
}

// most is how many characters a text may have.
func most(p book.Param) int {
	if p.Max > 0 {
		return p.Max
	}
	return 200
}

// hostile are what texts should not hold: what ends a line, a value or a text,
// what a rendering writes itself, what nobody sees, and what looks like
// something else.
var hostile = []string{
	"word", " ", "  ", "\n", "\r\n", "\t", "\x00", "\x1b[2J", "\x7f", "\u0085", "\u00a0", "\u2028", "\u2029", "\u3000",
	"\"", "\\", `\n`, `\u202e`, `\"`, "\\u", ": ", " — ", " / ", "[1/2]: ", " [2/2]: \"", "\";", "'",
	"\u202a", "\u202e", "\u202c", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c",
	"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u3164", "\uffa0", "\ufe0f", "\U000e0100", "\U000e0041", "\u180e", "\u2800",
	"\u0301", "e\u0301", "é", "\u20e3", "текст", "文本", "نص", "תוכן", "\U0001f600", "\U0001f468\u200d\U0001f469", "\ufffd", "\ufffe", "\U0010ffff", "\ue000",
	"=1+1", "<b>", "&amp;", "%0a", "-", "Language: ", "210: ",
}

// text makes a text of what texts should not hold, and of the book's own labels.
func (g generator) text(p book.Param) string {
	var b strings.Builder
	for range 1 + g.r.IntN(8) {
		b.WriteString(g.piece())
	}
	for p.Name == g.limit && len([]rune(b.String())) < most(p) {
		b.WriteString(g.piece())
	}
	out := []rune(b.String())
	return string(out[:min(len(out), most(p))])
}

func (g generator) piece() string {
	if g.r.IntN(4) > 0 {
		return pick(g.r, hostile...)
	}
	f := pick(g.r, g.e.Formats()...)
	if len(f.Params) == 0 {
		return f.Name["en"]
	}
	p := pick(g.r, f.Params...)
	l := pick(g.r, book.Langs()...)
	if list, ok := g.e.List(p.List); ok {
		c := pick(g.r, list.Codes...)
		return "\n" + p.Label[l] + ": " + c.Code + " — " + c.Label[l] + "\n"
	}
	return "\"\n" + p.Label[l] + ": "
}
