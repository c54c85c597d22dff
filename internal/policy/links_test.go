package policy

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#{1,6} +(.+?) *$`)
)

// prose returns the lines of a text that are no code: those outside of fences
// and indented blocks keep their place, others are empty.
func prose(text []byte) []string {
	lines, fenced := strings.Split(string(text), "\n"), false
	for i, l := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(l), "```")
		if fence {
			fenced = !fenced
		}
		if fence || fenced || strings.HasPrefix(l, "    ") {
			lines[i] = ""
		}
	}
	return lines
}

// anchors returns what links into a text may name: its headings in lower case,
// spaces as hyphens, without punctuation; one that stands again gets a number.
func anchors(text []byte) map[string]bool {
	all := map[string]bool{}
	for _, l := range prose(text) {
		m := heading.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		name := slug
		for n := 1; all[name]; n++ {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		all[name] = true
	}
	return all
}

// holds says whether a file or a directory is in the tree.
func (tr *tree) holds(name string) bool {
	if _, ok := tr.texts[name]; ok {
		return true
	}
	for n := range tr.texts {
		if strings.HasPrefix(n, name+"/") {
			return true
		}
	}
	return false
}

// checkLinks finds links of pages that lead to no file of the tree, or to no
// heading of it.
func checkLinks(tr *tree) (findings []string) {
	for _, name := range slices.Sorted(maps.Keys(tr.texts)) {
		if path.Ext(name) != ".md" {
			continue
		}
		for i, l := range prose(tr.texts[name]) {
			for _, m := range linked.FindAllStringSubmatch(l, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				file, anchor, _ := strings.Cut(m[1], "#")
				to := name
				if file != "" {
					to = path.Join(path.Dir(name), file)
				}
				switch {
				case !tr.holds(to):
					findings = append(findings, fmt.Sprintf("%s:%d: links to %s, which is not there", name, i+1, to))
				case anchor != "" && !anchors(tr.texts[to])[anchor]:
					findings = append(findings, fmt.Sprintf("%s:%d: links to the heading %q of %s, which has none such", name, i+1, anchor, to))
				}
			}
		}
	}
	return findings
}

func TestLinksResolve(t *testing.T) {
	none(t, checkLinks(own(t)))
	found(t, checkLinks(sample(t,
		"a.md", "# One, two\n[a](docs/b.md) [b](docs/c.md) [c](#one-two) [d](docs/b.md#two-1) [e](https://example.org/x) [f](docs)\n```\n# no heading\n[g](gone)\n```\n",
		"docs/b.md", "## Two\n[a](../a.md#three)\n## Two!\n[b](../a.md#no-heading)\n")),
		"a.md:2: links to docs/c.md", `docs/b.md:2: links to the heading "three"`, `docs/b.md:4: links to the heading "no-heading"`)
}
