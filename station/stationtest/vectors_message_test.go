package stationtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/seal"

	"golang.org/x/mod/sumdb/tlog"
)

// vectorBody is the first accepted body: every member stands in it.
const vectorBody = `{"edition":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","expires":"2026-11-24T00:00:00Z","format":"600",` +
	`"from":"nrrc.arden.example","id":"01000000000000000000000000000000","kind":"detente/body/v1","language":"ru","line":"nrrc.arden.example/nrrc.boreal.example/notification",` +
	`"pap":"GREEN","params":{"text":"да €\n"},"precedence":"FLASH","refs":["02000000000000000000000000000000"],"tlp":"AMBER+STRICT","to":"nrrc.boreal.example"}`

type bodiesVector struct {
	About  string       `json:"about"`
	Accept []bodyVector `json:"accept"`
	Reject []bodyVector `json:"reject"`
}

type bodyVector struct {
	Bytes  string `json:"bytes"`
	Digest string `json:"digest,omitempty"`
	Field  string `json:"field,omitempty"` // of a rejected one: what is at fault
	Why    string `json:"why,omitempty"`
}

func writeBodies(t testing.TB, _ *world) {
	v := bodiesVector{About: "Bodies are what stands here, byte for byte; the digest is the SHA-256 of the bytes."}
	least := strings.NewReplacer(`"expires":"2026-11-24T00:00:00Z",`, "", `"pap":"GREEN",`, "", `"refs":["02000000000000000000000000000000"],`, "", `{"text":"да €\n"}`, "{}").Replace(vectorBody)
	typed := strings.Replace(vectorBody, `{"text":"да €\n"}`, `{"a":true,"b":[1,-9007199254740991,{"x":"y"}],"c":{"from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z"}}`, 1)
	for _, b := range []string{vectorBody, least, typed} {
		v.Accept = append(v.Accept, bodyVector{Bytes: b, Digest: identity.Sum([]byte(b)).String()})
	}
	for _, r := range [][4]string{
		{`{"edition"`, `{ "edition"`, "body", "a space"},
		{`"format":"600"`, `"format":600`, "body", "a number where a text belongs"},
		{`{"edition":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`, `{"a":1,"edition":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`, "body", "an unknown member"},
		{`да €`, `\u0434\u0430 €`, "body", "escapes that RFC 8785 does not write"},
		{`"to":`, `"to":"nrrc.boreal.example","to":`, "body", "a member twice"},
		{`detente/body/v1`, `detente/body/v2`, "kind", "another kind"},
		{`"ru"`, `"de"`, "language", "none of the six languages"},
		{`"AMBER+STRICT"`, `"amber"`, "marking.tlp", "no label of TLP 2.0"},
		{`"FLASH"`, `"flash"`, "precedence", "no precedence"},
		{`2026-11-24T00:00:00Z`, `2026-11-24T01:00:00+01:00`, "expires", "a time not in UTC"},
		{`2026-11-24T00:00:00Z`, `2026-11-24T00:00:00.5Z`, "expires", "a part of a second"},
		{`nrrc.arden.example/nrrc.boreal.example`, `nrrc.boreal.example/nrrc.arden.example`, "line", "stations out of order"},
		{`"to":"nrrc.boreal.example"`, `"to":"nrrc.arden.example"`, "line", "from and to are one"},
		{`"02000000000000000000000000000000"`, `"01000000000000000000000000000000"`, "refs", "a reference to itself"},
		{`{"text":"да €\n"}`, `{"text":null}`, "params.text", "null"},
		{`{"text":"да €\n"}`, `{"text":1.5}`, "params.text", "a broken number"},
		{`{"text":"да €\n"}`, `{"Text":"x"}`, "params", "a capital in a name"},
		{`{"text":"да €\n"}`, `{"text":[[[[["x"]]]]]}`, "params.text", "nested too deep"},
	} {
		bad := strings.Replace(vectorBody, r[0], r[1], 1)
		if bad == vectorBody {
			t.Fatalf("%s: nothing was changed", r[3])
		}
		v.Reject = append(v.Reject, bodyVector{Bytes: bad, Field: r[2], Why: r[3]})
	}
	writeVector(t, "bodies.json", v)
}

func readBodies(t *testing.T) {
	v := readVector[bodiesVector](t, "bodies.json")
	if v.Accept[0].Bytes != vectorBody {
		t.Error("the first body is another one")
	}
	for _, b := range v.Accept {
		f := must(message.ParseBody([]byte(b.Bytes)))(t)
		again := must(f.Body().Freeze())(t)
		if f.Digest().String() != b.Digest || string(again.Bytes()) != b.Bytes {
			t.Errorf("frozen anew: %s, digest %s", again.Bytes(), f.Digest())
		}
	}
	for _, b := range v.Reject {
		_, err := message.ParseBody([]byte(b.Bytes))
		var field *message.FieldError
		if !errors.As(err, &field) || !strings.HasPrefix(field.Field, b.Field) {
			t.Errorf("%s: got %v", b.Why, err)
		}
	}
}

type entriesVector struct {
	About   string        `json:"about"`
	Accept  []entryVector `json:"accept"`
	Reject  []entryVector `json:"reject"`
	Classes []int         `json:"size_classes"`
}

type entryVector struct {
	Plain  string `json:"plain"`
	Padded int    `json:"padded,omitzero"` // bytes
	Why    string `json:"why,omitempty"`
}

// vectorClasses are the size classes as docs/protocol.md lists them.
var vectorClasses = []int{1024, 2048, 4096, 8192, 12288, 16384, 24576, 32768, 49152, 61440}

func writeEntries(t testing.TB, w *world) {
	v := entriesVector{About: "Plain texts of entries before padding, and to how many bytes they are padded with line ends.", Classes: vectorClasses}
	wrapper := `{"at":"2026-11-23T14:02:00Z","held":[{"era":1,"lines":"— x AAAA\n","root":"` + strings.Repeat("ab", 32) + `","size":3}],"kind":"detente/wrapper/v1",` +
		`"receipts":[{"at":"2026-11-23T14:01:00Z","era":1,"size":2},{"at":"2026-11-23T14:01:01Z","era":1,"size":4}],"seen":{"era":1,"root":"` + strings.Repeat("cd", 32) + `","size":4}}`
	for _, plain := range []string{
		`{"at":"2026-11-23T14:00:00Z","kind":"detente/wrapper/v1"}` + "\n" + vectorBody + "\n",
		wrapper + "\n" + vectorBody + "\n",
		string(w.line.plain),
	} {
		padded, _, err := seal.Open(must(seal.Seal([]byte(plain), w.arden.archive.Recipient()))(t), w.arden.archive)
		v.Accept = append(v.Accept, entryVector{Plain: plain, Padded: len(must(padded, err)(t))})
	}
	for _, r := range [][3]string{
		{`"at":"2026-11-23T14:02:00Z",`, ``, "no second"},
		{`"kind":"detente/wrapper/v1"`, `"kind":"detente/wrapper/v2"`, "another kind"},
		{`14:01:01Z`, `14:00:59Z`, "receipts whose seconds fall"},
		{`"size":4},`, `"size":2},`, "receipts whose sizes do not rise"},
		{`"size":3}]`, `"size":0}]`, "a held cosignature of nothing"},
		{`"era":1,"root":"cd`, `"era":0,"root":"cd`, "a head of no era"},
		{`{"at"`, `{"a":1,"at"`, "an unknown member"},
		{"}\n{", "}\n\n{", "an empty line between"},
		{"example\"}\n", "example\"}\nx\n", "padding that is no line end"},
		{"example\"}\n", "example\"}", "a second line that does not end"},
	} {
		good := wrapper + "\n" + vectorBody + "\n"
		bad := strings.Replace(good, r[0], r[1], 1)
		if r[2] == `receipts whose sizes do not rise` {
			bad = strings.Replace(good, `"size":4}],`, `"size":2}],`, 1)
		}
		if bad == good {
			t.Fatalf("%s: nothing was changed", r[2])
		}
		v.Reject = append(v.Reject, entryVector{Plain: bad, Why: r[2]})
	}
	writeVector(t, "entries.json", v)
}

func readEntries(t *testing.T) {
	v := readVector[entriesVector](t, "entries.json")
	for _, x := range v.Accept {
		e := must(message.ParseEntry([]byte(x.Plain)))(t)
		if again := must(e.Plain())(t); string(again) != x.Plain {
			t.Errorf("written anew: %s", again)
		}
		for _, a := range e.Wrapper.Approvals {
			if _, err := verifyAs(a, arden, vectorCards(t, "arden.example"), e.Wrapper.At); err != nil || a.Request.Body != e.Body.Digest() {
				t.Errorf("an approval does not hold: %v", err)
			}
		}
		padded := x.Plain + strings.Repeat("\n", x.Padded-len(x.Plain))
		if p := must(message.ParseEntry([]byte(padded)))(t); p.Body.Digest() != e.Body.Digest() {
			t.Error("with its padding it is another entry")
		}
	}
	for _, x := range v.Reject {
		if _, err := message.ParseEntry([]byte(x.Plain)); err == nil {
			t.Errorf("%s: it is accepted", x.Why)
		}
	}
	archive := identityOf(t, "arden.example archive")
	last := 0
	for _, class := range v.Classes {
		for _, n := range []int{last + 1, class} {
			padded, _, err := seal.Open(must(seal.Seal(bytes.Repeat([]byte("x"), n), archive.Recipient()))(t), archive)
			if len(must(padded, err)(t)) != class {
				t.Errorf("%d bytes are padded to %d, not %d", n, len(padded), class)
			}
		}
		last = class
	}
	if _, err := seal.Seal(make([]byte, last+1), archive.Recipient()); err == nil {
		t.Errorf("%d bytes are sealed", last+1)
	}
}

type sealedVector struct {
	About    string `json:"about"`
	Entry    string `json:"entry"` // base64
	FileKey  string `json:"file_key"`
	Plain    string `json:"plain"` // without padding
	Padded   int    `json:"padded"`
	LeafHash string `json:"leaf_hash"`
}

func writeSealed(t testing.TB, w *world) {
	padded, key, err := seal.Open(w.line.sealed, w.boreal.sealing)
	plain := bytes.TrimRight(must(padded, err)(t), "\n")
	leaf := tlog.RecordHash(w.line.sealed)
	writeVector(t, "sealed.json", sealedVector{
		About: "An entry of line.record, sealed to \"boreal.example sealing\" and \"arden.example archive\" of keys.json. The leaf hash is that of RFC 6962.",
		Entry: base64.StdEncoding.EncodeToString(w.line.sealed), FileKey: key.Disclose(), Plain: string(plain) + "\n", Padded: len(padded), LeafHash: hex.EncodeToString(leaf[:]),
	})
}

func readSealed(t *testing.T) {
	v := readVector[sealedVector](t, "sealed.json")
	entry := must(base64.StdEncoding.DecodeString(v.Entry))(t)
	want := v.Plain + strings.Repeat("\n", v.Padded-len(v.Plain))
	for _, name := range []string{"boreal.example sealing", "arden.example archive"} {
		plain, key, err := seal.Open(entry, identityOf(t, name))
		if err != nil || string(plain) != want || key.Disclose() != v.FileKey {
			t.Errorf("%s opens it with %v", name, err)
		}
	}
	if plain := must(seal.OpenWithKey(entry, must(seal.ParseFileKey(v.FileKey))(t)))(t); string(plain) != want {
		t.Error("the file key opens another text")
	}
	if _, _, err := seal.Open(entry, identityOf(t, "boreal.example archive")); !errors.Is(err, seal.ErrNotForUs) {
		t.Errorf("an identity that it is not for: %v", err)
	}
	entry[len(entry)-1] ^= 1
	if _, err := seal.OpenWithKey(entry, must(seal.ParseFileKey(v.FileKey))(t)); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("a flipped bit: %v", err)
	}
	entry[len(entry)-1] ^= 1
	if leaf := tlog.RecordHash(entry); hex.EncodeToString(leaf[:]) != v.LeafHash {
		t.Errorf("leaf hash %x", leaf)
	}
	if e := must(message.ParseEntry([]byte(v.Plain)))(t); e.Body.Body().From != arden {
		t.Errorf("it is from %s", e.Body.Body().From)
	}
}

type policyVector struct {
	About    string           `json:"about"`
	Policy   string           `json:"policy"`
	Digest   string           `json:"digest"`
	Judged   []judgedVector   `json:"judged"`
	Reject   []rejectedPolicy `json:"reject"`
	Opening  string           `json:"bootstrap"`
	OpeningD string           `json:"bootstrap_digest"`
}

type rejectedPolicy struct {
	Policy string `json:"policy"`
	Why    string `json:"why"`
}

type judgedVector struct {
	Format     string           `json:"format"`
	Precedence string           `json:"precedence"`
	Approvers  []approverVector `json:"approvers"`
	Verdict    string           `json:"verdict"`
	Have       int              `json:"have"`
	Need       int              `json:"need"`
	Confirm    int              `json:"confirm_seconds,omitzero"`
}

type approverVector struct {
	Pseudonym string `json:"pseudonym"`
	Role      string `json:"role"`
	Decision  string `json:"decision"`
}

var verdictWords = map[message.Verdict]string{message.Refused: "refused", message.Short: "short", message.Provisional: "provisional", message.Released: "released"}

func (j judgedVector) judge(t testing.TB, p message.Policy) judgedVector {
	b := message.Body{Format: message.Format(j.Format), Precedence: must(message.ParsePrecedence(j.Precedence))(t)}
	var by []message.Approver
	for _, a := range j.Approvers {
		by = append(by, message.Approver(a))
	}
	r := p.Judge(b, by)
	j.Verdict, j.Have, j.Need, j.Confirm = verdictWords[r.Verdict], r.Have, r.Need, int(r.ConfirmWithin/time.Second)
	return j
}

func writePolicy(t testing.TB, _ *world) {
	p, first := message.DefaultPolicy(), message.Bootstrap()
	v := policyVector{
		About:  "A release policy, its digest, and what it says of approvals that have verified.",
		Policy: string(p.Bytes()), Digest: p.Digest().String(), Opening: string(first.Bytes()), OpeningD: first.Digest().String(),
	}
	one, same, other := approverVector{"ARD-01", "releasing", "approve"}, approverVector{"ARD-01", "releasing", "approve"}, approverVector{"ARD-02", "releasing", "approve"}
	watch, no := approverVector{"ARD-02", "watch", "approve"}, approverVector{"ARD-02", "releasing", "reject"}
	for _, j := range []judgedVector{
		{Format: "010", Precedence: "ROUTINE", Approvers: []approverVector{}},
		{Format: "017", Precedence: "PRIORITY", Approvers: []approverVector{watch}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{one}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{one, same}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{one, watch}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{one, other}},
		{Format: "600", Precedence: "ROUTINE", Approvers: []approverVector{one, other, no}},
		{Format: "222", Precedence: "FLASH", Approvers: []approverVector{one}},
		{Format: "222", Precedence: "FLASH", Approvers: []approverVector{}},
		{Format: "410", Precedence: "FLASH", Approvers: []approverVector{one}},
		{Format: "020", Precedence: "PRIORITY", Approvers: []approverVector{watch}},
	} {
		v.Judged = append(v.Judged, j.judge(t, p))
	}
	for _, r := range [][2]string{
		{`{"rules":[]}`, "no rule"}, {`{"rules":[{"officers":2}]}`, "officers without roles"}, {`{"rules":[{"officers":5,"roles":["watch"]}]}`, "more officers than approvals may stand"},
		{`{"rules":[{"alone":true,"officers":2,"roles":["watch"]}]}`, "alone without a time"}, {`{"rules":[{"alone":true,"confirm_seconds":60,"officers":1,"roles":["watch"]}]}`, "alone of one"},
		{`{"rules":[{"alone":true,"confirm_seconds":86401,"officers":2,"roles":["watch"]}]}`, "more than a day"}, {`{"rules":[{"officers":0,"x":1}]}`, "an unknown member"},
	} {
		v.Reject = append(v.Reject, rejectedPolicy{r[0], r[1]})
	}
	writeVector(t, "policy.json", v)
}

func readPolicy(t *testing.T) {
	v := readVector[policyVector](t, "policy.json")
	p := must(message.ParsePolicy([]byte(v.Policy)))(t)
	if string(p.Bytes()) != v.Policy || p.Digest().String() != v.Digest || identity.Sum([]byte(v.Policy)).String() != v.Digest {
		t.Errorf("written anew: %s, digest %s", p.Bytes(), p.Digest())
	}
	if b := message.Bootstrap(); string(b.Bytes()) != v.Opening || b.Digest().String() != v.OpeningD {
		t.Errorf("the policy before the first is %s", b.Bytes())
	}
	for i, j := range v.Judged {
		got := j.judge(t, p)
		if got.Verdict != j.Verdict || got.Have != j.Have || got.Need != j.Need || got.Confirm != j.Confirm {
			t.Errorf("judgement %d: %+v, want %+v", i, got, j)
		}
	}
	for _, r := range v.Reject {
		if _, err := message.ParsePolicy([]byte(r.Policy)); err == nil {
			t.Errorf("%s: it is accepted", r.Why)
		}
	}
}
