package stationtest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"flag"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
	"detente/store/memory"
)

// The test vectors of docs/protocol.md. `go test ./station/stationtest -run Vectors -update`
// writes them anew; a plain run holds the code to them.

var update = flag.Bool("update", false, "write the test vectors of docs/vectors anew")

const vectorDir = "../../docs/vectors"

// seedPrefix stands before a key's name in what its seed is the SHA-512 of.
const seedPrefix = "detente/vectors/v1/"

// vectorPeriod is the one month for which the vectors' stations have keys.
const vectorPeriod = seal.Period("2026-11")

var (
	start     = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	arden     = identity.Station("nrrc.arden.example")
	bor       = identity.Station("nrrc.boreal.example")
	abLine    = identity.Line{A: arden, B: bor, Class: identity.Notification}
	abLog     = abLine.Log(arden, 1)
	vectorEnd = start.AddDate(2, 0, 0)
)

// seeded returns the key of a name: its 64 secret bytes are the SHA-512 of the
// prefix and the name.
func seeded(t testing.TB, use identity.Use, name string) identity.PrivateKey {
	t.Helper()
	seed := sha512.Sum512([]byte(seedPrefix + name))
	return must(identity.GenerateKey(use, bytes.NewReader(seed[:])))(t)
}

// must returns a function that fails the test unless err is nil.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// readVector reads a vector file; members that no test knows are an error.
func readVector[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(readFile(t, name), &v, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	return must(os.ReadFile(filepath.Join(vectorDir, name)))(t)
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(vectorDir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeVector(t testing.TB, name string, v any) {
	t.Helper()
	text := must(json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true)))(t)
	writeFile(t, name, append(text, '\n'))
}

// side is who stands at one end of the vectors' line.
type side struct {
	*stationtest.Cast
	name, code string
	sealing    seal.Identity
	archive    seal.Identity
}

// world is what the vectors are made of: two parties with keys from seeds.
type world struct {
	arden, boreal side
	line          recorded
}

// vectorFiles are the vector files, with what makes each and what reads it. No
// file lies beside them.
var vectorFiles = []struct {
	name  string
	write func(testing.TB, *world)
	read  func(*testing.T)
}{
	{"keys.json", writeKeys, readKeys},
	{"names.json", writeNames, readNames},
	{"arden.example.root", writeRoots, readRoots},
	{"boreal.example.root", nil, readRoots},
	{"nrrc.arden.example.cards", writeCards, readCards},
	{"nrrc.boreal.example.cards", nil, readCards},
	{"cards.json", nil, readCards},
	{"succession.json", writeSuccession, readSuccession},
	{"approvals.json", writeApprovals, readApprovals},
	{"bodies.json", writeBodies, readBodies},
	{"entries.json", writeEntries, readEntries},
	{"sealed.json", writeSealed, readSealed},
	{"policy.json", writePolicy, readPolicy},
	{"checkpoint.json", writeCheckpoint, readCheckpoint},
	{"tree.json", writeTree, readTree},
	{"wire.json", writeWire, readWire},
	{"evidence.json", writeEvidence, readEvidence},
	{"line.record", writeRecord, readRecord},
	{"record.json", nil, readRecord},
}

// Every vector says what the code does, and every file is read.
func TestVectors(t *testing.T) {
	if *update {
		w := newWorld(t)
		for _, f := range vectorFiles {
			if f.write != nil {
				f.write(t, w)
			}
		}
	}
	var listed []string
	for _, f := range vectorFiles {
		listed = append(listed, f.name)
		t.Run(f.name, f.read)
	}
	slices.Sort(listed)
	var lying []string
	for _, f := range must(os.ReadDir(vectorDir))(t) {
		lying = append(lying, f.Name())
	}
	if !slices.Equal(listed, lying) {
		t.Errorf("the test reads %v, and in %s lie %v", listed, vectorDir, lying)
	}
}

// newWorld makes the two parties. Sealing identities, which age makes from
// randomness of its own, are kept from one writing of the vectors to the next.
func newWorld(t testing.TB) *world {
	w := &world{
		arden:  side{name: "arden.example", code: "ARD"},
		boreal: side{name: "boreal.example", code: "BOR"},
	}
	for _, s := range []*side{&w.arden, &w.boreal} {
		s.sealing, s.archive = keptIdentity(t, s.name+" sealing"), keptIdentity(t, s.name+" archive")
	}
	w.arden.Cast = newVectorCast(t, &w.arden, bor, 2)
	w.boreal.Cast = newVectorCast(t, &w.boreal, arden, 1)
	w.line = recordLine(t, w)
	return w
}

func keptIdentity(t testing.TB, name string) seal.Identity {
	t.Helper()
	if _, err := os.Stat(filepath.Join(vectorDir, "keys.json")); err == nil {
		for _, k := range readVector[keysVector](t, "keys.json").Sealing {
			if k.Name == name {
				return must(seal.ParseIdentity(k.Identity))(t)
			}
		}
	}
	return must(seal.GenerateIdentity())(t)
}

// vectorCard is the station's card: one line, and as many eras of its log as are
// endorsed in advance.
func vectorCard(t testing.TB, s *side, reader identity.Station, eras identity.Era) identity.Card {
	c := identity.Card{
		Party: identity.Party(s.name), Agency: identity.Agency("nrrc." + s.name), Station: identity.Station("nrrc." + s.name), Code: identity.Code(s.code),
		Serial: 1, From: start, To: vectorEnd, Endpoints: []string{"https://line." + s.name + ":8443"},
		TLS:      []identity.TLSKey{{SPKI: identity.Sum([]byte(s.name + " TLS key")), From: start, To: vectorEnd}},
		Cosigner: seeded(t, identity.UseCosigner, s.name+" cosigner").Public(),
		Sealing:  []identity.SealingKey{{Period: string(vectorPeriod), Recipient: s.sealing.Recipient().String()}},
	}
	for era := identity.Era(1); era <= eras; era++ {
		o := identity.Origin{Writer: c.Station, Reader: reader, Class: identity.Notification, Era: era}
		c.Logs = append(c.Logs, identity.LogKey{Reader: reader, Class: o.Class, Era: era, Key: seeded(t, identity.UseLog, o.String()).Public()})
	}
	return c
}

func newVectorCast(t testing.TB, s *side, reader identity.Station, eras identity.Era) *stationtest.Cast {
	c := &stationtest.Cast{
		Root: seeded(t, identity.UseRoot, s.name+" root"), Agency: seeded(t, identity.UseAgency, s.name+" agency"),
		Card: vectorCard(t, s, reader, eras), Book: must(book.Embedded())(t),
	}
	c.RootInfo = identity.Root{Party: c.Card.Party, Key: c.Root.Public()}
	c.Keys = station.Keys{
		Cosigner: seeded(t, identity.UseCosigner, s.name+" cosigner"),
		Logs:     map[identity.Origin]identity.PrivateKey{},
		Sealing:  map[seal.Period]seal.Identity{vectorPeriod: s.sealing}, Archive: map[seal.Period]seal.Identity{vectorPeriod: s.archive},
	}
	for era := identity.Era(1); era <= eras; era++ {
		o := identity.Origin{Writer: c.Card.Station, Reader: reader, Class: identity.Notification, Era: era}
		c.Keys.Logs[o] = seeded(t, identity.UseLog, o.String())
	}
	c.Bundle.Root = must(identity.SignRoot(c.Card.Party, c.Root))(t)
	c.Bundle.Agency = must(identity.EndorseAgency(c.Root, identity.AgencyCard{Party: c.Card.Party, Agency: c.Card.Agency, Key: c.Agency.Public(), From: start, To: vectorEnd}))(t)
	c.Bundle.Station = must(identity.EndorseCard(c.Root, c.Card))(t)
	for _, n := range []string{"01", "02"} {
		o := stationtest.Officer{Pseudonym: s.code + "-" + n, Key: seeded(t, identity.UseOfficer, s.name+" officer "+n)}
		o.Certificate = must(identity.IssueCertificate(c.Card.Agency, c.Agency, identity.Certificate{
			Party: c.Card.Party, Station: c.Card.Station, Pseudonym: o.Pseudonym, Roles: []string{"watch", "releasing"}, From: start, To: vectorEnd,
			Credential: identity.Credential{Kind: identity.CredentialKey, Key: o.Key.Public()},
		}))(t)
		c.Officers = append(c.Officers, o)
	}
	return c
}

// recorded is the vectors' line as its two stations kept it: exported, and some
// of what stands in it.
type recorded struct {
	file   []byte
	plain  []byte // of the message that two officers released
	sealed []byte // the same as it stands in the log
}

// vectorEntry is the folder of that message in the exported record.
const vectorEntry = "ARD-BOR-N1/00000002/"

// open starts a party's station.
func open(t testing.TB, c *stationtest.Cast) stationtest.End {
	dir := t.TempDir()
	s := must(station.New(t.Context(), start, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")),
		Blobs: must(store.OpenBlobDir(filepath.Join(dir, "blobs")))(t), Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)),
	}, func(f station.Finish) (station.Store, error) { return memory.Open(memory.NewDisk(), f, nil), nil }))(t)
	return stationtest.End{Station: s, Cast: c}
}

// recordLine lets two stations open a line and say one thing each.
func recordLine(t testing.TB, w *world) recorded {
	ctx := context.Background()
	a, b := open(t, w.arden.Cast), open(t, w.boreal.Cast)
	defer a.Close(start)
	defer b.Close(start)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(stationtest.Introduce(ctx, start, a, b))
	for _, e := range []stationtest.End{a, b} {
		check(e.OpenLine(ctx, start, abLine, station.DefaultTerms()))
	}
	for _, e := range []stationtest.End{a, b} {
		check(e.Tick(ctx, start))
	}
	check(stationtest.Settle(ctx, start, abLine, a, b))
	var said station.Read
	for i, e := range []stationtest.End{b, a} {
		now := start.Add(time.Duration(i+1) * time.Minute)
		out, err := e.Say(ctx, now, station.Draft{Line: abLine, Format: "600", ID: message.ID{byte(i + 1)}}, "text=good day")
		check(err)
		check(stationtest.Settle(ctx, now, abLine, a, b))
		said, err = e.ReadMessage(ctx, stationtest.Operator(), now, out.ID)
		check(err)
	}
	var file bytes.Buffer
	check(a.Export(ctx, stationtest.Operator(), start, station.Export{Line: abLine.String(), Disclose: true}, &file))
	r := recorded{file: file.Bytes(), plain: said.Plain}
	if rep := must(record.Verify(bytes.NewReader(r.file), int64(len(r.file)), []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo}))(t); rep.Verdict != record.Valid {
		t.Fatalf("%+v", rep)
	}
	r.sealed = membersOf(t, r.file)[vectorEntry+"entry.age"]
	return r
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	return must(hex.DecodeString(s))(t)
}
