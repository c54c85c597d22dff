package outlet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed webhook, as the Standard Webhooks specification names
// them.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// A Secret is a key that a station and a receiver of its webhooks share. It does
// not show itself when printed.
type Secret struct{ key []byte }

// secretPrefix begins a secret in writing.
const secretPrefix = "whsec_"

// Bounds of a secret's key in bytes, as the specification has them.
const (
	minKey = 24
	maxKey = 64
)

// ParseSecret reads a secret: whsec_ and 24 to 64 bytes in base64. The error
// holds nothing of it.
func ParseSecret(s string) (Secret, error) {
	rest, ok := strings.CutPrefix(s, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(rest)
	if !ok || err != nil || len(key) < minKey || len(key) > maxKey {
		return Secret{}, fmt.Errorf("the secret is not %s and %d to %d bytes in base64: make one with: echo %s$(openssl rand -base64 32)", secretPrefix, minKey, maxKey, secretPrefix)
	}
	return Secret{key}, nil
}

// String hides the secret.
func (Secret) String() string { return secretPrefix + "…" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// Sign returns the signature of a webhook, as the header has it: v1 and the
// HMAC-SHA256 over id, second and body.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// maxSignatures bounds the signatures of one header: two, while a secret is
// exchanged, and some to spare.
const maxSignatures = 8

// Verify is for receivers: it says whether a webhook was signed with one of the
// secrets within a tolerance of now. It compares in constant time. Who verifies
// must besides remember ids for as long as the tolerance, to know a repetition.
func Verify(secrets []Secret, h http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	for _, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		if len(h.Values(name)) != 1 {
			return fmt.Errorf("webhook: the header %s is needed, once", name)
		}
	}
	second, err := strconv.ParseInt(h.Get(HeaderTimestamp), 10, 64)
	if err != nil {
		return errors.New("webhook: its timestamp is no number of seconds")
	}
	at := time.Unix(second, 0)
	if at.Before(now.Add(-tolerance)) || at.After(now.Add(tolerance)) {
		return errors.New("webhook: its timestamp is too far from now: it is old, or a clock is wrong")
	}
	given := strings.Fields(h.Get(HeaderSignature))
	if len(given) > maxSignatures {
		return errors.New("webhook: it has too many signatures")
	}
	good := false
	for _, s := range secrets {
		want := []byte(s.Sign(h.Get(HeaderID), at, body))
		for _, one := range given {
			good = hmac.Equal(want, []byte(one)) || good
		}
	}
	if !good {
		return errors.New("webhook: no signature is by a secret that is known here")
	}
	return nil
}
