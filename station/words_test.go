package station

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// has reports whether a text is found by words.
func hasWords(text, asked string) bool {
	set := make(map[string]bool)
	index(set, text)
	list := make([]string, 0, len(set))
	for w := range set {
		list = append(list, w)
	}
	t := terms(asked)
	return len(t) > 0 && !slices.ContainsFunc(t, func(t Term) bool { return !t.Matches(list) })
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		found string // words by which it is found, each by itself
		not   string
	}{
		{"Attack on the Énergie network", "attack|ENERGIE|énergie|netw|network attack", "work|energies"},
		{"Наблюдаемая ёмкость электросети", "емкость|ЁМКОСТЬ|электросет|наблюдаемая электросети", "сети"},
		{"观察到针对能源网络的扫描活动", "能源|网络|能源网络|扫描|活动|动|扫描 能源", "源能|络网|电"},
		{"أنشطة مسح تستهدف الشَّبَكَةَ الكهربائية", "الشبكة|شبكة|الشَّبَكة|انشطة|أنشطه|شبكة كهربائية|الكهربائ", "كهربائي الماء"},
		{"prefix:192.0.2.0/24 and www.grid.example", "192.0.2|192.0.2.0/24|prefix:192|grid.example|GRID|example", "0.2.1|rid"},
		{"Œuvre, cœur", "oeuvre|coeur|cœur|oeuv", "uvre"},
		{"ARD/BOR-N1-417", "ARD/BOR-N1-417|bor|n1-417|ard/bor", "or"},
		{"هاتف ٠١٢٣", "0123|٠١٢", "123"},
	} {
		for w := range strings.SplitSeq(c.found, "|") {
			if !hasWords(c.text, w) {
				t.Errorf("%q is not found by %q: %v", c.text, w, terms(w))
			}
		}
		for w := range strings.SplitSeq(c.not, "|") {
			if hasWords(c.text, w) {
				t.Errorf("%q is found by %q: %v", c.text, w, terms(w))
			}
		}
	}
	for _, nothing := range []string{"", " ", "… — «»", "\u202e\u2066", "...", "\xff\xfe"} {
		if got := terms(nothing); len(got) > 0 {
			t.Errorf("%q asks for %v", nothing, got)
		}
	}
}

// Whatever a text is, its words can be kept by both stores, each of its words
// finds it, and composed and decomposed forms are one.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"Énergie", "网络5G网", "الشبكة", "a..b/c-", "ﷺ ½ ﬁ", "İstanbul K", strings.Repeat("ab.", 300), "\xff", "'\"*^{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = text[:min(len(text), 4096)] // each word is compared with all
		set := make(map[string]bool)
		index(set, text)
		if len(set) > maxWords+2*maxFoldedWord {
			t.Errorf("%d words", len(set))
		}
		list := make([]string, 0, len(set))
		for w := range set {
			list = append(list, w)
			if w == "" || strings.ContainsAny(w, " \"'*\x00") || utf8.RuneCountInString(w) > maxWord || !utf8.ValidString(w) {
				t.Errorf("the word %q cannot be kept", w)
			}
			for _, c := range []byte(w) {
				if c < utf8.RuneSelf && !strings.ContainsRune(joiners, rune(c)) && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
					t.Errorf("the word %q would be split by the store", w)
				}
			}
		}
		if len(set) >= maxWords {
			return
		}
		for _, form := range []string{text, norm.NFC.String(text), norm.NFD.String(text)} {
			eachWord(form, func(_, _ int, word string) bool {
				for _, term := range terms(word) {
					if !term.Matches(list) {
						t.Errorf("%q is not found by its own word %q, which asks for %v", text, word, term)
					}
				}
				return !t.Failed()
			})
		}
	})
}
