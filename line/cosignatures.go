package line

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
)

// Cosigned is one old receipt: a mirror's signature lines over a log's
// checkpoint, and the checkpoint.
type Cosigned struct {
	By         string // the cosigner's name
	Size       int64
	Checkpoint []byte // with the log's own signatures
	Lines      []byte // the cosigner's two lines, whole
}

// CosignaturePage answers a cosignatures request: receipts in ascending size.
type CosignaturePage struct {
	Cosigned []Cosigned
	More     bool // larger sizes are held too: ask again after the last
}

type cosignedJSON struct {
	By         string `json:"by"`
	Size       int64  `json:"size"`
	Checkpoint string `json:"checkpoint"`
	Lines      string `json:"lines"`
}

type cosignaturePageJSON struct {
	Cosignatures []cosignedJSON `json:"cosignatures"`
	More         bool           `json:"more"`
}

// Bytes returns the page's JSON. A page that would pass MaxCosignaturePage or
// MaxCosignatures is cut, and says that there is more.
func (p CosignaturePage) Bytes() ([]byte, error) {
	w := cosignaturePageJSON{More: p.More}
	room := MaxCosignaturePage - 1<<10
	for i, c := range p.Cosigned {
		if err := checkCosigned(c); err != nil {
			return nil, fmt.Errorf("internal error: %w", err)
		}
		// Line ends grow by a byte in JSON; notes hold nothing else to escape.
		room -= len(c.Checkpoint) + len(c.Lines) + len(c.By) + 128
		if i == MaxCosignatures || room < 0 {
			w.More = true
			break
		}
		w.Cosignatures = append(w.Cosignatures, cosignedJSON{c.By, c.Size, string(c.Checkpoint), string(c.Lines)})
	}
	return json.Marshal(w)
}

// ParseCosignaturePage reads what CosignaturePage.Bytes wrote. Signatures are
// not verified, but each checkpoint is of the size that stands beside it, and
// sizes ascend.
func ParseCosignaturePage(b []byte) (CosignaturePage, error) {
	var w cosignaturePageJSON
	if err := readJSON("cosignatures answer", b, MaxCosignaturePage, &w); err != nil {
		return CosignaturePage{}, err
	}
	if len(w.Cosignatures) > MaxCosignatures {
		return CosignaturePage{}, fmt.Errorf("the cosignatures answer holds %d, more than %d", len(w.Cosignatures), MaxCosignatures)
	}
	if w.More && len(w.Cosignatures) == 0 {
		return CosignaturePage{}, errors.New("the cosignatures answer is empty and says that there is more")
	}
	p := CosignaturePage{More: w.More}
	last := int64(-1)
	for _, x := range w.Cosignatures {
		c := Cosigned{x.By, x.Size, []byte(x.Checkpoint), []byte(x.Lines)}
		if err := checkCosigned(c); err != nil {
			return CosignaturePage{}, err
		}
		if c.Size <= last {
			return CosignaturePage{}, fmt.Errorf("the cosignatures answer has size %d after size %d", c.Size, last)
		}
		last = c.Size
		p.Cosigned = append(p.Cosigned, c)
	}
	return p, nil
}

func checkCosigned(c Cosigned) error {
	claim, err := ReadClaim(c.Checkpoint)
	if err != nil {
		return err
	}
	if claim.Size != c.Size {
		return fmt.Errorf("a receipt of size %d stands beside a checkpoint of size %d", c.Size, claim.Size)
	}
	if c.By == "" || len(c.By) > 255 || len(c.Lines) == 0 || len(c.Lines) > MaxLines {
		return fmt.Errorf("a receipt of size %d lacks its signer's name or its lines", c.Size)
	}
	for line := range bytes.Lines(c.Lines) {
		name, _, err := signatureOf(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return err
		}
		if name != c.By {
			return fmt.Errorf("a receipt of %s holds a line of %s", printable([]byte(c.By), 100), printable([]byte(name), 100))
		}
	}
	return nil
}
