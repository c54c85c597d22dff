package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"detente/message"
)

// writeLine prints how a line stands, in words.
func writeLine(w io.Writer, m map[string]any) {
	fmt.Fprintf(w, "%s  %s\n", plain(m["line"]), plain(m["state"]))
	row := func(name, words string) {
		if words != "" {
			fmt.Fprintf(w, "  %-12s %s\n", name, words)
		}
	}
	heard := "not heard yet"
	if at := plain(m["heard"]); at != "" {
		if t, err := time.Parse(time.RFC3339, at); err == nil {
			at = zulu(t) // a person needs no fractions of a second
		}
		heard = "last heard " + at
	}
	row("counterpart", fmt.Sprintf("%s, %s, %s", plain(m["peer"]), plain(m["peering"]), heard))
	guard := "passed"
	if why := plain(m["guard"]); why != "" {
		guard = "not passed: " + why
	}
	row("guard", guard)
	row("delivery", plain(m["reason"]))
	row("our log", logWords(m["own"]))
	row("their log", logWords(m["theirs"]))
	row("release", countWords(m["awaiting"], "awaits officers"))
	row("queue", countWords(m["waiting"], "waits for the line"))
	row("alarms", plain(m["alarms"]))
}

// logWords says how far a log has come.
func logWords(v any) string {
	m, ok := v.(map[string]any)
	if !ok || plain(m["log"]) == "" {
		return "none yet"
	}
	return fmt.Sprintf("%s: %s entries, %s receipted", plain(m["log"]), plain(m["size"]), plain(m["cosigned"]))
}

// countWords counts messages by precedence, the highest first; nothing where
// there are none.
func countWords(v any, what string) string {
	m, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	var parts []string
	for p := message.Flash; p >= message.Routine; p-- {
		if n := plain(m[p.String()]); n != "" && n != "0" {
			parts = append(parts, n+" "+p.String())
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " " + what
}
