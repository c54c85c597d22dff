// Package record writes and verifies extracts of a line's record that stand by
// themselves: whoever holds the parties' root keys verifies one offline, years
// later.
//
// A record is a zip. Each message has its sealed entry (entry.age) and its C2SP
// proof (proof.tlog-proof) in one folder, at the root where there is one
// message, with the log's C2SP policy (policy.txt) beside them; a disclosed
// entry has its file key (filekey) there too. cards/ holds the cards of both
// ends, successions/ the notes that end logs, record.json what the exporter
// says is in it, manifest.txt the hash of every other file. The bytes of a
// record are a function of its content, so one flipped bit anywhere is found.
//
// The package links no network code.
package record
