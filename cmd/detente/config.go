package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"detente/identity"
	"detente/line"
	"detente/seal"
	"detente/station"
)

// keyFile is what the station's key file holds, once it is opened: its private
// keys, readable by it alone.
type keyFile struct {
	Cosigner string            `json:"cosigner"`
	Logs     map[string]string `json:"logs"`
	Sealing  map[string]string `json:"sealing"`
	Archive  map[string]string `json:"archive"`
	TLS      string            `json:"tls"`
}

// The files of a station's data directory.
const (
	configName  = "detente.toml"
	confParts   = "conf.d"       // beside it
	outletsName = "outlets.toml" // in confParts, written by the program
	keysName    = "keys.age"
	cardsName   = "cards"
	requestName = "request.json"
	tokenName   = "operator.token"
	storeName   = "store"
	blobsName   = "blobs"
)

// putJSON writes a file of JSON; when it is only tried, it says so instead.
func (a *app) putJSON(path string, v any, mode os.FileMode) error {
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return a.put(path, append(text, '\n'), mode)
}

// writeFile writes a file whole and durably, in place of an older one.
func writeFile(path string, content []byte, mode os.FileMode) error {
	next, err := os.OpenFile(path+".next", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = next.Write(content)
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = os.Rename(path+".next", path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+".next"))
	}
	return nil
}

// writeKeys encrypts the station's keys into their file.
func (s *secretFlags) writeKeys(dir string, k keyFile) error {
	text, err := json.Marshal(k, json.Deterministic(true))
	if err != nil {
		return err
	}
	pass, err := s.passphrase()
	if err != nil {
		return err
	}
	file, err := identity.EncryptKey(string(text), pass, s.recipient)
	if err != nil {
		return usage("%v: give --passphrase-file or --recipient", err)
	}
	return s.put(filepath.Join(dir, keysName), file, 0o600)
}

// openKeys reads the station's key file.
func (s *secretFlags) openKeys(dir string) (k keyFile, err error) {
	secret, err := s.open(filepath.Join(dir, keysName))
	if err != nil {
		return k, err
	}
	if json.Unmarshal([]byte(secret), &k, json.RejectUnknownMembers(true)) != nil {
		return k, errDamaged
	}
	return k, nil
}

var errDamaged = fmt.Errorf("%s is damaged: put its backup in place", keysName)

// keys turns the file's texts into keys.
func (k keyFile) keys() (station.Keys, error) {
	out := station.Keys{Logs: map[identity.Origin]identity.PrivateKey{}, Sealing: map[seal.Period]seal.Identity{}, Archive: map[seal.Period]seal.Identity{}}
	var err error
	if out.Cosigner, err = identity.ParsePrivateKey(identity.UseCosigner, k.Cosigner); err != nil {
		return out, errDamaged
	}
	for o, secret := range k.Logs {
		origin, err := identity.ParseOrigin(o)
		if err != nil {
			return out, errDamaged
		}
		if out.Logs[origin], err = identity.ParsePrivateKey(identity.UseLog, secret); err != nil {
			return out, errDamaged
		}
	}
	periods := func(from map[string]string, into map[seal.Period]seal.Identity) {
		for p, secret := range from {
			id, bad := seal.ParseIdentity(secret)
			into[seal.Period(p)], err = id, errors.Join(err, bad)
		}
	}
	periods(k.Sealing, out.Sealing)
	periods(k.Archive, out.Archive)
	if err != nil {
		return out, errDamaged
	}
	return out, nil
}

const tlsYears = 2

// newTLS makes a TLS key and returns its secret text and its digest.
func newTLS() (string, identity.Digest, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", identity.Digest{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", identity.Digest{}, err
	}
	spki, err := line.SPKI(key.Public())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), spki, err
}

func tlsCertificate(secret string, name identity.Station) (tls.Certificate, error) {
	block, _ := pem.Decode([]byte(secret))
	if block == nil {
		return tls.Certificate{}, errDamaged
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return tls.Certificate{}, errDamaged
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return tls.Certificate{}, errDamaged
	}
	return line.SelfSigned(signer, name, now().Add(-time.Hour), now().AddDate(tlsYears, 0, 0))
}

// readBundle reads a file of cards.
func readBundle(path string) (identity.Bundle, identity.Root, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return identity.Bundle{}, identity.Root{}, err
	}
	b, err := identity.ParseBundle(text)
	if err != nil {
		return b, identity.Root{}, err
	}
	root, err := identity.ParseRoot(b.Root)
	return b, root, err
}
