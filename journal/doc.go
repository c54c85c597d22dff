// Package journal keeps the logs of lines: append-only Merkle trees whose heads
// are signed by their writer and cosigned by those who keep a copy.
//
// It follows the C2SP specifications tlog-checkpoint, tlog-cosignature,
// tlog-tiles and tlog-proof. A log signs its checkpoints twice, with Ed25519
// (type 0x01) and ML-DSA-44 (type 0x06); a mirror cosigns twice (0x04 and 0x06)
// at one second. Both of a pair must verify.
//
// Everything here decides over a transaction that it is given. It reads no
// clock and owns no goroutine. It links no network code, since the offline
// verifier is built on it; what mirrors need beyond that is in
// detente/journal/mirror.
package journal
