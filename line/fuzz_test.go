package line

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"detente/identity"
	"detente/internal/decodertest"
)

// reread is the property of every codec with one form: what is accepted is
// written again, field by field, as the same bytes. A good text that is cut, or
// has a byte after it, is no other good text.
func reread[T any](f *testing.F, parse func([]byte) (T, error), write func(T) ([]byte, error), accepted [][]byte, rejected ...string) {
	f.Helper()
	decodertest.Seeds(f, func(b []byte) error { _, err := parse(b); return err }, accepted, spoilt(accepted, rejected))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		again, err := write(v)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v was read from %q and written as %q, %v", v, b, again, err)
		}
	})
}

// spoilt adds what is near a good text to those that are bad.
func spoilt(good [][]byte, bad []string) [][]byte {
	out := [][]byte{{}, []byte("\ufeff")}
	for _, s := range bad {
		out = append(out, []byte(s))
	}
	for _, b := range good {
		out = append(out, append(bytes.Clone(b), 0), append([]byte("\ufeff"), b...))
		if len(b) > 1 {
			out = append(out, b[:len(b)-1])
		}
	}
	return out
}

// stable is the property of codecs in JSON: what is accepted says the same to
// the older JSON library, written again it says the same, and reads the same.
func stable[T any](f *testing.F, parse func([]byte) (T, error), write func(T) ([]byte, error), accepted [][]byte, rejected ...string) {
	f.Helper()
	all := spoilt(nil, rejected)[1:]
	for _, text := range decodertest.JSON(accepted[0]) {
		all = append(all, text)
	}
	decodertest.Seeds(f, func(b []byte) error { _, err := parse(b); return err }, accepted, slices.DeleteFunc(all, func(b []byte) bool { _, err := parse(b); return err == nil && string(b) == "{}" }))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		again, err := write(v)
		if err != nil {
			t.Fatalf("%v was read and cannot be written: %v", v, err)
		}
		w, err := parse(again)
		if err != nil || !reflect.DeepEqual(v, w) {
			t.Fatalf("%v became %v, %v", v, w, err)
		}
		if theirs, ours := said(t, b), said(t, again); !reflect.DeepEqual(theirs, ours) {
			t.Fatalf("%q was read, and written as %q", b, again)
		}
	})
}

// said is what a document says to the older JSON library, without what is empty.
func said(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%q is no JSON to others: %v", text, err)
	}
	return full(v)
}

func full(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, m any) bool { return full(m) == nil })
		for name := range v {
			v[name] = full(v[name])
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = full(v[i])
		}
	case string, float64, bool:
		if v == "" || v == 0.0 || v == false {
			return nil
		}
	}
	return v
}

// covers P14
func FuzzDelivery(f *testing.F) {
	accepted := [][]byte{must[[]byte](f)(FormatDelivery(delivery(2, 1, 9))), must[[]byte](f)(FormatDelivery(delivery(0, 0, 0)))}
	reread(f, ParseDelivery, FormatDelivery, accepted, "\xff\xff", strings.Repeat("\x00", MaxDelivery+1))
}

// covers P14
func FuzzAddCheckpoint(f *testing.F) {
	note := string(checkpoint(abLog, 9, 1))
	accepted := [][]byte{must[[]byte](f)(AddCheckpoint{Old: 4, Proof: hashes(2), Checkpoint: []byte(note)}.Bytes())}
	decodertest.Seeds(f, func(b []byte) error { _, err := ParseAddCheckpoint(b); return err }, accepted, [][]byte{
		[]byte("old 01\n\n" + note), []byte("old -1\n\n" + note), []byte("old 0\r\n\r\n" + note), []byte("old 0\n" + note), []byte("old 0\nAAAA\n\n" + note),
		[]byte("old 0\n" + strings.Repeat("A", 42) + "B=\n\n" + note), []byte("old 0\n" + strings.Repeat(strings.Repeat("A", 43)+"=\n", MaxProof+1) + "\n" + note),
		[]byte("old 9223372036854775808\n\n" + note), []byte("\ufeffold 0\n\n" + note), []byte("old 0\n\n" + strings.Replace(note, "\n\n", "\nmore\n\n", 1)),
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAddCheckpoint(b)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		again, err := a.Bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v was read from %q and written as %q, %v", a, b, again, err)
		}
	})
}

// covers P14
func FuzzUpload(f *testing.F) {
	accepted := [][]byte{must[[]byte](f)(upload(250, 520, 3).Bytes()), must[[]byte](f)(upload(0, 0, 0).Bytes())}
	rejected := spoilt(accepted[:1], []string{"\x00\x00", "\xff\xff\xff"})
	decodertest.Seeds(f, func(b []byte) error { _, err := ParseUpload(b); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := ParseUpload(b)
		parts, cut := uploadParts(b)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		again, err := u.Bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v was written as %q, %v", u, again, err)
		}
		if u.Count() > 0 && (cut || len(parts) != len(u.Packages)) {
			t.Fatalf("%d packages came in %d parts, cut %v", len(u.Packages), len(parts), cut)
		}
	})
}

func uploadParts(b []byte) (parts [][]byte, cut bool) {
	u, err := newUploadReader(bytes.NewReader(b))
	if err != nil {
		return nil, true
	}
	for {
		p, err := u.part()
		if err != nil {
			return parts, !errors.Is(err, io.EOF)
		}
		parts = append(parts, p)
	}
}

// covers P14
func FuzzMirrorInfo(f *testing.F) {
	accepted := [][]byte{MirrorInfo{Size: 9, Next: 4, Ticket: []byte("t")}.Bytes(), MirrorInfo{}.Bytes()}
	reread(f, ParseMirrorInfo, func(m MirrorInfo) ([]byte, error) { return m.Bytes(), nil }, accepted, "1\n2\n=\n", "1\r\n2\n\n", "1\n2\nAB==\n", "9223372036854775808\n2\n\n")
}

// covers P14
func FuzzSize(f *testing.F) {
	reread(f, ParseSize, func(n int64) ([]byte, error) { return FormatSize(n), nil }, [][]byte{FormatSize(0), FormatSize(9223372036854775807)}, "7", "07\n", "+7\n", "-0\n", "9223372036854775808\n", "18446744073709551623\n", "٧\n", " 7\n")
}

// covers P14
func FuzzHeadsQuery(f *testing.F) {
	ab := abLog.String()
	stable(f, ParseHeadsQuery, HeadsQuery.Bytes, [][]byte{must[[]byte](f)(HeadsQuery{Origins: []identity.Origin{abLog}}.Bytes())}, `{"origins":null}`, `{"origins":[]}`, `{"origins":["`+ab+`","`+ab+`"]}`)
}

// covers P14
func FuzzHeadsAnswer(f *testing.F) {
	stable(f, ParseHeadsAnswer, HeadsAnswer.Bytes, [][]byte{must[[]byte](f)(heads().Bytes()), []byte(`{"heads":[]}`), []byte(`{}`)}, `{"heads":[{"origin":"`+abLog.String()+`","next":-1}]}`, `{"heads":[{"origin":"`+abLog.String()+`","checkpoint":"x","next":0}]}`)
}

// covers P14
func FuzzCosignaturePage(f *testing.F) {
	stable(f, ParseCosignaturePage, CosignaturePage.Bytes, [][]byte{must[[]byte](f)(page().Bytes()), []byte(`{"cosignatures":[],"more":false}`)}, `{"cosignatures":null,"more":true}`, `{"cosignatures":[{}],"more":false}`)
}

// covers P14
func FuzzCards(f *testing.F) {
	stable(f, ParseCards, Cards.Bytes, [][]byte{must[[]byte](f)(Cards{Bundle: []byte("b\n"), Successions: [][]byte{[]byte("s\n")}}.Bytes())}, `{"cards":"x","successions":[""]}`, `{"cards":""}`)
}

// covers P6 P14
func FuzzMarks(f *testing.F) {
	reread(f, ParseMarks, FormatMarks, [][]byte{must[[]byte](f)(FormatMarks(marks())), must[[]byte](f)(FormatMarks(Marks{}))}, "detente high-water mark v1\n")
}

// FuzzReadClaim reads a claim a second time by its three lines.
// covers P14
func FuzzReadClaim(f *testing.F) {
	good := string(checkpoint(abLog, 9, 1))
	rejected := []string{
		"", "\n\n", strings.Replace(good, "\n\n", "\nmore\n\n", 1), strings.ReplaceAll(good, "\n", "\r\n"), strings.Replace(good, "\n9\n", "\n09\n", 1), strings.Replace(good, "\n9\n", "\n-9\n", 1), strings.Replace(good, "\n9\n", "\n9223372036854775808\n", 1),
		strings.Replace(good, "E=\n", "F=\n", 1), strings.Replace(good, "AE=\n", "A\rE=\n", 1), "\ufeff" + good, strings.Replace(good, "/to/", "/TO/", 1), strings.Repeat("x", MaxNote+1), strings.Replace(good, "\n\n", "\n", 1),
	}
	decodertest.Seeds(f, func(s string) error { _, err := ReadClaim([]byte(s)); return err }, []string{good}, rejected)
	f.Fuzz(func(t *testing.T, signed string) {
		c, err := ReadClaim([]byte(signed))
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		lines := strings.Split(signed, "\n")
		if len(lines) < 5 || lines[0] != c.Origin.String() || lines[1] != strconv.FormatInt(c.Size, 10) || lines[2] != base64.StdEncoding.EncodeToString(c.Root[:]) || lines[3] != "" {
			t.Errorf("%q claims %+v", signed, c)
		}
	})
}

// FuzzReceiptLines picks the lines a second time by their words.
// covers P5 P14
func FuzzReceiptLines(f *testing.F) {
	ed, ml, other := sigLine("m", 3), sigLine("m", 4), sigLine("n", 3)
	read := func(s string) (string, error) {
		lines, err := ReceiptLines([]byte(s), verifier{"m", 3}, verifier{"m", 4})
		return string(lines), err
	}
	accepted := []string{ed + ml, ml + other + ed}
	rejected := []string{"", ed, ed + ml + ed, strings.TrimSuffix(ed+ml, "\n"), strings.ReplaceAll(ed+ml, "\n", "\r\n"), ed + "\n" + ml, "\u2014 m \n", "\u2014  AAAAAAAA\n", "200 OK\n", ed + ml + "\u2014 m AAAAA\n", strings.Repeat(other, MaxLines/len(other)+1)}
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, body string) {
		lines, err := read(body)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		var picked [2][]string
		for line := range strings.Lines(body) {
			words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
			raw, err := base64.StdEncoding.DecodeString(words[2])
			if err != nil || words[0] != "\u2014" {
				t.Fatalf("%q holds a line that is none", body)
			}
			if i := int(raw[3]) - 3; words[1] == "m" && bytes.Equal(raw[:3], []byte{0, 0, 0}) && (i == 0 || i == 1) {
				picked[i] = append(picked[i], line)
			}
		}
		if len(picked[0]) != 1 || len(picked[1]) != 1 || lines != picked[0][0]+picked[1][0] {
			t.Fatalf("of %q the lines %q were picked", body, lines)
		}
	})
}

// A path that is taken leads to a request that leads to the same path.
// covers P14
func FuzzRoute(f *testing.F) {
	hash := hexName(OriginHash(abLog))
	known := func(identity.Digest) (identity.Origin, bool) { return abLog, true }
	read := func(path string) (Request, error) {
		u, err := url.Parse("https://x" + path)
		if err != nil {
			return Request{}, err
		}
		return route("GET", u, known)
	}
	accepted := []string{"/cards", "/" + hash + "/checkpoint", "/" + hash + "/tile/entries/x001/067.p/3", "/" + hash + "/cosignatures?after=3&by=x&limit=9", "/blob/" + hash, "/" + hash + "/tile/0/000"}
	rejected := []string{"", "/", "//", "/blob/..", "/blob/../cards", "/%2e%2e/checkpoint", "/" + hash + "/tile/0/1", "/" + hash + "/../cards", "/" + hash + "/checkpoint/", "/" + strings.ToUpper(strings.Replace(hash, "0", "a", 1)) + "/checkpoint", "/blob/" + hash + "/x", "/" + hash + "/cosignatures?after=-1", "/deliver", "/cards\x00", "/cards%0d%0aX:%201", "/" + hash + "/tile/0/%30%30%30%0a"}
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, path string) {
		r, err := read(path)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		_, to, err := place(r)
		if err != nil {
			t.Fatalf("%q leads to %+v, which leads nowhere: %v", path, r, err)
		}
		if s, err := read(to); err != nil || !reflect.DeepEqual(s, r) {
			t.Fatalf("%q leads to %+v, then %q to %+v, %v", path, r, to, s, err)
		}
	})
}

// covers P14
func FuzzRange(f *testing.F) {
	read := func(s string) error { _, _, err := rangeOf(s); return err }
	accepted := []string{"", "bytes=0-", "bytes=5-9", "bytes=0-9223372036854775806"}
	rejected := []string{"bytes=9-5", "bytes=-5", "bytes=0-1,3-4", "bytes=0-9223372036854775807", "bytes=0-9223372036854775808", "bytes=00-1", "bytes= 0-1", "Bytes=0-1", "bytes=0-1 ", "bytes=0\r\n-1", "bytes=٠-", "items=0-1", "bytes=0"}
	decodertest.Seeds(f, read, accepted, rejected)
	f.Fuzz(func(t *testing.T, s string) {
		offset, length, err := rangeOf(s)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		if s != "" && (offset < 0 || length < 0 || formatRange(offset, length) != s) {
			t.Fatalf("%q is %d, %d", s, offset, length)
		}
		var first, last int64
		if n, _ := fmt.Sscanf(s, "bytes=%d-%d", &first, &last); n == 2 && (first != offset || last != offset+length-1) {
			t.Fatalf("%q is %d, %d", s, offset, length)
		}
	})
}

// No file of others, nor one that breaks JSON parsers, is a document of the wire.
// covers P14
func TestOthersDocuments(t *testing.T) {
	for _, folder := range []string{"json", "stix", "misp", "csaf", "taxonomies", "text"} {
		for name, text := range decodertest.Folder(t, folder, "") {
			for what, err := range map[string]error{
				"a heads query":     second(ParseHeadsQuery(text)),
				"cards":             second(ParseCards(text)),
				"receipts":          second(ParseCosignaturePage(text)),
				"a delivery":        second(ParseDelivery(text)),
				"an add-checkpoint": second(ParseAddCheckpoint(text)),
				"an upload":         second(ParseUpload(text)),
				"a mirror's state":  second(ParseMirrorInfo(text)),
				"a size":            second(ParseSize(text)),
				"marks":             second(ParseMarks(text)),
				"a checkpoint":      second(ReadClaim(text)),
			} {
				if err == nil && (what != "receipts" || name != "y_object_empty.json") { // an empty page
					t.Errorf("%s is read as %s", name, what)
				}
				if err == nil {
					continue
				}
				decodertest.Short(t, err)
			}
			if a, err := ParseHeadsAnswer(text); err == nil && len(a.Heads) > 0 {
				t.Errorf("%s is read as heads", name)
			}
		}
	}
}
