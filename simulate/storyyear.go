package simulate

import (
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// year is all that is played, month by month.
func (s *story) year() {
	s.firstMonth()
	s.negotiate()
	s.signed()
	s.spring()
	s.election()
	s.summer()
	s.autumn()
}

// stamp writes a moment as messages do.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// from writes a time between two moments.
func from(name string, a, b time.Time) string { return name + "=" + stamp(a) + "/" + stamp(b) }

// contact tells the other side whom to turn to.
func (s *story) contact(n *node, entry, role string) {
	s.say(n, "030", nil, "change=new", "entry="+entry, "role="+role, "body=Risk Reduction Centre", "languages=en", "languages=fr", "round_the_clock=yes", "channels=tel:+99950100",
		"key_id=watch-"+string(n.cast.Card.Code), "valid_from="+stamp(begin), "valid_to="+stamp(day(365, 0)))
}

// notice announces an activity so long ahead, and the other side passes it on.
func (s *story) notice(n *node, ahead time.Duration) message.ID {
	at := s.w.now.Add(ahead).Truncate(time.Minute)
	id := s.say(n, "110", nil, "kind=mass-scan", from("window", at, at.Add(4*time.Hour)), "sector=energy", "markers=prefix:198.51.100.64/26", "expected_effect=alarms", "stop_contact=tel:+99950100", "ask=tell-watch", "by="+stamp(at.Add(-time.Hour)))
	s.later(8*time.Hour, func() { s.say(s.w.other(n), "014", about(id), "body=National Grid Watch", "delivered="+stamp(s.w.now)) })
	return id
}

// inquire asks the other side about an activity.
func (s *story) inquire(n *node, p message.Precedence) message.ID {
	return s.put(n, station.Draft{Format: "210", Precedence: p}, nil, "kind=scanning", from("window", s.w.now.Add(-2*time.Hour), s.w.now.Add(-time.Hour)), "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1",
		"concern=origin", "ask=inform", "by="+stamp(s.w.now.Add(24*time.Hour)))
}

// firstMonth is a line that works fully with no agreement in force.
func (s *story) firstMonth() {
	s.until(day(1, 9*time.Hour))
	s.scene("the two sides name their watches; no agreement is in force")
	s.contact(s.arden, "C-001", "watch")
	s.contact(s.boreal, "C-001", "watch")

	s.until(day(3, 10*time.Hour))
	s.scene("Arden gives notice of a scan, Boreal passes it on")
	scan := s.notice(s.arden, 5*24*time.Hour)
	s.until(day(5, 14*time.Hour))
	s.scene("Boreal inquires, and after more time Arden says that it was not theirs")
	asked := s.inquire(s.boreal, 0)
	s.pass(20 * time.Hour)
	s.say(s.arden, "202", about(asked), "reason=examining", "due="+stamp(s.w.now.Add(48*time.Hour)), "n=1")
	s.pass(30 * time.Hour)
	s.say(s.arden, "211", about(asked), "answer=not-ours", "action=examining")
	s.until(day(8, 16*time.Hour))
	s.say(s.arden, "112", about(scan), "ended="+stamp(s.w.now.Add(-time.Hour)), "deviations=none")

	s.until(day(12, 7*time.Hour))
	s.scene("Boreal tells of an incident, with evidence, until it is closed")
	s.incident(s.boreal, "BOR-2026-1", 2)
	s.until(day(20, 22*time.Hour))
	s.scene("Arden asks Boreal to stop what endangers a system, and it stops")
	s.stopping(s.arden)
	s.owesNothing()
}

// incident tells of an incident with evidence, how it goes on each 20 hours, and
// its end.
func (s *story) incident(n *node, name string, effect int) message.ID {
	now := s.w.now
	log := s.attach(n, "text/plain", []byte("2026: connections refused at the edge, "+name+"\n"))
	id := s.put(n, station.Draft{Format: "220"}, map[string]jsontext.Value{"evidence": log}, "incident_id="+name, "stage=early", "class=availability", "began="+stamp(now.Add(-3*time.Hour)), "found="+stamp(now.Add(-2*time.Hour)),
		"sector=energy", fmt.Sprintf("effect=%d", effect), "cross_border=yes", "status=confirmed", "next_update="+stamp(now.Add(22*time.Hour)), "ask=keep-logs", "by="+stamp(now.Add(48*time.Hour)))
	for i := range 2 {
		s.pass(20 * time.Hour)
		s.say(n, "221", about(id), "stage=interim", "status=contained", fmt.Sprintf("effect=%d", max(effect-i, 1)), "cause=open", "next_update="+stamp(s.w.now.Add(22*time.Hour)), "ask=none")
	}
	s.pass(20 * time.Hour)
	s.say(n, "221", about(id), "stage=final", "status=closed", "effect=0", "cause=technical", "closed="+stamp(s.w.now), "ask=none")
	return id
}

// stopping asks the other side to stop something, which it does within the hour.
func (s *story) stopping(n *node) message.ID {
	id := s.say(n, "230", nil, "assets=domain:scada.grid.example", "observed=scanning", from("window", s.w.now.Add(-time.Hour), s.w.now), "danger=service", "ask=stop", "by="+stamp(s.w.now.Add(2*time.Hour)))
	s.pass(40 * time.Minute)
	s.say(s.w.other(n), "231", about(id), "answer=stopped", "at="+stamp(s.w.now))
	s.pass(2 * time.Hour)
	return id
}

// owesNothing fails where an agreement binds anybody now.
func (s *story) owesNothing() {
	for _, n := range s.w.nodes {
		if v := s.agreements(n); s.err == nil && len(v.Agreements) > 0 {
			s.fail(fmt.Errorf("%s: %s has agreements: %+v", stamp(s.w.now), n.name, v.Agreements))
		}
	}
}

// agreements asks a side what binds both.
func (s *story) agreements(n *node) station.AgreementView {
	if s.err != nil {
		return station.AgreementView{}
	}
	v, err := n.end.AgreementState(s.ctx, stationtest.Operator(), s.w.clock(n), station.AgreementQuery{Line: s.w.line})
	s.fail(err)
	return v
}

// holds fails where the agreement is not, or is, in force at either side.
func (s *story) holds(want bool) {
	for _, n := range s.w.nodes {
		inForce := false
		for _, a := range s.agreements(n).Agreements {
			inForce = inForce || a.State.InForce
		}
		if s.err == nil && inForce != want {
			s.fail(fmt.Errorf("%s: %s says that the agreement is in force: %v", stamp(s.w.now), n.name, inForce))
		}
	}
}

// challenge has one side prove that its officer is there.
func (s *story) challenge(n *node) {
	var nonce [16]byte
	for i := range nonce {
		nonce[i] = byte(s.w.rand.IntN(256))
	}
	id := s.say(n, "015", nil, "nonce="+hex.EncodeToString(nonce[:]), "scheme=officer-key")
	s.pass(2 * time.Minute)
	other := s.w.other(n)
	if s.err != nil {
		return
	}
	var typed []string
	s.fail(view(other, func(tx station.Tx) error {
		m, err := tx.MessageByID(id)
		if err == nil {
			typed, _, err = s.w.proof(s.ctx, other, m)
		}
		return err
	}))
	s.say(other, "016", about(id), typed...)
	s.pass(time.Hour)
}

// digests has both sides say what they make of the record as of the day before, whose
// receipts have all been listed since: by the tests of the line, where there are
// such each day.
func (s *story) digests() {
	if s.err != nil || s.tests > 24*time.Hour {
		return
	}
	at := s.w.now.Add(-24 * time.Hour).UTC().Truncate(time.Second)
	first := s.say(s.arden, "022", nil, s.digestOf(s.arden, at)...)
	s.later(10*time.Minute, func() { s.say(s.boreal, "022", about(first), s.digestOf(s.boreal, at)...) })
}

// digestOf is what a side says of the state as of a second.
func (s *story) digestOf(n *node, at time.Time) []string {
	if s.err != nil {
		return nil
	}
	whole, err := n.end.Whole(s.ctx, stationtest.Operator(), s.w.clock(n), s.w.line, at)
	s.fail(err)
	typed := []string{"at=" + stamp(at), "own_era=1", "peer_era=1", "digest=" + whole.Digest().String()}
	s.fail(view(n, func(tx station.Tx) error {
		for name, writer := range map[string]*node{"own": n, "peer": s.w.other(n)} {
			o := s.w.line.Log(writer.name, 1)
			l, _, err := tx.Log(o)
			if err != nil {
				return err
			}
			root, err := journal.RootAt(tx, o, l.Size)
			if err != nil {
				return err
			}
			typed = append(typed, fmt.Sprintf("%s_size=%d", name, l.Size), name+"_root="+identity.Digest(root).String())
		}
		return nil
	}))
	return typed
}

// canonical writes a text as one hash is taken of it.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	return value, value.Canonicalize()
}
