package record

import (
	"bytes"
	"testing"

	"detente/internal/decodertest"
)

// FuzzRead reads arbitrary files. What is accepted is, byte for byte, what its
// members are written as; whatever is not gets a verdict all the same.
// covers P14
func FuzzRead(f *testing.F) {
	var accepted bytes.Buffer
	if err := write(&accepted, []member{held("a/entry.age", []byte("x")), held("record.json", []byte("{}"))}); err != nil {
		f.Fatal(err)
	}
	rejected := bytes.Replace(accepted.Bytes(), []byte("a/entry.age"), []byte("../ntry.age"), 1)
	cut := accepted.Bytes()[:accepted.Len()-1]
	longer := append(bytes.Clone(accepted.Bytes()), 0)
	decodertest.Seeds(f, func(b []byte) error {
		_, err := read(bytes.NewReader(b), int64(len(b)))
		return err
	}, [][]byte{accepted.Bytes()}, [][]byte{{}, rejected, cut, longer, append([]byte("x"), accepted.Bytes()...)})
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := Verify(bytes.NewReader(b), int64(len(b)), nil)
		if err != nil || report.Verdict == Valid {
			t.Fatalf("%v, %v: nothing is valid without roots", report.Verdict, err)
		}
		if shown, said, err := Read(bytes.NewReader(b), int64(len(b)), nil); err != nil || len(said) > 0 || shown.Verdict != report.Verdict {
			t.Fatalf("%v and %d messages, %v: nothing is shown without roots", shown.Verdict, len(said), err)
		}
		members, err := read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var list []member
		for name := range members {
			content, ok := members.get(name)
			if !ok {
				t.Fatalf("%s was read and cannot be read", name)
			}
			list = append(list, held(name, content))
		}
		var again bytes.Buffer
		if err := write(&again, list); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Fatalf("a file is accepted that is not what its members are written as: %v", err)
		}
	})
}
