package simulate

import (
	"time"

	"detente/identity"
	"detente/journal"
	"detente/station"

	"golang.org/x/mod/sumdb/tlog"
)

// listed looks for each receipt that a node holds of its own log and that is older
// than its counterpart had time to list it, when the node wrote last: it stands in
// the record, in either log, with no later second than it carries.
// covers P11
func (o *oracle) listed(all map[identity.Origin][]fact, n *node) error {
	const slack = 90 * time.Minute // ten minutes, and what two clocks may differ by
	eras := o.eras(n, n.name)
	last := o.plain[place{o.w.line.Log(n.name, eras), o.final[o.w.line.Log(n.name, eras)] - 1}].Wrapper.At
	return view(n, func(tx station.Tx) error {
		for era := identity.Era(1); era <= eras; era++ {
			own := o.w.line.Log(n.name, era)
			held, err := tx.CosignaturesAfter(own, string(o.w.other(n).name)+"/mirror", 0, 0)
			if err != nil {
				return err
			}
			for _, c := range held {
				if last.Sub(c.At) < slack || c.Size > o.final[own] {
					continue
				}
				if at := o.earliest(all, place{own, c.Size - 1}); at.IsZero() || at.After(c.At) {
					return o.broken("P11", "%s holds a receipt of %s at %d with %s, and the record says %s", n.name, own, c.Size, c.At, at)
				}
			}
		}
		return nil
	})
}

// fact is what one wrapper says of a receipt.
type fact struct {
	size int64
	at   time.Time
}

// facts reads what every wrapper of both logs says of receipts: those given, those
// held whose signatures verify, and what was seen.
func (o *oracle) facts() map[identity.Origin][]fact {
	all := make(map[identity.Origin][]fact)
	for q, e := range o.plain {
		if o.bodies[e.Body.Body().ID] != q || q.index >= o.final[q.origin] {
			continue // it was put back before anybody had seen it, or is named as lost
		}
		put := func(writer identity.Station, era identity.Era, size int64, at time.Time) {
			log := o.w.line.Log(writer, era)
			all[log] = append(all[log], fact{size, at})
		}
		put(q.origin.Reader, e.Wrapper.Seen.Era, e.Wrapper.Seen.Size, e.Wrapper.At)
		for _, r := range e.Wrapper.Receipts {
			put(q.origin.Reader, r.Era, r.Size, r.At)
		}
		reader := o.w.nodes[0]
		if reader.name != q.origin.Reader {
			reader = o.w.nodes[1]
		}
		for _, h := range e.Wrapper.Held {
			head := journal.Head{Origin: o.w.line.Log(q.origin.Writer, h.Era), Size: h.Size, Root: tlog.Hash(h.Root)}
			if c, err := journal.OpenCosignature(string(reader.name)+"/mirror", reader.cast.Card.Cosigner, head, []byte(h.Lines)); err == nil {
				put(q.origin.Writer, h.Era, h.Size, c.At)
			}
		}
	}
	return all
}

// earliest reckons when an entry was received: the plain reading of the rule.
func (o *oracle) earliest(all map[identity.Origin][]fact, p place) (at time.Time) {
	for _, f := range all[p.origin] {
		if f.size > p.index && (at.IsZero() || f.at.Before(at)) {
			at = f.at
		}
	}
	return at
}
