package rig

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json/v2"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/seal"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// secrets are what the rig takes from a station's key file: to dial as that
// station, and to open what it wrote.
type secrets struct {
	TLS     string            `json:"tls"`
	Archive map[string]string `json:"archive"`
}

func (e *End) secrets() (s secrets, err error) {
	id, err := os.ReadFile(e.IdentityFile())
	if err != nil {
		return s, err
	}
	file, err := os.ReadFile(filepath.Join(e.Data, "keys.age"))
	if err != nil {
		return s, err
	}
	text, err := identity.DecryptKey(file, "", string(id))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// Tiles reads the logs that an end holds as its counterpart may: over the
// line's TLS, as C2SP tlog-tiles, by the tile client of others.
type Tiles struct {
	at     *End
	client *http.Client
}

// Tiles returns a reader of the logs at this end.
func (e *End) Tiles(as *End) (*Tiles, error) {
	s, err := as.secrets()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(s.TLS))
	if block == nil {
		return nil, fmt.Errorf("%s: the TLS key is no PEM", as.Name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: the TLS key signs nothing", as.Name)
	}
	now := time.Now()
	cert, err := line.SelfSigned(signer, identity.Station(as.Name), now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{cert},
		InsecureSkipVerify: true, // what is read is judged by its tree alone
	}
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	return &Tiles{at: e, client: &http.Client{Transport: tr, Timeout: time.Minute}}, nil
}

// Close ends the reader's connections.
func (t *Tiles) Close() { t.client.CloseIdleConnections() }

// fetcher returns the tile reader of one log.
func (t *Tiles) fetcher(origin identity.Origin) (*torchwood.TileFetcher, error) {
	name := sha256.Sum256([]byte(origin.String()))
	return torchwood.NewTileFetcher(fmt.Sprintf("https://%s/%x", t.at.Listen, name), torchwood.WithHTTPClient(t.client))
}

// Head returns the tree that the end's newest checkpoint of a log states. Its
// signatures are not looked at: whoever forges one gains nothing here.
func (t *Tiles) Head(ctx context.Context, origin identity.Origin) (tlog.Tree, error) {
	f, err := t.fetcher(origin)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := f.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	body, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return tlog.Tree{}, errors.New("the checkpoint is no signed note")
	}
	c, err := torchwood.ParseCheckpoint(body + "\n")
	if err != nil {
		return tlog.Tree{}, err
	}
	if c.Origin != origin.String() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of %q", c.Origin)
	}
	return c.Tree, nil
}

// Entries reads all entries of a tree, each proven to be in it.
func (t *Tiles) Entries(ctx context.Context, origin identity.Origin, tree tlog.Tree) ([][]byte, error) {
	f, err := t.fetcher(origin)
	if err != nil {
		return nil, err
	}
	c, err := torchwood.NewClient(f)
	if err != nil {
		return nil, err
	}
	entries := make([][]byte, 0, tree.N)
	for _, e := range c.AllEntries(ctx, tree, 0) {
		entries = append(entries, append([]byte(nil), e...))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if int64(len(entries)) != tree.N {
		return nil, fmt.Errorf("%s holds %d of the %d entries of %s", t.at.Name, len(entries), tree.N, origin)
	}
	return entries, nil
}

// OpenOwn opens entries that the end wrote, by its archive keys.
func (e *End) OpenOwn(entries [][]byte) ([]message.Entry, error) {
	s, err := e.secrets()
	if err != nil {
		return nil, err
	}
	var ids []seal.Identity
	for _, text := range s.Archive {
		id, err := seal.ParseIdentity(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	opened := make([]message.Entry, 0, len(entries))
	for i, sealed := range entries {
		plain, _, err := seal.Open(sealed, ids...)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		entry, err := message.ParseEntry(plain)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		opened = append(opened, entry)
	}
	return opened, nil
}
