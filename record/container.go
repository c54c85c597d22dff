package record

import (
	"archive/zip"
	"bytes"
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
	maxTotal   = 8 << 30 // bytes of content in all
	maxName    = 300
)

const (
	manifestName = "manifest.txt"
	indexName    = "record.json"
)

// files are the members of a record by name.
type files map[string][]byte

// write writes members as a zip whose bytes depend on nothing but their names
// and contents.
func (f files) write(w io.Writer) error {
	z := zip.NewWriter(w)
	put := func(name string, content []byte) error {
		m, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		_, err = m.Write(content)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if err := put(name, f[name]); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	if err := put(manifestName, f.manifest()); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return z.Close()
}

// manifest lists the hash of each member.
func (f files) manifest() []byte {
	var b bytes.Buffer
	b.WriteString("detente/manifest/v1\n")
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "%s %s\n", identity.Sum(f[name]), name)
	}
	return b.Bytes()
}

// read reads a record's members. It refuses names that lead elsewhere, members
// that stand twice or are too large, and every file whose bytes are not those
// that write would make.
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
		if total += m.UncompressedSize64; m.UncompressedSize64 > maxMember || total > maxTotal {
			return nil, fmt.Errorf("%q is too large", m.Name)
		}
		content, err := readMember(m)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", m.Name, err)
		}
		f[m.Name] = content
	}
	manifest, ok := f[manifestName]
	delete(f, manifestName)
	if !ok || !bytes.Equal(manifest, f.manifest()) {
		return nil, fmt.Errorf("the manifest is missing or does not fit the files: a file was changed, added or taken out")
	}
	return f, f.same(r, size)
}

func readMember(m *zip.File) ([]byte, error) {
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(r, maxMember+1))
	if err != nil {
		return nil, err
	}
	return content, r.Close()
}

func checkName(name string) error {
	if name == "" || len(name) > maxName || path.Clean(name) != name || path.IsAbs(name) || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\\x00\n") {
		return fmt.Errorf("%q is no name that a record may hold", name)
	}
	return nil
}

// same compares a file with what write makes of its content.
func (f files) same(r io.ReaderAt, size int64) error {
	c := &comparer{r: r}
	if err := f.write(c); err != nil {
		return err
	}
	if c.differs || c.at != size {
		return fmt.Errorf("the file's bytes are not those of its content: something between the files was changed")
	}
	return nil
}

// comparer compares what is written with a file.
type comparer struct {
	r       io.ReaderAt
	at      int64
	differs bool
}

// Write compares.
func (c *comparer) Write(p []byte) (int, error) {
	buf := make([]byte, len(p))
	if n, _ := c.r.ReadAt(buf, c.at); n != len(p) || !bytes.Equal(buf, p) {
		c.differs = true
	}
	c.at += int64(len(p))
	return len(p), nil
}
