package message

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"time"

	"detente/identity"
)

// Head is a state of the counterpart's log, as a writer has seen it. The zero
// value says that it has seen nothing.
type Head struct {
	Era  identity.Era
	Size int64
	Root identity.Digest
}

// Listed is a receipt that the writer gave on the reader's log.
type Listed struct {
	Era  identity.Era
	Size int64
	At   time.Time
}

// Held is a cosignature of the reader on the writer's log that the reader has
// not listed in time: the writer puts it on the record whole.
type Held struct {
	Era   identity.Era
	Size  int64
	Root  identity.Digest
	Lines string // both signature lines
}

// Wrapper is what a station adds to a body when it appends it. Nothing in it
// can alter what the body says.
type Wrapper struct {
	At          time.Time // the second of appending; it never falls from entry to entry
	Seen        Head
	Receipts    []Listed // given since the last entry, oldest first
	Held        []Held
	Approvals   []identity.Approval
	Provisional bool
}

// Lapses returns the moment at which the first of the approvals expires; the
// zero time where none does.
func (w Wrapper) Lapses() time.Time {
	var first time.Time
	for _, a := range w.Approvals {
		if end := a.Request.Expires; !end.IsZero() && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// Limits of a wrapper: with the largest body it must fit into one entry.
const (
	MaxListed    = 200
	MaxHeld      = 2
	MaxApprovals = 4
)

// Entry is a message as it stands in a log.
type Entry struct {
	Wrapper Wrapper
	Body    Frozen
}

type headJSON struct {
	Era  uint32 `json:"era"`
	Root string `json:"root"`
	Size int64  `json:"size"`
}

type listedJSON struct {
	At   string `json:"at"`
	Era  uint32 `json:"era"`
	Size int64  `json:"size"`
}

type heldJSON struct {
	Era   uint32 `json:"era"`
	Lines string `json:"lines"`
	Root  string `json:"root"`
	Size  int64  `json:"size"`
}

type wrapperJSON struct {
	Approvals   []jsontext.Value `json:"approvals,omitempty"`
	At          string           `json:"at"`
	Held        []heldJSON       `json:"held,omitempty"`
	Kind        string           `json:"kind"`
	Provisional bool             `json:"provisional,omitzero"`
	Receipts    []listedJSON     `json:"receipts,omitempty"`
	Seen        *headJSON        `json:"seen,omitempty"`
}

const wrapperKind = "detente/wrapper/v1"

// Plain returns the entry's plain text: wrapper and body, a line each.
func (e Entry) Plain() ([]byte, error) {
	w := wrapperJSON{Kind: wrapperKind, At: stamp(e.Wrapper.At), Provisional: e.Wrapper.Provisional}
	if s := e.Wrapper.Seen; s.Size > 0 {
		w.Seen = &headJSON{uint32(s.Era), s.Root.String(), s.Size}
	}
	for _, r := range e.Wrapper.Receipts {
		w.Receipts = append(w.Receipts, listedJSON{stamp(r.At), uint32(r.Era), r.Size})
	}
	for _, h := range e.Wrapper.Held {
		w.Held = append(w.Held, heldJSON{uint32(h.Era), h.Lines, h.Root.String(), h.Size})
	}
	for _, a := range e.Wrapper.Approvals {
		w.Approvals = append(w.Approvals, a.Bytes())
	}
	text, err := canonical(w)
	if err != nil {
		return nil, fieldError("wrapper", err.Error(), anew)
	}
	plain := make([]byte, 0, len(text)+len(e.Body.bytes)+2)
	plain = append(append(plain, text...), '\n')
	return append(append(plain, e.Body.bytes...), '\n'), nil
}

// ParseEntry reads an entry's plain text, with whatever line ends pad it.
// Everything else that it does not expect is a *FieldError.
func ParseEntry(plain []byte) (Entry, error) {
	text, rest, ok := bytes.Cut(plain, []byte("\n"))
	if !ok {
		return Entry{}, fieldError("entry", "it is no two lines", anew)
	}
	body, padding, ok := bytes.Cut(rest, []byte("\n"))
	if !ok || len(bytes.Trim(padding, "\n")) != 0 {
		return Entry{}, fieldError("entry", "it is not two lines and padding", anew)
	}
	var w wrapperJSON
	if err := decode("wrapper", text, &w); err != nil {
		return Entry{}, err
	}
	wrapper, err := w.wrapper()
	if err != nil {
		return Entry{}, err
	}
	frozen, err := ParseBody(body)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Wrapper: wrapper, Body: frozen}, nil
}

func (w wrapperJSON) wrapper() (Wrapper, error) {
	if w.Kind != wrapperKind {
		return Wrapper{}, fieldError("wrapper.kind", fmt.Sprintf("%q is not known here", clip(w.Kind)), newer)
	}
	if len(w.Receipts) > MaxListed || len(w.Held) > MaxHeld || len(w.Approvals) > MaxApprovals {
		return Wrapper{}, fieldError("wrapper", fmt.Sprintf("it may hold %d receipts, %d held cosignatures and %d approvals", MaxListed, MaxHeld, MaxApprovals), "leave the rest to the next entry")
	}
	out := Wrapper{Provisional: w.Provisional}
	var err error
	if out.At, err = parseStamp("wrapper.at", w.At); err != nil {
		return out, err
	}
	if out.At.IsZero() {
		return out, fieldError("wrapper.at", "it is missing", "write the second of appending")
	}
	if w.Seen != nil {
		if out.Seen, err = w.Seen.head(); err != nil {
			return out, err
		}
	}
	if err := w.receipts(&out); err != nil {
		return out, err
	}
	for _, h := range w.Held {
		root, err := identity.ParseDigest(h.Root)
		if err != nil || h.Size <= 0 || h.Era == 0 {
			return out, fieldError("wrapper.held", "it names no head", anew)
		}
		out.Held = append(out.Held, Held{identity.Era(h.Era), h.Size, root, h.Lines})
	}
	for i, raw := range w.Approvals {
		a, err := identity.ParseApproval(raw)
		if err != nil {
			return out, fieldError(fmt.Sprintf("wrapper.approvals[%d]", i), err.Error(), anew)
		}
		out.Approvals = append(out.Approvals, a)
	}
	return out, nil
}

func (h headJSON) head() (Head, error) {
	root, err := identity.ParseDigest(h.Root)
	if err != nil || h.Size <= 0 || h.Era == 0 {
		return Head{}, fieldError("wrapper.seen", "it names no head", anew)
	}
	return Head{identity.Era(h.Era), h.Size, root}, nil
}

// receipts reads the listed receipts. Neither sizes nor seconds may fall.
func (w wrapperJSON) receipts(out *Wrapper) error {
	for i, r := range w.Receipts {
		at, err := parseStamp("wrapper.receipts", r.At)
		if err != nil {
			return err
		}
		l := Listed{identity.Era(r.Era), r.Size, at}
		if at.IsZero() || r.Size <= 0 || r.Era == 0 {
			return fieldError("wrapper.receipts", "a receipt names no head or no second", anew)
		}
		if i > 0 {
			if p := out.Receipts[i-1]; l.Era < p.Era || l.Era == p.Era && (l.Size <= p.Size || l.At.Before(p.At)) {
				return fieldError("wrapper.receipts", "receipts are not in order, oldest first", "list each head once, by era and size")
			}
		}
		out.Receipts = append(out.Receipts, l)
	}
	return nil
}
