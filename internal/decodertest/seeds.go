package decodertest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Seeds adds a fuzz target's seeds, after it has tried them: it fails where an
// accepted one is refused, a rejected one is read, or either kind is missing,
// for a target that nothing enters, or that refuses nothing, tests nothing.
func Seeds[T string | []byte](f *testing.F, read func(T) error, accepted, rejected []T) {
	f.Helper()
	if len(accepted) == 0 || len(rejected) == 0 {
		f.Fatalf("%d accepted and %d rejected seeds: at least one of each is needed", len(accepted), len(rejected))
	}
	for _, seed := range accepted {
		if err := read(seed); err != nil {
			f.Fatalf("an accepted seed is refused: %v\n%.200q", err, seed)
		}
		f.Add(seed)
	}
	for _, seed := range rejected {
		err := read(seed)
		if err == nil {
			f.Fatalf("a rejected seed is read: %.200q", seed)
		}
		Refusal(f, err)
		if len(seed) <= maxSeed {
			f.Add(seed)
		}
	}
}

// maxSeed bounds the rejected seeds that are built upon: larger ones show a
// limit and slow the search down.
const maxSeed = 64 << 10

// Refusal checks how an error that holds somebody else's input reads: something
// is said, on one line, and nothing of the input is obeyed by a screen or a log.
func Refusal(t testing.TB, err error) {
	t.Helper()
	s := err.Error()
	switch {
	case strings.TrimSpace(s) == "":
		t.Error("an error says nothing")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return c != ' ' && c != '\u00a0' && !unicode.IsPrint(c) }):
		t.Errorf("an error steers the screen or the log that shows it: %.500q", s)
	}
}

// maxRefusal bounds an error's text: an operator reads it, a log keeps it.
const maxRefusal = 2 << 10

// Short is Refusal for an error that repeats no more of its input than a reader
// needs to find it again.
func Short(t testing.TB, err error) {
	t.Helper()
	Refusal(t, err)
	if s := err.Error(); len(s) > maxRefusal {
		t.Errorf("an error of %d bytes: %.200q", len(s), s)
	}
}

// Folder returns the files below a folder of the real data of others whose names
// end in ext, by their path in it. It skips the test where DETENTE_TESTDATA does
// not say where they are.
func Folder(t testing.TB, folder, ext string) map[string][]byte {
	t.Helper()
	dir, ok := os.LookupEnv(env)
	if !ok || dir == "" {
		t.Skipf("%s is not set: the files of %s, made by others, are not here", env, folder)
	}
	files := make(map[string][]byte)
	root := os.DirFS(filepath.Join(dir, folder))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ext) {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds %d files *%s in %s: %v", env, len(files), ext, folder, err)
	}
	return files
}

const env = "DETENTE_TESTDATA"
