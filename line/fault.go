package line

import (
	"errors"
	"fmt"

	"detente/identity"
)

// Fault is why no answer came.
type Fault uint8

// The faults of a Transport.
const (
	// Unreachable: no connection, or it broke.
	Unreachable Fault = iota + 1
	// Refused: a TLS key of one end is not what the other pinned.
	Refused
	// Timeout: a connection, and no answer in time. The request may have been
	// carried out.
	Timeout
	// Malformed: an answer came that breaks the protocol or its limits.
	Malformed
	// Stopped: the caller's own context was cancelled.
	Stopped
)

// String returns the fault in a word.
func (f Fault) String() string {
	switch f {
	case Unreachable:
		return "unreachable"
	case Refused:
		return "refused"
	case Timeout:
		return "timeout"
	case Malformed:
		return "malformed"
	case Stopped:
		return "stopped"
	}
	return "unknown fault"
}

// Error is a request to a peer that got no answer.
type Error struct {
	Fault Fault
	Peer  identity.Station
	// Endpoint is the last base URL tried; empty where none is known.
	Endpoint string
	// Presented is, for Refused, the digest of the TLS key that the peer
	// presented; zero where it was the peer that refused ours.
	Presented identity.Digest
	// Sent says that the request may have reached the peer.
	Sent bool
	Err  error
}

// Error says what went wrong with whom, and for keys what to do next.
func (e *Error) Error() string {
	at := string(e.Peer)
	if e.Endpoint != "" {
		at += " at " + e.Endpoint
	}
	switch {
	case e.Fault == Refused && e.Presented != identity.Digest{}:
		return fmt.Sprintf("%s presented a TLS key that its card does not list, SHA-256 %s: nothing was sent; ask the peer by another way whether it is theirs, and for the new card: %v", at, e.Presented, e.Err)
	case e.Fault == Refused:
		return fmt.Sprintf("%s refused this station's TLS key: the peer may hold an old card of this station; give it the present one: %v", at, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", at, e.Fault, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// faultOf returns the fault of a transport's error; of one that is no *Error,
// Unreachable with the outcome unknown.
func faultOf(err error) (f Fault, sent bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault, e.Sent
	}
	return Unreachable, true
}
