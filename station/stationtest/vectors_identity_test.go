package stationtest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/seal"

	"github.com/fxamacker/cbor/v2"
)

type keysVector struct {
	About   string          `json:"about"`
	Keys    []keyVector     `json:"keys"`
	Sealing []sealingVector `json:"sealing"`
}

type keyVector struct {
	Name        string `json:"name"`
	Use         string `json:"use"`
	Seed        string `json:"seed"`
	Secret      string `json:"secret"`
	Public      string `json:"public"`
	Fingerprint string `json:"fingerprint"`
}

type sealingVector struct {
	Name      string `json:"name"`
	Identity  string `json:"identity"`
	Recipient string `json:"recipient"`
}

// vectorKeys are the keys of the vectors by name, with their uses.
var vectorKeys = []struct {
	name string
	use  identity.Use
}{
	{"arden.example root", identity.UseRoot},
	{"arden.example agency", identity.UseAgency},
	{"arden.example cosigner", identity.UseCosigner},
	{"arden.example officer 01", identity.UseOfficer},
	{"arden.example officer 02", identity.UseOfficer},
	{"nrrc.arden.example/to/nrrc.boreal.example/notification/1", identity.UseLog},
	{"nrrc.arden.example/to/nrrc.boreal.example/notification/2", identity.UseLog},
	{"boreal.example root", identity.UseRoot},
	{"boreal.example agency", identity.UseAgency},
	{"boreal.example cosigner", identity.UseCosigner},
	{"boreal.example officer 01", identity.UseOfficer},
	{"boreal.example officer 02", identity.UseOfficer},
	{"nrrc.boreal.example/to/nrrc.arden.example/notification/1", identity.UseLog},
}

func writeKeys(t testing.TB, w *world) {
	v := keysVector{About: "Keys of the vectors, for tests only. The seed of a signing key is the SHA-512 of \"" + seedPrefix + "\" and its name. Sealing identities were made once by age and are kept."}
	for _, k := range vectorKeys {
		key, seed := seeded(t, k.use, k.name), sha512.Sum512([]byte(seedPrefix+k.name))
		v.Keys = append(v.Keys, keyVector{k.name, k.use.String(), hex.EncodeToString(seed[:]), key.Secret(), key.Public().String(), key.Public().Fingerprint().String()})
	}
	for _, s := range []side{w.arden, w.boreal} {
		v.Sealing = append(v.Sealing,
			sealingVector{s.name + " sealing", s.sealing.Secret(), s.sealing.Recipient().String()},
			sealingVector{s.name + " archive", s.archive.Secret(), s.archive.Recipient().String()})
	}
	writeVector(t, "keys.json", v)
}

func readKeys(t *testing.T) {
	v := readVector[keysVector](t, "keys.json")
	if len(v.Keys) != len(vectorKeys) || len(v.Sealing) != 4 {
		t.Fatalf("%d keys and %d identities", len(v.Keys), len(v.Sealing))
	}
	for i, k := range v.Keys {
		use := vectorKeys[i].use
		seed := sha512.Sum512([]byte(seedPrefix + k.Name))
		key := must(identity.GenerateKey(use, bytes.NewReader(unhex(t, k.Seed))))(t)
		if k.Name != vectorKeys[i].name || k.Use != use.String() || k.Seed != hex.EncodeToString(seed[:]) || key.Secret() != k.Secret || key.Public().String() != k.Public || key.Public().Fingerprint().String() != k.Fingerprint {
			t.Errorf("key %s is another one", k.Name)
		}
		if read := must(identity.ParsePrivateKey(use, k.Secret))(t); !read.Public().Equal(must(identity.ParsePublicKey(use, k.Public))(t)) {
			t.Errorf("key %s: its halves do not belong together", k.Name)
		}
		if _, err := identity.ParsePublicKey(use%identity.UseOfficer+1, k.Public); err == nil {
			t.Errorf("key %s is taken for another use", k.Name)
		}
	}
	for _, s := range v.Sealing {
		if must(seal.ParseIdentity(s.Identity))(t).Recipient().String() != s.Recipient || must(seal.ParseRecipient(s.Recipient))(t).String() != s.Recipient {
			t.Errorf("identity %s and its recipient do not belong together", s.Name)
		}
	}
}

func identityOf(t testing.TB, name string) seal.Identity {
	t.Helper()
	for _, k := range readVector[keysVector](t, "keys.json").Sealing {
		if k.Name == name {
			return must(seal.ParseIdentity(k.Identity))(t)
		}
	}
	t.Fatalf("there is no identity %s", name)
	return seal.Identity{}
}

type namesVector struct {
	About  string `json:"about"`
	Accept []name `json:"accept"`
	Reject []name `json:"reject"`
}

type name struct {
	Kind       string `json:"kind"`
	Text       string `json:"text"`
	OriginHash string `json:"origin_hash,omitempty"` // of an origin: as it stands in paths
	Line       string `json:"line,omitempty"`        // of an origin
}

// readers read each kind of name and write it again.
var readers = map[string]func(string) (string, error){
	"name":  func(s string) (string, error) { n, err := identity.ParseStation(s); return string(n), err },
	"code":  func(s string) (string, error) { c, err := identity.ParseCode(s); return string(c), err },
	"class": func(s string) (string, error) { c, err := identity.ParseClass(s); return c.String(), err },
	"line":  func(s string) (string, error) { l, err := identity.ParseLine(s); return l.String(), err },
	"origin": func(s string) (string, error) {
		o, err := identity.ParseOrigin(s)
		return o.String(), err
	},
	"digest": func(s string) (string, error) { d, err := identity.ParseDigest(s); return d.String(), err },
	"id":     func(s string) (string, error) { i, err := message.ParseID(s); return i.String(), err },
	"citation": func(s string) (string, error) {
		c, err := message.ParseCitation(s)
		return message.Cite(c.Writer, c.Reader, max(c.Class, identity.Technical), c.Era, c.Index), err
	},
}

func writeNames(t testing.TB, _ *world) {
	long := strings.Repeat("a", identity.MaxName)
	v := namesVector{About: "What parses comes back as the same text."}
	for _, n := range [][2]string{
		{"name", "arden.example"}, {"name", "nrrc.arden.example"}, {"name", "a"}, {"name", "0-1.x"}, {"name", long},
		{"code", "ARD"}, {"class", "technical"}, {"class", "notification"}, {"class", "leadership"},
		{"line", "nrrc.arden.example/nrrc.boreal.example/notification"},
		{"origin", "nrrc.arden.example/to/nrrc.boreal.example/notification/1"}, {"origin", "nrrc.boreal.example/to/nrrc.arden.example/leadership/4294967295"},
		{"digest", strings.Repeat("0123456789abcdef", 4)}, {"id", strings.Repeat("0123456789abcdef", 2)},
		{"citation", "ARD/BOR-N1-0"}, {"citation", "BOR/ARD-L12-417"},
	} {
		entry := name{Kind: n[0], Text: n[1]}
		if n[0] == "origin" {
			o := must(identity.ParseOrigin(n[1]))(t)
			entry.OriginHash, entry.Line = line.OriginHash(o).String(), o.Line().String()
		}
		v.Accept = append(v.Accept, entry)
	}
	for _, n := range [][2]string{
		{"name", ""}, {"name", "Arden.example"}, {"name", "arden..example"}, {"name", "-arden.example"}, {"name", "arden-.example"}, {"name", "arden.example."},
		{"name", "arden_1.example"}, {"name", "ärden.example"}, {"name", "а.example"}, {"name", long + "a"},
		{"code", "ard"}, {"code", "ARDE"}, {"code", "AR1"}, {"class", "Technical"}, {"class", "N"},
		{"line", "nrrc.arden.example/nrrc.arden.example/notification"}, {"line", "nrrc.arden.example/nrrc.boreal.example"},
		{"origin", "nrrc.arden.example/to/nrrc.boreal.example/notification/0"}, {"origin", "nrrc.arden.example/to/nrrc.boreal.example/notification/01"},
		{"origin", "nrrc.arden.example/to/nrrc.boreal.example/notification/4294967296"}, {"origin", "nrrc.arden.example/to/nrrc.arden.example/notification/1"},
		{"origin", "nrrc.arden.example/for/nrrc.boreal.example/notification/1"}, {"origin", "nrrc.arden.example/to/nrrc.boreal.example/notification"},
		{"digest", strings.Repeat("0123456789ABCDEF", 4)}, {"digest", strings.Repeat("0", 63)}, {"id", strings.Repeat("0", 31)}, {"id", strings.Repeat("F", 32)},
		{"citation", "ARD/BOR-N0-1"}, {"citation", "ARD/BOR-N1-01"}, {"citation", "ARD/BOR-X1-1"}, {"citation", "ARD-BOR-N1-1"},
	} {
		v.Reject = append(v.Reject, name{Kind: n[0], Text: n[1]})
	}
	writeVector(t, "names.json", v)
}

func readNames(t *testing.T) {
	v := readVector[namesVector](t, "names.json")
	for _, n := range v.Accept {
		if got, err := readers[n.Kind](n.Text); err != nil || got != n.Text {
			t.Errorf("%s %q: got %q, %v", n.Kind, n.Text, got, err)
		}
		if n.Kind != "origin" {
			continue
		}
		if o := must(identity.ParseOrigin(n.Text))(t); line.OriginHash(o).String() != n.OriginHash || o.Line().String() != n.Line {
			t.Errorf("origin %s: hash %s, line %s", n.Text, line.OriginHash(o), o.Line())
		}
	}
	for _, n := range v.Reject {
		if _, err := readers[n.Kind](n.Text); err == nil {
			t.Errorf("%s %q is accepted", n.Kind, n.Text)
		}
	}
}

// signedLine returns the nth line of signatures of a note.
func signedLine(note []byte, n int) string {
	_, lines, _ := strings.Cut(string(note), "\n\n")
	return strings.Split(lines, "\n")[n]
}

// sameNote fails unless two notes have one text and one Ed25519 signature; the
// ML-DSA-44 signature is randomised.
func sameNote(t *testing.T, what string, got, want []byte) {
	t.Helper()
	a, _, _ := bytes.Cut(got, []byte("\n\n"))
	b, _, _ := bytes.Cut(want, []byte("\n\n"))
	if !bytes.Equal(a, b) || signedLine(got, 0) != signedLine(want, 0) {
		t.Errorf("%s: the code writes another note", what)
	}
}

func writeRoots(t testing.TB, w *world) {
	writeFile(t, "arden.example.root", w.arden.Bundle.Root)
	writeFile(t, "boreal.example.root", w.boreal.Bundle.Root)
}

func readRoots(t *testing.T) {
	for _, party := range []identity.Party{"arden.example", "boreal.example"} {
		note := readFile(t, string(party)+".root")
		key := seeded(t, identity.UseRoot, string(party)+" root")
		r := must(identity.ParseRoot(note))(t)
		if r.Party != party || !r.Key.Equal(key.Public()) {
			t.Errorf("the root of %s is %s %s", party, r.Party, r.Key.Fingerprint())
		}
		sameNote(t, string(party), must(identity.SignRoot(party, key))(t), note)
		lines := strings.SplitAfter(string(note), "\n")
		for what, bad := range map[string]string{
			"without its Ed25519 line":   strings.Join(append(lines[:2:2], lines[3:]...), ""),
			"without its ML-DSA-44 line": strings.Join(lines[:3], ""),
			"with a line too many":       string(note) + lines[2],
			"with a space more":          strings.Replace(string(note), `{"key"`, `{ "key"`, 1),
		} {
			if _, err := identity.ParseRoot([]byte(bad)); err == nil {
				t.Errorf("a root %s is accepted", what)
			}
		}
	}
}

type cardsVector struct {
	About        string   `json:"about"`
	ArdenDigest  string   `json:"arden_card_digest"`
	BorealDigest string   `json:"boreal_card_digest"`
	Digits       []string `json:"digits"`
	ArdenReads   string   `json:"arden_reads"`
	BorealReads  string   `json:"boreal_reads"`
	ArdenParts   []string `json:"arden_parts"`
}

func writeCards(t testing.TB, w *world) {
	writeFile(t, "nrrc.arden.example.cards", w.arden.Bundle.Bytes())
	writeFile(t, "nrrc.boreal.example.cards", w.boreal.Bundle.Bytes())
	a, b := must(w.arden.Bundle.Verify(w.arden.Root.Public(), start))(t), must(w.boreal.Bundle.Verify(w.boreal.Root.Public(), start))(t)
	digits := identity.Digits(a, b)
	writeVector(t, "cards.json", cardsVector{
		About:       "Over the two files of cards: digests of the station cards, pairing digits, and the texts of QR codes that carry Arden's (another deflate may cut them otherwise).",
		ArdenDigest: a.CardDigest.String(), BorealDigest: b.CardDigest.String(), Digits: digits,
		ArdenReads: identity.OddHalf(digits), BorealReads: identity.EvenHalf(digits), ArdenParts: w.arden.Bundle.Parts(),
	})
}

// vectorCards returns a station's verified cards from its file.
func vectorCards(t testing.TB, party string) identity.Verified {
	t.Helper()
	b := must(identity.ParseBundle(readFile(t, "nrrc."+party+".cards")))(t)
	return must(b.Verify(seeded(t, identity.UseRoot, party+" root").Public(), start))(t)
}

func readCards(t *testing.T) {
	v := readVector[cardsVector](t, "cards.json")
	a, b := vectorCards(t, "arden.example"), vectorCards(t, "boreal.example")
	if a.CardDigest.String() != v.ArdenDigest || b.CardDigest.String() != v.BorealDigest {
		t.Errorf("cards %s and %s", a.CardDigest, b.CardDigest)
	}
	for _, digits := range [][]string{identity.Digits(a, b), identity.Digits(b, a)} {
		if strings.Join(digits, " ") != strings.Join(v.Digits, " ") || identity.OddHalf(digits) != v.ArdenReads || identity.EvenHalf(digits) != v.BorealReads {
			t.Errorf("digits %v", digits)
		}
	}
	file := readFile(t, "nrrc.arden.example.cards")
	bundle := must(identity.ParseBundle(file))(t)
	if joined := must(identity.JoinParts(v.ArdenParts))(t); !bytes.Equal(joined.Bytes(), file) || !bytes.Equal(bundle.Bytes(), file) {
		t.Error("the parts give another bundle")
	}
	if again := must(identity.JoinParts(bundle.Parts()))(t); !bytes.Equal(again.Bytes(), file) {
		t.Error("parts that were just cut give another bundle")
	}
	if _, err := identity.JoinParts(v.ArdenParts[1:]); err == nil {
		t.Error("parts with one missing are joined")
	}
	if _, err := bundle.Verify(b.Root.Key, start); err == nil {
		t.Error("cards verify under another party's root")
	}
	if _, err := bundle.Verify(a.Root.Key, vectorEnd); err == nil {
		t.Error("cards verify at the end of their validity")
	}
	root := seeded(t, identity.UseRoot, "arden.example root")
	sameNote(t, "station card", must(identity.EndorseCard(root, a.Card))(t), bundle.Station)
	sameNote(t, "agency card", must(identity.EndorseAgency(root, a.Agency))(t), bundle.Agency)
}

type successionVector struct {
	About  string `json:"about"`
	Old    string `json:"old"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Reason string `json:"reason"`
	New    string `json:"new"`
	At     string `json:"at"`
	Note   string `json:"note"`
}

func (v successionVector) succession(t testing.TB) identity.Succession {
	return identity.Succession{
		Old: must(identity.ParseOrigin(v.Old))(t), Size: v.Size, Root: must(identity.ParseDigest(v.Root))(t), Reason: v.Reason,
		New: must(identity.ParseOrigin(v.New))(t), At: must(time.Parse(time.RFC3339, v.At))(t).UTC(),
	}
}

func writeSuccession(t testing.TB, _ *world) {
	next := abLine.Log(arden, 2)
	v := successionVector{
		About: "The end of Arden's log of era 1, under the key of era 2 that Arden's card lists.",
		Old:   abLog.String(), Size: 3, Root: identity.Sum([]byte("a root")).String(), Reason: "choice", New: next.String(), At: start.Format(time.RFC3339),
	}
	v.Note = string(must(identity.SignSuccession(seeded(t, identity.UseLog, next.String()), v.succession(t)))(t))
	writeVector(t, "succession.json", v)
}

func readSuccession(t *testing.T) {
	v := readVector[successionVector](t, "succession.json")
	card := vectorCards(t, "arden.example").Card
	if got := must(identity.OpenSuccession(card, []byte(v.Note)))(t); got != v.succession(t) {
		t.Errorf("the note says %+v", got)
	}
	sameNote(t, "succession", must(identity.SignSuccession(seeded(t, identity.UseLog, v.New), v.succession(t)))(t), []byte(v.Note))
	if _, err := identity.OpenSuccession(vectorCards(t, "boreal.example").Card, []byte(v.Note)); err == nil {
		t.Error("the note verifies under another station's card")
	}
	if _, err := identity.OpenSuccession(card, bytes.Replace([]byte(v.Note), []byte(`"size":3`), []byte(`"size":4`), 1)); err == nil {
		t.Error("a changed note verifies")
	}
}

type approvalsVector struct {
	About     string           `json:"about"`
	Approvals []approvalVector `json:"approvals"`
}

type approvalVector struct {
	Name      string `json:"name"`
	Station   string `json:"station"`
	Agency    string `json:"agency"`
	At        string `json:"at"`
	Pseudonym string `json:"pseudonym"`
	Request   string `json:"request"`   // its canonical JSON
	Challenge string `json:"challenge"` // in hexadecimal
	Approval  string `json:"approval"`  // its canonical JSON
}

// vectorRequest is a request for the release of the first body of bodies.json.
func vectorRequest() identity.Request {
	return identity.Request{
		Body: identity.Sum([]byte(vectorBody)), ID: [16]byte{15: 7}, Role: "releasing", Expires: start.Add(time.Hour),
		Policy: message.DefaultPolicy().Digest(), Decision: "approve",
	}
}

// verifyAs verifies an approval for a station whose cards are at hand.
func verifyAs(a identity.Approval, name identity.Station, by identity.Verified, at time.Time) (identity.Certificate, error) {
	return a.Verify(name, by.Agencies, at)
}

func writeApprovals(t testing.TB, w *world) {
	v := approvalsVector{About: "Approvals of a key file and of a passkey, with the request that is signed and the challenge over it."}
	o := w.arden.Officers[0]
	byKey := must(identity.ApproveWithKey(o.Key, o.Certificate, vectorRequest()))(t)
	byPasskey := passkeyApproval(t, w, vectorRequest())
	own := must(w.arden.Bundle.Verify(w.arden.Root.Public(), start))(t)
	for name, a := range map[string]identity.Approval{"key file": byKey, "passkey": byPasskey} {
		cert := must(verifyAs(a, arden, own, start))(t)
		_, request, _ := strings.Cut(string(a.Bytes()), `"request":`)
		v.Approvals = append(v.Approvals, approvalVector{
			name, string(arden), string(w.arden.Card.Agency), start.Format(time.RFC3339), cert.Pseudonym,
			strings.TrimSuffix(request, "}"), a.Request.Challenge().String(), string(a.Bytes()),
		})
	}
	if v.Approvals[0].Name != "key file" {
		v.Approvals[0], v.Approvals[1] = v.Approvals[1], v.Approvals[0]
	}
	writeVector(t, "approvals.json", v)
}

// passkeyApproval is what a browser and an authenticator give for a request.
func passkeyApproval(t testing.TB, w *world, r identity.Request) identity.Approval {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	point := must(key.PublicKey.Bytes())(t)
	cose := must(cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}))(t)
	c := w.arden.Card
	cert := must(identity.IssueCertificate(c.Agency, w.arden.Agency, identity.Certificate{
		Party: c.Party, Station: c.Station, Pseudonym: "ARD-W-03", Roles: []string{"releasing"}, From: start, To: vectorEnd,
		Credential: identity.Credential{Kind: identity.CredentialWebAuthn, RPID: "arden.example", ID: []byte("credential 3"), COSE: cose, Origins: []string{"https://console.arden.example"}},
	}))(t)
	challenge := r.Challenge()
	client := []byte(`{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(challenge[:]) + `","origin":"https://console.arden.example","crossOrigin":false}`)
	party := sha256.Sum256([]byte("arden.example"))
	auth := append(party[:], 0x05, 0, 0, 0, 9)
	clientHash := sha256.Sum256(client)
	signed := sha256.Sum256(append(bytes.Clone(auth), clientHash[:]...))
	return identity.Approval{Request: r, Certificate: cert, Proof: identity.Proof{
		Kind: identity.CredentialWebAuthn, AuthenticatorData: auth, ClientDataJSON: client, Assertion: must(ecdsa.SignASN1(rand.Reader, key, signed[:]))(t),
	}}
}

func readApprovals(t *testing.T) {
	v := readVector[approvalsVector](t, "approvals.json")
	if len(v.Approvals) != 2 {
		t.Fatalf("%d approvals", len(v.Approvals))
	}
	own := vectorCards(t, "arden.example")
	for _, x := range v.Approvals {
		a := must(identity.ParseApproval([]byte(x.Approval)))(t)
		at := must(time.Parse(time.RFC3339, x.At))(t)
		if string(a.Bytes()) != x.Approval || !strings.Contains(x.Approval, `"request":`+x.Request) {
			t.Errorf("%s: the code writes another approval", x.Name)
		}
		if want := sha256.Sum256([]byte("detente/release/v1\x00" + x.Request)); a.Request.Challenge().String() != x.Challenge || hex.EncodeToString(want[:]) != x.Challenge {
			t.Errorf("%s: the challenge is %s", x.Name, a.Request.Challenge())
		}
		if !a.Request.Equal(vectorRequest()) || own.Agency.Agency != identity.Agency(x.Agency) {
			t.Errorf("%s: it asks for %+v of %s", x.Name, a.Request, x.Agency)
		}
		cert := must(verifyAs(a, identity.Station(x.Station), own, at))(t)
		if cert.Pseudonym != x.Pseudonym {
			t.Errorf("%s: it is of %s", x.Name, cert.Pseudonym)
		}
		other := a
		other.Request.Decision = "reject"
		if _, err := verifyAs(other, identity.Station(x.Station), own, at); err == nil {
			t.Errorf("%s: it verifies for another decision", x.Name)
		}
		if _, err := verifyAs(a, identity.Station(x.Station), own, a.Request.Expires); err == nil {
			t.Errorf("%s: it verifies when it has expired", x.Name)
		}
		if _, err := verifyAs(a, bor, own, at); err == nil {
			t.Errorf("%s: it verifies for another station", x.Name)
		}
	}
	x := v.Approvals[0]
	o := must(identity.ParseApproval([]byte(x.Approval)))(t)
	again := must(identity.ApproveWithKey(seeded(t, identity.UseOfficer, "arden.example officer 01"), o.Certificate, o.Request))(t)
	if !bytes.Equal(again.Proof.Signature.Ed25519, o.Proof.Signature.Ed25519) {
		t.Error("the officer's key gives another Ed25519 signature")
	}
}
