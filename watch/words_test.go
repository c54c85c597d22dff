package watch_test

import (
	"testing"

	"detente/book"
	"detente/watch"
)

func edition(t testing.TB) *book.Edition {
	t.Helper()
	e, err := book.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// words loads the texts, which fails where one is missing in any language.
func words(t testing.TB) watch.Words {
	t.Helper()
	w, err := watch.LoadWords(edition(t))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// covers P13
func TestWordsAreComplete(t *testing.T) {
	w := words(t)
	for group, codes := range map[string][]string{"alarm": kinds(), "event": texts(watch.Events()), "risk": texts(watch.RiskKinds()), "outlet": texts(watch.Outlets()),
		"freshness": texts(watch.Freshnesses()), "slot": texts(watch.SlotStates()), "phase": texts(watch.LinePhases()), "log": texts(watch.LogKinds())} {
		for _, l := range book.Langs() {
			seen := map[string]string{}
			for _, c := range codes {
				label, ok := w.Label(group, c, l)
				if !ok || seen[label] != "" {
					t.Errorf("%s %s in %s: %q is missing, or is that of %q too", group, c, l, label, seen[label])
				}
				seen[label] = c
			}
		}
	}
	if _, ok := w.Label("alarm", "no-such", "en"); ok {
		t.Error("a code that is none has a text")
	}
	if _, err := w.Notice(watch.Notice{Group: watch.Key{Kind: watch.Quota}, Event: watch.Raised, Level: 2, Count: 1}, "de"); err == nil {
		t.Error("a seventh language is rendered")
	}
}

func kinds() []string { return texts(watch.Kinds()) }

func texts[T ~string](l []T) (out []string) {
	for _, s := range l {
		out = append(out, string(s))
	}
	return out
}
