package journal

import (
	"errors"
	"strings"
	"testing"

	"detente/identity"
	"detente/internal/decodertest"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
)

// FuzzParseHead reads a checkpoint's text a second time with torchwood: what it
// reads and has neither an extension nor another log's name we read too, and the
// same.
// covers P14
func FuzzParseHead(f *testing.F) {
	head := func(middle string) string {
		return "nrrc.arden.example/to/nrrc.boreal.example/notification/1\n" + middle + "\n"
	}
	root := strings.Repeat("A", 43) + "="
	accepted := []string{head("0\n" + root), head("9223372036854775807\n" + root)}
	rejected := []string{
		"", "\n", head("0\n" + root + "\nmore"), head("00\n" + root), head("-1\n" + root), head("+1\n" + root), head("9223372036854775808\n" + root), head("0\r\n" + root), head("0\n" + root[:43]),
		head("0\n" + root[:42] + "B="), head("0\n" + root[:20] + "\r" + root[20:]), "X" + head("0\n"+root), strings.TrimSuffix(head("0\n"+root), "\n"), head("0\n"+root) + "\n", "\ufeff" + head("0\n"+root),
	}
	decodertest.Seeds(f, func(s string) error { _, err := parseHead([]byte(s)); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHead([]byte(text))
		c, theirs := torchwood.ParseCheckpoint(text)
		if err == nil {
			if theirs != nil || c.Origin != h.Origin.String() || c.N != h.Size || c.Hash != h.Root || c.Extension != "" || string(h.text()) != text {
				t.Errorf("%q is read as %+v, and by torchwood as %+v, %v", text, h, c, theirs)
			}
			return
		}
		decodertest.Refusal(t, err)
		if _, ours := identity.ParseOrigin(c.Origin); theirs == nil && ours == nil && c.Extension == "" && c.String() == text {
			t.Errorf("torchwood reads %q, and here it is refused: %v", text, err)
		}
	})
}

// FuzzSplitNote takes notes apart a second time with x/mod/sumdb/note.
// covers P14
func FuzzSplitNote(f *testing.F) {
	text := "nrrc.arden.example/to/nrrc.boreal.example/notification/1\n0\nx\n"
	sig := "\u2014 nrrc.arden.example AAAAAAE=\n"
	accepted := []string{text + "\n" + sig, text + "\n" + sig + "\u2014 another AAAAAAE=\n"}
	rejected := []string{
		"", text, text + "\n", text + "\n\n", text + "\n" + sig + sig, text + "\n" + strings.TrimSuffix(sig, "\n"), text + "\n" + strings.ReplaceAll(sig, "\n", "\r\n"), text + "\n\u2014 x\n", text + "\n\u2014  AAAAAAE=\n",
		text + "\n\u2014 x AAAA\n", text + "\n\u2014 x AAAAAAF=\n", text + "\n\u2014 x\u202e AAAAAAE=\n", text + "\n\u2014 x+y AAAAAAE=\n", text + "\n\u2014 x\u2003y AAAAAAE=\n", text + "\n\u2014 x\xff AAAAAAE=\n",
		text + "\n- x AAAAAAE=\n", text + "\n" + strings.Repeat(sig, 200), strings.Repeat("x", MaxCheckpoint) + "\n\n" + sig,
	}
	decodertest.Seeds(f, func(s string) error { _, _, err := splitNote([]byte(s)); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, signed string) {
		text, lines, err := splitNote([]byte(signed))
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if strings.ContainsFunc(string(text), func(c rune) bool { return c < ' ' && c != '\n' || c == '\ufffd' }) || strings.Count(signed, "\n\n") > 1 {
			return // no head has such a text, and x/mod takes no such note
		}
		n, err := note.Open([]byte(signed), nil)
		var unverified *note.UnverifiedNoteError
		if n != nil || !errors.As(err, &unverified) {
			t.Fatalf("%q is taken apart, and x/mod says %v", signed, err)
		}
		sigs := unverified.Note.UnverifiedSigs
		if unverified.Note.Text != string(text) || len(sigs) != len(lines) {
			t.Fatalf("%q has %d signatures here, and %d to x/mod", signed, len(lines), len(sigs))
		}
		for i, s := range sigs {
			if s.Name != lines[i].name || s.Hash != lines[i].hash {
				t.Errorf("line %d of %q is read as %+v", i, signed, lines[i])
			}
		}
	})
}
