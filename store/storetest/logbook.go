package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"detente/message"
	"detente/station"
)

// A log book only grows, by one line at a time, and is searched by number,
// time and kind. What was opened first stays so.
// covers P22
func logBook(t *testing.T, s station.Store) {
	for n := int64(1); n <= 4; n++ {
		kind := "remark"
		if n%2 == 0 {
			kind = "call"
		}
		l := station.LogLine{Number: n, At: at.Add(time.Duration(n) * time.Hour), Kind: kind, Actor: "ARD-01", Text: []byte{byte(n)}, Hash: [32]byte{byte(n)}}
		update(t, s, func(tx station.Tx) error { return tx.PutLogLine(l) })
	}
	for _, n := range []int64{0, 2, 4, 6} {
		if err := s.Update(context.Background(), func(tx station.Tx) error { return tx.PutLogLine(station.LogLine{Number: n, At: at}) }); err == nil {
			t.Errorf("line %d was taken after line 4", n)
		}
	}
	update(t, s, func(tx station.Tx) error {
		last, err := tx.LastLogLine()
		expect(t, "last", show(last.Number, last.At.Equal(at.Add(4*time.Hour)), last.Kind, last.Actor, last.Text, last.Hash[0], err), "4 true call ARD-01 [4] 4 <nil>")
		for _, c := range []struct {
			q     station.LogQuery
			limit int
			want  string
		}{
			{station.LogQuery{}, 0, "1 2 3 4"},
			{station.LogQuery{After: 1}, 2, "2 3"},
			{station.LogQuery{Kind: "call"}, 0, "2 4"},
			{station.LogQuery{From: at.Add(2 * time.Hour), To: at.Add(4 * time.Hour)}, 0, "2 3"},
			{station.LogQuery{After: 9}, 0, ""},
		} {
			list, err := tx.LogLines(c.q, c.limit)
			var got []any
			for _, l := range list {
				got = append(got, l.Number)
			}
			expect(t, "lines", show(show(got...), err), show(c.want, "<nil>"))
		}
		_, err = tx.Opened(message.ID{1})
		expect(t, "not opened", errors.Is(err, station.ErrNotFound), true)
		return errors.Join(tx.PutOpened(station.Opened{ID: message.ID{1}, At: at, By: "one"}), tx.PutOpened(station.Opened{ID: message.ID{1}, At: at.Add(time.Hour), By: "two"}))
	})
	update(t, s, func(tx station.Tx) error {
		o, err := tx.Opened(message.ID{1})
		expect(t, "opened", show(o.By, o.At.Equal(at), err), "one true <nil>")
		return nil
	})
	err := s.Update(context.Background(), func(tx station.Tx) error {
		return errors.Join(tx.PutLogLine(station.LogLine{Number: 5, At: at}), tx.PutOpened(station.Opened{ID: message.ID{2}, At: at}), errAny)
	})
	if !errors.Is(err, errAny) {
		t.Fatal(err)
	}
	update(t, s, func(tx station.Tx) error {
		last, err := tx.LastLogLine()
		_, absent := tx.Opened(message.ID{2})
		expect(t, "after a failure", show(last.Number, errors.Is(absent, station.ErrNotFound), err), "4 true <nil>")
		return nil
	})
}
