package dossier

import "testing"

// What a duty officer sees, told as stories. The time of each is from the first
// second of 27 February 2028; the receipt is of the second of sending unless
// recv= says another.
var stories = map[string]string{
	"an inquiry is seen, understood and answered, each in its time": `
		0s arden 210 Q prec=IMMEDIATE
		at 0s Q: stage inquired
		at 0s Q: silence: boreal seen Q late after 1h0m0s
		at 1h Q: boreal seen Q open
		at 1h0m1s Q: boreal seen Q missed
		at 1h Q: next answer by boreal
		2h boreal 017 S -> Q
		at 2h Q: boreal seen Q late
		at 1h59m59s Q: boreal understood Q open
		2h boreal 012 U state=UND -> Q
		at 2h Q: boreal understood Q met
		at 2h Q: closed false
		24h boreal 211 A answer=not-ours prec=IMMEDIATE -> Q
		at 23h59m59s Q: boreal answered Q open
		at 24h Q: boreal answered Q met
		at 24h Q: stage responded
		at 24h Q: outcome not-ours
		at 24h Q: closed true
		at 24h Q: arden understood A open`,
	"silence after an inquiry shows by itself": `
		0s arden 210 Q prec=IMMEDIATE
		at 24h Q: boreal answered Q open
		at 24h0m1s Q: boreal answered Q missed
		at 24h0m1s Q: silence means nothing
		at 24h0m1s Q: closed false
		30h boreal 211 A answer=ours-lawful -> Q
		at 30h Q: boreal answered Q late
		at 30h Q: closed true`,
	"an undelivered message runs no clock": `
		0s arden 210 Q prec=IMMEDIATE recv=never
		at 100h Q: unknown`,
	"the clock runs from the receipt, not from the sending": `
		0s arden 210 Q prec=IMMEDIATE recv=5h
		at 5h Q: boreal answered Q by 29h0m0s
		at 5h Q: boreal received Q late`,
	"looking is an answer for the time being": `
		0s arden 210 Q prec=IMMEDIATE
		20h boreal 211 L answer=looking -> Q
		at 20h Q: stage inquired
		at 20h Q: boreal answered Q met
		at 20h Q: boreal full Q by 168h0m0s
		at 20h Q: closed false
		100h boreal 211 A answer=not-ours -> Q
		at 100h Q: boreal full Q met
		at 100h Q: stage responded
		at 100h Q: closed true`,
	"an interim answer extends once by right, a second time by consent, no third time": `
		0s arden 210 Q prec=IMMEDIATE
		20h boreal 202 X due=@48h -> Q
		at 20h Q: boreal answered Q by 48h0m0s
		at 20h Q: flag X extended
		40h boreal 202 Y due=@72h -> Q
		at 40h Q: boreal answered Q by 48h0m0s
		at 40h Q: flag Y needs-consent
		47h arden 012 C state=UND -> Y
		at 47h Q: boreal answered Q by 72h0m0s
		at 47h Q: flag Y consented
		60h boreal 202 Z due=@90h -> Q
		at 60h Q: boreal answered Q by 72h0m0s
		at 60h Q: flag Z extension-spent
		at 72h0m1s Q: boreal answered Q missed`,
	"who does not consent says so, and the date stays": `
		0s arden 210 Q prec=IMMEDIATE
		20h boreal 202 X due=@48h -> Q
		40h boreal 202 Y due=@72h -> Q
		41h arden 012 N state=NUN -> Y
		at 49h Q: boreal answered Q missed`,
	"an extension is no longer than is by right, and comes in time or not at all": `
		0s arden 210 Q prec=IMMEDIATE
		1h arden 210 R prec=IMMEDIATE
		20h boreal 202 X due=@9999h -> Q
		at 20h Q: boreal answered Q by 168h0m0s
		at 20h Q: flag X extension-cut
		26h boreal 202 Y due=@40h -> R
		at 26h R: boreal answered R missed
		at 26h R: flag Y extension-late`,
	"a FLASH wants an interim answer in two hours": `
		0s arden 410 H prec=FLASH
		0s arden 240 T prec=FLASH
		at 2h H: boreal answered H open
		at 2h1s T: boreal interim T missed
		3h boreal 202 X due=@11h -> T
		at 3h T: boreal interim T late`,
	"a disputed receipt runs two clocks": `
		0s arden 230 P prec=FLASH recv=1h
		2h boreal 004 D disputes=P
		at 3h P: boreal answered P open
		at 3h1m P: boreal answered P late-time-disputed
		at 4h P: boreal answered P late-time-disputed
		at 4h0m1s P: boreal answered P missed
		at 3h P: flag P time-disputed
		5h boreal 231 A answer=stopped -> P
		at 5h P: boreal answered P late`,
	"what its author disowns is contested, and counts as it did": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h arden 210 N prec=IMMEDIATE
		3h boreal 033 K disowns=A prec=FLASH
		4h arden 033 L disowns-since=@90m prec=FLASH
		5h arden 019 R kind=recall -> L
		6h arden 210 P prec=IMMEDIATE
		at 2h Q: boreal answered Q met
		at 3h Q: flag A contested
		at 3h Q: boreal answered Q met
		at 4h N: flag N contested
		at 4h Q: flag Q none
		at 5h N: flag N none
		at 6h P: flag P none`,
	"answered between the two deadlines": `
		0s arden 230 P prec=FLASH recv=1h
		2h boreal 004 D disputes=P
		3h30m boreal 231 A answer=stopped -> P
		at 5h P: boreal answered P late-time-disputed`,
	"only the author's own second was in time": `
		0s arden 230 P prec=FLASH
		1h50m boreal 231 A answer=stopped recv=4h -> P
		at 3h P: boreal answered P missed
		at 4h P: boreal answered P met-time-disputed`,
	"an answer that its reader refuses is met, disputed": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h arden 002 F refuses=A
		at 2h Q: boreal answered Q met-disputed
		at 2h Q: stage inquired
		at 2h Q: flag A refused`,
	"an entry that cannot be read shields what its author owed, for a day": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h arden 002 F unreadable=A
		at 24h Q: boreal answered Q open
		at 25h Q: boreal answered Q unreadable
		at 27h Q: boreal answered Q missed`,
	"with its file key it is met, disputed": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h arden 002 F unreadable=A
		3h boreal 600 K key=A -> Q
		at 2h Q: boreal answered Q open
		at 3h Q: boreal answered Q met-disputed
		at 3h Q: flag A key-disclosed`,
	"a question that cannot be read runs from its key, and a second refusal withholds": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 002 F unreadable=Q
		5h arden 600 K key=Q
		at 2h Q: unknown
		at 6h Q: boreal received Q met
		6h boreal 002 G unreadable=Q
		at 7h Q: flag Q refused`,
	"a refusal of what the refuser had acted on has no effect": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 017 S -> Q
		2h boreal 002 F refuses=Q
		at 2h Q: flag Q none
		at 2h Q: boreal answered Q open`,
	"evidence that is not there makes an answer late, never missed": `
		0s arden 240 T
		1h boreal 241 A blob=sample -> T
		at 1h T: boreal answered T open
		at 168h1s T: boreal answered T evidence-outstanding
		200h arden 003 R hash=sample
		at 200h T: boreal answered T late
		at 200h T: closed true`,
	"nor is silence missed while the evidence of the question is not there": `
		0s arden 210 Q prec=IMMEDIATE blob=sample
		at 24h1s Q: boreal answered Q evidence-outstanding
		at 24h1s Q: flag Q evidence-outstanding
		30h boreal 003 R hash=sample
		at 30h Q: boreal answered Q evidence-outstanding`,
	"evidence in time": `
		0s arden 210 Q prec=IMMEDIATE blob=sample
		1h boreal 003 R hash=sample
		at 24h1s Q: boreal answered Q missed`,
	"a correction keeps the clock, a recall stops it and is to be understood": `
		0s arden 210 Q prec=IMMEDIATE
		1h arden 019 C kind=correct -> Q
		at 1h Q: boreal answered Q by 24h0m0s
		at 1h Q: flag Q corrected
		2h arden 019 R kind=recall -> Q
		at 2h Q: boreal answered Q stopped
		at 2h Q: boreal understood R open
		at 2h Q: stage withdrawn
		at 2h Q: closed true`,
	"an answer that is taken back is none, and the one before or after it counts": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h boreal 019 R kind=recall -> A
		at 1h Q: boreal answered Q met
		at 2h Q: boreal answered Q open
		at 2h Q: stage inquired
		at 2h Q: outcome
		at 2h Q: closed false
		30h boreal 211 B answer=ours-lawful -> Q
		at 30h Q: boreal answered Q late
		at 30h Q: outcome ours-lawful`,
	"an answer refused in time and sent again late stays met, disputed": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 211 A answer=not-ours -> Q
		2h arden 002 F refuses=A
		30h boreal 211 B answer=not-ours -> Q
		at 30h Q: boreal answered Q met-disputed
		at 30h Q: stage responded`,
	"evidence that stays away does not hold up an answer without it": `
		0s arden 240 T
		1h boreal 241 A blob=sample -> T
		2h boreal 241 B -> T
		at 2h T: boreal answered T met`,
	"nobody recalls another's message": `
		0s arden 210 Q prec=IMMEDIATE
		1h boreal 019 R kind=recall -> Q
		at 1h Q: stage inquired
		at 1h Q: boreal answered Q open`,
	"an incident: early, interim and final report": `
		0s boreal 220 N stage=early status=suspected effect=#3 next_update=@12h prec=IMMEDIATE
		at 0s N: stage notified
		at 0s N: boreal followed N by 12h0m0s
		at 0s N: arden understood N by 1h0m0s
		at 12h1s N: boreal followed N missed
		20h boreal 221 U stage=interim status=contained effect=#3 prec=IMMEDIATE -> N
		at 20h N: boreal followed N late
		at 20h N: boreal followed U by 44h0m0s
		at 20h N: report interim
		at 20h N: closed false
		30h arden 210 Q prec=IMMEDIATE -> N
		at 30h N: stage inquired
		at 30h N: next answer by boreal
		31h boreal 211 A answer=ours-stopping -> Q
		40h boreal 221 F stage=final status=closed effect=#0 prec=IMMEDIATE -> U
		at 40h N: stage closed
		at 40h N: report final
		at 40h N: closed true`,
	"while the effect is grave a report is due each day, whatever was said of the next": `
		0s boreal 220 N status=confirmed effect=#3 next_update=@90h
		at 0s N: boreal followed N by 24h0m0s
		1h boreal 220 M status=confirmed effect=#2 next_update=@90h
		at 1h M: boreal followed M by 90h0m0s
		2h boreal 220 K status=closed effect=#4
		at 2h K: stage closed
		at 2h K: closed true`,
	"a dispute that its reader refuses runs no second clock": `
		0s arden 230 P prec=FLASH
		1h boreal 004 D disputes=P
		1h arden 002 F refuses=D
		at 2h1s P: boreal answered P missed
		at 2h1s P: flag D refused`,
	"only who notified reports further": `
		0s boreal 220 N status=suspected
		1h arden 221 U status=closed -> N
		at 1h N: flag U wrong-side
		at 1h N: stage notified`,
	"an answer to nothing is kept and flagged": `
		0s boreal 220 N status=suspected
		1h arden 211 A answer=not-ours -> N
		at 1h N: flag A not-allowed
		at 1h N: 2 entries
		at 1h N: stage notified`,
	"an answer whose question no receipt covers yet": `
		1h boreal 211 A answer=not-ours -> Q
		at 1h A: stage unopened
		at 1h A: flag A not-allowed`,
	"a notice: lead kept, passed on, completed": `
		0s arden 110 N window=@120h..@130h assets=domain:grid.example
		at 0s N: lead usual
		at 0s N: boreal answered N by 24h0m0s
		at 0s N: arden followed N by 298h0m0s
		2h boreal 014 P -> N
		at 2h N: boreal answered N met
		at 2h N: stage notified
		131h arden 112 C -> N
		at 131h N: stage completed
		at 131h N: arden followed N met
		at 131h N: closed true`,
	"short notice stands, and says so": `
		0s arden 110 N window=@71h..@80h
		0s arden 110 M window=@72h..@80h
		at 0s N: lead short
		at 0s N: flag N short-notice
		at 0s N: stage notified
		at 0s M: lead least`,
	"a notice lapses four days after its window, over the leap day": `
		0s arden 110 N window=@24h..@48h
		at 144h N: stage notified
		at 144h0m1s N: stage lapsed
		at 144h0m1s N: since 144h0m0s
		at 144h0m1s N: closed false
		150h arden 112 C -> N
		at 150h N: stage completed`,
	"a notice is shifted, then cancelled": `
		0s arden 110 N window=@120h..@130h
		1h arden 111 S change=shift window=@220h..@230h -> N
		at 1h N: stage changed
		at 1h N: arden followed N by 398h0m0s
		2h arden 111 X change=cancel -> S
		at 2h N: stage cancelled
		at 2h N: arden followed N stopped
		at 2h N: boreal answered N stopped
		at 2h N: boreal understood X open
		at 2h N: closed true
		3h arden 111 Y change=shift window=@300h..@310h -> N
		at 3h N: stage cancelled
		at 3h N: flag Y not-allowed`,
	"two notices that touch the same at once are in conflict, on both": `
		0s arden 110 N window=@120h..@130h assets=prefix:192.0.2.0/24
		1h boreal 110 M window=@130h..@140h assets=prefix:192.0.2.128/25
		2h boreal 110 L window=@131h..@140h assets=domain:example.org
		at 1h N: conflict M
		at 1h M: conflict N
		3h boreal 111 X change=cancel -> M
		at 3h N: stage notified`,
	"a window of years is in conflict with one at its end, and not with what was moved away": `
		0s arden 110 N window=@120h..@20000h assets=domain:example.org
		1h boreal 110 M window=@19000h..@19010h assets=domain:a.example.org
		at 1h N: conflict M
		at 1h M: conflict N
		2h boreal 111 S change=shift window=@20001h..@20010h -> M
		at 2h M: stage changed`,
	"a request to stop, promised and kept": `
		0s arden 230 P prec=FLASH
		at 0s P: stage asked
		at 0s P: boreal answered P by 2h0m0s
		1h boreal 231 A answer=will-stop at=@6h prec=FLASH -> P
		at 1h P: stage promised
		at 1h P: boreal answered P met
		at 1h P: boreal followed A by 6h0m0s
		at 1h P: closed false
		5h boreal 231 B answer=stopped prec=FLASH -> P
		at 5h P: stage answered
		at 5h P: boreal followed A met
		at 5h P: outcome stopped
		at 5h P: closed true`,
	"indicators, help and feedback": `
		0s arden 240 T ask=mitigate
		at 0s T: stage help-asked
		1h boreal 241 F -> T
		at 1h T: stage answered
		at 1h T: closed true`,
	"a contact is checked and answers": `
		0s arden 031 C step=ping
		at 0s C: stage pinged
		at 24h1s C: boreal answered C missed
		25h boreal 031 A step=answer -> C
		at 25h C: stage checked
		at 25h C: boreal answered C late
		at 25h C: closed true`,
	"a line goes into service when both say so": `
		0s arden 026 I state=in-service
		at 0s I: boreal answered I open
		at 0s I: closed false
		1h boreal 026 J state=in-service -> I
		at 1h I: boreal answered I met
		at 1h I: stage in-service
		at 1h I: closed true`,
	"a line test is read back": `
		0s arden 010 T
		at 5m1s T: boreal answered T missed
		6m boreal 011 R -> T
		at 6m T: stage read-back
		at 6m T: boreal answered T late`,
	"an outage, and its end": `
		0s arden 021 O prec=IMMEDIATE
		at 0s O: stage outage
		at 0s O: boreal understood O by 1h0m0s
		5h arden 021 E restored=@5h prec=IMMEDIATE -> O
		at 5h O: stage outage-over
		at 5h O: closed true`,
	"another time is offered": `
		0s arden 410 H prec=FLASH
		1h boreal 401 A decision=other-time -> H
		at 1h H: stage offered
		at 1h H: boreal answered H met`,
	"references across kinds link and do not merge": `
		0s arden 210 Q prec=IMMEDIATE
		25h arden 410 H prec=FLASH -> Q
		at 25h Q: link H by H
		at 25h H: link Q by H
		at 25h H: stage raised
		at 25h Q: stage inquired
		at 24h Q: 1 entries`,
	"dossiers of one kind become one by a reference, and were two before": `
		0s boreal 220 N status=suspected
		1h boreal 220 M status=suspected
		at 2h M: stage notified
		3h boreal 221 U status=contained -> N,M
		at 3h N: 3 entries
		at 3h M: unknown
		at 2h N: 1 entries`,
	"a receipt for two matters is in both": `
		0s arden 210 Q prec=IMMEDIATE
		0s arden 230 P prec=FLASH
		1h boreal 012 U state=UND -> Q,P
		at 1h Q: boreal understood Q met
		at 1h P: boreal understood P late`,
	"a provisional message is confirmed in time or flagged": `
		0s arden 005 R confirm-within=30m
		1h arden 230 P provisional=yes prec=FLASH
		at 1h P: arden confirmed P by 1h30m0s
		at 1h31m P: flag P unconfirmed
		2h arden 018 C decision=withdraw -> P
		at 2h P: arden confirmed P late
		at 2h P: stage withdrawn`,
	"a clarification is asked for and given": `
		0s arden 240 T
		1h boreal 013 C -> T
		at 1h T: arden answered C open
		2h arden 019 E kind=explain -> C
		at 2h T: arden answered C met`,
	"a letter": `
		0s arden 600 L
		at 0s L: stage written
		1h boreal 600 M -> L
		at 1h L: 2 entries
		at 1h L: closed true`,
	"the same id twice counts once": `
		0s arden 210 Q prec=IMMEDIATE
		1h arden 210 Q prec=IMMEDIATE
		at 1h Q: 2 entries
		at 1h Q: flag Q double
		at 1h Q: boreal answered Q by 24h0m0s`,
}

// covers P10, P11, P20
func TestStories(t *testing.T) {
	for name, text := range stories {
		t.Run(name, func(t *testing.T) { hold(t, text) })
	}
}
