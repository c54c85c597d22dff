package decodertest

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
)

// cuts is at how many places a document is cut short.
const cuts = 200

// JSON returns hostile documents made of a good one, which must be an object
// with at least one member, by what is wrong with them. No decoder may read any.
func JSON(good []byte) map[string][]byte {
	first := good[1 : 1+bytes.IndexByte(good[1:], ':')] // its first member's name, quoted
	within := func(member string) []byte {
		return append([]byte("{"+member+","), good[1:]...)
	}
	out := map[string][]byte{
		"nothing":                     {},
		"null":                        []byte("null"),
		"a list":                      []byte("[]"),
		"an empty object":             []byte("{}"),
		"a member that stands twice":  within(string(first) + ":null"),
		"a member twice, escaped":     within(`"\u00` + fmt.Sprintf("%02x", first[1]) + string(first[2:]) + ":null"),
		"an unknown member":           within(`"no-such-member":1`),
		"a lone surrogate":            within(`"no-such-member":"\ud800"`),
		"a surrogate pair reversed":   within(`"no-such-member":"\udc00\ud800"`),
		"NUL":                         within("\"no-such-member\":\"\x00\""),
		"NUL, escaped, in a name":     within(`"\u0000":1`),
		"a number beyond 2^53":        within(`"no-such-member":9007199254740993`),
		"a number beyond 2^64":        within(`"no-such-member":18446744073709551616`),
		"a huge exponent":             within(`"no-such-member":1e999999999`),
		"not a number":                within(`"no-such-member":NaN`),
		"a byte order mark":           append([]byte("\ufeff"), good...),
		"another document after it":   append(bytes.Clone(good), good...),
		"a byte after it":             append(bytes.Clone(good), 'x'),
		"NUL after it":                append(bytes.Clone(good), 0),
		"broken UTF-8":                within("\"no-such-member\":\"\xff\""),
		"overlong UTF-8":              within("\"no-such-member\":\"\xc0\xaf\""),
		"UTF-16":                      utf16(good),
		"10,000 levels":               within(`"no-such-member":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000)),
		"100,000 levels, not ended":   []byte(strings.Repeat(`{"a":`, 100000)),
		"a comment":                   within(`/* */"no-such-member":1`),
		"a name that steers a screen": within(`"` + Steering + `":1`),
		"a megabyte without a space":  within(`"` + strings.Repeat("x", 1<<20) + `":1`),
	}
	for n := 0; n < len(good); n += 1 + len(good)/cuts {
		out[fmt.Sprintf("cut at byte %d", n)] = good[:n]
	}
	return out
}

// Steering is a text that moves a cursor, turns the direction of what follows,
// hides itself and forges a line of a log.
const Steering = "\u202eevil\u2066\u200b\ufeff\u2028\\r\\n2026-11-23T14:00:00Z level=INFO msg=\\\"released\\\"\\u001b[2J"

func utf16(b []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range b {
		out = append(out, c, 0)
	}
	return out
}

// Note returns hostile signed notes made of a good one by what is wrong with
// them. No decoder that verifies its signatures may read any.
func Note(good []byte) map[string][]byte {
	at := bytes.LastIndex(good, []byte("\n\n"))
	text, lines := good[:at+1], bytes.SplitAfter(good[at+2:], []byte("\n"))
	lines = lines[:len(lines)-1] // what follows the last line end is nothing
	first, last := lines[0], lines[len(lines)-1]
	name := string(bytes.Fields(first)[1])
	with := func(lines ...[]byte) []byte {
		return append(append(bytes.Clone(text), '\n'), bytes.Join(lines, nil)...)
	}
	spare := bytes.Clone(last)
	if i := bytes.IndexByte(spare, '='); i > 0 {
		spare[i-1]++ // its lowest bits stand for nothing
	}
	out := map[string][]byte{
		"nothing":                  {},
		"no signature":             with(),
		"no empty line":            append(bytes.Clone(text), bytes.Join(lines, nil)...),
		"no last line end":         bytes.TrimSuffix(good, []byte("\n")),
		"two last line ends":       append(bytes.Clone(good), '\n'),
		"line ends of DOS":         bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")),
		"one DOS line end":         append(good[:len(good)-1:len(good)-1], "\r\n"...),
		"a byte order mark":        append([]byte("\ufeff"), good...),
		"a key that signs twice":   with(append(lines[:len(lines):len(lines)], first)...),
		"the last line twice":      with(append(lines[:len(lines):len(lines)], last)...),
		"a line that is none":      with(append(lines[:len(lines):len(lines)], []byte("- "+name+" AAAAAAAA\n"))...),
		"a line without a name":    with(append(lines[:len(lines):len(lines)], []byte("\u2014  AAAAAAAA\n"))...),
		"a line without signature": with(append(lines[:len(lines):len(lines)], []byte("\u2014 x \n"))...),
		"a wrong key hash":         bytes.Replace(good, first[:len("\u2014 ")+len(name)+5], []byte("\u2014 "+name+" AAAA"), 1),
		"the wrong name":           bytes.ReplaceAll(good, []byte("\u2014 "+name+" "), []byte("\u2014 another.example ")),
		"extension lines":          append(append(bytes.Clone(text), "more\n"...), good[len(text):]...),
		"a changed text":           append([]byte("x"), good...),
		"spare bits of base64":     bytes.Replace(good, last, spare, 1),
		"broken UTF-8":             bytes.Replace(good, []byte("\n\n"), []byte("\xff\n\n"), 1),
		"NUL":                      bytes.Replace(good, []byte("\n\n"), []byte("\x00\n\n"), 1),
		"a megabyte":               append(bytes.Repeat([]byte("x"), 1<<20), good...),
		"a megabyte of lines":      append(bytes.Clone(good), bytes.Repeat([]byte("\u2014 x AAAAAAAA\n"), 1<<16)...),
	}
	if len(lines) > 1 {
		out["one signature missing"] = with(lines[1:]...)
		out["the other missing"] = with(lines[:len(lines)-1]...)
	}
	if bytes.Equal(spare, last) {
		delete(out, "spare bits of base64")
	}
	maps.DeleteFunc(out, func(_ string, b []byte) bool { return bytes.Equal(b, good) })
	return out
}

// Texts returns texts that break forms, screens and logs, by what is wrong with
// them. A decoder of names, digests, numbers or codes may read none.
func Texts() map[string]string {
	return map[string]string{
		"nothing":                 "",
		"a space":                 " ",
		"NUL":                     "\x00",
		"broken UTF-8":            "\xff\xfe",
		"overlong UTF-8":          "\xc0\xaf",
		"a surrogate in UTF-8":    "\xed\xa0\x80",
		"a byte order mark":       "\ufeff",
		"bidi overrides":          "\u202egro.elpmaxe\u202c",
		"isolates":                "\u2067a\u2069",
		"zero width":              "a\u200bb\u200dc\u2060d",
		"confusables":             "nrrс.аrden.example", // three letters are Cyrillic
		"full width":              "ｎｒｒｃ．ａｒｄｅｎ",
		"a name from the right":   "مركز.example",
		"line ends":               "a\nb",
		"DOS line ends":           "a\r\nb",
		"line separators":         "a\u2028b\u2029c",
		"an escape":               "\x1b[2J\x1b[1;1H",
		"a header":                "a\r\nSet-Cookie: x=1",
		"a log line":              "a\n2026-11-23T14:00:00Z level=INFO msg=released",
		"HTML":                    "<script>alert(1)</script>",
		"a formula":               "=cmd|' /C calc'!A0",
		"a path":                  "../../etc/passwd",
		"another path":            `..\..\x`,
		"a million without space": strings.Repeat("x", 1<<20),
		"a million dots":          strings.Repeat(".", 1<<20),
		"a million slashes":       strings.Repeat("/", 1<<20),
		"a million digits":        strings.Repeat("9", 1<<20),
		"a million minuses":       strings.Repeat("-", 1<<20),
	}
}
