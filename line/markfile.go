package line

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MarkFile is a MarkStore in a file. The file's directory is none that is
// backed up with the store.
type MarkFile struct {
	path string // immutable
}

// NewMarkFile returns the mark kept in the file at path, which need not exist;
// its directory must.
func NewMarkFile(path string) *MarkFile { return &MarkFile{path: path} }

// Load reads the file. See MarkStore.
func (f *MarkFile) Load() (Marks, error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Marks{}, fmt.Errorf("%w at %s", ErrNoMark, f.path)
	}
	if err != nil {
		return Marks{}, fmt.Errorf("high-water mark: %w", err)
	}
	if info.Size() > MaxMarkFile {
		return Marks{}, fmt.Errorf("%w: %s has %d bytes, more than %d", ErrMarkDamaged, f.path, info.Size(), MaxMarkFile)
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		return Marks{}, fmt.Errorf("high-water mark: %w", err)
	}
	return ParseMarks(b)
}

// Save writes the marks beside the file, syncs them, and puts them in its place.
// See MarkStore. A file left beside it by a crash is written over.
func (f *MarkFile) Save(marks Marks) error {
	b, err := FormatMarks(marks)
	if err != nil {
		return err
	}
	if _, err := ParseMarks(b); err != nil {
		return fmt.Errorf("internal error: a mark that was just written does not read: %w", err)
	}
	if err := f.replace(b); err != nil {
		return fmt.Errorf("high-water mark: %w; nothing is let out until it can be written", err)
	}
	return nil
}

func (f *MarkFile) replace(b []byte) error {
	next := f.path + ".next"
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, f.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
