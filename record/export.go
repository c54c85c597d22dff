package record

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"detente/identity"
	"detente/journal"
	"detente/seal"
)

// Kind says what a record holds.
type Kind string

// The kinds of records.
const (
	Message Kind = "message" // one entry
	Dossier Kind = "dossier" // the messages of one matter
	Line    Kind = "line"    // every entry of both logs
)

// Entry is an entry to be exported.
type Entry struct {
	Origin identity.Origin
	Index  int64
}

// Source is what an exporter asks of a station.
type Source interface {
	// Sealed returns an entry as it stands in the log.
	Sealed(Entry) ([]byte, error)
	// Proof returns the entry's tlog-proof under its reader's receipt, or an
	// error that wraps journal.ErrNoEntry where there is none yet.
	Proof(Entry) ([]byte, error)
	// FileKey returns the key of one entry, or false where the station cannot
	// open it.
	FileKey(Entry) (seal.FileKey, bool, error)
	// Size returns the size of a log.
	Size(identity.Origin) (int64, error)
	// Cards returns the cards of a station of the line.
	Cards(identity.Station) (identity.Bundle, error)
	// Succession returns the note that begins a log; nil for an era 1.
	Succession(identity.Origin) ([]byte, error)
}

// Options are what is exported.
type Options struct {
	Kind     Kind
	Entries  []Entry
	Support  []Entry          // release policies by which the entries count; disclosed as they are; none for a line
	Disclose func(Entry) bool // which file keys go along; nil for none
	// Closed are entries that were said without prejudice. Their keys are never
	// asked for, whatever Disclose says; a record that discloses others counts
	// them. nil for none.
	Closed func(Entry) bool
	// Redacted says of an entry of a publication which parameters give way; nil
	// for none. Its key does not go along.
	Redacted func(Entry) []string
}

type logJSON struct {
	Origin    string  `json:"origin"`
	Size      int64   `json:"size"`
	Indexes   []int64 `json:"indexes"`
	Disclosed []int64 `json:"disclosed"`
	Unproven  []int64 `json:"unproven"`          // without a receipt yet
	Support   []int64 `json:"support,omitempty"` // of the indexes, those that are there only because others count by them
	Closed    []int64 `json:"without_prejudice,omitempty"`
}

type indexJSON struct {
	Format string    `json:"format"`
	Kind   Kind      `json:"kind"`
	Logs   []logJSON `json:"logs"`
}

const indexFormat = "detente/record/v1"

// Export writes a record. The same content gives the same bytes.
func Export(w io.Writer, src Source, o Options) error {
	if len(o.Entries) == 0 {
		return errors.New("export: there is nothing to export")
	}
	x := exporter{src: src, opt: o, cards: make(map[identity.Station]carded), policies: make(map[identity.Origin][]byte), logs: make(map[identity.Origin]*logJSON)}
	for _, e := range slices.Concat(o.Entries, o.Support) {
		if err := x.add(e); err != nil {
			return fmt.Errorf("export of entry %d of %s: %w", e.Index, e.Origin, err)
		}
	}
	if err := x.finish(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := write(w, x.members); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// exporter lists the members of a record. What an entry brings is read from the
// source when its turn to be written comes, so that a line's record may be
// larger than memory; record.json comes after all entries, by its name, and says
// what was there.
type exporter struct {
	src      Source
	opt      Options
	members  []member
	cards    map[identity.Station]carded
	policies map[identity.Origin][]byte
	logs     map[identity.Origin]*logJSON
}

// carded is a station's cards as they go into the record, and what they say.
type carded struct {
	bundle   identity.Bundle
	verified identity.Verified
}

// folder is where the files of an entry stand.
func (x *exporter) folder(e Entry) (string, error) {
	if len(x.opt.Entries) == 1 && e == x.opt.Entries[0] {
		return "", nil
	}
	return folderOf(e, func(s identity.Station) (identity.Code, error) {
		v, err := x.verified(s)
		return v.Card.Code, err
	})
}

// verified returns what a station's cards say, and puts them into the record
// once.
func (x *exporter) verified(s identity.Station) (identity.Verified, error) {
	if c, ok := x.cards[s]; ok {
		return c.verified, nil
	}
	b, err := x.src.Cards(s)
	if err != nil {
		return identity.Verified{}, err
	}
	root, err := identity.ParseRoot(b.Root)
	if err != nil {
		return identity.Verified{}, err
	}
	v, err := b.Verify(root.Key, zeroTime)
	if err != nil {
		return v, err
	}
	x.cards[s] = carded{b, v}
	x.members = append(x.members, held(cardsName(s), b.Bytes()))
	return v, nil
}

func folderOf(e Entry, code func(identity.Station) (identity.Code, error)) (string, error) {
	writer, err := code(e.Origin.Writer)
	if err != nil {
		return "", err
	}
	reader, err := code(e.Origin.Reader)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s-%s-%s%d/%08d/", writer, reader, e.Origin.Class.Letter(), e.Origin.Era, e.Index), nil
}

func (x *exporter) add(e Entry) error {
	l, ok := x.logs[e.Origin]
	if !ok {
		size, err := x.src.Size(e.Origin)
		if err != nil {
			return err
		}
		l = &logJSON{Origin: e.Origin.String(), Size: size, Indexes: []int64{}, Disclosed: []int64{}, Unproven: []int64{}}
		x.logs[e.Origin] = l
	}
	if x.opt.Kind != Line && slices.Contains(l.Indexes, e.Index) {
		return nil
	}
	folder, err := x.folder(e)
	if err != nil {
		return err
	}
	policy, err := x.policy(e)
	if err != nil {
		return err
	}
	l.Indexes = append(l.Indexes, e.Index)
	if slices.Contains(x.opt.Support, e) {
		l.Support = append(l.Support, e.Index)
	}
	x.members = append(x.members, held(folder+"policy.txt", policy),
		member{folder + "entry.age", func() ([]byte, error) { return x.src.Sealed(e) }},
		member{folder + "proof.tlog-proof", func() ([]byte, error) {
			proof, err := x.src.Proof(e)
			if errors.Is(err, journal.ErrNoEntry) {
				l.Unproven = append(l.Unproven, e.Index)
				return nil, nil
			}
			return proof, err
		}})
	if x.opt.Redacted != nil {
		if fields := x.opt.Redacted(e); len(fields) > 0 {
			x.members = append(x.members, member{folder + "redacted.json", func() ([]byte, error) { return x.redact(e, fields) }})
			return nil
		}
	}
	if x.opt.Disclose == nil || !x.opt.Disclose(e) {
		return nil
	}
	if x.opt.Closed != nil && x.opt.Closed(e) {
		l.Closed = append(l.Closed, e.Index)
		return nil
	}
	x.members = append(x.members, member{folder + "filekey", func() ([]byte, error) {
		key, ok, err := x.src.FileKey(e)
		if err != nil || !ok {
			return nil, err
		}
		l.Disclosed = append(l.Disclosed, e.Index)
		return []byte(key.Disclose() + "\n"), nil
	}})
	return nil
}

// policy returns the C2SP policy by which a stranger checks the entry's proof. A
// log has one, which its entries share in memory.
func (x *exporter) policy(e Entry) ([]byte, error) {
	if p, ok := x.policies[e.Origin]; ok {
		return p, nil
	}
	writer, err := x.verified(e.Origin.Writer)
	if err != nil {
		return nil, err
	}
	reader, err := x.verified(e.Origin.Reader)
	if err != nil {
		return nil, err
	}
	key, ok := writer.Card.Log(e.Origin)
	if !ok {
		return nil, fmt.Errorf("the card of %s lists no key for the log", e.Origin.Writer)
	}
	p := journal.PolicyFile(e.Origin, key, map[string]identity.PublicKey{reader.Card.CosignerName(): reader.Card.Cosigner})
	x.policies[e.Origin] = p
	return p, nil
}

// finish adds what does not belong to one entry.
func (x *exporter) finish() error {
	for o := range x.logs {
		note, err := x.src.Succession(o)
		if err != nil {
			return err
		}
		if note != nil {
			x.members = append(x.members, held(successionName(o), note))
		}
	}
	x.members = append(x.members, member{indexName, x.index})
	return nil
}

// index says what the record holds.
func (x *exporter) index() ([]byte, error) {
	index := indexJSON{Format: indexFormat, Kind: x.opt.Kind}
	for _, l := range x.logs {
		slices.Sort(l.Indexes)
		slices.Sort(l.Disclosed)
		slices.Sort(l.Unproven)
		slices.Sort(l.Support)
		slices.Sort(l.Closed)
		index.Logs = append(index.Logs, *l)
	}
	slices.SortFunc(index.Logs, func(a, b logJSON) int { return strings.Compare(a.Origin, b.Origin) })
	return index.bytes()
}

// bytes is the one form of record.json.
func (x indexJSON) bytes() ([]byte, error) {
	text, err := json.Marshal(x, json.Deterministic(true))
	return append(text, '\n'), err
}

// cardsName is where the cards of a station stand.
func cardsName(s identity.Station) string { return "cards/" + string(s) + ".cards" }

// successionName is where the note that begins a log stands.
func successionName(o identity.Origin) string {
	return fmt.Sprintf("successions/%s-%s-%s%d.note", o.Writer, o.Reader, o.Class.Letter(), o.Era)
}
