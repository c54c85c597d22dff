package line

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"detente/identity"
)

// Certificate returns the TLS certificate to show at a moment, so that keys
// change without a restart. It is asked at each handshake.
type Certificate func(now time.Time) (*tls.Certificate, error)

// Always returns a Certificate that is c at all times.
func Always(c tls.Certificate) Certificate {
	return func(time.Time) (*tls.Certificate, error) { return &c, nil }
}

// SelfSigned returns a certificate for key that names a station. Nobody judges
// by what stands in it but the key: peers pin the digest of the key, and their
// cards say from when to when it holds.
func SelfSigned(key crypto.Signer, name identity.Station, from, to time.Time) (tls.Certificate, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("TLS key: %w; Ed25519 or ECDSA on P-256 is needed", err)
	}
	digest := sha256.Sum256(spki)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(digest[:16]),
		Subject:      pkix.Name{CommonName: string(name)[:min(len(name), 64)]}, // X.520's limit
		DNSNames:     []string{string(name)},
		NotBefore:    from.UTC(),
		NotAfter:     to.UTC(),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("TLS certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// SPKI returns the digest by which a TLS key is pinned: SHA-256 of its
// SubjectPublicKeyInfo.
func SPKI(key crypto.PublicKey) (identity.Digest, error) {
	b, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return identity.Digest{}, fmt.Errorf("TLS key: %w", err)
	}
	return identity.Sum(b), nil
}

// presented returns the pin of the key that the other end showed and proved to
// hold; zero where it showed none.
func presented(cs *tls.ConnectionState) identity.Digest {
	if cs == nil || len(cs.PeerCertificates) == 0 {
		return identity.Digest{}
	}
	return identity.Sum(cs.PeerCertificates[0].RawSubjectPublicKeyInfo)
}

// keyError is a peer's TLS key that is not pinned.
type keyError struct{ presented identity.Digest }

func (e *keyError) Error() string {
	if e.presented == (identity.Digest{}) {
		return "no TLS key was presented"
	}
	return "TLS key " + e.presented.String() + " is not pinned for this peer"
}

// baseTLS is what both ends hold to: TLS 1.3, one post-quantum key exchange,
// HTTP/2, and no resumption, so that each connection proves its keys anew.
func baseTLS(trusted func(spki identity.Digest, now time.Time) bool, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768},
		NextProtos:             []string{"h2"},
		SessionTicketsDisabled: true,
		Time:                   now,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if cs.Version != tls.VersionTLS13 || cs.CurveID != tls.X25519MLKEM768 || cs.NegotiatedProtocol != "h2" {
				return errors.New("the connection is not HTTP/2 over TLS 1.3 with X25519MLKEM768")
			}
			if spki := presented(&cs); spki == (identity.Digest{}) || !trusted(spki, now()) {
				return &keyError{presented: spki}
			}
			return nil
		},
	}
}

// ServerTLS returns the configuration of a listener: it shows cert, and takes
// connections only from keys that trusted knows.
func ServerTLS(cert Certificate, trusted func(spki identity.Digest, now time.Time) (identity.Station, bool), now func() time.Time) *tls.Config {
	c := baseTLS(func(spki identity.Digest, at time.Time) bool {
		_, ok := trusted(spki, at)
		return ok
	}, now)
	c.ClientAuth = tls.RequireAnyClientCert // verified by its pin, in VerifyConnection
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert(now()) }
	return c
}

// ClientTLS returns the configuration of a connection to one peer: it shows
// cert, and goes on only with a key that trusted knows to be that peer's.
func ClientTLS(cert Certificate, trusted func(spki identity.Digest, now time.Time) bool, now func() time.Time) *tls.Config {
	c := baseTLS(trusted, now)
	c.InsecureSkipVerify = true // no public authority: the pin is verified, in VerifyConnection
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert(now()) }
	return c
}
