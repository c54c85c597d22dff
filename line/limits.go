package line

import "time"

// Limits of what is read from a peer. Each is a bound on memory or time that a
// hostile peer can make a station spend.
const (
	// MaxEntry is the longest entry: its length travels as a uint16.
	MaxEntry = 65535

	// MaxProof is the number of hashes in a proof that tlog-witness allows; a
	// tree of 2^63 entries needs no more.
	MaxProof = 63

	// MaxNote is the longest signed checkpoint. The log's two signatures take
	// 3.5 KiB and a pair of cosignatures as much; the rest is room for
	// witnesses.
	MaxNote = 32 << 10

	// MaxDelivery bounds a deliver body: the 1 MiB that a window may hold, one
	// more for a window that closes over a last large entry, proofs included.
	// Larger backlogs go by add-checkpoint and add-entries.
	MaxDelivery = 2 << 20

	// PackageEntries is the number of entries in a full entry package.
	PackageEntries = 256

	// MaxPackages is how many entry packages one add-entries request may hold;
	// tlog-mirror asks clients to send no more.
	MaxPackages = 32

	// MaxPackage is the longest entry package: full entries and a full proof.
	MaxPackage = PackageEntries*(2+MaxEntry) + 1 + MaxProof*32

	// MaxUpload is where our own uploads stop adding packages, so that an
	// interrupted one has little to repeat. One package always goes.
	MaxUpload = 2 << 20

	// MaxTicket bounds an add-entries ticket: its length travels as a uint16.
	MaxTicket = 65535

	// MaxHeads is how many logs a heads request may name: a station has few
	// lines, and three classes on each.
	MaxHeads = 64

	// MaxHeadsQuery and MaxHeadsAnswer bound the two bodies. Two logs may be
	// named in the answer for each asked, each with two notes.
	MaxHeadsQuery  = 32 << 10
	MaxHeadsAnswer = 8 << 20

	// MaxCosignatures is how many receipts a page holds.
	MaxCosignatures = 100

	// MaxCosignaturePage bounds the page's body: a checkpoint and two lines
	// for each receipt, and a page stops early where notes are long.
	MaxCosignaturePage = 2 << 20

	// MaxLines bounds the signature lines of one receipt, or of the answer to
	// an upload: two lines take 3.5 KiB, the rest is room for other cosigners.
	MaxLines = 64 << 10

	// MaxCards bounds cards and succession notes together. A card lists a few
	// dozen keys of 2 KiB each.
	MaxCards = 1 << 20

	// MaxSuccessions is how many succession notes travel at once: eras are few.
	MaxSuccessions = 64

	// MaxBlobRange is how much of a blob one answer holds, so that messages
	// never wait long behind evidence.
	MaxBlobRange = 1 << 20

	// MaxInfo bounds a text/x.tlog.mirror-info or text/x.tlog.size answer.
	MaxInfo = 2*20 + MaxTicket*4/3 + 16

	// MaxTile bounds a tlog-tiles resource: an entry bundle of full entries.
	MaxTile = PackageEntries * (2 + MaxEntry)
)

// maxBody bounds the body that each request may have.
var maxBody = map[Op]int{
	OpDeliver:       MaxDelivery,
	OpAddCheckpoint: maxAddCheckpoint,
	OpAddEntries:    maxUploadHead + MaxPackages*MaxPackage,
	OpHeads:         MaxHeadsQuery,
	OpCards:         MaxCards,
	OpTile:          0,
	OpCosignatures:  0,
	OpBlob:          0,
}

// maxAnswer bounds the body of each answer.
var maxAnswer = map[Op]int{
	OpDeliver:       max(MaxLines, MaxInfo),
	OpAddCheckpoint: MaxLines,
	OpAddEntries:    max(MaxLines, MaxInfo),
	OpHeads:         MaxHeadsAnswer,
	OpCards:         MaxCards,
	OpTile:          MaxTile,
	OpCosignatures:  MaxCosignaturePage,
	OpBlob:          MaxBlobRange,
}

// Times that are part of the protocol's behaviour.
const (
	// MaxBackoff is the longest a sender waits before it tries an unreachable
	// peer again.
	MaxBackoff = time.Minute

	// MaxQuotaWait is the longest a sender heeds a peer's 503: a time further
	// off is believed, shown, and tried again meanwhile.
	MaxQuotaWait = 10 * time.Minute

	// ReceiptTime is how long an offered entry may be without a cosignature
	// before a peer that is alive is said to withhold it.
	ReceiptTime = 5 * time.Minute

	// MarkSlack is how far the high-water mark may lag behind what is let out.
	MarkSlack = time.Second
)
