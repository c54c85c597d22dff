package outlet_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"detente/internal/decodertest"
	"detente/interop/outlet"
)

// FuzzParseSecret reads what is accepted a second time by its parts. No error
// holds anything of the secret.
//
// covers P14
func FuzzParseSecret(f *testing.F) {
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	accepted := []string{"whsec_" + key}
	rejected := []string{"", "whsec_", key, "whsec_" + key[:20], "whsec_" + key + "!", "whsec_" + strings.Repeat("A", 400)}
	decodertest.Seeds(f, func(s string) error { _, err := outlet.ParseSecret(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := outlet.ParseSecret(text)
		rest := strings.TrimPrefix(text, "whsec_")
		if err != nil {
			decodertest.Short(t, err)
			if len(rest) > 12 && strings.Contains(err.Error(), rest) {
				t.Error("the error holds the secret")
			}
			return
		}
		raw, err := base64.StdEncoding.DecodeString(rest)
		if err != nil || len(raw) < 24 || len(raw) > 64 || strings.Contains(s.String(), rest) {
			t.Errorf("%d bytes are read as a secret, %v", len(raw), err)
		}
	})
}
