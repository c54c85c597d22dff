package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/internal/decodertest"
)

// FuzzParseBundle takes a bundle apart a second time by its breaks, and verifies
// what verifies a second time with the two primitives themselves.
// covers P14 P19
func FuzzParseBundle(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	accepted := [][]byte{p.bundle.Bytes(), slices.Concat(p.bundle.Bytes(), []byte("\n=====\n"), p.bundle.Agency)}
	rejected := [][]byte{{}, []byte("{}\n\n\u2014 x AAAA\n\n=====\n"), bytes.ReplaceAll(accepted[0], []byte("\n"), []byte("\r\n")), make([]byte, 3*identity.MaxNote+1), append(bytes.Clone(accepted[0]), strings.Repeat("\n=====\n", identity.MaxEarlier+1)...)}
	decodertest.Seeds(f, func(b []byte) error { _, err := identity.ParseBundle(b); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		b, err := identity.ParseBundle(file)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		parts := strings.Split(string(file), "\n=====\n")
		if !bytes.Equal(b.Bytes(), file) || len(parts) != 3+len(b.Earlier) || parts[0] != string(b.Root) || parts[1] != string(b.Agency) || parts[2] != string(b.Station) {
			t.Error("a bundle is not written as it was read")
		}
		v, err := b.Verify(p.root.Public(), at)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if v.CardDigest != p.verified.CardDigest || !endorsedBy(b.Station, p.root.Public()) || !endorsedBy(b.Agency, p.root.Public()) || slices.ContainsFunc(b.Earlier, func(a []byte) bool { return !endorsedBy(a, p.root.Public()) }) {
			t.Error("cards verify that were never endorsed")
		}
	})
}

// endorsedBy verifies a note by hand: its text, and the two last lines over it.
func endorsedBy(signed []byte, key identity.PublicKey) bool {
	text, sigs, _ := strings.Cut(string(signed), "\n\n")
	lines := strings.Split(strings.TrimSuffix(sigs, "\n"), "\n")
	if len(lines) != 2 {
		return false
	}
	var raw [2][]byte
	for i, l := range lines {
		fields := strings.Fields(l)
		b, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
		if err != nil || len(b) < 4 {
			return false
		}
		raw[i] = b[4:]
	}
	msg := []byte(text + "\n")
	return ed25519.Verify(key.Ed25519(), msg, raw[0]) && mldsa.Verify(key.MLDSA(), msg, raw[1], &mldsa.Options{Context: "detente/endorsement/v1"}) == nil
}

// noteText is a note's text without its line end.
func noteText(note []byte) string {
	text, _, _ := strings.Cut(string(note), "\n\n")
	return text
}

// endorsed fuzzes a decoder of endorsed JSON: whatever text it is given, the
// right key signs it. What is read is endorsed again, and must be the same
// text; a hostile note around the good text is refused.
func endorsed(f *testing.F, name string, key identity.PrivateKey, good []byte, again func(signed []byte) ([]byte, error)) {
	f.Helper()
	sign := func(text string) []byte {
		signed, err := identity.Endorse(name, key, []byte(text+"\n"))
		if err != nil {
			return nil // no text that a note can hold
		}
		return signed
	}
	read := func(text string) error { _, err := again(sign(text)); return err }
	var rejected []string
	for _, text := range decodertest.JSON([]byte(noteText(good))) {
		rejected = append(rejected, string(text))
	}
	for what, note := range decodertest.Note(good) {
		if _, err := again(note); err == nil {
			f.Errorf("%s: it is read", what)
		} else {
			decodertest.Refusal(f, err)
		}
	}
	decodertest.Seeds(f, read, []string{noteText(good)}, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		signed := sign(text)
		out, err := again(signed)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if noteText(out) != text {
			t.Errorf("%q is read, and endorsed again as %q", text, noteText(out))
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(text), &plain); err != nil || !endorsedBy(signed, key.Public()) {
			t.Errorf("%q is read: %v", text, err)
		}
	})
}

// covers P14
func FuzzParseRoot(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	endorsed(f, "arden.example", p.root, p.bundle.Root, func(signed []byte) ([]byte, error) {
		r, err := identity.ParseRoot(signed)
		if err != nil {
			return nil, err
		}
		return identity.SignRoot(r.Party, p.root)
	})
}

// covers P14
func FuzzOpenAgencyCard(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	endorsed(f, "arden.example", p.root, p.bundle.Agency, func(signed []byte) ([]byte, error) {
		a, err := identity.OpenAgencyCard(p.verified.Root, signed)
		if err != nil {
			return nil, err
		}
		return identity.EndorseAgency(p.root, a)
	})
}

// covers P14
func FuzzOpenCard(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	endorsed(f, "arden.example", p.root, p.bundle.Station, func(signed []byte) ([]byte, error) {
		c, err := identity.OpenCard(p.verified.Root, signed)
		if err != nil {
			return nil, err
		}
		return identity.EndorseCard(p.root, c)
	})
}

// covers P8 P14
func FuzzOpenCertificate(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	endorsed(f, "nrrc.arden.example", p.agency, p.certificate, func(signed []byte) ([]byte, error) {
		c, err := identity.OpenCertificate("nrrc.arden.example", p.agency.Public(), signed)
		if err != nil {
			return nil, err
		}
		return identity.IssueCertificate("nrrc.arden.example", p.agency, c)
	})
}

// covers P14
func FuzzOpenSuccession(f *testing.F) {
	key := mustKey(f, identity.UseLog)
	c := card(f, "arden.example", "boreal.example", mustKey(f, identity.UseLog).Public())
	c.Logs = append(c.Logs, identity.LogKey{Reader: "nrrc.boreal.example", Class: identity.Notification, Era: 2, Key: key.Public()})
	old := identity.Origin{Writer: "nrrc.arden.example", Reader: "nrrc.boreal.example", Class: identity.Notification, Era: 1}
	next := old
	next.Era = 2
	good, err := identity.SignSuccession(key, identity.Succession{Old: old, Size: 7, Root: identity.Sum(nil), Reason: "loss", New: next, At: at})
	if err != nil {
		f.Fatal(err)
	}
	endorsed(f, next.String(), key, good, func(signed []byte) ([]byte, error) {
		s, err := identity.OpenSuccession(c, signed)
		if err != nil {
			return nil, err
		}
		return identity.SignSuccession(key, s)
	})
}

// FuzzParseApproval reads an approval a second time with the older JSON library.
// covers P8 P14
func FuzzParseApproval(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	var accepted [][]byte
	var good identity.Approval
	for _, expires := range []time.Time{{}, at.Add(time.Hour)} {
		var err error
		if good, err = identity.ApproveWithKey(p.officer, p.certificate, identity.Request{Role: "releasing", Decision: "approve", Expires: expires}); err != nil {
			f.Fatal(err)
		}
		accepted = append(accepted, good.Bytes())
	}
	rejected := slices.Collect(maps.Values(decodertest.JSON([]byte(`{"certificate":"","proof":{"kind":"key"},"request":{}}`))))
	decodertest.Seeds(f, func(b []byte) error { _, err := identity.ParseApproval(b); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := identity.ParseApproval(text)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if !bytes.Equal(a.Bytes(), text) {
			t.Error("an approval is not written as it was read")
		}
		var plain struct {
			Certificate string
			Request     struct{ Body, Decision, Policy, Role, ID string }
			Proof       struct {
				Kind  string
				MLDSA []byte
			}
		}
		r := a.Request
		if err := json.Unmarshal(text, &plain); err != nil || plain.Certificate != string(a.Certificate) || plain.Request.Body != r.Body.String() || plain.Request.Policy != r.Policy.String() ||
			plain.Request.Role != r.Role || plain.Request.Decision != r.Decision || plain.Proof.Kind != a.Proof.Kind || !bytes.Equal(plain.Proof.MLDSA, a.Proof.Signature.MLDSA) {
			t.Errorf("%q is read as %+v, and by others as %+v, %v", text, a, plain, err)
		}
		_, err = a.Verify("nrrc.arden.example", p.verified.Agencies, at)
		if err == nil && !bytes.Equal(text, accepted[0]) && !bytes.Equal(text, accepted[1]) {
			t.Error("an approval verifies that was never given")
		}
	})
}

// covers P14
func FuzzJoinParts(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	parts := p.bundle.Parts()
	join := func(text string) error {
		_, err := identity.JoinParts(append([]string{text}, parts[1:]...))
		return err
	}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), "DET1:2/1:0123456789abcdef:AAAA", parts[0]+"A", "DET1:0/1:0123456789abcdef:AAAA", strings.ToLower(parts[0]), parts[1])
	decodertest.Seeds(f, join, []string{parts[0], " " + parts[0] + "\r\n"}, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := identity.JoinParts(append([]string{text}, parts[1:]...))
		if err != nil {
			decodertest.Refusal(t, err)
		} else if !bytes.Equal(b.Bytes(), p.bundle.Bytes()) {
			t.Error("parts join to other cards")
		}
	})
}

// FuzzNames reads names, digests and keys: each has one spelling.
// covers P14
func FuzzNames(f *testing.F) {
	pub, secret := mustKey(f, identity.UseLog).Public().String(), mustKey(f, identity.UseAgency).Secret()
	read := func(s string) (string, error) {
		if o, err := identity.ParseOrigin(s); err == nil {
			return o.String(), nil
		}
		if l, err := identity.ParseLine(s); err == nil {
			if l.String() != s { // its stations may be named in either order
				a, rest, _ := strings.Cut(s, "/")
				b, class, _ := strings.Cut(rest, "/")
				if l.String() == b+"/"+a+"/"+class {
					return s, nil
				}
			}
			return l.String(), nil
		}
		if c, err := identity.ParseClass(s); err == nil {
			return c.String(), nil
		}
		if c, err := identity.ParseCode(s); err == nil {
			return string(c), nil
		}
		if d, err := identity.ParseDigest(s); err == nil {
			return d.String(), nil
		}
		if k, err := identity.ParsePublicKey(identity.UseLog, s); err == nil {
			return k.String(), nil
		}
		if k, err := identity.ParsePrivateKey(identity.UseAgency, strings.TrimSpace(s)); err == nil {
			return strings.Replace(s, strings.TrimSpace(s), k.Secret(), 1), nil
		}
		p, err := identity.ParseParty(s)
		if err != nil {
			return "", err
		}
		a, err := identity.ParseAgency(s)
		if err != nil || string(a) != s {
			return "", err
		}
		t, err := identity.ParseStation(s)
		if string(t) != string(p) {
			return "", err
		}
		return string(p), err
	}
	accepted := []string{
		"arden.example", "a", "1.2-3", strings.Repeat("a", identity.MaxName), "a/b/leadership", "nrrc.arden.example/to/nrrc.boreal.example/technical/4294967295", "technical", "ARD", identity.Sum(nil).String(), pub, secret,
	}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())),
		strings.Repeat("a", identity.MaxName+1), "-a", "a-", "a..b", ".a", "a.", "A.example", "a_b", "a/a/technical", "a/b/Technical", "a/b/technical/", "a/to/b/technical/0", "a/to/b/technical/01", "a/to/b/technical/4294967296", "a/to/a/technical/1",
		"a/from/b/technical/1", "٣", identity.Sum(nil).String()+"/", strings.ToUpper(identity.Sum([]byte("x")).String()), pub+"A", pub[:len(pub)-1], "detente-log-key-1:", strings.Replace(pub, "log", "root", 1), secret[:len(secret)-1], strings.Replace(secret, "agency", "log", 1))
	for i, s := range rejected {
		if len(s) > 64<<10 {
			rejected[i] = s[:64<<10]
		}
	}
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, s string) {
		again, err := read(s)
		if err != nil {
			decodertest.Refusal(t, err)
		} else if again != s {
			t.Errorf("%q is read, and written %q", s, again)
		}
	})
}
