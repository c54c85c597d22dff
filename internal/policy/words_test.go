package policy

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wordFiles matches the files of texts that the program brings beside the signal
// book, which has a check of its own.
var wordFiles = regexp.MustCompile(`(?:^|/)(?:words/[a-z]+|words)\.json$`)

// wordLangs are the languages that every text has.
var wordLangs = []string{"ar", "en", "es", "fr", "ru", "zh"}

// checkWords finds texts that lack a language, whose places for values differ
// between languages, and those that no code asks for.
func checkWords(tr *tree) (findings []string) {
	used := usedWords(tr)
	for _, name := range slices.Sorted(maps.Keys(tr.texts)) {
		if !wordFiles.MatchString(name) {
			continue
		}
		walkWords("", tr.texts[name], func(key string, texts map[string]string) {
			langs := slices.Sorted(maps.Keys(texts))
			if !slices.Equal(langs, wordLangs) || slices.Contains(slices.Collect(maps.Values(texts)), "") {
				findings = append(findings, fmt.Sprintf("%s: %s has the languages %s", name, key, strings.Join(langs, " ")))
			}
			for _, l := range langs {
				if strings.Count(texts[l], "%s") != strings.Count(texts["en"], "%s") {
					findings = append(findings, fmt.Sprintf("%s: %s has other places for values in %s", name, key, l))
				}
			}
			if key != "status" && !used[key] {
				findings = append(findings, fmt.Sprintf("%s: nothing asks for %s", name, key))
			}
		})
	}
	return findings
}

// walkWords calls do with each object whose members are languages, and what it is
// named: by its member's name, or by the code that stands beside it.
func walkWords(name string, text jsontext.Value, do func(key string, texts map[string]string)) {
	switch text.Kind() {
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(text, &list) == nil {
			for _, v := range list {
				walkWords(name, v, do)
			}
		}
	case '{':
		var texts map[string]string
		if json.Unmarshal(text, &texts) == nil && texts["en"] != "" {
			do(name, texts)
			return
		}
		var members map[string]jsontext.Value
		if json.Unmarshal(text, &members) != nil {
			return
		}
		var code string
		_ = json.Unmarshal(members["code"], &code) // where there is none, the member's name counts
		for _, k := range slices.Sorted(maps.Keys(members)) {
			if code != "" {
				walkWords(code, members[k], do)
			} else {
				walkWords(k, members[k], do)
			}
		}
	}
}

// usedWords are the words of all texts in code, as codes are spelled.
func usedWords(tr *tree) map[string]bool {
	used := make(map[string]bool)
	word := regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*`)
	for _, p := range tr.sorted() {
		for _, f := range p.files {
			for n := range ast.Preorder(f.ast) {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					for _, w := range word.FindAllString(lit.Value, -1) {
						used[w] = true
					}
				}
			}
		}
	}
	for _, act := range []string{"collected", "sealed", "sent", "received", "examined", "released"} {
		if used[act] && used["custody-"] { // put together from the act
			used["custody-"+act] = true
		}
	}
	return used
}

func TestWordsAreWholeAndUsed(t *testing.T) {
	none(t, checkWords(own(t)))
	files := 0
	for name := range own(t).texts {
		if wordFiles.MatchString(name) {
			files++
		}
	}
	if files < 3 {
		t.Errorf("only %d files of words were found", files)
	}
	found(t, checkWords(sample(t,
		"a/words.json", `{"hello": {"en": "a %s", "ru": "b", "zh": "c", "es": "d", "fr": "e", "ar": "f"}, "gone": {"en": "x"}}`,
		"a/a.go", "package a\nvar s = \"hello\"\n")),
		"a/words.json: gone has the languages en", "a/words.json: hello has other places for values in ar",
		"a/words.json: hello has other places for values in es", "a/words.json: hello has other places for values in fr",
		"a/words.json: hello has other places for values in ru", "a/words.json: hello has other places for values in zh", "a/words.json: nothing asks for gone")
}
