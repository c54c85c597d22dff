// Package book is the signal book: formats, code lists and languages as data,
// and what is done with them: checking, rendering and reading back.
//
// A coded message reads the same in six languages without a translator. Its
// renderings are labelled lines with no grammar in them: codes stand beside
// their labels, times and numbers are written one way everywhere. From every
// rendering in every language Parse recovers exactly the codes and values; a
// rendering that would lack a field fails and is never shown.
//
// An edition is named by its hash. Language packs ship as drafts and say so; the
// code line is what binds.
package book

import (
	"bytes"
	"embed"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"detente/identity"
	"detente/message"
)

// Lang is one of the six languages.
type Lang string

// Langs are the six languages, in the order in which they are shown.
var langs = []Lang{"en", "ru", "zh", "es", "fr", "ar"}

// Langs returns the six languages.
func Langs() []Lang { return slices.Clone(langs) }

// Text is one text in six languages.
type Text map[Lang]string

// Code is an entry of a code list.
type Code struct {
	Code  string `json:"code"`
	Label Text   `json:"label"`
}

// List is a code list.
type List struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Codes  []Code `json:"codes"`
}

// find returns a code of the list.
func (l List) find(code string) (Code, bool) {
	i := slices.IndexFunc(l.Codes, func(c Code) bool { return c.Code == code })
	if i < 0 {
		return Code{}, false
	}
	return l.Codes[i], true
}

// meta is what an edition says of itself.
type meta struct {
	Name   string          `json:"name"`
	Status map[Lang]string `json:"status"` // of language packs: draft, checked, agreed
	Clocks clockTable      `json:"clocks"` // by the word of precedence
	Words  map[string]Text `json:"words"`  // labels that every rendering has
}

// Edition is a signal book. It never changes once loaded, and is safe for
// concurrent use.
type Edition struct {
	meta    meta
	hash    identity.Digest
	formats []Format // by number
	lists   map[string]List
}

//go:embed data
var embedded embed.FS

// Embedded returns the edition that ships with the program.
func Embedded() (*Edition, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return Load(data)
}

// Limits of an edition: a book of a few hundred formats in files that a person
// can read.
const (
	maxFiles = 1000
	maxFile  = 256 << 10
)

// file is one file of an edition.
type file struct {
	name string
	text []byte
}

// fileName is the form of the name of an edition's file.
var fileName = regexp.MustCompile(`^(edition|(formats|lists)/[a-z0-9_]{1,40})\.json$`)

// read reads the files of an edition, directory by directory in lexical order.
func read(files fs.FS) (list []file, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if len(list) == maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		list = append(list, file{name, text})
		return nil
	})
	return list, err
}

// Load reads an edition: edition.json, formats/*.json and lists/*.json. It
// refuses what it does not know; what is known but wrong in itself Lint finds.
func Load(files fs.FS) (*Edition, error) {
	list, err := read(files)
	if err != nil {
		return nil, fmt.Errorf("signal book: %w", err)
	}
	return load(list)
}

// load makes an edition of its files, in lexical order.
func load(files []file) (*Edition, error) {
	e := &Edition{lists: make(map[string]List)}
	var sum bytes.Buffer
	for _, f := range files {
		if len(f.text) > maxFile {
			return nil, fmt.Errorf("signal book: %s: %d bytes are more than %d", f.name, len(f.text), maxFile)
		}
		fmt.Fprintf(&sum, "%s %s\n", identity.Sum(f.text), f.name)
		if err := e.add(f.name, f.text); err != nil {
			return nil, fmt.Errorf("signal book: %w", err)
		}
	}
	if e.meta.Name == "" {
		return nil, errors.New("signal book: edition.json is missing or names no edition")
	}
	slices.SortFunc(e.formats, func(a, b Format) int { return strings.Compare(string(a.Number), string(b.Number)) })
	for i := range e.formats {
		e.formats[i].table = e.meta.Clocks
	}
	e.hash = identity.Sum(sum.Bytes())
	return e, nil
}

func (e *Edition) add(name string, text []byte) error {
	strict := json.RejectUnknownMembers(true)
	switch dir := path.Dir(name); {
	case name == "edition.json":
		if err := json.Unmarshal(text, &e.meta, strict); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	case dir == "formats":
		var f Format
		if err := json.Unmarshal(text, &f, strict); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if string(f.Number)+".json" != path.Base(name) {
			return fmt.Errorf("%s: it holds format %q", name, clip(string(f.Number)))
		}
		e.formats = append(e.formats, f)
	case dir == "lists":
		var l List
		if err := json.Unmarshal(text, &l, strict); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if l.Name+".json" != path.Base(name) {
			return fmt.Errorf("%s: it holds the list %q", name, clip(l.Name))
		}
		e.lists[l.Name] = l
	default:
		return fmt.Errorf("%s: no such file belongs to an edition", name)
	}
	return nil
}

// Name returns the edition's name, for people.
func (e *Edition) Name() string { return e.meta.Name }

// Hash returns the edition's name, for machines: the digest over its files.
func (e *Edition) Hash() identity.Digest { return e.hash }

// Status returns the status of a language pack: draft, checked or agreed.
func (e *Edition) Status(l Lang) string { return e.meta.Status[l] }

// Formats returns all formats, by number.
func (e *Edition) Formats() []Format { return slices.Clone(e.formats) }

// Format returns a format by number.
func (e *Edition) Format(n message.Format) (Format, bool) {
	i, ok := slices.BinarySearchFunc(e.formats, n, func(f Format, n message.Format) int { return strings.Compare(string(f.Number), string(n)) })
	if !ok {
		return Format{}, false
	}
	return e.formats[i], true
}

// Answers reports whether a message of format reply answers one of format
// asked. An interim answer, which only moves the date, does not.
func (e *Edition) Answers(asked, reply message.Format) bool {
	f, ok := e.Format(asked)
	return ok && slices.Contains(f.Replies, reply)
}

// AnswersTo returns the formats that a format answers, by number; none for one
// that answers nothing.
func (e *Edition) AnswersTo(reply message.Format) []message.Format {
	var out []message.Format
	for _, f := range e.formats {
		if slices.Contains(f.Replies, reply) {
			out = append(out, f.Number)
		}
	}
	return out
}

// List returns a code list by name.
func (e *Edition) List(name string) (List, bool) {
	l, ok := e.lists[name]
	return l, ok
}
