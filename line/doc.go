// Package line is how a log travels: what two stations say to each other over
// the network, and who decides what to say next.
//
// A line is two logs, and the other end keeps a full copy of each. So all that
// travels is a log's growth in one direction and a cosignature, the receipt, in
// the other. The package has four parts.
//
// The wire. [Request] and [Response] are plain values; a [Host] answers them.
// [Handler] serves a Host over HTTP/2, [Client] asks one, and a simulator may
// carry the same values through a queue. The endpoints are those of C2SP
// tlog-witness, tlog-mirror and tlog-tiles, and our own:
//
//	POST /deliver                       checkpoint and entries at once, answered by the receipt
//	POST /add-checkpoint                tlog-witness
//	POST /add-entries                   tlog-mirror
//	POST /heads                         what is held of these logs
//	GET, POST /cards                    cards and succession notes, in clear
//	GET /<origin hash>/checkpoint       tlog-tiles
//	GET /<origin hash>/tile/…           tlog-tiles
//	GET /<origin hash>/cosignatures     old receipts, by size
//	GET /blob/<hash>                    evidence, in ranges
//
// Both ends are known by the digests of their TLS keys, exchanged at pairing.
// No public authority is asked.
//
// The sender. A [Machine] decides, for one log and one mirror of it, what to
// send next, by which road, and how long to wait; a [Window] says how much may
// wait for a receipt. They are told the time and what happened, and own no
// clock, socket or goroutine.
//
// The guard. [Guard] decides whether a station may sign after a start, from its
// store, its high-water mark and what the mirrors show. [HighWater] and
// [MarkFile] keep that mark.
//
// The watch. [Watch] tells a silent peer from one that is alive and withholds
// its receipts.
package line
