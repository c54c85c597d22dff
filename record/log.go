package record

import (
	"encoding/json/v2"
	"fmt"
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

// logVerifier verifies the entries of one log, in order.
type logVerifier struct {
	v              *verifier
	in             logJSON
	o              identity.Origin
	writer, reader identity.Verified
	key            identity.PublicKey
	end            int64 // where the log ends by a note of succession; -1: none is known

	policy      message.Policy
	policyKnown bool
	stated      map[identity.Digest]int64 // the release policies that the log states, and where
	next        int64                     // the entry whose policy is known
	chain       basis                     // by which entries count where not all before them are there
	lastAt      time.Time
	lastSeen    message.Head

	checkpoint identity.Digest // of the last signed checkpoint that verified
	head       journal.Head
	receipt    time.Time
	receipts   map[int64]time.Time // by size
	sizes      []int64             // of receipts, ascending, once all are known
	heads      map[int64]tlog.Hash // signed, by size
	edge       edge
	roots      []tlog.Hash // of the trees of the first 1, 2, 3 … entries, as far as all are there
	proven     bool        // the entry at hand is in a receipted tree

	disclosed, unproven []int64
	seen                []sighting
	problems            []problem
	forked              bool                 // the log shows more than one history
	redactions          map[int64]redaction  // of a publication: what is shown of entries without a key
	ids                 map[int64]message.ID // of a publication: of proposals and answers
}

// sighting is what an entry says of the other log.
type sighting struct {
	index    int64
	at       time.Time
	seen     message.Head
	receipts []message.Listed
}

// problem is why an entry counts for nothing. Whether it speaks against the
// record is known once the other log was read: its reader may have refused it.
type problem struct {
	index int64
	check Check
	why   fault
}

func (l *logVerifier) run() {
	l.heads, l.receipts, l.stated = make(map[int64]tlog.Hash), make(map[int64]time.Time), make(map[identity.Digest]int64)
	l.inherit()
	code := func(s identity.Station) (identity.Code, error) { return l.v.cards[s].Card.Code, nil }
	for _, i := range l.in.Indexes {
		folder, err := folderOf(Entry{l.o, i}, code)
		if err != nil {
			l.v.fail(CheckIndex, l.in.Origin, because(Contradiction, err))
			return
		}
		if _, ok := l.v.files[folder+"entry.age"]; !ok {
			folder = ""
		}
		l.entry(folder, i)
	}
	l.v.report.Messages += len(l.in.Indexes) - len(l.in.Support)
	if !slices.Equal(l.disclosed, l.in.Disclosed) || !slices.Equal(l.unproven, l.in.Unproven) {
		l.v.fail(CheckIndex, l.in.Origin, because(IndexDiffers, nil))
	}
}

// inherit takes over the release policy that the era before ended with, where
// the record shows all of it.
func (l *logVerifier) inherit() {
	if l.o.Era == 1 {
		return
	}
	old, ok := l.v.logs[l.o.Line().Log(l.o.Writer, l.o.Era-1)]
	if ok && old.chain.stated != "" {
		l.chain = old.chain
	}
	if s, ended := l.v.ends[l.o.Line().Log(l.o.Writer, l.o.Era-1)]; ok && ended && old.policyKnown && old.next == s.Size {
		l.policy, l.policyKnown = old.policy, true
	}
}

// settle judges what only the whole record shows.
func (l *logVerifier) settle() {
	for _, p := range l.problems {
		if i, later := l.stated[p.why.named]; later && i > p.index {
			p.why = because(PolicyLater, nil, l.cite(i))
		}
		if where, ok := l.v.refused[Entry{l.o, p.index}]; ok {
			p.why.refused = where
			l.v.missing(p.check, l.cite(p.index), p.why)
		} else {
			l.v.fail(p.check, l.cite(p.index), p.why)
		}
	}
	l.oneHistory()
	l.sightings()
	if l.v.index.Kind == Line {
		l.complete()
	}
	l.published()
}

// oneHistory compares every signed head, and the end that a note of succession
// states, with the tree of the entries themselves.
func (l *logVerifier) oneHistory() {
	s, ended := l.v.ends[l.o]
	if root, ok := l.root(s.Size); ended && ok && root != tlog.Hash(s.Root) {
		l.fork(l.in.Origin, because(EndDiffers, nil, fmt.Sprint(s.Size)))
	}
	for _, size := range slices.Sorted(maps.Keys(l.heads)) {
		if size <= int64(len(l.roots)) && l.roots[size-1] != l.heads[size] {
			l.fork(l.in.Origin, because(HeadDiffers, nil, fmt.Sprint(size)))
			break
		}
	}
	if len(l.heads) > 0 && !l.forked {
		l.v.pass(CheckFork, l.in.Origin)
	}
}

// fork notes that the log shows more than one history.
func (l *logVerifier) fork(where string, why fault) {
	l.forked = true
	l.v.fail(CheckFork, where, why)
}

// root returns the root of the tree of a size, where the record shows it.
func (l *logVerifier) root(size int64) (tlog.Hash, bool) {
	if size > 0 && size <= int64(len(l.roots)) {
		return l.roots[size-1], true
	}
	root, ok := l.heads[size]
	return root, ok
}

// sightings checks what the entries say of the other log against that log.
func (l *logVerifier) sightings() {
	good := true
	for _, s := range l.seen {
		good = l.sawHead(s) && l.sawThen(s) && good
		for _, r := range s.receipts {
			other, ok := l.v.logs[l.o.Line().Log(l.o.Reader, r.Era)]
			if !ok {
				continue
			}
			if at, given := other.receipts[r.Size]; given && !at.Equal(r.At) {
				l.v.fail(CheckSeen, l.cite(s.index), because(ListedOther, nil, other.o.String(), fmt.Sprint(r.Size)))
				good = false
			}
		}
	}
	if good && len(l.seen) > 0 {
		l.v.pass(CheckSeen, l.in.Origin)
	}
}

// sawHead checks the head of the other log that an entry has seen: against that
// log where the record shows it, else against what other entries have seen.
func (l *logVerifier) sawHead(s sighting) bool {
	if s.seen.Size == 0 {
		return true
	}
	o := l.o.Line().Log(l.o.Reader, s.seen.Era)
	l.v.known[o] = max(l.v.known[o], s.seen.Size)
	other, ok := l.v.logs[o]
	if ok {
		other.atLeast(s.seen.Size, because(SeenMore, nil, l.cite(s.index), fmt.Sprint(s.seen.Size), fmt.Sprint(other.in.Size)))
	} else if l.v.index.Kind == Line {
		l.v.missing(CheckComplete, l.cite(s.index), because(LogAbsent, nil, fmt.Sprint(s.seen.Size), o.String()))
	}
	if root, known := other.known(s.seen.Size); known && root != tlog.Hash(s.seen.Root) {
		l.v.fail(CheckSeen, l.cite(s.index), because(SeenOther, nil, o.String(), fmt.Sprint(s.seen.Size)))
		return false
	}
	at := sight{o, s.seen.Size}
	if before, known := l.v.sights[at]; known && before != s.seen.Root {
		l.v.fail(CheckSeen, l.cite(s.index), because(SeenDiffers, nil, o.String(), fmt.Sprint(s.seen.Size)))
		return false
	}
	l.v.sights[at] = s.seen.Root
	return true
}

// sawThen checks that no receipt of what an entry had seen, or lists, bears a
// second that came after the entry. One clock stamps both; it may have been set
// back in between, so more than clockSlack is a finding, and no proof of ill will.
func (l *logVerifier) sawThen(s sighting) bool {
	latest := s.at.Add(clockSlack)
	ahead := func(o identity.Origin, size int64, at time.Time) bool {
		if at.After(latest) {
			l.v.missing(CheckTime, l.cite(s.index), because(ReceiptAhead, nil, stamp(s.at), fmt.Sprint(size), o.String(), stamp(at)))
			return true
		}
		return false
	}
	for _, r := range s.receipts {
		if ahead(l.o.Line().Log(l.o.Reader, r.Era), r.Size, r.At) {
			return false
		}
	}
	o := l.o.Line().Log(l.o.Reader, s.seen.Era)
	other, ok := l.v.logs[o]
	if !ok {
		return true
	}
	size, at := other.receiptOf(s.seen.Size)
	return !ahead(o, size, at)
}

// clockSlack is how far a station's clock may have been set back between a
// receipt and an entry without a word: the largest leap that stations take.
const clockSlack = time.Hour

// receiptOf returns the last receipt in the record of no more entries than a
// size; zero where there is none.
func (l *logVerifier) receiptOf(size int64) (largest int64, at time.Time) {
	if l.sizes == nil {
		l.sizes = slices.Sorted(maps.Keys(l.receipts))
	}
	i, found := slices.BinarySearch(l.sizes, size)
	if found {
		i++
	}
	if i == 0 {
		return 0, at
	}
	return l.sizes[i-1], l.receipts[l.sizes[i-1]]
}

// known is root, of a log that may not be in the record.
func (l *logVerifier) known(size int64) (tlog.Hash, bool) {
	if l == nil {
		return tlog.Hash{}, false
	}
	return l.root(size)
}

// atLeast names what a record of a whole line lacks by a size that something
// else shows, and why says so.
func (l *logVerifier) atLeast(size int64, why fault) {
	if l.v.index.Kind == Line && size > l.in.Size {
		l.v.missing(CheckComplete, l.in.Origin, why)
	}
}

// maxAbsent is how many entries that a log lacks are named one by one. The size
// of a log is what the record claims, and a claim of a few bytes must not grow
// into a report that fills a machine: what is lacking beyond is named by its
// first and last entry.
const maxAbsent = 1000

// absent names the entries from one index up to another, and returns how many
// more may be named one by one.
func (l *logVerifier) absent(from, to int64, room int) int {
	for ; from < to && room > 0; room-- {
		l.v.missing(CheckComplete, l.cite(from), because(EntryAbsent, nil))
		from++
	}
	if from < to {
		l.v.missing(CheckComplete, l.in.Origin, because(EntriesAbsent, nil, l.cite(from), l.cite(to-1)))
	}
	return room
}

// complete names what a record of a whole line lacks.
func (l *logVerifier) complete() {
	next, room := int64(0), maxAbsent
	for _, i := range l.in.Indexes { // they ascend
		room = l.absent(next, i, room)
		next = i + 1
	}
	l.absent(next, l.in.Size, room)
	l.atLeast(l.head.Size, because(SignedMore, nil, fmt.Sprint(l.head.Size), fmt.Sprint(l.in.Size)))
	if old := l.o.Line().Log(l.o.Writer, l.o.Era-1); l.o.Era > 1 && l.v.logs[old] == nil && l.v.ends[old].Size > 0 {
		l.v.missing(CheckComplete, old.String(), because(EraAbsent, nil))
	}
	if int64(len(l.in.Indexes)) == l.in.Size {
		l.v.pass(CheckComplete, l.in.Origin)
	}
}

func (l *logVerifier) cite(i int64) string {
	return message.Cite(l.writer.Card.Code, l.reader.Card.Code, l.o.Class, l.o.Era, i)
}

// entry verifies one entry: its proof, its receipt, and what it says if it is
// disclosed.
func (l *logVerifier) entry(folder string, index int64) {
	sealed, ok := l.v.get(folder + "entry.age")
	if !ok {
		l.v.fail(CheckIndex, l.cite(index), because(EntryMissing, nil))
		return
	}
	if index == int64(len(l.roots)) {
		l.roots = append(l.roots, l.edge.add(tlog.RecordHash(sealed)))
	}
	l.proven = l.proof(folder, index, sealed)
	l.policyFile(folder, index)
	l.v.wanted.keeps(l, folder, index, sealed)
	text, disclosed := l.v.get(folder + "filekey")
	if !disclosed {
		if l.redacted(folder, index); l.v.index.Kind != Publication {
			l.v.missing(CheckDisclosed, l.cite(index), l.hidden(index))
		}
		l.v.report.Undisclosed = append(l.v.report.Undisclosed, l.cite(index))
		return
	}
	l.v.pass(CheckDisclosed, l.cite(index))
	l.disclosed = append(l.disclosed, index)
	e, ok := l.open(index, sealed, text)
	if !ok {
		return
	}
	if l.end >= 0 && index >= l.end {
		l.v.missing(CheckBody, l.cite(index), because(AboveEnd, nil, fmt.Sprint(l.end)))
		l.v.matters.disowned(l.o, e)
		return
	}
	if l.authority(index, e) {
		l.counts(index, e)
	} else {
		l.v.matters.disowned(l.o, e)
	}
	l.note(index, e)
}

// counts takes an entry that counts.
func (l *logVerifier) counts(index int64, e message.Entry) {
	said := Said{Citation: l.cite(index), Body: e.Body, At: e.Wrapper.At}
	if l.supports(index) {
		return
	}
	if l.proven {
		l.v.report.Verified++
		said.Received = l.receipt
	}
	if l.leaked(said) {
		return
	}
	l.consents(index, e.Body.Body())
	if l.v.keep {
		l.v.said = append(l.v.said, said)
	}
	l.v.matters.take(l, index, said.Received, e)
}

// note keeps what an accepted entry says of the other log.
func (l *logVerifier) note(index int64, e message.Entry) {
	l.seen = append(l.seen, sighting{index, e.Wrapper.At, e.Wrapper.Seen, e.Wrapper.Receipts})
	b := e.Body.Body()
	l.fileKey(index, b)
	if b.Format != "002" {
		return
	}
	var era identity.Era
	var at int64
	if json.Unmarshal(b.Params["era"], &era) == nil && json.Unmarshal(b.Params["index"], &at) == nil {
		l.v.refused[Entry{l.o.Line().Log(l.o.Reader, era), at}] = l.cite(index)
	}
}

// fileKey tries the file key that an entry gives of an earlier one of its log,
// where that is in the record: one that opens something else, or nothing, speaks
// against its writer unless its reader refused it.
func (l *logVerifier) fileKey(index int64, b message.Body) {
	var era identity.Era
	var at int64
	var text string
	if b.Format != "006" || json.Unmarshal(b.Params["era"], &era) != nil || json.Unmarshal(b.Params["index"], &at) != nil || json.Unmarshal(b.Params["key"], &text) != nil {
		return
	}
	code := func(s identity.Station) (identity.Code, error) { return l.v.cards[s].Card.Code, nil }
	folder, err := folderOf(Entry{l.o.Line().Log(l.o.Writer, era), at}, code)
	if err != nil {
		return
	}
	sealed, ok := l.v.files.get(folder + "entry.age")
	if !ok {
		return // it is not in the record
	}
	key, err := seal.ParseFileKey(text)
	if err == nil {
		_, err = seal.OpenWithKey(sealed, key)
	}
	if err != nil {
		l.problems = append(l.problems, problem{index, CheckOpens, because(KeyBad, nil)})
		return
	}
	l.v.pass(CheckOpens, l.cite(index))
}

// policyFile checks that the C2SP policy beside an entry is that of its log.
func (l *logVerifier) policyFile(folder string, index int64) {
	want := journal.PolicyFile(l.o, l.key, map[string]identity.PublicKey{l.reader.Card.CosignerName(): l.reader.Card.Cosigner})
	if policy, _ := l.v.get(folder + "policy.txt"); string(policy) != string(want) {
		l.v.fail(CheckPolicyFile, l.cite(index), because(PolicyFileBad, nil))
		return
	}
	l.v.pass(CheckPolicyFile, l.cite(index))
}

// proof verifies the tlog-proof: the checkpoint signed twice by the log, its
// reader's two cosignatures of one second, and the inclusion of the entry.
func (l *logVerifier) proof(folder string, index int64, sealed []byte) bool {
	text, ok := l.v.get(folder + "proof.tlog-proof")
	if !ok {
		l.unproven = append(l.unproven, index)
		l.v.missing(CheckReceipt, l.cite(index), because(ReceiptMissing, nil))
		l.v.report.MissingReceipts = append(l.v.report.MissingReceipts, l.cite(index))
		return false
	}
	p, checkpoint, at, err := parseProof(text)
	if err != nil || at != index {
		l.v.fail(CheckInclusion, l.cite(index), because(ProofBad, err))
		return false
	}
	if id := identity.Sum(checkpoint); id != l.checkpoint {
		if !l.signedHead(index, checkpoint) {
			return false
		}
		l.checkpoint = id
	} else {
		l.v.pass(CheckCheckpoint, l.cite(index))
		l.v.pass(CheckReceipt, l.cite(index))
	}
	if index >= l.head.Size || tlog.CheckRecord(p, l.head.Size, l.head.Root, index, tlog.RecordHash(sealed)) != nil {
		l.v.fail(CheckInclusion, l.cite(index), because(NotIncluded, nil))
		return false
	}
	if !l.supports(index) {
		l.v.report.Receipts++
	}
	l.v.pass(CheckInclusion, l.cite(index))
	return true
}

// signatures is how many lines a checkpoint in a record carries: the log's two
// and its reader's two. A line of anybody else's would prove nothing here.
const signatures = 4

// signedHead verifies a checkpoint with its receipt.
func (l *logVerifier) signedHead(index int64, checkpoint []byte) bool {
	if strings.Count(string(checkpoint), "\n\u2014 ") != signatures {
		l.v.fail(CheckCheckpoint, l.cite(index), because(SignaturesOther, nil, fmt.Sprint(signatures)))
		return false
	}
	if name, _, _ := strings.Cut(string(checkpoint), "\n"); name != l.in.Origin {
		if o, err := identity.ParseOrigin(name); err == nil {
			l.v.fail(CheckCheckpoint, l.cite(index), because(CheckpointOther, nil, o.String()))
			return false
		}
	}
	head, err := journal.OpenCheckpoint(l.key, l.o, checkpoint)
	if err != nil {
		l.v.fail(CheckCheckpoint, l.cite(index), because(CheckpointBad, err))
		return false
	}
	l.v.pass(CheckCheckpoint, l.cite(index))
	name := l.reader.Card.CosignerName()
	lines := journal.LinesOf(name, checkpoint)
	c, err := journal.OpenCosignature(name, l.reader.Card.Cosigner, head, lines)
	if err != nil {
		why := because(CosignatureBad, err)
		if !journal.CosignedBy(name, l.reader.Card.Cosigner, lines) {
			why = because(CosignerUnlisted, err, name)
		}
		l.v.fail(CheckReceipt, l.cite(index), why)
		return false
	}
	l.v.pass(CheckReceipt, l.cite(index))
	if root, ok := l.heads[head.Size]; ok && root != head.Root {
		l.fork(l.cite(index), because(TwoRoots, nil, fmt.Sprint(head.Size)))
		return false
	}
	if at, ok := l.receipts[head.Size]; ok && !at.Equal(c.At) || c.At.Before(l.receipt) {
		l.v.fail(CheckTime, l.cite(index), because(ReceiptsClash, nil))
		return false
	}
	l.heads[head.Size], l.receipts[head.Size], l.head, l.receipt = head.Root, c.At, head, c.At
	return true
}

// open opens a disclosed entry and checks that it is what the log says.
func (l *logVerifier) open(index int64, sealed, text []byte) (message.Entry, bool) {
	key, err := seal.ParseFileKey(strings.TrimSuffix(string(text), "\n"))
	if err != nil || key.Disclose()+"\n" != string(text) {
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
	if l.v.fold != nil {
		l.v.fold.take(l, index, e, err == nil)
	}
	if err != nil {
		// A writer may append what cannot be read; it is answered with a refusal,
		// states no policy and counts for nothing.
		l.step(index)
		l.v.missing(CheckBody, l.cite(index), because(Unreadable, err))
		return e, false
	}
	b := e.Body.Body()
	if b.Line != l.o.Line() || b.From != l.o.Writer || b.To != l.o.Reader {
		l.step(index)
		l.problems = append(l.problems, problem{index, CheckBody, because(OtherLine, nil)})
		return e, false
	}
	l.v.pass(CheckBody, l.cite(index))
	return e, l.times(index, e)
}

// times checks that neither the wrapper's second nor what it has seen falls.
func (l *logVerifier) times(index int64, e message.Entry) bool {
	w := e.Wrapper
	switch {
	case w.At.Before(l.lastAt):
		l.v.fail(CheckTime, l.cite(index), because(TimeBack, nil))
	case w.Seen.Era < l.lastSeen.Era || w.Seen.Era == l.lastSeen.Era && w.Seen.Size < l.lastSeen.Size:
		l.v.fail(CheckTime, l.cite(index), because(SeenLess, nil))
	case !l.writer.Card.To.After(w.At):
		l.v.fail(CheckCards, l.cite(index), because(CardEnded, nil, stamp(l.writer.Card.To)))
	default:
		l.v.pass(CheckTime, l.cite(index))
		l.lastAt, l.lastSeen = w.At, w.Seen
		return true
	}
	return false
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
		if err != nil || h.String() != l {
			return nil, nil, 0, bad
		}
		p = append(p, h)
	}
	return p, []byte(checkpoint), index, nil
}

// edge is the right edge of a Merkle tree: the roots of its full subtrees, the
// largest first.
type edge struct {
	size  int64
	roots []tlog.Hash
}

// add adds a leaf and returns the root of the tree.
func (e *edge) add(leaf tlog.Hash) tlog.Hash {
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.roots) - 1
		leaf = tlog.NodeHash(e.roots[last], leaf)
		e.roots = e.roots[:last]
	}
	e.size++
	e.roots = append(e.roots, leaf)
	root := e.roots[len(e.roots)-1]
	for i := len(e.roots) - 2; i >= 0; i-- {
		root = tlog.NodeHash(e.roots[i], root)
	}
	return root
}
