package main

import (
	"context"
	"os"
	"path/filepath"
)

// bookPages is where the same page of the signal book stands in six languages.
const bookPages = "book"

// printedFormat is the format whose page is printed: the claim, which a diplomat
// would be handed.
const printedFormat = "270"

// printed leaves one page of the printed book in each language.
func (p *play) printed(ctx context.Context) error {
	p.tell("A page of the signal book, the claim, is printed in six languages: %s.", filepath.Join(outDir, bookPages))
	dir := filepath.Join(outDir, bookPages)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, lang := range []string{"en", "ru", "zh", "es", "fr", "ar"} {
		page, err := p.arden.Text(ctx, "book", "print", "--html", "--format", printedFormat, "--lang", lang)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, printedFormat+"-"+lang+".html")
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			return err
		}
		p.detail("%s", file)
	}
	return nil
}
