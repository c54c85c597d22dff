package identity

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A bundle is too large for one QR code, so it is cut into numbered parts, each
// a text of its own:
//
//	DET1:<part>/<parts>:<first 16 hex digits of the bundle's digest>:<base64url>
const (
	partPrefix = "DET1:"
	partSize   = 900  // characters of payload: a QR code that a hand-held phone still reads
	maxParts   = 1000 // 900 kB
)

// Parts returns the bundle as texts for QR codes, each at most 1,000
// characters.
func (b Bundle) Parts() []string {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		panic("internal error: " + err.Error()) // the level is a constant
	}
	plain := b.Bytes()
	if _, err := w.Write(plain); err != nil {
		panic("internal error: " + err.Error()) // a buffer takes all
	}
	if err := w.Close(); err != nil {
		panic("internal error: " + err.Error())
	}
	text := base64.RawURLEncoding.EncodeToString(packed.Bytes())
	mark := Sum(plain).String()[:16]
	n := (len(text) + partSize - 1) / partSize
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("%s%d/%d:%s:%s", partPrefix, i+1, n, mark, text[i*partSize:min((i+1)*partSize, len(text))])
	}
	return parts
}

// JoinParts puts parts together again, in whatever order and however often each
// was read. It fails where one is missing, or where they are of different
// bundles.
func JoinParts(texts []string) (Bundle, error) {
	var parts []string
	var mark string
	for _, t := range texts {
		head, payload, n, i, err := readPart(strings.TrimSpace(t))
		if err != nil {
			return Bundle{}, err
		}
		if parts == nil {
			parts, mark = make([]string, n), head
		}
		if n != len(parts) || head != mark {
			return Bundle{}, errors.New("cards: these parts are of different cards: read all parts of one")
		}
		if parts[i] != "" && parts[i] != payload {
			return Bundle{}, fmt.Errorf("cards: part %d was read twice, and differently: read it again", i+1)
		}
		parts[i] = payload
	}
	for i, p := range parts {
		if p == "" {
			return Bundle{}, fmt.Errorf("cards: part %d of %d is missing: read it too", i+1, len(parts))
		}
	}
	packed, err := decode64(base64.RawURLEncoding, strings.Join(parts, ""))
	if err != nil || len(parts) == 0 {
		return Bundle{}, errors.New("cards: a part was misread: read them again")
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 3*MaxNote+1))
	if err != nil || Sum(plain).String()[:16] != mark {
		return Bundle{}, errors.New("cards: a part was misread: read them again")
	}
	return ParseBundle(plain)
}

func readPart(t string) (mark, payload string, n, i int, err error) {
	bad := fmt.Errorf("cards: this is no part of a card: its text begins with %q", partPrefix)
	body, ok := strings.CutPrefix(t, partPrefix)
	f := strings.Split(body, ":")
	if !ok || len(f) != 3 || len(f[1]) != 16 || f[2] == "" || len(f[2]) > partSize {
		return "", "", 0, 0, bad
	}
	at, of, ok := strings.Cut(f[0], "/")
	i, err1 := strconv.Atoi(at)
	n, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > maxParts || i < 1 || i > n {
		return "", "", 0, 0, bad
	}
	return f[1], f[2], n, i - 1, nil
}
