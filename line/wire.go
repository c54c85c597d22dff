package line

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"detente/identity"
)

// Op is what a request asks for.
type Op string

// The requests of a line.
const (
	// OpDeliver brings a checkpoint and the entries up to it, and is answered
	// by the receipt: see Delivery.
	OpDeliver Op = "deliver"
	// OpAddCheckpoint is tlog-witness's add-checkpoint: see AddCheckpoint.
	OpAddCheckpoint Op = "add-checkpoint"
	// OpAddEntries is tlog-mirror's add-entries: see Upload.
	OpAddEntries Op = "add-entries"
	// OpHeads asks what is held of some logs: see HeadsQuery, HeadsAnswer.
	OpHeads Op = "heads"
	// OpCards gives cards and succession notes, and is answered by nothing but
	// its status. With an empty body it asks for the other side's: see Cards.
	OpCards Op = "cards"
	// OpTile asks for the checkpoint or a tlog-tiles resource of a log.
	OpTile Op = "tile"
	// OpCosignatures asks for a page of old receipts: see CosignaturePage.
	OpCosignatures Op = "cosignatures"
	// OpBlob asks for a range of a blob.
	OpBlob Op = "blob"
)

// Content types of answers.
const (
	TypeText       = "text/plain; charset=utf-8"
	TypeJSON       = "application/json"
	TypeBytes      = "application/octet-stream"
	TypeSize       = "text/x.tlog.size"        // tlog-witness
	TypeMirrorInfo = "text/x.tlog.mirror-info" // tlog-mirror
)

// Request is one question to a station, as a value.
type Request struct {
	Op Op
	// Peer is who asks. The answering side fills it from the authenticated
	// connection; what a sender puts there is ignored.
	Peer identity.Station
	// Origin is the log that the request is about. The answering side fills it
	// from the path or the body, before anything is verified, and leaves it zero
	// for heads, cards and blobs; what a sender puts there for these is its own
	// note and does not travel.
	Origin identity.Origin
	// Path is the resource for OpTile: "checkpoint" or "tile/…".
	Path string
	// Hash names the blob for OpBlob: the SHA-256 of its ciphertext.
	Hash identity.Digest
	// By is, for OpCosignatures, the cosigner whose receipts are wanted. If
	// empty, the answering station's own.
	By string
	// Offset is the first byte wanted for OpBlob; for OpCosignatures only
	// larger sizes are listed.
	Offset int64
	// Limit is how many bytes or receipts are wanted at most. If zero, as many
	// as one answer may hold (MaxBlobRange, MaxCosignatures).
	Limit int64
	// Body is the request's body, in the codec that Op names. It is not to be
	// changed once the request was handed over.
	Body []byte
}

// Response is an answer, as a value.
type Response struct {
	// Status is an HTTP status code.
	Status int
	// Type is the body's content type; empty for none.
	Type string
	// Body is the answer's body, not to be changed.
	Body []byte
	// RetryAfter comes with 503 and 429: how long to wait. Zero if not said.
	RetryAfter time.Duration
	// Total is the whole blob's size in answers to OpBlob.
	Total int64
}

// Text returns an answer that says why, for people. A line end is added.
func Text(status int, why string) Response {
	return Response{Status: status, Type: TypeText, Body: []byte(strings.TrimRight(why, "\n") + "\n")}
}

// OK reports whether the answer is a success.
func (r Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Err returns nil for a success and a *StatusError for any other status.
func (r Response) Err() error {
	if r.OK() {
		return nil
	}
	return &StatusError{Status: r.Status, Reason: printable(r.Body, maxReason), RetryAfter: r.RetryAfter}
}

// StatusError is an answer that came, and was not a success.
type StatusError struct {
	Status     int
	Reason     string // what the peer said, made printable and cut
	RetryAfter time.Duration
}

// Error says what the peer answered, and why if it told.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("the peer answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// maxReason is how much of a peer's explanation is kept: enough for a sentence,
// too little to fill a log with.
const maxReason = 200

// printable returns the first bytes of b as one line of ASCII, so that a peer's
// words can neither break a log line nor carry control characters.
func printable(b []byte, limit int) string {
	var s strings.Builder
	for _, c := range strings.TrimSpace(string(b[:min(len(b), limit)])) {
		if c < ' ' || c > '~' {
			c = '?'
		}
		s.WriteRune(c)
	}
	return s.String()
}

// Host answers requests. It is implemented by a station and by a depositary.
type Host interface {
	// Handle answers one request, of any Op but OpBlob, whose Peer was
	// authenticated. It may be called by many at once, and repeated with the
	// same request: the answer to a repetition is the answer to the first. It
	// gets at most one entry package of an add-entries upload at a time.
	Handle(ctx context.Context, r Request) Response

	// Blob opens a blob that peer may read at an offset, and tells its whole
	// size. It fails with ErrNoBlob where there is none for this peer.
	Blob(ctx context.Context, peer identity.Station, hash identity.Digest, offset int64) (io.ReadCloser, int64, error)
}

// ErrNoBlob says that the blob is not held, or is not for this peer; which of
// the two is not told.
var ErrNoBlob = errors.New("no such blob for this peer")

// Transport carries requests to other stations. An error is an *Error; any
// answer that came, of whatever status, is a Response and no error.
type Transport interface {
	// Do asks peer and returns its answer. The same request may be sent again
	// after an error.
	Do(ctx context.Context, peer identity.Station, r Request) (Response, error)
}

// OriginHash returns what names the log in paths: the SHA-256 of its origin.
func OriginHash(o identity.Origin) identity.Digest {
	return sha256.Sum256([]byte(o.String()))
}

// Serve answers one request as Handler would, blobs included, without a
// network: for a simulator's queue. It fills the Origin from the body.
func Serve(ctx context.Context, h Host, r Request) Response {
	if limit, ok := maxBody[r.Op]; !ok || len(r.Body) > limit {
		return Text(http.StatusRequestEntityTooLarge, "the body is larger than this request may have")
	}
	if r.Op == OpBlob {
		return serveBlob(ctx, h, r)
	}
	if r.Op == OpAddEntries {
		return serveUpload(ctx, h, r, bytes.NewReader(r.Body))
	}
	if err := fillOrigin(&r); err != nil {
		return Text(http.StatusBadRequest, err.Error())
	}
	return h.Handle(ctx, r)
}

func serveBlob(ctx context.Context, h Host, r Request) Response {
	body, total, resp := openBlob(ctx, h, r)
	if body == nil {
		return resp
	}
	defer body.Close()
	n := blobLength(r, total)
	buf := make([]byte, n)
	if _, err := io.ReadFull(body, buf); err != nil {
		return Text(http.StatusInternalServerError, "the blob could not be read here; ask again")
	}
	return Response{Status: http.StatusPartialContent, Type: TypeBytes, Body: buf, Total: total}
}

// openBlob opens the blob at its offset, or returns a nil reader and the answer
// that says why not.
func openBlob(ctx context.Context, h Host, r Request) (io.ReadCloser, int64, Response) {
	if r.Offset < 0 || r.Limit < 0 {
		return nil, 0, Text(http.StatusRequestedRangeNotSatisfiable, "a blob's range cannot be negative")
	}
	body, total, err := h.Blob(ctx, r.Peer, r.Hash, r.Offset)
	switch {
	case errors.Is(err, ErrNoBlob):
		return nil, 0, Text(http.StatusNotFound, ErrNoBlob.Error())
	case err != nil:
		return nil, 0, Text(http.StatusInternalServerError, "the blob could not be opened here; ask again")
	case r.Offset >= total:
		body.Close()
		return nil, 0, Text(http.StatusRequestedRangeNotSatisfiable, fmt.Sprintf("the blob ends at %d", total))
	}
	return body, total, Response{}
}

func blobLength(r Request, total int64) int64 {
	n := min(total-r.Offset, MaxBlobRange)
	if r.Limit > 0 {
		n = min(n, r.Limit)
	}
	return n
}

// fillOrigin reads the log that a body is about; requests whose body names none
// keep what they have.
func fillOrigin(r *Request) error {
	var err error
	switch r.Op {
	case OpDeliver:
		r.Origin, err = deliveryOrigin(r.Body)
	case OpAddCheckpoint:
		r.Origin, err = checkpointOrigin(r.Body)
	}
	return err
}

func hexName(d identity.Digest) string { return hex.EncodeToString(d[:]) }
