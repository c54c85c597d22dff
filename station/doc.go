// Package station is one agency's service: it says who may do what, in which
// order, and in one transaction.
//
// A Station's verbs are calls that take an Actor and a time first and do their
// work in one transaction of its Store. The verbs own no goroutine and read no
// clock, so that a simulator can run them one at a time from a seed. A Runner
// drives a Station in the field, with real timers, sockets and goroutines.
//
// A message's way through it:
//
//	Submit    the body is checked by the signal book and frozen
//	Approve   officers sign its digest; the last one needed releases it
//	append    checked again, wrapped, sealed, put into the log, signed
//	Step      the line's machine says what to send
//	Handle    at the other station: verified, stored, cosigned in one transaction
//	Answered  the cosignature comes back: the message is delivered
//
// Everything that can be computed from the two logs of a line is; the tables
// that hold such things are a cache, which Doctor compares and rebuilds.
package station
