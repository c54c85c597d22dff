package identity

import (
	"fmt"
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
}

// NewVerifier returns a Verifier that remembers nothing yet.
func NewVerifier() *Verifier {
	return &Verifier{certs: make(map[Digest]Certificate), proofs: make(map[Digest]bool)}
}

// Verify does what Approval.Verify does.
func (v *Verifier) Verify(a Approval, station Station, agency Agency, key PublicKey, at time.Time) (Certificate, error) {
	id := Sum([]byte(string(agency) + "\x00" + key.raw + string(a.Certificate)))
	v.mu.Lock()
	cert, known := v.certs[id]
	v.mu.Unlock()
	if !known {
		var err error
		if cert, err = OpenCertificate(agency, key, a.Certificate); err != nil {
			return Certificate{}, err
		}
	}
	if err := a.verifyAuthority(cert, station, at); err != nil {
		return Certificate{}, err
	}
	body := Sum(append(id[:], a.Bytes()...))
	v.mu.Lock()
	proven := v.proofs[body]
	v.mu.Unlock()
	if !proven {
		if err := a.verifyProof(cert); err != nil {
			return Certificate{}, fmt.Errorf("approval of %s: %w", cert.Pseudonym, err)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.certs) >= maxRemembered {
		clear(v.certs)
	}
	if len(v.proofs) >= maxRemembered {
		clear(v.proofs)
	}
	v.certs[id], v.proofs[body] = cert, true
	return cert, nil
}
