package treaty

import (
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// modelFiles hold the model agreement: what it is as a whole, and one file an
// article.
//
//go:embed model
var modelFiles embed.FS

// Model returns the model agreement that ships with the program: articles A1 to
// A30 in six languages, a draft in our own words, that binds nobody. Each call
// returns a copy of its own. An error is a program that was built wrongly.
func Model() (*Agreement, error) {
	head, err := modelFiles.ReadFile("model/agreement.json")
	if err != nil {
		return nil, fmt.Errorf("model agreement: %w", err)
	}
	var a Agreement
	if err := decode(head, &a); err != nil {
		return nil, fmt.Errorf("model agreement: agreement.json: %w", err)
	}
	for n := 1; ; n++ {
		name := "A" + strconv.Itoa(n) + ".json"
		text, err := modelFiles.ReadFile(path.Join("model", name))
		if err != nil {
			break
		}
		art, err := ParseArticle(text)
		if err != nil {
			return nil, fmt.Errorf("model agreement: %s: %w", name, err)
		}
		if art.ID+".json" != name {
			return nil, fmt.Errorf("model agreement: %s holds the article %s", name, art.ID)
		}
		a.Articles = append(a.Articles, art)
	}
	if at, err := a.valid(); err != nil {
		return nil, fmt.Errorf("model agreement: %s: %w", strings.TrimPrefix(at, "/"), err)
	}
	return &a, nil
}
