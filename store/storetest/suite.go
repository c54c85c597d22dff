// Package storetest is the behaviour that every station.Store has.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/station"

	"golang.org/x/mod/sumdb/tlog"
)

var (
	at     = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	line   = identity.Line{A: "a.example", B: "b.example", Class: identity.Notification}
	origin = line.Log("a.example", 1)
	errAny = errors.New("the transaction was told to fail")
)

// Run runs the suite. open returns an empty store that runs finish in each
// commit.
func Run(t *testing.T, open func(t *testing.T, finish station.Finish) station.Store) {
	for name, test := range map[string]func(*testing.T, station.Store){
		"entries": entries, "cosignatures": cosignatures, "queue": queue, "messages": messages, "receipts": receipts,
		"documents": documents, "audit": audit, "mended": mended, "rollback": rollback, "remembered": remembered, "view": view, "log book": logBook, "search": search,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, nil)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			test(t, s)
		})
	}
	t.Run("finish", func(t *testing.T) { finish(t, open) })
}

func update(t *testing.T, s station.Store, do func(station.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), do); err != nil {
		t.Fatal(err)
	}
}

// show writes values with a space between each two.
func show(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if show(got) != show(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func entries(t *testing.T, s station.Store) {
	update(t, s, func(tx station.Tx) error {
		if _, err := tx.Entry(origin, 0); !errors.Is(err, journal.ErrNoEntry) {
			t.Errorf("an empty log's entry: %v", err)
		}
		if _, ok, err := tx.Log(origin); ok || err != nil {
			t.Errorf("an absent log: %v %v", ok, err)
		}
		if err := tx.PutEntries(origin, 1, [][]byte{{1}}); !errors.Is(err, journal.ErrMoved) {
			t.Errorf("a gap: %v", err)
		}
		hashes := []tlog.Hash{{1}, {2}, {3}}
		row := journal.Log{Origin: origin, Own: true, Size: 2, Root: tlog.Hash{9}, Edge: []tlog.Hash{{3}}, Checkpoint: []byte("c"), Next: 2, Ended: &journal.End{Size: 5, Root: tlog.Hash{7}}}
		return errors.Join(tx.PutEntries(origin, 0, [][]byte{[]byte("one"), []byte("two"), {}, []byte("")}), tx.PutHashes(origin, 0, hashes), tx.PutLog(row))
	})
	update(t, s, func(tx station.Tx) error {
		if err := tx.PutEntries(origin, 0, [][]byte{{1}}); !errors.Is(err, journal.ErrMoved) {
			t.Errorf("entries put again: %v", err)
		}
		list, err := tx.Entries(origin, 0, 2)
		expect(t, "entries", fmt.Sprintf("%s %v", list, err), "[one two] <nil>")
		empty, err := tx.Entries(origin, 2, 4)
		expect(t, "empty entries", fmt.Sprintf("%d %d %d %v", len(empty), len(empty[0]), len(empty[1]), err), "2 0 0 <nil>")
		if _, err := tx.Entries(origin, 3, 5); !errors.Is(err, journal.ErrNoEntry) {
			t.Errorf("beyond the end: %v", err)
		}
		got, err := tx.Hashes(origin, []int64{2, 0})
		expect(t, "hashes", show(got, err), show([]tlog.Hash{{3}, {1}}, nil))
		if _, err := tx.Hashes(origin, []int64{3}); !errors.Is(err, journal.ErrNoEntry) {
			t.Errorf("a hash beyond the end: %v", err)
		}
		row, ok, err := tx.Log(origin)
		expect(t, "row", show(ok, err, row.Size, row.Root, row.Edge, string(row.Checkpoint), *row.Ended), show(true, nil, 2, tlog.Hash{9}, []tlog.Hash{{3}}, "c", journal.End{Size: 5, Root: tlog.Hash{7}}))
		return nil
	})
}

func cosignatures(t *testing.T, s station.Store) {
	c := func(size int64, lines string) journal.Cosignature {
		return journal.Cosignature{Origin: origin, By: "b.example/mirror", Size: size, At: at.Add(time.Duration(size) * time.Second), Lines: []byte(lines), Checkpoint: []byte("note")}
	}
	update(t, s, func(tx station.Tx) error {
		for _, size := range []int64{3, 7, 5} {
			if err := tx.PutCosignature(c(size, "first")); err != nil {
				return err
			}
		}
		if err := tx.PutCosignature(c(5, "first")); err != nil {
			t.Errorf("the same again: %v", err)
		}
		if err := tx.PutCosignature(c(5, "second")); !errors.Is(err, journal.ErrSecondTime) {
			t.Errorf("a second time for one size: %v", err)
		}
		last, ok, err := tx.LastCosignature(origin, "b.example/mirror")
		expect(t, "last", show(last.Size, last.At, ok, err), show(7, at.Add(7*time.Second), true, nil))
		for index, want := range map[int64]int64{0: 3, 2: 3, 3: 5, 6: 7} {
			got, ok, err := tx.CosignatureCovering(origin, "b.example/mirror", index)
			expect(t, "covering", show(got.Size, ok, err), show(want, true, nil))
		}
		_, ok, err = tx.CosignatureCovering(origin, "b.example/mirror", 7)
		expect(t, "covering beyond", show(ok, err), "false <nil>")
		after, err := tx.CosignaturesAfter(origin, "b.example/mirror", 3, 1)
		expect(t, "after", show(len(after), after[0].Size, err), "1 5 <nil>")
		_, ok, err = tx.Cosignature(origin, "c.example/mirror", 5)
		expect(t, "another cosigner", show(ok, err), "false <nil>")
		return nil
	})
}

func out(n byte, p message.Precedence, state station.OutState) station.Outgoing {
	return station.Outgoing{
		ID: message.ID{n}, Line: line, Format: "600", Precedence: p, Lent: p, State: state, Body: []byte{n}, Request: [16]byte{n},
		Approvals: [][]byte{{1, n}}, Asked: at, Order: int64(n), Refs: []message.ID{{9}},
	}
}

func queue(t *testing.T, s station.Store) {
	update(t, s, func(tx station.Tx) error {
		late := out(5, message.Routine, station.Waiting)
		late.Until = at
		lent := out(4, message.Routine, station.Waiting)
		lent.Lent = message.Flash
		return errors.Join(tx.PutOutgoing(out(1, message.Routine, station.Waiting)), tx.PutOutgoing(out(2, message.Flash, station.Waiting)),
			tx.PutOutgoing(out(3, message.Routine, station.Awaiting)), tx.PutOutgoing(lent), tx.PutOutgoing(late))
	})
	update(t, s, func(tx station.Tx) error {
		list, err := tx.NextWaiting(line, 0)
		var order []byte
		for _, id := range list {
			order = append(order, id[0])
		}
		expect(t, "order", show(order, err), "[2 4 1 5] <nil>")
		o, err := tx.Outgoing(message.ID{4})
		expect(t, "row", show(o.Approvals, o.Refs[0] == message.ID{9}, o.Asked.Equal(at), o.Until.IsZero(), o.Released.IsZero(), err), "[[1 4]] true true true true <nil>")
		if _, err := tx.Outgoing(message.ID{99}); !errors.Is(err, station.ErrNotFound) {
			t.Errorf("an absent row: %v", err)
		}
		expiring, err := tx.ExpiringOutgoing(at, 0)
		expect(t, "expiring", show(len(expiring), err), "1 <nil>")
		before, err := tx.ExpiringOutgoing(at.Add(-time.Second), 0)
		expect(t, "not yet", show(len(before), err), "0 <nil>")
		counts, err := tx.CountOutgoing(line, station.Waiting)
		expect(t, "counts", show(counts[message.Flash], counts[message.Routine], err), "1 3 <nil>")
		awaiting, err := tx.OutgoingIn(station.Awaiting, 0, 10)
		expect(t, "awaiting", show(len(awaiting), err), "1 <nil>")
		one, err1 := tx.NextOrder()
		two, err2 := tx.NextOrder()
		expect(t, "order numbers", show(two > one, err1, err2), "true <nil> <nil>")
		moved := out(1, message.Routine, station.Appended)
		moved.Origin, moved.Index = origin, 7
		return tx.PutOutgoing(moved)
	})
	update(t, s, func(tx station.Tx) error {
		list, err := tx.NextWaiting(line, 1)
		expect(t, "limit", show(len(list), err), "1 <nil>")
		o, err := tx.Outgoing(message.ID{1})
		expect(t, "appended", show(o.State, o.Origin, o.Index, err), show(station.Appended, origin, 7, nil))
		return nil
	})
}

func messages(t *testing.T, s station.Store) {
	put := func(index int64, id byte, refs ...message.ID) station.Message {
		return station.Message{Origin: origin, Index: index, ID: message.ID{id}, Format: "600", Precedence: message.Routine, At: at, Plain: []byte("p"), Refs: refs}
	}
	update(t, s, func(tx station.Tx) error {
		return errors.Join(tx.PutEntries(origin, 0, [][]byte{{1}, {2}, {3}}), tx.PutMessage(put(0, 1)), tx.PutMessage(put(1, 2, message.ID{1})),
			tx.PutMessage(station.Message{Origin: origin, Index: 2, Problem: "unreadable"}))
	})
	update(t, s, func(tx station.Tx) error {
		again := put(1, 2, message.ID{1})
		again.Problem = "parameter"
		if err := tx.PutMessage(again); err != nil {
			return err
		}
		m, err := tx.MessageByID(message.ID{2})
		expect(t, "by id", show(m.Index, m.Problem, m.Seq, err), "1 parameter 2 <nil>")
		r, err := tx.Referring(message.ID{1})
		expect(t, "referring", show(len(r), r[0].Index, err), "1 1 <nil>")
		all, err := tx.Messages(origin, 1, 0)
		expect(t, "from an index", show(len(all), err), "2 <nil>")
		recent, err := tx.RecentMessages(0, 2)
		expect(t, "recent", show(recent[0].Index, recent[1].Index, err), "2 1 <nil>")
		older, err := tx.RecentMessages(recent[1].Seq, 5)
		expect(t, "older", show(len(older), older[0].Index, err), "1 0 <nil>")
		if _, err := tx.Message(origin, 9); !errors.Is(err, station.ErrNotFound) {
			t.Errorf("an absent message: %v", err)
		}
		if err := tx.DropMessages(line); err != nil {
			return err
		}
		left, err := tx.Messages(origin, 0, 0)
		expect(t, "dropped", show(len(left), err), "0 <nil>")
		return nil
	})
}

func receipts(t *testing.T, s station.Store) {
	put := func(size, second int64, seen bool) station.Listed {
		return station.Listed{Origin: origin, Size: size, At: at.Add(time.Duration(second) * time.Second), Seen: seen, By: line.Log("b.example", 1)}
	}
	update(t, s, func(tx station.Tx) error {
		return errors.Join(tx.PutListed(put(5, 50, false)), tx.PutListed(put(10, 100, false)), tx.PutListed(put(8, 70, true)), tx.PutListed(put(10, 110, false)),
			tx.PutListed(put(20, 300, false)), tx.PutListed(put(21, 250, false)))
	})
	update(t, s, func(tx station.Tx) error {
		for index, want := range map[int64]int64{0: 50, 4: 50, 5: 70, 7: 70, 8: 100, 9: 100, 10: 250, 20: 250} {
			got, err := tx.ReceiptOf(origin, index)
			expect(t, fmt.Sprintf("receipt of %d", index), show(got.Sub(at), err), show(time.Duration(want)*time.Second, nil))
		}
		if _, err := tx.ReceiptOf(origin, 21); !errors.Is(err, station.ErrNotFound) {
			t.Errorf("no receipt: %v", err)
		}
		list, err := tx.ListedOf(origin)
		expect(t, "listed", show(len(list), list[0].Size, list[1].Size, list[2].Size, err), "5 5 8 10 <nil>")
		return nil
	})
}

func documents(t *testing.T, s station.Store) {
	update(t, s, func(tx station.Tx) error {
		return errors.Join(tx.PutPeer(station.Peer{Station: "b.example", State: "held", Bundle: []byte("b"), Confirmed: []string{"X"}, Since: at}),
			tx.PutLine(station.Line{Line: line, OwnEra: 2, State: "open", LastAt: at}), tx.PutOfficer(station.Officer{Pseudonym: "P", Revoked: at}),
			tx.PutToken(station.Token{Digest: identity.Sum([]byte("t")), Actor: "who", Until: at}), tx.PutBlob(station.Blob{Hash: identity.Sum([]byte("b")), Size: 3, State: station.BlobOffered, Line: line}),
			tx.PutSetting("name", []byte("value")), tx.PutEvidence(station.Evidence{Kind: "fork", Line: line, At: at, File: []byte("f")}), tx.PutEvidence(station.Evidence{Kind: "fork", Line: line, At: at, File: []byte("f")}))
	})
	update(t, s, func(tx station.Tx) error {
		p, err := tx.Peer("b.example")
		expect(t, "peer", show(p.State, string(p.Bundle), p.Confirmed, p.Since.Equal(at), err), "held b [X] true <nil>")
		l, err := tx.Line(line)
		expect(t, "line", show(l.OwnEra, l.State, l.LastAt.Equal(at), err), "2 open true <nil>")
		o, err := tx.Officer("P")
		expect(t, "officer", show(o.Revoked.Equal(at), err), "true <nil>")
		k, err := tx.Token(identity.Sum([]byte("t")))
		expect(t, "token", show(k.Actor, err), "who <nil>")
		tokens, err := tx.Tokens()
		expect(t, "tokens", show(len(tokens), tokens[0].Actor, err), "1 who <nil>")
		if _, err := tx.Token(identity.Sum([]byte("u"))); !errors.Is(err, station.ErrNotFound) {
			t.Errorf("an unknown token: %v", err)
		}
		blobs, err := tx.BlobsIn(station.BlobOffered, identity.Digest{}, 0)
		expect(t, "blobs", show(len(blobs), blobs[0].Size, err), "1 3 <nil>")
		blobs, err = tx.BlobsIn(station.BlobOffered, identity.Sum([]byte("b")), 0)
		expect(t, "blobs after the last", show(len(blobs), err), "0 <nil>")
		v, err := tx.Setting("name")
		expect(t, "setting", show(string(v), err), "value <nil>")
		v, err = tx.Setting("absent")
		expect(t, "absent setting", show(v == nil, err), "true <nil>")
		e, err := tx.Evidences(0)
		expect(t, "evidence", show(len(e), err), "1 <nil>")
		return tx.PutSetting("name", nil)
	})
	update(t, s, func(tx station.Tx) error {
		v, err := tx.Setting("name")
		expect(t, "setting taken back", show(len(v), err), "0 <nil>")
		return nil
	})
}

// What is mended is read back as what was put, and the log goes on from where it
// was.
// covers P21
func mended(t *testing.T, s station.Store) {
	cosigned := func(size int64, lines byte) journal.Cosignature {
		return journal.Cosignature{Origin: origin, By: "b.example/mirror", Size: size, At: at, Lines: []byte{lines}}
	}
	update(t, s, func(tx station.Tx) error {
		return errors.Join(tx.PutEntries(origin, 0, [][]byte{{1}, {2}, {3}}), tx.PutCosignature(cosigned(3, 1)))
	})
	update(t, s, func(tx station.Tx) error {
		return errors.Join(tx.MendEntry(origin, 1, []byte{9}), tx.MendCosignature(cosigned(3, 2)), tx.MendCosignature(cosigned(2, 3)))
	})
	update(t, s, func(tx station.Tx) error {
		list, err := tx.Entries(origin, 0, 3)
		expect(t, "entries", show(list, err), show([][]byte{{1}, {9}, {3}}, nil))
		last, _, err := tx.LastCosignature(origin, "b.example/mirror")
		expect(t, "last cosignature", show(last.Size, last.Lines, err), show(3, []byte{2}, nil))
		put, ok, err := tx.Cosignature(origin, "b.example/mirror", 2)
		expect(t, "cosignature put back", show(put.Lines, ok, err), show([]byte{3}, true, nil))
		return tx.PutEntries(origin, 3, [][]byte{{4}})
	})
}

// covers P22
func audit(t *testing.T, s station.Store) {
	update(t, s, func(tx station.Tx) error {
		last, err := tx.LastAudit()
		expect(t, "an empty trail", show(last.Number, last.Actor, err), "0  <nil>")
		return nil
	})
	for _, who := range []string{"one", "two"} {
		update(t, s, func(tx station.Tx) error {
			_, err := tx.AppendAudit(station.Audit{At: at, Actor: who, Act: "read", Result: "done"})
			if err != nil {
				return err
			}
			_, err = tx.AppendEvent(station.Event{At: at, Kind: "message", Ref: who})
			return err
		})
	}
	update(t, s, func(tx station.Tx) error {
		list, err := tx.Audits(1, 0)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d lines, %v", len(list), err)
		}
		expect(t, "chain", list[1].Hash, station.AuditHash(list[0].Hash, list[1]))
		end, err := tx.LastAudit()
		expect(t, "last line", show(end, err), show(list[1], nil))
		events, err := tx.EventsAfter(1, 0)
		expect(t, "events", show(len(events), events[0].Number, events[0].Ref, err), "1 2 two <nil>")
		last, err := tx.LastEvent()
		expect(t, "last event", show(last, err), "2 <nil>")
		return nil
	})
}

// A transaction that fails leaves no trace, and does not fail others.
// covers P1
func rollback(t *testing.T, s station.Store) {
	err := s.Update(context.Background(), func(tx station.Tx) error {
		if _, err := tx.AppendAudit(station.Audit{At: at, Actor: "nobody"}); err != nil {
			return err
		}
		return errors.Join(tx.PutEntries(origin, 0, [][]byte{{1}}), tx.PutSetting("name", []byte("v")), tx.PutOutgoing(out(1, message.Flash, station.Waiting)),
			tx.PutMessage(station.Message{Origin: origin, ID: message.ID{1}, At: at}), errAny)
	})
	if !errors.Is(err, errAny) {
		t.Fatalf("the failure came back as %v", err)
	}
	update(t, s, func(tx station.Tx) error {
		v, err := tx.Setting("name")
		expect(t, "setting", show(len(v), err), "0 <nil>")
		list, err := tx.NextWaiting(line, 0)
		expect(t, "queue", show(len(list), err), "0 <nil>")
		a, err := tx.Audits(1, 0)
		expect(t, "audit", show(len(a), err), "0 <nil>")
		if _, err := tx.MessageByID(message.ID{1}); !errors.Is(err, station.ErrNotFound) {
			t.Errorf("message: %v", err)
		}
		return tx.PutEntries(origin, 0, [][]byte{{2}})
	})
}

// What a failed transaction wrote over is read back as it was before, by the
// next writer and by a reader: a store that remembers rows forgets with it.
// covers P1
func remembered(t *testing.T, s station.Store) {
	write := func(tx station.Tx, n byte) error {
		o := out(1, message.Flash, station.Waiting)
		o.Reason = fmt.Sprint(n)
		_, err := tx.AppendAudit(station.Audit{At: at, Actor: fmt.Sprint(n)})
		return errors.Join(err, tx.PutSetting("name", []byte{n}), tx.PutOutgoing(o),
			tx.PutLine(station.Line{Line: line, State: fmt.Sprint(n)}),
			tx.PutLog(journal.Log{Origin: origin, Size: int64(n), Edge: []tlog.Hash{{n}}}),
			tx.PutEntries(origin, int64(n-1), [][]byte{{n}}),
			tx.PutCosignature(journal.Cosignature{Origin: origin, By: "b.example/mirror", Size: int64(n), At: at, Lines: []byte{n}}))
	}
	read := func(tx station.Tx) string {
		v, err1 := tx.Setting("name")
		o, err2 := tx.Outgoing(message.ID{1})
		l, err3 := tx.Line(line)
		row, _, err4 := tx.Log(origin)
		c, _, err5 := tx.LastCosignature(origin, "b.example/mirror")
		a, err6 := tx.Audits(0, 0)
		return show(v, o.Reason, l.State, row.Size, row.Edge[0][0], c.Size, a[len(a)-1].Actor, errors.Join(err1, err2, err3, err4, err5, err6))
	}
	update(t, s, func(tx station.Tx) error { return write(tx, 1) })
	before := show([]byte{1}, 1, 1, 1, 1, 1, 1, nil)
	err := s.Update(context.Background(), func(tx station.Tx) error {
		expect(t, "before", read(tx), before)
		if err := write(tx, 2); err != nil {
			return err
		}
		expect(t, "in the transaction that will fail", read(tx), show([]byte{2}, 2, 2, 2, 2, 2, 2, nil))
		return errAny
	})
	if !errors.Is(err, errAny) {
		t.Fatalf("the failure came back as %v", err)
	}
	update(t, s, func(tx station.Tx) error {
		expect(t, "after it, to a writer", read(tx), before)
		return nil
	})
	err = s.View(context.Background(), func(tx station.Tx) error {
		expect(t, "after it, to a reader", read(tx), before)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	update(t, s, func(tx station.Tx) error { return write(tx, 2) }) // entries and audit go on where they were
}

func view(t *testing.T, s station.Store) {
	err := s.View(context.Background(), func(tx station.Tx) error { return tx.PutSetting("name", []byte("v")) })
	if err == nil {
		t.Error("a view writes")
	}
	update(t, s, func(tx station.Tx) error { return tx.PutSetting("name", []byte("v")) })
	err = s.View(context.Background(), func(tx station.Tx) error {
		v, err := tx.Setting("name")
		expect(t, "setting", string(v), "v")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func finish(t *testing.T, open func(*testing.T, station.Finish) station.Store) {
	fail := false
	s := open(t, func(tx station.Tx) error {
		err := tx.PutSetting("hook", []byte("ran"))
		if fail {
			return errors.Join(err, tx.PutSetting("hook", []byte("failed")), errAny)
		}
		return err
	})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	update(t, s, func(tx station.Tx) error { return tx.PutSetting("a", []byte("1")) })
	fail = true
	update(t, s, func(tx station.Tx) error { return tx.PutSetting("b", []byte("2")) })
	fail = false
	update(t, s, func(tx station.Tx) error {
		hook, err := tx.Setting("hook")
		expect(t, "hook", show(string(hook), err), "ran <nil>")
		b, err := tx.Setting("b")
		expect(t, "what the hook's failure must not undo", show(string(b), err), "2 <nil>")
		return nil
	})
}
