package station_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station/stationtest"

	"golang.org/x/mod/sumdb/tlog"
)

// members are the files of a record, by name.
type members map[string][]byte

// unpack reads a record's files.
func unpack(t *testing.T, file []byte) members {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	m := make(members)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if m[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// pack writes a record as the exporter would, manifest and all: whoever alters a
// record can do as much.
func (m members) pack(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	manifest := "detente/manifest/v1\n"
	put := func(name string, content []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name == "manifest.txt" {
			continue
		}
		manifest += fmt.Sprintf("%s %s\n", identity.Sum(m[name]), name)
		put(name, m[name])
	}
	put("manifest.txt", []byte(manifest))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// indexOf is record.json, as far as tests change it.
type indexOf struct {
	Format string  `json:"format"`
	Kind   string  `json:"kind"`
	Logs   []logOf `json:"logs"`
}

type logOf struct {
	Origin    string  `json:"origin"`
	Size      int64   `json:"size"`
	Indexes   []int64 `json:"indexes"`
	Disclosed []int64 `json:"disclosed"`
	Unproven  []int64 `json:"unproven"`
}

// index changes record.json.
func (m members) index(t *testing.T, change func(*indexOf)) {
	t.Helper()
	var x indexOf
	if err := json.Unmarshal(m["record.json"], &x); err != nil {
		t.Fatal(err)
	}
	change(&x)
	text, err := json.Marshal(x, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	m["record.json"] = append(text, '\n')
}

// forger writes logs of two parties as no honest station would.
type forger struct {
	t     *testing.T
	casts map[identity.Station]*stationtest.Cast
	files members
	x     indexOf
}

func newForger(t *testing.T) *forger {
	f := &forger{t: t, casts: make(map[identity.Station]*stationtest.Cast), files: make(members), x: indexOf{Format: "detente/record/v1", Kind: "line", Logs: []logOf{}}}
	for _, c := range []struct {
		name   string
		code   identity.Code
		reader identity.Station
	}{{"arden.example", "ARD", bor}, {"boreal.example", "BOR", arden}} {
		cast, err := stationtest.NewCast(rand.Reader, start, c.name, c.code, c.reader)
		if err != nil {
			t.Fatal(err)
		}
		f.casts[cast.Card.Station] = cast
	}
	return f
}

// log writes a whole log in both parties' names, receipted at a time.
func (f *forger) log(o identity.Origin, receipted time.Time, entries ...message.Entry) {
	f.t.Helper()
	writer, reader := f.casts[o.Writer], f.casts[o.Reader]
	folder := fmt.Sprintf("%s-%s-%s%d/", writer.Card.Code, reader.Card.Code, o.Class.Letter(), o.Era)
	var sealed [][]byte
	l := logOf{Origin: o.String(), Size: int64(len(entries)), Indexes: []int64{}, Disclosed: []int64{}, Unproven: []int64{}}
	period := seal.PeriodOf(start)
	for i, e := range entries {
		plain, err := e.Plain()
		f.must(err)
		closed, err := seal.Seal(plain, reader.Keys.Sealing[period].Recipient(), writer.Keys.Archive[period].Recipient())
		f.must(err)
		_, key, err := seal.Open(closed, reader.Keys.Sealing[period])
		f.must(err)
		sealed = append(sealed, closed)
		at := fmt.Sprintf("%s%08d/", folder, i)
		f.files[at+"entry.age"], f.files[at+"filekey"] = closed, []byte(key.Disclose()+"\n")
		l.Indexes, l.Disclosed = append(l.Indexes, int64(i)), append(l.Disclosed, int64(i))
	}
	f.prove(o, folder, sealed, receipted)
	f.x.Logs = append(f.x.Logs, l)
}

// prove writes proofs of all entries under one signed and receipted head.
func (f *forger) prove(o identity.Origin, folder string, sealed [][]byte, receipted time.Time) {
	f.t.Helper()
	writer, reader := f.casts[o.Writer], f.casts[o.Reader]
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, s := range sealed {
		more, err := tlog.StoredHashes(int64(i), s, hashes)
		f.must(err)
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(len(sealed)), hashes)
	f.must(err)
	head := journal.Head{Origin: o, Size: int64(len(sealed)), Root: root}
	signer, err := journal.NewSigner(o, writer.Keys.Logs[o])
	f.must(err)
	checkpoint, err := signer.Sign(head, receipted)
	f.must(err)
	name := reader.Card.CosignerName()
	cosigner, err := journal.NewCosigner(name, reader.Keys.Cosigner)
	f.must(err)
	given, err := cosigner.Cosign(head, receipted)
	f.must(err)
	policy := journal.PolicyFile(o, writer.Keys.Logs[o].Public(), map[string]identity.PublicKey{name: reader.Keys.Cosigner.Public()})
	for i := range sealed {
		p, err := tlog.ProveRecord(head.Size, int64(i), hashes)
		f.must(err)
		text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", i)
		for _, h := range p {
			text += h.String() + "\n"
		}
		at := fmt.Sprintf("%s%08d/", folder, i)
		f.files[at+"proof.tlog-proof"], f.files[at+"policy.txt"] = []byte(text+"\n"+string(checkpoint)+string(given.Lines)), policy
	}
}

func (f *forger) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// verify packs what was written and verifies it.
func (f *forger) verify() record.Report {
	f.t.Helper()
	slices.SortFunc(f.x.Logs, func(a, b logOf) int { return strings.Compare(a.Origin, b.Origin) })
	text, err := json.Marshal(f.x, json.Deterministic(true))
	f.must(err)
	f.files["record.json"] = append(text, '\n')
	var roots []identity.Root
	for name, c := range f.casts {
		f.files["cards/"+string(name)+".cards"] = c.Bundle.Bytes()
		roots = append(roots, c.RootInfo)
	}
	return verify(f.t, f.files.pack(f.t), roots)
}

// body makes a body of a station's.
func (f *forger) body(from identity.Station, format message.Format, typed ...string) message.Frozen {
	f.t.Helper()
	cast := f.casts[from]
	params, err := cast.Book.Compose(format, typed)
	f.must(err)
	l, err := identity.NewLine(arden, bor, identity.Notification)
	f.must(err)
	b := message.Body{
		Format: format, Edition: cast.Book.Hash(), Line: l, From: from, To: l.Other(from), Precedence: message.Routine,
		Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params,
	}
	_, err = io.ReadFull(rand.Reader, b.ID[:])
	f.must(err)
	frozen, err := b.Freeze()
	f.must(err)
	return frozen
}

// release puts a body into a wrapper with the approvals of a writer's first
// officers, under a policy.
func (f *forger) release(b message.Frozen, at time.Time, policy message.Policy, officers int) message.Entry {
	f.t.Helper()
	e := message.Entry{Body: b, Wrapper: message.Wrapper{At: at}}
	for _, o := range f.casts[b.Body().From].Officers[:officers] {
		a, err := o.Sign(identity.Request{Body: b.Digest(), ID: [16]byte{7}, Role: "releasing", Expires: at.Add(time.Hour), Policy: policy.Digest(), Decision: "approve"})
		f.must(err)
		e.Wrapper.Approvals = append(e.Wrapper.Approvals, a)
	}
	return e
}

// passkey signs a request with a new passkey of an officer of Arden's.
func (f *forger) passkey(pseudonym string, q identity.Request) identity.Approval {
	f.t.Helper()
	const rp, page = "console.arden.example", "https://console.arden.example"
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	f.must(err)
	cast := f.casts[arden]
	cert, err := identity.IssueCertificate(cast.Card.Agency, cast.Agency, identity.Certificate{
		Party: cast.Card.Party, Station: arden, Pseudonym: pseudonym, Roles: []string{"releasing"}, From: cast.Card.From, To: cast.Card.To,
		Credential: identity.Credential{
			Kind: identity.CredentialWebAuthn, RPID: rp, ID: []byte{1}, Origins: []string{page},
			COSE: slices.Concat([]byte{0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32}, pub),
		},
	})
	f.must(err)
	challenge := q.Challenge()
	client := fmt.Appendf(nil, `{"type":"webauthn.get","challenge":%q,"origin":%q}`, base64.RawURLEncoding.EncodeToString(challenge[:]), page)
	party, hash := sha256.Sum256([]byte(rp)), sha256.Sum256(client)
	data := slices.Concat(party[:], []byte{0x05, 0, 0, 0, 1})
	return identity.Approval{Request: q, Certificate: cert, Proof: identity.Proof{
		Kind: identity.CredentialWebAuthn, AuthenticatorData: data, ClientDataJSON: client, Assertion: ed25519.Sign(key, slices.Concat(data, hash[:])),
	}}
}

// policy is a body that states the default policy.
func (f *forger) policy(from identity.Station) message.Frozen {
	f.t.Helper()
	params, err := message.DefaultPolicy().Params()
	f.must(err)
	params["from_entry"] = []byte("1")
	b := f.body(from, "600", "text=x").Body()
	b.Format, b.Params = "005", params
	frozen, err := b.Freeze()
	f.must(err)
	return frozen
}
