package station_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station"
)

// Each month's entries are sealed to that month's two keys and to no others;
// the age program opens one with the archive identity of its month; a disclosed
// key opens the one entry, and of a line that is exported the other entries stay
// closed.
// covers P9
func TestMonths(t *testing.T) {
	a, b, l := pair(t)
	var sealed [][]byte
	for i := range 2 {
		now := start.AddDate(0, i, 0)
		out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=good day")
		if err != nil {
			t.Fatal(err)
		}
		arrives(t, l, a, b, now, out.ID)
		var buf bytes.Buffer
		if err := b.Export(ctx, op, now, station.Export{Message: out.ID.String(), Disclose: true}, &buf); err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, unpack(t, buf.Bytes())["entry.age"])
	}
	months := []seal.Period{seal.PeriodOf(start), seal.PeriodOf(start.AddDate(0, 1, 0))}
	for i, entry := range sealed {
		for _, id := range []seal.Identity{a.Cast.Keys.Archive[months[i]], b.Cast.Keys.Sealing[months[i]]} {
			if _, _, err := seal.Open(entry, id); err != nil {
				t.Errorf("a key of %s: %v", months[i], err)
			}
		}
		for _, id := range []seal.Identity{a.Cast.Keys.Archive[months[1-i]], b.Cast.Keys.Sealing[months[1-i]], b.Cast.Keys.Archive[months[i]], a.Cast.Keys.Sealing[months[i]]} {
			if _, _, err := seal.Open(entry, id); !errors.Is(err, seal.ErrNotForUs) {
				t.Errorf("another key opens the entry of %s: %v", months[i], err)
			}
		}
	}
	opensWithAge(t, sealed[1], a.Cast.Keys.Archive[months[1]])
	var line bytes.Buffer
	if err := a.Export(ctx, op, start, station.Export{Line: l.String()}, &line); err != nil {
		t.Fatal(err)
	}
	m := unpack(t, line.Bytes())
	_, key, err := seal.Open(sealed[0], a.Cast.Keys.Archive[months[0]])
	if err != nil {
		t.Fatal(err)
	}
	for n := range m {
		if filepath.Base(n) != "entry.age" {
			continue
		}
		_, err := seal.OpenWithKey(m[n], key)
		if mine := bytes.Equal(m[n], sealed[0]); mine != (err == nil) {
			t.Errorf("%s: %v", n, err)
		}
	}
	m["ARD-BOR-N1/00000002/filekey"] = []byte(key.Disclose() + "\n")
	m.index(t, func(x *indexOf) { x.Logs[0].Disclosed = []int64{2} })
	r := verify(t, m.pack(t), []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo})
	if r.Verdict != record.Indeterminate || r.Verified != 1 || len(r.Undisclosed) != r.Messages-1 {
		t.Errorf("with one key: %+v", r)
	}
}

// opensWithAge lets the age program open an entry.
func opensWithAge(t *testing.T, entry []byte, id seal.Identity) {
	t.Helper()
	dir := t.TempDir()
	program, keys, file := filepath.Join(dir, "age"), filepath.Join(dir, "archive.txt"), filepath.Join(dir, "entry.age")
	if out, err := exec.Command("go", "build", "-o", program, "filippo.io/age/cmd/age").CombinedOutput(); err != nil {
		t.Fatalf("building the age program: %v\n%s", err, out)
	}
	for name, text := range map[string][]byte{keys: []byte(id.Secret() + "\n"), file: entry} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := exec.Command(program, "-d", "-i", keys, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	e, err := message.ParseEntry(plain)
	if err != nil || e.Body.Body().Format != "600" || e.Wrapper.At.Before(start.Add(-time.Hour)) {
		t.Errorf("the age program gave %q, %v", plain, err)
	}
}
