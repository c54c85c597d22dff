package book_test

import (
	"encoding/json/jsontext"
	"reflect"
	"testing"
	"time"

	"detente/book"
	"detente/message"
)

func format(t testing.TB, n message.Format) book.Format {
	t.Helper()
	f, ok := edition(t).Format(n)
	if !ok {
		t.Fatalf("there is no format %s", n)
	}
	return f
}

// The times of formats.md: by precedence, and the formats' own.
func TestClocks(t *testing.T) {
	const m, h, d = time.Minute, time.Hour, 24 * time.Hour
	for _, c := range []struct {
		format message.Format
		at     message.Precedence
		want   book.Clocks
	}{
		{"004", message.Priority, book.Clocks{5 * m, 4 * h, 8 * h, 0, 48 * h}},
		{"010", message.Priority, book.Clocks{Received: 5 * m, Answered: 5 * m}},
		{"012", message.Flash, book.Clocks{Received: m}},
		{"013", message.Routine, book.Clocks{15 * m, 12 * h, 24 * h, 0, 84 * h}},
		{"013", message.Flash, book.Clocks{m, 15 * m, 30 * m, 2 * h, 6 * h}},
		{"015", message.Flash, book.Clocks{m, 5 * m, 5 * m, 0, 5 * m}},
		{"020", message.Priority, book.Clocks{5 * m, 4 * h, 8 * h, 0, 0}},
		{"021", message.Immediate, book.Clocks{m, h, h, 0, 0}},
		{"024", message.Priority, book.Clocks{Received: 5 * m}},
		{"026", message.Priority, book.Clocks{5 * m, 4 * h, 8 * h, 0, 48 * h}},
		{"030", message.Priority, book.Clocks{5 * m, 4 * h, 24 * h, 0, 0}},
		{"031", message.Routine, book.Clocks{15 * m, 12 * h, 24 * h, 0, 24 * h}},
		{"033", message.Flash, book.Clocks{m, 15 * m, 15 * m, 0, 0}},
		{"110", message.Priority, book.Clocks{5 * m, 4 * h, 8 * h, 0, 24 * h}},
		{"210", message.Immediate, book.Clocks{m, h, 2 * h, 0, 24 * h}},
		{"210", message.Flash, book.Clocks{m, 15 * m, 30 * m, 2 * h, 24 * h}},
		{"222", message.Flash, book.Clocks{m, 15 * m, 15 * m, 0, 0}},
		{"230", message.Flash, book.Clocks{m, 15 * m, 30 * m, 0, 2 * h}},
		{"240", message.Priority, book.Clocks{5 * m, 4 * h, 8 * h, 0, 7 * d}},
		{"410", message.Flash, book.Clocks{m, 30 * m, 30 * m, 0, 2 * h}},
		{"600", message.Routine, book.Clocks{15 * m, 12 * h, 24 * h, 0, 0}},
	} {
		if got := format(t, c.format).Clocks(c.at); got != c.want {
			t.Errorf("%s at %s: %+v, want %+v", c.format, c.at, got, c.want)
		}
	}
}

// The time of a reply to a claim follows from what the claim says of its urgency.
// covers P11
func TestClocksByCode(t *testing.T) {
	f := format(t, "270")
	for code, want := range map[string]book.Clocks{
		"ordinary":      {Answered: 7 * 24 * time.Hour},
		"urgent":        {Answered: 48 * time.Hour},
		"election-core": {Answered: 24 * time.Hour, Interim: 12 * time.Hour},
		"unheard-of":    {Answered: 7 * 24 * time.Hour},
	} {
		if c := f.ClocksOf(message.Immediate, code); c.Answered != want.Answered || c.Interim != want.Interim || c.Seen != time.Hour {
			t.Errorf("a claim that says %s has the clocks %+v", code, c)
		}
	}
	if c := f.ClocksOf(message.Flash, "election-core"); c.Answered != 24*time.Hour || c.Interim != 12*time.Hour || c.Seen != 15*time.Minute {
		t.Errorf("at FLASH it has the clocks %+v", c)
	}
	if g := format(t, "210"); g.ClocksOf(message.Immediate, "urgent") != g.Clocks(message.Immediate) {
		t.Error("a format without such times has other clocks by a code")
	}
}

func TestShortNotice(t *testing.T) {
	f := format(t, "110")
	b := message.Body{Params: f.Examples[0]} // from 2026-12-01T08:00:00Z
	edge := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	if f.ShortNotice(b, edge) || !f.ShortNotice(b, edge.Add(time.Second)) {
		t.Error("three days are the least lead of an advance notice")
	}
	if to, ok := f.Lapse(b); !ok || !to.Equal(time.Date(2026, 12, 5, 20, 0, 0, 0, time.UTC)) {
		t.Errorf("it lapses at %s", to)
	}
	key := format(t, "032")
	if !key.ShortNotice(message.Body{Params: key.Examples[0]}, time.Date(2026, 12, 1, 0, 0, 1, 0, time.UTC)) {
		t.Error("a key changes seven days ahead")
	}
	free := format(t, "600")
	if _, ok := free.Lapse(b); ok || free.ShortNotice(b, edge.AddDate(1, 0, 0)) {
		t.Error("a free text neither lapses nor has a lead")
	}
}

func TestOwes(t *testing.T) {
	received := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	notice, incident := format(t, "110"), format(t, "220")
	grave := incident.Examples[0] // effect 3, next update 2026-11-24T01:25:00Z
	far := message.Example{}
	for k, v := range grave {
		far[k] = v
	}
	far["next_update"] = jsontext.Value(`"2026-11-30T00:00:00Z"`)
	slight := incident.Examples[1] // effect 2, next update 2026-11-25T12:00:00Z
	for _, c := range []struct {
		f    book.Format
		b    message.Example
		want []book.Due
	}{
		{notice, notice.Examples[0], []book.Due{{"112", time.Date(2026, 12, 8, 20, 0, 0, 0, time.UTC)}}},
		{incident, grave, []book.Due{{"221", time.Date(2026, 11, 24, 1, 25, 0, 0, time.UTC)}}},
		{incident, far, []book.Due{{"221", received.Add(24 * time.Hour)}}},
		{incident, slight, []book.Due{{"221", time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}}},
		{format(t, "600"), nil, nil},
	} {
		if got := c.f.Owes(message.Body{Params: c.b}, received); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s owes %v, want %v", c.f.Number, got, c.want)
		}
	}
}

func TestAnswersTo(t *testing.T) {
	e := edition(t)
	if got := e.AnswersTo("231"); !reflect.DeepEqual(got, []message.Format{"230"}) {
		t.Errorf("231 answers %v", got)
	}
	if e.Answers("210", "202") || !e.Answers("110", "014") || e.AnswersTo("001") != nil {
		t.Error("an interim answer answers, or an onward delivery does not")
	}
	if !format(t, "026").Mirrored() || format(t, "230").Mirrored() {
		t.Error("a line's state is answered by the same from the other side, a request to stop is not")
	}
}
