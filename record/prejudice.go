package record

import (
	"encoding/json/v2"
	"fmt"
	"io"
	"slices"

	"detente/book"
)

// hidden says why an entry is not disclosed, as far as the record says it. That
// it was said without prejudice only its maker says: the entry stays closed.
func (l *logVerifier) hidden(index int64) fault {
	if !slices.Contains(l.in.Closed, index) {
		return because(Undisclosed, nil)
	}
	l.v.report.Closed = append(l.v.report.Closed, l.cite(index))
	return because(ClosedByBoth, nil)
}

// leaked names an entry that a record discloses and must not, because it was said
// without prejudice. That is no fault of the entry, and says nothing against its
// writer; its text is not shown.
func (l *logVerifier) leaked(s Said) bool {
	if s.Body.Body().Format != book.WithoutPrejudice {
		return false
	}
	l.v.missing(CheckDisclosed, s.Citation, because(DisclosedClosed, nil))
	return true
}

// WithoutPrejudice returns how many messages a record keeps closed because they
// were said without prejudice, as its maker counts them. It verifies nothing.
func WithoutPrejudice(r io.ReaderAt, size int64) (n int, err error) {
	f, err := read(r, size)
	if err != nil {
		return 0, err
	}
	text, _ := f.get(indexName)
	var index indexJSON
	if err := json.Unmarshal(text, &index); err != nil {
		return 0, fmt.Errorf("the record's index: %w", err)
	}
	for _, l := range index.Logs {
		n += len(l.Closed)
	}
	return n, nil
}
