// Package message is what one station says to another: a body that officers
// approve, in a wrapper that the station adds when it appends the message.
//
// A body is canonical JSON (RFC 8785), frozen once: from then on its bytes are
// handled, never written anew. An entry's plain text is two lines, the wrapper
// and the body, so that anybody who may open an entry can read it.
//
// The package is pure: no clock, no network, no disk, no goroutine.
package message
