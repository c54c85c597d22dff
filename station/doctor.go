package station

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
)

// Finding is something that doctor found wrong.
type Finding struct {
	Where  string // a log, an entry, the audit trail
	What   string
	Repair string // the command or step that mends it
}

// Backup lets a copy of the store be made and notes it in the audit trail.
func (s *Station) Backup(ctx context.Context, actor Actor, now time.Time, copyStore func(context.Context) error) error {
	if err := actor.must("back up", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "backup", "", err)
	}
	if trying(ctx) {
		copyStore = func(context.Context) error { return nil }
	}
	if err := copyStore(ctx); err != nil {
		return s.refused(ctx, now, actor, "backup", "", err)
	}
	return s.update(ctx, now, func(tx Tx) error { return s.audit(tx, now, actor, "backup", "", "done", "") })
}

// Doctor checks every tree, hash, checkpoint and cosignature of every log, the
// audit trail's chain and its end against the high-water mark, every blob that is
// held, and that the tables made from the logs, and the index of words, equal what
// the logs say. With repair it makes those anew, and takes a trail that was cut as
// it is; it never touches a log. An empty list means that all is in order.
func (s *Station) Doctor(ctx context.Context, actor Actor, now time.Time, repair bool) ([]Finding, error) {
	if err := actor.must("run doctor", RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "doctor", "", err)
	}
	found, err := s.checkTrail(ctx, actor, now, repair)
	if err != nil {
		return found, s.refused(ctx, now, actor, "doctor", "", err)
	}
	err = s.store.View(ctx, func(tx Tx) error {
		logs, err := s.checkLogs(tx)
		found = append(found, logs...)
		return err
	})
	if err != nil {
		return found, err
	}
	blobs, err := s.checkBlobs(ctx)
	if err != nil {
		return found, err
	}
	found = append(found, blobs...)
	words, err := s.checkIndex(ctx)
	if err != nil {
		return found, err
	}
	found = append(found, words...)
	err = s.update(ctx, now, func(tx Tx) error {
		if repair {
			if err := s.wantAgain(tx, blobs); err != nil {
				return err
			}
		}
		differ, err := s.compareProjection(tx, now)
		if err != nil {
			return err
		}
		found = append(found, differ...)
		if !repair {
			return errKeepAsIs
		}
		return s.audit(tx, now, actor, "doctor", "", "done", fmt.Sprintf("%d findings", len(found)))
	})
	if errors.Is(err, errKeepAsIs) {
		err = s.update(ctx, now, func(tx Tx) error {
			return s.audit(tx, now, actor, "doctor", "", "done", fmt.Sprintf("%d findings, the tables left as they are", len(found)))
		})
	}
	if err != nil {
		return found, s.refused(ctx, now, actor, "doctor", "", err)
	}
	if repair {
		return found, s.indexAll(ctx, now) // made anew with the tables
	}
	return found, nil
}

// errKeepAsIs rolls a comparison back.
var errKeepAsIs = errors.New("kept as it is")

// checkBlobs reads every blob that is said to be held, and compares its hash.
func (s *Station) checkBlobs(ctx context.Context) ([]Finding, error) {
	const page = 256
	var found []Finding
	for _, state := range []BlobState{BlobHeld, BlobReceipted} {
		var after identity.Digest
		for more := true; more; {
			var some []Blob
			err := s.store.View(ctx, func(tx Tx) (err error) {
				some, err = tx.BlobsIn(state, after, page)
				return err
			})
			if err != nil {
				return nil, err
			}
			for _, b := range some {
				after = b.Hash
				if what := s.checkBlob(b.Hash); what != "" {
					f := Finding{Where: "blob " + b.Hash.String(), What: what, Repair: "put the file of that name back from a backup"}
					if b.From != s.name {
						f.Repair = "move the file of that name away and run `detente station doctor --repair`: it is fetched anew"
					}
					found = append(found, f)
				}
			}
			more = len(some) == page
		}
	}
	return found, nil
}

// checkBlob says what is wrong with a blob that is held, or nothing.
func (s *Station) checkBlob(hash identity.Digest) string {
	r, err := s.blobs.Open(hash)
	if err != nil {
		return err.Error()
	}
	sum := sha256.New()
	_, err = io.Copy(sum, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err.Error()
	}
	if identity.Digest(sum.Sum(nil)) != hash {
		return "its content has another hash"
	}
	return ""
}

// wantAgain lets counterparts' blobs that are gone from their place be fetched
// anew.
func (s *Station) wantAgain(tx Tx, bad []Finding) error {
	for _, f := range bad {
		hash, err := identity.ParseDigest(strings.TrimPrefix(f.Where, "blob "))
		if err != nil {
			return err
		}
		b, err := tx.Blob(hash)
		if err != nil {
			return err
		}
		r, err := s.blobs.Open(hash)
		if err == nil {
			if err := r.Close(); err != nil {
				return err
			}
		}
		if b.From == s.name || !errors.Is(err, ErrNotFound) {
			continue
		}
		b.State, b.Have = BlobOffered, 0
		if err := tx.PutBlob(b); err != nil {
			return err
		}
	}
	return nil
}

// logsOf lists the logs of a line, oldest era first, own side first.
func (s *Station) logsOf(row Line) []identity.Origin {
	var logs []identity.Origin
	for era := identity.Era(1); era <= row.OwnEra; era++ {
		logs = append(logs, row.Line.Log(s.name, era))
	}
	for era := identity.Era(1); era <= row.PeerEra; era++ {
		logs = append(logs, row.Line.Log(row.Line.Other(s.name), era))
	}
	return logs
}

func (s *Station) checkLogs(tx Tx) ([]Finding, error) {
	rows, err := tx.Lines()
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, row := range rows {
		for _, o := range s.logsOf(row) {
			if _, ok, err := tx.Log(o); err != nil {
				return found, err
			} else if !ok {
				continue
			}
			if err := s.checkLog(tx, o); err != nil {
				found = append(found, Finding{Where: o.String(), What: err.Error(), Repair: "stop the station and restore a backup: it heals from the counterpart's copy at the next start"})
			}
		}
	}
	return found, nil
}

// checkLog checks a log's tree, and the cosignatures of its reader.
func (s *Station) checkLog(tx Tx, o identity.Origin) error {
	pub, err := s.logKey(o)
	if err != nil {
		return err
	}
	if err := journal.CheckLog(tx, o, pub); err != nil {
		return err
	}
	by, key := s.mirror.Cosigner.Name(), s.mirror.Cosigner.Public()
	if o.Writer == s.name {
		p, err := s.peerNamed(o.Reader)
		if err != nil {
			return err
		}
		by, key = p.cosigner, p.Card.Cosigner
	}
	return journal.CheckCosignatures(tx, o, by, key)
}

// compareProjection makes the tables of each line anew from its logs and says
// where they differ from what stood there. The new ones stand in the
// transaction.
func (s *Station) compareProjection(tx Tx, now time.Time) ([]Finding, error) {
	rows, err := tx.Lines()
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, row := range rows {
		if err := s.readUnread(tx, now, &row); err != nil {
			return nil, err
		}
		before, err := s.lineMessages(tx, row)
		if err != nil {
			return nil, err
		}
		listedBefore, err := s.lineListed(tx, row)
		if err != nil {
			return nil, err
		}
		if err := s.rebuild(tx, now, &row); err != nil {
			return nil, fmt.Errorf("rebuilding %s: %w", row.Line, err)
		}
		after, err := s.lineMessages(tx, row)
		if err != nil {
			return nil, err
		}
		if where := firstDifference(before, after); where != "" {
			found = append(found, Finding{Where: where, What: "the table of messages differs from the logs", Repair: "detente station doctor --repair"})
		}
		listedAfter, err := s.lineListed(tx, row)
		if err != nil {
			return nil, err
		}
		if !slices.EqualFunc(listedBefore, listedAfter, sameListed) {
			found = append(found, Finding{Where: row.Line.String(), What: "the table of receipts differs from the logs", Repair: "detente station doctor --repair"})
		}
	}
	return found, nil
}

func (s *Station) lineMessages(tx Tx, row Line) ([]Message, error) {
	var all []Message
	for _, o := range s.logsOf(row) {
		m, err := tx.Messages(o, 0, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, m...)
	}
	return all, nil
}

func (s *Station) lineListed(tx Tx, row Line) ([]Listed, error) {
	var all []Listed
	for _, o := range s.logsOf(row) {
		l, err := tx.ListedOf(o)
		if err != nil {
			return nil, err
		}
		all = append(all, l...)
	}
	return all, nil
}

// sameListed compares what two listed receipts say. Where each stands may differ:
// two entries may say the same.
func sameListed(a, b Listed) bool {
	return a.Origin == b.Origin && a.Size == b.Size && a.Seen == b.Seen && a.At.Equal(b.At)
}

// firstDifference names the first message in which two lists differ, or is
// empty.
func firstDifference(a, b []Message) string {
	for i := range max(len(a), len(b)) {
		if i >= len(a) {
			return fmt.Sprintf("%s entry %d", b[i].Origin, b[i].Index)
		}
		if i >= len(b) || !sameMessage(a[i], b[i]) {
			return fmt.Sprintf("%s entry %d", a[i].Origin, a[i].Index)
		}
	}
	return ""
}

func sameMessage(a, b Message) bool {
	return a.Origin == b.Origin && a.Index == b.Index && a.ID == b.ID && a.Format == b.Format && a.Precedence == b.Precedence &&
		a.At.Equal(b.At) && bytes.Equal(bytes.TrimRight(a.Plain, "\n"), bytes.TrimRight(b.Plain, "\n")) &&
		a.Provisional == b.Provisional && slices.Equal(a.Refs, b.Refs) && a.Problem == b.Problem && a.Field == b.Field
}

// rebuild makes the tables of a line anew from its logs.
func (s *Station) rebuild(tx Tx, now time.Time, row *Line) error {
	if err := errors.Join(tx.DropMessages(row.Line), tablesAnew(tx, row.Line), tx.PutSetting(spokenKey(row.Line), nil)); err != nil {
		return err
	}
	row.PeerAt, row.PeerSeen = time.Time{}, message.Head{}
	for _, o := range s.logsOf(*row) {
		var inherited []byte
		if o.Era > 1 {
			before := o
			before.Era--
			inherited = s.policyBytes(tx, before)
		}
		if err := tx.PutSetting("policy/"+o.String(), inherited); err != nil {
			return err
		}
		log, ok, err := tx.Log(o)
		if err != nil {
			return err
		}
		if ok {
			end := log.Size
			if log.Ended != nil {
				end = min(end, log.Ended.Size)
			}
			if err := s.rebuildFrom(tx, now, row, o, 0, end); err != nil {
				return err
			}
			if err := s.projectBeyond(tx, o, end, log.Size); err != nil {
				return err
			}
		}
	}
	return nil
}

// rebuildFrom projects a range of a log's entries.
func (s *Station) rebuildFrom(tx Tx, now time.Time, row *Line, o identity.Origin, from, to int64) error {
	const page = 512      // entries held in memory at a time
	var written time.Time // the entry before: a record of years has as many identities as months
	for ; from < to; from += page {
		entries, err := tx.Entries(o, from, min(from+page, to))
		if err != nil {
			return err
		}
		for i, sealed := range entries {
			index := from + int64(i)
			in := s.openNear(sealed, o.Writer == s.name, written)
			if at := in.entry.Wrapper.At; !at.IsZero() {
				written = at
			}
			if o.Writer == s.name {
				err = s.projectOwn(tx, o, index, in)
			} else {
				if index == 0 {
					row.PeerAt, row.PeerSeen = time.Time{}, message.Head{} // each log is judged by itself
				}
				err = s.takeIn(tx, now, row, o, index, in, false)
			}
			if err != nil {
				return fmt.Errorf("entry %d of %s: %w", index, o, err)
			}
		}
	}
	return nil
}

// projectBeyond notes entries above the end of a log, which its writer has lost:
// evidence, shown as that, and no message any more. What they said may be said
// again in the next era.
func (s *Station) projectBeyond(tx Tx, o identity.Origin, from, to int64) error {
	if from >= to {
		return nil
	}
	entries, err := tx.Entries(o, from, to)
	if err != nil {
		return err
	}
	for i, sealed := range entries {
		in := s.open(sealed, o.Writer == s.name)
		in.problem, in.field = problemBeyond, ""
		if err := s.projectUnread(tx, o, from+int64(i), in); err != nil {
			return err
		}
	}
	return nil
}

// projectOwn projects an entry of an own log, as the archive identity opened it.
// One whose period's identity is no longer at the station stays closed.
func (s *Station) projectOwn(tx Tx, o identity.Origin, index int64, in incoming) error {
	if in.problem != "" {
		return s.projectUnread(tx, o, index, in)
	}
	return s.project(tx, o, index, in.entry, in.plain, "", "")
}

// spent marks the queue's row of a message that turned out to stand in the log.
func (s *Station) spent(tx Tx, id message.ID, o identity.Origin, index int64) error {
	out, err := tx.Outgoing(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || out.State == Appended {
		return err
	}
	out.State, out.Origin, out.Index = Spent, o, index
	out.Reason, out.Next = "it stands in the log already: found after a restore", "nothing: it is not sent twice"
	return tx.PutOutgoing(out)
}
