package stationtest

import (
	"context"
	"fmt"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
)

// End is one station of a pair, with who stands behind it.
type End struct {
	*station.Station
	Cast *Cast
}

// Introduce takes two stations through the whole ceremony: cards, digits read
// in halves, two officers at each side.
func Introduce(ctx context.Context, now time.Time, a, b End) error {
	for _, e := range [][2]End{{a, b}, {b, a}} {
		own, other := e[0], e[1]
		for _, o := range own.Cast.Officers {
			if _, err := own.AddOfficer(ctx, operator, now, "officer "+o.Pseudonym, o.Certificate); err != nil {
				return err
			}
		}
		if _, err := own.AddPeer(ctx, operator, now, other.Cast.RootInfo, other.Cast.Bundle); err != nil {
			return err
		}
	}
	for _, e := range [][2]End{{a, b}, {b, a}} {
		own, other := e[0], e[1]
		read, err := other.Digits(ctx, operator, own.Name())
		if err != nil {
			return err
		}
		heard := identity.EvenHalf(read)
		if other.ReadsOdd(own.Name()) {
			heard = identity.OddHalf(read)
		}
		if _, err := own.CheckDigits(ctx, operator, now, other.Name(), heard); err != nil {
			return err
		}
		for _, o := range own.Cast.Officers[:2] {
			r, err := own.PeerRequest(ctx, operator, other.Name(), "releasing", now.Add(time.Hour))
			if err != nil {
				return err
			}
			approval, err := o.Sign(r)
			if err != nil {
				return err
			}
			if _, err := own.ConfirmPeer(ctx, operator, now, other.Name(), approval); err != nil {
				return err
			}
		}
	}
	return nil
}

// OpenLine opens one side of a line and lets its officers release its first
// policy.
func (e End) OpenLine(ctx context.Context, now time.Time, l identity.Line, t station.Terms) error {
	out, err := e.Station.OpenLine(ctx, operator, now, l, t, message.DefaultPolicy())
	if err != nil {
		return err
	}
	return e.Approve(ctx, now, out.ID, 2)
}

// Approve lets n officers approve a message.
func (e End) Approve(ctx context.Context, now time.Time, id message.ID, n int) error {
	for _, o := range e.Cast.Officers[:n] {
		r, err := e.Release(ctx, operator, now, id)
		if err != nil {
			return err
		}
		a, err := o.Sign(r.Request("releasing", "approve"))
		if err != nil {
			return err
		}
		if _, err := e.Station.Approve(ctx, operator, now, id, a); err != nil {
			return err
		}
	}
	return nil
}

// Say submits a message of typed parameters and lets its officers release it.
func (e End) Say(ctx context.Context, now time.Time, d station.Draft, typed ...string) (station.Outgoing, error) {
	params, err := e.Book().Compose(d.Format, typed)
	if err != nil {
		return station.Outgoing{}, err
	}
	d.Params = params
	if d.Marking.TLP == "" {
		d.Marking.TLP = "AMBER"
	}
	if d.Language == "" {
		d.Language = "en"
	}
	out, err := e.Submit(ctx, operator, now, d)
	if err != nil {
		return out, err
	}
	if out.State == station.Awaiting {
		r, err := e.Release(ctx, operator, now, out.ID)
		if err != nil {
			return out, err
		}
		if err := e.Approve(ctx, now, out.ID, r.Need); err != nil {
			return out, err
		}
	}
	return e.Outgoing(ctx, operator, now, out.ID)
}

// Serve answers a request as a station with a runner does: it reads what the
// request brought, once it has answered.
func Serve(ctx context.Context, s *station.Station, now time.Time, r line.Request) (line.Response, error) {
	answer := line.Serve(ctx, station.At(s, func() time.Time { return now }), r)
	return answer, s.TakeIn(ctx, now)
}

// maxSteps bounds Settle: a line that needs more never settles.
const maxSteps = 10_000

// Settle carries requests between two stations until neither has anything to
// send at now.
func Settle(ctx context.Context, now time.Time, l identity.Line, ends ...End) error {
	byName := make(map[identity.Station]End)
	for _, e := range ends {
		byName[e.Name()] = e
	}
	for range maxSteps {
		idle := true
		for _, e := range ends {
			step, err := e.Step(ctx, now, l)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
			if step.Request == nil {
				continue
			}
			idle = false
			r := *step.Request
			peer, ok := byName[r.Peer]
			r.Peer = e.Name()
			var answer line.Response
			var failed error
			if ok {
				if answer, err = Serve(ctx, peer.Station, now, r); err != nil {
					return fmt.Errorf("%s: %w", peer.Name(), err)
				}
			} else {
				failed = &line.Error{Fault: line.Unreachable, Peer: r.Peer, Err: fmt.Errorf("not in this test")}
			}
			if err := e.Answered(ctx, now, l, step, answer, failed); err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
		}
		if idle {
			return nil
		}
	}
	return fmt.Errorf("the line %s did not settle in %d steps", l, maxSteps)
}
