package memory

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
)

// PutOutgoing implements station.Tx.
func (t *tx) PutOutgoing(o station.Outgoing) error {
	if err := set(t, t.st.outgoing, o.ID, o); err != nil {
		return err
	}
	if o.State == station.Awaiting || o.State == station.Waiting {
		return set(t, t.st.waiting, o.ID, true)
	}
	return drop(t, t.st.waiting, o.ID)
}

// Outgoing implements station.Tx.
func (t *tx) Outgoing(id message.ID) (station.Outgoing, error) {
	return get(t.st.outgoing, id, "outgoing message")
}

// open lists those outgoing messages that may change and that fit.
func (t *tx) open(fits func(station.Outgoing) bool) []station.Outgoing {
	var list []station.Outgoing
	for id := range t.st.waiting {
		if o := t.st.outgoing[id]; fits(o) {
			list = append(list, o)
		}
	}
	return list
}

// NextWaiting implements station.Tx.
func (t *tx) NextWaiting(line identity.Line, limit int) (ids []message.ID, err error) {
	list := t.open(func(o station.Outgoing) bool { return o.Line == line && o.State == station.Waiting })
	slices.SortFunc(list, func(a, b station.Outgoing) int {
		return cmp.Or(cmp.Compare(b.Lent, a.Lent), cmp.Compare(a.Order, b.Order))
	})
	for _, o := range clipped(list, limit) {
		ids = append(ids, o.ID)
	}
	return ids, nil
}

// OutgoingIn implements station.Tx.
func (t *tx) OutgoingIn(state station.OutState, after int64, limit int) ([]station.Outgoing, error) {
	fits := func(o station.Outgoing) bool { return o.State == state && o.Order > after }
	var list []station.Outgoing
	if state == station.Awaiting || state == station.Waiting {
		list = t.open(fits)
	} else {
		for _, o := range t.st.outgoing {
			if fits(o) {
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, func(a, b station.Outgoing) int { return cmp.Compare(a.Order, b.Order) })
	return clipped(list, limit), nil
}

// ExpiringOutgoing implements station.Tx.
func (t *tx) ExpiringOutgoing(at time.Time, limit int) ([]station.Outgoing, error) {
	list := t.open(func(o station.Outgoing) bool { return !o.Until.IsZero() && !o.Until.After(at) })
	slices.SortFunc(list, func(a, b station.Outgoing) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Order, b.Order))
	})
	return clipped(list, limit), nil
}

// CountOutgoing implements station.Tx.
func (t *tx) CountOutgoing(line identity.Line, state station.OutState) (map[message.Precedence]int, error) {
	counts := make(map[message.Precedence]int)
	if state == station.Awaiting || state == station.Waiting {
		for _, o := range t.open(func(o station.Outgoing) bool { return o.Line == line && o.State == state }) {
			counts[o.Precedence]++
		}
		return counts, nil
	}
	for _, o := range t.st.outgoing {
		if o.Line == line && o.State == state {
			counts[o.Precedence]++
		}
	}
	return counts, nil
}

// NextOrder implements station.Tx.
func (t *tx) NextOrder() (int64, error) {
	if !t.writable {
		return 0, errReadOnly
	}
	before := t.st.order
	t.undo = append(t.undo, func() { t.st.order = before })
	t.st.order++
	return t.st.order, nil
}

// PutMessage implements station.Tx.
func (t *tx) PutMessage(m station.Message) error {
	k := entryKey{m.Origin, m.Index}
	if before, ok := t.st.messages[k]; ok {
		m.Seq = before.Seq
	} else {
		if err := push(t, &t.st.seq, k); err != nil {
			return err
		}
		m.Seq = int64(len(t.st.seq))
	}
	for _, r := range m.Refs {
		if list := t.st.referring[r]; !slices.Contains(list, k) {
			if err := set(t, t.st.referring, r, append(list[:len(list):len(list)], k)); err != nil {
				return err
			}
		}
	}
	if _, ok := t.st.byID[m.ID]; !ok && m.ID != (message.ID{}) {
		if err := set(t, t.st.byID, m.ID, k); err != nil {
			return err
		}
	}
	return set(t, t.st.messages, k, m)
}

// Message implements station.Tx.
func (t *tx) Message(o identity.Origin, index int64) (station.Message, error) {
	return get(t.st.messages, entryKey{o, index}, "message")
}

// MessageByID implements station.Tx.
func (t *tx) MessageByID(id message.ID) (station.Message, error) {
	k, err := get(t.st.byID, id, "message")
	if err != nil {
		return station.Message{}, err
	}
	return t.st.messages[k], nil
}

// Messages implements station.Tx.
func (t *tx) Messages(o identity.Origin, from int64, limit int) ([]station.Message, error) {
	var list []station.Message
	for i := from; limit <= 0 || len(list) < limit; i++ {
		if i >= int64(len(t.st.entries[o])) {
			break
		}
		if m, ok := t.st.messages[entryKey{o, i}]; ok {
			list = append(list, m)
		}
	}
	return list, nil
}

// Referring implements station.Tx.
func (t *tx) Referring(id message.ID) ([]station.Message, error) {
	var list []station.Message
	for _, k := range t.st.referring[id] {
		if m, ok := t.st.messages[k]; ok {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b station.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

// RecentMessages implements station.Tx.
func (t *tx) RecentMessages(before int64, limit int) ([]station.Message, error) {
	if before <= 0 || before > int64(len(t.st.seq)) {
		before = int64(len(t.st.seq)) + 1
	}
	var list []station.Message
	for i := before - 2; i >= 0 && (limit <= 0 || len(list) < limit); i-- {
		if m, ok := t.st.messages[t.st.seq[i]]; ok && m.Seq == i+1 {
			list = append(list, m)
		}
	}
	return list, nil
}

// DropMessages implements station.Tx.
func (t *tx) DropMessages(l identity.Line) error {
	if !t.writable {
		return errReadOnly
	}
	messages, byID, listed := t.st.messages, t.st.byID, t.st.listed
	t.undo = append(t.undo, func() { t.st.messages, t.st.byID, t.st.listed = messages, byID, listed })
	t.st.messages, t.st.byID, t.st.listed = maps.Clone(messages), maps.Clone(byID), maps.Clone(listed)
	maps.DeleteFunc(t.st.messages, func(k entryKey, _ station.Message) bool { return k.origin.Line() == l })
	maps.DeleteFunc(t.st.byID, func(_ message.ID, k entryKey) bool { return k.origin.Line() == l })
	maps.DeleteFunc(t.st.listed, func(k listing, _ []station.Listed) bool { return k.origin.Line() == l })
	t.dropIndex()
	return nil
}

// PutListed implements station.Tx.
func (t *tx) PutListed(l station.Listed) error {
	k := listing{l.Origin, l.Seen}
	all := t.st.listed[k]
	i, ok := slices.BinarySearchFunc(all, l.Size, func(e station.Listed, size int64) int { return cmp.Compare(e.Size, size) })
	switch {
	case ok && !l.At.Before(all[i].At):
		return nil
	case !t.writable:
		return errReadOnly
	}
	// In their place: a rebuild goes over thousands of them, and a copy for each
	// would lie about until it ends. Undone in turn, each finds what it left.
	m := t.st.listed
	if ok {
		before := all[i]
		t.undo = append(t.undo, func() { m[k][i] = before })
		all[i] = l
		return nil
	}
	t.undo = append(t.undo, func() { m[k] = slices.Delete(m[k], i, i+1) })
	m[k] = slices.Insert(all, i, l)
	return nil
}

// ReceiptOf implements station.Tx.
func (t *tx) ReceiptOf(o identity.Origin, index int64) (time.Time, error) {
	var at time.Time
	for _, seen := range []bool{false, true} {
		all := t.st.listed[listing{o, seen}]
		i, _ := slices.BinarySearchFunc(all, index+1, func(e station.Listed, size int64) int { return cmp.Compare(e.Size, size) })
		for _, l := range all[i:] {
			if at.IsZero() || l.At.Before(at) {
				at = l.At
			}
		}
	}
	if at.IsZero() {
		return at, fmt.Errorf("a listed receipt of entry %d of %s: %w", index, o, station.ErrNotFound)
	}
	return at, nil
}

// ListedOf implements station.Tx.
func (t *tx) ListedOf(o identity.Origin) ([]station.Listed, error) {
	list := slices.Concat(t.st.listed[listing{o, false}], t.st.listed[listing{o, true}])
	slices.SortStableFunc(list, func(a, b station.Listed) int { return cmp.Compare(a.Size, b.Size) })
	return list, nil
}

// PutPeer implements station.Tx.
func (t *tx) PutPeer(p station.Peer) error { return set(t, t.st.peers, p.Station, p) }

// Peer implements station.Tx.
func (t *tx) Peer(s identity.Station) (station.Peer, error) { return get(t.st.peers, s, "peer") }

// Peers implements station.Tx.
func (t *tx) Peers() ([]station.Peer, error) { return sorted(t.st.peers), nil }

// sorted returns a map's values in the order of their keys' text.
func sorted[K comparable, V any](m map[K]V) []V {
	keys := slices.Collect(maps.Keys(m))
	slices.SortFunc(keys, func(a, b K) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	var list []V
	for _, k := range keys {
		list = append(list, m[k])
	}
	return list
}

// PutLine implements station.Tx.
func (t *tx) PutLine(l station.Line) error { return set(t, t.st.lines, l.Line, l) }

// Line implements station.Tx.
func (t *tx) Line(l identity.Line) (station.Line, error) { return get(t.st.lines, l, "line") }

// Lines implements station.Tx.
func (t *tx) Lines() ([]station.Line, error) { return sorted(t.st.lines), nil }

// PutOfficer implements station.Tx.
func (t *tx) PutOfficer(o station.Officer) error { return set(t, t.st.officers, o.Pseudonym, o) }

// Officer implements station.Tx.
func (t *tx) Officer(pseudonym string) (station.Officer, error) {
	return get(t.st.officers, pseudonym, "officer")
}

// Officers implements station.Tx.
func (t *tx) Officers() ([]station.Officer, error) { return sorted(t.st.officers), nil }

// PutToken implements station.Tx.
func (t *tx) PutToken(k station.Token) error { return set(t, t.st.tokens, k.Digest, k) }

// Token implements station.Tx.
func (t *tx) Token(d identity.Digest) (station.Token, error) { return get(t.st.tokens, d, "token") }

// Tokens implements station.Tx.
func (t *tx) Tokens() ([]station.Token, error) { return sorted(t.st.tokens), nil }

// PutBlob implements station.Tx.
func (t *tx) PutBlob(b station.Blob) error { return set(t, t.st.blobs, b.Hash, b) }

// Blob implements station.Tx.
func (t *tx) Blob(h identity.Digest) (station.Blob, error) { return get(t.st.blobs, h, "blob") }

// BlobsIn implements station.Tx.
func (t *tx) BlobsIn(state station.BlobState, after identity.Digest, limit int) ([]station.Blob, error) {
	var list []station.Blob
	for _, b := range t.st.blobs {
		if b.State == state && bytes.Compare(b.Hash[:], after[:]) > 0 {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b station.Blob) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return clipped(list, limit), nil
}

// PutEvidence implements station.Tx.
func (t *tx) PutEvidence(e station.Evidence) error {
	for _, before := range t.st.evidence {
		if before.Kind == e.Kind && before.Line == e.Line && before.At.Equal(e.At) && string(before.File) == string(e.File) {
			return nil
		}
	}
	return push(t, &t.st.evidence, e)
}

// Evidences implements station.Tx.
func (t *tx) Evidences(limit int) ([]station.Evidence, error) {
	return clipped(t.st.evidence, limit), nil
}

// AppendAudit implements station.Tx.
func (t *tx) AppendAudit(a station.Audit) (station.Audit, error) {
	var previous identity.Digest
	if n := len(t.st.audits); n > 0 {
		previous = t.st.audits[n-1].Hash
	}
	a.Number = int64(len(t.st.audits)) + 1
	a.Hash = station.AuditHash(previous, a)
	return a, push(t, &t.st.audits, a)
}

// push appends to a long list without copying it.
func push[V any](t *tx, list *[]V, v V) error {
	if !t.writable {
		return errReadOnly
	}
	before := *list
	t.undo = append(t.undo, func() { *list = before })
	*list = append(before, v)
	return nil
}

// Audits implements station.Tx.
func (t *tx) Audits(from int64, limit int) ([]station.Audit, error) {
	from = max(from, 1)
	if from > int64(len(t.st.audits)) {
		return nil, nil
	}
	return clipped(t.st.audits[from-1:], limit), nil
}

// LastAudit implements station.Tx.
func (t *tx) LastAudit() (station.Audit, error) {
	if n := len(t.st.audits); n > 0 {
		return t.st.audits[n-1], nil
	}
	return station.Audit{}, nil
}

// AppendEvent implements station.Tx.
func (t *tx) AppendEvent(e station.Event) (station.Event, error) {
	e.Number = int64(len(t.st.events)) + 1
	return e, push(t, &t.st.events, e)
}

// EventsAfter implements station.Tx.
func (t *tx) EventsAfter(number int64, limit int) ([]station.Event, error) {
	number = max(number, 0)
	if number >= int64(len(t.st.events)) {
		return nil, nil
	}
	return clipped(t.st.events[number:], limit), nil
}

// LastEvent implements station.Tx.
func (t *tx) LastEvent() (int64, error) { return int64(len(t.st.events)), nil }

// Setting implements station.Tx.
func (t *tx) Setting(name string) ([]byte, error) { return t.st.settings[name], nil }

// PutSetting implements station.Tx.
func (t *tx) PutSetting(name string, value []byte) error { return set(t, t.st.settings, name, value) }

var _ station.Tx = (*tx)(nil)
