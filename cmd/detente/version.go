package main

import (
	"crypto/fips140"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"detente/book"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// build is what the program was built from.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the source differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
	FIPS     bool   `json:"fips140"` // the cryptographic module runs in FIPS 140 mode
	Book     string `json:"book"`    // the hash of the edition in the program
	Edition  string `json:"edition"`
}

func built() (build, error) {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, FIPS: fips140.Enabled()}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	e, err := book.Embedded()
	if err == nil {
		b.Book, b.Edition = e.Hash().String(), e.Name()
	}
	return b, err
}

// version tells the commit that the program was built from, where that is
// known.
func version() string {
	b, _ := built() // of the book nothing is told here
	if b.Revision != "" {
		return b.Revision
	}
	return b.Version
}

// versionCommand is the command version; path is where it stands.
func (a *app) versionCommand(path string) *cobra.Command {
	return verb(about{"version", "what this program was built from", "Prints the source revision, the compiler and the edition of the signal book in this program.", "  detente " + path + "\n  detente " + path + " --json"},
		cobra.NoArgs, func(*cobra.Command, []string) error {
			b, err := built()
			if err != nil {
				return err
			}
			return a.print(b, func() { a.say("detente %s, %s, %s, signal book %s", version(), b.Go, b.Platform, b.Edition) })
		})
}

func (a *app) completion() *cobra.Command {
	shells := map[string]func(*cobra.Command) error{
		"bash":       func(root *cobra.Command) error { return root.GenBashCompletionV2(a.out, true) },
		"zsh":        func(root *cobra.Command) error { return root.GenZshCompletion(a.out) },
		"fish":       func(root *cobra.Command) error { return root.GenFishCompletion(a.out, true) },
		"powershell": func(root *cobra.Command) error { return root.GenPowerShellCompletionWithDesc(a.out) },
	}
	c := verb(about{"completion SHELL", "print the script by which a shell completes commands",
		"Prints a completion script for bash, zsh, fish or powershell.", "  detente completion bash > /etc/bash_completion.d/detente"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			write, ok := shells[args[0]]
			if !ok {
				return usage("completion: %q: the shells are bash, zsh, fish and powershell", args[0])
			}
			return write(c.Root())
		})
	c.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	return c
}

func (a *app) man() *cobra.Command {
	return verb(about{"man DIR", "write the manual pages", "Writes a manual page for each command into a directory.", "  detente man /usr/share/man/man1"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			if a.dry {
				return a.print(map[string]string{"dir": args[0]}, func() { a.say("would write manual pages into %s", args[0]) })
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			c.Root().DisableAutoGenTag = true
			if err := doc.GenManTree(c.Root(), &doc.GenManHeader{Title: "DETENTE", Section: "1", Source: "Détente " + strings.TrimSpace(version())}, args[0]); err != nil {
				return err
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "detente*.1"))
			if err != nil {
				return err
			}
			return a.print(map[string]any{"dir": args[0], "pages": len(pages)}, func() { a.say("%s: %d pages", args[0], len(pages)) })
		}, a.changes)
}
