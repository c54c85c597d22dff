package treaty

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// Limits of protected lists.
const (
	MaxProtected = 1_000_000 // assets of a list
	MaxProof     = 8 << 10   // bytes of a proof
	maxAsset     = 200       // bytes of an asset
)

// Protected is an asset of a list that nobody else sees, and the salt that keeps
// its name from being guessed. Salts are random and each is used once.
type Protected struct {
	Asset string
	Salt  identity.Digest
}

// leaf is what the tree holds of an asset.
func (p Protected) leaf() []byte {
	return fmt.Appendf(nil, "detente/protected/v1\n%s\n%s\n", p.Salt, p.Asset)
}

// Commitment is what a side tells of its list beforehand: that it has so many
// assets, and no other list with this root.
type Commitment struct {
	Root  identity.Digest
	Count int64
}

// ListProof shows that one asset is on a list, and nothing of the others but how
// many there are. The tree is that of RFC 6962.
type ListProof struct {
	Asset  string
	Salt   identity.Digest
	Index  int64 // among the leaves
	Count  int64 // of the list
	Hashes []identity.Digest
}

// ErrList is what a list or proof is refused with.
var ErrList = errors.New("no such protected list")

// hashes are the stored hashes of a tree, as tlog lays them out.
type hashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(h)) {
			return nil, fmt.Errorf("%w: the tree has no hash %d", ErrList, x)
		}
		out[i] = h[x]
	}
	return out, nil
}

// tree lays a list out in the order of its leaves' hashes: with salts that order
// tells nothing of the assets.
func tree(list []Protected) (sorted []Protected, stored hashes, err error) {
	if len(list) == 0 || len(list) > MaxProtected {
		return nil, nil, fmt.Errorf("%w: it has %d assets; 1 to %d are needed", ErrList, len(list), MaxProtected)
	}
	sorted = slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Protected) int {
		x, y := tlog.RecordHash(a.leaf()), tlog.RecordHash(b.leaf())
		return bytes.Compare(x[:], y[:])
	})
	salts, assets := make(map[identity.Digest]bool), make(map[string]bool)
	for i, p := range sorted {
		switch {
		case p.Asset == "" || len(p.Asset) > maxAsset:
			return nil, nil, fmt.Errorf("%w: an asset has 1 to %d bytes", ErrList, maxAsset)
		case assets[p.Asset]:
			return nil, nil, fmt.Errorf("%w: an asset stands twice", ErrList)
		case p.Salt == identity.Digest{} || salts[p.Salt]:
			return nil, nil, fmt.Errorf("%w: a salt is zero or used twice: draw each anew", ErrList)
		}
		salts[p.Salt], assets[p.Asset] = true, true
		more, err := tlog.StoredHashes(int64(i), p.leaf(), stored)
		if err != nil {
			return nil, nil, fmt.Errorf("protected list: %w", err)
		}
		stored = append(stored, more...)
	}
	return sorted, stored, nil
}

// Commit returns the commitment to a list, in whatever order it is given.
func Commit(list []Protected) (Commitment, error) {
	_, stored, err := tree(list)
	if err != nil {
		return Commitment{}, err
	}
	root, err := tlog.TreeHash(int64(len(list)), stored)
	if err != nil {
		return Commitment{}, fmt.Errorf("protected list: %w", err)
	}
	return Commitment{identity.Digest(root), int64(len(list))}, nil
}

// Prove returns the proof that an asset is on a list; ErrList where it is not.
func Prove(list []Protected, asset string) (ListProof, error) {
	sorted, stored, err := tree(list)
	if err != nil {
		return ListProof{}, err
	}
	i := slices.IndexFunc(sorted, func(p Protected) bool { return p.Asset == asset })
	if i < 0 {
		return ListProof{}, fmt.Errorf("%w: the asset is not on it", ErrList)
	}
	path, err := tlog.ProveRecord(int64(len(sorted)), int64(i), stored)
	if err != nil {
		return ListProof{}, fmt.Errorf("protected list: %w", err)
	}
	p := ListProof{Asset: asset, Count: int64(len(sorted)), Index: int64(i), Salt: sorted[i].Salt, Hashes: []identity.Digest{}}
	for _, h := range path {
		p.Hashes = append(p.Hashes, identity.Digest(h))
	}
	return p, nil
}

// Verify checks a proof against what was told beforehand; nil where the asset is
// on the list.
func (c Commitment) Verify(p ListProof) error {
	if p.Count != c.Count || p.Index < 0 || p.Index >= c.Count {
		return fmt.Errorf("%w: the proof is of a list of %d assets, the commitment of %d", ErrList, p.Count, c.Count)
	}
	var path tlog.RecordProof
	for _, h := range p.Hashes {
		path = append(path, tlog.Hash(h))
	}
	leaf := tlog.RecordHash(Protected{p.Asset, p.Salt}.leaf())
	if err := tlog.CheckRecord(path, c.Count, tlog.Hash(c.Root), p.Index, leaf); err != nil {
		return fmt.Errorf("%w: the proof does not lead to the root: %w", ErrList, err)
	}
	return nil
}

type proofJSON struct {
	Asset  string   `json:"asset"`
	Count  int64    `json:"count"`
	Hashes []string `json:"hashes"`
	Index  int64    `json:"index"`
	Salt   string   `json:"salt"`
}

// Bytes returns the proof as JSON, its members in order.
func (p ListProof) Bytes() ([]byte, error) {
	out := proofJSON{Asset: p.Asset, Count: p.Count, Index: p.Index, Salt: p.Salt.String(), Hashes: []string{}}
	for _, h := range p.Hashes {
		out.Hashes = append(out.Hashes, h.String())
	}
	return json.Marshal(out, json.Deterministic(true))
}

// ParseListProof reads a proof as Bytes writes it. It does not verify it.
func ParseListProof(text []byte) (ListProof, error) {
	if len(text) > MaxProof {
		return ListProof{}, fmt.Errorf("%w: the proof has %d bytes, more than %d", ErrList, len(text), MaxProof)
	}
	var in proofJSON
	if err := decode(text, &in); err != nil {
		return ListProof{}, fmt.Errorf("proof of a protected asset: %w", err)
	}
	p := ListProof{Asset: in.Asset, Count: in.Count, Index: in.Index, Hashes: []identity.Digest{}}
	if p.Count < 1 || p.Count > MaxProtected || p.Asset == "" || len(p.Asset) > maxAsset {
		return ListProof{}, fmt.Errorf("%w: the proof is of no list or asset that there can be", ErrList)
	}
	var err error
	if p.Salt, err = identity.ParseDigest(in.Salt); err != nil {
		return ListProof{}, fmt.Errorf("proof of a protected asset: salt: %w", err)
	}
	for _, h := range in.Hashes {
		d, err := identity.ParseDigest(h)
		if err != nil {
			return ListProof{}, fmt.Errorf("proof of a protected asset: %w", err)
		}
		p.Hashes = append(p.Hashes, d)
	}
	return p, nil
}
