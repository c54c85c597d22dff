package main

import (
	"bytes"
	"regexp"
	"testing"
)

// A day is played, and told in the line that tools read; no day is not.
// covers P16
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, 1, 9402, 1); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`\nwatch: ok messages=[1-9]\d* tests=[1-9]\d* alarms=[1-9]\d* missed=0 equal=yes\n$`).Match(out.Bytes()) {
		t.Errorf("a day ends with\n%s", out.String())
	}
	if err := run(&out, 0, 1, 1); err == nil {
		t.Error("no day was played, and that is well")
	}
}
