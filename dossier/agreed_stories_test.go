package dossier

import "testing"

// What desk officers and negotiators see, told as stories. Six calendar months
// after the start, 27 February 2028, is 27 August 2028: 4368 hours.
var agreedStories = map[string]string{
	"a guarantee in the same words is in force from the receipt of the second note": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1,U2,U5
		at 0s G: stage guarantee-offered
		at 0s G: boreal answered G by 720h0m0s
		at 0s G: next reply by boreal
		100h boreal 301 R decision=same-words note=1 text=a undertakings=U2,U1 recv=101h -> G
		at 100h G: stage guarantee-offered
		at 101h G: stage guarantee-in-force
		at 101h G: since 101h0m0s
		at 101h G: terms U1,U2
		at 101h G: outcome same-words
		at 101h G: closed true`,
	"a guarantee note that nobody answers is missed after thirty days, and stays offered": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		at 720h G: boreal answered G open
		at 720h1s G: boreal answered G missed
		at 720h1s G: stage guarantee-offered`,
	"an answer to another text brings nothing about": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=b undertakings=U1 -> G
		at 1h G: stage texts-differ
		2h boreal 301 S decision=same-words note=1 text=a undertakings=U1 -> G
		at 2h G: stage guarantee-in-force`,
	"nobody accepts his own note": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		1h arden 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		at 1h G: stage guarantee-offered
		at 1h G: flag R wrong-side`,
	"a guarantee from a date, with a reservation, until its end": `
		0s arden 300 G note=1 text=a entry=on-date entry_date=@50h until=@9000h undertakings=U1,U6
		1h boreal 301 R decision=with-reservation note=1 text=a undertakings=U6 -> G
		at 1h G: stage concluded-reserved
		at 1h G: comes guarantee-in-force at 50h0m0s
		at 49h59m59s G: stage concluded-reserved
		at 50h G: stage guarantee-in-force
		at 50h G: comes guarantee-ended at 9000h0m0s
		at 50h G: terms U6
		at 9000h G: stage guarantee-ended`,
	"a guarantee that internal procedures decide stays concluded here": `
		0s arden 300 G note=1 text=a entry=on-completion undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		at 999h G: stage concluded
		at 999h G: nothing comes by itself`,
	"a withdrawn guarantee holds six calendar months from its receipt": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		2h boreal 302 W effective=@100h recv=48h -> R
		at 48h G: stage guarantee-ending
		at 48h G: flag W short-notice
		at 48h G: comes guarantee-ended at 4416h0m0s
		at 48h G: arden understood W by 72h0m0s
		at 4415h59m59s G: stage guarantee-ending
		at 4416h G: stage guarantee-ended`,
	"its own end comes first where it is earlier": `
		0s arden 300 G note=1 text=a entry=on-receipt until=@1000h undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		2h arden 302 W effective=@1000h -> G
		at 2h G: comes guarantee-ended at 1000h0m0s`,
	"a withdrawal that is taken back": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		2h boreal 302 W effective=@5000h -> G
		3h boreal 019 K kind=recall -> W
		at 2h G: stage guarantee-ending
		at 3h G: stage guarantee-in-force
		at 3h G: nothing comes by itself
		at 6000h G: stage guarantee-in-force`,
	"a new note about a guarantee in force leaves it in force": `
		0s arden 300 G note=1 text=a entry=on-receipt undertakings=U1
		1h boreal 301 R decision=same-words note=1 text=a undertakings=U1 -> G
		2h arden 300 N note=2 text=b entry=on-receipt undertakings=U1,U2 -> G
		at 2h G: stage guarantee-in-force
		3h boreal 301 D decision=decline note=2 text=b -> N
		at 3h G: stage guarantee-in-force
		at 3h G: terms U1
		at 3h G: closed true`,
	"an election window opens, has its core and is over by itself": `
		0s arden 310 E election=1 window=@1500h..@2000h core=@1600h..@1800h
		at 0s E: stage window-declared
		at 0s E: boreal answered E by 24h0m0s
		at 0s E: lead usual
		at 0s E: comes window-open at 1500h0m0s
		at 1500h E: stage window-open
		at 1600h E: stage window-core
		at 1799h59m59s E: stage window-core
		at 1800h E: stage window-open
		at 2000h E: stage window-over
		at 2000h E: arden followed E by 2720h0m0s
		at 2000h E: closed false
		5h boreal 014 P -> E
		at 5h E: boreal answered E met
		2100h arden 312 H scope=one-vote -> E
		at 2100h E: stage vote-reported
		at 2100h E: arden followed E met
		at 2100h E: closed true`,
	"a window that is declared in its midst is open at once, at short notice": `
		0s arden 310 E election=1 window=@-10h..@2000h core=@-5h..@1800h
		at 0s E: stage window-core
		at 0s E: since 0s
		at 0s E: flag E short-notice`,
	"a run-off opens the window again": `
		0s arden 310 E election=1 window=@1500h..@2000h core=@1600h..@1800h
		1900h arden 311 C change=run-off window=@2300h..@2600h core=@2400h..@2500h -> E
		at 1900h E: stage changed
		at 2000h E: stage window-over
		at 2000h E: comes window-open at 2300h0m0s
		at 2400h E: stage window-core
		at 2600h E: stage window-over
		at 2600h E: window 1500h0m0s to 2600h0m0s
		at 2600h E: arden followed E by 3320h0m0s`,
	"a run-off within the window runs on from it": `
		0s arden 310 E election=1 window=@1500h..@2000h core=@1600h..@1800h
		1850h arden 311 C change=run-off window=@1900h..@2200h core=@2000h..@2100h -> E
		at 1900h E: stage window-open
		at 2000h E: stage window-core
		at 2199h E: stage window-open
		at 2200h E: stage window-over`,
	"only who declared a window changes it, and a vote that does not take place owes no report": `
		0s arden 310 E election=1 window=@1500h..@2000h core=@1600h..@1800h
		1h boreal 311 X change=cancel -> E
		at 1h E: stage window-declared
		at 1h E: flag X wrong-side
		2h arden 311 C change=cancel -> E
		at 2h E: stage cancelled
		at 2h E: nothing comes by itself
		at 2h E: arden followed E stopped
		at 1600h E: stage cancelled`,
	"certified before its end, a window is over": `
		0s arden 310 E election=1 window=@1500h..@2000h core=@1600h..@1800h
		1700h arden 311 C change=certified -> E
		at 1700h E: stage window-over
		at 1700h E: window 1500h0m0s to 1700h0m0s
		at 1900h E: stage window-over`,
	"a meeting is proposed and another date offered": `
		0s arden 400 P prec=IMMEDIATE
		at 0s P: stage meeting-proposed
		at 0s P: boreal answered P by 48h0m0s
		1h boreal 401 A decision=other-time -> P
		at 1h P: stage offered
		at 1h P: outcome other-time`,
	"a record that both give alike is agreed": `
		0s arden 420 C window=@2000h..@2100h
		1h boreal 401 A decision=yes -> C
		2100h arden 421 R position=draft text=a -> C
		at 2100h C: stage record-proposed
		at 2100h C: boreal answered R by 2436h0m0s
		2200h boreal 421 S position=agree text=a -> R
		at 2200h C: stage record-agreed
		at 2200h C: boreal answered R met
		at 2200h C: closed true`,
	"two versions of a record stand side by side": `
		0s arden 421 R position=draft text=a
		1h boreal 421 S position=differ text=b -> R
		at 1h R: stage record-differs
		2h arden 421 T position=agree text=b -> S
		at 2h R: stage record-agreed`,
	"who agrees to a text that the other side did not give agrees to nothing": `
		0s arden 421 R position=draft text=a
		1h boreal 421 S position=agree text=b -> R
		at 1h R: stage record-differs
		2h arden 421 T position=agree text=a -> R
		at 2h R: stage record-differs`,
	"a measure, its steps and its end": `
		0s arden 450 M measure=1 text=a other_owner=mfa.boreal.example steps=1/nrrc.arden.example/@100h,2/mfa.boreal.example/@200h
		at 0s M: boreal answered M by 1440h0m0s
		10h boreal 451 A decision=accept measure=1 text=a -> M
		at 10h M: stage measure-agreed
		at 10h M: arden followed A by 100h0m0s
		at 10h M: boreal followed A by 200h0m0s
		at 11h M: silence: arden seen A late after 14h0m0s
		50h arden 452 P measure=1 step=1 state=begun -> M
		at 50h M: arden followed A open
		60h arden 452 Q measure=1 step=1 state=done -> M
		at 60h M: stage measure-running
		at 60h M: arden followed A met
		at 201h M: boreal followed A missed
		210h arden 453 S position=sign measure=1 text=z -> M
		at 210h M: stage measure-signed
		at 210h M: closed false
		220h boreal 453 N position=not-yet measure=1 text=z -> S
		at 220h M: stage measure-running
		230h boreal 452 B measure=1 step=2 state=done -> M
		at 230h M: boreal followed A late
		240h boreal 453 T position=sign measure=1 text=z -> S
		at 240h M: stage measure-complete
		at 240h M: closed true`,
	"signing is no matter of what the other did not sign": `
		0s arden 450 M measure=1 text=a
		1h boreal 451 A decision=accept measure=1 text=a -> M
		2h arden 453 N position=not-yet measure=1 text=z -> M
		3h boreal 453 T position=sign measure=1 text=z -> M
		at 3h M: stage measure-signed
		4h arden 453 U position=sign measure=1 text=y -> M
		at 4h M: stage texts-differ`,
	"a declined measure owes nothing": `
		0s arden 450 M measure=1 text=a steps=1/nrrc.boreal.example/@100h
		1h boreal 451 A decision=decline measure=1 text=a -> M
		at 200h M: closed true
		at 200h M: stage measure-declined`,
	"a review speaks of measures and joins none": `
		0s arden 450 M measure=1 text=a
		0s arden 450 N measure=2 text=b
		1h boreal 454 R -> M,N
		at 1h M: 2 entries
		at 1h N: 2 entries
		at 1h M: link N by R`,
	"a joint exercise from its proposal to the report of both": `
		0s arden 120 X exercise=1 step=joint window=@400h..@410h
		at 0s X: stage exercise-proposed
		at 0s X: boreal answered X by 168h0m0s
		at 0s X: lead usual
		1h boreal 120 A exercise=1 step=accept -> X
		at 1h X: stage exercise-accepted
		400h arden 121 S state=start prec=IMMEDIATE -> X
		at 400h X: stage exercise-running
		at 400h X: boreal understood S by 400h15m0s
		401h boreal 121 P state=pause prec=IMMEDIATE -> X
		402h arden 121 R state=resume prec=IMMEDIATE -> X
		at 402h X: stage exercise-running
		410h boreal 121 E state=end prec=IMMEDIATE -> X
		at 410h X: stage exercise-ended
		411h arden 121 Z state=start prec=IMMEDIATE -> X
		at 411h X: stage exercise-ended
		at 411h X: flag Z not-allowed
		at 411h X: arden followed X by 1130h0m0s
		420h arden 122 F exercise=1 position=draft text=a -> X
		at 420h X: arden followed X met
		at 420h X: boreal answered F by 1140h0m0s
		430h boreal 122 G exercise=1 position=agree text=a -> F
		at 430h X: stage report-agreed
		at 430h X: boreal followed A met
		at 430h X: closed true`,
	"NO PLAY halts an exercise, and nothing starts it again": `
		0s arden 120 X exercise=1 step=own window=@100h..@110h
		at 0s X: stage exercise-announced
		at 0s X: lead usual
		at 0s X: silence: boreal seen X late after 4h0m0s
		100h arden 121 S state=start -> X
		101h boreal 121 N state=no-play -> X
		at 101h X: stage exercise-halted
		102h arden 121 R state=resume -> X
		at 102h X: stage exercise-halted
		at 102h X: flag R not-allowed`,
	"own exercises need three days and joint ones fourteen": `
		0s arden 120 X exercise=1 step=own window=@73h..@80h
		0s arden 120 Y exercise=2 step=joint window=@73h..@80h
		at 0s X: lead usual
		at 0s Y: lead short
		1h boreal 120 D exercise=2 step=decline -> Y
		at 1h Y: stage exercise-declined
		at 1h Y: closed true
		2h boreal 120 A exercise=1 step=accept -> X
		at 2h X: flag A not-allowed`,
	"a text is signed when both signed the same": `
		0s arden 500 D instrument=1 text=a
		1h boreal 500 V instrument=1 text=b -> D
		at 1h D: boreal answered D met
		2h arden 501 S instrument=1 text=b -> V
		at 2h D: stage signed-by-one
		at 2h D: boreal answered S by 722h0m0s
		3h boreal 501 T instrument=1 text=a -> S
		at 3h D: stage texts-differ
		4h boreal 501 U instrument=1 text=b -> S
		at 4h D: stage signed
		5h arden 522 C instrument=1 text=b -> S
		at 5h D: stage procedures-by-one
		6h arden 522 E instrument=1 text=b -> S
		at 6h D: stage procedures-by-one
		7h boreal 522 F instrument=1 text=b -> S
		at 7h D: stage procedures-complete
		at 7h D: closed true`,
	"an amendment is accepted as the same text or not at all": `
		0s arden 520 P amendment=1 text=a prec=ROUTINE
		at 0s P: boreal answered P by 1440h0m0s
		1h boreal 521 A decision=accept amendment=1 text=b -> P
		at 1h P: stage texts-differ
		2h boreal 521 B decision=accept amendment=1 text=a -> P
		at 2h P: stage amendment-accepted
		at 1440h1s P: boreal answered P met`,
	"an amendment that nobody answers is missed and triggers nothing": `
		0s arden 520 P amendment=1 text=a
		at 1440h1s P: boreal answered P missed
		at 1440h1s P: stage amendment-proposed
		at 9999h P: stage amendment-proposed`,
	"articles are suspended from a time, and resumed in part and whole by who suspended": `
		0s arden 510 S from=@100h prec=IMMEDIATE
		at 0s S: stage suspension-announced
		at 0s S: boreal understood S by 1h0m0s
		at 0s S: lead usual
		at 100h S: stage suspended
		101h boreal 511 X extent=whole from=@102h -> S
		at 103h S: stage suspended
		at 103h S: flag X wrong-side
		110h arden 511 P extent=part from=@111h -> S
		at 110h S: stage partly-resumed
		120h arden 511 R extent=whole from=@130h -> S
		at 129h59m59s S: stage resumption-announced
		at 130h S: stage resumed
		at 130h S: closed true`,
	"a suspension with an end ends by itself, and one from the past runs from its receipt": `
		0s arden 510 S from=@-5h until=@50h prec=IMMEDIATE
		at 0s S: stage suspended
		at 0s S: since 0s
		at 0s S: flag S short-notice
		at 50h S: stage resumed`,
	"a denounced agreement holds six calendar months, unless that is withdrawn": `
		0s arden 530 D ends=@100h recv=24h
		at 24h D: stage denounced
		at 24h D: flag D short-notice
		at 24h D: boreal understood D by 48h0m0s
		at 24h D: comes agreement-ended at 4392h0m0s
		30h boreal 531 X effect=withdrawn -> D
		at 30h D: stage denounced
		at 30h D: flag X wrong-side
		40h arden 531 W effect=withdrawn -> D
		at 40h D: stage denunciation-withdrawn
		at 9000h D: stage denunciation-withdrawn
		at 9000h D: closed true`,
	"a denunciation that nobody withdraws ends an agreement": `
		0s arden 530 D ends=@5000h
		at 4999h59m59s D: stage denounced
		at 5000h D: stage agreement-ended
		5001h arden 531 W effect=withdrawn -> D
		at 5001h D: stage agreement-ended
		at 5001h D: flag W not-allowed`,
	"of two denunciations each is withdrawn for itself": `
		0s arden 530 D ends=@5000h
		1h boreal 530 E ends=@6000h -> D
		at 1h D: comes agreement-ended at 5000h0m0s
		2h arden 531 W effect=withdrawn -> D
		at 2h D: stage denounced
		at 2h D: comes agreement-ended at 6000h0m0s`,
	"an agreement that is not renewed ends with its term": `
		0s arden 531 N effect=not-renewed ends=@700h
		at 0s N: stage not-renewed
		at 700h N: stage agreement-ended`,
	"a further party joins by the consent of the other": `
		0s arden 540 P step=propose station=c card=k capacity=observer
		at 0s P: boreal answered P by 1440h0m0s
		1h arden 540 S step=consent station=c card=k capacity=observer -> P
		at 1h P: stage accession-proposed
		at 1h P: flag S not-allowed
		2h boreal 540 C step=consent station=c card=other capacity=observer -> P
		at 2h P: stage texts-differ
		3h boreal 540 D step=consent station=c card=k capacity=observer -> P
		at 3h P: stage accession-consented
		at 3h P: closed true`,
	"a declaration holds from its day until it is withdrawn by who made it": `
		0s arden 550 D step=declare from=@10h
		at 0s D: stage declaration-made
		at 10h D: stage declaration-holds
		20h boreal 550 X step=withdraw from=@30h -> D
		at 40h D: stage declaration-holds
		50h arden 550 W step=withdraw from=@90h -> D
		at 50h D: stage declaration-ending
		at 90h D: stage declaration-ended`,
	"both sides' digests of one second are one, or differ": `
		0s arden 022 A at=1 digest=x
		at 0s A: stage state-told
		at 0s A: boreal answered A by 24h0m0s
		1h boreal 022 B at=1 digest=x -> A
		at 1h A: stage state-agreed
		at 1h A: closed true
		0s arden 022 C at=2 digest=x
		1h boreal 022 D at=2 digest=y -> C
		at 1h C: stage state-differs
		2h boreal 023 E what=state-differs -> C
		at 2h C: stage discrepancy
		at 2h C: arden answered E by 50h0m0s
		3h arden 023 F what=state-differs -> E
		at 3h C: arden answered E met`,
}

// covers P10, P11, P12, P17, P20
func TestAgreedStories(t *testing.T) {
	for name, text := range agreedStories {
		t.Run(name, func(t *testing.T) { hold(t, text) })
	}
}
