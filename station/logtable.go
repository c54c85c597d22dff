package station

import (
	"time"

	"detente/identity"
	"detente/message"
)

// LogBook is the part of a transaction that keeps what the watch writes down
// and looks at.
type LogBook interface {
	// PutLogLine adds a line of the watch's log book. It fails unless its number
	// follows that of the last one; nothing ever changes or takes away a line.
	PutLogLine(LogLine) error
	// LastLogLine returns the newest line, the zero value where there is none.
	LastLogLine() (LogLine, error)
	// LogLines lists lines by number.
	LogLines(q LogQuery, limit int) ([]LogLine, error)
	// PutOpened notes that an officer of the watch has opened a message for the
	// first time; again changes nothing.
	PutOpened(Opened) error
	Opened(message.ID) (Opened, error)
}

// LogLine is a line of the log book as it is kept: Text is the line itself, a
// watch.LogEntry's bytes, and the other fields are taken from it to search by.
type LogLine struct {
	Number int64 // from 1, without gaps
	At     time.Time
	Kind   string
	Actor  string          // whose token wrote it; station: it wrote by itself
	Text   []byte          // chained: it names the hash of the line before
	Hash   identity.Digest // of Text
}

// LogQuery says which lines of the log book are meant. The zero value means
// all.
type LogQuery struct {
	After    int64     // only lines with a higher number
	From, To time.Time // from the first second to before the second; if zero, without a bound
	Kind     string    // if empty, any
}

// Opened says when an officer of the watch opened a received message first.
type Opened struct {
	ID message.ID
	At time.Time
	By string // the actor
}
