package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Certificate is what an agency says of one of its officers. It carries a
// stable pseudonym, not the person.
type Certificate struct {
	Party      Party
	Station    Station
	Pseudonym  string
	Roles      []string // as release policies name them: watch, releasing, …
	From, To   time.Time
	Credential Credential
}

// Credential is how an officer signs: a key file or a WebAuthn passkey.
type Credential struct {
	Kind string // CredentialKey or CredentialWebAuthn
	Key  PublicKey

	RPID    string   // WebAuthn: the relying party
	ID      []byte   // WebAuthn: the credential's id
	COSE    []byte   // WebAuthn: the credential's public key
	Origins []string // WebAuthn: the pages that may ask for it
}

// The kinds of credentials.
const (
	CredentialKey      = "key"
	CredentialWebAuthn = "webauthn"
)

type credentialJSON struct {
	Kind    string     `json:"kind"`
	Key     *PublicKey `json:"key,omitempty"`
	RPID    string     `json:"rp_id,omitempty"`
	ID      []byte     `json:"id,omitempty"`
	COSE    []byte     `json:"cose,omitempty"`
	Origins []string   `json:"origins,omitempty"`
}

type certificateJSON struct {
	Kind       string         `json:"kind"`
	Party      string         `json:"party"`
	Agency     string         `json:"agency"`
	Station    string         `json:"station"`
	Pseudonym  string         `json:"pseudonym"`
	Roles      []string       `json:"roles"`
	From       string         `json:"from"`
	To         string         `json:"to"`
	Credential credentialJSON `json:"credential"`
}

const certificateKind = "detente/officer/v1"

// Limits of a certificate: it travels with each approval.
const (
	maxRoles      = 16
	maxCOSE       = 4096
	maxCredential = 1024
)

var (
	pseudonymForm = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{1,31}$`)
	roleForm      = regexp.MustCompile(`^[a-z][a-z-]{1,31}$`)
)

// IssueCertificate signs an officer's certificate with the agency's key.
func IssueCertificate(agency Agency, key PrivateKey, c Certificate) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	w := certificateJSON{
		Kind: certificateKind, Party: string(c.Party), Agency: string(agency), Station: string(c.Station), Pseudonym: c.Pseudonym,
		Roles: c.Roles, From: stamp(c.From), To: stamp(c.To),
		Credential: credentialJSON{Kind: c.Credential.Kind, RPID: c.Credential.RPID, ID: c.Credential.ID, COSE: c.Credential.COSE, Origins: c.Credential.Origins},
	}
	if c.Credential.Kind == CredentialKey {
		w.Credential.Key = &c.Credential.Key
	}
	return endorseJSON(string(agency), key, w)
}

// OpenCertificate verifies an officer's certificate under the agency's key.
func OpenCertificate(agency Agency, key PublicKey, signed []byte) (Certificate, error) {
	var w certificateJSON
	if err := openJSON("officer's certificate", string(agency), key, signed, &w); err != nil {
		return Certificate{}, err
	}
	if w.Kind != certificateKind || w.Agency != string(agency) {
		return Certificate{}, fmt.Errorf("officer's certificate: this is none of agency %s", agency)
	}
	c := Certificate{
		Party: Party(w.Party), Station: Station(w.Station), Pseudonym: w.Pseudonym, Roles: w.Roles,
		Credential: Credential{Kind: w.Credential.Kind, RPID: w.Credential.RPID, ID: w.Credential.ID, COSE: w.Credential.COSE, Origins: w.Credential.Origins},
	}
	if w.Credential.Key != nil {
		c.Credential.Key = *w.Credential.Key
	}
	var err error
	if c.From, c.To, err = parseSpan("officer's certificate", w.From, w.To); err != nil {
		return Certificate{}, err
	}
	return c, c.check()
}

func (c Certificate) check() error {
	if err := errors.Join(checkName("party", string(c.Party)), checkName("station", string(c.Station)), checkValidity("officer's certificate", c.From, c.To)); err != nil {
		return err
	}
	if !pseudonymForm.MatchString(c.Pseudonym) {
		return fmt.Errorf("pseudonym %q: 2 to 32 of A-Z, 0-9 and hyphen are needed, like ARD-W-07", clip(c.Pseudonym))
	}
	if len(c.Roles) == 0 || len(c.Roles) > maxRoles {
		return fmt.Errorf("officer's certificate: it needs 1 to %d roles", maxRoles)
	}
	for i, r := range c.Roles {
		if !roleForm.MatchString(r) || slices.Contains(c.Roles[:i], r) {
			return fmt.Errorf("role %q: write each once, in lower-case letters and hyphens", clip(r))
		}
	}
	return c.Credential.check()
}

func (c Credential) check() error {
	switch c.Kind {
	case CredentialKey:
		if c.Key.Use() != UseOfficer || c.RPID != "" || len(c.COSE) != 0 || len(c.ID) != 0 || len(c.Origins) != 0 {
			return errors.New("credential: a key file's credential holds an officer's key and nothing else")
		}
	case CredentialWebAuthn:
		if !c.Key.IsZero() || c.RPID == "" || len(c.ID) == 0 || len(c.ID) > maxCredential || len(c.COSE) == 0 || len(c.COSE) > maxCOSE || len(c.Origins) == 0 {
			return errors.New("credential: a passkey's credential holds relying party, id, public key and at least one page origin")
		}
	default:
		return fmt.Errorf("credential kind %q: it must be %s or %s", clip(c.Kind), CredentialKey, CredentialWebAuthn)
	}
	return nil
}

// Holds reports whether the certificate names a role.
func (c Certificate) Holds(role string) bool { return slices.Contains(c.Roles, role) }
