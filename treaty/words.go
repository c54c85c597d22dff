package treaty

import (
	"embed"
	"fmt"
	"io/fs"

	"detente/book"
)

//go:embed words
var wordFiles embed.FS

// Words returns the labels of this package's codes in the six languages, as lists
// of the form that the signal book has, by name: amendment, fault, flag,
// guarantee, phase, state and step. They are the program's own and part of no edition: the codes count. Each
// call returns lists of its own. An error is a program that was built wrongly.
func Words() (map[string]book.List, error) {
	files, err := fs.Sub(wordFiles, "words")
	if err != nil {
		return nil, fmt.Errorf("words of agreements: %w", err)
	}
	lists, err := book.ListsIn(files)
	if err != nil {
		return nil, fmt.Errorf("words of agreements: %w", err)
	}
	return lists, nil
}
