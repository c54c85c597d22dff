package dossier

import (
	"fmt"
	"strconv"
	"strings"

	"detente/book"
)

// TensionWords write how tense a line is in one language, sentence by sentence.
type TensionWords struct {
	lang   book.Lang
	labels map[string]string
	came   string
	went   string
}

// Sentences returns the words of a language. An error is a program that was
// built wrongly.
func Sentences(lang book.Lang) (TensionWords, error) {
	lists, err := Words()
	if err != nil {
		return TensionWords{}, err
	}
	t := TensionWords{lang: lang, labels: make(map[string]string)}
	for _, c := range lists["tension"].Codes {
		t.labels[c.Code] = c.Label[lang]
	}
	for _, c := range lists["change"].Codes {
		switch c.Code {
		case "came":
			t.came = c.Label[lang]
		case "went":
			t.went = c.Label[lang]
		}
	}
	if t.came == "" || t.went == "" {
		return TensionWords{}, fmt.Errorf("words of dossiers: no sentence of tension in %q", lang)
	}
	return t, nil
}

// Reading says how an indicator stands.
func (t TensionWords) Reading(r Reading) string {
	return t.subject(r.Indicator, r.Of) + t.colon() + t.ltr(strconv.Itoa(len(r.Signs)))
}

// Came says what counts now and did not a day before.
func (t TensionWords) Came(s Sign) string { return t.came + t.colon() + t.subject(s.Indicator, s.Of) }

// Went says what counted a day before and does not now.
func (t TensionWords) Went(s Sign) string { return t.went + t.colon() + t.subject(s.Indicator, s.Of) }

func (t TensionWords) subject(ind Indicator, of string) string {
	if of == "" {
		return t.labels[string(ind)]
	}
	return t.labels[string(ind)] + " (" + t.ltr(of) + ")"
}

// colon separates as the language does.
func (t TensionWords) colon() string {
	switch t.lang {
	case "zh":
		return "："
	case "fr":
		return " : "
	}
	return ": "
}

// ltr keeps a code or number in its direction in a language that reads the other
// way.
func (t TensionWords) ltr(s string) string {
	if t.lang != "ar" {
		return s
	}
	return "\u2066" + strings.TrimSpace(s) + "\u2069"
}
