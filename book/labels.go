package book

import (
	"encoding/json/v2"
	"fmt"
	"io/fs"
	"strings"
)

// ListsIn returns the lists that a program carries beside the signal book, a file
// each, by name: the labels of its own codes in the six languages. They are part
// of no edition: the codes count. Each call returns lists of its own. An error is
// a program that was built wrongly, and names the file.
func ListsIn(files fs.FS) (map[string]List, error) {
	lists := make(map[string]List)
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	for _, f := range entries {
		text, err := fs.ReadFile(files, f.Name())
		if err != nil {
			return nil, err
		}
		var l List
		if err := json.Unmarshal(text, &l, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		if l.Name+".json" != f.Name() {
			return nil, fmt.Errorf("%s holds the list %s", f.Name(), l.Name)
		}
		lists[strings.TrimSuffix(f.Name(), ".json")] = l
	}
	return lists, nil
}
