package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// asked are the questions that take turns: words of every entry, of a few, of
// none, in several languages.
var asked = []string{"test", "line test", "00042", "00042 test", "проверка линии", "线路测试", "اختبار", "transformer", "t1 direct", "0004"}

// searches is how many questions are timed.
const searches = 200

// search finds messages by words among all that the log holds, once the index
// has caught up, and prints what all but a twentieth of the questions stayed
// below.
func (b *bench) search(ctx context.Context, entries int64) error {
	e := b.product.Ends[0]
	ask := func(words string) (found, pending int, err error) {
		var h struct {
			Hits    []any `json:"hits"`
			Pending int   `json:"pending"`
		}
		err = e.Call(ctx, "GET", "/search?"+url.Values{"words": {words}}.Encode(), nil, &h)
		return len(h.Hits), h.Pending, err
	}
	for last := int64(0); ; last++ { // each question takes some into the index, and each tick
		_, pending, err := ask(asked[0])
		if err != nil {
			return err
		}
		if pending == 0 {
			break
		}
		if last > entries {
			return errors.New("the index does not catch up")
		}
	}
	s, err := inParallel(1, searches, func(i int) error {
		found, _, err := ask(asked[i%len(asked)])
		if err == nil && i%len(asked) == 0 && found == 0 {
			return fmt.Errorf("%q is not found", asked[0])
		}
		return err
	})
	if err != nil {
		return err
	}
	return b.print(figure{What: "search", Entries: entries, P50: ms(s.percentile(0.5)), P95: ms(s.percentile(0.95))})
}
