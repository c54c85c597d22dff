package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

// preface says what is shown, and how to read it.
func (p *play) preface() {
	fmt.Fprintf(p.out, `Détente: two states that do not trust each other hold a line on which everything is provable.
Arden, Boreal and all others named here are fictional. Each of the two stations is a process of the
real program; what follows was done by its commands, just now. All times are UTC (Z).

How to read it: ARD/BOR-N1-2 cites entry 2 of what Arden wrote to Boreal. Precedences, from the
lowest: ROUTINE, PRIORITY, IMMEDIATE, FLASH. "received" is the second that the other station signed.
A message is coded and reads the same in six languages; two are shown. No receipt, answer or lateness
admits anything. Everything that is written here stays in %s/, explained in %s/README.txt.
`, outDir, outDir)
}

func (p *play) heading(words string) {
	fmt.Fprintf(p.out, "\n\n%s\n%s\n", words, strings.Repeat("=", len([]rune(words))))
}

func (p *play) tell(format string, args ...any) {
	p.scene++
	fmt.Fprintf(p.out, "\n(%d) %s\n", p.scene, fmt.Sprintf(format, args...))
}

func (p *play) detail(format string, args ...any) {
	fmt.Fprintf(p.out, "    %s\n", fmt.Sprintf(format, args...))
}

// text shows what was printed, a line a line.
func (p *play) text(printed string) {
	for l := range strings.Lines(printed) {
		fmt.Fprintf(p.out, "      %s\n", strings.TrimRight("| "+l, " \n"))
	}
}

// file names a file of the play as its reader finds it.
func (p *play) file(path string) string {
	if rel, err := filepath.Rel(p.Dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.Join(outDir, rel)
	}
	return path
}

// headLines are the labelled lines with which every rendering goes on after its
// title and its act: from the id to the language of free text.
const headLines = 8

// learn notes the labels that every message has, from one rendering in each
// language.
func (p *play) learn(texts map[string]string) {
	for lang, text := range texts {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if p.frame[lang] != nil || len(lines) < headLines+3 {
			continue
		}
		p.frame[lang] = make(map[string]bool)
		for _, l := range append(lines[2:2+headLines:2+headLines], lines[len(lines)-1]) {
			label, _, _ := strings.Cut(l, ": ")
			p.frame[lang][label] = true
		}
	}
}

// own leaves out of a rendering what every message has, and the id of what it
// refers to: the line above names it.
func (p *play) own(lang, text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		label, value, _ := strings.Cut(strings.TrimSpace(l), ": ")
		if p.frame[lang] == nil { // the first message is shown whole
			return text
		}
		if p.frame[lang][label] || p.cited[strings.Trim(value, "\u2066\u2069")] != "" {
			continue
		}
		b.WriteString(l)
	}
	return b.String()
}

// cite writes the line that says which message it is, and a note. A message that
// refers to others names the first of them.
func (p *play) cite(from, to *rig.End, m rig.Message, refs []string, note string) {
	p.cited[m.ID] = m.Citation
	on := ""
	if len(refs) > 0 {
		on = "  on " + p.cited[refs[0]]
	}
	p.detail("%s  %s → %s  %s%s  received %s%s", m.Citation, from.Country, to.Country, m.Precedence, on, m.Receipt, note)
}

// said shows a message as the other end reads it, in languages.
func (p *play) said(ctx context.Context, from, to *rig.End, id string, refs []string, langs ...string) error {
	m, err := from.Receipted(ctx, id)
	if err != nil {
		return err
	}
	p.cite(from, to, m, refs, "")
	there, err := to.Arrived(ctx, id, langs...)
	if err != nil {
		return err
	}
	for i, l := range langs {
		if i > 0 {
			fmt.Fprintln(p.out, "      |")
		}
		p.text(p.own(l, there.Texts[l]))
	}
	return nil
}

// send says something, and shows it in languages.
func (p *play) send(ctx context.Context, from, to *rig.End, draft []string, refs []string, langs ...string) (string, error) {
	id, err := p.release(ctx, from, draft, refs)
	if err != nil {
		return "", err
	}
	return id, p.said(ctx, from, to, id, refs, langs...)
}

// release says something under the release policy of the line: as many officers
// approve it as that asks for.
func (p *play) release(ctx context.Context, from *rig.End, draft []string, refs []string) (string, error) {
	args := append([]string{"msg", "send", "--line", p.Line.String()}, draft...)
	for _, r := range refs {
		args = append(args, "--ref", r)
	}
	var q rig.Queued
	if err := from.Run(ctx, &q, args...); err != nil {
		return "", err
	}
	a, err := from.Ask(ctx, q.ID)
	if err != nil {
		return "", err
	}
	return q.ID, from.Release(ctx, q.ID, a.Need)
}

// answer says something that refers to a message.
func (p *play) answer(ctx context.Context, from, to *rig.End, format, ref string, params []string, langs ...string) (string, error) {
	return p.send(ctx, from, to, append([]string{format}, values(params)...), []string{ref}, langs...)
}

// values are parameters as the command takes them.
func values(params []string) (args []string) {
	for _, v := range params {
		args = append(args, "-p", v)
	}
	return args
}

// understood says that a message was seen and understood.
func (p *play) understood(ctx context.Context, from, to *rig.End, ref string) error {
	said := values([]string{"state=UND", "received=" + stamp(), "role=watch"})
	id, err := p.release(ctx, from, append([]string{"012"}, said...), []string{ref})
	if err != nil {
		return err
	}
	m, err := from.Receipted(ctx, id)
	if err == nil {
		p.cite(from, to, m, []string{ref}, "  012: received and understood")
	}
	return err
}

func stamp() string { return second(time.Now()) }

func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
