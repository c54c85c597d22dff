package simulate

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"detente/line"
	"detente/station"
)

// other returns the node at the other end.
func (w *world) other(n *node) *node {
	if n == w.nodes[0] {
		return w.nodes[1]
	}
	return w.nodes[0]
}

func (w *world) indexOf(n *node) int {
	if n == w.nodes[0] {
		return 0
	}
	return 1
}

// kick makes a node look at what its line has to do now.
func (w *world) kick(ctx context.Context, n *node) {
	gen := n.gen
	w.at(w.now, func() error {
		if !n.up || n.gen != gen || n.waiting {
			return nil
		}
		return w.step(ctx, n)
	})
}

// step asks a node's line what to do, and does it.
func (w *world) step(ctx context.Context, n *node) error {
	step, err := n.end.Step(ctx, w.clock(n), w.line)
	n.alarm++ // there is one alarm clock a node: an older one is dropped
	alarm, gen := n.alarm, n.gen
	if err == nil && step.Request == nil && w.chance(2) {
		err = n.end.MakeReady(w.clock(n), w.line)
	}
	if err == nil && step.Request == nil && w.opt.story.quiet(w.now) {
		return nil // its next tick has it look again
	}
	if err != nil || step.Request == nil {
		until := w.now.Add(time.Minute)
		if err == nil && !step.Until.IsZero() {
			until = step.Until.Add(-n.skew)
		}
		if !until.After(w.now) {
			until = w.now.Add(time.Second)
		}
		w.at(until, func() error {
			if !n.up || n.gen != gen || n.alarm != alarm || n.waiting {
				return nil
			}
			return w.step(ctx, n)
		})
		return err
	}
	n.waiting = true
	w.saveSoon(n)
	w.send(ctx, n, step)
	return nil
}

// connectionLost is when the client finds out that nobody is there any more.
const connectionLost = 2 * time.Minute

// send puts a request on its way: it may be lost, come twice, late, or not at
// all.
func (w *world) send(ctx context.Context, n *node, step station.Step) {
	r := *step.Request
	r.Body = bytes.Clone(r.Body)
	if w.liar != nil && n == w.liar.node {
		r = w.liar.request(r)
	}
	gen := n.gen
	if v := w.oracle.sent(n, r); v != nil {
		w.at(w.now, func() error { return v })
		return
	}
	answered := false
	reply := func(a line.Response, failed error) func() error {
		return func() error {
			if answered || !n.up || n.gen != gen {
				return nil
			}
			answered = true
			n.waiting = false
			if failed == nil {
				n.heard = w.now
			}
			err := n.end.Answered(ctx, w.clock(n), w.line, step, a, failed)
			if w.liar != nil && err != nil && !strings.Contains(err.Error(), "internal error") {
				err = nil // it says what the counterpart did; a runner writes that down and goes on
			}
			w.kick(ctx, n)
			return err
		}
	}
	lost := &line.Error{Fault: line.Timeout, Peer: r.Peer, Sent: true, Err: fmt.Errorf("nothing came back")}
	// A connection whose other end is gone is found out sooner than a slow
	// line's answer is given up.
	w.at(w.now.Add(min(step.Patience, connectionLost)), reply(line.Response{}, lost))
	times := 1
	if w.troubled() {
		switch {
		case w.chance(25):
			w.fault("request lost")
			return
		case w.chance(40):
			w.fault("request repeated")
			times = 2
		}
	}
	for range times {
		w.at(w.now.Add(w.delay()), func() error { return w.arrive(ctx, n, r, reply) })
	}
}

// takeIn lets a node read what came, a moment after it has answered: much may
// come between.
func (w *world) takeIn(ctx context.Context, n *node) {
	gen := n.gen
	w.at(w.now.Add(w.span(0, 400*time.Millisecond)), func() error {
		if !n.up || n.gen != gen {
			return nil
		}
		err := n.end.TakeIn(ctx, w.clock(n))
		w.kick(ctx, n)
		return err
	})
}

// delay is how long something is on its way. Delays differ, so what is sent
// twice arrives in any order.
func (w *world) delay() time.Duration {
	if w.troubled() && w.chance(30) {
		w.fault("delay")
		return w.span(time.Second, 5*time.Minute)
	}
	return w.span(20*time.Millisecond, 300*time.Millisecond)
}

// arrive lets the other node answer a request, and sends the answer back.
func (w *world) arrive(ctx context.Context, from *node, r line.Request, reply func(line.Response, error) func() error) error {
	to := w.other(from)
	if !to.up || w.cut[w.indexOf(from)] {
		w.at(w.now.Add(time.Second), reply(line.Response{}, &line.Error{Fault: line.Unreachable, Peer: r.Peer, Err: fmt.Errorf("no way there")}))
		return nil
	}
	r.Peer = from.name
	a := line.Serve(ctx, station.At(to.end.Station, func() time.Time { return w.clock(to) }), r)
	w.saveSoon(to)
	w.takeIn(ctx, to)
	to.heard = w.now
	if to.store.Crashed() {
		to.mute = append(to.mute, w.now)
		return nil // it died before it answered
	}
	if err := w.oracle.answered(to, r, a); err != nil {
		return err
	}
	if w.liar != nil && to == w.liar.node {
		a = w.liar.answer(r, a)
	}
	w.kick(ctx, to)
	if w.cut[w.indexOf(to)] || w.troubled() && w.chance(25) {
		w.fault("answer lost")
		return nil
	}
	w.at(w.now.Add(w.delay()), reply(a, nil))
	return nil
}
