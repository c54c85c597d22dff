package line

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"detente/identity"

	"filippo.io/torchwood"
)

// errNoRoute says that no request of a line has this method and path.
var errNoRoute = errors.New("no such endpoint")

var posts = map[string]Op{
	"/deliver":        OpDeliver,
	"/add-checkpoint": OpAddCheckpoint,
	"/add-entries":    OpAddEntries,
	"/heads":          OpHeads,
	"/cards":          OpCards,
}

// place returns where a request goes: its method, and path with query below the
// peer's base URL.
func place(r Request) (method, path string, err error) {
	switch r.Op {
	case OpDeliver, OpAddCheckpoint, OpAddEntries, OpHeads:
		return http.MethodPost, "/" + string(r.Op), nil
	case OpCards:
		if len(r.Body) == 0 {
			return http.MethodGet, "/cards", nil
		}
		return http.MethodPost, "/cards", nil
	case OpTile:
		if err := checkTilePath(r.Path); err != nil {
			return "", "", err
		}
		return http.MethodGet, "/" + hexName(OriginHash(r.Origin)) + "/" + r.Path, nil
	case OpCosignatures:
		q := url.Values{"after": {strconv.FormatInt(r.Offset, 10)}, "limit": {strconv.FormatInt(r.Limit, 10)}}
		if r.By != "" {
			q.Set("by", r.By)
		}
		return http.MethodGet, "/" + hexName(OriginHash(r.Origin)) + "/cosignatures?" + q.Encode(), nil
	case OpBlob:
		return http.MethodGet, "/blob/" + hexName(r.Hash), nil
	}
	return "", "", fmt.Errorf("internal error: a request %q", r.Op)
}

// route returns the request that a method and URL stand for, without its body
// and range. Logs are named by hash; origin tells which is meant.
func route(method string, u *url.URL, origin func(identity.Digest) (identity.Origin, bool)) (Request, error) {
	if op, ok := posts[u.Path]; ok && method == http.MethodPost {
		return Request{Op: op}, nil
	}
	if method != http.MethodGet {
		return Request{}, errNoRoute
	}
	if u.Path == "/cards" {
		return Request{Op: OpCards}, nil
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if first == "blob" {
		hash, err := identity.ParseDigest(rest)
		if err != nil {
			return Request{}, errNoRoute
		}
		return Request{Op: OpBlob, Hash: hash}, nil
	}
	hash, err := identity.ParseDigest(first)
	if err != nil || origin == nil {
		return Request{}, errNoRoute
	}
	r := Request{Op: OpTile, Path: rest}
	if rest == "cosignatures" {
		if r, err = cosignatureQuery(u.Query()); err != nil {
			return Request{}, err
		}
	} else if err := checkTilePath(rest); err != nil {
		return Request{}, err
	}
	var known bool
	if r.Origin, known = origin(hash); !known {
		return Request{}, errNoRoute
	}
	return r, nil
}

func cosignatureQuery(q url.Values) (Request, error) {
	r := Request{Op: OpCosignatures, By: q.Get("by")}
	if len(r.By) > 255 {
		return Request{}, errors.New("the cosigner's name has more than 255 bytes")
	}
	var err error
	if s := q.Get("after"); s != "" {
		if r.Offset, err = parseSize([]byte(s)); err != nil {
			return Request{}, err
		}
	}
	if s := q.Get("limit"); s != "" {
		if r.Limit, err = parseSize([]byte(s)); err != nil {
			return Request{}, err
		}
	}
	r.Limit = min(r.Limit, MaxCosignatures)
	return r, nil
}

func checkTilePath(p string) error {
	if p == "checkpoint" {
		return nil
	}
	if !strings.HasPrefix(p, "tile/") {
		return errNoRoute
	}
	if _, err := torchwood.ParseTilePath(p); err != nil {
		return fmt.Errorf("the tile's path: %s", printable([]byte(err.Error()), maxReason))
	}
	return nil
}

// rangeOf reads a Range header of one range, as offset and length; length zero
// is to the end.
func rangeOf(header string) (offset, length int64, err error) {
	if header == "" {
		return 0, 0, nil
	}
	bad := errors.New("the range must read bytes=first- or bytes=first-last")
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, found := strings.Cut(spec, "-")
	if !ok || !found {
		return 0, 0, bad
	}
	if offset, err = parseSize([]byte(first)); err != nil {
		return 0, 0, bad
	}
	if last == "" {
		return offset, 0, nil
	}
	end, err := parseSize([]byte(last))
	if err != nil || end < offset || end == math.MaxInt64 {
		return 0, 0, bad
	}
	return offset, end - offset + 1, nil
}

// formatRange is the header that rangeOf reads.
func formatRange(offset, length int64) string {
	if length <= 0 {
		return fmt.Sprintf("bytes=%d-", offset)
	}
	return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
}

// totalOf reads the whole size from a Content-Range header; the range must begin
// at offset.
func totalOf(header string, offset int64) (int64, error) {
	bad := fmt.Errorf("the answer's range %q does not begin at %d", printable([]byte(header), 80), offset)
	spec, ok := strings.CutPrefix(header, fmt.Sprintf("bytes %d-", offset))
	_, total, found := strings.Cut(spec, "/")
	if !ok || !found {
		return 0, bad
	}
	n, err := parseSize([]byte(total))
	if err != nil {
		return 0, bad
	}
	return n, nil
}
