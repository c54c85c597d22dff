// Command cmd-invariants prints, for each promise of docs/invariants.md, the
// tests that cover it. It is run from the root of the module: make invariants.
package main

import (
	"fmt"
	"os"

	"detente/internal/policy/promises"
)

func main() {
	all, err := promises.Read(os.DirFS("."))
	if err == nil {
		err = promises.Print(os.Stdout, all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "invariants:", err)
		os.Exit(1)
	}
}
