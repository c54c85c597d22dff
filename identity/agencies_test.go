package identity_test

import (
	"testing"
	"time"

	"detente/identity"
)

// What an officer signed is judged by the card that the agency had then: it
// stands when the agency has another key, and no card serves before or after
// its time.
// covers P8 P19
func TestApprovalUnderEarlierAgencyCard(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	req := identity.Request{Body: identity.Sum([]byte("body")), ID: [16]byte{1}, Role: "releasing", Decision: "approve"}
	given, err := identity.ApproveWithKey(a.officer, a.certificate, req)
	if err != nil {
		t.Fatal(err)
	}
	renewed := at.AddDate(0, 6, 0)
	fresh := mustKey(t, identity.UseAgency)
	next := a.bundle
	next.Agency, err = identity.EndorseAgency(a.root, identity.AgencyCard{Party: "arden.example", Agency: "nrrc.arden.example", Key: fresh.Public(), From: renewed, To: renewed.AddDate(2, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := next.Verify(a.root.Public(), renewed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := given.Verify("nrrc.arden.example", alone.Agencies, at); err == nil {
		t.Error("it verifies under a card that the agency did not have yet")
	}
	read, err := identity.ParseBundle(next.After(a.bundle).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again := read.After(a.bundle); len(again.Earlier) != 1 {
		t.Errorf("the earlier card stands there %d times", len(again.Earlier))
	}
	both, err := read.Verify(a.root.Public(), renewed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := given.Verify("nrrc.arden.example", both.Agencies, at); err != nil {
		t.Errorf("under the card of its time: %v", err)
	}
	if _, err := given.Verify("nrrc.arden.example", both.Agencies, at.AddDate(1, 1, 0)); err == nil {
		t.Error("it verifies after the earlier card has ended")
	}
	b := newParty(t, "boreal.example", "arden.example")
	if _, err := a.bundle.After(b.bundle).Verify(a.root.Public(), at); err == nil {
		t.Error("another party's card passes for an earlier one")
	}
	many := a.bundle
	for range identity.MaxEarlier + 1 {
		many.Earlier = append(many.Earlier, a.bundle.Agency)
	}
	if _, err := identity.ParseBundle(many.Bytes()); err == nil {
		t.Error("a bundle of more cards than the limit is read")
	}
}

// A certificate of another party's officer is none, whoever signed it.
// covers P8
func TestCertificateOfAnotherParty(t *testing.T) {
	a := newParty(t, "arden.example", "boreal.example")
	cert, err := identity.IssueCertificate("nrrc.arden.example", a.agency, identity.Certificate{
		Party: "boreal.example", Station: "nrrc.arden.example", Pseudonym: "ARD-R-01", Roles: []string{"releasing"}, From: at.Add(-time.Hour), To: at.AddDate(1, 0, 0),
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: a.officer.Public()},
	})
	if err != nil {
		t.Fatal(err)
	}
	given, err := identity.ApproveWithKey(a.officer, cert, identity.Request{Role: "releasing", Decision: "approve"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := given.Verify("nrrc.arden.example", a.verified.Agencies, at); err == nil {
		t.Error("it verifies")
	}
}

// A note of succession verifies under the key of the log that follows, as the
// card gives it, and says nothing but that one log follows the one before it.
func TestSuccession(t *testing.T) {
	key, stranger := mustKey(t, identity.UseLog), mustKey(t, identity.UseLog)
	c := card(t, "arden.example", "boreal.example", mustKey(t, identity.UseLog).Public())
	c.Logs = append(c.Logs, identity.LogKey{Reader: "nrrc.boreal.example", Class: identity.Notification, Era: 2, Key: key.Public()})
	old := identity.Origin{Writer: c.Station, Reader: "nrrc.boreal.example", Class: identity.Notification, Era: 1}
	fresh := old
	fresh.Era = 2
	good := identity.Succession{Old: old, Size: 7, Root: identity.Sum([]byte("root")), Reason: "loss", New: fresh, At: at}
	note, err := identity.SignSuccession(key, good)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := identity.OpenSuccession(c, note); err != nil || got != good {
		t.Errorf("%+v, %v", got, err)
	}
	foreign, err := identity.SignSuccession(stranger, good)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"another key": foreign, "nothing": nil, "cut": note[:len(note)-1], "an agency card": newParty(t, "arden.example", "boreal.example").bundle.Agency} {
		if _, err := identity.OpenSuccession(c, bad); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
	for name, change := range map[string]func(*identity.Succession){
		"an era is skipped": func(s *identity.Succession) { s.New.Era = 3 },
		"another class":     func(s *identity.Succession) { s.New.Class = identity.Technical },
		"the other's log":   func(s *identity.Succession) { s.Old.Writer, s.Old.Reader = s.Old.Reader, s.Old.Writer },
		"a negative end":    func(s *identity.Succession) { s.Size = -1 },
		"an unknown reason": func(s *identity.Succession) { s.Reason = "whim" },
	} {
		bad := good
		change(&bad)
		if _, err := identity.SignSuccession(key, bad); err == nil {
			t.Errorf("%s: it is signed", name)
		}
	}
}
