package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
)

// Store keeps everything a station must not lose. Two implementations exist,
// SQLite and the simulator's; one behaviour suite (storetest) holds for both.
type Store interface {
	// Update runs do in a transaction and returns once its effects are durable:
	// after Update returns nil they survive a crash of the process or a loss of
	// power. Calls that wait at the same time may share one commit; one that
	// fails, by an error of do, leaves no trace and does not fail its
	// neighbours. Transactions run one at a time, so do sees all that was
	// written before it. An error that wraps ErrOutcomeUnknown says that the
	// commit may or may not have happened: read before doing it again.
	Update(ctx context.Context, do func(Tx) error) error

	// View runs do over one consistent snapshot. Writing in it fails.
	View(ctx context.Context, do func(Tx) error) error

	// Close waits for transactions under way and closes the store.
	Close() error
}

// Finish is a hook that a store runs once in each commit, after all the
// transactions that share it and before it is made durable. The station
// appends there what the queue holds, so that one checkpoint covers all that
// was approved together. An error of it rolls back only what the hook did.
type Finish func(Tx) error

// Errors that a store returns.
var (
	// ErrOutcomeUnknown says that a commit may or may not have happened.
	ErrOutcomeUnknown = errors.New("the store cannot say whether the commit happened")
	// ErrNotFound says that nothing is stored under the key asked for.
	ErrNotFound = errors.New("not found")
	// ErrFull says that the disk is full; reads and receiving go on where they can.
	ErrFull = errors.New("the disk is full")
)

// Tx is one transaction of a station's store. Lookups of one row return
// ErrNotFound (wrapped) where nothing is stored; lists return an empty slice.
// Put methods insert or replace by key. Limits of zero or less mean no limit.
type Tx interface {
	journal.Tx

	// Outgoing messages, from the freezing of their bodies to their entry.
	PutOutgoing(Outgoing) error
	Outgoing(message.ID) (Outgoing, error)
	// NextWaiting names messages of the line in state Waiting, highest Lent
	// precedence first, then lowest Order.
	NextWaiting(line identity.Line, limit int) ([]message.ID, error)
	// OutgoingIn lists messages in a state on all lines, oldest Order first,
	// after the given Order.
	OutgoingIn(state OutState, after int64, limit int) ([]Outgoing, error)
	// ExpiringOutgoing lists messages in states Awaiting and Waiting whose
	// Until is set and not after at.
	ExpiringOutgoing(at time.Time, limit int) ([]Outgoing, error)
	// CountOutgoing counts the messages of a line in a state by precedence.
	CountOutgoing(line identity.Line, state OutState) (map[message.Precedence]int, error)
	// NextOrder returns a number larger than any returned before.
	NextOrder() (int64, error)

	// Messages, the projection of both logs' opened entries. It is a cache: all
	// of it can be made anew from the logs.
	PutMessage(Message) error
	Message(o identity.Origin, index int64) (Message, error)
	MessageByID(message.ID) (Message, error)
	// Messages lists the messages of a log from an index on.
	Messages(o identity.Origin, from int64, limit int) ([]Message, error)
	// Referring lists the messages whose body refers to id, in the order they
	// were put.
	Referring(id message.ID) ([]Message, error)
	// RecentMessages lists messages of all lines, newest first, before a
	// sequence number (zero: from the newest). Message.Seq is the cursor.
	RecentMessages(before int64, limit int) ([]Message, error)
	DropMessages(identity.Line) error

	// Listed receipts: those that stand in the record.
	PutListed(Listed) error
	// ReceiptOf returns the earliest second of any listed receipt that covers
	// the entry.
	ReceiptOf(o identity.Origin, index int64) (time.Time, error)
	// ListedOf lists the listed receipts of a log, ascending by size.
	ListedOf(o identity.Origin) ([]Listed, error)

	// Peers and lines.
	PutPeer(Peer) error
	Peer(identity.Station) (Peer, error)
	Peers() ([]Peer, error)
	PutLine(Line) error
	Line(identity.Line) (Line, error)
	Lines() ([]Line, error)

	// Officers of this station, and tokens of its API.
	PutOfficer(Officer) error
	Officer(pseudonym string) (Officer, error)
	Officers() ([]Officer, error)
	PutToken(Token) error
	Token(digest identity.Digest) (Token, error)
	Tokens() ([]Token, error)

	// Blobs known, by hash of their ciphertext.
	PutBlob(Blob) error
	Blob(identity.Digest) (Blob, error)
	// BlobsIn lists blobs in a state, by hash, after one: pages through them.
	BlobsIn(state BlobState, after identity.Digest, limit int) ([]Blob, error)

	// Evidence of what a counterpart did that it may not do.
	PutEvidence(Evidence) error
	Evidences(limit int) ([]Evidence, error)

	// Audit, chained by hash. AppendAudit gives the next number and the hash.
	AppendAudit(Audit) (Audit, error)
	Audits(from int64, limit int) ([]Audit, error)
	// LastAudit returns the newest line, the zero value where there is none.
	LastAudit() (Audit, error)

	// Events, for streams that resume. AppendEvent gives the next number.
	AppendEvent(Event) (Event, error)
	EventsAfter(number int64, limit int) ([]Event, error)
	// LastEvent returns the number of the newest event, 0 where there is none.
	LastEvent() (int64, error)

	// MendEntry puts an entry in the place of one below the log's size that is
	// damaged or absent; MendCosignature does the same for a cosignature of its
	// size. Their caller has verified what they put against a signed head.
	MendEntry(o identity.Origin, index int64, entry []byte) error
	MendCosignature(journal.Cosignature) error

	IndexTx

	// Settings are small documents by name; an absent one is nil.
	Setting(name string) ([]byte, error)
	PutSetting(name string, value []byte) error

	LogBook
}

// OutState is where an outgoing message stands.
type OutState uint8

// The states of an outgoing message. Awaiting and Waiting may change; the
// others are final, but for Appended, which Tx.PutOutgoing may repeat.
const (
	Awaiting  OutState = iota + 1 // frozen, awaits approvals
	Waiting                       // released, waits in the queue
	Appended                      // stands in the log
	Withdrawn                     // taken back while it waited
	Expired                       // its time ran out before it was appended
	Rejected                      // an officer refused it
	Spent                         // found in the log after a restore
)

// Outgoing is a message on its way into the log.
type Outgoing struct {
	ID          message.ID
	Line        identity.Line
	Format      message.Format
	Precedence  message.Precedence // its own
	Lent        message.Precedence // its own, or a higher one lent by a message that refers to it
	State       OutState
	Body        []byte    // frozen, never changed
	Request     [16]byte  // what approvals refer to
	Approvals   [][]byte  // as they came, in order
	Until       time.Time // awaiting: when the request lapses; waiting: when the release or the body does; zero: never
	Asked       time.Time // when the body was frozen
	Released    time.Time // when the last approval needed came; zero while Awaiting
	Order       int64     // from NextOrder, when it entered its state
	Provisional bool      // goes on fewer officers than the policy asks
	Reason      string    // why it waits, or ended, in plain words
	Next        string    // what happens next, in plain words
	Try         time.Time // when the station tries again by itself, where it is asked; not stored; zero: at once, or never
	Refs        []message.ID
	Origin      identity.Origin // once Appended, when Body and Approvals stand in the entry and no longer here
	Index       int64           // once Appended
}

// Message is an entry of either log as this station understood it.
type Message struct {
	Seq         int64 // given by the store at the first put, ascending; zero before
	Origin      identity.Origin
	Index       int64
	ID          message.ID // zero where the entry could not be opened
	Format      message.Format
	Precedence  message.Precedence
	At          time.Time // the wrapper's second; zero where unreadable
	Plain       []byte    // the entry's two lines, without padding; nil where unreadable
	Refs        []message.ID
	Provisional bool
	Problem     string // a refusal's reason code where it could not be accepted, else empty
	Field       string // the field at fault, if any
}

// Listed is a receipt that stands in the record.
type Listed struct {
	Origin identity.Origin // the log that was receipted
	Size   int64
	At     time.Time
	Seen   bool            // by a wrapper's seen, not by a cosignature
	By     identity.Origin // the log in which it is listed
	Index  int64           // the entry in which it is listed
}

// Peer is another station and what is pinned of it.
type Peer struct {
	Station   identity.Station
	Bundle    []byte   // its cards, as pinned
	State     string   // the state word: card held, digits checked, two-person confirmed, lines proven, held
	Confirmed []string // pseudonyms of the officers who confirmed
	Since     time.Time
	Ceremony  message.ID // what confirmations refer to; a new one with other cards and after a hold
	Resumes   string     // held by an operator: the state word that two officers bring back; empty: the ceremony does
}

// Line is a line of this station.
type Line struct {
	Line     identity.Line
	OwnEra   identity.Era    // the era this station writes; zero before entry 0
	SendEra  identity.Era    // the own era that is being delivered; behind OwnEra until the old log is receipted to its end
	PeerEra  identity.Era    // the newest era of the peer that this station mirrors; zero before
	State    string          // pairing, open, held, or why it is stopped
	Terms    []byte          // this side's terms of the line, as entry 0 states them
	PeerCard identity.Digest // of the card that was last accepted

	TakenEra   identity.Era // up to where the counterpart's logs have been read, the newest of them
	TakenSize  int64
	PeerAt     time.Time    // the latest second of a wrapper in the counterpart's newest log
	PeerSeen   message.Head // the largest head of our log that a wrapper in it has seen
	Seen       message.Head // the largest head of the counterpart's log that an own wrapper has seen; it never falls
	PeerQuota  int64        // bytes a day that the counterpart's newest entry 0 allows; zero: unknown
	LastAt     time.Time    // second of the last own wrapper; it never falls
	ListedEra  identity.Era // up to where own receipts on the peer's log stand listed in our own
	ListedSize int64
	HeldEra    identity.Era // up to where the peer's receipts that it has not listed stand in our own
	HeldSize   int64
}

// Officer is an officer of this station.
type Officer struct {
	Pseudonym   string
	Name        string            // known to this station only, never sent
	Certificate []byte            // the one that was last enrolled
	Others      [][]byte          // those enrolled before it, the oldest first
	Revoked     time.Time         // zero while valid
	Barred      []identity.Digest // certificates that were revoked, for ever
}

// Token lets a caller of the API act.
type Token struct {
	Digest  identity.Digest // of the token; the token itself is not kept
	Actor   string
	Roles   []string
	Until   time.Time
	Revoked bool
}

// BlobState is where a blob stands.
type BlobState uint8

// The states of a blob.
const (
	BlobOffered   BlobState = iota + 1 // named by a peer's message, not fetched yet
	BlobHeld                           // complete here
	BlobReceipted                      // ours, and the peer's receipt is in the record
)

// Blob is evidence that travels beside messages.
type Blob struct {
	Hash    identity.Digest // of the ciphertext
	Size    int64           // of the ciphertext
	Have    int64           // bytes fetched so far
	State   BlobState
	Line    identity.Line
	From    identity.Station
	Message message.ID // the message that names it; of ours, the first
	At      time.Time  // held: when it was whole here; receipted: the counterpart's second; zero otherwise, or not known
}

// Evidence is a file that proves what a counterpart did.
type Evidence struct {
	Kind    string // fork, withheld, or a journal.Contradiction's
	Line    identity.Line
	At      time.Time
	Summary string
	File    []byte
}

// Audit is one line of the audit trail.
type Audit struct {
	Number int64
	At     time.Time
	Actor  string
	Act    string
	Object string
	Result string // done, refused, failed
	Detail string
	Hash   identity.Digest // over the previous hash and this line
}

// Event is something that happened, for streams.
type Event struct {
	Number int64
	At     time.Time
	Kind   string // message, receipt, release, line, alarm
	Ref    string
	Text   string
}

var outStates = [...]string{
	Awaiting: "awaiting", Waiting: "waiting", Appended: "appended", Withdrawn: "withdrawn", Expired: "expired", Rejected: "rejected", Spent: "spent",
}

// String returns the state's word.
func (s OutState) String() string {
	if s < Awaiting || s > Spent {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return outStates[s]
}

// ParseOutState reads a state's word.
func ParseOutState(s string) (OutState, error) {
	for st := Awaiting; st <= Spent; st++ {
		if outStates[st] == s {
			return st, nil
		}
	}
	return 0, fmt.Errorf("%w: state %q: it must be one of %v", ErrInvalid, s, outStates[1:])
}
