package record

import (
	"fmt"
	"strings"

	"detente/book"
)

// Reason says why a check did not simply pass, or what an evidence file shows.
// Its text is a code that stays the same from version to version.
type Reason int

// The reasons.
const (
	NoReason         Reason = iota
	Altered                 // the file is no record, or was altered
	UnknownIndex            // record.json is missing or of no known form
	Contradiction           // record.json contradicts itself
	EntryMissing            // an entry is named and not there
	EntryAbsent             // a line's record lacks an entry
	CardsBad                // cards do not verify
	RootMissing             // no root of this party was given
	CardsMissing            // the cards of an end are not in the record
	LogUnlisted             // the writer's card lists no key for the log
	PolicyFileBad           // policy.txt is not that of the log
	ReceiptMissing          // there is no receipt
	ProofBad                // the proof is malformed, or another entry's
	CheckpointBad           // the log's signatures do not verify
	CosignatureBad          // the counterpart's cosignatures do not verify
	NotIncluded             // the entry is not in the signed tree
	TwoRoots                // the log signed two roots for one size
	Undisclosed             // the entry's key is not there
	KeyBad                  // the key is malformed, or does not open the entry
	Unreadable              // the entry opens and is no message
	OtherLine               // the body is for another line or direction
	TimeBack                // the wrapper's second falls
	ApprovalBad             // an approval does not verify
	ApprovalOther           // an approval is of another body
	ApprovalPolicy          // an approval names another release policy
	OfficerTwice            // an officer stands twice
	PolicyHidden            // the release policy in force is not disclosed
	TooFew                  // fewer officers approved than the policy asks
	SeenDiffers             // two entries have seen two roots of one size
	ForkProven              // evidence: two histories
	ForkUnproven            // evidence: it does not verify
	LogCardMissing          // evidence: the card with a log's key was not given
	ReceiptsWithheld        // evidence: receipts were missing
	WithheldUnproven        // evidence: it does not show that receipts were missing
	NoEvidence              // the file is no evidence
	lastReason       = NoEvidence
)

// String returns the reason's code.
func (r Reason) String() string { return reasons[r].code }

// MarshalText implements encoding.TextMarshaler.
func (r Reason) MarshalText() ([]byte, error) { return []byte(reasons[r].code), nil }

// in says the reason in a language. Values stand for {0}, {1}.
func (r Reason) in(l book.Lang, values []string) string {
	s := reasons[r].text[l]
	for i, v := range values {
		s = strings.ReplaceAll(s, fmt.Sprintf("{%d}", i), v)
	}
	return s
}

// next says in a language what to do about it.
func (r Reason) next(l book.Lang) string { return reasons[r].next[l] }

// explained is a reason's code, what it says, and what to do about it.
type explained struct {
	code string
	text text
	next text
}

// fault is why something does not verify, as an error.
type fault struct {
	reason Reason
	values []string
	detail string // technical, in English
}

func (f fault) Error() string { return f.reason.in("en", f.values) }

// because is a fault with the technical error beneath it.
func because(r Reason, err error, values ...string) fault {
	f := fault{reason: r, values: values}
	if err != nil {
		f.detail = err.Error()
	}
	return f
}
