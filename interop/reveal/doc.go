// Package reveal commits a party to a bundle of evidence before it is shown, and
// lets it show any object of the bundle later while the others stay hidden.
//
// Each object gets a salt of its own, made from one secret; the salted objects
// are the leaves of a Merkle tree as RFC 6962 has it; the commitment is one
// SHA-256 over the number of objects and the root. It stands in a message, such
// as the parameter committed of a claim. Without the secret nobody can tell from
// it, or from an object that was shown, what the others are: a guess cannot be
// tried.
//
// A disclosure is a file of lines. Its first line says the tree; each further
// line is one object with its salt and its proof:
//
//	set, err := reveal.Scan(bundle)
//	c, err := reveal.Commit(set, secret)       // c.Digest() is stated now
//	err = reveal.Write(w, bundle, secret, pick) // later: what pick names
//	report, err := reveal.Verify(file, digest)  // by anybody, offline
//
// What is shown may be true or not: a disclosure proves that it is what was
// committed, at the time of the message that holds the commitment.
package reveal
