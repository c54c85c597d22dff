package station_test

import (
	"errors"
	"strings"
	"testing"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// A message that was fixed before anybody had read what it carries as a bundle is
// judged again when an officer approves it: by TLP and by PAP alike. The refusal names the object, is
// audited, and leaves the message where it was; a rejection passes.
// covers P8
func TestMarkingsAtApproval(t *testing.T) {
	const plainType = "application/octet-stream"
	for name, c := range map[string]struct {
		bundle string
		under  message.Marking
		pass   bool
	}{
		"TLP above the message's":                   {bundle(redRef), message.Marking{TLP: "AMBER"}, false},
		"PAP above the message's":                   {bundle(lostRef), message.Marking{TLP: "RED", PAP: "GREEN"}, false},
		"TLP as the message's":                      {bundle(redRef), message.Marking{TLP: "RED"}, true},
		"what cannot be read, under the highest":    {bundle(lostRef), message.Marking{TLP: "RED", PAP: "RED"}, true},
		"no marking of its own, under the lowest":   {bundle(""), message.Marking{TLP: "CLEAR", PAP: "CLEAR"}, true},
		"AMBER, under AMBER with a PAP of the text": {bundle(amberRef), message.Marking{TLP: "AMBER", PAP: "AMBER"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, l := pair(t)
			hash, ref := add(t, a, l, plainType, c.bundle)
			out, err := a.Submit(ctx, op, start, inquire(t, a, l, ref, c.under))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.ReadBundle(ctx, op, start, hash); err != nil { // somebody looks at what it is
				t.Fatal(err)
			}
			err = a.Approve(ctx, start, out.ID, 1)
			if c.pass {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), seenID) {
				t.Fatalf("approved: %v", err)
			}
			r, err := a.Release(ctx, op, start, out.ID)
			if err != nil || r.Outgoing.State != station.Awaiting || r.Have != 0 {
				t.Errorf("after the refusal: %+v, %v", r, err)
			}
			checkRefused(t, a, "approve", out.ID)
		})
	}
}

// checkRefused demands that the audit trail has a refusal.
func checkRefused(t *testing.T, e stationtest.End, act string, id message.ID) {
	t.Helper()
	trail, err := e.AuditTrail(ctx, op, start, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range trail {
		if l.Act == act && l.Object == id.String() && l.Result == "refused" {
			return
		}
	}
	t.Errorf("the audit trail has no refused %s of %s", act, id)
}
