package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"detente/identity"
	"detente/station"
)

// BlobDir keeps blobs as files named by the hash of their ciphertext.
type BlobDir struct {
	dir string
}

// OpenBlobDir keeps blobs in a directory, which it makes where there is none.
func OpenBlobDir(dir string) (*BlobDir, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of blobs: %w", err)
	}
	return &BlobDir{dir}, nil
}

func (d *BlobDir) path(hash identity.Digest) string { return filepath.Join(d.dir, hash.String()) }
func (d *BlobDir) part(hash identity.Digest) string { return d.path(hash) + ".part" }

// Put implements station.Blobs.
func (d *BlobDir) Put(write func(io.Writer) error) (hash identity.Digest, size int64, err error) {
	f, err := os.CreateTemp(d.dir, "new-*.part")
	if err != nil {
		return hash, 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	sum := sha256.New()
	n := new(counter)
	if err := write(io.MultiWriter(f, sum, n)); err != nil {
		return hash, 0, err
	}
	copy(hash[:], sum.Sum(nil))
	if err := f.Sync(); err != nil {
		return hash, 0, err
	}
	if err := os.Rename(f.Name(), d.path(hash)); err != nil {
		return hash, 0, err
	}
	return hash, int64(*n), errors.Join(f.Close(), d.sync())
}

type counter int64

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// Extend implements station.Blobs.
func (d *BlobDir) Extend(hash identity.Digest, offset int64, data []byte) (int64, error) {
	if info, err := os.Stat(d.path(hash)); err == nil {
		return info.Size(), nil
	}
	f, err := os.OpenFile(d.part(hash), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	held := info.Size()
	if offset != held {
		return held, f.Close()
	}
	n, err := f.WriteAt(data, offset)
	return held + int64(n), errors.Join(err, f.Close())
}

// Finish implements station.Blobs.
func (d *BlobDir) Finish(hash identity.Digest) error {
	f, err := os.OpenFile(d.part(hash), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(d.path(hash)); err == nil {
			return nil
		}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if identity.Digest(sum.Sum(nil)) != hash {
		return errors.Join(fmt.Errorf("blob %s: what was fetched has another hash; it is fetched anew", hash), os.Remove(d.part(hash)))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(d.part(hash), d.path(hash)); err != nil {
		return err
	}
	return d.sync()
}

// sync makes names durable.
func (d *BlobDir) sync() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open implements station.Blobs.
func (d *BlobDir) Open(hash identity.Digest) (io.ReadSeekCloser, error) {
	f, err := os.Open(d.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s: %w", hash, station.ErrNotFound)
	}
	return f, err
}

var _ station.Blobs = (*BlobDir)(nil)
