package tribunal

import (
	"archive/zip"
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station/stationtest"

	"golang.org/x/mod/sumdb/tlog"
)

// copyOf is a record taken apart, with the keys of both parties: whoever holds it
// can write on and sign anew, as a party in league with itself or with the other
// would. It is a record.Source, so what is exported from it is a record of the
// product's own making, and only what was planted is wrong with it.
type copyOf struct {
	kind  record.Kind
	casts map[identity.Station]*stationtest.Cast
	cards map[identity.Station]identity.Bundle
	notes map[identity.Origin][]byte
	logs  map[identity.Origin]*sheet

	left   map[record.Entry]bool   // entries that are not exported
	hidden map[record.Entry]bool   // entries whose keys are not disclosed
	proofs map[record.Entry][]byte // that stand in place of the true ones
}

// sheet is a log.
type sheet struct {
	leaves   []leaf
	receipts []receipt // by size, which rises
}

// leaf is an entry, as it was said and as it stands in the log.
type leaf struct {
	entry  message.Entry
	sealed []byte
	key    seal.FileKey
}

// receipt is what the reader of a log gave for a size.
type receipt struct {
	size int64
	at   time.Time
	key  identity.PrivateKey // of the cosigner
}

// clone returns a copy of its own to plant something in.
func (c *copyOf) clone() *copyOf {
	d := *c
	d.cards, d.notes, d.logs = maps.Clone(c.cards), maps.Clone(c.notes), make(map[identity.Origin]*sheet)
	for o, s := range c.logs {
		d.logs[o] = &sheet{slices.Clone(s.leaves), slices.Clone(s.receipts)}
	}
	d.left, d.hidden, d.proofs = make(map[record.Entry]bool), make(map[record.Entry]bool), make(map[record.Entry][]byte)
	return &d
}

// indexed is record.json, as far as it is needed to take a record apart.
type indexed struct {
	Kind record.Kind `json:"kind"`
	Logs []struct {
		Origin  string  `json:"origin"`
		Indexes []int64 `json:"indexes"`
	} `json:"logs"`
}

// takeApart reads a record of a whole line that an honest station exported, all
// of it disclosed.
func takeApart(file []byte, casts ...*stationtest.Cast) (*copyOf, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
	var x indexed
	if err := json.Unmarshal(files["record.json"], &x); err != nil {
		return nil, err
	}
	c := &copyOf{
		kind: x.Kind, casts: make(map[identity.Station]*stationtest.Cast), cards: make(map[identity.Station]identity.Bundle),
		notes: make(map[identity.Origin][]byte), logs: make(map[identity.Origin]*sheet),
	}
	for _, cast := range casts {
		c.casts[cast.Card.Station], c.cards[cast.Card.Station] = cast, cast.Bundle
	}
	for _, l := range x.Logs {
		o, err := identity.ParseOrigin(l.Origin)
		if err != nil {
			return nil, err
		}
		if note, ok := files[fmt.Sprintf("successions/%s-%s-%s%d.note", o.Writer, o.Reader, o.Class.Letter(), o.Era)]; ok {
			c.notes[o] = note
		}
		if c.logs[o], err = c.readLog(files, o, l.Indexes); err != nil {
			return nil, fmt.Errorf("%s: %w", o, err)
		}
	}
	return c, nil
}

func (c *copyOf) readLog(files map[string][]byte, o identity.Origin, indexes []int64) (*sheet, error) {
	s := &sheet{}
	writer, reader := c.casts[o.Writer], c.casts[o.Reader]
	for _, i := range indexes {
		folder := fmt.Sprintf("%s-%s-%s%d/%08d/", writer.Card.Code, reader.Card.Code, o.Class.Letter(), o.Era, i)
		l := leaf{sealed: files[folder+"entry.age"]}
		var err error
		if l.key, err = seal.ParseFileKey(string(bytes.TrimSpace(files[folder+"filekey"]))); err != nil {
			return nil, err
		}
		plain, err := seal.OpenWithKey(l.sealed, l.key)
		if err != nil {
			return nil, err
		}
		if l.entry, err = message.ParseEntry(plain); err != nil {
			return nil, err
		}
		s.leaves = append(s.leaves, l)
		proof, ok := files[folder+"proof.tlog-proof"]
		if !ok {
			continue
		}
		_, checkpoint, _ := bytes.Cut(proof, []byte("\n\n"))
		head, err := journal.OpenCheckpoint(writer.Keys.Logs[o].Public(), o, checkpoint)
		if err != nil {
			return nil, err
		}
		name := reader.Card.CosignerName()
		given, err := journal.OpenCosignature(name, reader.Card.Cosigner, head, journal.LinesOf(name, checkpoint))
		if err != nil {
			return nil, err
		}
		if n := len(s.receipts); n == 0 || s.receipts[n-1].size < head.Size {
			s.receipts = append(s.receipts, receipt{head.Size, given.At, reader.Keys.Cosigner})
		}
	}
	return s, nil
}

// tree returns the hashes of a log, and its root at a size.
func (s *sheet) tree(size int64) (tlog.HashReader, tlog.Hash, error) {
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, 0, len(indexes))
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i := range size {
		more, err := tlog.StoredHashes(i, s.leaves[i].sealed, hashes)
		if err != nil {
			return nil, tlog.Hash{}, err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(size, hashes)
	return hashes, root, err
}

// prove writes the proof of an entry under a receipt of its log.
func (c *copyOf) prove(o identity.Origin, s *sheet, index int64, r receipt) ([]byte, error) {
	hashes, root, err := s.tree(r.size)
	if err != nil {
		return nil, err
	}
	head := journal.Head{Origin: o, Size: r.size, Root: root}
	signer, err := journal.NewSigner(o, c.casts[o.Writer].Keys.Logs[o])
	if err != nil {
		return nil, err
	}
	checkpoint, err := signer.Sign(head, r.at)
	if err != nil {
		return nil, err
	}
	cosigner, err := journal.NewCosigner(c.casts[o.Reader].Card.CosignerName(), r.key)
	if err != nil {
		return nil, err
	}
	given, err := cosigner.Cosign(head, r.at)
	if err != nil {
		return nil, err
	}
	path, err := tlog.ProveRecord(r.size, index, hashes)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, h := range path {
		text += h.String() + "\n"
	}
	return []byte(text + "\n" + string(checkpoint) + string(given.Lines)), nil
}

// Sealed implements record.Source.
func (c *copyOf) Sealed(e record.Entry) ([]byte, error) {
	return c.logs[e.Origin].leaves[e.Index].sealed, nil
}

// Proof implements record.Source.
func (c *copyOf) Proof(e record.Entry) ([]byte, error) {
	if p, ok := c.proofs[e]; ok {
		return p, nil
	}
	s := c.logs[e.Origin]
	i := slices.IndexFunc(s.receipts, func(r receipt) bool { return r.size > e.Index })
	if i < 0 {
		return nil, journal.ErrNoEntry
	}
	return c.prove(e.Origin, s, e.Index, s.receipts[i])
}

// FileKey implements record.Source.
func (c *copyOf) FileKey(e record.Entry) (seal.FileKey, bool, error) {
	return c.logs[e.Origin].leaves[e.Index].key, true, nil
}

// Size implements record.Source.
func (c *copyOf) Size(o identity.Origin) (int64, error) { return int64(len(c.logs[o].leaves)), nil }

// Cards implements record.Source.
func (c *copyOf) Cards(s identity.Station) (identity.Bundle, error) { return c.cards[s], nil }

// Succession implements record.Source.
func (c *copyOf) Succession(o identity.Origin) ([]byte, error) { return c.notes[o], nil }

// export writes the record.
func (c *copyOf) export() ([]byte, error) {
	var entries []record.Entry
	for _, o := range slices.SortedFunc(maps.Keys(c.logs), func(a, b identity.Origin) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) }) {
		for i := range c.logs[o].leaves {
			if e := (record.Entry{Origin: o, Index: int64(i)}); !c.left[e] {
				entries = append(entries, e)
			}
		}
	}
	if len(entries) == 0 {
		return nil, errors.New("nothing is left to export")
	}
	var b bytes.Buffer
	err := record.Export(&b, c, record.Options{Kind: c.kind, Entries: entries, Disclose: func(e record.Entry) bool { return !c.hidden[e] }})
	return b.Bytes(), err
}
