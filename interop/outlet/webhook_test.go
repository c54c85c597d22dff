package outlet_test

import (
	"encoding/json/v2"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/interop/outlet"
)

// The published example of the Standard Webhooks specification.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	exampleBody      = `{"test": 2432232314}`
	exampleSecond    = 1614265330
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	newSecret        = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

func mustSecret(t *testing.T, s string) outlet.Secret {
	t.Helper()
	secret, err := outlet.ParseSecret(s)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestSignatures(t *testing.T) {
	secret := mustSecret(t, exampleSecret)
	second := time.Unix(exampleSecond, 0)
	if s := secret.Sign(exampleID, second, []byte(exampleBody)); s != exampleSignature {
		t.Errorf("signature %s, want %s", s, exampleSignature)
	}
	good := http.Header{}
	good.Set(outlet.HeaderID, exampleID)
	good.Set(outlet.HeaderTimestamp, "1614265330")
	good.Set(outlet.HeaderSignature, "v1a,xx "+exampleSignature)
	both := []outlet.Secret{mustSecret(t, newSecret), secret}
	if err := outlet.Verify(both, good, []byte(exampleBody), second.Add(time.Minute), 5*time.Minute); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(h http.Header) (secrets []outlet.Secret, body string, now time.Time){
		"another body":   func(http.Header) ([]outlet.Secret, string, time.Time) { return both, exampleBody + " ", second },
		"another secret": func(http.Header) ([]outlet.Secret, string, time.Time) { return both[:1], exampleBody, second },
		"no secret":      func(http.Header) ([]outlet.Secret, string, time.Time) { return nil, exampleBody, second },
		"old": func(http.Header) ([]outlet.Secret, string, time.Time) {
			return both, exampleBody, second.Add(time.Hour)
		},
		"from the future": func(http.Header) ([]outlet.Secret, string, time.Time) {
			return both, exampleBody, second.Add(-time.Hour)
		},
		"another id": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Set(outlet.HeaderID, "x")
			return both, exampleBody, second
		},
		"another second": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Set(outlet.HeaderTimestamp, "1614265331")
			return both, exampleBody, second
		},
		"no second": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Set(outlet.HeaderTimestamp, "soon")
			return both, exampleBody, second
		},
		"no signature": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Del(outlet.HeaderSignature)
			return both, exampleBody, second
		},
		"two headers": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Add(outlet.HeaderSignature, "v1,x")
			return both, exampleBody, second
		},
		"many signatures": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Set(outlet.HeaderSignature, strings.Repeat("v1,x ", 1000)+exampleSignature)
			return both, exampleBody, second
		},
		"without its name": func(h http.Header) ([]outlet.Secret, string, time.Time) {
			h.Set(outlet.HeaderSignature, exampleSignature[3:])
			return both, exampleBody, second
		},
	} {
		h := good.Clone()
		secrets, body, now := change(h)
		if err := outlet.Verify(secrets, h, []byte(body), now, 5*time.Minute); err == nil {
			t.Errorf("verified: %s", name)
		}
	}
	for _, s := range []string{"", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + strings.Repeat("A", 100), "whsec_!!KQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if _, err := outlet.ParseSecret(s); err == nil || len(s) > 10 && strings.Contains(err.Error(), s[8:]) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if s := secret.String() + secret.GoString(); strings.Contains(s, "MfKQ") {
		t.Errorf("a secret shows itself: %s", s)
	}
}

// receiver is a real receiver over TLS, and the configuration that reaches it.
func receiver(t *testing.T, h http.HandlerFunc) (*httptest.Server, outlet.WebhookConfig) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	roots := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), 0o600)
	return s, outlet.WebhookConfig{URL: s.URL + "/hook/token-in-the-path", RootsFile: roots, SecretFiles: []string{file(t, exampleSecret+"\n", 0o600), file(t, newSecret, 0o640)}}
}

func mustHook(t *testing.T, c outlet.WebhookConfig) *outlet.Webhook {
	t.Helper()
	w, err := outlet.NewWebhook(c, func() time.Time { return at.Add(time.Minute) })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWebhook posts to a real receiver, which verifies the signature with each of
// both secrets.
func TestWebhook(t *testing.T) {
	done := quiet(t)
	var bodies []string
	s, c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		for _, secret := range []string{exampleSecret, newSecret} {
			if err == nil {
				err = outlet.Verify([]outlet.Secret{mustSecret(t, secret)}, r.Header, body, at.Add(time.Minute), time.Second)
			}
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/hook/token-in-the-path" || r.Header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" || r.Header.Get(outlet.HeaderID) == "" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		bodies = append(bodies, string(body))
		w.WriteHeader(http.StatusNoContent)
	})
	for _, send := range []func() error{
		func() error { return mustHook(t, c).Notify(t.Context(), notice()) },
		func() error { return mustHook(t, c).Notify(t.Context(), outlet.Test("test-1", station, "es", at)) },
		func() error { c.WithText = true; return mustHook(t, c).Notify(t.Context(), notice()) },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	want := `{"specversion":"1.0","id":"alarm-17","source":"//nrrc.arden.example","type":"org.detente.alarm.peer-silent.v1","time":"2026-11-23T14:45:07Z","subject":"ARD/BOR-N1-417","datacontenttype":"application/json","data":{"level":"FLASH","test":false}}`
	if bodies[0] != want {
		t.Errorf("body\n%s\nwant\n%s", bodies[0], want)
	}
	if !strings.Contains(bodies[1], `"test":true`) {
		t.Errorf("the test does not say so: %s", bodies[1])
	}
	var told struct {
		Data struct{ Language, Title, Text string }
	}
	if err := json.Unmarshal([]byte(bodies[2]), &told, json.MatchCaseInsensitiveNames(true)); err != nil || told.Data.Title != notice().Title || told.Data.Text != notice().Text || told.Data.Language != "ar" {
		t.Errorf("text: %+v, %v", told, err)
	}
	done()
}

func TestWebhookAnswers(t *testing.T) {
	answers := map[string]struct {
		code   int
		header []string
		words  string
		again  bool
		after  time.Duration
	}{
		"failure":       {500, nil, "answers 500", true, 0},
		"later":         {503, []string{"Retry-After", "30"}, "answers 503", true, 30 * time.Second},
		"much later":    {429, []string{"Retry-After", "999999999"}, "answers 429", true, time.Hour},
		"gone":          {410, nil, "answers 410", false, 0},
		"forbidden":     {403, nil, "answers 403", false, 0},
		"redirect":      {307, []string{"Location", "/elsewhere"}, "not followed", false, 0},
		"to the inside": {302, []string{"Location", "http://169.254.169.254/"}, "not followed", false, 0},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			done := quiet(t)
			var asked []string
			s, c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Path)
				for i := 0; i+1 < len(a.header); i += 2 {
					w.Header().Set(a.header[i], a.header[i+1])
				}
				w.WriteHeader(a.code)
			})
			e := failure(t, mustHook(t, c).Notify(t.Context(), notice()), a.words, "token-in-the-path", "MfKQ")
			s.Close()
			if e.Again != a.again || e.After != a.after || !slices.Equal(asked, []string{"/hook/token-in-the-path"}) {
				t.Errorf("again %v after %v, asked %v", e.Again, e.After, asked)
			}
			done()
		})
	}
}

// covers P14
func TestWebhookToHostileReceivers(t *testing.T) {
	for name, serve := range badReceivers {
		t.Run(name, func(t *testing.T) {
			done := quiet(t)
			addr, shut := hostile(t, serve)
			for _, scheme := range []string{"http://", "https://"} {
				w := mustHook(t, outlet.WebhookConfig{URL: scheme + addr + "/token-in-the-path", SecretFiles: []string{file(t, exampleSecret, 0o600)}})
				if e := failure(t, w.Notify(short(t), notice()), "webhook: ", "token-in-the-path", "MfKQ"); !e.Again || len(e.Error()) > 4<<10 {
					t.Errorf("%+v", e)
				}
			}
			shut()
			done()
		})
	}
	// A success whose body never ends is a success.
	done := quiet(t)
	s, c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	if err := mustHook(t, c).Notify(t.Context(), notice()); err != nil {
		t.Error(err)
	}
	s.Close()
	done()
}

func TestWebhookConfig(t *testing.T) {
	secret := file(t, exampleSecret, 0o600)
	for _, url := range []string{"", "oncall.arden.example", "http://oncall.arden.example/", "ftp://oncall.arden.example/", "https://user:pass@oncall.arden.example/", "https://", "http://127.0.0.1.arden.example/", "file:///etc/passwd"} {
		if _, err := outlet.NewWebhook(outlet.WebhookConfig{URL: url, SecretFiles: []string{secret}}, nil); err == nil {
			t.Errorf("configured: %q", url)
		}
	}
	if _, err := outlet.NewWebhook(outlet.WebhookConfig{URL: "https://oncall.arden.example/"}, nil); err == nil {
		t.Error("configured without a secret")
	}
	w := mustHook(t, outlet.WebhookConfig{URL: "http://127.0.0.1:1/", SecretFiles: []string{file(t, "sesame", 0o600)}})
	failure(t, w.Notify(t.Context(), notice()), "whsec_", "sesame")
}
