package station

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
)

// mendPage is how many cosignatures are looked at in one transaction.
const mendPage = line.MaxCosignatures

// mendReceipts puts back the cosignatures of a log's reader that do not verify,
// or are not here, by what the counterpart keeps of them: each under its maker's
// key, over the tree as it was mended.
func (m *mending) mendReceipts(ctx context.Context, now time.Time) error {
	by, key := m.s.mirror.Cosigner.Name(), m.s.own.Load().Card.Cosigner
	if m.o.Writer == m.s.name {
		p, err := m.s.peerNamed(m.o.Reader)
		if err != nil {
			return err
		}
		by, key = p.cosigner, p.Card.Cosigner
	}
	bad, err := m.badReceipts(ctx, by, key)
	if err != nil {
		return err
	}
	peer := m.o.Line().Other(m.s.name)
	for after, more := int64(0), true; more; {
		answer, err := m.ask(ctx, peer, line.Request{Op: line.OpCosignatures, Peer: peer, Origin: m.o, Offset: after, By: by, Limit: mendPage})
		if err == nil {
			err = answer.Err()
		}
		var page line.CosignaturePage
		if err == nil {
			page, err = line.ParseCosignaturePage(answer.Body)
		}
		if err != nil {
			m.told = append(m.told, Mended{Where: m.o.String(), What: "the counterpart did not give its cosignatures: " + err.Error()})
			break
		}
		more = page.More && len(page.Cosigned) > 0
		for _, c := range page.Cosigned {
			after = c.Size
		}
		err = m.s.update(ctx, now, func(tx Tx) error { return m.putReceipts(tx, by, key, page, bad) })
		if err != nil {
			return err
		}
	}
	for _, size := range slices.Sorted(maps.Keys(bad)) {
		m.told = append(m.told, Mended{Where: fmt.Sprintf("the cosignature of %s at size %d", m.o, size), What: "it does not verify, and the counterpart shows none of that size that does"})
	}
	return nil
}

// badReceipts lists the sizes whose cosignature does not verify here, or whose row
// says otherwise than its signatures.
func (m *mending) badReceipts(ctx context.Context, by string, key identity.PublicKey) (map[int64]bool, error) {
	bad := make(map[int64]bool)
	err := m.s.store.View(ctx, func(tx Tx) error {
		for after := int64(0); ; {
			some, err := tx.CosignaturesAfter(m.o, by, after, mendPage)
			if err != nil || len(some) == 0 {
				return err
			}
			for _, c := range some {
				given, ok := m.receipt(tx, by, key, c.Size, c.Checkpoint, c.Lines)
				if !ok || given.Root != c.Root || !given.At.Equal(c.At) {
					bad[c.Size] = true
				}
				after = c.Size
			}
		}
	})
	return bad, err
}

// receipt verifies a cosignature and the checkpoint beside it over the log's own
// tree.
func (m *mending) receipt(tx Tx, by string, key identity.PublicKey, size int64, checkpoint, lines []byte) (journal.Cosignature, bool) {
	if size <= 0 || size > m.head.Size {
		return journal.Cosignature{}, false
	}
	root, err := journal.RootAt(tx, m.o, size)
	if err != nil {
		return journal.Cosignature{}, false
	}
	want := journal.Head{Origin: m.o, Size: size, Root: root}
	if head, err := journal.OpenCheckpoint(m.pub, m.o, checkpoint); err != nil || head != want {
		return journal.Cosignature{}, false
	}
	c, err := journal.OpenCosignature(by, key, want, lines)
	c.Checkpoint = checkpoint
	return c, err == nil
}

// putReceipts takes from a page what is bad or absent here, where it verifies,
// and leaves in bad what it could not mend.
func (m *mending) putReceipts(tx Tx, by string, key identity.PublicKey, page line.CosignaturePage, bad map[int64]bool) error {
	for _, shown := range page.Cosigned {
		held, ok, err := tx.Cosignature(m.o, by, shown.Size)
		if err != nil {
			return err
		}
		if ok && !bad[shown.Size] {
			continue
		}
		c, good := m.receipt(tx, by, key, shown.Size, shown.Checkpoint, shown.Lines)
		if !good && ok {
			// The signatures here may be sound, and what stands beside them not.
			c, good = m.receipt(tx, by, key, held.Size, shown.Checkpoint, held.Lines)
		}
		if !good {
			continue
		}
		if err := tx.MendCosignature(c); err != nil {
			return err
		}
		delete(bad, shown.Size)
		m.told = append(m.told, Mended{Where: fmt.Sprintf("the cosignature of %s at size %d", m.o, c.Size), Done: true, What: "put back from the counterpart's copy"})
	}
	return nil
}
