package record

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"slices"

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
	Disclose func(Entry) bool // which file keys go along; nil for none
}

type logJSON struct {
	Origin    string  `json:"origin"`
	Size      int64   `json:"size"`
	Indexes   []int64 `json:"indexes"`
	Disclosed []int64 `json:"disclosed"`
	Unproven  []int64 `json:"unproven"` // without a receipt yet
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
	x := exporter{src: src, opt: o, files: make(files), logs: make(map[identity.Origin]*logJSON)}
	for _, e := range o.Entries {
		if err := x.add(e); err != nil {
			return fmt.Errorf("export of entry %d of %s: %w", e.Index, e.Origin, err)
		}
	}
	if err := x.finish(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return x.files.write(w)
}

type exporter struct {
	src   Source
	opt   Options
	files files
	logs  map[identity.Origin]*logJSON
}

// folder is where the files of an entry stand.
func (x *exporter) folder(e Entry) (string, error) {
	if len(x.opt.Entries) == 1 {
		return "", nil
	}
	return folderOf(e, x.codes(e.Origin))
}

func (x *exporter) codes(o identity.Origin) func(identity.Station) (identity.Code, error) {
	return func(s identity.Station) (identity.Code, error) {
		v, err := x.verified(s)
		return v.Card.Code, err
	}
}

func (x *exporter) verified(s identity.Station) (identity.Verified, error) {
	b, err := x.src.Cards(s)
	if err != nil {
		return identity.Verified{}, err
	}
	root, err := identity.ParseRoot(b.Root)
	if err != nil {
		return identity.Verified{}, err
	}
	x.files["cards/"+string(s)+".cards"] = b.Bytes()
	return b.Verify(root.Key, zeroTime)
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
	if slices.Contains(l.Indexes, e.Index) && x.opt.Kind != Line {
		return nil
	}
	folder, err := x.folder(e)
	if err != nil {
		return err
	}
	sealed, err := x.src.Sealed(e)
	if err != nil {
		return err
	}
	proof, err := x.src.Proof(e)
	switch {
	case errors.Is(err, journal.ErrNoEntry):
		l.Unproven = append(l.Unproven, e.Index)
	case err != nil:
		return err
	default:
		x.files[folder+"proof.tlog-proof"] = proof
	}
	x.files[folder+"entry.age"] = sealed
	l.Indexes = append(l.Indexes, e.Index)
	if err := x.policy(e, folder); err != nil {
		return err
	}
	if x.opt.Disclose == nil || !x.opt.Disclose(e) {
		return nil
	}
	key, ok, err := x.src.FileKey(e)
	if err != nil || !ok {
		return err
	}
	x.files[folder+"filekey"] = []byte(key.Disclose() + "\n")
	l.Disclosed = append(l.Disclosed, e.Index)
	return nil
}

// policy puts the log's C2SP policy beside an entry.
func (x *exporter) policy(e Entry, folder string) error {
	writer, err := x.verified(e.Origin.Writer)
	if err != nil {
		return err
	}
	reader, err := x.verified(e.Origin.Reader)
	if err != nil {
		return err
	}
	key, ok := writer.Card.Log(e.Origin)
	if !ok {
		return fmt.Errorf("the card of %s lists no key for the log", e.Origin.Writer)
	}
	x.files[folder+"policy.txt"] = journal.PolicyFile(e.Origin, key, map[string]identity.PublicKey{reader.Card.CosignerName(): reader.Card.Cosigner})
	return nil
}

func (x *exporter) finish() error {
	index := indexJSON{Format: indexFormat, Kind: x.opt.Kind}
	for o, l := range x.logs {
		slices.Sort(l.Indexes)
		slices.Sort(l.Disclosed)
		slices.Sort(l.Unproven)
		index.Logs = append(index.Logs, *l)
		note, err := x.src.Succession(o)
		if err != nil {
			return err
		}
		if note != nil {
			x.files[fmt.Sprintf("successions/%s-%s-%s%d.note", o.Writer, o.Reader, o.Class.Letter(), o.Era)] = note
		}
	}
	slices.SortFunc(index.Logs, func(a, b logJSON) int { return bytes.Compare([]byte(a.Origin), []byte(b.Origin)) })
	text, err := json.Marshal(index, json.Deterministic(true))
	if err != nil {
		return err
	}
	x.files[indexName] = append(text, '\n')
	return nil
}
