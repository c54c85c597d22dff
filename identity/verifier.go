package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// maxRemembered bounds what a Verifier remembers: officers are few, approvals
// are checked again within minutes.
const maxRemembered = 4096

// Verifier verifies approvals and remembers which certificates and proofs it
// has verified, so that the same bytes are not verified twice. What depends on
// the time is checked each time. It is safe for concurrent use.
type Verifier struct {
	mu     sync.Mutex
	certs  map[Digest]Certificate // by the digest of key and note
	proofs map[Digest]bool        // of approvals whose proof verified
	parsed map[Digest]Approval    // by the digest of their bytes
}

// NewVerifier returns a Verifier that remembers nothing yet.
func NewVerifier() *Verifier {
	return &Verifier{certs: make(map[Digest]Certificate), proofs: make(map[Digest]bool), parsed: make(map[Digest]Approval)}
}

// Parse does what ParseApproval does. What it returns is shared: its bytes are
// not to be changed.
func (v *Verifier) Parse(b []byte) (Approval, error) {
	id := Sum(b)
	v.mu.Lock()
	a, known := v.parsed[id]
	v.mu.Unlock()
	if known {
		return a, nil
	}
	a, err := ParseApproval(b)
	if err != nil {
		return a, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.parsed) >= maxRemembered/16 { // each holds some kilobytes
		clear(v.parsed)
	}
	v.parsed[id] = a
	return a, nil
}

// fingerprint is a digest of all that verifyProof looks at. cert names the
// certificate and the key that it verified under.
func (a Approval) fingerprint(cert Digest) Digest {
	challenge := a.Request.Challenge()
	h := sha256.New()
	for _, part := range [][]byte{cert[:], challenge[:], []byte(a.Proof.Kind), a.Proof.Signature.Ed25519, a.Proof.Signature.MLDSA, a.Proof.AuthenticatorData, a.Proof.ClientDataJSON, a.Proof.Assertion} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // a hash takes all
		h.Write(part)
	}
	return Digest(h.Sum(nil))
}

// Verify does what Approval.Verify does.
func (v *Verifier) Verify(a Approval, station Station, agencies Agencies, at time.Time) (Certificate, error) {
	var under Digest
	open := func(agency Agency, key PublicKey, note []byte) (Certificate, error) {
		under = Sum([]byte(string(agency) + "\x00" + key.raw + string(note)))
		return v.certificate(under, agency, key, note)
	}
	return a.verify(agencies, station, at, open, func(cert Certificate) error { return v.proof(a, under, cert) })
}

func (v *Verifier) certificate(id Digest, agency Agency, key PublicKey, note []byte) (Certificate, error) {
	v.mu.Lock()
	cert, known := v.certs[id]
	v.mu.Unlock()
	if known {
		return cert, nil
	}
	cert, err := OpenCertificate(agency, key, note)
	if err != nil {
		return cert, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.certs) >= maxRemembered {
		clear(v.certs)
	}
	v.certs[id] = cert
	return cert, nil
}

func (v *Verifier) proof(a Approval, under Digest, cert Certificate) error {
	id := a.fingerprint(under)
	v.mu.Lock()
	proven := v.proofs[id]
	v.mu.Unlock()
	if proven {
		return nil
	}
	if err := a.verifyProof(cert); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.proofs) >= maxRemembered {
		clear(v.proofs)
	}
	v.proofs[id] = true
	return nil
}
