package outlet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"detente/identity"
	"detente/interop/outlet"
	"detente/message"
)

func mustPrinter(t *testing.T, c outlet.PrinterConfig) *outlet.Printer {
	t.Helper()
	p, err := outlet.NewPrinter(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sheet(text string) outlet.Sheet {
	return outlet.Sheet{ID: "sheet-1", Ref: "ARD/BOR-N1-417", Digest: identity.Sum([]byte("body")), Level: message.Immediate, Marking: message.Marking{TLP: "AMBER+STRICT", PAP: "RED"}, Station: station, At: at, Lang: "en", Text: text}
}

func TestPages(t *testing.T) {
	p := mustPrinter(t, outlet.PrinterConfig{Dir: t.TempDir(), Columns: 60, Rows: 30})
	var text strings.Builder
	words := 0
	for range 400 {
		text.WriteString("alpha бета 伽马 دلتا \x1b%-12345X")
		words++
		if words%7 == 0 {
			text.WriteString("\n")
		}
	}
	text.WriteString(strings.Repeat("x", 500))
	pages := strings.SplitAfter(string(p.Pages(sheet(text.String()))), "\f")
	pages = pages[:len(pages)-1]
	if len(pages) < 10 || strings.Contains(strings.Join(pages, ""), "\x1b") {
		t.Fatalf("%d pages, or a control character for the printer", len(pages))
	}
	hex := identity.Sum([]byte("body")).String()
	got := ""
	for i, page := range pages {
		lines := strings.Split(strings.TrimSuffix(page, "\n\f"), "\n")
		if len(lines) != 30 {
			t.Errorf("page %d has %d lines", i+1, len(lines))
		}
		head := strings.Join(lines[:5], "\n")
		for _, need := range []string{station, "ARD/BOR-N1-417", "IMMEDIATE", "TLP:AMBER+STRICT", "PAP:RED"} {
			if !strings.Contains(head, need) {
				t.Errorf("page %d: the header lacks %s:\n%s", i+1, need, head)
			}
		}
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(head, " ", ""), "\n", ""), hex) {
			t.Errorf("page %d: the header lacks the digest:\n%s", i+1, head)
		}
		if want := "2026-11-23T14:45:07Z  " + itoa(i+1) + "/" + itoa(len(pages)); lines[29] != want {
			t.Errorf("page %d: footer %q, want %q", i+1, lines[29], want)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 60 {
				t.Errorf("page %d: a line of %d characters", i+1, utf8.RuneCountInString(line))
			}
		}
		got += strings.Join(lines[5:28], "\n") + "\n"
	}
	for word, want := range map[string]int{"alpha": 400, "бета": 400, "伽马": 400, "دلتا": 400, "x": 500} {
		if n := strings.Count(got, word); n != want {
			t.Errorf("%s is printed %d times, want %d: something was lost", word, n, want)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestPrintToFile(t *testing.T) {
	dir := t.TempDir()
	p := mustPrinter(t, outlet.PrinterConfig{Dir: dir})
	for range 2 { // again is the same
		if err := p.Print(t.Context(), sheet("text")); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "sheet-1.txt"))
	if err != nil || string(raw) != string(p.Pages(sheet("text"))) {
		t.Errorf("file %q, %v", raw, err)
	}
	failure(t, p.Print(t.Context(), sheet("other text")), "other content")
	for _, n := range []outlet.Notice{notice(), outlet.Test("test-1", station, "zh", at)} {
		if err := p.Notify(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if raw, err := os.ReadFile(filepath.Join(dir, n.ID+".txt")); err != nil || !strings.Contains(string(raw), n.Code) {
			t.Errorf("file %q, %v", raw, err)
		}
	}
	held, err := os.ReadDir(dir)
	if err != nil || len(held) != 3 {
		t.Errorf("the folder holds %v, %v", held, err)
	}
	bad := sheet("text")
	bad.ID = "../../x"
	failure(t, p.Print(t.Context(), bad), "id")
	failure(t, p.Print(t.Context(), sheet("\xff")), "UTF-8")
	failure(t, p.Print(t.Context(), sheet(strings.Repeat("a", outlet.MaxSheet+1))), "bytes")
	gone := mustPrinter(t, outlet.PrinterConfig{Dir: filepath.Join(dir, "gone")})
	failure(t, gone.Print(t.Context(), sheet("text")), "cannot be written")
}

// TestPrintByCommand gives pages to a real command, as lp would get them.
func TestPrintByCommand(t *testing.T) {
	done := quiet(t)
	out := filepath.Join(t.TempDir(), "paper")
	p := mustPrinter(t, outlet.PrinterConfig{Argv: []string{"/bin/sh", "-c", `cat >> "$0"`, out}})
	if err := p.Print(t.Context(), sheet("text")); err != nil {
		t.Fatal(err)
	}
	if err := p.Notify(t.Context(), notice()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil || strings.Count(string(raw), "\f") != 2 || !strings.Contains(string(raw), notice().Title) {
		t.Errorf("paper %q, %v", raw, err)
	}
	failure(t, mustPrinter(t, outlet.PrinterConfig{Argv: []string{"/bin/sh", "-c", "echo no paper >&2; exit 1"}}).Print(t.Context(), sheet("text")), "no paper")
	done()
}

func TestPrinterConfig(t *testing.T) {
	for name, c := range map[string]outlet.PrinterConfig{
		"nothing": {}, "both": {Dir: "/tmp", Argv: []string{"/usr/bin/lp"}}, "relative folder": {Dir: "paper"}, "relative command": {Argv: []string{"lp"}}, "narrow": {Dir: "/tmp", Columns: 10}, "low": {Dir: "/tmp", Rows: 3},
	} {
		if _, err := outlet.NewPrinter(c); err == nil {
			t.Errorf("configured: %s", name)
		}
	}
}
