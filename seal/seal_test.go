package seal_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"detente/seal"
)

func identity(t testing.TB) seal.Identity {
	t.Helper()
	id, err := seal.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Reader, writer's archive and a disclosed file key open an entry, nobody else
// does, and a key opens no other entry.
// covers P9
func TestSeal(t *testing.T) {
	reader, archive, stranger := identity(t), identity(t), identity(t)
	plain := []byte("{\"a\":1}\n{\"b\":2}\n")
	one, err := seal.Seal(plain, reader.Recipient(), archive.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal.Seal(append(plain, plain...), reader.Recipient(), archive.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != len(other) {
		t.Errorf("two texts of one size class are sealed to %d and %d bytes", len(one), len(other))
	}
	var key seal.FileKey
	for _, id := range []seal.Identity{reader, archive} {
		got, k, err := seal.Open(one, stranger, id)
		if err != nil || !bytes.HasPrefix(got, plain) || len(bytes.Trim(got[len(plain):], "\n")) != 0 {
			t.Fatalf("opened %q, %v", got, err)
		}
		key = k
	}
	if _, _, err := seal.Open(one, stranger); !errors.Is(err, seal.ErrNotForUs) {
		t.Errorf("a stranger's identity: %v", err)
	}
	if _, err := seal.OpenWithKey(one, key); err != nil {
		t.Errorf("its own file key: %v", err)
	}
	if _, err := seal.OpenWithKey(other, key); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("another entry's file key: %v", err)
	}
	for i := 0; i < len(one); i += 97 {
		changed := bytes.Clone(one)
		changed[i] ^= 1
		if _, _, err := seal.Open(changed, reader); err == nil {
			t.Fatalf("byte %d changed, and it opens", i)
		}
	}
}

func TestSealLimits(t *testing.T) {
	id := identity(t)
	largest, err := seal.Seal(make([]byte, seal.MaxPlain), id.Recipient(), id.Recipient())
	if err != nil || len(largest) > seal.MaxEntry {
		t.Errorf("the largest text: %d bytes, %v", len(largest), err)
	}
	if _, err := seal.Seal(make([]byte, seal.MaxPlain+1), id.Recipient()); !errors.Is(err, seal.ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}

// The age program itself opens an entry with the archive identity.
// covers P9
func TestAgeProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "age")
	if out, err := exec.Command("go", "build", "-o", program, "filippo.io/age/cmd/age").CombinedOutput(); err != nil {
		t.Fatalf("building the age program: %v\n%s", err, out)
	}
	reader, archive := identity(t), identity(t)
	sealed, err := seal.Seal([]byte("said once\n"), reader.Recipient(), archive.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	keys, entry := filepath.Join(dir, "archive.txt"), filepath.Join(dir, "entry.age")
	if err := os.WriteFile(keys, []byte(archive.Secret()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(entry, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-d", "-i", keys, entry).Output()
	if err != nil || strings.TrimRight(string(out), "\n") != "said once" {
		t.Errorf("age -d gave %q, %v", out, err)
	}
}

func TestStream(t *testing.T) {
	id := identity(t)
	content := bytes.Repeat([]byte("evidence "), 100_000)
	var sealed, back bytes.Buffer
	if err := seal.SealStream(&sealed, bytes.NewReader(content), id.Recipient()); err != nil {
		t.Fatal(err)
	}
	if err := seal.OpenStream(&back, bytes.NewReader(sealed.Bytes()), id); err != nil || !bytes.Equal(back.Bytes(), content) {
		t.Errorf("%d bytes came back of %d: %v", back.Len(), len(content), err)
	}
	if err := seal.OpenStream(&back, bytes.NewReader(sealed.Bytes()[:sealed.Len()-1]), id); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("a truncated blob: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	one, other := identity(b).Recipient(), identity(b).Recipient()
	plain := make([]byte, 4000)
	for b.Loop() {
		if _, err := seal.Seal(plain, one, other); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	id := identity(b)
	sealed, err := seal.Seal(make([]byte, 4000), id.Recipient())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := seal.Open(sealed, id); err != nil {
			b.Fatal(err)
		}
	}
}

// What is made ready ahead closes one content, to those it was made for.
// covers P9
func TestEnvelope(t *testing.T) {
	reader, archive, other := identity(t), identity(t), identity(t)
	e, err := seal.Prepare(reader.Recipient(), archive.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if e.For(reader.Recipient()) || e.For(archive.Recipient(), reader.Recipient()) || e.For(reader.Recipient(), other.Recipient()) || !e.For(reader.Recipient(), archive.Recipient()) {
		t.Error("an envelope is for exactly those it was made for, in their order")
	}
	if _, err := e.Seal(make([]byte, seal.MaxPlain+1)); !errors.Is(err, seal.ErrTooLarge) || !e.For(reader.Recipient(), archive.Recipient()) {
		t.Errorf("a text that fits into no entry: %v, and the envelope is used up", err)
	}
	sealed, err := e.Seal([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []seal.Identity{reader, archive} {
		if plain, _, err := seal.Open(sealed, other, id); err != nil || strings.TrimRight(string(plain), "\n") != "text" {
			t.Errorf("it opens to %q, %v", plain, err)
		}
	}
	again, err := seal.Seal([]byte("text"), reader.Recipient(), archive.Recipient())
	if err != nil || len(again) != len(sealed) {
		t.Errorf("sealed at once it has %d bytes, ahead %d; %v", len(again), len(sealed), err)
	}
	if _, err := e.Seal([]byte("more")); err == nil || e.For(reader.Recipient(), archive.Recipient()) {
		t.Error("an envelope closed two contents")
	}
}
