package dossier

import (
	"embed"
	"encoding/json/v2"
	"fmt"
	"path"
	"strings"

	"detente/book"
)

//go:embed words
var wordFiles embed.FS

// Words returns the labels of this package's codes in the six languages, as
// lists of the form that the signal book has, by name: kind, stage, act, duty
// (the states of a duty), lead, flag, fact (how one stands), agenda,
// action and measure (of a programme). They are the program's own and part of no
// edition: the codes count. Each call returns lists of its own. An error is a
// program that was built wrongly.
func Words() (map[string]book.List, error) {
	lists := make(map[string]book.List)
	files, err := wordFiles.ReadDir("words")
	if err != nil {
		return nil, fmt.Errorf("words of dossiers: %w", err)
	}
	for _, f := range files {
		text, err := wordFiles.ReadFile(path.Join("words", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("words of dossiers: %w", err)
		}
		var l book.List
		if err := json.Unmarshal(text, &l, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("words of dossiers: %s: %w", f.Name(), err)
		}
		if l.Name+".json" != f.Name() {
			return nil, fmt.Errorf("words of dossiers: %s holds the list %s", f.Name(), l.Name)
		}
		lists[strings.TrimSuffix(f.Name(), ".json")] = l
	}
	return lists, nil
}
