package station_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

var op = stationtest.Operator()

// draft600 submits a message that needs two officers, and leaves it before them.
func draft600(t *testing.T, e stationtest.End, now time.Time, d station.Draft) station.Outgoing {
	t.Helper()
	params, err := e.Book().Compose("600", []string{"text=good day"})
	if err != nil {
		t.Fatal(err)
	}
	d.Format, d.Params, d.Language = "600", params, "en"
	d.Marking.TLP = "AMBER"
	out, err := e.Submit(ctx, op, now, d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signs lets an officer decide over what awaits release, as a changed request
// if change is given.
func signs(t *testing.T, e stationtest.End, o stationtest.Officer, id message.ID, decision string, change func(*identity.Request)) identity.Approval {
	t.Helper()
	r, err := e.Release(ctx, op, start, id)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Request("releasing", decision)
	if change != nil {
		change(&q)
	}
	a, err := o.Sign(q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// lastRefusal returns what the audit trail says of the last refusal.
func lastRefusal(t *testing.T, e stationtest.End) station.Audit {
	t.Helper()
	trail, err := e.AuditTrail(ctx, op, start, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range slices.Backward(trail) {
		if l.Result == "refused" {
			return l
		}
	}
	t.Fatal("the audit trail holds no refusal")
	return station.Audit{}
}

// What an officer signed counts for exactly that: not twice, not for another
// body, request, policy, expiry or role, and not by somebody who is no officer.
// covers P8 P22
func TestReleaseRefusals(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	out := draft600(t, a, now, station.Draft{Line: l})
	other := draft600(t, a, now, station.Draft{Line: l})
	first, second := a.Cast.Officers[0], a.Cast.Officers[1]
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, first, out.ID, "approve", nil)); err != nil {
		t.Fatal(err)
	}
	outsider, err := a.Cast.NewOfficer("ARD-77", []string{"releasing"})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		who    stationtest.Officer
		change func(*identity.Request)
		says   string
	}{
		"the same officer again": {first, nil, "one officer counts once"},
		"another body":           {second, func(r *identity.Request) { r.Body = identity.Sum([]byte("x")) }, "another body"},
		"another request":        {second, func(r *identity.Request) { r.ID[0] ^= 1 }, "another body"},
		"another policy":         {second, func(r *identity.Request) { r.Policy = identity.Sum([]byte("x")) }, "another body"},
		"a later expiry":         {second, func(r *identity.Request) { r.Expires = r.Expires.Add(time.Hour) }, "another body"},
		"a role not held":        {second, func(r *identity.Request) { r.Role = "negotiating" }, "does not hold the role"},
		"no officer here":        {outsider, nil, "ARD-77"},
		"the counterpart's":      {b.Cast.Officers[0], nil, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, c.who, out.ID, "approve", c.change))
			if !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if l := lastRefusal(t, a); l.Object != out.ID.String() || l.Act != "approve" {
				t.Errorf("the audit trail says %+v", l)
			}
		})
	}
	if _, err := a.Station.Approve(ctx, op, now, other.ID, signs(t, a, second, out.ID, "approve", nil)); !errors.Is(err, station.ErrRefused) {
		t.Errorf("an approval of one message was taken for another: %v", err)
	}
	if q, err := a.Outgoing(ctx, op, now, out.ID); err != nil || q.State != station.Awaiting {
		t.Errorf("after the refusals: %+v, %v", q, err)
	}
	if err := a.CheckAudit(ctx); err != nil {
		t.Error(err)
	}
}

// A request ends by a rejection, by withdrawal, or by its time; nothing
// approves it after that.
// covers P2
func TestReleaseEnds(t *testing.T) {
	a, _, l := pair(t)
	now := start.Add(time.Minute)
	officer := a.Cast.Officers[0]
	ends := map[string]struct {
		do   func(id message.ID, approval identity.Approval) error
		want station.OutState
	}{
		"rejected": {func(id message.ID, _ identity.Approval) error {
			_, err := a.Station.Approve(ctx, op, now, id, signs(t, a, officer, id, "reject", nil))
			return err
		}, station.Rejected},
		"withdrawn": {func(id message.ID, _ identity.Approval) error {
			_, err := a.Withdraw(ctx, op, now, id, "said by telephone")
			return err
		}, station.Withdrawn},
		"expired": {func(message.ID, identity.Approval) error { return a.Tick(ctx, now.Add(5*time.Hour)) }, station.Expired},
	}
	for _, name := range []string{"rejected", "withdrawn", "expired"} {
		out := draft600(t, a, now, station.Draft{Line: l})
		approval := signs(t, a, a.Cast.Officers[1], out.ID, "approve", nil)
		if err := ends[name].do(out.ID, approval); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		q, err := a.Outgoing(ctx, op, now, out.ID)
		if err != nil || q.State != ends[name].want || q.Reason == "" || q.Next == "" {
			t.Errorf("%s: %+v, %v", name, q, err)
		}
		if _, err := a.Station.Approve(ctx, op, now, out.ID, approval); err == nil {
			t.Errorf("%s: it was approved afterwards", name)
		}
	}
}

// A FLASH may go on one officer's word, marked so. Both sides know until when
// it is to be confirmed, and that it was, and whether in time.
// covers P8 P10
func TestProvisional(t *testing.T) {
	for name, after := range map[string]time.Duration{"in time": 10 * time.Minute, "late": 40 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			a, b, l := pair(t)
			now := start.Add(time.Minute)
			params, err := a.Book().Compose("222", []string{"activity=availability", "window=2026-11-23T13:00:00Z/2026-11-23T13:30:00Z", "assets=domain:grid.example", "certainty=likely"})
			if err != nil {
				t.Fatal(err)
			}
			out, err := a.Submit(ctx, op, now, station.Draft{Line: l, Format: "222", Precedence: message.Flash, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.ReleaseAlone(ctx, op, now, out.ID); !errors.Is(err, station.ErrRefused) {
				t.Errorf("it went without any officer: %v", err)
			}
			if err := a.Approve(ctx, now, out.ID, 1); err != nil {
				t.Fatal(err)
			}
			if _, err := a.ReleaseAlone(ctx, op, now, out.ID); err != nil {
				t.Fatal(err)
			}
			if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
				t.Fatal(err)
			}
			got, err := b.ReadMessage(ctx, op, now, out.ID)
			if err != nil || !got.Provisional || got.Problem != "" {
				t.Fatalf("%+v, %v", got, err)
			}
			then := now.Add(after)
			if _, err := a.Say(ctx, then, station.Draft{Line: l, Format: "018", Refs: []message.ID{out.ID}}, "decision=confirm", "reason=reviewed"); err != nil {
				t.Fatal(err)
			}
			if err := stationtest.Settle(ctx, then, l, a, b); err != nil {
				t.Fatal(err)
			}
			for _, e := range []stationtest.End{b, a} { // whose messages list the receipts
				if _, err := e.Say(ctx, then.Add(time.Minute), station.Draft{Line: l, Format: "600"}, "text=noted"); err != nil {
					t.Fatal(err)
				}
				if err := stationtest.Settle(ctx, then.Add(time.Minute), l, a, b); err != nil {
					t.Fatal(err)
				}
			}
			checkLine(t, l, a, b)
			st, err := b.State(ctx, op, l)
			if err != nil {
				t.Fatal(err)
			}
			stages := st.Messages[out.ID]
			if !stages.ConfirmBy.Equal(now.Add(30*time.Minute)) || stages.Settled != "confirm" || stages.Late != (name == "late") {
				t.Errorf("%+v", stages)
			}
		})
	}
}

// One officer's word is not enough where the policy does not say so.
// covers P8
func TestNotAlone(t *testing.T) {
	a, _, l := pair(t)
	now := start.Add(time.Minute)
	out := draft600(t, a, now, station.Draft{Line: l})
	if err := a.Approve(ctx, now, out.ID, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ReleaseAlone(ctx, op, now, out.ID); !errors.Is(err, station.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
