package policy

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// language is the page that names one word for one notion.
const language = "docs/language.md"

// termLangs are the columns of its table.
var termLangs = []string{"en", "ru", "zh", "es", "fr", "ar"}

// checkTerms finds terms of the page that stand in no text of their language, so
// that the page does not go on naming a word that the texts gave up.
func checkTerms(tr *tree) (findings []string) {
	texts := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(tr.texts)) {
		if path.Ext(name) == ".json" {
			sayings(tr.texts[name], "", texts)
		}
	}
	for i, l := range strings.Split(string(tr.texts[language]), "\n") {
		cells := strings.Split(strings.Trim(l, "| "), " | ")
		if len(cells) != len(termLangs)+1 || cells[0] == "English" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		for n, lang := range termLangs[1:] { // the English column names the notion
			if term := cells[n+1]; !slices.ContainsFunc(texts[lang], func(s string) bool { return says(s, term) }) {
				findings = append(findings, fmt.Sprintf("%s:%d: no text in %s says %q", language, i+1, lang, term))
			}
		}
	}
	return findings
}

// sayings collects the texts under members that are named for a language.
func sayings(text jsontext.Value, lang string, into map[string][]string) {
	switch text.Kind() {
	case '"':
		var s string
		if lang != "" && json.Unmarshal(text, &s) == nil {
			into[lang] = append(into[lang], strings.ToLower(s))
		}
	case '[':
		var list []jsontext.Value
		_ = json.Unmarshal(text, &list) // what is no list has no texts
		for _, v := range list {
			sayings(v, lang, into)
		}
	case '{':
		var members map[string]jsontext.Value
		_ = json.Unmarshal(text, &members)
		for name, v := range members {
			if slices.Contains(termLangs, name) {
				sayings(v, name, into)
				continue
			}
			sayings(v, "", into)
		}
	}
}

// says reports whether a text has all words of a term, whose endings may differ.
func says(text, term string) bool {
	const ending = 3 // the longest that nouns and adjectives change here
	for word := range strings.FieldsSeq(strings.ToLower(term)) {
		if runes := []rune(word); len(runes) > ending+1 {
			word = string(runes[:len(runes)-ending])
		}
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func TestTermsStandInTheTexts(t *testing.T) {
	none(t, checkTerms(own(t)))
	if !strings.Contains(string(own(t).texts[language]), "| контактный пункт |") {
		t.Errorf("%s has no table of terms", language)
	}
	found(t, checkTerms(sample(t,
		language, "| English | Russian | Chinese | Spanish | French | Arabic | document |\n| --- | --- | --- | --- | --- | --- | --- |\n"+
			"| log | журнал | 日志 | registro | journaux | سجل | – |\n",
		"a/words.json", `{"log": {"en": "log", "ru": "Журналы линии", "zh": "日志", "es": "asiento", "fr": "journaux", "ar": "سجل"}}`)),
		language+`:3: no text in es says "registro"`)
}
