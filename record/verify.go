package record

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/seal"

	"golang.org/x/mod/sumdb/tlog"
)

var zeroTime time.Time

// Verify verifies a record offline, with nothing but the parties' roots. It
// fails only where it cannot run; what is wrong with the record is in the
// report.
func Verify(r io.ReaderAt, size int64, roots []identity.Root) (Report, error) {
	report, _, err := Read(r, size, roots)
	return report, err
}

// Said is a message that a record discloses.
type Said struct {
	Citation string
	Body     message.Frozen
	At       time.Time // the writer's second
	Received time.Time // by the receipt beside it; zero where there is none
}

// Read verifies a record as Verify does, and returns what it discloses, log by
// log and in the order of the logs. Of a record that is invalid it returns
// nothing: what cannot be relied on is not shown as if it could.
func Read(r io.ReaderAt, size int64, roots []identity.Root) (Report, []Said, error) {
	v := &verifier{roots: roots, cards: make(map[identity.Station]identity.Verified), approvals: identity.NewVerifier()}
	v.report.Form = "detente.record/v1"
	f, err := read(r, size)
	if err != nil {
		v.fail(CheckContainer, "", because(Altered, err))
		return v.finish(), nil, nil
	}
	v.pass(CheckContainer, "")
	v.files = f
	if !v.readIndex() || !v.readCards() {
		return v.finish(), nil, nil
	}
	for _, l := range v.index.Logs {
		v.log(l)
	}
	v.seen()
	report := v.finish()
	if report.Verdict == Invalid {
		return report, nil, nil
	}
	said := make([]Said, 0, len(v.entries))
	for _, e := range v.entries {
		said = append(said, Said{Citation: e.cite, Body: e.entry.Body, At: e.entry.Wrapper.At, Received: e.received})
	}
	return report, said, nil
}

type verifier struct {
	roots     []identity.Root
	files     files
	index     indexJSON
	cards     map[identity.Station]identity.Verified
	approvals *identity.Verifier
	entries   []opened
	report    Report
}

// opened is a disclosed entry.
type opened struct {
	origin   identity.Origin
	index    int64
	entry    message.Entry
	cite     string
	received time.Time // zero without a receipt
}

func (v *verifier) readIndex() bool {
	text, ok := v.files.get(indexName)
	if !ok || json.Unmarshal(text, &v.index, json.RejectUnknownMembers(true)) != nil || v.index.Format != indexFormat || len(v.index.Logs) == 0 {
		v.fail(CheckIndex, "", because(UnknownIndex, nil))
		return false
	}
	if v.index.Kind != Message && v.index.Kind != Dossier && v.index.Kind != Line {
		v.fail(CheckIndex, "", because(UnknownIndex, nil))
		return false
	}
	v.report.Kind = v.index.Kind
	v.pass(CheckIndex, "")
	return true
}

// readCards verifies every station's cards under the roots that were given.
func (v *verifier) readCards() bool {
	ok := true
	for _, name := range slices.Sorted(maps.Keys(v.files)) {
		if !strings.HasPrefix(name, "cards/") {
			continue
		}
		bundle, _ := v.files.get(name)
		verified, err := v.chain(bundle)
		if err != nil {
			why, known := errors.AsType[fault](err)
			if !known {
				why = because(CardsBad, err)
			}
			v.fail(CheckCards, name, why)
			ok = false
			continue
		}
		v.cards[verified.Card.Station] = verified
		v.pass(CheckCards, string(verified.Card.Station))
	}
	return ok
}

func (v *verifier) chain(file []byte) (identity.Verified, error) {
	b, err := identity.ParseBundle(file)
	if err != nil {
		return identity.Verified{}, err
	}
	claimed, err := identity.ParseRoot(b.Root)
	if err != nil {
		return identity.Verified{}, err
	}
	for _, r := range v.roots {
		if r.Party == claimed.Party {
			return b.Verify(r.Key, zeroTime)
		}
	}
	return identity.Verified{}, because(RootMissing, nil, string(claimed.Party))
}

// log verifies all that the record holds of one log.
func (v *verifier) log(l logJSON) {
	o, err := identity.ParseOrigin(l.Origin)
	if err != nil {
		v.fail(CheckIndex, l.Origin, because(Contradiction, err))
		return
	}
	writer, ok := v.cards[o.Writer]
	reader, ok2 := v.cards[o.Reader]
	if !ok || !ok2 {
		v.fail(CheckCards, l.Origin, because(CardsMissing, nil))
		return
	}
	key, ok := writer.Card.Log(o)
	if !ok {
		v.fail(CheckCards, l.Origin, because(LogUnlisted, nil))
		return
	}
	if l.Size < 0 || int64(len(l.Indexes)) > l.Size || !slices.IsSorted(l.Indexes) {
		v.fail(CheckIndex, l.Origin, because(Contradiction, nil))
		return
	}
	lv := &logVerifier{v: v, o: o, writer: writer, reader: reader, key: key, policy: message.Bootstrap(), policyKnown: true}
	if o.Era > 1 {
		lv.policyKnown = false // it is carried over from the era before
	}
	lv.run(l)
}

// logVerifier verifies the entries of one log, in order.
type logVerifier struct {
	v              *verifier
	o              identity.Origin
	writer, reader identity.Verified
	key            identity.PublicKey
	policy         message.Policy
	policyKnown    bool
	next           int64
	lastAt         time.Time
	roots          map[int64]tlog.Hash
	trees          map[string]journal.Head // of signed checkpoints that verified
	receipts       map[string]time.Time
	forked         bool // the log signed two roots for one size
}

func (l *logVerifier) run(in logJSON) {
	l.trees, l.receipts, l.roots = make(map[string]journal.Head), make(map[string]time.Time), make(map[int64]tlog.Hash)
	code := func(s identity.Station) (identity.Code, error) { return l.v.cards[s].Card.Code, nil }
	var present []int64
	for _, i := range in.Indexes {
		folder, err := folderOf(Entry{l.o, i}, code)
		if err != nil || i < 0 || i >= in.Size {
			l.v.fail(CheckIndex, in.Origin, because(Contradiction, nil))
			return
		}
		if _, ok := l.v.files[folder+"entry.age"]; !ok {
			folder = ""
		}
		present = append(present, i)
		l.entry(folder, i)
	}
	l.v.report.Messages += len(present)
	if len(l.roots) > 0 && !l.forked {
		l.v.pass(CheckFork, in.Origin)
	}
	if l.v.index.Kind == Line {
		l.complete(in, present)
	}
}

// complete names what a record of a whole line lacks.
func (l *logVerifier) complete(in logJSON, present []int64) {
	for i := range in.Size {
		if _, ok := slices.BinarySearch(present, i); !ok {
			l.v.missing(CheckComplete, l.cite(i), because(EntryAbsent, nil))
		}
	}
	if int64(len(present)) == in.Size {
		l.v.pass(CheckComplete, in.Origin)
	}
}

func (l *logVerifier) cite(i int64) string {
	return message.Cite(l.writer.Card.Code, l.reader.Card.Code, l.o.Class, l.o.Era, i)
}

// entry verifies one entry: its proof, its receipt, and what it says if it is
// disclosed.
func (l *logVerifier) entry(folder string, index int64) {
	sealed, ok := l.v.files.get(folder + "entry.age")
	if !ok {
		l.v.fail(CheckIndex, l.cite(index), because(EntryMissing, nil))
		return
	}
	received, proven := l.proof(folder, index, sealed)
	l.policyFile(folder, index)
	text, disclosed := l.v.files.get(folder + "filekey")
	if !disclosed {
		l.v.missing(CheckDisclosed, l.cite(index), because(Undisclosed, nil))
		l.v.report.Undisclosed = append(l.v.report.Undisclosed, l.cite(index))
		l.policyKnown = l.policyKnown && index == 0
		l.next = -1
		return
	}
	l.v.pass(CheckDisclosed, l.cite(index))
	e, ok := l.open(index, sealed, text)
	if !ok {
		return
	}
	good := l.authority(index, e)
	l.v.entries = append(l.v.entries, opened{l.o, index, e, l.cite(index), received})
	if proven && good {
		l.v.report.Verified++
	}
}

// policyFile checks that the C2SP policy beside an entry is that of its log.
func (l *logVerifier) policyFile(folder string, index int64) {
	want := journal.PolicyFile(l.o, l.key, map[string]identity.PublicKey{l.reader.Card.CosignerName(): l.reader.Card.Cosigner})
	if policy, _ := l.v.files.get(folder + "policy.txt"); string(policy) != string(want) {
		l.v.fail(CheckPolicyFile, l.cite(index), because(PolicyFileBad, nil))
		return
	}
	l.v.pass(CheckPolicyFile, l.cite(index))
}

// proof verifies the tlog-proof: the checkpoint signed twice by the log, its
// reader's two cosignatures of one second, and the inclusion of the entry. It
// returns that second.
func (l *logVerifier) proof(folder string, index int64, sealed []byte) (received time.Time, ok bool) {
	text, ok := l.v.files.get(folder + "proof.tlog-proof")
	if !ok {
		l.v.missing(CheckReceipt, l.cite(index), because(ReceiptMissing, nil))
		l.v.report.MissingReceipts = append(l.v.report.MissingReceipts, l.cite(index))
		return received, false
	}
	p, checkpoint, at, err := parseProof(text)
	if err != nil || at != index {
		l.v.fail(CheckInclusion, l.cite(index), because(ProofBad, nil))
		return received, false
	}
	head, known := l.trees[string(checkpoint)]
	if !known {
		if head, err = journal.OpenCheckpoint(l.key, l.o, checkpoint); err != nil {
			l.v.fail(CheckCheckpoint, l.cite(index), because(CheckpointBad, err))
			return received, false
		}
		c, err := journal.OpenCosignature(l.reader.Card.CosignerName(), l.reader.Card.Cosigner, head, journal.LinesOf(l.reader.Card.CosignerName(), checkpoint))
		if err != nil {
			l.v.fail(CheckReceipt, l.cite(index), because(CosignatureBad, err))
			return received, false
		}
		if root, ok := l.roots[head.Size]; ok && root != head.Root {
			l.forked = true
			l.v.fail(CheckFork, l.cite(index), because(TwoRoots, nil, fmt.Sprint(head.Size)))
			return received, false
		}
		l.roots[head.Size], l.trees[string(checkpoint)], l.receipts[string(checkpoint)] = head.Root, head, c.At
	}
	l.v.pass(CheckCheckpoint, l.cite(index))
	l.v.pass(CheckReceipt, l.cite(index))
	if index >= head.Size || tlog.CheckRecord(p, head.Size, head.Root, index, tlog.RecordHash(sealed)) != nil {
		l.v.fail(CheckInclusion, l.cite(index), because(NotIncluded, nil))
		return received, false
	}
	l.v.report.Receipts++
	l.v.pass(CheckInclusion, l.cite(index))
	return l.receipts[string(checkpoint)], true
}

// open opens a disclosed entry and checks that it is what the log says.
func (l *logVerifier) open(index int64, sealed, text []byte) (message.Entry, bool) {
	key, err := seal.ParseFileKey(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		l.v.fail(CheckOpens, l.cite(index), because(KeyBad, err))
		return message.Entry{}, false
	}
	plain, err := seal.OpenWithKey(sealed, key)
	if err != nil {
		l.v.fail(CheckOpens, l.cite(index), because(KeyBad, nil))
		return message.Entry{}, false
	}
	l.v.pass(CheckOpens, l.cite(index))
	e, err := message.ParseEntry(plain)
	if err != nil {
		l.v.missing(CheckBody, l.cite(index), because(Unreadable, err))
		return e, false
	}
	b := e.Body.Body()
	if b.Line != l.o.Line() || b.From != l.o.Writer || b.To != l.o.Reader {
		l.v.fail(CheckBody, l.cite(index), because(OtherLine, nil))
		return e, false
	}
	if e.Wrapper.At.Before(l.lastAt) {
		l.v.fail(CheckTime, l.cite(index), because(TimeBack, nil))
		return e, false
	}
	l.lastAt = e.Wrapper.At
	l.v.pass(CheckTime, l.cite(index))
	l.v.pass(CheckBody, l.cite(index))
	return e, true
}

// authority counts the approvals by the release policy in force before the
// entry, which earlier entries of the log state.
func (l *logVerifier) authority(index int64, e message.Entry) bool {
	if index != l.next {
		l.policyKnown = false
	}
	l.next = index + 1
	b := e.Body.Body()
	counted, err := l.approvers(e)
	if err != nil {
		why, known := errors.AsType[fault](err)
		if !known {
			why = because(ApprovalBad, err)
		}
		l.v.fail(CheckApprovals, l.cite(index), why)
		return false
	}
	l.v.pass(CheckApprovals, l.cite(index))
	defer func() {
		if b.Format == "005" {
			if p, err := message.PolicyOf(b); err == nil {
				l.policy, l.policyKnown = p, true
			}
		}
	}()
	if !l.policyKnown {
		l.v.missing(CheckPolicy, l.cite(index), because(PolicyHidden, nil, fmt.Sprint(len(counted))))
		return true
	}
	switch r := l.policy.Judge(b, counted); {
	case r.Verdict == message.Released && !e.Wrapper.Provisional, r.Verdict == message.Provisional && e.Wrapper.Provisional:
		l.v.pass(CheckPolicy, l.cite(index))
		return true
	default:
		l.v.fail(CheckPolicy, l.cite(index), because(TooFew, errors.New(r.Reason), fmt.Sprint(r.Have), fmt.Sprint(r.Need)))
		return false
	}
}

func (l *logVerifier) approvers(e message.Entry) ([]message.Approver, error) {
	var counted []message.Approver
	for _, a := range e.Wrapper.Approvals {
		if a.Request.Body != e.Body.Digest() {
			return nil, because(ApprovalOther, nil)
		}
		if l.policyKnown && a.Request.Policy != l.policy.Digest() {
			return nil, because(ApprovalPolicy, nil)
		}
		cert, err := l.v.approvals.Verify(a, l.o.Writer, l.writer.Agency.Agency, l.writer.Agency.Key, e.Wrapper.At)
		if err != nil {
			return nil, err
		}
		for _, c := range counted {
			if c.Pseudonym == cert.Pseudonym {
				return nil, because(OfficerTwice, nil, cert.Pseudonym)
			}
		}
		counted = append(counted, message.Approver{Pseudonym: cert.Pseudonym, Role: a.Request.Role, Decision: a.Request.Decision})
	}
	return counted, nil
}

// seen checks what disclosed wrappers say of the other log against the record's
// own signed heads.
func (v *verifier) seen() {
	heads := make(map[string]identity.Digest)
	for _, e := range v.entries {
		s := e.entry.Wrapper.Seen
		if s.Size == 0 {
			continue
		}
		k := fmt.Sprintf("%s %d %d", e.origin.Reader, s.Era, s.Size)
		if root, ok := heads[k]; ok && root != s.Root {
			v.fail(CheckSeen, k, because(SeenDiffers, nil))
			return
		}
		heads[k] = s.Root
	}
	if len(heads) > 0 {
		v.pass(CheckSeen, "")
	}
}

// parseProof takes a C2SP tlog-proof apart.
func parseProof(text []byte) (tlog.RecordProof, []byte, int64, error) {
	bad := fmt.Errorf("the proof is malformed")
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, nil, 0, bad
	}
	var index int64
	if _, err := fmt.Sscanf(lines[1], "index %d", &index); err != nil || fmt.Sprintf("index %d", index) != lines[1] || len(lines) > 66 {
		return nil, nil, 0, bad
	}
	var p tlog.RecordProof
	for _, l := range lines[2:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return nil, nil, 0, bad
		}
		p = append(p, h)
	}
	return p, []byte(checkpoint), index, nil
}
