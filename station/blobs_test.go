package station_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"detente/identity"
	"detente/station"
	"detente/station/stationtest"
)

// A blob is fetched in pieces, goes on where it broke off, and has a receipt of
// its own. Other content is dropped and fetched anew; more of it than the message
// names is left out; one that is never given holds up no other.
// covers P2 P14
func TestBlobsThatAreNotWhatWasOffered(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	content := bytes.Repeat([]byte("evidence "), 1000)
	ref, err := a.AddBlob(ctx, op, now, l, "application/octet-stream", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	params, err := a.Book().Compose("210", []string{
		"kind=scanning", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=origin", "ask=inform", "by=2026-11-24T14:00:00Z",
	})
	if err != nil {
		t.Fatal(err)
	}
	params["evidence"] = append(append([]byte("["), ref...), ']')
	out, err := a.Submit(ctx, op, now, station.Draft{Line: l, Format: "210", Marking: tlp, Language: "en", Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, now, out.ID, 2); err != nil {
		t.Fatal(err)
	}
	settle(t, now, l, a, b)

	blob := wanted(t, b, l)
	r, total, err := a.OpenBlob(ctx, b.Name(), blob.Hash)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || total != int64(len(cipher)) || total != blob.Size {
		t.Fatalf("%d of %d bytes: %v", len(cipher), total, err)
	}
	if _, _, err := a.OpenBlob(ctx, "nrrc.stranger.example", blob.Hash); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a stranger fetches it: %v", err)
	}
	take := func(offset int64, data []byte) error {
		t.Helper()
		_, err := b.TakeBlob(ctx, now, wanted(t, b, l), offset, data)
		return err
	}
	wrong := append([]byte(nil), cipher...)
	wrong[len(wrong)/2] ^= 1
	if err := take(0, wrong); err == nil {
		t.Error("a blob with a flipped bit was taken")
	}
	if got := wanted(t, b, l); got.Have != 0 {
		t.Errorf("after wrong content %d bytes count as held", got.Have)
	}
	if err := take(0, cipher[:100]); err != nil {
		t.Fatal(err)
	}
	if err := take(50, cipher[50:]); err != nil || wanted(t, b, l).Have != 100 {
		t.Errorf("a piece from the wrong place: %v, %d bytes are held", err, wanted(t, b, l).Have)
	}
	if err := take(100, append(append([]byte(nil), cipher[100:]...), "and more"...)); err != nil {
		t.Fatalf("the rest, and more than the message names: %v", err)
	}
	var got bytes.Buffer
	if err := b.ReadBlob(ctx, op, now, blob.Hash, &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%d bytes came out: %v", got.Len(), err)
	}
	settle(t, now.Add(time.Minute), l, a, b)
	list, err := a.List(ctx, op, now, 0, 1)
	if err != nil || len(list) != 1 || list[0].Format != "003" || list[0].Problem != "" {
		t.Errorf("the blob has no receipt: %+v %v", list, err)
	}
	checkLine(t, l, a, b)
}

func settle(t *testing.T, now time.Time, l identity.Line, ends ...stationtest.End) {
	t.Helper()
	for _, e := range ends {
		if err := e.Tick(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, now, l, ends...); err != nil {
		t.Fatal(err)
	}
}

// wanted returns the one blob that a station still wants.
func wanted(t *testing.T, e stationtest.End, l identity.Line) station.Blob {
	t.Helper()
	list, _, err := e.WantedBlobs(ctx, l, identity.Digest{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d blobs are wanted: %v", len(list), err)
	}
	return list[0]
}

// However many blobs are offered and never given, each is looked at in its turn.
// covers P2 P14
func TestEveryBlobHasItsTurn(t *testing.T) {
	v, _ := duo(t)
	other, err := identity.NewLine(arden, bor, identity.Technical)
	if err != nil {
		t.Fatal(err)
	}
	const each = 300
	err = v.store.Update(ctx, func(tx station.Tx) error {
		for i := range 2 * each {
			l := []identity.Line{v.line, other}[i%2]
			if err := tx.PutBlob(station.Blob{Hash: identity.Sum([]byte(decimal(int64(i)))), Size: 1, State: station.BlobOffered, Line: l, From: bor}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[identity.Digest]bool)
	var after identity.Digest
	for range 2 * each {
		list, next, err := v.WantedBlobs(ctx, v.line, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range list {
			if seen[b.Hash] || b.Line != v.line {
				t.Errorf("blob %s came twice, or is of another line", b.Hash)
			}
			seen[b.Hash] = true
		}
		if after = next; after == (identity.Digest{}) {
			break
		}
	}
	if len(seen) != each {
		t.Errorf("%d of %d blobs came up", len(seen), each)
	}
}
