package station_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// behind submits a message that waits, released, for another that awaits
// release, and returns both.
func behind(t *testing.T, a stationtest.End, now time.Time, l identity.Line, first station.Draft) (before, out station.Outgoing) {
	t.Helper()
	var err error
	if first.Format == "" {
		before = draft600(t, a, now, first)
	} else if before, err = a.Submit(ctx, op, now, first); err != nil {
		t.Fatal(err)
	}
	out = draft600(t, a, now, station.Draft{Line: l, Refs: []message.ID{before.ID}})
	if err := a.Approve(ctx, now, out.ID, 2); err != nil {
		t.Fatal(err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Waiting || !strings.Contains(q.Reason, before.ID.String()) {
		t.Fatalf("it does not wait for the other: %+v", q)
	}
	return before, out
}

func queued(t *testing.T, e stationtest.End, now time.Time, id message.ID) station.Outgoing {
	t.Helper()
	q, err := e.Outgoing(ctx, op, now, id)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// newPolicy is a draft of a release policy that differs from the default.
func newPolicy(t *testing.T, l identity.Line, change func(*message.Policy)) station.Draft {
	t.Helper()
	p := message.DefaultPolicy()
	change(&p)
	params, err := p.Params()
	if err != nil {
		t.Fatal(err)
	}
	params["from_entry"] = []byte("2")
	return station.Draft{Line: l, Format: "005", Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params}
}

// arrives settles the line and checks that the counterpart accepts a message.
func arrives(t *testing.T, l identity.Line, a, b stationtest.End, now time.Time, id message.ID) {
	t.Helper()
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	got, err := b.ReadMessage(ctx, op, now, id)
	if err != nil || got.Problem != "" {
		t.Fatalf("at the counterpart: %q %q, %v", got.Problem, got.Field, err)
	}
}

// What was approved under one release policy does not leave under the next,
// not even in the commit that brings it: the officers sign anew, each of them.
// covers P8
func TestApprovedUnderAnotherPolicy(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	policy, out := behind(t, a, now, l, newPolicy(t, l, func(p *message.Policy) { p.Rules[5].ConfirmWithin = time.Hour }))
	if err := a.Approve(ctx, now, policy.ID, 2); err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, policy.ID)
	q := queued(t, a, now, out.ID)
	if q.State != station.Awaiting || len(q.Approvals) != 0 || !strings.Contains(q.Reason, "no longer in force") {
		t.Fatalf("after the change of policy: %+v", q)
	}
	if err := a.Approve(ctx, now, out.ID, 2); err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, out.ID)
	checkLine(t, l, a, b)
}

// One approval under the old policy and one under the new are not two.
// covers P8
func TestPolicyChangesBetweenApprovals(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	out := draft600(t, a, now, station.Draft{Line: l})
	if err := a.Approve(ctx, now, out.ID, 1); err != nil {
		t.Fatal(err)
	}
	policy, err := a.Submit(ctx, op, now, newPolicy(t, l, func(p *message.Policy) { p.Rules[5].ConfirmWithin = time.Hour }))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, now, policy.ID, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, a.Cast.Officers[1], out.ID, "approve", nil)); err != nil {
		t.Fatal(err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Awaiting {
		t.Fatalf("%+v", q)
	}
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, a.Cast.Officers[0], out.ID, "approve", nil)); err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, out.ID)
}

// Who is revoked, or whose certificate has ended, when a message gets its place
// does not count any more.
// covers P8
func TestOfficerGoneBeforeAppending(t *testing.T) {
	for _, name := range []string{"revoked", "certificate ended"} {
		t.Run(name, func(t *testing.T) {
			a, b, l := pair(t)
			now := start.Add(time.Minute)
			gone, err := shortLived(a, "ARD-09", start.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.AddOfficer(ctx, op, now, "a guest", gone.Certificate); err != nil {
				t.Fatal(err)
			}
			before := draft600(t, a, now, station.Draft{Line: l})
			out := draft600(t, a, now, station.Draft{Line: l, Refs: []message.ID{before.ID}})
			for _, o := range []stationtest.Officer{gone, a.Cast.Officers[1]} {
				if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, o, out.ID, "approve", nil)); err != nil {
					t.Fatal(err)
				}
			}
			if name == "revoked" {
				if err := a.RevokeOfficer(ctx, op, now, gone.Pseudonym); err != nil {
					t.Fatal(err)
				}
			} else {
				now = now.Add(2 * time.Hour)
			}
			if err := a.Approve(ctx, now, before.ID, 2); err != nil {
				t.Fatal(err)
			}
			if q := queued(t, a, now, out.ID); q.State != station.Awaiting || len(q.Approvals) != 1 {
				t.Fatalf("%+v", q)
			}
			if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, a.Cast.Officers[0], out.ID, "approve", nil)); err != nil {
				t.Fatal(err)
			}
			arrives(t, l, a, b, now, out.ID)
		})
	}
}

// shortLived certifies an officer until a time.
func shortLived(e stationtest.End, pseudonym string, until time.Time) (stationtest.Officer, error) {
	key, err := identity.GenerateKey(identity.UseOfficer, rand.Reader)
	if err != nil {
		return stationtest.Officer{}, err
	}
	c := e.Cast.Card
	cert, err := identity.IssueCertificate(c.Agency, e.Cast.Agency, identity.Certificate{
		Party: c.Party, Station: c.Station, Pseudonym: pseudonym, Roles: []string{"releasing"}, From: c.From, To: until,
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: key.Public()},
	})
	return stationtest.Officer{Pseudonym: pseudonym, Key: key, Certificate: cert}, err
}

// A policy that would let fewer than two change it, or nobody, or that has the
// station wait for officers with what it says by itself, is none.
// covers P8 P15
func TestPoliciesThatAreNone(t *testing.T) {
	a, _, l := pair(t)
	for name, change := range map[string]func(*message.Policy){
		"one changes it":       func(p *message.Policy) { p.Rules[2].Officers = 1 },
		"nobody can change it": func(p *message.Policy) { p.Rules = p.Rules[:2] },
		"alone at FLASH":       func(p *message.Policy) { p.Rules = append(p.Rules[:2], p.Rules[5:]...) },
		"refusals wait":        func(p *message.Policy) { p.Rules = p.Rules[1:] },
	} {
		_, err := a.Submit(ctx, op, start, newPolicy(t, l, change))
		var field *message.FieldError
		if !errors.Is(err, station.ErrInvalid) || !errors.As(err, &field) || field.Next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is wrong with one line, or one message, holds up no other.
// covers P2
func TestOneLineHoldsUpNoOther(t *testing.T) {
	a, _, l := pair(t)
	far := start.AddDate(0, 14, 0) // beyond the months that Boreal's card seals for
	out := draft600(t, a, far, station.Draft{Line: l})
	if err := a.Approve(ctx, far, out.ID, 2); err != nil {
		t.Fatalf("a card without a key for the month fails the approval: %v", err)
	}
	if q := queued(t, a, far, out.ID); q.State != station.Waiting || !strings.Contains(q.Reason, "sealing key") || q.Next == "" {
		t.Errorf("%+v", q)
	}
	if err := a.Tick(ctx, far); err != nil {
		t.Errorf("the station is stuck: %v", err)
	}
}

// A message that no entry can hold ends with its reason; what waits behind it
// goes on.
// covers P2
func TestTooLargeForAnEntry(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	fourth, err := a.Cast.NewOfficer("ARD-04", []string{"releasing"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddOfficer(ctx, op, now, "the fourth", fourth.Certificate); err != nil {
		t.Fatal(err)
	}
	var refs []message.ID
	for range message.MaxRefs {
		ref, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=short")
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref.ID)
	}
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	policy, err := a.Submit(ctx, op, now, newPolicy(t, l, func(p *message.Policy) { p.Rules[6].Officers = 4 }))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, now, policy.ID, 2); err != nil {
		t.Fatal(err)
	}
	a.Cast.Officers = append(a.Cast.Officers, fourth)
	params, err := a.Book().Compose("600", []string{"text=" + strings.Repeat("\x01", 4000)})
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.Submit(ctx, op, now, station.Draft{Line: l, Format: "600", Refs: refs, Params: params, Language: "en", Marking: message.Marking{TLP: "AMBER"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, now, out.ID, 4); err != nil {
		t.Fatal(err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Rejected || !strings.Contains(q.Reason, "larger than an entry") || q.Next == "" {
		t.Fatalf("%s: %s; %s", q.State, q.Reason, q.Next)
	}
	test, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=short")
	if err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, test.ID)
}
