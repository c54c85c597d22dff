package main

import (
	"bufio"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"detente/book"

	"github.com/spf13/cobra"
)

// schema names the form of what --json prints. Members are added to it; none is
// taken away or given another meaning.
const schema = "detente.cli/v1"

// print prints a result: as JSON, or by the words given. A list is one object
// with its items, or with --jsonl one object a line.
func (a *app) print(v any, words func()) error {
	if !a.json && !a.jsonl {
		if a.dry {
			a.tell("dry run: nothing was written")
		}
		words()
		return nil
	}
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	switch jsontext.Value(text).Kind() {
	case '{':
		var m map[string]jsontext.Value
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		return a.object(m)
	case '[':
		var items []map[string]jsontext.Value
		if a.jsonl {
			if err := json.Unmarshal(text, &items); err == nil {
				for _, m := range items {
					if err := a.object(m); err != nil {
						return err
					}
				}
				return nil
			}
		}
		return a.object(map[string]jsontext.Value{"items": text})
	case 'n':
		return a.object(map[string]jsontext.Value{})
	}
	return a.object(map[string]jsontext.Value{"value": text})
}

// object prints a JSON object under the schema's name.
func (a *app) object(m map[string]jsontext.Value) error {
	m = maps.Clone(m)
	delete(m, "$schema")
	m["schema"] = jsontext.Value(`"` + schema + `"`)
	if a.dry {
		m["dry_run"] = jsontext.Value("true")
	}
	text, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", text)
	return err
}

// say prints a line of a result.
func (a *app) say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// tell prints words about a result: what it means, and what comes next.
func (a *app) tell(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// showDryRun says what would have been done.
func (a *app) showDryRun(d dryRun) int {
	a.dry = true
	m := map[string]any{"method": d.method, "path": d.path, "body": d.body, "would": d.would}
	if d.would == nil {
		m["would"] = []would{}
	}
	err := a.print(m, func() {
		for _, w := range d.would {
			a.say("would do: %s", strings.Join(strings.Fields(w.Act+" "+w.Object+" "+w.Detail), " "))
		}
		switch {
		case d.body != "":
			a.say("would ask the station: %s %s %s", d.method, d.path, d.body)
		case len(d.would) == 0:
			a.say("would do nothing: it is so already")
		}
	})
	if err != nil {
		fmt.Fprintln(a.err, "detente:", err)
		return exitFailed
	}
	return 0
}

// ask asks a person before something that cannot be undone. Where nobody sits
// at a terminal it does not ask: who wrote the script has decided.
func (a *app) ask(format string, args ...any) error {
	if a.yes || a.dry || !a.person {
		return nil
	}
	fmt.Fprintf(a.err, format+" Type yes to go on: ", args...)
	answer, err := bufio.NewReader(io.LimitReader(a.in, 64)).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return exitError{exitRefused, fmt.Errorf("nothing was done")}
	}
	return nil
}

// put writes a file of a result; when it is only tried, it says so instead.
func (a *app) put(path string, content []byte, mode os.FileMode) error {
	if a.dry {
		a.tell("would write %s", path)
		return nil
	}
	return writeFile(path, content, mode)
}

// mkdir makes a directory, for its owner alone.
func (a *app) mkdir(path string) error {
	if a.dry {
		return nil
	}
	return os.MkdirAll(path, 0o700)
}

// settle completes what all commands share, once flags are read.
func (a *app) settle(c *cobra.Command) error {
	for name, to := range map[string]*string{"data": &a.data, "config": &a.conf, "station": &a.url, "token-file": &a.tokenFile} {
		if v := a.env(envName(name)); v != "" && !c.Flags().Changed(name) {
			*to = v
		}
	}
	a.set = make(map[string]string)
	for _, o := range options() {
		if f := c.Flags().Lookup(o.name); f != nil && f.Changed && c.CommandPath() == "detente station serve" {
			a.set[o.name] = f.Value.String()
		}
	}
	if v := a.env(envName("lang")); v != "" && !c.Flags().Changed("lang") {
		a.langs = strings.Split(v, ",")
	}
	for _, l := range a.langs {
		if !slices.Contains(book.Langs(), book.Lang(l)) {
			return usage("--lang: %q: the languages are en, ru, zh, es, fr and ar", l)
		}
	}
	a.color = a.color && !a.noColor && a.env("NO_COLOR") == "" && a.env("TERM") != "dumb"
	return nil
}

// envName is the environment variable that stands for a setting.
func envName(setting string) string {
	return "DETENTE_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// lang is the first of the languages asked for.
func (a *app) lang() book.Lang { return book.Lang(a.langs[0]) }

func join(names []string) string { return strings.Join(names, ", ") }

// table prints an answer for people: a line a row, its fields by name.
func (a *app) table(v any) {
	rows, ok := v.([]any)
	if !ok {
		rows = []any{v}
	}
	for _, row := range rows {
		m, ok := row.(map[string]any)
		switch {
		case ok && m["own"] != nil && m["theirs"] != nil:
			writeLine(a.out, m)
		case ok:
			writeRow(a.out, m)
		case row != nil:
			a.say("%v", row)
		}
	}
	if len(rows) == 0 {
		a.tell("nothing")
	}
}

// firstNames are the fields that name a row, in the order in which they stand.
var firstNames = []string{"citation", "id", "line", "station", "pseudonym", "actor", "number", "format", "precedence", "state"}

// writeRow prints an object: what names it first, then its other fields.
func writeRow(w io.Writer, m map[string]any) {
	var head, rest []string
	for _, k := range firstNames {
		if v := plain(m[k]); v != "" {
			head = append(head, v)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if v := plain(m[k]); k != "$schema" && v != "" && !slices.Contains(firstNames, k) {
			rest = append(rest, fmt.Sprintf("  %s: %s", k, clip(v)))
		}
	}
	fmt.Fprintln(w, strings.Join(head, "  "))
	for _, r := range rest {
		fmt.Fprintln(w, r)
	}
}

// maxShown is how many letters of a value a person is shown: a screen's width,
// a few times over.
const maxShown = 400

// clip shortens what nobody reads on a screen.
func clip(v string) string {
	r := []rune(v)
	if len(r) <= maxShown {
		return v
	}
	return fmt.Sprintf("%s… (%d letters; --json shows all)", string(r[:maxShown/8]), len(r))
}

// plain writes a value in a line.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
