package book_test

import (
	"strings"
	"testing"
	"time"

	"detente/book"
)

// How long something lasts is said in words, in the form that each number asks
// for.
// covers P13
func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		lang book.Lang
		d    time.Duration
		want string
	}{
		{"en", 456 * time.Hour, "19 days"},
		{"en", day + time.Hour + time.Minute + time.Second, "1 day 1 hour 1 minute 1 second"},
		{"en", 0, "0 seconds"},
		{"en", 90*time.Minute + 700*time.Millisecond, "1 hour 30 minutes"},
		{"en", -2 * time.Hour, "2 hours"},
		{"ru", day, "1 день"}, {"ru", 3 * day, "3 дня"}, {"ru", 11 * day, "11 дней"}, {"ru", 21 * day, "21 день"}, {"ru", 12*day + 22*time.Hour, "12 дней 22 часа"},
		{"ru", 0, "0 секунд"},
		{"zh", 19*day + 4*time.Hour, "19 天 4 小时"},
		{"es", day + 2*time.Hour, "1 día 2 horas"},
		{"fr", 0, "0 seconde"}, {"fr", 2 * day, "2 jours"},
		{"ar", day, "يوم واحد"}, {"ar", 2 * day, "يومان"}, {"ar", 3 * day, "3 أيام"}, {"ar", 19*day + 2*time.Hour, "19 يومًا وساعتان"}, {"ar", 100 * day, "100 يوم"},
		{"de", time.Hour, "1 hour"},
	} {
		if got := book.Span(c.d, c.lang); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.d, c.lang, got, c.want)
		}
	}
	for _, l := range book.Langs() {
		for n := range 130 {
			for _, unit := range []time.Duration{day, time.Hour, time.Minute, time.Second} {
				if text := book.Span(time.Duration(n)*unit, l); text == "" || strings.Contains(text, "#") {
					t.Errorf("%d times %s in %s: %q", n, unit, l, text)
				}
			}
		}
	}
}
