package message

import (
	"encoding/json"
	"encoding/json/jsontext"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"detente/internal/decodertest"
)

// The numbers of RFC 8785, appendix B: bits of a double, and how they are
// written.
func TestCanonicalNumbers(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0",
		0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334", 0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := canonical(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("%016x is written %s, not %s; %v", bits, got, want, err)
		}
	}
	for _, none := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := canonical(none); err == nil {
			t.Errorf("%v is written %s", none, got)
		}
	}
}

// The example and the order of names of RFC 8785, sections 3.2.2 to 3.2.4.
func TestCanonicalText(t *testing.T) {
	for text, want := range map[string]string{
		`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
		  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`: "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`: "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\",\"\U0001f600\":\"Emoji\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		// Nothing is normalised: the two ways to write one letter stay two.
		`["é","e\u0301"]`: "[\"é\",\"e\u0301\"]",
		` [ ] `:           "[]",
		`"\u007f\u2028"`:  "\"\u007f\u2028\"",
	} {
		got := jsontext.Value(text)
		if err := got.Canonicalize(); err != nil || string(got) != want {
			t.Errorf("%s is written\n%s, not\n%s; %v", text, got, want, err)
		}
		if plain, err := plainCanonical([]byte(text)); err != nil || plain != want {
			t.Errorf("the plain way writes\n%s, not\n%s; %v", plain, want, err)
		}
	}
}

// plainCanonical is RFC 8785 in the plainest way: read by the older JSON
// library, names sorted by their UTF-16 units, written by hand.
func plainCanonical(text []byte) (string, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "", err
	}
	var b strings.Builder
	writePlain(&b, v)
	return b.String(), nil
}

func writePlain(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		var names []string
		for n := range v {
			names = append(names, n)
		}
		slices.SortFunc(names, func(x, y string) int { return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y))) })
		for i, n := range names {
			b.WriteString([]string{"{", ","}[min(i, 1)])
			writePlain(b, n)
			b.WriteByte(':')
			writePlain(b, v[n])
		}
		b.WriteString([]string{"{}", "}"}[min(len(names), 1)])
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			b.WriteString([]string{"", ","}[min(i, 1)])
			writePlain(b, e)
		}
		b.WriteByte(']')
	case string:
		b.WriteByte('"')
		for _, c := range v {
			if short := strings.IndexRune("\b\t\n\f\r\"\\", c); short >= 0 {
				b.WriteString([]string{`\b`, `\t`, `\n`, `\f`, `\r`, `\"`, `\\`}[strings.Count("\b\t\n\f\r\"\\"[:short], "")-1])
			} else if c < ' ' {
				fmt.Fprintf(b, `\u%04x`, c)
			} else {
				b.WriteRune(c)
			}
		}
		b.WriteByte('"')
	case float64:
		number, _ := json.Marshal(v) // as ECMAScript does, but for the sign of nothing
		b.WriteString(strings.Replace(string(number), "-0", "0", boolToInt(v == 0)))
	case bool:
		fmt.Fprint(b, v)
	case nil:
		b.WriteString("null")
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What decode takes is, by the plain way too, the one way to write what it says.
func FuzzCanonical(f *testing.F) {
	accepted := []string{`{"a":{"b":[1,"\u0000é"]},"c":-1.5e-7}`, `{"":{}}`, "{\"1\":1e+21,\"\U0001f600\":0.000001,\"\ufb33\":true}"}
	rejected := []string{`{"a": 1}`, `{"b":1,"a":2}`, `{"a":1,"a":1}`, `{"a":"\u00e9"}`, `{"a":1.0}`, `{"a":-0}`, `{"a":9007199254740993}`, `{"a":1e999}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, "\ufeff{}", `{} `, `{}{}`, `[]`}
	read := func(text []byte) error {
		var v map[string]jsontext.Value
		return decode("text", text, &v)
	}
	decodertest.Seeds(f, func(s string) error { return read([]byte(s)) }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		if err := read([]byte(text)); err != nil {
			decodertest.Short(t, err)
			return
		}
		if plain, err := plainCanonical([]byte(text)); err != nil || plain != text {
			t.Errorf("%q is read, and the plain way writes %q, %v", text, plain, err)
		}
		if strings.ContainsAny(text, "\n\r\t") {
			t.Errorf("%q holds spaces", text)
		}
	})
}
