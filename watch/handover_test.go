package watch_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

// officers are an agency's key and officers who sign with key files.
type officers struct {
	agency identity.PrivateKey
	keys   map[string]identity.PrivateKey
	certs  map[string][]byte
}

const nrrc identity.Agency = "nrrc.arden.example"

func newOfficers(t testing.TB, station identity.Station, names ...string) officers {
	t.Helper()
	key := func(u identity.Use) identity.PrivateKey {
		k, err := identity.GenerateKey(u, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	o := officers{key(identity.UseAgency), map[string]identity.PrivateKey{}, map[string][]byte{}}
	for _, n := range names {
		k := key(identity.UseOfficer)
		cert, err := identity.IssueCertificate(nrrc, o.agency, identity.Certificate{Party: "arden.example", Station: station, Pseudonym: n, Roles: []string{"watch"},
			From: monday, To: monday.AddDate(1, 0, 0), Credential: identity.Credential{Kind: identity.CredentialKey, Key: k.Public()}})
		if err != nil {
			t.Fatal(err)
		}
		o.keys[n], o.certs[n] = k, cert
	}
	return o
}

// agencies is the card by which the officers' certificates verify.
func (o officers) agencies() identity.Agencies {
	return identity.Agencies{{Party: "arden.example", Agency: nrrc, Key: o.agency.Public(), From: monday, To: monday.AddDate(1, 0, 0)}}
}

func (o officers) sign(t testing.TB, name string, r identity.Request) identity.Approval {
	t.Helper()
	a, err := identity.ApproveWithKey(o.keys[name], o.certs[name], r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func morning() watch.Sheet {
	now := at("2026-11-24T08:00:00Z")
	return watch.Sheet{
		Station: arden, Desk: "watch", At: now, Out: []string{"ARD-W-02", "ARD-W-01"}, In: []string{"ARD-W-03", "ARD-W-04"},
		Unacked:   []watch.OpenItem{{Ref: "BOR/ARD-N1-18", What: "210", Since: now.Add(-time.Hour)}, {Ref: "BOR/ARD-N1-17", What: "013", Since: now.Add(-2 * time.Hour), Detail: "Asks which host is meant."}},
		Lines:     []watch.LineSummary{{Line: theLine, Phase: watch.LineInService, Desk: "manned", LastTest: watch.SlotAnswered, Missed: 1}},
		Deadlines: []watch.Deadline{{Ref: "BOR/ARD-N1-18", What: "211", By: arden, At: now.Add(11 * time.Hour)}, {Ref: "ARD/BOR-N1-4", What: "012", By: boreal, At: now.Add(-time.Minute)}, {Ref: "BOR/ARD-N1-2", What: "211", By: arden, At: now.Add(13 * time.Hour)}},
		Waiting:   []watch.OpenItem{{Ref: "0a0b0c0d0e0f00010203040506070809", What: "211", Since: now.Add(-time.Minute)}},
		Alarms:    []watch.Group{{Key: watch.Key{Kind: watch.DutyLapsed, Line: theLine}, Level: message.Immediate, Count: 1, Open: 1, Since: now.Add(-time.Minute)}},
		Outages:   []watch.Outage{{By: boreal, Said: now.Add(-time.Hour), Planned: true, Bearers: []string{"relay"}, From: now.Add(time.Hour), To: now.Add(2 * time.Hour)}, {By: boreal, Said: now.AddDate(0, 0, -9), Bearers: []string{"relay"}, From: now.AddDate(0, 0, -9), To: now.AddDate(0, 0, -8)}},
		Calls:     []watch.OpenItem{{Ref: "log:41", What: "025", Since: now.Add(-3 * time.Hour)}},
		Remarks:   []watch.Remark{{Language: "en", Text: "The relay's fan is loud again."}},
	}
}

func TestAHandover(t *testing.T) {
	sheet, err := watch.NewSheet(morning())
	if err != nil {
		t.Fatal(err)
	}
	// The own side's deadlines stand first, though the other's ran out before.
	if len(sheet.Deadlines) != 2 || sheet.Deadlines[0].Late || sheet.Deadlines[0].By != arden || !sheet.Deadlines[1].Late || len(sheet.Outages) != 1 || sheet.Unacked[0].Ref != "BOR/ARD-N1-17" || sheet.Out[0] != "ARD-W-01" {
		t.Errorf("the sheet is not in order: %+v", sheet)
	}
	again, err := watch.ParseSheet(sheet.Bytes())
	if err != nil || !bytes.Equal(again.Bytes(), sheet.Bytes()) {
		t.Fatalf("a sheet does not survive being written: %v", err)
	}
	w := words(t)
	for _, l := range book.Langs() {
		text, err := w.Sheet(sheet, l)
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		for _, part := range []string{"BOR/ARD-N1-17", "BOR/ARD-N1-18", "duty-lapsed", "relay", "log:41", "The relay's fan is loud again.", sheet.Digest().String()} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the sheet does not show %q", l, part)
			}
		}
	}
}

// covers P8
func TestBothOfficersSignAHandover(t *testing.T) {
	o := newOfficers(t, arden, "ARD-W-01", "ARD-W-02", "ARD-W-03", "ARD-W-07")
	sheet, err := watch.NewSheet(morning())
	if err != nil {
		t.Fatal(err)
	}
	other := sheet
	other.Remarks = nil
	r := sheet.Request("watch")
	for name, c := range map[string]struct {
		approvals []identity.Approval
		want      string
	}{
		"one goes, one comes": {[]identity.Approval{o.sign(t, "ARD-W-01", r), o.sign(t, "ARD-W-03", r)}, ""},
		"only who goes":       {[]identity.Approval{o.sign(t, "ARD-W-01", r), o.sign(t, "ARD-W-02", r)}, "none of those who come"},
		"only who comes":      {[]identity.Approval{o.sign(t, "ARD-W-03", r)}, "none of those who go"},
		"a third":             {[]identity.Approval{o.sign(t, "ARD-W-01", r), o.sign(t, "ARD-W-07", r)}, "none of those who come"},
		"over another sheet":  {[]identity.Approval{o.sign(t, "ARD-W-01", r), o.sign(t, "ARD-W-03", other.Request("watch"))}, "none of those who come"},
		"in a role not held":  {[]identity.Approval{o.sign(t, "ARD-W-01", r), o.sign(t, "ARD-W-03", sheet.Request("releasing"))}, "does not hold"},
		"another one's key":   {[]identity.Approval{o.sign(t, "ARD-W-01", r), {Request: r, Certificate: o.certs["ARD-W-03"], Proof: o.sign(t, "ARD-W-01", r).Proof}}, "does not verify"},
		"nobody":              {nil, "none of those who go"},
	} {
		err := sheet.Signed(c.approvals, o.agencies(), sheet.At)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// One person on both sides of a handover is one person.
	same := sheet
	same.In = []string{"ARD-W-01"}
	if err := same.Signed([]identity.Approval{o.sign(t, "ARD-W-01", same.Request("watch"))}, o.agencies(), sheet.At); err == nil || !strings.Contains(err.Error(), "for both") {
		t.Errorf("one officer hands over to himself: %v", err)
	}
}

// covers P16
func TestNoHandoverWithAnUnreadFlash(t *testing.T) {
	s := morning()
	for i := range 5 {
		s.FlashUnread = append(s.FlashUnread, watch.OpenItem{Ref: fmt.Sprintf("BOR/ARD-N1-9%d", i), What: "222"})
	}
	_, err := watch.NewSheet(s)
	var unread *watch.UnreadFlashError
	if !errors.As(err, &unread) || len(unread.Messages) != 5 || !strings.Contains(err.Error(), "BOR/ARD-N1-90") || !strings.Contains(err.Error(), "and 2 more") {
		t.Errorf("a shift ends with an unread FLASH: %v", err)
	}
	if err := s.Check(); !errors.As(err, &unread) {
		t.Errorf("a sheet that was put together in code is right: %v", err)
	}
}

func TestALongSheetIsCutAndCounted(t *testing.T) {
	s := morning()
	for i := range 3 * watch.MaxItems {
		s.Waiting = append(s.Waiting, watch.OpenItem{Ref: fmt.Sprint(i), What: "211", Since: s.At})
	}
	sheet, err := watch.NewSheet(s)
	if err != nil || len(sheet.Waiting) != watch.MaxItems || sheet.More != 2*watch.MaxItems+1 {
		t.Errorf("%d waiting, %d more, %v", len(sheet.Waiting), sheet.More, err)
	}
}

func logOf() []watch.LogEntry {
	call := &watch.Call{Caller: boreal, Station: arden, From: at("2026-11-24T05:00:00Z"), To: at("2026-11-24T05:12:00Z"), Bearer: "voice", Officers: []string{"ARD-W-01"},
		Other: "watch officer", Agreed: []string{"Next line test by voice at 16:00Z."}, Open: []string{"Whether the scan goes on."}, Language: "en"}
	lines := []watch.LogEntry{
		{At: at("2026-11-24T00:00:00Z"), Kind: watch.LogShift, Ref: "night"},
		watch.Note{At: at("2026-11-24T02:00:00Z"), Event: watch.Raised, Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}, Count: 1}.Entry(),
		{At: at("2026-11-24T05:13:00Z"), Kind: watch.LogCall, Officer: "ARD-W-01", Call: call},
		{At: at("2026-11-24T06:00:00Z"), Kind: watch.LogRemark, Officer: "ARD-W-02", Remark: watch.Remark{Language: "ar", Text: "لا جديد"}},
	}
	var before watch.LogEntry
	for i, l := range lines {
		lines[i] = l.Chain(before)
		before = lines[i]
	}
	return lines
}

// covers P22
func TestLogBookChain(t *testing.T) {
	lines := logOf()
	if err := watch.CheckChain(watch.LogEntry{}, lines); err != nil {
		t.Fatal(err)
	}
	if err := watch.CheckChain(lines[1], lines[2:]); err != nil {
		t.Errorf("from the middle: %v", err)
	}
	for i, l := range lines {
		again, err := watch.ParseLogLine(l.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), l.Bytes()) {
			t.Errorf("line %d does not survive being written: %v", i, err)
		}
		altered := logOf()
		altered[i].At = altered[i].At.Add(time.Second)
		if err := watch.CheckChain(watch.LogEntry{}, altered); (err == nil) != (i == len(lines)-1) { // the last has nobody behind it yet
			t.Errorf("line %d was altered: %v", i, err)
		}
		missing := append(logOf()[:i], logOf()[i+1:]...)
		if err := watch.CheckChain(watch.LogEntry{}, missing); (err == nil) != (i == len(lines)-1) {
			t.Errorf("line %d is missing: %v", i, err)
		}
	}
	open := watch.UnconfirmedCalls(lines, nil)
	confirm := said(arden, "025", at("2026-11-24T07:00:00Z"), map[string]string{"caller": `"nrrc.boreal.example"`, "window": `{"from":"2026-11-24T05:00:00Z","to":"2026-11-24T05:12:00Z","zone":"UTC"}`, "bearer": `"voice"`, "agreed": `["x"]`})
	if len(open) != 1 || open[0].Number != 3 || len(watch.UnconfirmedCalls(lines, []watch.Said{confirm})) != 0 {
		t.Errorf("unconfirmed calls: %+v", open)
	}
}

func TestLogLinesThatAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*watch.LogEntry){
		"a call without points":  func(l *watch.LogEntry) { l.Call.Agreed, l.Call.Open = nil, nil },
		"a call to itself":       func(l *watch.LogEntry) { l.Call.Station = l.Call.Caller },
		"a call that ends first": func(l *watch.LogEntry) { l.Call.To = l.Call.From.Add(-time.Second) },
		"a call by nobody":       func(l *watch.LogEntry) { l.Officer = "" },
		"a call that is none":    func(l *watch.LogEntry) { l.Kind = watch.LogRemark },
		"a hidden character":     func(l *watch.LogEntry) { l.Call.Agreed[0] = "a\u200bb" },
		"an event":               func(l *watch.LogEntry) { l.Event = watch.Raised },
		"no number":              func(l *watch.LogEntry) { l.Number = 0 },
	} {
		l := logOf()[2]
		call := *l.Call
		l.Call = &call
		spoil(&l)
		if err := l.Check(); err == nil || !strings.Contains(err.Error(), "; ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func aChallenge() watch.Challenge {
	return watch.Challenge{ID: message.ID{1, 2}, Line: theLine, From: boreal, To: arden, Nonce: bytes.Repeat([]byte{7}, 16), Asked: at("2026-11-24T03:00:00Z")}
}

// covers P8
func TestChallenge(t *testing.T) {
	o := newOfficers(t, arden, "ARD-W-01")
	elsewhere := newOfficers(t, boreal, "ARD-W-01")
	c := aChallenge()
	good := o.sign(t, "ARD-W-01", c.Request("watch"))
	later := c
	later.Nonce = bytes.Repeat([]byte{8}, 16)
	mirrored := c
	mirrored.From, mirrored.To = arden, boreal
	for name, x := range map[string]struct {
		c    watch.Challenge
		a    identity.Approval
		when time.Duration
		ok   bool
	}{
		"in time":               {c, good, time.Minute, true},
		"in the last second":    {c, good, watch.AnswerWithin - time.Second, true},
		"too late":              {c, good, watch.AnswerWithin, false},
		"before it was asked":   {c, good, -time.Second, false},
		"of another nonce":      {later, good, time.Minute, false},
		"of the other way":      {mirrored, good, time.Minute, false},
		"of another station":    {c, elsewhere.sign(t, "ARD-W-01", c.Request("watch")), time.Minute, false},
		"an approval of a body": {c, o.sign(t, "ARD-W-01", identity.Request{Body: identity.Sum(c.Nonce), Role: "watch", Decision: "approve"}), time.Minute, false},
	} {
		cert, err := x.c.Verify(x.a, o.agencies(), x.c.Asked.Add(x.when))
		if (err == nil) != x.ok || x.ok && cert.Pseudonym != "ARD-W-01" {
			t.Errorf("%s: %v", name, err)
		}
	}
	short := c
	short.Nonce = []byte{1}
	if short.Check() == nil {
		t.Error("a nonce of one byte is accepted")
	}
}
