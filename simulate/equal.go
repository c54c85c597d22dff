package simulate

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// planComparisons compares both sides' states at noon of each day on which both
// hold the same of both logs.
func (w *world) planComparisons(ctx context.Context) {
	for at := begin.Add(12 * time.Hour); at.Before(w.quiet); at = at.AddDate(0, 0, 1) {
		w.at(at, func() error { return w.oracle.compare(ctx, at) })
	}
}

// sizes is how much of each log of the line a node's disk holds.
type sizes map[string]int64

func (o *oracle) sizesOf(n *node) (sizes, error) {
	out := make(sizes)
	return out, view(n, func(tx station.Tx) error {
		for _, writer := range o.w.nodes {
			for era := identity.Era(1); era <= o.eras(n, writer.name); era++ {
				log := o.w.line.Log(writer.name, era)
				l, _, err := tx.Log(log)
				if err != nil {
					return err
				}
				out[log.String()] = l.Size
			}
		}
		return nil
	})
}

// state is what both sides must say alike, as of a second and of what both hold.
type state struct {
	At       string           `json:"at"`
	Sizes    sizes            `json:"sizes"`
	Dossiers []jsontext.Value `json:"dossiers"` // with all duties
	Digest   string           `json:"digest"`   // of the whole
	Tension  jsontext.Value   `json:"tension"`
	Desks    map[string]desk  `json:"desks"`
}

type desk struct {
	Status    string   `json:"status"`
	Languages []string `json:"languages"`
	Said      string   `json:"said"`
	Until     string   `json:"until"`
}

// stateOf is what a station says of where everything stands, as canonical bytes.
func (o *oracle) stateOf(ctx context.Context, n *node, held sizes, at time.Time) ([]byte, error) {
	whole, err := n.end.Whole(ctx, stationtest.Operator(), o.w.clock(n), o.w.line, at)
	if err != nil {
		return nil, err
	}
	s := state{At: at.UTC().Format(time.RFC3339), Sizes: held, Digest: whole.Digest().String(), Desks: make(map[string]desk)}
	tense, err := n.end.Tension(ctx, stationtest.Operator(), o.w.clock(n), o.w.line, at)
	if err != nil {
		return nil, err
	}
	for _, t := range tense {
		s.Tension = t.JSON()
	}
	for _, d := range whole.Dossiers {
		s.Dossiers = append(s.Dossiers, jsontext.Value(d.JSON()))
	}
	desks, err := n.end.Desks(ctx, stationtest.Operator(), o.w.clock(n))
	if err != nil {
		return nil, err
	}
	for _, l := range desks.Lines {
		for name, word := range map[identity.Station]station.DeskWord{n.name: l.Own, l.Peer: l.Theirs} {
			s.Desks[string(name)] = desk{word.Status, word.Languages, word.Said.UTC().Format(time.RFC3339), word.Until.UTC().Format(time.RFC3339)}
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	return value, value.Canonicalize()
}

// compare compares the states of both sides as of a second, where both hold the
// same of both logs.
// covers P10
func (o *oracle) compare(ctx context.Context, at time.Time) error {
	var held [2]sizes
	var texts [2][]byte
	for i, n := range o.w.nodes {
		var err error
		if !n.up || !n.wrong.IsZero() {
			return nil
		}
		if held[i], err = o.sizesOf(n); err != nil {
			return err
		}
	}
	if fmt.Sprint(held[0]) != fmt.Sprint(held[1]) {
		return nil
	}
	for i, n := range o.w.nodes {
		var err error
		if texts[i], err = o.stateOf(ctx, n, held[i], at); err != nil {
			return err
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		return o.broken("P10", "as of %s and of what both hold the two sides say different things: %s", at.Format(time.RFC3339), firstDifference(texts[0], texts[1]))
	}
	o.w.result.Equal++
	return nil
}

// firstDifference shows two texts around where they part.
func firstDifference(a, b []byte) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(t []byte) []byte { return t[max(i-80, 0):min(i+80, len(t))] }
	return fmt.Sprintf("%q and %q", around(a), around(b))
}

// endOfWatch compares both sides' states as of the end, of each noon and of a
// month later, and says which condition no alarm told of.
func (o *oracle) endOfWatch(ctx context.Context) error {
	seconds := []time.Time{o.w.now, o.w.now.AddDate(0, 1, 0)}
	for at := begin.Add(12 * time.Hour); at.Before(o.w.quiet); at = at.AddDate(0, 0, 1) {
		seconds = append(seconds, at)
	}
	before := o.w.result.Equal
	for _, at := range seconds {
		if err := o.compare(ctx, at); err != nil {
			return err
		}
	}
	if o.w.result.Equal-before != len(seconds) {
		return o.broken("P2", "at the end the two sides do not hold the same")
	}
	for _, e := range o.plain {
		if e.Body.Body().Format == "010" {
			o.w.result.Tests++
		}
	}
	if err := o.digests(); err != nil {
		return err
	}
	return o.missed
}

// digests compares what the sides told each other of their states, as the opened
// record has it: an answer is of the same logs and second as what it answers, and
// says the same.
// covers P10
func (o *oracle) digests() error {
	given := make(map[message.ID]message.Body)
	for _, e := range o.plain {
		if b := e.Body.Body(); b.Format == "022" {
			given[b.ID] = b
		}
	}
	swapped := map[string]string{"at": "at", "digest": "digest", "owed_digest": "owed_digest",
		"own_era": "peer_era", "own_size": "peer_size", "own_root": "peer_root", "peer_era": "own_era", "peer_size": "own_size", "peer_root": "own_root"}
	for _, b := range given {
		if len(b.Refs) == 0 {
			continue
		}
		asked, ok := given[b.Refs[0]]
		if !ok {
			return o.broken("P10", "digest %s answers what is no digest", b.ID)
		}
		for one, other := range swapped {
			if string(b.Params[one]) != string(asked.Params[other]) {
				return o.broken("P10", "digest %s of %s says %s as %s, and what it answers %s", b.ID, b.From, one, b.Params[one], asked.Params[other])
			}
		}
		o.w.result.Digests++
	}
	return nil
}
