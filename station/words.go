package station

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// How texts become words. Both stores are given words that are split and folded
// here, so that they find the same: a message has a word of a question where one
// of its own begins with it.
//
//   - Letters lose case and marks: Énergie and energie, ё and е, Arabic with and
//     without vowel signs, alef in all its forms.
//   - What is written with points, colons and strokes inside, such as an address,
//     is one word, and so is its rest after each of them: 192.0.2.0/24 is found by
//     192.0.2, www.grid.example by grid.example.
//   - Chinese is not written in words: each two characters that stand together are
//     one, and so is the last of a run.
//   - The Arabic article, and what is written together with it, may be left out.
const (
	maxWord  = 64     // letters of a word; the rest of a longer one is left out
	maxWords = 20_000 // words of a message: more than its largest body has in six languages
	maxTerms = 16     // words of a question; more narrow nothing down that a person could want
)

// joiners are the characters that hold the parts of one word together.
const joiners = ".:/@_-+"

// inWord reports whether a word may hold a rune.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// unspaced reports whether a rune is of a script that puts no space between
// words.
func unspaced(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }

// eachWord calls do with each word of a text as it is written, and where it
// stands, until do returns false.
func eachWord(text string, do func(from, to int, word string) bool) {
	from, end := -1, 0 // of the word under way
	for i, r := range text {
		n := utf8.RuneLen(r)
		if n < 0 {
			n = 1
		}
		switch {
		case inWord(r):
			if from < 0 {
				from = i
			}
			end = i + n
		case from >= 0 && end == i && strings.ContainsRune(joiners, r): // goes on where a word's rune follows
		case from >= 0:
			if !do(from, end, text[from:end]) {
				return
			}
			from = -1
		}
	}
	if from >= 0 {
		do(from, end, text[from:end])
	}
}

// alike are letters that are written one for the other.
var alike = map[rune]rune{'ى': 'ي', 'ی': 'ي', 'ة': 'ه', 'ک': 'ك', 'ـ': -1, 'ı': 'i', 'ø': 'o'}

// joined are letters that are written as two as well.
var joined = strings.NewReplacer("œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae")

// fold writes a word in the one form in which it is kept and asked for.
func fold(word string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if to, ok := alike[r]; ok {
			r = to
		}
		switch {
		case r >= '٠' && r <= '٩':
			r = '0' + r - '٠'
		case r >= '۰' && r <= '۹':
			r = '0' + r - '۰'
		}
		if n >= maxFoldedWord || unicode.IsMark(r) || !inWord(r) && !strings.ContainsRune(joiners, r) {
			return -1
		}
		n++
		return r
	}, norm.NFKD.String(joined.Replace(word[:min(len(word), 16*maxFoldedWord)])))
}

// maxFoldedWord bounds a word with its joined parts: longer ones are no words.
const maxFoldedWord = 512

// runs splits a folded word where its script begins or ends to be one without
// spaces.
func runs(word string) (list []string) {
	from, was := 0, false
	for i, r := range word {
		if is := unspaced(r); is != was {
			list = append(list, strings.Trim(word[from:i], joiners))
			from, was = i, is
		}
	}
	list = append(list, strings.Trim(word[from:], joiners))
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// cut shortens a word to what is kept of it.
func cut(word string) string {
	n := 0
	for i := range word {
		if n++; n > maxWord {
			return word[:i]
		}
	}
	return word
}

// articles are the Arabic article and what is written together with it, the
// longer ones first.
var articles = []string{"وال", "بال", "كال", "فال", "لل", "ال"}

// leastStem is how many letters a word has without its article: what is shorter
// is likelier another word.
const leastStem = 3

// stem returns a word without its Arabic article.
func stem(word string) (string, bool) {
	for _, a := range articles {
		if rest, ok := strings.CutPrefix(word, a); ok && utf8.RuneCountInString(rest) >= leastStem {
			return rest, true
		}
	}
	return word, false
}

// spellings are words as they are written, with those under which each is found.
type spellings map[string][]string

// maxSpellings bounds how many are kept: those of a few hundred messages.
const maxSpellings = 1 << 16

// found returns the words under which one is found.
func (k spellings) found(word string) []string {
	list, ok := k[word]
	if !ok {
		if list = spell(word); len(k) < maxSpellings {
			k[strings.Clone(word)] = list
		}
	}
	return list
}

// index adds to set the words under which a text is found, and passes over what
// is in seen, words as they are written: what an author wrote stands in all six
// renderings.
func (k spellings) index(set, seen map[string]bool, text string) {
	eachWord(text, func(_, _ int, word string) bool {
		if seen[word] {
			return true
		}
		seen[word] = true
		for _, w := range k.found(word) {
			set[w] = true
		}
		return len(set) < maxWords
	})
}

// index adds to set the words under which a text is found.
func index(set map[string]bool, text string) {
	make(spellings).index(set, make(map[string]bool), text)
}

// spell returns the words under which a word of a text is found.
func spell(word string) (list []string) {
	for _, run := range runs(fold(word)) {
		if first, _ := utf8.DecodeRuneInString(run); unspaced(first) {
			r := []rune(run)
			for i := range r {
				list = append(list, string(r[i:min(i+2, len(r))]))
			}
			continue
		}
		for rest := run; rest != ""; {
			list = append(list, cut(rest))
			if s, ok := stem(rest); ok {
				list = append(list, cut(s))
			}
			at := strings.IndexAny(rest, joiners)
			if at < 0 {
				break
			}
			rest = strings.TrimLeft(rest[at:], joiners)
		}
	}
	return list
}

// Term is a word that is looked for.
type Term struct {
	Text  string // folded as the index's words are; not empty
	Whole bool   // the word itself; else every word that begins so
}

// Matches reports whether one of the words of an index entry is the term's.
func (t Term) Matches(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return w == t.Text || !t.Whole && strings.HasPrefix(w, t.Text)
	})
}

// terms returns what a question's words ask for: a message is found that has
// them all.
func terms(question string) (list []Term) {
	add := func(t Term) {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	eachWord(question, func(_, _ int, word string) bool {
		for _, run := range runs(fold(word)) {
			first, size := utf8.DecodeRuneInString(run)
			switch {
			case !unspaced(first):
				text, _ := stem(run)
				add(Term{Text: cut(text), Whole: size == len(text)})
			case size == len(run):
				add(Term{Text: run})
			default:
				r := []rune(run)
				for i := range len(r) - 1 {
					add(Term{Text: string(r[i : i+2]), Whole: true})
				}
			}
		}
		return len(list) <= maxTerms
	})
	return list
}
