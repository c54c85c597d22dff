package book

import (
	"bytes"
	"compress/gzip"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"detente/message"
)

// An edition travels, and lies in a station's store, as one file: JSON of the
// texts of its files by name, under gzip. What names it is the hash of its
// files, so how it is packed changes nothing.

// Limits of a packed edition: ours has 1.3 MB in files and 160 kB packed.
const (
	MaxPack     = 1 << 20 // bytes, packed
	maxUnpacked = 8 << 20 // bytes: what a packed file may grow to before it is refused
)

const packKind = "detente/book/v1"

type pack struct {
	Kind  string            `json:"kind"`
	Files map[string]string `json:"files"`
}

// Pack packs the files of an edition. It refuses what is none.
func Pack(files fs.FS) ([]byte, error) {
	list, err := read(files)
	if err != nil {
		return nil, fmt.Errorf("signal book: %w", err)
	}
	if _, err := load(list); err != nil {
		return nil, err
	}
	p := pack{packKind, make(map[string]string)}
	for _, f := range list {
		p.Files[f.name] = string(f.text)
	}
	text, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("signal book: %w", err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > MaxPack {
		return nil, fmt.Errorf("signal book: packed it has %d bytes, and more than %d are not taken", out.Len(), MaxPack)
	}
	return out.Bytes(), nil
}

// EmbeddedPack returns the edition that ships with the program, packed.
func EmbeddedPack() ([]byte, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return Pack(data)
}

// OpenPack reads a packed edition, as Load reads its files.
func OpenPack(packed []byte) (*Edition, error) {
	files, err := Unpack(packed)
	if err != nil {
		return nil, err
	}
	var list []file
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, file{name, []byte(files[name])})
	}
	return load(list)
}

// Unpack returns the files of a packed edition by name. A name is one that an
// edition may have, and so none that leads out of a directory; OpenPack says
// whether they are an edition.
func Unpack(packed []byte) (map[string]string, error) {
	if len(packed) > MaxPack {
		return nil, fmt.Errorf("signal book: packed it has %d bytes, and more than %d are not taken", len(packed), MaxPack)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("signal book: it is no packed edition: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("signal book: it is no packed edition: %w", err)
	}
	if len(text) > maxUnpacked {
		return nil, fmt.Errorf("signal book: unpacked it has more than %d bytes", maxUnpacked)
	}
	var p pack
	if err := json.Unmarshal(text, &p, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("signal book: it is no packed edition: %w", err)
	}
	if p.Kind != packKind {
		return nil, fmt.Errorf("signal book: it is of kind %q, and a packed edition is %s", clip(p.Kind), packKind)
	}
	if len(p.Files) > maxFiles {
		return nil, fmt.Errorf("signal book: more than %d files", maxFiles)
	}
	for name := range p.Files {
		if !fileName.MatchString(name) {
			return nil, fmt.Errorf("signal book: %q: no such file belongs to an edition", clip(name))
		}
	}
	return p.Files, nil
}

// Keeps returns why a station that speaks this edition could not go on by
// another one: a format that it writes or answers by itself is not there, has
// other parameters or times, or has lost a code. Such an edition needs another
// program.
func (e *Edition) Keeps(next *Edition, formats ...string) error {
	var all []error
	for _, n := range formats {
		for _, f := range e.formats {
			if string(f.Number) != n {
				continue
			}
			g, ok := next.Format(f.Number)
			if !ok {
				all = append(all, fmt.Errorf("formats/%s: stations write it by themselves, and it is not there", n))
				continue
			}
			if wordless(marshalled(bareOf(f))) != wordless(marshalled(bareOf(g))) {
				all = append(all, fmt.Errorf("formats/%s: stations write it by themselves, and it is another but for its texts and examples", n))
			}
			for p := message.Routine; p <= message.Flash; p++ {
				if f.Clocks(p) != g.Clocks(p) {
					all = append(all, fmt.Errorf("edition.json clocks: stations write formats/%s by themselves, and its times at %s are others", n, p))
				}
			}
			for _, p := range f.Params {
				for _, c := range e.lists[p.List].Codes {
					if _, ok := next.lists[p.List].find(c.Code); !ok {
						all = append(all, fmt.Errorf("lists/%s: stations write %q by themselves, and it is not there", p.List, c.Code))
					}
				}
			}
		}
	}
	return errors.Join(all...)
}

// bareOf returns a format without its examples.
func bareOf(f Format) Format {
	f.Examples, f.table = nil, nil
	return f
}
