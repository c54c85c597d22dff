package line

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

var signaturePrefix = []byte("\u2014 ")

// signatureOf reads the key name and key hash of one signed-note signature
// line, without its line end.
func signatureOf(line []byte) (name string, hash uint32, err error) {
	rest, ok := bytes.CutPrefix(line, signaturePrefix)
	if !ok || bytes.ContainsAny(line, "\r\n") { // which base64 would skip
		return "", 0, errors.New("a signature line must begin with an em dash and a space")
	}
	n, sig, ok := bytes.Cut(rest, []byte(" "))
	if !ok || len(n) == 0 {
		return "", 0, errors.New("a signature line must hold a name and a signature")
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(sig)))
	k, err := base64.StdEncoding.Strict().Decode(raw, sig)
	if err != nil || k < 5 {
		return "", 0, errors.New("a signature line's signature must be base64 of a key hash and more")
	}
	return string(n), binary.BigEndian.Uint32(raw), nil
}
