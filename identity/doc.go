// Package identity says who is who: parties, agencies, stations and officers,
// the keys they hold, and what one key says of another.
//
// A party's root key, kept offline, endorses the cards of its agencies and
// stations. An agency's key endorses the certificates of its officers. A
// station's card lists the keys of its logs, its cosigner, its sealing
// recipients and its TLS keys. Every signature here is two, Ed25519 and
// ML-DSA-44, and both must verify.
//
// The package is pure: it reads no clock, no disk and no network. Times and
// randomness are arguments.
package identity
