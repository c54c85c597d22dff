package station_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"encoding/json/jsontext"

	"detente/identity"
	"detente/station"
	"detente/station/stationtest"
)

// blobOf returns the only blob that a station lists.
func blobOf(t *testing.T, e stationtest.End, now time.Time) station.BlobStanding {
	t.Helper()
	list, err := e.ListBlobs(ctx, op, now, 0, identity.Digest{}, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d blobs, %v", len(list), err)
	}
	one, err := e.ShowBlob(ctx, op, now, list[0].Hash)
	if err != nil || one != list[0] {
		t.Errorf("shown %+v, listed %+v, %v", one, list[0], err)
	}
	return one
}

// Both ends see how evidence stands: what was offered and fetched, when it was
// whole, when it was receipted, and since when a receipt is missing.
// covers P11
func TestBlobsAreVisible(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	value, err := a.AddBlob(ctx, op, now, l, "application/octet-stream", bytes.NewReader(bytes.Repeat([]byte("evidence "), 5000)))
	if err != nil {
		t.Fatal(err)
	}
	if got := blobOf(t, a, now); !got.Ours || got.State != station.BlobHeld || got.Citation != "" || !got.At.Equal(now) {
		t.Errorf("before it is named: %+v", got)
	}
	ask(t, a, now, l, []jsontext.Value{value})
	settle(t, now, l, a, b)
	if got := blobOf(t, a, now); !strings.HasPrefix(got.Citation, "ARD/BOR-N1-") || !got.Named.Equal(now) || !got.Missing.IsZero() {
		t.Errorf("named: %+v", got)
	}
	if got := blobOf(t, b, now); got.Ours || got.State != station.BlobOffered || got.Have != 0 || got.Size == 0 || got.Citation == "" {
		t.Errorf("offered: %+v", got)
	}
	late := now.Add(time.Hour)
	if got := blobOf(t, a, late); !got.Missing.After(now) || got.Missing.After(late) {
		t.Errorf("an hour later its receipt is missing since %v", got.Missing)
	}
	fetch(t, a, b, late, l)
	if err := b.Tick(ctx, late); err != nil {
		t.Fatal(err)
	}
	settle(t, late, l, a, b)
	if got := blobOf(t, b, late); got.State != station.BlobHeld || got.Have != got.Size || !got.At.Equal(late) {
		t.Errorf("fetched: %+v", got)
	}
	if got := blobOf(t, a, late); got.State != station.BlobReceipted || got.At.Before(late) || !got.Missing.IsZero() {
		t.Errorf("receipted: %+v", got)
	}
	events, err := a.EventsAfter(ctx, op, 0, 1000)
	if err != nil || !slices.ContainsFunc(events, func(e station.Event) bool {
		return e.Kind == "blob" && strings.HasPrefix(e.Text, "receipted")
	}) {
		t.Errorf("no event of the receipt: %v", err)
	}
	if list, err := a.ListBlobs(ctx, op, late, station.BlobReceipted, blobOf(t, a, late).Hash, 10); err != nil || len(list) != 0 {
		t.Errorf("after the last: %v, %v", list, err)
	}
}
