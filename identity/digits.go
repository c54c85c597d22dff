package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	digitGroups = 12
	digitsEach  = 5
	// digitRounds makes a search for cards with equal digits dearer.
	digitRounds = 5200
)

// Digits returns twelve groups of five decimal digits over both stations' cards
// and roots. Both ends get the same, whichever is named first. Digits are read
// aloud because they are said in any tongue.
func Digits(a, b Verified) []string {
	one, other := fingerprint(a), fingerprint(b)
	if string(one) > string(other) {
		one, other = other, one
	}
	seed := append([]byte("detente/digits/v1\x00"), append(one, other...)...)
	sum := sha256.Sum256(seed)
	for range digitRounds {
		sum = sha256.Sum256(append(sum[:], seed...))
	}
	groups := make([]string, digitGroups)
	for i := range groups {
		// Eight bytes a group, so that the remainder is even to one in 10^14.
		h := sha256.Sum256(append([]byte{byte(i)}, sum[:]...))
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint64(h[:8])%100000)
	}
	return groups
}

func fingerprint(v Verified) []byte {
	root := v.Root.Key.Fingerprint()
	b := []byte(string(v.Root.Party) + "\x00" + string(v.Card.Station) + "\x00")
	return append(append(b, root[:]...), v.CardDigest[:]...)
}

// OddHalf returns the first, third, fifth … of the groups.
func OddHalf(groups []string) string { return half(groups, 0) }

// EvenHalf returns the second, fourth, sixth … of the groups.
func EvenHalf(groups []string) string { return half(groups, 1) }

func half(groups []string, from int) string {
	var h []string
	for i := from; i < len(groups); i += 2 {
		h = append(h, groups[i])
	}
	return strings.Join(h, " ")
}

// CheckHalf compares what was typed with the half that should have been heard.
// Spaces, hyphens and dots do not matter.
func CheckHalf(want, typed string) error {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(" -.\t\n\r", r) {
				return -1
			}
			return r
		}, s)
	}
	w, t := clean(want), clean(typed)
	if len(t) != len(w) {
		return fmt.Errorf("%d digits were typed and %d are needed: six groups of five, as the other side reads them", len(t), len(w))
	}
	if subtle.ConstantTimeCompare([]byte(w), []byte(t)) != 1 {
		return errors.New("the digits differ: hear them once more; if they differ again the two stations hold different cards, and nothing may be confirmed")
	}
	return nil
}
