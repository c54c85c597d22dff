package journal

import (
	"errors"
	"time"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxEntry is the longest entry: tlog-mirror gives its length 16 bits.
const MaxEntry = 65535

// Errors that callers ask for.
var (
	// ErrNoEntry says that a log holds no entry at an index.
	ErrNoEntry = errors.New("the log holds no such entry")
	// ErrUnknownLog says that nothing is kept of a log.
	ErrUnknownLog = errors.New("this log is not known")
	// ErrMoved says that entries were put at another index than the log's end.
	ErrMoved = errors.New("the log does not end there")
	// ErrSecondTime says that a cosigner signed one size at two seconds.
	ErrSecondTime = errors.New("a second cosignature of one size")
)

// Tx is what a journal needs of one store transaction. Lookups see what the
// same transaction has written.
type Tx interface {
	// Log returns a log's row; false where nothing is kept of it.
	Log(o identity.Origin) (Log, bool, error)
	// PutLog inserts or replaces a log's row.
	PutLog(l Log) error

	// Entry returns the entry at an index, or ErrNoEntry.
	Entry(o identity.Origin, index int64) ([]byte, error)
	// Entries returns the entries from..to, or ErrNoEntry if one is missing.
	Entries(o identity.Origin, from, to int64) ([][]byte, error)
	// PutEntries puts entries at consecutive indexes from from on. It fails
	// with ErrMoved, writing nothing, unless from is the number of entries
	// kept. What was put is never changed.
	PutEntries(o identity.Origin, from int64, entries [][]byte) error

	// Hashes returns the stored hashes of a log's tree at indexes as
	// tlog.StoredHashIndex counts them; ErrNoEntry if one is missing.
	Hashes(o identity.Origin, indexes []int64) ([]tlog.Hash, error)
	// PutHashes puts stored hashes at consecutive indexes from first on.
	PutHashes(o identity.Origin, first int64, hashes []tlog.Hash) error

	// PutCosignature keeps a cosignature for ever. The same again changes
	// nothing; another one by the same cosigner over the same size fails with
	// ErrSecondTime, writing nothing.
	PutCosignature(c Cosignature) error
	// Cosignature returns the one over exactly size.
	Cosignature(o identity.Origin, by string, size int64) (Cosignature, bool, error)
	// LastCosignature returns the one over the largest size.
	LastCosignature(o identity.Origin, by string) (Cosignature, bool, error)
	// CosignatureCovering returns the one over the smallest size above index.
	CosignatureCovering(o identity.Origin, by string, index int64) (Cosignature, bool, error)
	// CosignaturesAfter lists those over sizes above size, ascending, at most
	// limit; zero for all.
	CosignaturesAfter(o identity.Origin, by string, size int64, limit int) ([]Cosignature, error)
}

// Log is a log's row. It holds size and right edge, so that appending and
// opening cost the same at ten entries or a million.
type Log struct {
	Origin     identity.Origin
	Own        bool // this station writes it
	Size       int64
	Root       tlog.Hash   // of the tree at Size
	Edge       []tlog.Hash // the hashes at RightEdge(Size)
	Checkpoint []byte      // signed note of the log at Size; empty before the first

	// Of a mirrored log: the pending checkpoint, if it is ahead.
	Pending     []byte
	PendingSize int64
	Next        int64 // the first entry not held; Size where nothing is pending

	Ended *End // where a succession note ends the log; nil while none does
}

// End is where a log ends.
type End struct {
	Size int64
	Root tlog.Hash
}

// Head is a state of a log.
type Head struct {
	Origin identity.Origin
	Size   int64
	Root   tlog.Hash
}

// Cosignature is a mirror's receipt: it holds every entry of the log up to a
// size, unaltered and in order.
type Cosignature struct {
	Origin     identity.Origin
	By         string // the cosigner's name
	Size       int64
	Root       tlog.Hash
	At         time.Time // the second that both signatures carry
	Lines      []byte    // both signature lines of the note
	Checkpoint []byte    // the log's signed checkpoint of that size
}

// Delivery brings a checkpoint and the entries up to it in one step.
type Delivery struct {
	Origin     identity.Origin
	OldSize    int64       // of the head that Proof begins at
	Proof      []tlog.Hash // consistency, OldSize to the checkpoint's size
	Checkpoint []byte
	Start      int64 // index of the first entry
	Entries    [][]byte
}
