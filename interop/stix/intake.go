package stix

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sort"

	"detente/identity"
)

// errLimit is why the intake stops before its source does.
var errLimit = errors.New("beyond a limit")

// An intake is the stream as the decoder sees it: hashed, counted, bounded, and
// with the places of its line ends, as far as they are still needed.
type intake struct {
	src   io.Reader
	sum   hash.Hash
	size  int64
	done  int64   // up to here the decoder has read whole objects
	ends  []int64 // offsets of line ends from done on
	lines int     // line ends before done
	limit string  // which limit was met
	err   error   // of the source
}

func newIntake(src io.Reader) *intake { return &intake{src: src, sum: sha256.New()} }

// Read hands on what the source gives, up to the limits.
func (in *intake) Read(p []byte) (int, error) {
	if in.size-in.done > MaxObject {
		in.limit = fmt.Sprintf("one object, or the gap between two, has more than %d bytes", MaxObject)
		return 0, errLimit
	}
	if in.size > MaxBytes {
		in.limit = fmt.Sprintf("it has more than %d bytes", MaxBytes)
		return 0, errLimit
	}
	p = p[:min(int64(len(p)), MaxBytes+1-in.size, MaxObject+1)]
	n, err := in.src.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			in.ends = append(in.ends, in.size+int64(i))
		}
	}
	in.sum.Write(p[:n])
	in.size += int64(n)
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

// line returns the line of an offset not below done.
func (in *intake) line(offset int64) int {
	return 1 + in.lines + sort.Search(len(in.ends), func(i int) bool { return in.ends[i] >= offset })
}

// pass says that everything below an offset is done with.
func (in *intake) pass(offset int64) {
	n := sort.Search(len(in.ends), func(i int) bool { return in.ends[i] >= offset })
	in.lines += n
	in.ends = append(in.ends[:0], in.ends[n:]...)
	in.done = offset
}

func (in *intake) digest() identity.Digest { return identity.Digest(in.sum.Sum(nil)) }
