package record

import (
	"detente/identity"
	"detente/message"
)

// A finding shows somebody's hand: the writer's of a log, its reader's where a
// receipt is at fault, and nobody's where whoever exported the record left
// something out, altered it, or gave what is not asked for.

// byReader are the reasons that show the hand of a log's reader.
var byReader = map[Reason]bool{CosignatureBad: true, CosignerUnlisted: true, ReceiptsClash: true, ReceiptMissing: true}

// byNobody are the reasons that show no party's hand.
var byNobody = map[Reason]bool{
	IndexDiffers: true, Contradiction: true, EntryMissing: true, EntryAbsent: true, EntriesAbsent: true, LogAbsent: true, EraAbsent: true, SeenMore: true, SignedMore: true,
	CardsMissing: true, PolicyFileBad: true, ProofBad: true, SuccessionMissing: true, Undisclosed: true, KeyBad: true, PolicyHidden: true,
	ReferenceAbsent: true, ReferenceHidden: true, NotIncluded: true, MattersMany: true,
}

// hand returns the short code of the station whose hand a finding at a place
// shows; empty where it shows none.
func (v *verifier) hand(where string, r Reason) string {
	if byNobody[r] {
		return ""
	}
	if c, err := message.ParseCitation(where); err == nil {
		if byReader[r] {
			return string(c.Reader)
		}
		return string(c.Writer)
	}
	if o, err := identity.ParseOrigin(where); err == nil && !byReader[r] {
		return string(v.cards[o.Writer].Card.Code)
	}
	return ""
}
