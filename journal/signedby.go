package journal

import "detente/identity"

// CosignedBy reports whether signature lines hold the two lines of a mirror's key,
// by its name and key hashes. It verifies neither: it tells a receipt by a key
// that nobody listed from one that was altered.
func CosignedBy(name string, pub identity.PublicKey, lines []byte) bool {
	all, err := parseLines(lines)
	return err == nil && !pub.IsZero() &&
		pick(all, name, keyHash(name, typeCosignEd25519, pub.Ed25519())) != nil && pick(all, name, keyHash(name, typeMLDSA, pub.MLDSA().Bytes())) != nil
}
