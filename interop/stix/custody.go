package stix

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"detente/identity"
)

// Act is what was done with an artefact.
type Act string

// The acts of custody.
const (
	Collected Act = "collected" // taken up where it was found
	Sealed    Act = "sealed"    // closed, so that a change shows
	Sent      Act = "sent"      // to the other station
	Received  Act = "received"  // from the other station
	Examined  Act = "examined"  // opened and analysed, on a copy
	Released  Act = "released"  // given out of custody, to whom the result says
)

// nextActs says which act may follow which. What was given out comes back only
// by being received.
var nextActs = map[Act][]Act{
	"":        {Collected, Received},
	Collected: {Sealed, Examined},
	Sealed:    {Sent, Examined, Released},
	Sent:      {Sent, Examined, Released},
	Received:  {Sealed, Examined, Released},
	Examined:  {Sealed, Examined, Released},
	Released:  {Received},
}

// Limits of custody.
const (
	// MaxCustody bounds the events of one artefact.
	MaxCustody = 1_000
	// MaxCustodyText bounds each free text of an event, in bytes.
	MaxCustodyText = 500
	// maxCustodyLine bounds one event's line: its texts escaped, and the rest.
	maxCustodyLine = 8 << 10
)

// An Event is one act with an artefact: who, what, how, when, with what result.
type Event struct {
	Act      Act
	Artefact identity.Digest  // SHA-256 of its bytes
	At       time.Time        // whole second of UTC
	Station  identity.Station // where it was done
	Officer  string           // the pseudonym of who did it
	Other    identity.Station // from or to which it went; only of sent and received
	Method   string           // how, by which program; may be empty
	Result   string           // what came of it; may be empty
	Prev     identity.Digest  // hash of the event before; zero of the first
}

type eventJSON struct {
	Act      string `json:"act"`
	Artefact string `json:"artefact"`
	At       string `json:"at"`
	Kind     string `json:"kind"`
	Method   string `json:"method,omitempty"`
	Officer  string `json:"officer"`
	Other    string `json:"other,omitempty"`
	Prev     string `json:"prev,omitempty"`
	Result   string `json:"result,omitempty"`
	Station  string `json:"station"`
}

const custodyKind = "detente/custody/v1"

// Custody is the chain of events of one artefact, each naming the hash of the
// one before. The zero value is an artefact of which nothing is known.
type Custody struct {
	events []Event
	lines  [][]byte // canonical JSON
}

// Events returns the events from the first, not to be changed.
func (c Custody) Events() []Event { return c.events }

// Head returns the hash of the last event, which stands for the whole chain;
// zero where there is none.
func (c Custody) Head() identity.Digest {
	if len(c.lines) == 0 {
		return identity.Digest{}
	}
	return identity.Sum(c.lines[len(c.lines)-1])
}

// Bytes returns the chain as lines of canonical JSON (RFC 8785).
func (c Custody) Bytes() []byte {
	var b bytes.Buffer
	for _, line := range c.lines {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Add returns the chain with one more event; it sets the event's Prev. It fails
// where the event speaks of another artefact, is earlier than the last, may not
// follow it, or is incomplete. The chain itself does not change.
func (c Custody) Add(e Event) (Custody, error) {
	e.Prev = c.Head()
	if err := c.follows(e); err != nil {
		return Custody{}, err
	}
	line, err := e.encode()
	if err != nil {
		return Custody{}, err
	}
	return Custody{append(slices.Clip(c.events), e), append(slices.Clip(c.lines), line)}, nil
}

// follows says what stands against an event as the next.
func (c Custody) follows(e Event) error {
	var last Event
	if n := len(c.events); n > 0 {
		last = c.events[n-1]
		if e.Artefact != last.Artefact {
			return fmt.Errorf("custody: the event speaks of the artefact %s, the chain of %s: begin a chain of its own", e.Artefact, last.Artefact)
		}
		if e.At.Before(last.At) {
			return fmt.Errorf("custody: %s is before the event that precedes it, %s: check the clock", stamp(e.At), stamp(last.At))
		}
	}
	switch {
	case len(c.events) >= MaxCustody:
		return fmt.Errorf("custody: the chain has %d events already: close it by a release", MaxCustody)
	case !slices.Contains(nextActs[last.Act], e.Act):
		return fmt.Errorf("custody: %s may not follow %s: it may be %v", show(string(e.Act)), show(string(last.Act)), nextActs[last.Act])
	case e.Prev != c.Head():
		return fmt.Errorf("custody: the event names %s as the one before, which is %s: the chain is broken or lacks an event", e.Prev, c.Head())
	case e.Artefact == (identity.Digest{}):
		return fmt.Errorf("custody: the event names no artefact: give the SHA-256 of its bytes")
	case e.At.Unix() <= 0 || e.At.Nanosecond() != 0 || e.At.Year() > 9999:
		return fmt.Errorf("custody: the time is no whole second after 1970")
	case (e.Other != "") != (e.Act == Sent || e.Act == Received):
		return fmt.Errorf("custody: the other station is named where something is sent or received, and only there")
	}
	if _, err := identity.ParseStation(string(e.Station)); err != nil {
		return fmt.Errorf("custody: %w", err)
	}
	if e.Other != "" {
		if _, err := identity.ParseStation(string(e.Other)); err != nil {
			return fmt.Errorf("custody: %w", err)
		}
	}
	if e.Officer == "" {
		return fmt.Errorf("custody: no officer is named: give the pseudonym of who did it")
	}
	for _, s := range []string{e.Officer, e.Method, e.Result} {
		if len(s) > MaxCustodyText || strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("custody: %s is longer than %d bytes or holds a control character: shorten it", show(s), MaxCustodyText)
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (e Event) encode() ([]byte, error) {
	w := eventJSON{Act: string(e.Act), Artefact: e.Artefact.String(), At: stamp(e.At), Kind: custodyKind, Method: e.Method, Officer: e.Officer, Other: string(e.Other), Result: e.Result, Station: string(e.Station)}
	if e.Prev != (identity.Digest{}) {
		w.Prev = e.Prev.String()
	}
	line, err := json.Marshal(w, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("custody: the event holds text that is no Unicode: %w", err)
	}
	value := jsontext.Value(line)
	return value, value.Canonicalize()
}

// ParseCustody reads what Bytes returned, and checks every link. It fails at the
// first line that does not hold.
func ParseCustody(text []byte) (c Custody, err error) {
	for n := 1; len(text) > 0; n++ {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !ended || len(line) > maxCustodyLine {
			return Custody{}, fmt.Errorf("custody, line %d: it is too long, or the last line does not end", n)
		}
		e, err := decodeEvent(line)
		if err == nil {
			err = c.follows(e)
		}
		if err != nil {
			return Custody{}, fmt.Errorf("line %d: %w", n, err)
		}
		c.events, c.lines = append(c.events, e), append(c.lines, bytes.Clone(line))
		text = rest
	}
	return c, nil
}

func decodeEvent(line []byte) (e Event, err error) {
	var w eventJSON
	if err := json.Unmarshal(line, &w, json.RejectUnknownMembers(true)); err != nil {
		return e, fmt.Errorf("custody: it is no event: %s", show(err.Error()))
	}
	if w.Kind != custodyKind {
		return e, fmt.Errorf("custody: %s is no kind of event that is known here", show(w.Kind))
	}
	e = Event{Act: Act(w.Act), Station: identity.Station(w.Station), Officer: w.Officer, Other: identity.Station(w.Other), Method: w.Method, Result: w.Result}
	if e.Artefact, err = identity.ParseDigest(w.Artefact); err != nil {
		return e, fmt.Errorf("custody: %w", err)
	}
	if e.At, err = time.Parse(time.RFC3339, w.At); err != nil {
		return e, fmt.Errorf("custody: %s is no time", show(w.At))
	}
	if w.Prev != "" {
		if e.Prev, err = identity.ParseDigest(w.Prev); err != nil {
			return e, fmt.Errorf("custody: %w", err)
		}
	}
	again, err := e.encode()
	if err != nil || !bytes.Equal(again, line) {
		return e, fmt.Errorf("custody: the event is not in its canonical form")
	}
	return e, nil
}
