package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"
)

// Request is what an officer signs: a decision on frozen bytes, in a role, for
// one request for release, until a time, under a release policy. Requests are
// comparable.
type Request struct {
	Body     Digest   // of the frozen bytes
	ID       [16]byte // of the request for release
	Role     string
	Expires  time.Time // whole second, UTC
	Policy   Digest
	Decision string // approve, confirm, withdraw, reject
}

// challengeTag keeps a challenge of ours from being anybody else's.
const challengeTag = "detente/release/v1\x00"

// Challenge returns what is signed: SHA-256 over a tag and the request's
// canonical JSON. A passkey's challenge is exactly this.
func (r Request) Challenge() Digest {
	text, err := canonical(r.json())
	if err != nil {
		panic("internal error: " + err.Error()) // strings only
	}
	return Sum(append([]byte(challengeTag), text...))
}

// Equal reports whether both say the same.
func (r Request) Equal(o Request) bool {
	return r.Body == o.Body && r.ID == o.ID && r.Role == o.Role && r.Expires.Equal(o.Expires) && r.Policy == o.Policy && r.Decision == o.Decision
}

type requestJSON struct {
	Body     string `json:"body"`
	Decision string `json:"decision"`
	Expires  string `json:"expires,omitempty"`
	ID       string `json:"id"`
	Policy   string `json:"policy"`
	Role     string `json:"role"`
}

func (r Request) json() requestJSON {
	w := requestJSON{Body: r.Body.String(), Decision: r.Decision, ID: hex.EncodeToString(r.ID[:]), Policy: r.Policy.String(), Role: r.Role}
	if !r.Expires.IsZero() {
		w.Expires = stamp(r.Expires)
	}
	return w
}

func (w requestJSON) request() (r Request, err error) {
	if r.Body, err = ParseDigest(w.Body); err != nil {
		return r, err
	}
	if r.Policy, err = ParseDigest(w.Policy); err != nil {
		return r, err
	}
	id, err := hex.DecodeString(w.ID)
	if err != nil || len(id) != len(r.ID) {
		return r, errors.New("approval: the request's id must be 32 hexadecimal digits")
	}
	copy(r.ID[:], id)
	if w.Expires != "" {
		if r.Expires, err = parseStamp("approval", w.Expires); err != nil {
			return r, err
		}
	}
	r.Role, r.Decision = w.Role, w.Decision
	if !roleForm.MatchString(r.Role) {
		return r, fmt.Errorf("approval: role %q: lower-case letters and hyphens are needed", clip(r.Role))
	}
	switch r.Decision {
	case "approve", "confirm", "withdraw", "reject":
		return r, nil
	}
	return r, fmt.Errorf("approval: decision %q: it must be approve, confirm, withdraw or reject", clip(r.Decision))
}

// Proof is an officer's signature over a request's challenge, of either kind.
type Proof struct {
	Kind      string    // CredentialKey or CredentialWebAuthn
	Signature Signature // of a key file

	AuthenticatorData []byte // of a passkey, as the browser gave them
	ClientDataJSON    []byte
	Assertion         []byte
}

// Approval is an officer's signed decision, with the certificate that says who
// may take it. It verifies by itself, offline.
type Approval struct {
	Request     Request
	Certificate []byte // a signed note
	Proof       Proof
}

type proofJSON struct {
	Assertion         []byte `json:"assertion,omitempty"`
	AuthenticatorData []byte `json:"authenticator_data,omitempty"`
	ClientData        []byte `json:"client_data,omitempty"`
	Ed25519           []byte `json:"ed25519,omitempty"`
	Kind              string `json:"kind"`
	MLDSA             []byte `json:"mldsa,omitempty"`
}

type approvalJSON struct {
	Certificate string      `json:"certificate"`
	Proof       proofJSON   `json:"proof"`
	Request     requestJSON `json:"request"`
}

// MaxApproval bounds an approval: two hybrid signatures, a certificate with a
// hybrid key, and what a passkey adds.
const MaxApproval = 32 << 10

// Bytes returns the approval's canonical JSON.
func (a Approval) Bytes() []byte {
	b, err := canonical(approvalJSON{
		Certificate: string(a.Certificate), Request: a.Request.json(),
		Proof: proofJSON{a.Proof.Assertion, a.Proof.AuthenticatorData, a.Proof.ClientDataJSON, a.Proof.Signature.Ed25519, a.Proof.Kind, a.Proof.Signature.MLDSA},
	})
	if err != nil {
		panic("internal error: " + err.Error()) // strings and bytes only
	}
	return b
}

// ParseApproval reads what Bytes wrote. It verifies nothing.
func ParseApproval(b []byte) (Approval, error) {
	if len(b) > MaxApproval {
		return Approval{}, fmt.Errorf("approval: %d bytes are more than %d", len(b), MaxApproval)
	}
	var w approvalJSON
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil {
		return Approval{}, fmt.Errorf("approval: %w", err)
	}
	r, err := w.Request.request()
	if err != nil {
		return Approval{}, err
	}
	a := Approval{Request: r, Certificate: []byte(w.Certificate), Proof: Proof{
		Kind: w.Proof.Kind, Signature: Signature{w.Proof.Ed25519, w.Proof.MLDSA},
		AuthenticatorData: w.Proof.AuthenticatorData, ClientDataJSON: w.Proof.ClientData, Assertion: w.Proof.Assertion,
	}}
	if !bytes.Equal(a.Bytes(), b) {
		return Approval{}, errors.New("approval: it is not in the one form that an approval has, the canonical one of RFC 8785")
	}
	return a, nil
}

// officerDomain is the domain of a key file's signatures.
const officerDomain = "detente/officer-approval/v1"

// ApproveWithKey signs a request with an officer's key file.
func ApproveWithKey(key PrivateKey, certificate []byte, r Request) (Approval, error) {
	if key.Use() != UseOfficer {
		return Approval{}, errors.New("approving: an officer's key is needed")
	}
	c := r.Challenge()
	sig, err := key.Sign(officerDomain, c[:])
	if err != nil {
		return Approval{}, err
	}
	return Approval{Request: r, Certificate: certificate, Proof: Proof{Kind: CredentialKey, Signature: sig}}, nil
}

// Verify verifies an approval alone: the certificate under the card that the
// agency had at a time, its station, validity and role at that time, that the
// request had not expired, and the proof over the request's challenge.
func (a Approval) Verify(station Station, agencies Agencies, at time.Time) (Certificate, error) {
	return a.verify(agencies, station, at, OpenCertificate, a.verifyProof)
}

// ValidityError says that an officer's certificate was not valid when an approval
// under it was used.
type ValidityError struct {
	Pseudonym string
	From, To  time.Time // when it is valid: from, and before to
	At        time.Time // when it was used
}

// Error says who, when, and when not.
func (e *ValidityError) Error() string {
	return fmt.Sprintf("the certificate of %s is valid from %s to %s, and not at %s", e.Pseudonym, stamp(e.From), stamp(e.To), stamp(e.At))
}

// openCertificate does what OpenCertificate does.
type openCertificate func(Agency, PublicKey, []byte) (Certificate, error)

// verify tries the cards that the agency had at a time, the newest first: where
// one follows another before it ends, both are good.
func (a Approval) verify(agencies Agencies, station Station, at time.Time, open openCertificate, proven func(Certificate) error) (Certificate, error) {
	failed := errors.New("the approval names no agency whose cards are known here")
	for _, agency := range agencies {
		if !agency.validAt(at) {
			failed = fmt.Errorf("the card of agency %s is valid from %s to %s, and not at %s", agency.Agency, stamp(agency.From), stamp(agency.To), stamp(at))
			continue
		}
		cert, err := open(agency.Agency, agency.Key, a.Certificate)
		if err != nil {
			failed = err
			continue
		}
		if cert.Party != agency.Party {
			return Certificate{}, fmt.Errorf("the certificate of %s names the party %s, and agency %s is of %s", cert.Pseudonym, cert.Party, agency.Agency, agency.Party)
		}
		if err := a.verifyAuthority(cert, station, at); err != nil {
			return Certificate{}, err
		}
		if err := proven(cert); err != nil {
			return Certificate{}, fmt.Errorf("approval of %s: %w", cert.Pseudonym, err)
		}
		return cert, nil
	}
	return Certificate{}, failed
}

// verifyAuthority checks all but the signature.
func (a Approval) verifyAuthority(cert Certificate, station Station, at time.Time) error {
	switch {
	case cert.Station != station:
		return fmt.Errorf("officer %s is certified for the station %s and not for %s", cert.Pseudonym, cert.Station, station)
	case at.Before(cert.From) || !at.Before(cert.To):
		return &ValidityError{Pseudonym: cert.Pseudonym, From: cert.From, To: cert.To, At: at}
	case !a.Request.Expires.IsZero() && !at.Before(a.Request.Expires):
		return fmt.Errorf("the approval of %s expired at %s", cert.Pseudonym, stamp(a.Request.Expires))
	case !cert.Holds(a.Request.Role):
		return fmt.Errorf("officer %s does not hold the role %s", cert.Pseudonym, a.Request.Role)
	}
	return nil
}

func (a Approval) verifyProof(cert Certificate) error {
	if a.Proof.Kind != cert.Credential.Kind {
		return fmt.Errorf("%w: the proof is of kind %q and the credential of %s of kind %q", ErrSignature, clip(a.Proof.Kind), cert.Pseudonym, clip(cert.Credential.Kind))
	}
	challenge := a.Request.Challenge()
	if a.Proof.Kind == CredentialWebAuthn {
		return verifyAssertion(cert.Credential, challenge, a.Proof)
	}
	return cert.Credential.Key.Verify(officerDomain, challenge[:], a.Proof.Signature)
}
