package treaty

import (
	"encoding/json/jsontext"
	"unicode"

	"detente/identity"
)

// sumCanonical hashes JSON in its canonical form.
func sumCanonical(text []byte) (identity.Digest, error) {
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		return identity.Digest{}, err
	}
	return identity.Sum(v), nil
}

// tokens splits a text into words with the space after them; a Han character is a
// word of its own, for no space divides them.
func tokens(s string) (list []string) {
	start := 0
	var before rune
	for i, c := range s {
		if i > start && (unicode.Is(unicode.Han, c) || unicode.Is(unicode.Han, before) || unicode.IsSpace(before) && !unicode.IsSpace(c)) {
			list, start = append(list, s[start:i]), i
		}
		before = c
	}
	if start < len(s) {
		list = append(list, s[start:])
	}
	return list
}

// pieces compares two texts word by word, by their longest common sequence. A
// paragraph is bounded, and so are the steps.
func pieces(was, is string) (list []Piece) {
	a, b := tokens(was), tokens(is)
	lcs := make([][]int16, len(a)+1)
	for i := range lcs {
		lcs[i] = make([]int16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				lcs[i][j] = lcs[i+1][j+1] + 1
			} else {
				lcs[i][j] = max(lcs[i+1][j], lcs[i][j+1])
			}
		}
	}
	put := func(op byte, s string) {
		if n := len(list) - 1; n >= 0 && list[n].Op == op {
			list[n].Text += s
			return
		}
		list = append(list, Piece{op, s})
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			put(' ', a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || lcs[i+1][j] >= lcs[i][j+1]):
			put('-', a[i])
			i++
		default:
			put('+', b[j])
			j++
		}
	}
	return list
}
