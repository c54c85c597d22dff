package record

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/seal"
	"detente/treaty"

	"golang.org/x/mod/sumdb/tlog"
)

// maxRebuilt is how many entries a state is rebuilt from, all of them held in
// memory: at twenty messages a day from each side, with what answers them, three
// years of a line, and as much as a station keeps folded.
const maxRebuilt = 200_000

// ErrRebuild is what a record is refused with that does not show where a line
// stands.
var ErrRebuild = errors.New("the state cannot be rebuilt from this record")

// Rebuild verifies a record of a whole line, and says where everything on it
// stands as of a second, by the record alone: no station, no store, no network.
// The zero second is the last receipt in the record. Of an agreement whose text is
// not among texts it says who signed it, and not what is owed by it. ErrRebuild
// where the record is invalid, is no whole line, or does not disclose everything.
// Nothing in the report or the state implies that anybody admits anything.
func Rebuild(r io.ReaderAt, size int64, roots []identity.Root, texts []*treaty.Agreement, at time.Time) (Report, LineState, error) {
	v := newVerifier(roots)
	v.fold = &refold{v: v, steps: make(map[identity.Origin][]step), sizes: make(map[identity.Origin]int64), seen: make(map[identity.Origin][]message.Head)}
	report := v.run(r, size)
	switch {
	case report.Verdict == Invalid:
		return report, LineState{}, fmt.Errorf("%w: it is invalid; `detente record verify` says where", ErrRebuild)
	case v.index.Kind != Line:
		return report, LineState{}, fmt.Errorf("%w: it is that of a %s; export the whole line", ErrRebuild, v.index.Kind)
	case len(report.Undisclosed) > 0:
		return report, LineState{}, fmt.Errorf("%w: %d entries are not disclosed, the first is %s; export the line with its keys", ErrRebuild, len(report.Undisclosed), report.Undisclosed[0])
	case v.fold.gap || len(v.fold.entries) == 0:
		return report, LineState{}, fmt.Errorf("%w: it lacks entries before others; `detente record verify` names them", ErrRebuild)
	case v.fold.over:
		return report, LineState{}, fmt.Errorf("%w: it has more than %d entries", ErrRebuild, maxRebuilt)
	}
	state, err := v.fold.state(texts, at)
	return report, state, err
}

// refold is a line as it is folded anew from the entries of a record. It reads
// receipts as the rule says it, entry by entry: what a station keeps up to date
// by cursors is here made once.
type refold struct {
	v       *verifier
	line    identity.Line
	entries []opened
	steps   map[identity.Origin][]step
	sizes   map[identity.Origin]int64          // entries that are there
	seen    map[identity.Origin][]message.Head // of the other log, by entry
	over    bool
	gap     bool // entries are lacking before others
}

// opened is an entry of the record; what cannot be read has no body.
type opened struct {
	place    dossier.Place
	entry    message.Entry
	readable bool
	key      *dossier.Place // the entry that a file key in it opens
	item     dossier.Item
}

// step says that what stands below a size was received by a second.
type step struct {
	size int64
	at   time.Time
}

// take takes an entry, in the order of its log.
func (f *refold) take(l *logVerifier, index int64, e message.Entry, readable bool) {
	if l.end >= 0 && index >= l.end {
		return // it is evidence and no message: its log ends below it
	}
	if len(f.entries) == maxRebuilt {
		f.over = true
		return
	}
	f.line, f.gap = l.o.Line(), f.gap || index != f.sizes[l.o]
	x := opened{place: dossier.Place{Origin: l.o, Index: index}, entry: e, readable: readable}
	if readable {
		x.key = f.keyIn(l, index, e.Body.Body())
		f.receipts(l, e.Wrapper)
	}
	f.entries = append(f.entries, x)
	f.sizes[l.o] = index + 1
	f.seen[l.o] = append(f.seen[l.o], e.Wrapper.Seen)
}

// keyIn returns which entry the file key in a message opens; nil where none.
func (f *refold) keyIn(l *logVerifier, index int64, b message.Body) *dossier.Place {
	of, text, ok := dossier.Disclosed(l.o, index, b)
	if !ok {
		return nil
	}
	folder, err := folderOf(Entry{of.Origin, of.Index}, func(s identity.Station) (identity.Code, error) { return f.v.cards[s].Card.Code, nil })
	if err != nil {
		return nil
	}
	sealed, ok := f.v.files.get(folder + "entry.age")
	key, err := seal.ParseFileKey(text)
	if !ok || err != nil {
		return nil
	}
	if _, err := seal.OpenWithKey(sealed, key); err != nil {
		return nil
	}
	return &of
}

// receipts takes the receipts that a wrapper lists: those its author gave, what it
// has seen, and those it holds of its own log as far as their signatures verify.
func (f *refold) receipts(l *logVerifier, w message.Wrapper) {
	put := func(writer identity.Station, era identity.Era, size int64, at time.Time) {
		if size > 0 {
			o := l.o.Line().Log(writer, era)
			f.steps[o] = append(f.steps[o], step{size, at.UTC().Truncate(time.Second)})
		}
	}
	put(l.o.Reader, w.Seen.Era, w.Seen.Size, w.At)
	for _, r := range w.Receipts {
		put(l.o.Reader, r.Era, r.Size, r.At)
	}
	for _, h := range w.Held {
		head := journal.Head{Origin: l.o.Line().Log(l.o.Writer, h.Era), Size: h.Size, Root: tlog.Hash(h.Root)}
		if c, err := journal.OpenCosignature(l.reader.Card.CosignerName(), l.reader.Card.Cosigner, head, []byte(h.Lines)); err == nil {
			put(l.o.Writer, h.Era, h.Size, c.At)
		}
	}
}

// settle sorts the receipts of each log, and leaves of each size the earliest
// second at which that much or more was received.
func (f *refold) settle() {
	for o, list := range f.steps {
		slices.SortFunc(list, func(a, b step) int { return cmp.Or(cmp.Compare(a.size, b.size), b.at.Compare(a.at)) })
		for i := len(list) - 2; i >= 0; i-- {
			if list[i+1].at.Before(list[i].at) {
				list[i].at = list[i+1].at
			}
		}
		f.steps[o] = list
	}
}

// received returns when an entry was received; zero: no receipt of it is listed.
func (f *refold) received(p dossier.Place) time.Time {
	list := f.steps[p.Origin]
	i, _ := slices.BinarySearchFunc(list, p.Index+1, func(s step, size int64) int { return cmp.Compare(s.size, size) })
	if i == len(list) {
		return time.Time{}
	}
	return list[i].at
}

// known returns when the writer of an entry received its reader's first entry that
// shows that it was read; zero: not yet.
func (f *refold) known(p treaty.Place) time.Time {
	for era := identity.Era(1); ; era++ {
		o := p.Origin.Line().Log(p.Origin.Reader, era)
		if f.sizes[o] == 0 {
			return time.Time{}
		}
		for i, s := range f.seen[o] {
			if s.Era > p.Origin.Era || s.Era == p.Origin.Era && s.Size > p.Index {
				return f.received(dossier.Place{Origin: o, Index: int64(i)})
			}
		}
	}
}

// state folds everything as of a second.
func (f *refold) state(texts []*treaty.Agreement, at time.Time) (LineState, error) {
	f.settle()
	matters := f.v.matters
	matters.open()
	line := dossier.NewLine(dossier.ByEdition(matters.edition))
	last := at
	for i := range f.entries {
		x := &f.entries[i]
		x.item = dossier.Item{Origin: x.place.Origin, Index: x.place.Index, Received: f.received(x.place)}
		if x.readable {
			x.item = dossier.Read(x.place.Origin, x.place.Index, x.item.Received, x.entry)
			x.item.Key = x.key
		}
		line.Put(x.item)
		if at.IsZero() && x.item.Received.After(last) {
			last = x.item.Received
		}
	}
	at = last.UTC().Truncate(time.Second)
	out := Stands{Line: f.line, At: at, Received: make(map[identity.Origin]int64), Whole: line.At(at), Tension: line.Tension(at)}
	for _, x := range f.entries {
		if !x.item.Received.IsZero() && !x.item.Received.After(at) {
			out.Received[x.place.Origin] = x.place.Index + 1
		}
	}
	said := f.instruments()
	out.Guarantees = said.Guarantees(at)
	var err error
	if out.Agreements, err = f.agreements(said, texts, at); err != nil {
		return LineState{}, err
	}
	return LineStateOf(out), nil
}

// party returns whose station one is.
func (f *refold) party(s identity.Station) identity.Party { return f.v.cards[s].Card.Party }

// instruments reads the messages by which agreements and guarantees come about.
func (f *refold) instruments() treaty.Instruments {
	out := treaty.Instruments{Parties: [2]identity.Party{f.party(f.line.A), f.party(f.line.B)}, Known: f.known}
	refused := f.marks()
	for _, x := range f.entries {
		if !x.readable || x.item.Received.IsZero() || refused[x.place].refused || !slices.Contains(treaty.InstrumentFormats(), x.item.Format) {
			continue
		}
		i := treaty.Instrument{Event: f.event(x)}
		for _, a := range x.entry.Wrapper.Approvals {
			cert, err := f.v.approvals.Verify(a, x.place.Origin.Writer, f.v.cards[x.place.Origin.Writer].Agencies, x.entry.Wrapper.At)
			if err != nil {
				continue // an approval that proves nothing signs nothing
			}
			if i.Certificate.Pseudonym == "" || !i.Certificate.Holds(treaty.RolePlenipotentiary) {
				i.Certificate = cert
			}
		}
		out.Said = append(out.Said, i)
	}
	slices.SortStableFunc(out.Said, func(x, y treaty.Instrument) int { return x.Event.Received.Compare(y.Event.Received) })
	return out
}

// event reads an entry as what agreements are about.
func (f *refold) event(x opened) treaty.Event {
	o := x.place.Origin
	ev := treaty.Read(treaty.Place(x.place), f.party(o.Writer), f.party(o.Reader), x.entry.Body.Body(), x.entry.Wrapper.At, f.v.matters.edition)
	ev.Received = x.item.Received
	return ev
}

// marked is what a refusal or a dispute says of an entry.
type marked struct {
	refused bool
	second  time.Time
}

// marks returns what refusals and disputes say that stand in the record.
func (f *refold) marks() map[dossier.Place]marked {
	out := make(map[dossier.Place]marked)
	for _, x := range f.entries {
		if x.item.Received.IsZero() {
			continue
		}
		if r := x.item.Refused; r != nil {
			of := dossier.Place{Origin: x.place.Origin.Line().Log(x.place.Origin.Reader, r.Era), Index: r.Index}
			m := out[of]
			m.refused = true
			out[of] = m
		}
		if of := x.item.Disputed; of != nil {
			if m := out[*of]; m.second.IsZero() {
				m.second = x.item.At.UTC()
				out[*of] = m
			}
		}
	}
	return out
}

// blobs returns the evidence whose receipt stands in the record.
func (f *refold) blobs() map[identity.Digest]bool {
	out := make(map[identity.Digest]bool)
	for _, x := range f.entries {
		if x.item.Format != blobReceipt {
			continue
		}
		if hash, err := identity.ParseDigest(x.item.Facts.Words["hash"]); err == nil {
			out[hash] = true
		}
	}
	return out
}

// agreements says how each text stands that anybody signed, and what is owed by
// it as of a second.
func (f *refold) agreements(said treaty.Instruments, texts []*treaty.Agreement, at time.Time) (list []treaty.Standing, err error) {
	held := make(map[identity.Digest]*treaty.Agreement)
	for _, t := range texts {
		hash, err := t.Hash()
		if err != nil {
			return nil, err
		}
		held[hash] = t
	}
	bound, err := said.Bindings(func(hash identity.Digest) (*treaty.Agreement, error) { return held[hash], nil })
	if err != nil {
		return nil, err
	}
	ledgers := make([]*treaty.Ledger, len(bound))
	for i, b := range bound {
		if ledgers[i], err = treaty.NewLedger(treaty.Setup{Agreement: b.Agreement, Parties: said.Parties, Versions: b.Versions}, f.v.matters.edition); err != nil {
			return nil, fmt.Errorf("agreement %s: %w", b.Agreement, err)
		}
	}
	if len(ledgers) > 0 {
		f.keep(ledgers)
	}
	for _, g := range said.Signings() {
		st := g.Standing(held[g.Text] != nil, at)
		for i, b := range bound {
			if slices.Contains(b.Hashes, g.Text) {
				st.Name, st.State = b.Agreement, ledgers[i].At(at)
			}
		}
		list = append(list, st)
	}
	return list, nil
}

// keep gives all messages to the ledgers, in the order of their receipts.
func (f *refold) keep(ledgers []*treaty.Ledger) {
	marks, blobs := f.marks(), f.blobs()
	order := make([]*opened, 0, len(f.entries))
	for i := range f.entries {
		if f.entries[i].readable {
			order = append(order, &f.entries[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *opened) int { return a.item.Received.Compare(b.item.Received) })
	for _, x := range order {
		ev := f.event(*x)
		ev.Refused, ev.Second = marks[x.place].refused, marks[x.place].second
		ev.Awaited = slices.ContainsFunc(x.item.Facts.Blobs, func(h identity.Digest) bool { return !blobs[h] })
		for _, l := range ledgers {
			l.Put(ev)
		}
	}
}
