package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/internal/decodertest"
)

// w3c are assertions that the W3C publishes with Web Authentication Level 3,
// section 16, for the relying party example.org. Only the first is what an
// approval asks for: user present and verified, on a page of its own.
var w3c = []struct {
	section, x, y string // y is empty for Ed25519
	challenge     string
	flags         string // of the authenticator data
	client        string
	signature     string
	refused       string // why, where it is
}{
	{"16.6", "3b8176b7504489cc593046d7988abb7905a742de6ac2cdc748a873c663e90cb1", "1436d5edc9a75f23999eef9d5950a5c2455514ee1014084720f841a06b828a11",
		"ef1deba56dce48f674a447ccf63b9599258ce87648e5c396f2ef0ca1da460e3b", "0d",
		`{"type":"webauthn.get","challenge":"7x3rpW3OSPZ0pEfM9juVmSWM6HZI5cOW8u8ModpGDjs","origin":"https://example.org","crossOrigin":false}`,
		"304502203ecef83fb12a0cae7841055f9f87103a99fd14b424194bbf06c4623d3ee6e3fd022100d2ace346db262b1374a6b70faa51f518a42ddca13a4125ce6f5052a75bac9fb6", ""},
	{"16.2", "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61", "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
		"39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408", "19",
		`{"type":"webauthn.get","challenge":"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag","origin":"https://example.org","crossOrigin":false}`,
		"3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87", "verify its user"},
	{"16.4", "22200a473f90b11078851550d03b4e44a2279f8c4eca27b3153dedfe03e4e97d", "cbd0be95e746ad6f5a8191be11756e4c0420e72f65b466d39bc56b8b123a9c6e",
		"876aa517ba83fdee65fcffdbca4c84eeae5d54f8041a1fc85c991e5bbb273137", "05",
		`{"type":"webauthn.get","challenge":"h2qlF7qD_e5l_P_bykyE7q5dVPgEGh_IXJkeW7snMTc","origin":"https://example.org","crossOrigin":true,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: 92pcTVD0Aby-q4dtmj6efg"}`,
		"3046022100eb12fcf23b12764c0f122e22371fab92e283879fd798f38ee1841c951b6e40e7022100c76237ff9db77b3c56f30837cda6a09acfa2e915544e609c0733b1184036d1cf", "may not ask"},
	{"16.11", "44e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832", "",
		"895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2", "01",
		`{"type":"webauthn.get","challenge":"iVlX4BxjOmmDSKLYoxpUt9sn6MHEOyCA15riGQJnv9I","origin":"https://example.org","crossOrigin":false}`,
		"f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b", "verify its user"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cose writes a public key as passkeys do (RFC 9052), byte by byte.
func cose(x, y []byte) []byte {
	if len(y) == 0 {
		return slices.Concat([]byte{0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32}, x)
	}
	return slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, x, []byte{0x22, 0x58, 32}, y)
}

// authData is authenticator data without extensions.
func authData(rp string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rp))
	return append(hash[:], flags, 0, 0, 0, 0)
}

// The published signatures verify; the assertion as a whole does where it is
// what an approval needs, and is refused for the right reason where not.
// covers P8
func TestPublishedAssertions(t *testing.T) {
	for _, v := range w3c {
		cred := Credential{Kind: CredentialWebAuthn, RPID: "example.org", ID: []byte{1}, COSE: cose(unhex(t, v.x), unhex(t, v.y)), Origins: []string{"https://example.org"}}
		proof := Proof{Kind: CredentialWebAuthn, AuthenticatorData: authData("example.org", unhex(t, v.flags)[0]), ClientDataJSON: []byte(v.client), Assertion: unhex(t, v.signature)}
		hash := sha256.Sum256(proof.ClientDataJSON)
		if err := verifyCOSE(cred.COSE, append(bytes.Clone(proof.AuthenticatorData), hash[:]...), proof.Assertion); err != nil {
			t.Errorf("%s: its signature: %v", v.section, err)
		}
		err := verifyAssertion(cred, Digest(unhex(t, v.challenge)), proof)
		if (err == nil) != (v.refused == "") || err != nil && !strings.Contains(err.Error(), v.refused) {
			t.Errorf("%s: %v, and %q is expected", v.section, err, v.refused)
		}
		for i := range proof.Assertion {
			bad := proof
			bad.Assertion = bytes.Clone(proof.Assertion)
			bad.Assertion[i] ^= 1
			if verifyAssertion(cred, Digest(unhex(t, v.challenge)), bad) == nil {
				t.Errorf("%s: byte %d of its signature changed, and it verifies", v.section, i)
			}
		}
	}
}

// passkey is an authenticator made for a test.
type passkey struct {
	cose []byte
	sign func([]byte) []byte
}

func passkeys(t testing.TB) map[string]passkey {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	pub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]passkey{
		"ES256": {cose(point[1:33], point[33:]), func(msg []byte) []byte {
			hash := sha256.Sum256(msg)
			sig, err := ecdsa.SignASN1(rand.Reader, ec, hash[:])
			if err != nil {
				t.Fatal(err)
			}
			return sig
		}},
		"EdDSA": {cose(pub, nil), func(msg []byte) []byte { return ed25519.Sign(ed, msg) }},
	}
}

// assertion is what a browser and an authenticator are asked for and give.
type assertion struct {
	rp, client string
	flags      byte
}

func (a assertion) by(p passkey) Proof {
	auth := authData(a.rp, a.flags)
	hash := sha256.Sum256([]byte(a.client))
	return Proof{Kind: CredentialWebAuthn, AuthenticatorData: auth, ClientDataJSON: []byte(a.client), Assertion: p.sign(append(bytes.Clone(auth), hash[:]...))}
}

// An assertion of another page, relying party, challenge, credential or request,
// without its user, of another kind or in malformed words is refused, though its
// signature verifies.
// covers P8 P14
// long: one table, and what it is tried on.
func TestHostileAssertions(t *testing.T) {
	const page, rp = "https://station.arden.example", "station.arden.example"
	req := Request{Body: Sum([]byte("body")), ID: [16]byte{1}, Role: "releasing", Policy: Sum([]byte("policy")), Decision: "approve"}
	challenge := req.Challenge()
	words := func(kind, challenge, origin, more string) string {
		return `{"type":"` + kind + `","challenge":"` + challenge + `","origin":"` + origin + `"` + more + `}`
	}
	asked := base64.RawURLEncoding.EncodeToString(challenge[:])
	good := assertion{rp, words("webauthn.get", asked, page, ""), flagUserPresent | flagUserVerified}
	other := Request{Body: req.Body, ID: [16]byte{2}, Role: req.Role, Policy: req.Policy, Decision: req.Decision}.Challenge()
	keys := passkeys(t)
	for name, p := range keys {
		cred := Credential{Kind: CredentialWebAuthn, RPID: rp, ID: []byte{1}, COSE: p.cose, Origins: []string{"https://other.arden.example", page}}
		for _, more := range []string{"", `,"crossOrigin":false`, `,"more":{"a":[1]}`} {
			a := good
			a.client = words("webauthn.get", asked, page, more)
			if err := verifyAssertion(cred, challenge, a.by(p)); err != nil {
				t.Fatalf("%s: a good assertion: %v", name, err)
			}
		}
		for what, change := range map[string]func(*assertion){
			"another page":         func(a *assertion) { a.client = words("webauthn.get", asked, "https://evil.example", "") },
			"a page below":         func(a *assertion) { a.client = words("webauthn.get", asked, page+".evil.example", "") },
			"a page without TLS":   func(a *assertion) { a.client = words("webauthn.get", asked, "http://station.arden.example", "") },
			"another port":         func(a *assertion) { a.client = words("webauthn.get", asked, page+":8443", "") },
			"upper case":           func(a *assertion) { a.client = words("webauthn.get", asked, "https://STATION.arden.example", "") },
			"no page":              func(a *assertion) { a.client = words("webauthn.get", asked, "", "") },
			"a confusable page":    func(a *assertion) { a.client = words("webauthn.get", asked, "https://station.аrden.example", "") },
			"a page within a page": func(a *assertion) { a.client = words("webauthn.get", asked, page, `,"crossOrigin":true`) },
			"a registration":       func(a *assertion) { a.client = words("webauthn.create", asked, page, "") },
			"another request": func(a *assertion) {
				a.client = words("webauthn.get", base64.RawURLEncoding.EncodeToString(other[:]), page, "")
			},
			"no challenge":                    func(a *assertion) { a.client = words("webauthn.get", "", page, "") },
			"a challenge and more":            func(a *assertion) { a.client = words("webauthn.get", asked+"AAAA", page, "") },
			"a padded challenge":              func(a *assertion) { a.client = words("webauthn.get", asked+"=", page, "") },
			"nobody present":                  func(a *assertion) { a.flags = flagUserVerified },
			"nobody verified":                 func(a *assertion) { a.flags = flagUserPresent },
			"no flags":                        func(a *assertion) { a.flags = 0 },
			"all others":                      func(a *assertion) { a.flags = 0xff &^ flagUserVerified },
			"another relying party":           func(a *assertion) { a.rp = "evil.example" },
			"the parent of the relying party": func(a *assertion) { a.rp = "arden.example" },
			"two origins": func(a *assertion) {
				a.client = words("webauthn.get", asked, "https://evil.example", `,"origin":"`+page+`"`)
			},
			"a member in capitals": func(a *assertion) { a.client = strings.Replace(a.client, `"origin"`, `"Origin"`, 1) },
			"a byte order mark":    func(a *assertion) { a.client = "\ufeff" + a.client },
			"a document after it":  func(a *assertion) { a.client += a.client },
			"a lone surrogate":     func(a *assertion) { a.client = words("webauthn.get", asked, page, `,"x":"\ud800"`) },
			"a list":               func(a *assertion) { a.client = "[" + a.client + "]" },
			"nothing":              func(a *assertion) { a.client = "" },
			"too long": func(a *assertion) {
				a.client = words("webauthn.get", asked, page, `,"x":"`+strings.Repeat("x", maxClientData)+`"`)
			},
		} {
			bad := good
			change(&bad)
			err := verifyAssertion(cred, challenge, bad.by(p))
			if !errors.Is(err, ErrSignature) {
				t.Errorf("%s, %s: %v", name, what, err)
				continue
			}
			decodertest.Refusal(t, err)
		}
		for other, q := range keys {
			if other != name && verifyAssertion(cred, challenge, good.by(q)) == nil {
				t.Errorf("%s: an assertion of another credential verifies", name)
			}
		}
		proof := good.by(p)
		for n := range proof.AuthenticatorData {
			cut := proof
			cut.AuthenticatorData = proof.AuthenticatorData[:n]
			if verifyAssertion(cred, challenge, cut) == nil {
				t.Errorf("%s: authenticator data cut at byte %d verify", name, n)
			}
		}
		for what, key := range map[string][]byte{
			"nothing": {}, "cut": p.cose[:len(p.cose)-1], "a byte after it": append(bytes.Clone(p.cose), 0), "no map": {0x80}, "a deep nest": bytes.Repeat([]byte{0x81}, 4000),
			"a map without end": {0xbf}, "the zero point": cose(make([]byte, 32), make([]byte, 32)), "another algorithm": bytes.Replace(bytes.Replace(p.cose, []byte{3, 0x26}, []byte{3, 0x25}, 1), []byte{3, 0x27}, []byte{3, 0x25}, 1),
		} {
			bad := cred
			bad.COSE = key
			if err := verifyAssertion(bad, challenge, proof); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: a public key that is %s: %v", name, what, err)
			}
		}
	}
}

// A passkey's approval verifies like a key file's, and serves no other request.
// covers P8
func TestPasskeyApproval(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	agency, err := GenerateKey(UseAgency, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range passkeys(t) {
		cert, err := IssueCertificate("nrrc.arden.example", agency, Certificate{
			Party: "arden.example", Station: "nrrc.arden.example", Pseudonym: "ARD-R-02", Roles: []string{"releasing"}, From: at.Add(-time.Hour), To: at.Add(time.Hour),
			Credential: Credential{Kind: CredentialWebAuthn, RPID: "arden.example", ID: []byte{7}, COSE: p.cose, Origins: []string{"https://arden.example"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		req := Request{Body: Sum([]byte("b")), ID: [16]byte{1}, Role: "releasing", Expires: at.Add(time.Minute), Policy: Sum([]byte("p")), Decision: "approve"}
		c := req.Challenge()
		proof := assertion{"arden.example", `{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(c[:]) + `","origin":"https://arden.example"}`, 5}.by(p)
		a, err := ParseApproval(Approval{Request: req, Certificate: cert, Proof: proof}.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		agencies := Agencies{{Party: "arden.example", Agency: "nrrc.arden.example", Key: agency.Public(), From: at.Add(-time.Hour), To: at.Add(time.Hour)}}
		v := NewVerifier()
		for range 2 {
			if _, err := v.Verify(a, "nrrc.arden.example", agencies, at); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		replayed := a
		replayed.Request.ID[0] = 2
		if _, err := v.Verify(replayed, "nrrc.arden.example", agencies, at); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: replayed for another request: %v", name, err)
		}
		if _, err := v.Verify(a, "nrrc.arden.example", agencies, at.Add(time.Minute)); err == nil {
			t.Errorf("%s: it verifies after its expiry", name)
		}
	}
}

// FuzzAssertion signs whatever words the browser is said to have sent, and reads
// what verifies a second time with the older JSON library.
// covers P8 P14
func FuzzAssertion(f *testing.F) {
	p := passkeys(f)["EdDSA"]
	challenge := Sum([]byte("challenge"))
	cred := Credential{Kind: CredentialWebAuthn, RPID: "arden.example", ID: []byte{1}, COSE: p.cose, Origins: []string{"https://arden.example"}}
	asked := base64.RawURLEncoding.EncodeToString(challenge[:])
	words := `{"type":"webauthn.get","challenge":"` + asked + `","origin":"https://arden.example"}`
	verify := func(client string) error {
		return verifyAssertion(cred, challenge, assertion{"arden.example", client, 5}.by(p))
	}
	accepted := []string{words, strings.Replace(words, "}", `,"crossOrigin":false,"other":[null]}`, 1)}
	rejected := []string{"", "{}", strings.Replace(words, ".get", ".create", 1), strings.Replace(words, "https", "http", 1), strings.Replace(words, "}", `,"crossOrigin":true}`, 1), strings.Replace(words, "}", `,"type":"webauthn.get"}`, 1), words + words}
	decodertest.Seeds(f, verify, accepted, rejected)
	f.Fuzz(func(t *testing.T, client string) {
		if err := verify(client); err != nil {
			decodertest.Refusal(t, err)
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(client), &plain); err != nil {
			t.Fatalf("%q verifies, and is no JSON to others: %v", client, err)
		}
		signed, err := base64.RawURLEncoding.DecodeString(plain["challenge"].(string))
		if plain["type"] != "webauthn.get" || err != nil || !bytes.Equal(signed, challenge[:]) || plain["origin"] != "https://arden.example" || plain["crossOrigin"] == true {
			t.Errorf("%q verifies", client)
		}
	})
}

// FuzzCOSE reads public keys: one that verifies a signature is the one that
// made it.
// covers P8 P14
func FuzzCOSE(f *testing.F) {
	p := passkeys(f)["ES256"]
	sig := p.sign([]byte("message"))
	verify := func(key []byte) error { return verifyCOSE(key, []byte("message"), sig) }
	rejected := [][]byte{{}, {0xa0}, {0xbf}, p.cose[:70], append(bytes.Clone(p.cose), 0), cose(make([]byte, 32), nil)}
	decodertest.Seeds(f, verify, [][]byte{p.cose}, rejected)
	x, y := p.cose[10:42], p.cose[45:]
	f.Fuzz(func(t *testing.T, key []byte) {
		if err := verify(key); err != nil {
			decodertest.Refusal(t, err)
		} else if !bytes.Contains(key, x) || !bytes.Contains(key, y) {
			t.Errorf("%x verifies what another key signed", key)
		}
	})
}
