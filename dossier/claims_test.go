package dossier

import (
	"slices"
	"testing"

	"detente/book"
	"detente/message"
)

// Claims, reports, publications and the like, told as stories.
var claimStories = map[string]string{
	"a claim is answered fact by fact, and closed by both": `
		0s arden 270 C prec=IMMEDIATE facts=#3 urgency=ordinary
		at 0s C: stage claim-made
		at 0s C: boreal answered C by 168h0m0s
		at 0s C: fact C/2 unanswered
		at 0s C: next reply by boreal
		at 0s C: next close to claim-withdrawn
		24h boreal 271 R facts=1:accepted,2:not-ours -> C
		at 24h C: stage replied-in-part
		at 24h C: fact C/1 agreed
		at 24h C: fact C/2 contested
		at 24h C: fact C/3 unanswered
		at 24h C: boreal answered C met
		at 24h C: boreal full C by 336h0m0s
		30h boreal 271 S facts=3:partly -> C
		at 30h C: stage claim-replied
		at 30h C: fact C/3 agreed-in-part
		at 30h C: boreal full C met
		at 30h C: closed false
		40h arden 273 D outcome=settled closes=2:dropped -> C
		at 40h C: stage closing
		at 40h C: fact C/2 dropped
		at 40h C: boreal answered D by 208h0m0s
		at 40h C: next close to settled
		at 40h C: next close to dispute-on-record
		50h boreal 273 E outcome=settled -> C,D
		at 50h C: stage settled
		at 50h C: boreal answered D met
		at 50h C: closed true`,
	"an urgent claim is answered in two days, one in the core of an election in one": `
		0s arden 270 U prec=IMMEDIATE facts=#1 urgency=urgent
		0s arden 270 E prec=FLASH facts=#1 urgency=election-core
		at 0s U: boreal answered U by 48h0m0s
		at 0s E: boreal answered E by 24h0m0s
		at 0s E: boreal interim E by 12h0m0s
		at 12h0m1s E: boreal interim E missed
		at 24h0m1s E: boreal answered E missed
		at 48h0m1s U: boreal answered U missed
		at 48h0m1s U: stage claim-made
		at 48h0m1s U: fact U/1 unanswered`,
	"silence leaves every fact unanswered and ends nothing": `
		0s arden 270 C facts=#1
		at 9999h C: stage claim-made
		at 9999h C: fact C/1 unanswered
		at 9999h C: closed false`,
	"different ends put the dispute on record, and it may be settled later": `
		0s arden 270 C facts=#1
		1h boreal 271 R facts=1:no-facts -> C
		2h arden 273 D outcome=maintained -> C
		3h boreal 273 E outcome=settled -> C,D
		at 3h C: stage dispute-on-record
		at 3h C: fact C/1 contested
		at 3h C: closed true
		4h arden 273 F outcome=settled -> C
		at 4h C: stage settled`,
	"only who made a claim withdraws it, and the other side may say so too": `
		0s arden 270 C facts=#1
		1h boreal 273 X outcome=withdrawn -> C
		at 1h C: flag X wrong-side
		at 1h C: stage claim-made
		2h arden 273 W outcome=withdrawn -> C
		at 2h C: stage claim-withdrawn
		3h boreal 273 Y outcome=withdrawn -> C,W
		at 3h C: flag Y none
		at 3h C: stage claim-withdrawn`,
	"who made a claim does not reply to it": `
		0s arden 270 C facts=#1
		1h arden 271 R facts=1:accepted -> C
		at 1h C: flag R wrong-side
		at 1h C: fact C/1 unanswered`,
	"a further question has its own clock, and either side may put one": `
		0s arden 270 C facts=#1
		1h boreal 271 R facts=1:no-facts -> C
		2h arden 272 Q questions=1:evidence -> C
		at 2h C: stage claim-questioned
		at 2h C: boreal answered Q by 50h0m0s
		3h boreal 271 S facts=1:partly -> C,Q
		at 3h C: boreal answered Q met
		at 3h C: fact C/1 agreed-in-part
		at 3h C: stage claim-replied
		4h boreal 272 P questions=1:time -> C
		5h arden 271 T facts=1:accepted -> C,P
		at 5h C: arden answered P met
		at 5h C: fact C/1 agreed-in-part`,
	"a reply to a fact that was not claimed is shown as what it is": `
		0s arden 270 C facts=#1
		1h boreal 271 R facts=2:not-ours -> C
		at 1h C: flag R no-such-fact
		at 1h C: stage replied-in-part
		at 1h C: fact C/1 unanswered
		at 1h C: boreal full C open`,
	"a reply that was taken back answers nothing": `
		0s arden 270 C facts=#1
		1h boreal 271 R facts=1:accepted -> C
		at 1h C: stage claim-replied
		2h boreal 019 X kind=recall -> R
		at 2h C: stage claim-made
		at 2h C: fact C/1 unanswered
		at 2h C: boreal answered C open`,
	"a reply that its reader refuses leaves the facts as they were": `
		0s arden 270 C facts=#1
		1h boreal 271 R facts=1:accepted -> C
		2h arden 002 F refuses=R
		at 2h C: fact C/1 unanswered
		at 2h C: boreal answered C met-disputed`,
	"claims that refer to each other in a circle are flagged": `
		0s arden 270 C facts=#1 -> D
		1h boreal 270 D facts=#1 -> C
		at 1h C: flag C refers-ahead
		at 1h C: flag D none
		at 1h C: fact D/1 unanswered`,
	"a question without a claim calls for nothing": `
		0s arden 272 Q questions=1:evidence
		at 0s Q: flag Q not-allowed
		at 99h Q: silence means nothing`,
	"a report makes no claim, and each state that it names answers for itself": `
		0s arden 275 R ask=position states=XB,XC facts=#2
		at 0s R: stage on-record
		at 0s R: named XB
		at 0s R: fact R/1 unanswered
		at 0s R: boreal answered R by 168h0m0s
		1h boreal 276 A state=XB position=examines -> R
		at 1h R: stage on-record
		at 1h R: named XB examines
		at 1h R: boreal full R open
		2h boreal 276 B state=XB position=rejects facts=1:not-ours,3:not-ours -> R
		at 2h R: stage report-answered
		at 2h R: named XB rejects
		at 2h R: named XC
		at 2h R: fact R/1 contested
		at 2h R: flag B no-such-fact
		3h boreal 276 D state=XA position=shares -> R
		at 3h R: flag D not-named
		at 3h R: closed true`,
	"a report to be noted asks for nothing": `
		0s arden 275 R ask=note states=XC
		at 0s R: closed true
		at 999h R: named XC`,
	"a report is linked with a claim and merges nothing": `
		0s arden 275 R ask=note states=XB
		1h arden 270 C facts=#1 -> R
		at 1h C: link R by C
		at 1h C: 1 entries`,
	"silence is no consent to publication": `
		0s arden 390 P serials=ARD/BOR-N1-1,BOR/ARD-N1-2 form=full
		at 720h P: stage publication-proposed
		at 720h0m1s P: stage no-consent-by-silence
		at 720h0m1s P: since 720h0m0s
		at 720h0m1s P: serial ARD/BOR-N1-1 full
		at 720h0m1s P: boreal answered P missed
		800h boreal 391 A decision=all answers=ARD/BOR-N1-1:consent,BOR/ARD-N1-2:consent -> P
		at 800h P: stage publication-agreed
		at 800h P: serial BOR/ARD-N1-2 full consent`,
	"an extension moves when silence counts": `
		0s arden 390 P serials=ARD/BOR-N1-1 form=full
		10h boreal 202 X due=@800h -> P
		at 721h P: stage publication-proposed
		at 800h0m1s P: stage no-consent-by-silence`,
	"consent to what was not proposed is shown as what it is": `
		0s arden 390 P serials=ARD/BOR-N1-1 form=redacted
		1h boreal 391 A decision=part answers=ARD/BOR-N1-1:consent-redacted,ARD/BOR-N1-9:consent -> P
		at 1h P: flag A not-proposed
		at 1h P: stage publication-agreed-in-part
		at 1h P: serial ARD/BOR-N1-1 redacted consent-redacted`,
	"a proposal that was taken back is no consent either": `
		0s arden 390 P serials=ARD/BOR-N1-1 form=full
		1h arden 019 X kind=recall -> P
		at 999h P: stage withdrawn`,
	"who helps reports until it is done": `
		0s arden 250 H prec=IMMEDIATE
		at 0s H: boreal seen H by 1h0m0s
		at 0s H: boreal answered H by 24h0m0s
		2h boreal 251 A answer=granted next_report=@170h -> H
		at 2h H: stage assistance-granted
		at 2h H: boreal followed A by 170h0m0s
		at 170h1s H: boreal followed A missed
		at 2h H: closed false
		171h boreal 251 B answer=done -> H
		at 171h H: boreal followed A late
		at 171h H: stage assistance-done
		at 171h H: closed true`,
	"more information is asked for before help is given": `
		0s arden 250 H prec=IMMEDIATE
		2h boreal 251 A answer=need-info -> H
		at 2h H: stage information-needed
		at 2h H: boreal full H by 168h0m0s
		3h boreal 251 B answer=declined -> H
		at 3h H: stage assistance-declined
		at 3h H: closed true`,
	"a flaw is told, answered and made public": `
		0s arden 260 V step=notice
		at 0s V: boreal answered V by 168h0m0s
		1h arden 260 X step=answer -> V
		at 1h V: flag X wrong-side
		2h boreal 260 A step=answer -> V
		at 2h V: stage flaw-answered
		at 2h V: boreal answered V met
		at 2h V: arden understood A open
		3h arden 260 P step=published -> V
		at 3h V: stage flaw-published
		at 3h V: closed true`,
	"nothing is passed on by silence": `
		0s boreal 240 T
		1h arden 245 D -> T
		at 49h D: boreal answered D open
		at 49h0m1s D: boreal answered D missed
		at 49h0m1s D: stage disclosure-asked
		at 49h0m1s D: link T by D
		50h boreal 246 A answer=conditions -> D
		at 50h D: stage disclosure-granted
		at 50h D: boreal answered D late`,
	"an edition is adopted by the other side alone": `
		0s arden 034 E
		1h arden 035 X decision=adopted -> E
		at 1h E: flag X wrong-side
		at 1h E: stage edition-proposed
		2h boreal 035 Y decision=examining -> E
		at 2h E: stage edition-proposed
		3h boreal 035 Z decision=reservations -> E
		at 3h E: stage edition-adopted-with-reservations
		at 3h E: closed true`,
	"a term understood differently opens a consultation, which an entry ends": `
		0s arden 036 T step=proposed
		1h boreal 036 A step=accepted -> T
		at 1h T: stage term-agreed
		at 1h T: closed true
		2h boreal 037 D -> T
		at 2h T: stage term-in-consultation
		at 2h T: arden answered D by 722h0m0s
		at 2h T: closed false
		3h arden 036 P step=proposed -> D
		at 3h T: stage term-in-consultation
		4h boreal 036 H step=held-open -> P
		at 4h T: stage term-held-open
		at 4h T: closed true`,
	"nobody accepts a term of its own": `
		0s arden 036 T step=proposed
		1h arden 036 A step=accepted -> T
		at 1h T: flag A wrong-side
		at 1h T: stage term-proposed`,
	"a document that is handed over asks for nothing but to be understood": `
		0s arden 440 S
		at 0s S: stage handed-over
		at 0s S: closed true
		at 24h S: boreal understood S missed`,
}

// covers P10 P20
func TestClaimStories(t *testing.T) {
	for name, text := range claimStories {
		t.Run(name, func(t *testing.T) { hold(t, text) })
	}
}

// Every field and code by which facts are counted is in the edition.
func TestFactsNameWhatTheEditionHas(t *testing.T) {
	e := edition(t)
	fields := func(number message.Format, name string, want ...string) {
		f, _ := e.Format(number)
		for _, field := range want {
			if p := f.Params[slices.IndexFunc(f.Params, func(p book.Param) bool { return p.Name == name })]; !slices.ContainsFunc(p.Fields, func(q book.Param) bool { return q.Name == field }) {
				t.Errorf("format %s: %s has no field %s", number, name, field)
			}
		}
	}
	fields("271", "facts", "fact", "answer")
	fields("276", "facts", "fact", "answer")
	fields("272", "questions", "fact", "ask")
	fields("273", "facts", "fact", "outcome")
	answers, _ := e.List("fact_answer")
	for _, c := range answers.Codes {
		if s := standingOf(c.Code); (s == FactContested) != slices.Contains([]string{"no-facts", "outside-scope", "not-ours", "justified"}, c.Code) {
			t.Errorf("a fact answered %s stands as %s", c.Code, s)
		}
	}
	outcomes, _ := e.List("fact_outcome")
	for _, want := range []string{"agreed", "dropped"} {
		if !slices.ContainsFunc(outcomes.Codes, func(c book.Code) bool { return c.Code == want }) {
			t.Errorf("no fact ends %s", want)
		}
	}
}
