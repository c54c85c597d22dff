package line

import (
	"encoding/json/v2"
	"fmt"

	"detente/identity"
)

// HeadsQuery is the body of a heads request: what does the peer hold of these
// logs, and of newer eras of the same direction of their lines?
type HeadsQuery struct {
	Origins []identity.Origin // at least one, at most MaxHeads, none twice
}

// Head is what one station holds of one log.
type Head struct {
	Origin identity.Origin
	// Checkpoint is, of a log that the answering station mirrors, its writer's
	// signed checkpoint of the entries held. Of a log that it writes it is the
	// last one that the reader cosigned, with the reader's lines. Empty: there is
	// none.
	Checkpoint []byte
	// Pending is, of a mirrored log, a newer signed checkpoint whose entries are
	// not all held. Empty: none.
	Pending []byte
	// Next is the first entry not held. A bare number: it may guide where to
	// fetch from, and decides nothing.
	Next int64
}

// HeadsAnswer answers a heads request: one Head for each log asked, in that
// order but for the Head of the newest era right after it where that is another
// log.
type HeadsAnswer struct {
	Heads []Head
}

type headsQueryJSON struct {
	Origins []string `json:"origins"`
}

type headJSON struct {
	Origin     string `json:"origin"`
	Checkpoint string `json:"checkpoint,omitzero"`
	Pending    string `json:"pending,omitzero"`
	Next       int64  `json:"next"`
}

type headsAnswerJSON struct {
	Heads []headJSON `json:"heads"`
}

// Bytes returns the query's JSON, or says which limit it breaks.
func (q HeadsQuery) Bytes() ([]byte, error) {
	var w headsQueryJSON
	for _, o := range q.Origins {
		w.Origins = append(w.Origins, o.String())
	}
	if err := checkOrigins(q.Origins, MaxHeads); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	return json.Marshal(w)
}

// ParseHeadsQuery reads what HeadsQuery.Bytes wrote.
func ParseHeadsQuery(b []byte) (HeadsQuery, error) {
	var w headsQueryJSON
	if err := readJSON("heads query", b, MaxHeadsQuery, &w); err != nil {
		return HeadsQuery{}, err
	}
	if len(w.Origins) > MaxHeads {
		return HeadsQuery{}, fmt.Errorf("the heads query names %d logs, more than %d", len(w.Origins), MaxHeads)
	}
	var q HeadsQuery
	for _, s := range w.Origins {
		o, err := parseOrigin(s)
		if err != nil {
			return HeadsQuery{}, err
		}
		q.Origins = append(q.Origins, o)
	}
	return q, checkOrigins(q.Origins, MaxHeads)
}

func checkOrigins(origins []identity.Origin, limit int) error {
	if len(origins) == 0 || len(origins) > limit {
		return fmt.Errorf("%d logs are named: at least one and at most %d are allowed", len(origins), limit)
	}
	seen := make(map[identity.Origin]bool, len(origins))
	for _, o := range origins {
		if seen[o] {
			return fmt.Errorf("log %s is named twice", o)
		}
		seen[o] = true
	}
	return nil
}

// Bytes returns the answer's JSON, or says which limit it breaks.
func (a HeadsAnswer) Bytes() ([]byte, error) {
	var w headsAnswerJSON
	for _, h := range a.Heads {
		if err := checkHead(h); err != nil {
			return nil, fmt.Errorf("internal error: %w", err)
		}
		w.Heads = append(w.Heads, headJSON{h.Origin.String(), string(h.Checkpoint), string(h.Pending), h.Next})
	}
	if len(w.Heads) > 2*MaxHeads {
		return nil, fmt.Errorf("internal error: a heads answer of %d logs", len(w.Heads))
	}
	return json.Marshal(w)
}

// ParseHeadsAnswer reads what HeadsAnswer.Bytes wrote. Checkpoints are not
// verified, but each is of the log that its Head names.
func ParseHeadsAnswer(b []byte) (HeadsAnswer, error) {
	var w headsAnswerJSON
	if err := readJSON("heads answer", b, MaxHeadsAnswer, &w); err != nil {
		return HeadsAnswer{}, err
	}
	if len(w.Heads) > 2*MaxHeads {
		return HeadsAnswer{}, fmt.Errorf("the heads answer names %d logs, more than %d", len(w.Heads), 2*MaxHeads)
	}
	var a HeadsAnswer
	var origins []identity.Origin
	for _, x := range w.Heads {
		o, err := parseOrigin(x.Origin)
		if err != nil {
			return HeadsAnswer{}, err
		}
		h := Head{Origin: o, Checkpoint: []byte(x.Checkpoint), Pending: []byte(x.Pending), Next: x.Next}
		if err := checkHead(h); err != nil {
			return HeadsAnswer{}, err
		}
		a.Heads = append(a.Heads, h)
		origins = append(origins, o)
	}
	if len(origins) == 0 {
		return a, nil
	}
	return a, checkOrigins(origins, 2*MaxHeads)
}

func checkHead(h Head) error {
	if h.Next < 0 {
		return fmt.Errorf("log %s: the next entry is %d", h.Origin, h.Next)
	}
	for _, n := range [][]byte{h.Checkpoint, h.Pending} {
		if len(n) == 0 {
			continue
		}
		c, err := ReadClaim(n)
		if err != nil {
			return fmt.Errorf("log %s: %w", h.Origin, err)
		}
		if c.Origin != h.Origin {
			return fmt.Errorf("log %s: its checkpoint is of log %s", h.Origin, c.Origin)
		}
	}
	return nil
}
