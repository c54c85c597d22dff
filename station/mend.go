package station

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// Mended is what was put back of a log, or could not be.
type Mended struct {
	Where string // an entry, as it is cited, a cosignature, or the tree of a log
	Done  bool
	What  string // what was done, or why nothing was
}

// Ask sends a request to a counterpart over the line's own pinned road.
type Ask func(ctx context.Context, peer identity.Station, r line.Request) (line.Response, error)

// mendPatience is how long to wait for one tile.
const mendPatience = time.Minute

// Mend puts back what doctor finds wrong in a log, by the counterpart's copy of
// it: entries, hashes, cosignatures and rows that are damaged or absent. Nothing
// is believed that the counterpart says. What it gives is taken where it leads
// to a head of the log whose signatures stand here, and nowhere else; it need not
// be asked for what the entries here give by themselves. What can be put back is,
// whatever cannot: each is told, with its reason. Doctor with repair then makes
// the tables anew. Doing it again does no harm, and a crash leaves each log as it
// was or mended.
func (s *Station) Mend(ctx context.Context, actor Actor, now time.Time, ask Ask) ([]Mended, error) {
	if err := actor.must("mend logs", RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "mend", "", err)
	}
	var logs []identity.Origin
	err := s.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Lines()
		for _, row := range rows {
			logs = append(logs, s.logsOf(row)...)
		}
		return err
	})
	var all []Mended
	for _, o := range logs {
		if err != nil {
			break
		}
		var some []Mended
		some, err = s.mendLog(ctx, actor, now, ask, o)
		all = append(all, some...)
	}
	if err != nil {
		return all, s.refused(ctx, now, actor, "mend", "", err)
	}
	return all, nil
}

// mending is a log that is being mended.
type mending struct {
	s      *Station
	ask    Ask
	o      identity.Origin
	pub    identity.PublicKey
	row    journal.Log // as it stands; the zero value where it cannot be read
	head   journal.Head
	note   []byte // signed, of head
	leaves []tlog.Hash
	above  bool             // entries stand above head that nothing here verifies
	here   map[int64][]byte // entries here that differ from their leaf, or have none: the one or the other is spoiled
	lacks  []int64          // entries that are damaged or absent, or may be
	fresh  map[int64][]byte // what to put in their place
	told   []Mended
}

// mendLog mends one log. A log of which nothing is kept is in order.
func (s *Station) mendLog(ctx context.Context, actor Actor, now time.Time, ask Ask, o identity.Origin) ([]Mended, error) {
	m := &mending{s: s, ask: ask, o: o, fresh: make(map[int64][]byte), here: make(map[int64][]byte)}
	var sound bool
	err := s.store.View(ctx, func(tx Tx) (err error) {
		sound, err = m.survey(tx)
		return err
	})
	if err != nil || sound {
		return nil, err
	}
	if m.note == nil {
		return []Mended{{Where: o.String(), What: "no signed head of it can be read here, so that nothing could be verified: restore a backup"}}, nil
	}
	if m.above {
		return []Mended{{Where: o.String(), What: fmt.Sprintf("entries stand here above the last head that can be verified, at size %d, and its row cannot be relied on: restore a backup, and it heals from the counterpart's copy", m.head.Size)}}, nil
	}
	if err := m.fetch(ctx); err != nil {
		return nil, err
	}
	if !m.verified() {
		return append(m.told, Mended{Where: o.String(), What: fmt.Sprintf("what is here and what the counterpart gave do not lead to the head at size %d whose signatures stand here: nothing was changed", m.head.Size)}), nil
	}
	err = s.update(ctx, now, func(tx Tx) error {
		if err := m.put(tx); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "mend", o.String(), "done", fmt.Sprintf("%d entries put back", len(m.fresh)))
	})
	if err != nil {
		return m.told, err
	}
	return m.told, m.mendReceipts(ctx, now)
}

// survey reads a log as it stands. It reports whether all is in order.
func (m *mending) survey(tx Tx) (sound bool, err error) {
	if m.pub, err = m.s.logKey(m.o); err != nil {
		return false, err
	}
	row, ok, err := tx.Log(m.o)
	if err == nil && !ok {
		return true, nil
	}
	if err == nil {
		if m.row = row; m.s.checkLog(tx, m.o) == nil {
			return true, nil
		}
	}
	m.signedHead(tx)
	if m.note == nil {
		return false, nil
	}
	if err := m.standsAbove(tx); err != nil || m.above {
		return false, err
	}
	m.leaves = make([]tlog.Hash, 0, m.head.Size)
	for i := int64(0); i < m.head.Size; i++ {
		stored, errHash := tx.Hashes(m.o, []int64{tlog.StoredHashIndex(0, i)})
		entry, errEntry := tx.Entry(m.o, i)
		switch {
		case errEntry == nil && errHash != nil: // nothing here speaks for it
			m.lacks, m.here[i] = append(m.lacks, i), entry
			m.leaves = append(m.leaves, tlog.RecordHash(entry))
		case errEntry == nil && tlog.RecordHash(entry) == stored[0]:
			m.leaves = append(m.leaves, stored[0])
		case errEntry == nil:
			m.lacks, m.here[i] = append(m.lacks, i), entry
			m.leaves = append(m.leaves, stored[0])
		case errHash == nil:
			m.lacks, m.leaves = append(m.lacks, i), append(m.leaves, stored[0])
		default:
			m.lacks, m.leaves = append(m.lacks, i), append(m.leaves, tlog.Hash{})
		}
	}
	return false, nil
}

// standsAbove looks for entries above the signed head. Of an own log whose row
// and entries agree the head there is signed anew: it is what the row says, and
// nothing else was ever signed at that size. Packages of an upload under way are
// the row's to say.
func (m *mending) standsAbove(tx Tx) error {
	_, err := tx.Entry(m.o, m.head.Size)
	if errors.Is(err, journal.ErrNoEntry) {
		return nil
	}
	if err != nil {
		return err
	}
	known := m.row.Origin == m.o
	if m.o.Writer != m.s.name {
		m.above = !known || m.row.PendingSize <= m.head.Size
		return nil
	}
	m.above = true
	m.s.mu.Lock()
	signer, ok := m.s.sign[m.o]
	m.s.mu.Unlock()
	if !known || !ok || m.row.Size <= m.head.Size {
		return nil
	}
	var leaves []tlog.Hash
	for i := range m.row.Size {
		entry, err := tx.Entry(m.o, i)
		if err != nil {
			return nil //nolint:nilerr // it does not agree with its row
		}
		leaves = append(leaves, tlog.RecordHash(entry))
	}
	if _, err := tx.Entry(m.o, m.row.Size); err == nil || rootOf(leaves) != m.row.Root {
		return nil
	}
	head := journal.Head{Origin: m.o, Size: m.row.Size, Root: m.row.Root}
	note, err := signer.Sign(head, time.Unix(0, 0))
	if err != nil {
		return err
	}
	m.head, m.note, m.above = head, note, false
	return nil
}

// signedHead finds the furthest head of the log whose signatures verify here: of
// its row, of a cosignature, of the high-water mark.
func (m *mending) signedHead(tx Tx) {
	take := func(note []byte) {
		if h, err := journal.OpenCheckpoint(m.pub, m.o, note); err == nil && h.Size >= m.head.Size {
			m.head, m.note = h, note
		}
	}
	if last, ok, err := tx.LastCosignature(m.o, m.s.receiptsOn(m.o)); err == nil && ok {
		take(last.Checkpoint)
	}
	m.s.markMu.Lock()
	if mark, ok := m.s.high.Mark(line.Direction{Line: m.o.Line(), Writer: m.o.Writer}); ok && mark.Origin == m.o {
		cosigner := journal.LinesOf(m.s.mirror.Cosigner.Name(), mark.Head)
		take(mark.Head[:len(mark.Head)-len(cosigner)])
	}
	m.s.markMu.Unlock()
	take(m.row.Checkpoint)
}

// rootOf returns the root of the tree of leaves.
func rootOf(leaves []tlog.Hash) tlog.Hash {
	var roots []tlog.Hash
	for i, h := range leaves {
		for n := i; n&1 == 1; n >>= 1 {
			h, roots = tlog.NodeHash(roots[len(roots)-1], h), roots[:len(roots)-1]
		}
		roots = append(roots, h)
	}
	if len(roots) == 0 {
		return emptyRoot
	}
	root := roots[len(roots)-1]
	for i := len(roots) - 2; i >= 0; i-- {
		root = tlog.NodeHash(roots[i], root)
	}
	return root
}

// fetch asks the counterpart for the entries that are not what the tree says.
// Where the leaves here lead to the signed head, each entry is judged by its own
// leaf; else all of them together by the head.
func (m *mending) fetch(ctx context.Context) error {
	bound := rootOf(m.leaves) == m.head.Root
	given := slices.Clone(m.leaves)
	for i, entry := range m.here {
		given[i] = tlog.RecordHash(entry)
	}
	if !bound && rootOf(given) == m.head.Root {
		m.leaves, m.lacks = given, nil // the entries are sound, and hashes of theirs are not
		return nil
	}
	var bundle [][]byte
	at, why := int64(-1), ""
	for _, i := range m.lacks {
		if bound && m.here[i] != nil && m.leaves[i] == given[i] {
			continue
		}
		if n := i / torchwood.TileWidth; n != at {
			at = n
			if bundle, why = m.bundle(ctx, n); ctx.Err() != nil {
				return ctx.Err()
			}
		}
		switch k := i % torchwood.TileWidth; {
		case !bound && m.here[i] != nil && (why != "" || k >= int64(len(bundle))):
			m.leaves[i] = given[i] // no other is to be had: the head judges
		case why != "":
			m.tell(i, why)
		case k >= int64(len(bundle)):
			m.tell(i, "the counterpart's copy does not reach it")
		case bound && tlog.RecordHash(bundle[k]) != m.leaves[i]:
			m.tell(i, "what the counterpart gave is not what the signed head binds: it holds another entry, or lies")
		default:
			m.fresh[i], m.leaves[i] = bundle[k], tlog.RecordHash(bundle[k])
		}
	}
	return nil
}

func (m *mending) tell(i int64, why string) {
	m.told = append(m.told, Mended{Where: m.s.Cite(m.o, i), What: why})
}

// bundle fetches a full bundle of entries, or as much of the last one as the
// counterpart must have.
func (m *mending) bundle(ctx context.Context, n int64) (entries [][]byte, why string) {
	within, cancel := context.WithTimeout(ctx, mendPatience)
	defer cancel()
	peer := m.o.Line().Other(m.s.name)
	reach := m.head.Size
	if m.o.Writer == m.s.name {
		_ = m.s.store.View(ctx, func(tx Tx) error { // where it cannot be read all is asked for
			if c, ok, err := tx.LastCosignature(m.o, m.s.receiptsOn(m.o)); err == nil && ok {
				reach = min(reach, c.Size)
			}
			return nil
		})
	}
	width := min(int64(torchwood.TileWidth), reach-n*torchwood.TileWidth)
	if width <= 0 {
		return nil, "the counterpart has not receipted it, and holds no copy"
	}
	tile := tlog.Tile{H: torchwood.TileHeight, L: -1, N: n, W: int(width)}
	answer, err := m.ask(within, peer, line.Request{Op: line.OpTile, Peer: peer, Origin: m.o, Path: torchwood.TilePath(tile)})
	if err == nil {
		err = answer.Err()
	}
	if err != nil {
		return nil, "the counterpart did not give it: " + err.Error()
	}
	for rest := answer.Body; len(rest) > 0 && int64(len(entries)) < width; {
		var entry []byte
		if entry, rest, err = torchwood.ReadTileEntry(rest); err != nil {
			return nil, "the counterpart's bundle cannot be read: " + err.Error()
		}
		entries = append(entries, entry)
	}
	return entries, ""
}

// verified reports whether the leaves, as they are now, lead to the signed head.
// Entries that stay lacking count by the leaves that are kept of them.
func (m *mending) verified() bool { return rootOf(m.leaves) == m.head.Root }

// put writes what was mended: entries, hashes that differ, and the row.
func (m *mending) put(tx Tx) error {
	for _, i := range slices.Sorted(maps.Keys(m.fresh)) {
		if err := tx.MendEntry(m.o, i, m.fresh[i]); err != nil {
			return err
		}
		m.told = append(m.told, Mended{Where: m.s.Cite(m.o, i), Done: true, What: "put back from the counterpart's copy"})
	}
	hashes, err := m.putHashes(tx)
	if err != nil {
		return err
	}
	row, ok, err := tx.Log(m.o)
	if err == nil && ok && row.Size >= m.head.Size && soundRow(tx, row, m.pub) {
		if hashes > 0 {
			m.told = append(m.told, Mended{Where: m.o.String(), Done: true, What: fmt.Sprintf("%d hashes of its tree made anew from the entries", hashes)})
		}
		return nil
	}
	fresh := journal.Log{Origin: m.o, Own: m.o.Writer == m.s.name, Size: m.head.Size, Root: m.head.Root, Checkpoint: m.note, Next: m.head.Size}
	if err == nil && ok {
		if row.PendingSize > fresh.Size {
			fresh.Pending, fresh.PendingSize, fresh.Next = row.Pending, row.PendingSize, max(row.Next, fresh.Size)
		}
	}
	if fresh.Ended, err = m.end(tx); err != nil {
		return err
	}
	if fresh.Edge, err = tx.Hashes(m.o, journal.RightEdge(fresh.Size)); err != nil {
		return err
	}
	m.told = append(m.told, Mended{Where: m.o.String(), Done: true, What: fmt.Sprintf("its row and tree made anew up to the signed head at size %d", fresh.Size)})
	return tx.PutLog(fresh)
}

// end returns where a note of succession ends the log; nil where none does.
func (m *mending) end(tx Tx) (*journal.End, error) {
	next := m.o
	next.Era++
	note, err := tx.Setting("succession/" + next.String())
	if err != nil || note == nil {
		return nil, err
	}
	card := m.s.own.Load().Card
	if m.o.Writer != m.s.name {
		p, err := m.s.peerNamed(m.o.Writer)
		if err != nil {
			return nil, err
		}
		card = p.Card
	}
	n, err := identity.OpenSuccession(card, note)
	if err != nil {
		return nil, fmt.Errorf("internal error: the stored note of succession for %s: %w", next, err)
	}
	return &journal.End{Size: n.Size, Root: tlog.Hash(n.Root)}, nil
}

// soundRow reports whether a row holds together under its own checkpoint.
func soundRow(tx Tx, row journal.Log, pub identity.PublicKey) bool {
	edge, err := tx.Hashes(row.Origin, journal.RightEdge(row.Size))
	if err != nil || !slices.Equal(edge, row.Edge) {
		return false
	}
	head, err := journal.OpenCheckpoint(pub, row.Origin, row.Checkpoint)
	return err == nil && head.Size == row.Size && head.Root == row.Root
}

// putHashes makes every stored hash anew from the leaves, and returns how many
// differed.
func (m *mending) putHashes(tx Tx) (differed int, err error) {
	known := make(grown)
	for i, leaf := range m.leaves {
		fresh, err := tlog.StoredHashesForRecordHash(int64(i), leaf, known)
		if err != nil {
			return differed, err
		}
		first := tlog.StoredHashIndex(0, int64(i))
		for k, h := range fresh {
			known[first+int64(k)] = h
			stored, err := tx.Hashes(m.o, []int64{first + int64(k)})
			if err == nil && stored[0] == h {
				continue
			}
			if err != nil && !errors.Is(err, journal.ErrNoEntry) {
				return differed, err
			}
			differed++
			if err := tx.PutHashes(m.o, first+int64(k), []tlog.Hash{h}); err != nil {
				return differed, err
			}
		}
	}
	return differed, nil
}

// grown are the hashes of a tree by their stored index.
type grown map[int64]tlog.Hash

// ReadHashes implements tlog.HashReader.
func (g grown) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		h, ok := g[x]
		if !ok {
			return nil, fmt.Errorf("internal error: hash %d was not made yet", x)
		}
		out[i] = h
	}
	return out, nil
}
