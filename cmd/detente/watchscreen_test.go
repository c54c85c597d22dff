package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/book"
)

// However much waits, each list of the screen is short, says how much it leaves
// out and which command lists it.
func TestScreenStaysShort(t *testing.T) {
	words, err := watchWords()
	if err != nil {
		t.Fatal(err)
	}
	var w watchAnswer
	for i := range 200 {
		item := itemAnswer{Ref: fmt.Sprintf("BOR/ARD-N1-%d", i), What: "210", Since: time.Unix(int64(i), 0)}
		w.Unacked, w.Waiting, w.Calls = append(w.Unacked, item), append(w.Waiting, item), append(w.Calls, item)
		w.Deadlines = append(w.Deadlines, struct {
			Ref  string    `json:"ref"`
			What string    `json:"what"`
			By   string    `json:"by"`
			At   time.Time `json:"at"`
			Late bool      `json:"late,omitempty"`
		}{Ref: item.Ref, What: "012", By: "nrrc.arden.example", At: item.Since})
	}
	for _, lang := range []string{"en", "ru", "zh", "es", "fr", "ar"} {
		for _, code := range []string{"manned", "degraded", "unmanned", "unknown"} {
			if text, ok := words.Label("desk", code, book.Lang(lang)); !ok || text == "" {
				t.Errorf("%s: a desk that is %s has no word", lang, code)
			}
		}
		var out bytes.Buffer
		a := &app{out: &out, err: &out, langs: []string{lang}}
		a.screen(w, words)
		text := strings.NewReplacer(isolateLTR, "", popIsolate, "").Replace(out.String()) // what is read
		if n := strings.Count(text, "\n"); n > 4*(maxOnScreen+2)+10 {
			t.Errorf("%s: the screen has %d lines:\n%s", lang, n, text)
		}
		for _, command := range []string{"detente obligations --within 12h", "detente release list", "detente log calls", "detente matter list --owes own"} {
			if !strings.Contains(text, ": 190 — "+command) {
				t.Errorf("%s: it does not say that %s lists 190 more", lang, command)
			}
		}
	}
}
