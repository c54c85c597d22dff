package identity

import (
	"errors"
	"fmt"
	"time"
)

// Succession says, under the keys of the log that follows, where a log ends.
type Succession struct {
	Old    Origin
	Size   int64
	Root   Digest // of the old log's tree at Size
	Reason string // choice, compromise, loss
	New    Origin
	At     time.Time
}

type successionJSON struct {
	Kind   string `json:"kind"`
	Old    string `json:"old"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Reason string `json:"reason"`
	New    string `json:"new"`
	At     string `json:"at"`
}

const successionKind = "detente/succession/v1"

// SignSuccession signs a note of succession with the new log's key.
func SignSuccession(key PrivateKey, s Succession) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	w := successionJSON{successionKind, s.Old.String(), s.Size, s.Root.String(), s.Reason, s.New.String(), stamp(s.At)}
	return endorseJSON(s.New.String(), key, w)
}

func (s Succession) check() error {
	switch {
	case s.New.Line() != s.Old.Line() || s.New.Writer != s.Old.Writer || s.New.Era != s.Old.Era+1:
		return fmt.Errorf("succession: %s does not follow %s", s.New, s.Old)
	case s.Size < 0:
		return fmt.Errorf("succession: the end of %s is %d", s.Old, s.Size)
	case s.Reason != "choice" && s.Reason != "compromise" && s.Reason != "loss":
		return fmt.Errorf("succession: reason %q: it must be choice, compromise or loss", clip(s.Reason))
	}
	return nil
}

// OpenSuccession verifies a note of succession under the key that the writer's
// card gives for the new log.
func OpenSuccession(card Card, signed []byte) (Succession, error) {
	var peek successionJSON
	if err := peekJSON("succession note", signed, &peek); err != nil {
		return Succession{}, err
	}
	fresh, err := ParseOrigin(peek.New)
	if err != nil {
		return Succession{}, err
	}
	key, ok := card.Log(fresh)
	if !ok {
		return Succession{}, fmt.Errorf("succession note: the card of %s lists no key for %s", card.Station, fresh)
	}
	var w successionJSON
	if err := openJSON("succession note", fresh.String(), key, signed, &w); err != nil {
		return Succession{}, err
	}
	s := Succession{New: fresh, Size: w.Size, Reason: w.Reason}
	if s.Old, err = ParseOrigin(w.Old); err != nil {
		return Succession{}, err
	}
	if s.Root, err = ParseDigest(w.Root); err != nil {
		return Succession{}, err
	}
	if s.At, err = parseStamp("succession note", w.At); err != nil {
		return Succession{}, err
	}
	if w.Kind != successionKind {
		return Succession{}, errors.New("this is no succession note")
	}
	return s, s.check()
}
