package identity_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"detente/identity"
	"detente/internal/decodertest"

	agetest "c2sp.org/CCTV/age"
	"filippo.io/age"
	"filippo.io/age/armor"
)

// The published vectors of the age format: a key file opens where it may, to its
// payload, and an error never repeats the passphrase or the identity.
// covers P9 P14
func TestKeyFileVectors(t *testing.T) {
	opened, refused := 0, 0
	for _, v := range decodertest.AgeVectors(t, agetest.Vectors) {
		if len(v.Passphrase) > 1 || len(v.Passphrase)+len(v.Identities) == 0 {
			continue // key files have one passphrase
		}
		file := v.File
		if !v.Armored {
			if _, err := identity.DecryptKey(file, strings.Join(v.Passphrase, ""), strings.Join(v.Identities, "\n")); err == nil {
				t.Errorf("%s: a key file without armor opens", v.Name)
			}
			if file = armored(t, v.File); len(file) > identity.MaxKeyFile {
				continue
			}
		}
		secret, err := identity.DecryptKey(file, strings.Join(v.Passphrase, ""), strings.Join(v.Identities, "\n"))
		if (err == nil) != (v.Expect == "success" && len(file) <= identity.MaxKeyFile) || err == nil && !v.Is([]byte(secret)) {
			t.Errorf("%s: %v, and %s is expected", v.Name, err, v.Expect)
		}
		if err == nil {
			opened++
			continue
		}
		refused++
		decodertest.Short(t, err)
		for _, text := range append(v.Passphrase, v.Identities...) {
			if len(text) > len("wrong") && strings.Contains(err.Error(), text) {
				t.Errorf("%s: an error repeats the secret: %v", v.Name, err)
			}
		}
	}
	if opened < 10 || refused < 60 {
		t.Errorf("%d vectors open and %d do not", opened, refused)
	}
}

func armored(t testing.TB, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	_, err := w.Write(file)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzDecryptKey opens what opens a second time with the age library itself.
// covers P9 P14
func FuzzDecryptKey(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	good, err := identity.EncryptKey("secret", "", id.Recipient().String())
	if err != nil {
		f.Fatal(err)
	}
	rejected := append([][]byte{}, good[:len(good)-40], bytes.Replace(good, []byte("BEGIN"), []byte("BEGAN"), 1), append(bytes.Clone(good), 'x'), make([]byte, identity.MaxKeyFile+1))
	for _, text := range slices.Sorted(maps.Values(decodertest.Texts())) {
		rejected = append(rejected, []byte(text))
	}
	open := func(file []byte) (string, error) { return identity.DecryptKey(file, "", id.String()) }
	decodertest.Seeds(f, func(b []byte) error { _, err := open(b); return err }, [][]byte{good, bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n"))}, rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		secret, err := open(file)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		r, err := age.Decrypt(armor.NewReader(bytes.NewReader(file)), id)
		if err != nil || secret != "secret" || r == nil {
			t.Errorf("%q opens to %q, and by the age library %v", file, secret, err)
		}
	})
}
