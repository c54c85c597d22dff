// Command tribunal gives records to the verifier that it is to judge from two
// roots alone: twenty with a fraud planted in each, and five honest ones. It ends
// with a line that says how many frauds were named, each by its own code and at
// its place, and how many honest records came out clean.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"detente/cmd/internal/tribunal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, filepath.Join("bin", "detente")); err != nil {
		fmt.Printf("tribunal: %v\n", err)
		os.Exit(1)
	}
}

// run makes all cases and judges the verifier by them.
func run(ctx context.Context, out io.Writer, program string) (err error) {
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "detente-tribunal-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cases, err := tribunal.Cases(ctx, dir)
	if err != nil {
		return err
	}
	var fraud, named, honest, clean int
	for _, c := range cases {
		wrong := tribunal.Judge(ctx, program, dir, c)
		switch {
		case c.Fraud:
			fraud++
			if wrong == nil {
				named++
				fmt.Fprintf(out, "  named  %-38s %s at %s\n", c.Name, c.Want.Code, c.Want.Where)
			}
		default:
			honest++
			if wrong == nil {
				clean++
				fmt.Fprintf(out, "  clean  %s\n", c.Name)
			}
		}
		if wrong != nil {
			fmt.Fprintf(out, "  WRONG  %s: %v\n", c.Name, wrong)
		}
	}
	if fraud != named || honest != clean || fraud == 0 || honest == 0 {
		return fmt.Errorf("fraud=%d named=%d honest=%d clean=%d", fraud, named, honest, clean)
	}
	fmt.Fprintf(out, "tribunal: ok fraud=%d named=%d honest=%d clean=%d\n", fraud, named, honest, clean)
	return nil
}
