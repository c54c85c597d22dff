package simulate

import (
	"encoding/json/jsontext"
	"fmt"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/treaty"
)

// negotiate is two months of drafts.
func (s *story) negotiate() {
	s.until(day(32, 9*time.Hour))
	s.scene("Arden proposes a text, hourly tests and a daily exchange of digests in it")
	one, base := s.draft(s.arden, 1, "", "draft", nil)
	s.until(day(40, 9*time.Hour))
	s.scene("Boreal wants the line tested daily: a variant in brackets")
	two, base := s.draft(s.boreal, 2, base, "variant", about(one), "brackets=paragraph=A3.2;by=nrrc.boreal.example;kind=alternative")
	s.redlined(s.arden, one, two)
	s.until(day(48, 9*time.Hour))
	s.scene("Arden takes that, and wants weekly digests")
	three, base := s.draft(s.arden, 3, base, "variant", about(two), "brackets=paragraph=A25.1;by=nrrc.arden.example;kind=alternative")
	s.until(day(55, 9*time.Hour))
	s.scene("Boreal takes that: no bracket is left")
	four, base := s.draft(s.boreal, 4, base, "clean", about(three))
	s.redlined(s.boreal, one, four)

	s.until(day(60, 9*time.Hour))
	s.scene("both keep the whole text with its duties by one hash over both languages")
	hash := s.text("agreement", false)
	s.until(day(61, 9*time.Hour))
	clean := s.agreedText(four, base, hash)
	s.until(day(62, 11*time.Hour))
	s.scene("an officer of Boreal signs who is no plenipotentiary: that does not count")
	s.sign(s.boreal, clean, hash, false)
	s.until(day(63, 11*time.Hour))
	s.scene("plenipotentiaries of both sides sign")
	s.signature = s.sign(s.arden, clean, hash, true)
	s.until(day(64, 10*time.Hour))
	s.sign(s.boreal, clean, hash, true)
	s.until(day(66, 0))
	s.holds(false)
}

// draft puts a draft on the line and returns its message and its hash.
func (s *story) draft(n *node, number int, base, status string, refs []message.ID, typed ...string) (message.ID, string) {
	d := draftText(number, n.cast.Card.Party, base)
	hash, err := d.Hash()
	s.fail(err)
	text, err := canonical(d)
	s.fail(err)
	typed = append(typed, "instrument="+storyAgreement, "kind=agreement", fmt.Sprintf("draft=%d", number), "status="+status, "text="+hash.String(), "languages=en", "languages=fr")
	if base != "" {
		typed = append(typed, "base="+base)
	}
	id := s.put(n, station.Draft{Format: "500", Refs: refs}, map[string]jsontext.Value{"document": s.attach(n, station.DraftType, text)}, typed...)
	s.pass(6 * time.Hour)
	return id, hash.String()
}

// redlined fails where a side is shown no difference between two drafts.
func (s *story) redlined(n *node, older, newer message.ID) {
	if s.err != nil {
		return
	}
	v, err := n.end.Redline(s.ctx, stationtest.Operator(), s.w.clock(n), older, newer)
	s.fail(err)
	if err == nil && len(v.Changes) == 0 {
		s.fail(fmt.Errorf("%s: %s is shown no difference between two drafts", stamp(s.w.now), n.name))
	}
}

// text has both sides keep a text of the agreement, and returns its hash.
func (s *story) text(name string, amend bool) string {
	a, err := agreementText(amend)
	s.fail(err)
	if s.err != nil {
		return ""
	}
	text, err := a.Bytes()
	s.fail(err)
	s.told.Agreements[name] = text
	hash := ""
	for _, n := range s.w.nodes {
		kept, err := n.end.AddAgreement(s.ctx, stationtest.Operator(), s.w.clock(n), text)
		s.fail(err)
		hash = kept.Hash.String()
	}
	return hash
}

// agreedText puts the whole text on the line.
func (s *story) agreedText(after message.ID, base, hash string) message.ID {
	doc := s.attach(s.arden, "application/json", s.told.Agreements["agreement"])
	id := s.put(s.arden, station.Draft{Format: "500", Refs: about(after)}, map[string]jsontext.Value{"document": doc}, "instrument="+storyAgreement, "kind=agreement", "draft=5", "status=clean", "text="+hash, "base="+base, "languages=en", "languages=fr")
	s.pass(12 * time.Hour)
	return id
}

// sign signs a text, by an envoy or by officers who may not.
func (s *story) sign(n *node, draft message.ID, hash string, envoy bool) message.ID {
	who := s.envoys[n].Pseudonym
	if !envoy {
		who = n.crew.onDuty(s.w.now)[0].Pseudonym
		envoys := s.envoys
		s.envoys = nil
		defer func() { s.envoys = envoys }()
	}
	id := s.say(n, "501", about(draft), "instrument="+storyAgreement, "text="+hash, "signature=procedures", "capacity=plenipotentiary", "certificate="+who, "full_powers="+digest([]byte("full powers of "+who)), "entry=on-completion", "languages=en", "languages=fr")
	s.pass(8 * time.Hour)
	return id
}

// signed is the entry into force, guarantees and a programme.
func (s *story) signed() {
	s.until(day(75, 10*time.Hour))
	s.scene("Arden's procedures are complete")
	hash := s.hash()
	s.say(s.arden, "522", about(s.signature), "instrument="+storyAgreement, "text="+hash, "completed="+stamp(s.w.now))
	s.until(day(80, 10*time.Hour))
	s.scene("so are Boreal's: the agreement is in force")
	s.say(s.boreal, "522", about(s.signature), "instrument="+storyAgreement, "text="+hash, "completed="+stamp(s.w.now))
	s.pass(12 * time.Hour)
	s.say(s.arden, "600", nil, "text=We note that the agreement is in force.")
	s.pass(12 * time.Hour)
	s.holds(true)
	for week := range 40 {
		s.w.at(day(84+7*week, 15*time.Hour), func() error {
			s.digests()
			return s.err
		})
	}

	s.until(day(85, 9*time.Hour))
	s.scene("both name their contacts anew and tell their operators of the agreement")
	for _, n := range s.w.nodes {
		s.contact(n, "C-002", "diplomatic")
		s.say(n, "440", nil, "kind=briefing", "title=What operators are told of the agreement", "original_language=en", "hash="+digest([]byte("briefing")), "public=no", "article=A23", "ask=none")
	}
	s.guarantees()
}

// hash is that of the agreement as it was signed.
func (s *story) hash() string {
	a, err := agreementText(false)
	s.fail(err)
	if err != nil {
		return ""
	}
	h, err := a.Hash()
	s.fail(err)
	return h.String()
}

// guarantees is an exchange of notes, with a list that nobody sees.
func (s *story) guarantees() {
	s.until(day(92, 10*time.Hour))
	s.scene("Arden offers guarantees of non-interference, with the root of a private list")
	list, err := treaty.Commit(s.list())
	s.fail(err)
	words := digest([]byte("neither side interferes in the other's votes"))
	note := s.say(s.arden, "300", nil, "note=ARD-G-1", "text="+words, "undertakings=U1", "undertakings=U2", "undertakings=U5", "undertakings=U9", "scope=state-organs", "scope=controlled", "processes=registers", "processes=count",
		"private_root="+list.Root.String(), fmt.Sprintf("private_count=%d", list.Count), "entry=on-receipt", "contact=station:nrrc.arden.example", "languages=en", "languages=fr")
	s.until(day(101, 10*time.Hour))
	s.scene("Boreal replies in the same words, with a reservation: what both name is in force")
	mine, err := treaty.Commit(s.list())
	s.fail(err)
	s.say(s.boreal, "301", about(note), "note=ARD-G-1", "text="+words, "decision=with-reservation", "undertakings=U1", "undertakings=U2", "reservations=Within the limits of constitution and law.",
		"private_root="+mine.Root.String(), fmt.Sprintf("private_count=%d", mine.Count))
	s.pass(24 * time.Hour)
	s.say(s.boreal, "600", about(note), "text=We note the exchange.")
	s.pass(24 * time.Hour)
	for _, n := range s.w.nodes {
		for _, g := range s.agreements(n).Guarantees {
			if s.err == nil && (g.State != treaty.GuaranteeInForce || len(g.Undertakings) != 2) {
				s.fail(fmt.Errorf("%s: %s has the guarantee %s with %v", stamp(s.w.now), n.name, g.State, g.Undertakings))
			}
		}
	}
}

// list is a private list of protected assets.
func (s *story) list() (list []treaty.Protected) {
	for i := range 16 {
		p := treaty.Protected{Asset: fmt.Sprintf("domain:register-%02d.boreal.example", i)}
		p.Salt[0], p.Salt[1] = byte(i), 77
		list = append(list, p)
	}
	return list
}
