package tribunal

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/seal"
)

// minute is what lies between what is written into a copy.
const minute = time.Minute

// log returns the log of a line that a station writes, era 1.
func (c *copyOf) log(writer, reader identity.Station) identity.Origin {
	return identity.Origin{Writer: writer, Reader: reader, Class: identity.Notification, Era: 1}
}

// end returns the last second that either log bears.
func (c *copyOf) end() (last time.Time) {
	for _, s := range c.logs {
		if at := s.leaves[len(s.leaves)-1].entry.Wrapper.At; at.After(last) {
			last = at
		}
		if n := len(s.receipts); n > 0 && s.receipts[n-1].at.After(last) {
			last = s.receipts[n-1].at
		}
	}
	return last
}

// body makes a body of a station's that its signal book takes.
func (c *copyOf) body(o identity.Origin, format message.Format, refs []message.ID, typed ...string) (message.Body, error) {
	cast := c.casts[o.Writer]
	params, err := cast.Book.Compose(format, typed)
	if err != nil {
		return message.Body{}, err
	}
	b := message.Body{
		Format: format, Edition: cast.Book.Hash(), Line: o.Line(), From: o.Writer, To: o.Reader, Precedence: message.Routine,
		Marking: message.Marking{TLP: "AMBER"}, Language: "en", Refs: refs, Params: params,
	}
	_, err = io.ReadFull(rand.Reader, b.ID[:])
	return b, err
}

// approve signs a body by officers of its writer, each under a release policy, at
// a second.
func (c *copyOf) approve(f message.Frozen, p message.Policy, at time.Time, officers ...int) (list []identity.Approval, err error) {
	cast := c.casts[f.Body().From]
	for i, n := range officers {
		a, err := cast.Officers[n].Sign(identity.Request{
			Body: f.Digest(), ID: [16]byte{byte(i + 1)}, Role: "releasing", Expires: at.Add(time.Hour), Policy: p.Digest(), Decision: "approve",
		})
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// entry makes an entry of a body that two officers approved, a minute after all
// that was written.
func (c *copyOf) entry(o identity.Origin, b message.Body) (message.Entry, error) {
	f, err := b.Freeze()
	if err != nil {
		return message.Entry{}, err
	}
	at := c.end().Add(minute)
	e := message.Entry{Body: f, Wrapper: message.Wrapper{At: at, Seen: c.last(o).entry.Wrapper.Seen}}
	e.Wrapper.Approvals, err = c.approve(f, message.DefaultPolicy(), at, 0, 1)
	return e, err
}

// last returns the last entry of a log.
func (c *copyOf) last(o identity.Origin) leaf { return c.logs[o].leaves[len(c.logs[o].leaves)-1] }

// write appends an entry to a log, and has its reader receipt it a minute later.
func (c *copyOf) write(o identity.Origin, e message.Entry) (record.Entry, error) {
	plain, err := e.Plain()
	if err != nil {
		return record.Entry{}, err
	}
	period := seal.PeriodOf(e.Wrapper.At)
	reader := c.casts[o.Reader].Keys.Sealing[period]
	l := leaf{entry: e}
	if l.sealed, err = seal.Seal(plain, reader.Recipient(), c.casts[o.Writer].Keys.Archive[period].Recipient()); err != nil {
		return record.Entry{}, err
	}
	if _, l.key, err = seal.Open(l.sealed, reader); err != nil {
		return record.Entry{}, err
	}
	s := c.logs[o]
	s.leaves = append(s.leaves, l)
	s.receipts = append(s.receipts, receipt{int64(len(s.leaves)), c.end().Add(minute), c.casts[o.Reader].Keys.Cosigner})
	return record.Entry{Origin: o, Index: int64(len(s.leaves) - 1)}, nil
}

// say writes a message that two officers approved.
func (c *copyOf) say(o identity.Origin, format message.Format, refs []message.ID, typed ...string) (record.Entry, error) {
	b, err := c.body(o, format, refs, typed...)
	if err != nil {
		return record.Entry{}, err
	}
	e, err := c.entry(o, b)
	if err != nil {
		return record.Entry{}, err
	}
	return c.write(o, e)
}

// id returns the id of a message in a copy.
func (c *copyOf) id(e record.Entry) message.ID {
	return c.logs[e.Origin].leaves[e.Index].entry.Body.Body().ID
}

// cite returns how an entry is cited.
func (c *copyOf) cite(e record.Entry) string {
	return fmt.Sprintf("%s/%s-%s%d-%d", c.casts[e.Origin.Writer].Card.Code, c.casts[e.Origin.Reader].Card.Code, e.Origin.Class.Letter(), e.Origin.Era, e.Index)
}
