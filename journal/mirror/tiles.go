package mirror

import (
	"fmt"

	"detente/identity"
	"detente/journal"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// ReadTile returns a resource of a log as C2SP tlog-tiles names them: the
// checkpoint, a tile of hashes, or a bundle of entries. One beyond the log is
// journal.ErrNoEntry.
func ReadTile(tx journal.Tx, o identity.Origin, path string) ([]byte, error) {
	l, ok, err := tx.Log(o)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s", journal.ErrUnknownLog, o)
	}
	if path == "checkpoint" {
		return l.Checkpoint, nil
	}
	t, err := torchwood.ParseTilePath(path)
	if err != nil {
		return nil, fmt.Errorf("tile %q: %w", clip(path), journal.ErrNoEntry)
	}
	if torchwood.TilePath(t) != path {
		return nil, fmt.Errorf("tile %q: its path is %s: %w", clip(path), torchwood.TilePath(t), journal.ErrNoEntry)
	}
	if !within(t, l.Size) {
		return nil, fmt.Errorf("tile %s of %s: %w", path, o, journal.ErrNoEntry)
	}
	if t.L == -1 {
		return bundle(tx, l, t)
	}
	return tlog.ReadTileData(t, journal.HashReader(tx, o))
}

// clip shortens a path before it stands in an error.
func clip(path string) string { return path[:min(len(path), 100)] }

// within reports whether a tree of a size holds a whole tile. A path may name any
// level and number, so that nothing of the tile's is shifted up.
func within(t tlog.Tile, size int64) bool {
	level := torchwood.TileHeight * max(t.L, 0) // of the tile's hashes; entries are of the lowest
	if level > 62 {
		return false
	}
	hashes := size >> level
	return t.N <= hashes>>torchwood.TileHeight && t.N<<torchwood.TileHeight+int64(t.W) <= hashes
}

// bundle returns the entries of a data tile, each with its length before it.
func bundle(tx journal.Tx, l journal.Log, t tlog.Tile) ([]byte, error) {
	start := t.N * torchwood.TileWidth
	entries, err := tx.Entries(l.Origin, start, start+int64(t.W))
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, e := range entries {
		if out, err = torchwood.AppendTileEntry(out, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}
