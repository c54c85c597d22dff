// Package dossier is the house of matters: it says what was said on each, where
// it stands, who owes what by when, what may come next and what silence means.
// All of it is a fold over the messages of both logs of a line and the receipts
// that stand in them. Both stations, and an arbiter with an exported record,
// come to the same as of any second, whatever order the messages are given in.
//
// The package is pure: no clock, no store, no goroutine. Nothing in it says or
// implies that anybody admits anything, and nothing that it finds triggers
// anything: what is overdue is a flag.
//
// # Use
//
// Make an Item of each entry with Read, put the items into a Line, ask it as of
// a second:
//
//	l := dossier.NewLine(dossier.ByEdition(edition))
//	for … { l.Put(dossier.Read(origin, index, received, entry)) }
//	d, ok := l.Dossier(id, at)   // one matter; costs what it costs, not what the record costs
//	w := l.At(at)                // all matters; w.Digest() is what both sides compare
//	s := l.Messages()            // how far each message has come
//
// A message that comes late is put like any other: what hangs together with it
// is folded anew the next time it is asked for, and nothing else. Who keeps the
// messages in a store may put the entries of one dossier into a line of their
// own, with what names them: the refusals (002), blob receipts (003) and
// disputes (004) of its entries, its writers' release policies (005), and the
// notices of the same days.
//
// A second in the past is asked for like the present: what the record says was
// received after it is not known then. What was refused is known as refused from
// its receipt on, because its reader knew.
//
// # Which dossier
//
// A message of a kind (incident, notice, …) makes one dossier with those of its
// kind that it refers to. A reference between kinds makes a Link, which stands
// in both and merges nothing; without the referring message it is gone. Messages
// of no kind (receipts, corrections, extensions, free text) are in the dossier of
// each message that they refer to; without one they are letters. A dossier has
// the id of its first message.
//
// # The order
//
// Of a dossier's messages whose causes are taken (its writer's earlier entries,
// and what the writer had seen of the other log) the one with the earliest
// receipt, then the lowest id. What no receipt in the record covers is not
// folded: Whole.Unlisted shows it, last, and no digest holds it.
//
// # Moves
//
// Each kind is a table (tables.go, service.go): which stages may follow which,
// and what each move does. A move that the table does not allow, or that is the
// other side's to make, stays on the timeline with a Flag and changes nothing:
// it calls for receipts and for no answer. A question may be put at any stage.
// A message that its author recalled (019 recall) or withdrew (018) no longer
// counts: the dossier stands where it would without it.
// What its author disowns because a key of its was stolen (033) is flagged as
// contested, and counts as it did: that is its approvals' to say.
//
// # Facts, states, messages by number
//
// A claim states facts, and each is answered by itself: Dossier.Facts says how
// each stands by what was said, the counterpart's last answer and both sides' end
// of it. A reply that leaves facts of a claim unanswered is one for the time
// being. A report of a third party makes no claim; Dossier.Named has the answer
// of each state that it names. Dossier.Serials has each message whose publication
// was proposed: silence past the date is no consent. Fits says before release
// what does not fit what it refers to; what a peer sent is flagged (no-such-fact,
// not-named, not-proposed, refers-ahead) and changes nothing.
//
// Where the end of a claim is said by both sides alike it has that end, and where
// they say different ones the dispute is on record; who made a claim may withdraw
// it alone. That a term is understood differently opens a consultation, which
// only an entry of the glossary ends.
//
// Some moves are looked at beside one of the counterpart's (joint.go): a text is
// signed when both signed the same, a guarantee note is answered in its own words
// or not. Where the two name different texts nothing came about, and the stage
// says so. Some stages come by time alone (plan.go): Dossier.ChangesAt and
// ChangesTo say which is next. Six months are calendar months from the receipt,
// by book.AddMonths.
//
// # Clocks
//
// A duty runs from the receipt that stands in the record, by the clocks of the
// format at the message's precedence; only the receipt itself is counted from the
// wrapper's second. What is due at a second is in time at that second. Whoever
// answers has seen and understood.
//
//   - An interim answer (202) received before the answer is due moves the date
//     once by right: to the date it names, at most seven days after the receipt
//     (two for FLASH) or twice the answer's own time, whichever is more. A second
//     one moves it if the asker says 012 UND to it; who does not consent says
//     NUN, asks back (013) or keeps silent. There is no third.
//   - A disputed receipt (004) runs two clocks, from its own second and from the
//     disputing entry's. Between the two deadlines an answer, or its absence, is
//     LateTimeDisputed.
//   - An answer whose receipt is late though its author's own second was in time
//     is MetTimeDisputed.
//   - Of an entry refused as unreadable nothing is known until its author
//     discloses its file key: then its clocks run from the receipt of the key, and
//     what it answered is MetDisputed. Until then, and for a day at most, what its
//     author owed is Unreadable and not Missed. A second refusal is WithheldState.
//   - An answer whose evidence is not receipted (003) is not complete; nor does
//     silence count as Missed while the evidence of the question is not there:
//     both are EvidenceAwaited once the date has passed.
//   - A correction (019) leaves the clocks of what it corrects as they are. A
//     recall, a withdrawal and the cancellation of a notice (111) stop them, and
//     are themselves to be understood (012). An answer that was taken back
//     answers nothing any more; an extension that was taken back has moved the
//     date.
//   - Of several answers that which came in time counts, before one that did not;
//     of those in time that which its reader did not refuse. A refused answer that
//     was in time is MetDisputed.
//   - An undelivered message runs no clock of its reader's.
//   - Exercises run on lines of their own, with logs and keys of their own: they
//     are never in one Line with anything real, so they start no real clock.
//
// # The ladder, and tension
//
// Dossier.Ladder says on which step of escalation, L0 to L7, a matter stands: by
// its own messages and by those of other matters that refer to it and take it
// further up. A matter begins at L0 or L1. Each step above refers to a message of
// the step below (or to one of that matter), cites what went before on another
// line, or gives the reason "urgent", by its code or, where its format has none,
// by FLASH; else it is told as step-skipped, a flag of the step and no refusal.
// Who folds a dossier from its own messages alone sees its own steps only.
//
// Line.Tension reads indicators off the record: what is overdue, what was sent in
// haste, what is withheld, open, suspended, too short, and the steps. Each names
// the entries for which it counts, and what changed in 24 hours. They are never
// added up. TensionWords writes them as sentences.
//
// # Codes
//
// Stages, acts, states and flags are codes; Words has their labels in the six
// languages.
package dossier
