package simulate

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/treaty"
)

const (
	vote    = "BOR-2027-P"
	measure = "M-1"
)

// spring is the programme of measures, an incident in which help is given, an
// answer that comes late, and a day without a line.
func (s *story) spring() {
	s.until(day(104, 9*time.Hour))
	s.scene("Boreal declares the window of its vote, two months ahead")
	s.declared()
	s.until(day(106, 9*time.Hour))
	s.scene("Arden proposes a measure of the programme, Boreal accepts it")
	m := s.say(s.arden, "450", nil, "measure="+measure, "version=1", "catalogue=OSCE-8", "title=Contacts that are reached", "text="+digest([]byte(measure)), "own_owner=nrrc.arden.example", "other_owner=nrrc.boreal.example",
		"steps=step=S1;owner=nrrc.arden.example;due="+stamp(day(160, 0)), "steps=step=S2;owner=nrrc.boreal.example;due="+stamp(day(180, 0)), "proofs=record")
	s.until(day(111, 9*time.Hour))
	s.say(s.boreal, "451", about(m), "measure="+measure, "version=1", "decision=accept", "text="+digest([]byte(measure)), "owner=nrrc.boreal.example")
	s.until(day(113, 11*time.Hour))
	s.scene("each side proves at a challenge that its officer is there")
	s.challenge(s.arden)
	s.challenge(s.boreal)

	s.until(day(118, 5*time.Hour))
	s.scene("a grave incident at Arden, with evidence; help is asked for and given")
	s.helped()
	s.until(day(128, 8*time.Hour))
	s.scene("Boreal inquires, and Arden answers six hours late")
	asked := s.inquire(s.boreal, 0)
	s.pass(30 * time.Hour)
	s.say(s.arden, "211", about(asked), "answer=not-ours", "action=examining")
	s.until(day(135, 12*time.Hour))
	s.scene("the line is down for a day and a half; what is said waits, and arrives")
	s.down()
	s.until(day(150, 9*time.Hour))
	s.scene("each side checks that the other's contact is reached")
	for _, n := range s.w.nodes {
		s.ping(n)
	}
	s.until(day(158, 9*time.Hour))
	s.say(s.arden, "452", about(m), "measure="+measure, "step=S1", "state=done", "since="+stamp(s.w.now))
	s.until(day(168, 9*time.Hour))
	s.say(s.boreal, "452", about(m), "measure="+measure, "step=S2", "state=begun", "since="+stamp(s.w.now), "next_report="+stamp(day(176, 0)))
}

// helped is an incident of effect 3, told each day, with help from the other side.
func (s *story) helped() {
	help := func() {
		id := s.say(s.arden, "250", nil, "case_id=ARD-2027-3", "sector=energy", "observed=availability", from("window", s.w.now.Add(-6*time.Hour), s.w.now), "source_assets=prefix:192.0.2.0/24", "effect=3", "ask=filter",
			"by="+stamp(s.w.now.Add(24*time.Hour)), "legal_basis=agreement", "evidence_level=1")
		s.later(9*time.Hour, func() {
			first := s.say(s.boreal, "251", about(id), "answer=granted", "measures=blocked", "next_report="+stamp(s.w.now.Add(6*24*time.Hour)))
			s.later(5*24*time.Hour, func() {
				s.say(s.boreal, "251", about(id, first), "answer=done", "measures=blocked", "measures=operator-told", "done="+stamp(s.w.now))
			})
		})
	}
	s.later(3*time.Hour, help)
	s.incident(s.arden, "ARD-2027-3", 3)
	s.pass(6 * 24 * time.Hour)
}

// down is a time without a line.
func (s *story) down() {
	since := s.w.now
	s.w.cut = [2]bool{true, true}
	s.pass(2 * time.Hour)
	s.say(s.arden, "600", nil, "text=Our way to you is cut.")
	s.w.at(since.Add(36*time.Hour), func() error {
		s.w.cut = [2]bool{}
		s.stir()
		return nil
	})
	s.until(since.Add(37 * time.Hour))
	s.say(s.boreal, "021", nil, "bearer=direct", "since="+stamp(since), "cause=network", "restored="+stamp(s.w.now))
}

// ping checks a contact of the other side, which answers.
func (s *story) ping(n *node) {
	if s.err != nil {
		return
	}
	other := s.w.other(n)
	out, err := n.end.PingContact(s.ctx, as(n.crew.onDuty(s.w.now)[0]), s.w.clock(n), other.name, "watch", contactName)
	s.fail(err)
	if err == nil {
		s.fail(s.w.release(s.ctx, n, out))
	}
	s.stir()
	s.pass(3 * time.Hour)
	r, ok := s.open(other, out.ID)
	if !ok {
		return
	}
	typed, answers, err := s.w.pingAnswer(r.Message, stamp(s.w.now))
	s.fail(err)
	if answers {
		s.say(other, "031", about(out.ID), typed...)
	}
	s.pass(time.Hour)
}

// declared is the window of a vote, on two days in one zone.
func (s *story) declared() {
	const zone = "/Europe/Kaliningrad"
	votes := func(n int) string {
		return "voting_days=day=" + stamp(day(n, 6*time.Hour)) + "/" + stamp(day(n, 18*time.Hour)) + zone + ";round=1"
	}
	id := s.say(s.boreal, "310", nil, "election="+vote, "type=presidential", from("window", day(170, 0), day(212, 0))+zone, from("core", day(187, 0), day(202, 0))+zone, votes(190), votes(191), "processes=registers", "processes=count", "contact=tel:+99960011")
	s.later(9*time.Hour, func() { s.say(s.arden, "014", about(id), "body=National Grid Watch", "delivered="+stamp(s.w.now)) })
	s.vote = id
}

// election is the window, a claim in its core with the proof that the asset was on
// the list, its reply, and the report after the vote.
func (s *story) election() {
	s.until(day(172, 7*time.Hour))
	s.scene("the window is open: an inquiry is answered in half the time")
	asked := s.inquire(s.arden, 0)
	s.pass(10 * time.Hour)
	s.say(s.boreal, "211", about(asked), "answer=ours-lawful", "action=none")
	s.until(day(188, 20*time.Hour))
	s.scene("in the core Boreal claims that an undertaking was not kept, and proves that the asset was on its list")
	s.claimed()
	s.until(day(203, 9*time.Hour))
	s.scene("the vote is certified, and the window over")
	s.say(s.boreal, "311", about(s.vote), "election="+vote, "change=certified")
	s.until(day(210, 9*time.Hour))
	s.say(s.boreal, "312", about(s.vote), "scope=one-vote", "election="+vote, from("period", day(170, 0), day(203, 0)), "inquiries=1", "claims=1", "in_time=3", "late=0", "unanswered=0")
}

// claimed is a claim, its reply fact by fact, a question, and the end that both
// give it. Nothing in it says that anybody admits anything.
func (s *story) claimed() {
	proof, err := treaty.Prove(s.list(), "domain:register-03.boreal.example")
	s.fail(err)
	text, err := proof.Bytes()
	s.fail(err)
	evidence := s.attach(s.boreal, "application/json", text)
	fact := func(act string) string {
		return "facts=from=" + stamp(s.w.now.Add(-8*time.Hour)) + ";asset=domain:register-03.boreal.example;act=" + act + ";effect=2;level=2"
	}
	claim := s.put(s.boreal, station.Draft{Format: "270", Precedence: message.Flash}, map[string]jsontext.Value{"evidence": evidence}, "claim_no=BOR-C-1", "basis=undertaking", "undertaking=U1", "urgency=election-core", fact("intrusion-attempt"), fact("scanning"),
		"evidence_level=2", "technical=infrastructure", "technical_confidence=likely", "political=none", "remedies=cease", "remedies=explain", "by="+stamp(s.w.now.Add(24*time.Hour)))
	s.pass(10 * time.Hour)
	reply := s.put(s.arden, station.Draft{Format: "271", Precedence: message.Flash, Refs: about(claim)}, nil, "facts=fact=1;answer=not-ours", "facts=fact=2;answer=partly;words=A scan by a contractor, which has been stopped.", "measures=stopped")
	s.pass(5 * time.Hour)
	question := s.say(s.boreal, "272", about(claim, reply), "questions=ask=time;fact=2", "by="+stamp(s.w.now.Add(48*time.Hour)))
	s.pass(20 * time.Hour)
	s.say(s.arden, "271", about(claim, question), "facts=fact=2;answer=partly;words=From six to eight in the morning.")
	s.pass(30 * time.Hour)
	end := s.say(s.boreal, "273", about(claim), "outcome=settled", "publishable=no")
	s.pass(30 * time.Hour)
	s.say(s.arden, "273", about(claim, end), "outcome=settled", "publishable=no")
	s.pass(10 * time.Hour)
}

// summer is a recommendation, an exercise, a suspension and its end, and the end of
// the measure.
func (s *story) summer() {
	s.until(day(214, 9*time.Hour))
	s.scene("the committee recommends a threshold")
	s.say(s.arden, "430", nil, "recommendation=R-1", "kind=threshold", "text="+digest([]byte("a thousand probes an hour")), "articles=A9", "decide_at="+stamp(day(332, 0)), "languages=en", "languages=fr")
	s.challenge(s.arden)
	s.challenge(s.boreal)
	s.until(day(222, 9*time.Hour))
	s.scene("a joint exercise is agreed")
	x := s.exercise("EX-2027-1", day(240, 9*time.Hour))
	s.until(day(226, 9*time.Hour))
	s.scene("Boreal suspends two articles; the line and its tests go on")
	s.suspended()
	s.until(day(240, 9*time.Hour))
	s.scene("the exercise: start, pause, end, and what both learnt")
	s.exercised(x)
	s.until(day(252, 9*time.Hour))
	s.scene("the measure is signed off by both")
	s.signedOff()
	s.consultation()
}

// exercise proposes a joint exercise that the other side accepts.
func (s *story) exercise(name string, at time.Time) message.ID {
	x := s.say(s.arden, "120", nil, "exercise="+name, "step=joint", "type=table-top", from("window", at, at.Add(6*time.Hour)), "scenario=Results of a vote reach newsrooms before they are published.",
		"objectives=understanding", "objectives=escalation", "participants=nrrc.arden.example", "participants=nrrc.boreal.example", "stop_contact=tel:+99950100")
	s.pass(48 * time.Hour)
	s.say(s.boreal, "120", about(x), "exercise="+name, "step=accept")
	return x
}

func (s *story) exercised(x message.ID) {
	control := func(n *node, state, reason string) {
		s.say(n, "121", about(x), "exercise=EX-2027-1", "state="+state, "at="+stamp(s.w.now), "reason="+reason)
		s.pass(90 * time.Minute)
	}
	control(s.arden, "start", "planned")
	control(s.boreal, "pause", "technical")
	control(s.arden, "resume", "planned")
	control(s.boreal, "end", "planned")
	s.until(day(243, 9*time.Hour))
	report := digest([]byte("what both learnt"))
	first := s.say(s.arden, "122", about(x), "exercise=EX-2027-1", "position=draft", "text="+report, "measured=what=understanding;by=nrrc.boreal.example;took=PT1200S;allowed=PT7200S", "findings=Numbers were read alike.")
	s.until(day(249, 9*time.Hour))
	s.say(s.boreal, "122", about(x, first), "exercise=EX-2027-1", "position=agree", "text="+report)
}

// suspended is a suspension by article, while which a short notice is no miss, and
// its end.
func (s *story) suspended() {
	id := s.say(s.boreal, "510", nil, "agreement="+storyAgreement, "articles=A9", "articles=A10", "from="+stamp(day(230, 0)), "reason=circumstances", "condition=until the exercise is over")
	s.later(day(233, 9*time.Hour).Sub(s.w.now), func() {
		at := s.w.now.Add(24 * time.Hour).Truncate(time.Minute)
		meanwhile := s.say(s.arden, "110", nil, "kind=test", from("window", at, at.Add(2*time.Hour)), "sector=energy", "markers=prefix:198.51.100.64/26", "expected_effect=none", "stop_contact=tel:+99950100", "ask=none")
		s.later(day(234, 12*time.Hour).Sub(s.w.now), func() { s.say(s.arden, "112", about(meanwhile), "ended="+stamp(s.w.now), "deviations=none") })
		// Its clock stood still, and goes on with the article.
		s.later(day(248, 9*time.Hour).Sub(s.w.now), func() {
			s.say(s.boreal, "014", about(meanwhile), "body=National Grid Watch", "delivered="+stamp(s.w.now))
		})
	})
	s.later(day(247, 9*time.Hour).Sub(s.w.now), func() {
		s.say(s.boreal, "511", about(id), "agreement="+storyAgreement, "extent=whole", "from="+stamp(day(248, 0)))
	})
	s.until(day(231, 0))
	for _, n := range s.w.nodes {
		for _, a := range s.agreements(n).Agreements {
			if s.err == nil && len(a.State.Suspended) != 2 {
				s.fail(fmt.Errorf("%s: %s has %d articles suspended", stamp(s.w.now), n.name, len(a.State.Suspended)))
			}
		}
	}
}

// signedOff is the end of the measure: its last step, late, and both signatures.
func (s *story) signedOff() {
	m := s.measured()
	s.say(s.boreal, "452", about(m), "measure="+measure, "step=S2", "state=done", "since="+stamp(s.w.now))
	s.pass(48 * time.Hour)
	done := digest([]byte("every contact was reached"))
	first := s.say(s.arden, "453", about(m), "measure="+measure, "position=sign", "text="+done, "completed="+stamp(s.w.now))
	s.pass(48 * time.Hour)
	s.say(s.boreal, "453", about(m, first), "measure="+measure, "position=sign", "text="+done, "completed="+stamp(s.w.now))
	s.pass(24 * time.Hour)
}

// measured returns the message by which the measure was proposed.
func (s *story) measured() (id message.ID) {
	if s.err != nil {
		return id
	}
	v, err := s.boreal.end.Programme(s.ctx, stationtest.Operator(), s.w.clock(s.boreal), s.w.line, time.Time{})
	s.fail(err)
	for _, m := range v.Measures {
		id = m.Dossier
	}
	return id
}

// consultation is the call of the yearly one, with the pack that both make of the
// record.
func (s *story) consultation() {
	s.until(day(262, 9*time.Hour))
	s.scene("Arden calls the yearly consultation, with the data pack that both make of the record")
	if s.err != nil {
		return
	}
	pack, err := s.arden.end.Pack(s.ctx, stationtest.Operator(), s.w.clock(s.arden), s.w.line, begin, day(260, 0))
	s.fail(err)
	same, err := s.boreal.end.Pack(s.ctx, stationtest.Operator(), s.w.clock(s.boreal), s.w.line, begin, day(260, 0))
	s.fail(err)
	if s.err == nil && !bytes.Equal(pack.Bytes, same.Bytes) {
		s.fail(fmt.Errorf("the data packs differ: %s", firstDifference(pack.Bytes, same.Bytes)))
	}
	doc := s.attach(s.arden, "application/json", pack.Bytes)
	typed := []string{"session=annual", "year=2027", from("window", day(330, 9*time.Hour), day(332, 16*time.Hour)), "place=Arden, Foreign Ministry", "mode=in-person", "pack_hash=" + pack.Hash.String()}
	for _, head := range []string{"practice", "signals", "thresholds", "exchange", "extension", "next-meeting"} {
		typed = append(typed, "agenda=head="+head)
	}
	s.called = s.put(s.arden, station.Draft{Format: "420"}, map[string]jsontext.Value{"pack": doc}, typed...)
	s.until(day(266, 9*time.Hour))
	s.say(s.boreal, "401", about(s.called), "decision=yes", "at="+stamp(day(330, 9*time.Hour)), "mode=in-person")
}

// autumn is an amendment, a denunciation and its withdrawal, the consultation
// itself, and the end of the year.
func (s *story) autumn() {
	s.until(day(270, 9*time.Hour))
	s.scene("Arden proposes an amendment: five days' notice instead of three")
	hash := s.text("amendment", true)
	diff := s.attach(s.arden, "application/json", s.told.Agreements["amendment"])
	p := s.put(s.arden, station.Draft{Format: "520"}, map[string]jsontext.Value{"difference": diff}, "agreement="+storyAgreement, "amendment="+storyAmendment, "base="+s.hash(), "text="+hash, "articles=A9", "entry=on-receipt", "languages=en", "languages=fr")
	s.until(day(290, 9*time.Hour))
	s.scene("Boreal accepts it in the same words: it is in force")
	s.say(s.boreal, "521", about(p), "amendment="+storyAmendment, "decision=accept", "text="+hash)
	s.until(day(298, 9*time.Hour))
	s.scene("a notice four days ahead is now short, and stands")
	short := s.notice(s.arden, 4*24*time.Hour)
	s.until(day(303, 9*time.Hour))
	s.say(s.arden, "112", about(short), "ended="+stamp(s.w.now.Add(-4*time.Hour)), "deviations=none")

	s.until(day(306, 9*time.Hour))
	s.scene("Boreal denounces the agreement: it would end in six months")
	d := s.say(s.boreal, "530", nil, "agreement="+storyAgreement, "text="+hash, "rule=receipt-in-record", "ends="+stamp(s.w.now.AddDate(0, 6, 1)))
	s.until(day(312, 9*time.Hour))
	s.scene("a second exercise is agreed, and challenges go on")
	s.exercise("EX-2027-2", day(340, 9*time.Hour))
	s.challenge(s.arden)
	s.challenge(s.boreal)
	s.until(day(326, 9*time.Hour))
	s.scene("Boreal takes its denunciation back")
	s.say(s.boreal, "531", about(d), "agreement="+storyAgreement, "effect=withdrawn")
	s.until(day(333, 9*time.Hour))
	s.scene("the consultation has been held: a record that both agree to, and the review of the programme")
	s.minuted()
	s.until(day(364, 12*time.Hour))
	s.holds(true)
	s.until(day(365, 0))
}

// minuted is the agreed record of the consultation and the review of the programme.
func (s *story) minuted() {
	text := digest([]byte("the agreed record of 2027"))
	first := s.say(s.boreal, "421", about(s.called), "position=draft", "text="+text, "items=head=practice;outcome=agreed", "items=head=thresholds;outcome=noted", "items=head=next-meeting;outcome=agreed",
		"actions=action=AC-1;owner=nrrc.arden.example;due="+stamp(day(420, 0))+";what=Contacts are reached in a day.", "next_place=Boreal, Foreign Ministry", from("next_window", day(700, 9*time.Hour), day(702, 16*time.Hour)), "languages=en", "languages=fr")
	s.until(day(338, 9*time.Hour))
	s.say(s.arden, "421", about(s.called, first), "position=agree", "text="+text, "languages=en", "languages=fr")
	s.pass(24 * time.Hour)
	if s.err != nil {
		return
	}
	v, err := s.arden.end.Programme(s.ctx, stationtest.Operator(), s.w.clock(s.arden), s.w.line, time.Time{})
	s.fail(err)
	r := v.Review()
	s.say(s.arden, "454", about(s.measured()), "year=2027", fmt.Sprintf("proposed=%d", r.Proposed), fmt.Sprintf("running=%d", r.Running), fmt.Sprintf("signed_off=%d", r.SignedOff), fmt.Sprintf("declined=%d", r.Declined))
}
