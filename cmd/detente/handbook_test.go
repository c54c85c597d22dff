package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command on the duty officer's page exists, and the script of a shift
// tries it.
func TestHandbook(t *testing.T) {
	page, err := os.ReadFile("../../docs/watch.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/shift.txt")
	if err != nil {
		t.Fatal(err)
	}
	commands := leaves(t)
	found := 0
	for _, m := range regexp.MustCompile("detente ([a-z]+)(?: ([a-z]+))?").FindAllStringSubmatch(string(page), -1) {
		if m[1] == "help" {
			continue
		}
		path, noun := m[1]+" "+m[2], m[1]
		if noun == "poc" {
			path = "contact " + m[2]
		}
		if commands[path] == nil {
			path = m[1]
		}
		if commands[path] == nil {
			t.Errorf("the page names %q, and there is no such command", m[0])
			continue
		}
		if tried := strings.Replace(path, "contact", noun, 1); !strings.Contains(string(script), " "+tried) {
			t.Errorf("the page names %q, and the script of a shift does not try it", m[0])
		}
		found++
	}
	if found < 40 {
		t.Errorf("only %d commands were found on the page", found)
	}
}
