package store

import (
	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/station"
)

// memo is what a connection has read and written of the rows that every
// transaction asks for again: documents, logs, the last cosignature of each
// mirror. The writer is the only one that writes, so its memo lives on from
// commit to commit and is forgotten whenever anything is rolled back; a
// reader's lives for one View, whose snapshot it belongs to. Values in it are
// not changed in place: what a Tx hands out is not its caller's to change.
type memo struct {
	ids      map[identity.Origin]int64 // rows of logs
	logs     map[identity.Origin]journal.Log
	held     map[int64]int64 // entries of a log
	last     map[cosignedBy]journal.Cosignature
	document map[documentKey]any
	outgoing map[message.ID]station.Outgoing // as last put
	audit    lastAudit
}

// cosignedBy names the cosignatures of one mirror on one log.
type cosignedBy struct {
	origin identity.Origin
	by     string
}

type documentKey struct{ kind, name string }

// lastAudit is the end of the audit trail's chain.
type lastAudit struct {
	known  bool
	number int64
	hash   identity.Digest
}

// maxMemo bounds each map of a memo: a station has a few lines, peers, officers
// and settings, and a memo that has more forgets all.
const maxMemo = 4096

func newMemo() *memo {
	return &memo{
		ids: make(map[identity.Origin]int64), logs: make(map[identity.Origin]journal.Log), held: make(map[int64]int64),
		last: make(map[cosignedBy]journal.Cosignature), document: make(map[documentKey]any),
		outgoing: make(map[message.ID]station.Outgoing),
	}
}

// keep puts v into a map of a memo.
func keep[K comparable, V any](m map[K]V, k K, v V) {
	if len(m) >= maxMemo {
		clear(m)
	}
	m[k] = v
}

// maxMemoOutgoing bounds the outgoing messages of a memo, which hold body and
// approvals: those between their last approval and their receipt.
const maxMemoOutgoing = 256

func (m *memo) putOutgoing(o station.Outgoing) {
	if len(m.outgoing) >= maxMemoOutgoing {
		clear(m.outgoing)
	}
	m.outgoing[o.ID] = o
}
