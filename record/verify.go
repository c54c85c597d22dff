package record

import (
	"bytes"
	"cmp"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
)

var zeroTime time.Time

// Verify verifies a record offline, with nothing but the parties' roots. It
// fails only where it cannot run; what is wrong with the record is in the
// report.
func Verify(r io.ReaderAt, size int64, roots []identity.Root) (Report, error) {
	return newVerifier(roots).run(r, size), nil
}

// Said is a message that a record discloses.
type Said struct {
	Citation string
	Body     message.Frozen
	At       time.Time // the writer's second
	Received time.Time // by the receipt beside it; zero where there is none
}

// Read verifies a record as Verify does, and returns what it discloses, log by
// log and in the order of the logs, without what counts for nothing. Of a record
// that is invalid it returns nothing: what cannot be relied on is not shown as if
// it could. Unlike Verify it holds all that is disclosed in memory.
func Read(r io.ReaderAt, size int64, roots []identity.Root) (Report, []Said, error) {
	v := newVerifier(roots)
	v.keep = true
	report := v.run(r, size)
	if report.Verdict == Invalid {
		return report, nil, nil
	}
	return report, v.said, nil
}

func newVerifier(roots []identity.Root) *verifier {
	v := &verifier{
		roots: roots, cards: make(map[identity.Station]identity.Verified), approvals: identity.NewVerifier(), used: make(map[string]bool),
		logs: make(map[identity.Origin]*logVerifier), ends: make(map[identity.Origin]identity.Succession), bodies: make(map[message.ID]told), refused: make(map[Entry]string),
		sights: make(map[sight]identity.Digest), known: make(map[identity.Origin]int64), matters: newMatters(),
	}
	v.report.Form = "detente.record/v1"
	return v
}

// run makes all checks.
func (v *verifier) run(r io.ReaderAt, size int64) Report {
	f, err := read(r, size)
	if err != nil {
		v.fail(CheckContainer, "", because(Altered, err))
		return v.finish()
	}
	v.pass(CheckContainer, "")
	v.files = f
	if !v.readIndex() || !v.readCards() {
		return v.finish()
	}
	origins := v.readLogs()
	v.readSuccessions()
	for _, o := range origins {
		v.logs[o].run()
	}
	v.agree()
	for _, o := range origins {
		v.logs[o].settle()
	}
	if v.index.Kind == Line {
		for _, o := range origins {
			v.logs[o].covers()
		}
	}
	v.unused()
	v.matters.judge(v, origins)
	report := v.finish()
	if report.Verdict != Invalid {
		report.Claims = v.matters.claims(v)
	}
	return report
}

type verifier struct {
	roots     []identity.Root
	files     files
	used      map[string]bool // members that a check has read
	index     indexJSON
	cards     map[identity.Station]identity.Verified
	approvals *identity.Verifier
	logs      map[identity.Origin]*logVerifier
	ends      map[identity.Origin]identity.Succession // by the log that ends
	bodies    map[message.ID]told                     // where each disclosed body stands
	refused   map[Entry]string                        // entries that their reader refused, and where it says so
	known     map[identity.Origin]int64               // the largest size of each log that anything shows
	sights    map[sight]identity.Digest               // what was seen of logs that the record does not show
	matters   *matters                                // what was said on what
	keep      bool                                    // whether said is kept
	said      []Said
	wanted    *wanted        // the entry whose proof is asked for; nil: none is
	fold      *refold        // nil: where the line stands is not asked
	consents  Consents       // of a publication
	consented []message.Body // what it rests on
	report    Report
}

// told is where a message stands, and the digest of its body.
type told struct {
	where  string
	digest identity.Digest
}

// sight is a size of a log that an entry of the other log has seen.
type sight struct {
	log  identity.Origin
	size int64
}

// get returns a member's content, and notes that a check looks at it.
func (v *verifier) get(name string) ([]byte, bool) {
	v.used[name] = true
	return v.files.get(name)
}

// unused fails for each member that no check has looked at: nothing in a record
// is there for its own sake, and what nobody proves may not lie beside a proof.
func (v *verifier) unused() {
	for _, name := range slices.Sorted(maps.Keys(v.files)) {
		if !v.used[name] {
			v.fail(CheckIndex, name, because(StrayFile, nil))
		}
	}
}

func (v *verifier) readIndex() bool {
	text, ok := v.get(indexName)
	if !ok || json.Unmarshal(text, &v.index, json.RejectUnknownMembers(true)) != nil || v.index.Format != indexFormat || len(v.index.Logs) == 0 {
		v.fail(CheckIndex, "", because(UnknownIndex, nil))
		return false
	}
	if v.index.Kind != Message && v.index.Kind != Dossier && v.index.Kind != Line && v.index.Kind != Publication {
		v.fail(CheckIndex, "", because(UnknownIndex, nil))
		return false
	}
	if again, err := v.index.bytes(); err != nil || !bytes.Equal(again, text) {
		v.fail(CheckIndex, "", because(IndexForm, err))
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
		if err == nil && name != cardsName(verified.Card.Station) {
			err = fmt.Errorf("the cards are those of %s", verified.Card.Station)
		}
		if err != nil {
			v.fail(CheckCards, name, asFault(err, CardsBad))
			ok = false
			continue
		}
		v.cards[verified.Card.Station] = verified
		v.pass(CheckCards, string(verified.Card.Station))
	}
	return ok
}

// readLogs returns the logs that record.json names, in the order in which they
// are to be verified: a writer's eras in their order.
func (v *verifier) readLogs() []identity.Origin {
	var origins []identity.Origin
	for _, l := range v.index.Logs {
		o, err := identity.ParseOrigin(l.Origin)
		if err != nil {
			v.fail(CheckIndex, l.Origin, because(Contradiction, err))
			continue
		}
		if _, twice := v.logs[o]; twice {
			v.fail(CheckIndex, l.Origin, because(Contradiction, errors.New("it names the log twice")))
			continue
		}
		if lv, ok := v.newLog(o, l); ok {
			v.logs[o] = lv
			origins = append(origins, o)
		}
	}
	slices.SortFunc(origins, func(a, b identity.Origin) int {
		x, y := a, b
		x.Era, y.Era = 0, 0
		return cmp.Or(strings.Compare(x.String(), y.String()), cmp.Compare(a.Era, b.Era))
	})
	return origins
}

func (v *verifier) newLog(o identity.Origin, l logJSON) (*logVerifier, bool) {
	writer, ok := v.cards[o.Writer]
	reader, ok2 := v.cards[o.Reader]
	if !ok || !ok2 {
		v.fail(CheckCards, l.Origin, because(CardsMissing, nil))
		return nil, false
	}
	v.used[cardsName(o.Writer)], v.used[cardsName(o.Reader)] = true, true
	key, ok := writer.Card.Log(o)
	if !ok {
		v.fail(CheckCards, l.Origin, because(LogUnlisted, nil))
		return nil, false
	}
	for i, index := range l.Indexes {
		if index < 0 || index >= l.Size || i > 0 && index <= l.Indexes[i-1] {
			v.fail(CheckIndex, l.Origin, because(Contradiction, errors.New("its indexes are not those of entries of the log, each once")))
			return nil, false
		}
	}
	for i, index := range l.Support {
		if v.index.Kind == Line || !slices.Contains(l.Indexes, index) || i > 0 && index <= l.Support[i-1] {
			v.fail(CheckIndex, l.Origin, because(Contradiction, errors.New("what is there for others to count by is not among its entries, each once, or stands in the record of a line")))
			return nil, false
		}
	}
	for _, index := range l.Closed {
		if !slices.Contains(l.Indexes, index) || slices.Contains(l.Disclosed, index) {
			v.fail(CheckIndex, l.Origin, because(Contradiction, errors.New("it counts an entry as said without prejudice that it lacks or discloses")))
			return nil, false
		}
	}
	return &logVerifier{v: v, chain: basis{policy: message.Bootstrap(), begun: o.Era == 1}, in: l, o: o, writer: writer, reader: reader, key: key, policyKnown: o.Era == 1, policy: message.Bootstrap(), end: -1}, true
}

// readSuccessions verifies the notes that begin eras, and notes where the logs
// before them end.
func (v *verifier) readSuccessions() {
	for _, o := range slices.SortedFunc(maps.Keys(v.logs), func(a, b identity.Origin) int { return strings.Compare(a.String(), b.String()) }) {
		if o.Era == 1 {
			continue
		}
		note, ok := v.get(successionName(o))
		if !ok {
			v.missing(CheckFork, o.String(), because(SuccessionMissing, nil))
			continue
		}
		s, err := identity.OpenSuccession(v.logs[o].writer.Card, note)
		if err == nil && (s.New != o || s.Old != o.Line().Log(o.Writer, o.Era-1)) {
			err = fmt.Errorf("the note of succession is for %s after %s", s.New, s.Old)
		}
		if err != nil {
			v.fail(CheckFork, o.String(), because(SuccessionBad, err))
			continue
		}
		v.ends[s.Old] = s
		if old, ok := v.logs[s.Old]; ok {
			old.end = s.Size
		}
		v.pass(CheckFork, o.String())
	}
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
