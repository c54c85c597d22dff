package station_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
)

// What cannot be read is answered 400, and what lies beyond a log 404, so that
// a counterpart of another make knows which of the two it met.
// covers P15
func TestAnswersToWhatIsNotThere(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	bundle := string(h.Cast.Bundle.Station)
	for name, c := range map[string]struct {
		r    line.Request
		want int
	}{
		"heads of noise":              {line.Request{Op: line.OpHeads, Body: []byte("{")}, http.StatusBadRequest},
		"heads of no log":             {line.Request{Op: line.OpHeads, Body: []byte(`{"origins":[]}`)}, http.StatusBadRequest},
		"cards of noise":              {line.Request{Op: line.OpCards, Body: []byte("{")}, http.StatusBadRequest},
		"a bundle of one note":        {line.Request{Op: line.OpCards, Body: []byte(`{"cards":"` + strings.ReplaceAll(bundle[:9], "\"", "") + `"}`)}, http.StatusBadRequest},
		"a delivery of noise":         {line.Request{Op: line.OpDeliver, Body: []byte{9}}, http.StatusBadRequest},
		"the checkpoint":              {line.Request{Op: line.OpTile, Origin: v.log(), Path: "checkpoint"}, http.StatusOK},
		"a tile beyond the log":       {line.Request{Op: line.OpTile, Origin: v.log(), Path: "tile/0/x001/067"}, http.StatusNotFound},
		"a bundle beyond the log":     {line.Request{Op: line.OpTile, Origin: v.log(), Path: "tile/entries/x001/067"}, http.StatusNotFound},
		"a path of another form":      {line.Request{Op: line.OpTile, Origin: v.log(), Path: "tile/0/67"}, http.StatusNotFound},
		"a checkpoint of a log to be": {line.Request{Op: line.OpTile, Origin: v.line.Log(v.Name(), 9), Path: "checkpoint"}, http.StatusNotFound},
	} {
		c.r.Peer = h.Name()
		got := served(t, v.Station, now, c.r)
		if got.Status != c.want {
			t.Errorf("%s is answered %d, want %d: %s", name, got.Status, c.want, got.Body)
		}
	}
}

// Every log of a line is found by its hash, however many eras it has had.
func TestOriginOfAnyEra(t *testing.T) {
	v, h := duo(t)
	const many = 70
	err := v.store.Update(ctx, func(tx station.Tx) error {
		row, err := tx.Line(v.line)
		if err != nil {
			return err
		}
		row.OwnEra, row.PeerEra = many, many
		return tx.PutLine(row)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, writer := range []identity.Station{v.Name(), h.Name()} {
		for _, era := range []identity.Era{1, 64, 65, many} {
			o := v.line.Log(writer, era)
			if got, ok := v.OriginOf(line.OriginHash(o)); !ok || got != o {
				t.Errorf("%s is found as %s, %v", o, got, ok)
			}
		}
	}
	if got, ok := v.OriginOf(line.OriginHash(v.line.Log(v.Name(), many+1))); ok {
		t.Errorf("a log that is not there is %s", got)
	}
}
