package identity_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"

	"filippo.io/age"
)

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func mustKey(t testing.TB, use identity.Use) identity.PrivateKey {
	t.Helper()
	k, err := identity.GenerateKey(use, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// party is a party with one station and one officer, made for a test.
type party struct {
	root, agency, officer identity.PrivateKey
	bundle                identity.Bundle
	verified              identity.Verified
	certificate           []byte
}

func newParty(t testing.TB, name, reader string) party {
	t.Helper()
	p := party{root: mustKey(t, identity.UseRoot), agency: mustKey(t, identity.UseAgency), officer: mustKey(t, identity.UseOfficer)}
	from, to := at.Add(-time.Hour), at.AddDate(1, 0, 0)
	var err error
	if p.bundle.Root, err = identity.SignRoot(identity.Party(name), p.root); err != nil {
		t.Fatal(err)
	}
	p.bundle.Agency, err = identity.EndorseAgency(p.root, identity.AgencyCard{Party: identity.Party(name), Agency: identity.Agency("nrrc." + name), Key: p.agency.Public(), From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	p.bundle.Station, err = identity.EndorseCard(p.root, card(t, name, reader, mustKey(t, identity.UseLog).Public()))
	if err != nil {
		t.Fatal(err)
	}
	if p.verified, err = p.bundle.Verify(p.root.Public(), at); err != nil {
		t.Fatal(err)
	}
	p.certificate, err = identity.IssueCertificate(identity.Agency("nrrc."+name), p.agency, identity.Certificate{
		Party: identity.Party(name), Station: identity.Station("nrrc." + name), Pseudonym: "ARD-R-01", Roles: []string{"releasing"}, From: from, To: to,
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: p.officer.Public()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func card(t testing.TB, name, reader string, log identity.PublicKey) identity.Card {
	t.Helper()
	from, to := at.Add(-time.Hour), at.AddDate(1, 0, 0)
	return identity.Card{
		Party: identity.Party(name), Agency: identity.Agency("nrrc." + name), Station: identity.Station("nrrc." + name), Code: "ARD", Serial: 1, From: from, To: to,
		Endpoints: []string{"https://127.0.0.1:7443"}, TLS: []identity.TLSKey{{SPKI: identity.Sum([]byte(name)), From: from, To: to}},
		Cosigner: mustKey(t, identity.UseCosigner).Public(),
		Logs:     []identity.LogKey{{Reader: identity.Station("nrrc." + reader), Class: identity.Notification, Era: 1, Key: log}},
		Sealing:  []identity.SealingKey{{Period: "2026-11", Recipient: "age1pq1example"}},
	}
}

func TestBundle(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	b := newParty(t, "boreal.example", "arden.example")
	again, err := identity.ParseBundle(a.bundle.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Verify(a.root.Public(), at); err != nil {
		t.Errorf("own root: %v", err)
	}
	if _, err := again.Verify(b.root.Public(), at); err == nil {
		t.Error("cards verify under another party's root")
	}
	if _, err := again.Verify(a.root.Public(), at.AddDate(2, 0, 0)); err == nil {
		t.Error("cards verify after their validity")
	}
	mixed := identity.Bundle{Root: a.bundle.Root, Agency: b.bundle.Agency, Station: a.bundle.Station}
	if _, err := mixed.Verify(a.root.Public(), at); err == nil {
		t.Error("another party's agency card verifies")
	}
}

// Cards that are read as parts, from QR codes, come back whatever the order and
// however often each is read; what is missing, foreign or misread is said.
func TestParts(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	parts, foreign := a.bundle.Parts(), newParty(t, "boreal.example", "arden.example").bundle.Parts()
	if len(parts) < 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, p := range parts {
		if len(p) > 1000 || strings.ContainsAny(p, " \n") {
			t.Errorf("a part of %d characters", len(p))
		}
	}
	backwards := slices.Clone(parts)
	slices.Reverse(backwards)
	for name, texts := range map[string][]string{"in order": parts, "backwards, with spaces": append([]string{" " + parts[1] + "\r\n"}, backwards...)} {
		joined, err := identity.JoinParts(texts)
		if err != nil || !bytes.Equal(joined.Bytes(), a.bundle.Bytes()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	misread := []byte(parts[1])
	misread[40] ^= 1
	swapped := slices.Clone(parts)
	swapped[0] = strings.Replace(parts[1], "DET1:2/", "DET1:1/", 1)
	for name, c := range map[string]struct {
		texts []string
		says  string
	}{
		"one missing":          {parts[1:], "part 1 of"},
		"none":                 {nil, "misread"},
		"one foreign":          {append(slices.Clone(parts[:len(parts)-1]), foreign[len(parts)-1]), "different cards"},
		"read twice, twice":    {append(slices.Clone(parts), string(misread)), "read twice"},
		"misread":              {append([]string{string(misread)}, append(slices.Clone(parts[:1]), parts[2:]...)...), "misread"},
		"one for another":      {swapped, "misread"},
		"not a part":           {[]string{"https://arden.example/"}, "no part"},
		"part of none":         {[]string{"DET1:1/0:0123456789abcdef:AA"}, "no part"},
		"more than is bounded": {[]string{"DET1:1/99999999:0123456789abcdef:AA"}, "no part"},
	} {
		if _, err := identity.JoinParts(c.texts); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every changed byte of a signed note is found.
// covers P19
func TestEndorsedNoteChanged(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	for i := 0; i < len(a.bundle.Agency); i += 7 {
		changed := append([]byte{}, a.bundle.Agency...)
		changed[i] ^= 1
		if _, err := identity.OpenAgencyCard(a.verified.Root, changed); err == nil {
			t.Fatalf("byte %d changed, and the note still verifies", i)
		}
	}
	doubled := append(append([]byte{}, a.bundle.Agency...), lastLine(a.bundle.Agency)...)
	if _, err := identity.OpenAgencyCard(a.verified.Root, doubled); err == nil {
		t.Error("a doubled signature is accepted")
	}
	last := lastLine(a.bundle.Agency)
	text := bytes.TrimSuffix(a.bundle.Agency, last)
	first := lastLine(text)
	swapped := slices.Concat(bytes.TrimSuffix(text, first), last, first)
	if _, err := identity.OpenAgencyCard(a.verified.Root, swapped); err == nil {
		t.Error("a note whose two signatures have changed places is accepted, and has another digest")
	}
	if _, err := identity.ParsePublicKey(identity.UseAgency, a.verified.Agency.Key.String()[:40]+"\n"+a.verified.Agency.Key.String()[40:]); err == nil {
		t.Error("a key with a line end in its base64 is accepted")
	}
}

func lastLine(b []byte) []byte {
	i := len(b) - 2
	for b[i] != '\n' {
		i--
	}
	return b[i+1:]
}

func TestDigits(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	b := newParty(t, "boreal.example", "arden.example")
	one, other := identity.Digits(a.verified, b.verified), identity.Digits(b.verified, a.verified)
	if identity.OddHalf(one) != identity.OddHalf(other) || identity.EvenHalf(one) != identity.EvenHalf(other) {
		t.Fatalf("the two ends get different digits: %v and %v", one, other)
	}
	if err := identity.CheckHalf(identity.OddHalf(one), identity.OddHalf(other)+" "); err != nil {
		t.Errorf("right digits: %v", err)
	}
	if err := identity.CheckHalf(identity.OddHalf(one), identity.EvenHalf(one)); err == nil {
		t.Error("the wrong half is accepted")
	}
	c := newParty(t, "boreal.example", "arden.example")
	if identity.OddHalf(identity.Digits(a.verified, c.verified)) == identity.OddHalf(one) {
		t.Error("another card gives the same digits")
	}
}

// An approval verifies only for the station, role, time and bytes that it was
// given for.
// covers P8
func TestApproval(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	req := identity.Request{Body: identity.Sum([]byte("body")), ID: [16]byte{1}, Role: "releasing", Expires: at.Add(time.Hour), Policy: identity.Sum([]byte("policy")), Decision: "approve"}
	good, err := identity.ApproveWithKey(a.officer, a.certificate, req)
	if err != nil {
		t.Fatal(err)
	}
	again, err := identity.ParseApproval(good.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v := identity.NewVerifier()
	verify := func(g identity.Approval, station identity.Station, when time.Time) error {
		_, alone := g.Verify(station, a.verified.Agencies, when)
		for range 2 { // the second time from memory
			if _, err := v.Verify(g, station, a.verified.Agencies, when); (err == nil) != (alone == nil) {
				t.Errorf("with memory %v, without %v", err, alone)
			}
		}
		return alone
	}
	if err := verify(again, "nrrc.arden.example", at); err != nil {
		t.Fatalf("a good approval: %v", err)
	}
	for name, change := range map[string]func(*identity.Approval){
		"body":      func(g *identity.Approval) { g.Request.Body[0] ^= 1 },
		"request":   func(g *identity.Approval) { g.Request.ID[0] ^= 1 },
		"role":      func(g *identity.Approval) { g.Request.Role = "watch" },
		"expiry":    func(g *identity.Approval) { g.Request.Expires = g.Request.Expires.Add(time.Second) },
		"policy":    func(g *identity.Approval) { g.Request.Policy[0] ^= 1 },
		"decision":  func(g *identity.Approval) { g.Request.Decision = "reject" },
		"signature": func(g *identity.Approval) { g.Proof.Signature.MLDSA[7] ^= 1 },
	} {
		bad, err := identity.ParseApproval(good.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		change(&bad)
		if err := verify(bad, "nrrc.arden.example", at); err == nil {
			t.Errorf("an approval with another %s verifies", name)
		}
	}
	if err := verify(good, "nrrc.boreal.example", at); err == nil {
		t.Error("the approval verifies for another station")
	}
	if err := verify(good, "nrrc.arden.example", at.Add(time.Hour)); err == nil {
		t.Error("the approval verifies after its expiry")
	}
}

func TestKeyFile(t *testing.T) {
	k := mustKey(t, identity.UseOfficer)
	file, err := identity.EncryptKey(k.Secret(), "correct horse", "")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := identity.DecryptKey(file, "correct horse", "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := identity.ParsePrivateKey(identity.UseOfficer, secret)
	if err != nil || !got.Public().Equal(k.Public()) {
		t.Errorf("the key did not come back: %v", err)
	}
	if _, err := identity.ParsePrivateKey(identity.UseRoot, secret); err == nil {
		t.Error("an officer's key is taken for a root key")
	}
	if _, err := identity.DecryptKey(file, "wrong", ""); err == nil {
		t.Error("a wrong passphrase opens the file")
	}
	if bytes.Contains(file, []byte(secret)) || strings.Contains(fmt.Sprintf("%v %+v %#v %s", k, k, k, k), secret[20:60]) {
		t.Error("the key is to be seen")
	}
}

// A root key may be kept under an age identity, such as one on a token, instead
// of a passphrase.
func TestKeyFileUnderIdentity(t *testing.T) {
	holder, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	k := mustKey(t, identity.UseRoot)
	file, err := identity.EncryptKey(k.Secret(), "", holder.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := identity.DecryptKey(file, "", "# kept in the safe\n"+holder.String()+"\n")
	if err != nil || secret != k.Secret() {
		t.Errorf("the key did not come back: %v", err)
	}
	for name, c := range map[string]struct{ pass, ids string }{"another identity": {"", other.String()}, "a passphrase": {"correct horse", ""}, "nothing": {"", ""}, "no identity": {"", "x"}} {
		if got, err := identity.DecryptKey(file, c.pass, c.ids); err == nil || got != "" {
			t.Errorf("%s opens it", name)
		}
	}
	file[len(file)/2] ^= 1
	if _, err := identity.DecryptKey(file, "", holder.String()); err == nil {
		t.Error("a damaged file opens")
	}
	for name, c := range map[string]struct{ pass, to string }{"both": {"x", holder.Recipient().String()}, "none": {"", ""}, "two recipients": {"", holder.Recipient().String() + "\n" + other.Recipient().String()}} {
		if _, err := identity.EncryptKey(k.Secret(), c.pass, c.to); err == nil {
			t.Errorf("%s: it is encrypted", name)
		}
	}
}
