package record

import (
	"errors"
	"testing"

	"detente/dossier"
)

// What does not fit is named by what does not: the reference, the fact, or
// another parameter.
// covers P19
func TestMisfitsAreNamed(t *testing.T) {
	for param, want := range map[string]Reason{"refs": AnswersOther, "facts [2].fact": FactUnstated, "questions [1].fact": FactUnstated, "state": Misfit} {
		f := misfit(&dossier.FitError{Format: "271", Param: param, Reason: "it does not fit", Next: "mend it"})
		if f.reason != want || f.detail != "it does not fit" {
			t.Errorf("%s: %s (%s), want %s", param, f.reason, f.detail, want)
		}
	}
	if f := misfit(&dossier.FitError{Format: "271", Param: "refs"}); len(f.values) != 2 || f.values[0] != "271" || f.values[1] != "270" {
		t.Errorf("the formats are %v", f.values)
	}
	if !errors.As(error(because(Misfit, nil, "state")), new(fault)) {
		t.Error("a fault is no error")
	}
}

// A finding shows the hand of the log's writer, of its reader where a receipt is
// at fault, and of nobody where the exporter left something out.
// covers P19
func TestHands(t *testing.T) {
	v := newVerifier(nil)
	const at = "ARD/BOR-N1-3"
	for r, want := range map[Reason]string{ApprovalOther: "ARD", CosignerUnlisted: "BOR", ReceiptsClash: "BOR", EntryAbsent: "", ReferenceHidden: ""} {
		if got := v.hand(at, r); got != want {
			t.Errorf("%s: %q, want %q", r, got, want)
		}
	}
}
