package store

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// disk stands between SQLite and the file system. It knows what was synced and
// what was only written, fails on demand, and shows what a loss of power would
// have left. It is an SQLite VFS of the driver that lets one be written in Go.
type disk struct {
	vfs.VFS // of the operating system

	mu     sync.Mutex // guards the fields below
	random *rand.Rand
	images map[string]*image
	left   int               // operations until trouble; below zero: none is planned
	then   sqlite3.ErrorCode // what trouble is; zero: the power fails
	dead   bool
}

// image is what is known of one file.
type image struct {
	durable []byte
	pending []change
}

// change is what was done to a file and not yet synced.
type change struct {
	at   int64
	data []byte // nil: the file was cut at at
}

func (c change) apply(b []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.data == nil {
		if c.at < int64(len(b)) {
			b = b[:c.at]
		}
		end = c.at
	}
	for int64(len(b)) < end {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.at:], c.data)
	return b
}

func newDisk(random *rand.Rand) *disk {
	return &disk{VFS: vfs.Find("os"), random: random, images: make(map[string]*image), left: -1}
}

// plan lets trouble come after so many operations. With the code zero the power
// fails; with another the operation fails by it, and later ones do not.
func (d *disk) plan(after int, code sqlite3.ErrorCode) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.then = after, code
}

// step counts an operation, and returns how it fails if it does.
func (d *disk) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return sqlite3.IOERR
	}
	d.left--
	if d.left != 0 {
		return nil
	}
	if d.then != 0 {
		return d.then
	}
	d.dead = true
	return sqlite3.IOERR
}

// OpenFilename opens a file of the operating system and follows what is done to
// it.
func (d *disk) OpenFilename(path *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := vfsutil.WrapOpenFilename(d.VFS, path, flags)
	if err != nil {
		return nil, out, err
	}
	name := path.String()
	d.mu.Lock()
	defer d.mu.Unlock()
	i, ok := d.images[name]
	if !ok {
		i = &image{}
		d.images[name] = i
	}
	return &followed{File: f, disk: d, image: i}, out, nil
}

// Delete takes a file away for good.
func (d *disk) Delete(name string, syncDir bool) error {
	if err := d.step(); err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.images, name)
	d.mu.Unlock()
	return d.VFS.Delete(name, syncDir)
}

// leave writes what the loss of power left into a directory: all that was
// synced, and of the rest any part, in any order, torn anywhere at a sector.
func (d *disk) leave(dir string) error {
	const sector = 512
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, i := range d.images {
		content := slices.Clone(i.durable)
		for _, n := range d.random.Perm(len(i.pending)) {
			c := i.pending[n]
			if d.random.IntN(2) == 0 {
				continue
			}
			if len(c.data) > sector && d.random.IntN(4) == 0 {
				c.data = c.data[:sector*d.random.IntN(len(c.data)/sector)]
			}
			content = c.apply(content)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// followed is an open file. Several of one name share what is known of it.
type followed struct {
	vfs.File
	disk  *disk
	image *image
}

// SharedMemory is the operating system's: the index of the log is made anew
// after a crash.
func (f *followed) SharedMemory() vfs.SharedMemory {
	if s, ok := f.File.(vfs.FileSharedMemory); ok {
		return s.SharedMemory()
	}
	return nil
}

func (f *followed) change(c change) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.image.pending = append(f.image.pending, c)
}

// WriteAt writes through, and notes that nothing of it is durable.
func (f *followed) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.step(); err != nil {
		return 0, err
	}
	n, err := f.File.WriteAt(p, at)
	if err == nil {
		f.change(change{at, slices.Clone(p)})
	}
	return n, err
}

// Truncate cuts the file, which is not durable either.
func (f *followed) Truncate(size int64) error {
	if err := f.disk.step(); err != nil {
		return err
	}
	err := f.File.Truncate(size)
	if err == nil {
		f.change(change{at: size})
	}
	return err
}

// Sync makes durable what was done. The operating system's own sync is left
// out: its power does not fail here.
func (f *followed) Sync(vfs.SyncFlag) error {
	if err := f.disk.step(); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	for _, c := range f.image.pending {
		f.image.durable = c.apply(f.image.durable)
	}
	f.image.pending = nil
	return nil
}
