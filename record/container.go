package record

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"detente/identity"
)

// Limits of a record: a verifier must survive any file.
const (
	MaxRecord  = 4 << 30 // bytes of the file
	MaxMembers = 3 << 20 // files in it
	maxMember  = 64 << 20
	maxName    = 300
)

const (
	manifestName = "manifest.txt"
	indexName    = "record.json"
)

// member is a file of a record that is still to be written.
type member struct {
	name    string
	content func() ([]byte, error) // nil content: there is no such file
}

// held returns a member whose content is at hand.
func held(name string, content []byte) member {
	return member{name, func() ([]byte, error) { return content, nil }}
}

// write writes members as a zip whose bytes depend on nothing but their names
// and contents. One content is held at a time.
func write(w io.Writer, list []member) error {
	z := zip.NewWriter(w)
	put := func(name string, content []byte) error {
		m, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		_, err = m.Write(content)
		return err
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	manifest := newManifest()
	for _, m := range list {
		content, err := m.content()
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if content == nil {
			continue
		}
		manifest.add(m.name, content)
		if err := put(m.name, content); err != nil {
			return fmt.Errorf("writing %s: %w", m.name, err)
		}
	}
	if err := put(manifestName, manifest.bytes()); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return z.Close()
}

// manifest lists the hash of each member, by name.
type manifest struct{ b bytes.Buffer }

func newManifest() *manifest {
	m := &manifest{}
	m.b.WriteString("detente/manifest/v1\n")
	return m
}

func (m *manifest) add(name string, content []byte) {
	fmt.Fprintf(&m.b, "%s %s\n", identity.Sum(content), name)
}

func (m *manifest) bytes() []byte { return m.b.Bytes() }

// files are the members of a record by name. Their content is read when it is
// asked for: a line's record may be larger than memory.
type files map[string]*zip.File

// get returns a member's content. One that is missing, or cannot be read any
// more, is none.
func (f files) get(name string) ([]byte, bool) {
	m, ok := f[name]
	if !ok {
		return nil, false
	}
	content, err := readMember(m)
	return content, err == nil
}

// read reads which members a record has. It refuses names that lead elsewhere,
// members that stand twice or are too large, together larger than the file that
// is said to hold them, and every file whose bytes are not
// those that write would make.
func read(r io.ReaderAt, size int64) (files, error) {
	if size > MaxRecord {
		return nil, fmt.Errorf("the file has %d bytes, more than %d", size, int64(MaxRecord))
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("this is no record: %w", err)
	}
	if len(z.File) > MaxMembers {
		return nil, fmt.Errorf("%d files are in it, more than %d", len(z.File), MaxMembers)
	}
	f := make(files, len(z.File))
	var total uint64
	for _, m := range z.File {
		if err := checkName(m.Name); err != nil {
			return nil, err
		}
		if _, twice := f[m.Name]; twice || m.Method != zip.Store {
			return nil, fmt.Errorf("%q stands twice in it, or is compressed", m.Name)
		}
		if total += m.UncompressedSize64; m.UncompressedSize64 > maxMember || total > uint64(size) {
			return nil, fmt.Errorf("%q is too large", m.Name)
		}
		f[m.Name] = m
	}
	return f, f.check(r, size)
}

// check compares the manifest with the members, and the file with what write
// makes of them.
func (f files) check(r io.ReaderAt, size int64) error {
	said, ok := f.get(manifestName)
	if !ok {
		return errManifest
	}
	delete(f, manifestName)
	is := newManifest()
	var list []member
	for _, name := range slices.Sorted(maps.Keys(f)) {
		content, err := readMember(f[name])
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		is.add(name, content)
		list = append(list, member{name, func() ([]byte, error) { return readMember(f[name]) }})
	}
	if !bytes.Equal(said, is.bytes()) {
		return errManifest
	}
	c := &comparer{r: r}
	if err := write(c, list); err != nil {
		return err
	}
	if c.at != size {
		return errDiffers
	}
	return nil
}

var errDiffers = errors.New("the file's bytes are not those of its content: something between the files was changed")

var errManifest = errors.New("the manifest is missing or does not fit the files: a file was changed, added or taken out")

func readMember(m *zip.File) ([]byte, error) {
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	content := make([]byte, 0, min(m.UncompressedSize64, maxMember))
	buf := bytes.NewBuffer(content)
	if _, err := buf.ReadFrom(io.LimitReader(r, maxMember+1)); err != nil {
		return nil, err
	}
	return buf.Bytes(), r.Close()
}

func checkName(name string) error {
	if name == "" || len(name) > maxName || path.Clean(name) != name || path.IsAbs(name) || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\\x00\n") {
		return fmt.Errorf("%q is no name that a record may hold", name)
	}
	return nil
}

// comparer compares what is written with a file.
type comparer struct {
	r  io.ReaderAt
	at int64
}

// Write compares, and fails where the file differs.
func (c *comparer) Write(p []byte) (int, error) {
	buf := make([]byte, len(p))
	if n, _ := c.r.ReadAt(buf, c.at); n != len(p) || !bytes.Equal(buf, p) {
		return 0, errDiffers
	}
	c.at += int64(len(p))
	return len(p), nil
}
