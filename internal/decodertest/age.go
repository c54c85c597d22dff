package decodertest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"
	"testing"
)

// AgeVector is one test vector of the age format, as C2SP/CCTV publishes them.
type AgeVector struct {
	Name       string
	Expect     string // success, or the kind of failure
	Payload    string // hex SHA-256 of all that may be let out; empty where nothing may
	FileKey    string // hexadecimal
	Identities []string
	Passphrase []string
	Armored    bool
	File       []byte
}

// AgeVectors reads a folder of vectors.
func AgeVectors(t testing.TB, vectors fs.FS) (out []AgeVector) {
	t.Helper()
	names, err := fs.Glob(vectors, "*")
	if err != nil || len(names) < 100 {
		t.Fatalf("%d vectors: %v", len(names), err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(vectors, name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ageVector(t, name, text))
	}
	return out
}

func ageVector(t testing.TB, name string, text []byte) AgeVector {
	t.Helper()
	head, file, _ := bytes.Cut(text, []byte("\n\n"))
	v := AgeVector{Name: name, File: file}
	for line := range strings.Lines(string(head)) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "expect":
			v.Expect = value
		case "payload":
			v.Payload = value
		case "file key":
			v.FileKey = value
		case "identity":
			v.Identities = append(v.Identities, value)
		case "passphrase":
			v.Passphrase = append(v.Passphrase, value)
		case "armored":
			v.Armored = value == "yes"
		case "compressed":
			v.File = inflate(t, file)
		case "comment":
		default:
			t.Fatalf("%s: an unknown line %q, %v", name, line, ok)
		}
	}
	return v
}

func inflate(t testing.TB, file []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Is reports whether a payload is the one that a vector allows to be let out.
func (v AgeVector) Is(payload []byte) bool {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:]) == v.Payload
}
