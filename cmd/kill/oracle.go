package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"detente/cmd/internal/rig"
	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// oracle reads logs as tiles, at both stations, as their counterpart may. It
// knows nothing else of them.
type oracle struct {
	rig   *rig.Rig
	tiles [2]*rig.Tiles
	heads map[shown]tlog.Hash // of everything that was shown
	trees [2][2]int64         // the largest size that each end showed of each log
	bad   verdict
}

// shown is a size of a log that somebody showed.
type shown struct {
	log  int // whose
	size int64
}

// verdict is what the oracle found.
type verdict struct{ messages, lost, doubled, forked int }

func newOracle(r *rig.Rig) (*oracle, error) {
	o := &oracle{rig: r, heads: make(map[shown]tlog.Hash)}
	for i, e := range r.Ends {
		t, err := e.Tiles(r.Ends[1-i])
		if err != nil {
			return nil, err
		}
		o.tiles[i] = t
	}
	return o, nil
}

func (o *oracle) close() {
	for _, t := range o.tiles {
		t.Close()
	}
}

func (o *oracle) log(writer int) identity.Origin {
	return o.rig.Line.Log(identity.Station(o.rig.Ends[writer].Name), 1)
}

func (o *oracle) finding(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "kill: "+format+"\n", args...)
}

// glance notes the heads that both stations show of both logs. A size shown
// with two roots is a fork; a head smaller than one shown before is a loss.
func (o *oracle) glance(ctx context.Context) error {
	for at := range o.rig.Ends {
		for writer := range o.rig.Ends {
			head, err := o.tiles[at].Head(ctx, o.log(writer))
			if err != nil {
				return fmt.Errorf("the head of %s at %s: %w", o.log(writer), o.rig.Ends[at].Name, err)
			}
			o.note(at, writer, head)
		}
	}
	return nil
}

func (o *oracle) note(at, writer int, head tlog.Tree) {
	k := shown{writer, head.N}
	if before, ok := o.heads[k]; ok && before != head.Hash {
		o.finding("%s shows another root of %s at size %d than was shown before", o.rig.Ends[at].Name, o.log(writer), head.N)
		o.bad.forked++
	}
	o.heads[k] = head.Hash
	if head.N < o.trees[at][writer] {
		o.finding("%s shows %s at size %d, after size %d", o.rig.Ends[at].Name, o.log(writer), head.N, o.trees[at][writer])
		o.bad.lost++
	}
	o.trees[at][writer] = head.N
}

// judge reads everything at both stations and compares: the copies with each
// other, every head ever shown with what is there now, and what is there with
// what was accepted.
func (o *oracle) judge(ctx context.Context, accepted *said) (verdict, error) {
	if err := o.glance(ctx); err != nil {
		return o.bad, err
	}
	for writer := range o.rig.Ends {
		var copies [2][][]byte
		for at := range o.rig.Ends {
			head, err := o.tiles[at].Head(ctx, o.log(writer))
			if err != nil {
				return o.bad, err
			}
			if copies[at], err = o.tiles[at].Entries(ctx, o.log(writer), head); err != nil {
				return o.bad, err
			}
		}
		o.compare(writer, copies)
		if err := o.history(writer, copies[writer]); err != nil {
			return o.bad, err
		}
		if err := o.count(writer, copies[writer], accepted.ids[writer]); err != nil {
			return o.bad, err
		}
	}
	return o.bad, nil
}

// compare looks for entries that only one station holds, or that differ.
func (o *oracle) compare(writer int, copies [2][][]byte) {
	if a, b := len(copies[writer]), len(copies[1-writer]); a != b {
		o.finding("%s: the writer shows %d entries, the mirror %d", o.log(writer), a, b)
		o.bad.lost += max(a-b, b-a)
	}
	for i := range min(len(copies[0]), len(copies[1])) {
		if !bytes.Equal(copies[0][i], copies[1][i]) {
			o.finding("%s: entry %d is not the same at both stations", o.log(writer), i)
			o.bad.forked++
		}
	}
}

// history holds every head that was ever shown against the entries.
func (o *oracle) history(writer int, entries [][]byte) error {
	var hashes memoryHashes
	for i, e := range entries {
		if root, ok := o.heads[shown{writer, int64(i)}]; ok && i > 0 {
			now, err := tlog.TreeHash(int64(i), hashes)
			if err != nil {
				return err
			}
			if now != root {
				o.finding("%s: the head shown at size %d is of another history", o.log(writer), i)
				o.bad.forked++
			}
		}
		more, err := tlog.StoredHashes(int64(i), e, hashes)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	return nil
}

// count opens the writer's entries and counts the messages that were accepted:
// each has to stand there once.
func (o *oracle) count(writer int, entries [][]byte, accepted []string) error {
	opened, err := o.rig.Ends[writer].OpenOwn(entries)
	if err != nil {
		return fmt.Errorf("%s: %w", o.log(writer), err)
	}
	times := make(map[string]int)
	for _, e := range opened {
		times[e.Body.Body().ID.String()]++
	}
	for id, n := range times {
		if n > 1 {
			o.finding("%s: message %s stands there %d times", o.log(writer), id, n)
			o.bad.doubled++
		}
	}
	for _, id := range accepted {
		if times[id] == 0 {
			o.finding("%s: message %s was accepted and is nowhere", o.log(writer), id)
			o.bad.lost++
		}
	}
	o.bad.messages += len(accepted)
	return nil
}

// memoryHashes are a tree's stored hashes.
type memoryHashes []tlog.Hash

// ReadHashes returns stored hashes by their index.
func (m memoryHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n < 0 || n >= int64(len(m)) {
			return nil, fmt.Errorf("hash %d is beyond the tree", n)
		}
		out[i] = m[n]
	}
	return out, nil
}
