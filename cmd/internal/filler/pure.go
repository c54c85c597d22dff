package filler

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// Pure is what folding a line in memory costs beside so many messages.
type Pure struct {
	Message time.Duration // one more message, with its matter folded anew
	First   time.Duration // all matters listed for the first time
	Later   time.Duration // and again, after one more message, a second later; the mean
}

// foldListed is how many lists are timed.
const foldListed = 50

// FoldPure puts so many messages into a line, each second one an answer to that
// before, and takes the time of one more, and of lists where lists is true. There
// is no store: the fold alone is measured.
func FoldPure(entries int, lists bool) (p Pure, err error) {
	e, err := book.Embedded()
	if err != nil {
		return p, err
	}
	l, err := identity.NewLine("nrrc.arden.example", "nrrc.boreal.example", identity.Notification)
	if err != nil {
		return p, err
	}
	fold := dossier.NewLine(dossier.ByEdition(e))
	start, said := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), 0
	say := func() (it dossier.Item) {
		at := start.Add(time.Duration(said) * time.Second)
		it = dossier.Item{Origin: l.Log(l.A, 1), Index: int64(said / 2), Format: "210", Precedence: message.Immediate, At: at, Received: at}
		if said%2 == 1 {
			it.Origin, it.Format, it.Refs = l.Log(l.B, 1), "211", []message.ID{idOf(said)}
			it.Seen = dossier.Seen{Era: 1, Size: it.Index + 1}
		}
		said++
		it.ID = idOf(said)
		fold.Put(it)
		return it
	}
	for said < entries {
		say()
	}
	runtime.GC() // what was made before is no cost of a message
	for range foldMeasured {
		began := time.Now()
		it := say()
		d, ok := fold.Dossier(it.ID, it.At)
		p.Message += time.Since(began)
		if !ok || len(d.Timeline) != 2-said%2 {
			return p, fmt.Errorf("the matter of message %d holds %d messages", said, len(d.Timeline))
		}
	}
	p.Message /= foldMeasured
	if !lists {
		return p, nil
	}
	list := func() (took time.Duration, err error) {
		it := say()
		began := time.Now()
		w := fold.At(it.At)
		took = time.Since(began)
		if len(w.Dossiers) != (said+1)/2 {
			err = errors.New("a matter is not listed")
		}
		return took, err
	}
	if p.First, err = list(); err != nil {
		return p, err
	}
	for range foldListed {
		took, err := list()
		if err != nil {
			return p, err
		}
		p.Later += took
	}
	p.Later /= foldListed
	return p, nil
}

func idOf(n int) (id message.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)) //nolint:gosec // a count
	return id
}
