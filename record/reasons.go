package record

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
)

// Reason says why a check did not simply pass, or what an evidence file shows.
// Its text is a code that stays the same from version to version.
type Reason int

// The reasons.
const (
	NoReason          Reason = iota
	Altered                  // the file is no record, or was altered
	UnknownIndex             // record.json is missing or of no known form
	IndexForm                // record.json is not in its one form
	IndexDiffers             // record.json says otherwise of keys and receipts than is so
	Contradiction            // record.json contradicts itself
	StrayFile                // a file belongs to nothing in the record
	EntryMissing             // an entry is named and not there
	EntryAbsent              // a line's record lacks an entry
	EntriesAbsent            // a line's record lacks many entries
	LogAbsent                // a line's record lacks a log that an entry has seen
	EraAbsent                // a line's record lacks the log before one
	SeenMore                 // an entry has seen more of the other log than is here
	SignedMore               // the log signed more entries than are here
	CardsBad                 // cards do not verify
	RootMissing              // no root of this party was given
	CardsMissing             // the cards of an end are not in the record
	CardEnded                // the writer's card had ended
	LogUnlisted              // the writer's card lists no key for the log
	PolicyFileBad            // policy.txt is not that of the log
	ReceiptMissing           // there is no receipt
	ProofBad                 // the proof is malformed, or another entry's
	SignaturesOther          // the checkpoint carries other signatures than its own
	CheckpointBad            // the log's signatures do not verify
	CosignatureBad           // the counterpart's cosignatures do not verify
	NotIncluded              // the entry is not in the signed tree
	TwoRoots                 // the log signed two roots for one size
	HeadDiffers              // the log signed another root than its entries have
	SuccessionMissing        // the note that begins an era is not there
	SuccessionBad            // it does not verify
	EndDiffers               // it ends the log with another root than its entries have
	AboveEnd                 // the entry stands above that end
	Undisclosed              // the entry's key is not there
	KeyBad                   // the key is malformed, or does not open the entry
	Unreadable               // the entry opens and is no message
	OtherLine                // the body is for another line or direction
	BodyTwice                // the body stands in an entry before
	TimeBack                 // the wrapper's second falls
	SeenLess                 // what the wrapper has seen falls
	ReceiptsClash            // the reader's receipts contradict each other
	ApprovalBad              // an approval does not verify
	ApprovalOther            // an approval is of another body
	ApprovalPolicy           // an approval names another release policy
	PolicyHidden             // the release policy in force is not disclosed
	PolicyBad                // the release policy that an entry states is none
	TooFew                   // fewer officers approved than the policy asks
	NoRelease                // the policy does not let it go at all
	NotProvisional           // it stands as PROVISIONAL and is released
	Refused                  // said of another reason: the reader refused the entry
	SeenOther                // an entry has seen another root than the record shows
	SeenDiffers              // two entries have seen two roots of one size
	ListedOther              // an entry lists another second than a receipt has
	ForkProven               // evidence: two histories
	ForkUnproven             // evidence: it does not verify
	LogCardMissing           // evidence: the card with a log's key was not given
	CardMissing              // evidence: a station's card was not given
	ReceiptsWithheld         // evidence: receipts were missing while the counterpart was alive
	WithheldUnproven         // evidence: it does not show that receipts were missing
	ReceiptedTwice           // evidence: two histories receipted
	SecondsTwo               // evidence: one size receipted at two seconds
	SecondsFall              // evidence: the larger size receipted earlier
	KeysTwo                  // evidence: two keys endorsed for one log
	EndsTwo                  // evidence: one log ended twice
	EndsOtherwise            // evidence: a log signed otherwise than it was ended
	ClashUnproven            // evidence: the two texts prove no contradiction
	NoEvidence               // the file is no evidence
	CheckpointOther          // the checkpoint is that of another log
	CosignerUnlisted         // the receipt is signed by a key that the reader's card does not list
	CertificateEnded         // an officer's certificate was not valid at the entry's second
	OfficerTwice             // one officer was counted twice
	PolicyLater              // an approval names a release policy that the log states only later
	ProvisionalHidden        // it went as PROVISIONAL and does not say so
	ReceiptAhead             // a receipt bears a second that had not come when its giver had seen what it is for
	ReferenceAbsent          // it refers to a message that is not in the record
	ReferenceHidden          // it refers to a message that the record does not disclose, or has none of
	AnswersOther             // it answers no message of the kind that it speaks of
	FactUnstated             // it speaks of a fact that was not stated
	Misfit                   // it does not fit what it refers to
	TranslationOther         // a translation is bound to another original
	BlobUnnamed              // a receipt of evidence names what no message of the other side names
	MattersMany              // there is more in the record than is judged by matters
	ClosedByBoth             // the entry was said without prejudice, and stays closed
	DisclosedClosed          // the entry was said without prejudice, and is disclosed
	NotConsented             // it is published, and not both agreed to that form of it
	RedactionBad             // a redacted text is malformed, or belongs to another message
	RedactionOther           // a redacted text is not the one that both named
	lastReason        = RedactionOther
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
	reason  Reason
	values  []string
	detail  string          // technical, in English
	refused string          // where the entry's reader refused it; empty where it did not
	named   identity.Digest // of ApprovalPolicy: the release policy that was named
}

func (f fault) Error() string { return says(f.reason, f.values, f.refused, "en") }

// because is a fault with the technical error beneath it.
func because(r Reason, err error, values ...string) fault {
	f := fault{reason: r, values: values}
	if err != nil {
		f.detail = err.Error()
	}
	return f
}

// asFault is the fault that an error is, or one with the error beneath it.
func asFault(err error, otherwise Reason) fault {
	if f, known := errors.AsType[fault](err); known {
		return f
	}
	return because(otherwise, err)
}

// says says in a language what was found, and where the entry's reader refused
// it.
func says(r Reason, values []string, refused string, l book.Lang) string {
	s := r.in(l, values)
	if refused != "" {
		s += " " + Refused.in(l, []string{refused})
	}
	return s
}

// todo says in a language what to do about what was found. What its reader
// refused needs nothing else.
func todo(r Reason, refused string, l book.Lang) string {
	if refused != "" {
		r = Refused
	}
	return r.next(l)
}

// stamp writes a second as records do.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
