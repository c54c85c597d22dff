package station_test

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"detente/identity"
	"detente/interop/stix"
	"detente/station"
	"detente/station/stationtest"
)

// Every bundle that others made, and every file of theirs that is none, goes in as
// evidence or is refused with the place of each fault; what is refused is kept
// nowhere.
// covers P14
func TestRealBundlesAsEvidence(t *testing.T) {
	dir := os.Getenv("DETENTE_TESTDATA")
	if dir == "" {
		t.Skip("DETENTE_TESTDATA is not set: the bundles made by others are not here")
	}
	a, _, l := pair(t)
	taken, refused := 0, 0
	for _, pattern := range []string{"stix/*.json", "misp/*.json", "csaf/*/*.json", "json/*.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		bundles := slices.Contains([]string{"stix/*.json", "misp/*.json"}, pattern)
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			ref, err := a.AddBlob(ctx, stationtest.Operator(), start, l, station.StixType+";version=2.1", bytes.NewReader(raw))
			if fault, ok := errors.AsType[*stix.Refused](err); ok {
				refused++
				if len(fault.Findings) == 0 || bundles && filepath.Base(filepath.Dir(name)) == "stix" {
					t.Errorf("%s is refused: %v", name, err)
				}
				for _, f := range fault.Findings {
					if f.Line < 1 && f.Pointer == "" && f.Object == "" || f.Reason == "" || f.Next == "" {
						t.Errorf("%s: a fault without a place, a reason or a next step: %+v", name, f)
					}
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			taken++
			var v struct {
				Type string `json:"type"`
				Size int64  `json:"size"`
			}
			if err := json.Unmarshal(ref, &v); err != nil || v.Size < int64(len(raw)) || !bundles {
				t.Errorf("%s is kept as %s, %v", name, ref, err)
			}
		}
	}
	held, err := a.ListBlobs(ctx, stationtest.Operator(), start, station.BlobHeld, identity.Digest{}, 500)
	if err != nil || len(held) != taken {
		t.Errorf("%d bundles are held, and %d were taken: %v", len(held), taken, err)
	}
	t.Logf("%d bundles taken, %d files refused", taken, refused)
	if taken < 9 || refused < 100 {
		t.Errorf("%d bundles taken and %d files refused prove little", taken, refused)
	}
}
