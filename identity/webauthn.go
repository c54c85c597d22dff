package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Flags in authenticator data (W3C Web Authentication, section 6.1).
const (
	flagUserPresent  = 0x01
	flagUserVerified = 0x04
	flagsAt          = 32 // after the relying party's hash
	leastAuthData    = 37
	maxAuthData      = 4096
	maxClientData    = 4096
)

// clientData is what the browser says it asked the authenticator for.
type clientData struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
}

// verifyAssertion verifies a WebAuthn assertion (W3C Web Authentication,
// section 7.2) over a challenge: type, challenge, page, relying party, that the
// user was present and verified, and the signature. It needs no network.
func verifyAssertion(c Credential, challenge Digest, p Proof) error {
	if len(p.AuthenticatorData) < leastAuthData || len(p.AuthenticatorData) > maxAuthData || len(p.ClientDataJSON) > maxClientData {
		return fmt.Errorf("%w: the passkey's data are of a wrong size", ErrSignature)
	}
	var client clientData
	if err := json.Unmarshal(p.ClientDataJSON, &client); err != nil {
		return fmt.Errorf("%w: the passkey's client data: %w", ErrSignature, err)
	}
	got, err := base64.RawURLEncoding.DecodeString(client.Challenge)
	rp := sha256.Sum256([]byte(c.RPID))
	flags := p.AuthenticatorData[flagsAt]
	switch {
	case client.Type != "webauthn.get":
		return fmt.Errorf("%w: the passkey was asked for %q", ErrSignature, clip(client.Type))
	case err != nil || !bytes.Equal(got, challenge[:]):
		return fmt.Errorf("%w: the passkey signed another challenge", ErrSignature)
	case !slices.Contains(c.Origins, client.Origin) || client.CrossOrigin:
		return fmt.Errorf("%w: the page %q may not ask for this passkey", ErrSignature, clip(client.Origin))
	case !bytes.Equal(p.AuthenticatorData[:32], rp[:]):
		return fmt.Errorf("%w: the passkey is of another relying party", ErrSignature)
	case flags&flagUserPresent == 0 || flags&flagUserVerified == 0:
		return fmt.Errorf("%w: the passkey did not verify its user", ErrSignature)
	}
	hash := sha256.Sum256(p.ClientDataJSON)
	return verifyCOSE(c.COSE, append(bytes.Clone(p.AuthenticatorData), hash[:]...), p.Assertion)
}

// coseKey is a COSE_Key (RFC 9052, section 7) of the two kinds that passkeys
// use for signing: EC2 on P-256 and OKP on Ed25519.
type coseKey struct {
	Type      int    `cbor:"1,keyasint"`
	Algorithm int    `cbor:"3,keyasint"`
	Curve     int    `cbor:"-1,keyasint"`
	X         []byte `cbor:"-2,keyasint"`
	Y         []byte `cbor:"-3,keyasint,omitempty"`
}

// Values of the COSE registries.
const (
	coseOKP     = 1
	coseEC2     = 2
	coseES256   = -7
	coseEdDSA   = -8
	coseP256    = 1
	coseEd25519 = 6
)

// verifyCOSE verifies a signature by a passkey's public key. The WebAuthn
// library does the same but links a network stack, which the offline verifier
// may not have; see docs/dependencies.md.
func verifyCOSE(encoded, msg, sig []byte) error {
	var k coseKey
	if err := cbor.Unmarshal(encoded, &k); err != nil {
		return fmt.Errorf("%w: the passkey's public key: %w", ErrSignature, err)
	}
	switch {
	case k.Type == coseEC2 && k.Algorithm == coseES256 && k.Curve == coseP256 && len(k.X) == 32 && len(k.Y) == 32:
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, k.X, k.Y))
		if err != nil {
			return fmt.Errorf("%w: the passkey's public key: %w", ErrSignature, err)
		}
		if hash := sha256.Sum256(msg); !ecdsa.VerifyASN1(pub, hash[:], sig) {
			return fmt.Errorf("%w: the passkey's signature", ErrSignature)
		}
		return nil
	case k.Type == coseOKP && k.Algorithm == coseEdDSA && k.Curve == coseEd25519 && len(k.X) == ed25519.PublicKeySize:
		if !ed25519.Verify(k.X, msg, sig) {
			return fmt.Errorf("%w: the passkey's signature", ErrSignature)
		}
		return nil
	}
	return fmt.Errorf("%w: the passkey's public key must be ES256 on P-256 or EdDSA on Ed25519", ErrSignature)
}
