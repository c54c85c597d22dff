package identity_test

import (
	"bytes"
	"testing"

	"detente/identity"
)

func FuzzParseBundle(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	accepted := p.bundle.Bytes()
	rejected := []byte("{}\n\n\u2014 x AAAA\n\n=====\n\n=====\n")
	f.Add(accepted)
	f.Add(rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		b, err := identity.ParseBundle(file)
		if err != nil {
			return
		}
		if !bytes.Equal(b.Bytes(), file) {
			t.Error("a bundle is not written as it was read")
		}
		if v, err := b.Verify(p.root.Public(), at); err == nil && v.CardDigest != p.verified.CardDigest {
			t.Error("cards verify that were never endorsed")
		}
	})
}

func FuzzParseApproval(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	good, err := identity.ApproveWithKey(p.officer, p.certificate, identity.Request{Role: "releasing", Decision: "approve"})
	if err != nil {
		f.Fatal(err)
	}
	accepted := good.Bytes()
	rejected := []byte(`{"certificate":"","proof":{"kind":"key"},"request":{}}`)
	f.Add(accepted)
	f.Add(rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := identity.ParseApproval(text)
		if err != nil {
			return
		}
		if !bytes.Equal(a.Bytes(), text) {
			t.Error("an approval is not written as it was read")
		}
		_, err = a.Verify("nrrc.arden.example", p.verified.Agencies, at)
		if err == nil && !a.Request.Equal(good.Request) {
			t.Error("an approval verifies that was never given")
		}
	})
}

func FuzzJoinParts(f *testing.F) {
	p := newParty(f, "arden.example", "boreal.example")
	parts := p.bundle.Parts()
	accepted := parts[0]
	rejected := "DET1:2/1:0123456789abcdef:AAAA"
	f.Add(accepted)
	f.Add(rejected)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := identity.JoinParts(append([]string{text}, parts[1:]...))
		if err == nil && !bytes.Equal(b.Bytes(), p.bundle.Bytes()) {
			t.Error("parts join to other cards")
		}
	})
}
