package seal_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"detente/internal/decodertest"
	"detente/seal"

	agetest "c2sp.org/CCTV/age"
	plainage "filippo.io/age"
)

// The published vectors of the age format: what may open opens to its payload,
// with the identity and with the file key, and nothing else opens.
// covers P9 P14
func TestAgeVectors(t *testing.T) {
	opened, disclosed, streamed := 0, 0, 0
	for _, v := range decodertest.AgeVectors(t, agetest.Vectors) {
		var ids []seal.Identity
		for _, text := range v.Identities {
			if id, err := seal.ParseIdentity(text); err == nil {
				ids = append(ids, id)
			}
		}
		if v.Armored {
			continue // what is sealed here is never armored: see the last of this test
		}
		plain, _, err := seal.Open(v.File, ids...)
		fits := len(v.File) <= seal.MaxEntry
		switch {
		case err == nil:
			opened++
			if v.Expect != "success" || !v.Is(plain) || !fits {
				t.Errorf("%s: it opens, and %s is expected", v.Name, v.Expect)
			}
		case v.Expect == "success" && fits && len(ids) > 0:
			t.Errorf("%s: %v", v.Name, err)
		case !errors.Is(err, seal.ErrCorrupt) && !errors.Is(err, seal.ErrNotForUs):
			t.Errorf("%s: an error of no kind: %v", v.Name, err)
		case v.Expect == "no match" && len(ids) > 0 && fits && !errors.Is(err, seal.ErrNotForUs):
			t.Errorf("%s: %v, and it is not damaged", v.Name, err)
		}
		if key, err := seal.ParseFileKey(v.FileKey); err == nil && v.Expect != "no match" {
			plain, err := seal.OpenWithKey(v.File, key)
			if err == nil {
				disclosed++
			}
			// Faults of a recipient's lines are no concern of who has the file key.
			if v.Expect != "header failure" && (err == nil) != (v.Expect == "success" && fits) || err == nil && v.Payload != "" && !v.Is(plain) || err != nil && !errors.Is(err, seal.ErrCorrupt) {
				t.Errorf("%s: with its file key %v, and %s is expected", v.Name, err, v.Expect)
			}
		}
		var out bytes.Buffer
		err = seal.OpenStream(&out, bytes.NewReader(v.File), ids...)
		if err == nil {
			streamed++
		}
		if (err == nil) != (v.Expect == "success" && len(ids) > 0) || err == nil && !v.Is(out.Bytes()) {
			t.Errorf("%s: as a stream %v, and %s is expected", v.Name, err, v.Expect)
		}
	}
	if opened < 4 || disclosed < 10 || streamed < opened {
		t.Errorf("%d vectors were opened, %d by file key, %d as streams", opened, disclosed, streamed)
	}
	for _, v := range decodertest.AgeVectors(t, agetest.Vectors) {
		if id, err := seal.ParseIdentity(strings.Join(v.Identities, "")); v.Armored && err == nil {
			if _, _, err := seal.Open(v.File, id); !errors.Is(err, seal.ErrCorrupt) {
				t.Errorf("%s: an armored file: %v", v.Name, err)
			}
		}
	}
}

// No hostile text is a recipient, an identity or a file key, and an error never
// repeats a secret.
// covers P9 P14
func TestHostileKeys(t *testing.T) {
	id := identity(t)
	texts := decodertest.Texts()
	texts["upper case"] = strings.ToUpper(id.Recipient().String())
	texts["one character more"] = id.Recipient().String() + "q"
	texts["one character fewer"] = id.Recipient().String()[:100]
	texts["a line end after it"] = id.Recipient().String() + "\n"
	texts["no hybrid recipient"] = "age1ajtqavdekvnr2b7zuotq2mafqcsbnrvaumftkbb5sts4"
	texts["a secret, damaged"] = id.Secret()[:len(id.Secret())-1] + "1"
	for name, text := range texts {
		for what, err := range map[string]error{"recipient": second(seal.ParseRecipient(text)), "identity": second(seal.ParseIdentity(text)), "file key": second(seal.ParseFileKey(text)), "period": second(seal.Period(text).Next())} {
			if err == nil {
				if name != "upper case" { // bech32 may be written so
					t.Errorf("%s is a %s", name, what)
				}
				continue
			}
			decodertest.Refusal(t, err)
			if what == "identity" && len(text) > 20 && strings.Contains(err.Error(), text[len(text)-20:]) {
				t.Errorf("an error repeats the secret: %v", err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzOpen opens what opens a second time with the age library itself.
// covers P9 P14
func FuzzOpen(f *testing.F) {
	id := identity(f)
	secret, err := plainage.ParseHybridIdentity(id.Secret())
	if err != nil {
		f.Fatal(err)
	}
	good, err := seal.Seal([]byte("text"), id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	rejected := [][]byte{{}, []byte("age-encryption.org/v1\n-> X25519 \n"), good[:len(good)-1], append(bytes.Clone(good), 0), bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), append([]byte("\ufeff"), good...), make([]byte, seal.MaxEntry+1)}
	for _, v := range decodertest.AgeVectors(f, agetest.Vectors) {
		rejected = append(rejected, v.File)
	}
	decodertest.Seeds(f, func(b []byte) error { _, _, err := seal.Open(b, id); return err }, [][]byte{good}, rejected)
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, key, err := seal.Open(sealed, id)
		r, theirs := plainage.Decrypt(bytes.NewReader(sealed), secret)
		var content []byte
		if theirs == nil {
			content, theirs = io.ReadAll(r)
		}
		if len(sealed) <= seal.MaxEntry && (err == nil) != (theirs == nil) {
			t.Fatalf("opened with %v, and by the age library with %v", err, theirs)
		}
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		again, err := seal.OpenWithKey(sealed, key)
		if err != nil || !bytes.Equal(plain, again) || !bytes.Equal(plain, content) {
			t.Errorf("it opens to three contents: %q, %q, %q, %v", plain, again, content, err)
		}
		var streamed bytes.Buffer
		if err := seal.OpenStream(&streamed, bytes.NewReader(sealed), id); err != nil || !bytes.Equal(streamed.Bytes(), plain) {
			t.Errorf("as a stream it opens to %q, %v", streamed.Bytes(), err)
		}
	})
}

// FuzzKeys reads the texts of keys: what is read is written the same, but for
// the case of letters.
// covers P9 P14
func FuzzKeys(f *testing.F) {
	id := identity(f)
	read := func(s string) (string, error) {
		if r, err := seal.ParseRecipient(s); err == nil {
			return r.String(), nil
		}
		if i, err := seal.ParseIdentity(s); err == nil {
			return i.Secret(), nil
		}
		k, err := seal.ParseFileKey(s)
		return k.Disclose(), err
	}
	accepted := []string{id.Recipient().String(), id.Secret(), strings.Repeat("0f", 16)}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), id.Secret()+"Q", strings.Repeat("0f", 15), strings.Repeat("0g", 16))
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, s string) {
		again, err := read(s)
		if err != nil {
			decodertest.Refusal(t, err)
		} else if !strings.EqualFold(again, s) {
			t.Errorf("%q is read, and written %q", s, again)
		}
	})
}
