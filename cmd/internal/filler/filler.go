// Package filler writes a long log into the stores of two stations that stand
// still, for the benchmark. A log of a million entries takes a day to say and
// minutes to write: it is written by the same journal, mirror and store as in
// the field, in large batches, with entries of noise in place of sealed ones and
// a row of the projection for each.
package filler

import (
	"context"
	"crypto/rand"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"detente/cmd/internal/rig"
	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/message"
	"detente/station"
	"detente/store"
)

const (
	batchSize = 1000
	entrySize = 2 << 10 // bytes: what a short message takes, sealed and padded
	plainSize = 600     // bytes: what the projection keeps of one
)

// filling writes one log into the stores of its two ends.
type filling struct {
	origin      identity.Origin
	signer      journal.Signer
	mirror      mirror.Mirror
	own, copied *store.Store
	at          time.Time
}

// Fill writes the log of a line's first end up to a size, and its copy at the
// other end, and leaves both on the disk. Neither station may run meanwhile.
func Fill(ctx context.Context, r *rig.Rig, size int64) error {
	err := fill(ctx, r, size)
	syscall.Sync() // what was written is not to weigh on what is measured
	return err
}

func fill(ctx context.Context, r *rig.Rig, size int64) (err error) {
	f := filling{origin: r.Line.Log(identity.Station(r.Ends[0].Name), 1), at: time.Now().UTC().Truncate(time.Second)}
	writer, err := keysOf(r.Ends[0])
	if err != nil {
		return err
	}
	key, err := identity.ParsePrivateKey(identity.UseLog, writer.Logs[f.origin.String()])
	if err != nil {
		return err
	}
	if f.signer, err = journal.NewSigner(f.origin, key); err != nil {
		return err
	}
	reader, err := keysOf(r.Ends[1])
	if err != nil {
		return err
	}
	cosigner, err := identity.ParsePrivateKey(identity.UseCosigner, reader.Cosigner)
	if err != nil {
		return err
	}
	if f.mirror.Cosigner, err = journal.NewCosigner(r.Ends[1].Name+"/mirror", cosigner); err != nil {
		return err
	}
	for _, s := range []struct {
		at  **store.Store
		end *rig.End
	}{{&f.own, r.Ends[0]}, {&f.copied, r.Ends[1]}} {
		if *s.at, err = store.Open(ctx, filepath.Join(s.end.Data, "store"), store.Options{}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, (*s.at).Close()) }()
	}
	for more := true; more && err == nil; {
		more, err = f.batch(ctx, key.Public(), size)
	}
	return err
}

// stationKeys is what the filling needs of a station's key file.
type stationKeys struct {
	Cosigner string            `json:"cosigner"`
	Logs     map[string]string `json:"logs"`
}

func keysOf(e *rig.End) (k stationKeys, err error) {
	file, err := os.ReadFile(filepath.Join(e.Data, "keys.age"))
	if err != nil {
		return k, err
	}
	ids, err := os.ReadFile(e.IdentityFile())
	if err != nil {
		return k, err
	}
	text, err := identity.DecryptKey(file, "", string(ids))
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(text), &k)
}

// batch appends some entries, has them mirrored and receipted; false where the
// log has the size already.
func (f *filling) batch(ctx context.Context, pub identity.PublicKey, size int64) (bool, error) {
	noise := make([]byte, batchSize*entrySize)
	if _, err := io.ReadFull(rand.Reader, noise); err != nil {
		return false, err
	}
	var d journal.Delivery
	err := f.own.Update(ctx, func(tx station.Tx) error {
		l, _, err := tx.Log(f.origin)
		if err != nil {
			return err
		}
		d = journal.Delivery{Origin: f.origin, OldSize: l.Size, Start: l.Size}
		for i := range min(batchSize, max(0, size-l.Size)) {
			d.Entries = append(d.Entries, noise[i*entrySize:(i+1)*entrySize])
		}
		if len(d.Entries) == 0 {
			return nil
		}
		h, err := journal.Append(tx, f.signer, d.Entries, f.at)
		if err != nil {
			return err
		}
		if d.Proof, err = journal.ProveTree(tx, f.origin, l.Size, h.Size); err != nil {
			return err
		}
		l, _, err = tx.Log(f.origin)
		d.Checkpoint = l.Checkpoint
		return errors.Join(err, f.project(tx, d))
	})
	if err != nil || len(d.Entries) == 0 {
		return false, err
	}
	var c journal.Cosignature
	err = f.copied.Update(ctx, func(tx station.Tx) (err error) {
		if c, err = f.mirror.Deliver(tx, pub, d, f.at, mirror.Mark{}); err != nil {
			return err
		}
		return f.project(tx, d)
	})
	if err != nil {
		return false, err
	}
	return true, f.own.Update(ctx, func(tx station.Tx) error { return tx.PutCosignature(c) })
}

// project writes a row of the projection and an event for each entry.
func (f *filling) project(tx station.Tx, d journal.Delivery) error {
	for i, e := range d.Entries {
		m := station.Message{Origin: f.origin, Index: d.Start + int64(i), ID: message.ID(e[:16]), Format: "010", Precedence: message.Priority, At: f.at, Plain: e[:plainSize]}
		if err := tx.PutMessage(m); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(station.Event{At: f.at, Kind: "message", Ref: fmt.Sprint(m.Index), Text: "appended, message " + m.ID.String()}); err != nil {
			return err
		}
	}
	return nil
}
