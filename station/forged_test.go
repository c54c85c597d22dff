package station_test

import (
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/station"
)

// found checks a verdict, and that a finding of a check says why.
func found(t *testing.T, r record.Report, verdict record.Verdict, check record.Check, says string) {
	t.Helper()
	if r.Verdict != verdict {
		t.Errorf("verdict %s and not %s: %+v", r.Verdict, verdict, r.Findings)
		return
	}
	for _, f := range r.Findings {
		if f.Check == check && strings.Contains(f.Reason+" "+f.Detail, says) {
			return
		}
	}
	t.Errorf("no finding of check %d says %q: %+v", check, says, r.Findings)
}

// A log that its writer and a reader in league have written has both their
// signatures; what no two officers approved is found all the same, and what the
// honest reader refused does not spoil the rest.
// covers P8 P19
//
// long: a table of forgeries
func TestForgedLogs(t *testing.T) {
	at := start.Add(time.Minute)
	theirs := identity.Origin{Writer: bor, Reader: arden, Class: identity.Notification, Era: 1}
	own := identity.Origin{Writer: arden, Reader: bor, Class: identity.Notification, Era: 1}
	// base is a log with a policy and one good message.
	base := func(f *forger) []message.Entry {
		return []message.Entry{
			f.release(f.policy(bor), at, message.Bootstrap(), 2), f.release(f.body(bor, "600", "text=good"), at, message.DefaultPolicy(), 2),
		}
	}
	cases := map[string]struct {
		more    func(*forger, []message.Entry) []message.Entry
		verdict record.Verdict
		check   record.Check
		says    string
	}{
		"nothing": {func(*forger, []message.Entry) []message.Entry { return nil }, record.Valid, 0, ""},
		"the same body again": {func(_ *forger, e []message.Entry) []message.Entry { return e[1:2] },
			record.Invalid, record.CheckApprovals, "no approval serves twice"},
		"one officer": {func(f *forger, _ []message.Entry) []message.Entry {
			return []message.Entry{f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 1)}
		}, record.Invalid, record.CheckPolicy, "1 of 2"},
		"one officer twice": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 1)
			e.Wrapper.Approvals = append(e.Wrapper.Approvals, e.Wrapper.Approvals[0])
			return []message.Entry{e}
		}, record.Invalid, record.CheckPolicy, "1 of 2"},
		"under another policy": {func(f *forger, _ []message.Entry) []message.Entry {
			return []message.Entry{f.release(f.body(bor, "600", "text=x"), at, message.Bootstrap(), 2)}
		}, record.Invalid, record.CheckApprovals, "another release policy"},
		"approvals of another body": {func(f *forger, e []message.Entry) []message.Entry {
			return []message.Entry{{Body: f.body(bor, "600", "text=x"), Wrapper: e[1].Wrapper}}
		}, record.Invalid, record.CheckApprovals, "another message"},
		"after the approvals expired": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 2)
			e.Wrapper.At = at.Add(time.Hour)
			return []message.Entry{e}
		}, record.Invalid, record.CheckApprovals, "expired"},
		"a second that falls": {func(f *forger, _ []message.Entry) []message.Entry {
			return []message.Entry{f.release(f.body(bor, "600", "text=x"), at.Add(-time.Second), message.DefaultPolicy(), 2)}
		}, record.Invalid, record.CheckTime, "falls behind"},
		"after the card ended": {func(f *forger, _ []message.Entry) []message.Entry {
			return []message.Entry{f.release(f.body(bor, "600", "text=x"), f.casts[bor].Card.To, message.DefaultPolicy(), 0)}
		}, record.Invalid, record.CheckCards, "had ended"},
		"not PROVISIONAL though alone": {func(f *forger, _ []message.Entry) []message.Entry {
			b := f.body(bor, "600", "text=x").Body()
			b.Precedence = message.Flash
			frozen, err := b.Freeze()
			f.must(err)
			return []message.Entry{f.release(frozen, at, message.DefaultPolicy(), 1)}
		}, record.Invalid, record.CheckPolicy, "1 of 2"},
		"another direction": {func(f *forger, _ []message.Entry) []message.Entry {
			return []message.Entry{f.release(f.body(arden, "600", "text=x"), at, message.DefaultPolicy(), 2)}
		}, record.Invalid, record.CheckBody, "direction"},
		"a policy that one may change": {func(f *forger, _ []message.Entry) []message.Entry {
			p := message.DefaultPolicy()
			p.Rules[2].Officers = 1
			params, err := p.Params()
			f.must(err)
			b := f.policy(bor).Body()
			params["from_entry"] = b.Params["from_entry"]
			b.Params = params
			frozen, err := b.Freeze()
			f.must(err)
			return []message.Entry{f.release(frozen, at, message.DefaultPolicy(), 2)}
		}, record.Invalid, record.CheckBody, "fewer than 2"},
		"it has seen what was not": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 2)
			e.Wrapper.Seen = message.Head{Era: 1, Size: 1, Root: identity.Sum([]byte("x"))}
			return []message.Entry{e}
		}, record.Invalid, record.CheckSeen, "another root"},
		"two entries have seen two histories": {func(f *forger, _ []message.Entry) []message.Entry {
			var list []message.Entry
			for _, root := range []string{"x", "y"} {
				e := f.release(f.body(bor, "600", "text="+root), at, message.DefaultPolicy(), 2)
				e.Wrapper.Seen = message.Head{Era: 1, Size: 9, Root: identity.Sum([]byte(root))}
				list = append(list, e)
			}
			return list
		}, record.Invalid, record.CheckSeen, "than an entry before it"},
		"it lists another second": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 2)
			e.Wrapper.Receipts = []message.Listed{{Era: 1, Size: 1, At: at.Add(-time.Hour)}}
			return []message.Entry{e}
		}, record.Invalid, record.CheckSeen, "another second"},
		"more of the other log than is here": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 2)
			e.Wrapper.Seen = message.Head{Era: 1, Size: 9, Root: identity.Sum([]byte("x"))}
			return []message.Entry{e}
		}, record.Indeterminate, record.CheckComplete, "has 9 entries"},
		"a log that is not here": {func(f *forger, _ []message.Entry) []message.Entry {
			e := f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 2)
			e.Wrapper.Seen = message.Head{Era: 2, Size: 1, Root: identity.Sum([]byte("x"))}
			return []message.Entry{e}
		}, record.Indeterminate, record.CheckComplete, "not in the record"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			entries := base(f)
			f.log(theirs, at, append(entries, c.more(f, entries)...)...)
			f.log(own, at, f.release(f.policy(arden), at, message.Bootstrap(), 2))
			r := f.verify()
			if c.says == "" {
				if r.Verdict != record.Valid || r.Verified != 3 {
					t.Errorf("%+v", r)
				}
				return
			}
			found(t, r, c.verdict, c.check, c.says)
		})
	}
	t.Run("refused by its reader", func(t *testing.T) {
		f := newForger(t)
		f.log(theirs, at, append(base(f), f.release(f.body(bor, "600", "text=x"), at, message.DefaultPolicy(), 1))...)
		f.log(own, at, f.release(f.policy(arden), at, message.Bootstrap(), 2), f.release(f.body(arden, "002", "era=1", "index=2", "reason=authority"), at, message.DefaultPolicy(), 0))
		r := f.verify()
		found(t, r, record.Indeterminate, record.CheckPolicy, "counts for nothing")
		if r.Messages != 5 || r.Verified != 4 {
			t.Errorf("%+v", r)
		}
	})
}

// A passkey's approval counts like a key file's, at an offline verifier too, and
// one person with both counts once.
// covers P8 P19
func TestRecordOfPasskeys(t *testing.T) {
	at := start.Add(time.Minute)
	own := identity.Origin{Writer: arden, Reader: bor, Class: identity.Notification, Era: 1}
	for name, c := range map[string]struct {
		pseudonym string
		verdict   record.Verdict
	}{"another officer": {"ARD-09", record.Valid}, "the same officer": {"ARD-01", record.Invalid}} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			e := f.release(f.body(arden, "600", "text=x"), at, message.DefaultPolicy(), 1)
			e.Wrapper.Approvals = append(e.Wrapper.Approvals, f.passkey(c.pseudonym, e.Wrapper.Approvals[0].Request))
			f.log(own, at, f.release(f.policy(arden), at, message.Bootstrap(), 2), e)
			if r := f.verify(); r.Verdict != c.verdict {
				t.Errorf("%+v", r)
			}
		})
	}
}

// An entry whose first receipt came after its approvals had expired is named:
// that it was appended in time only its writer says.
// covers P8
func TestLapsedApprovals(t *testing.T) {
	at := start.Add(time.Minute)
	f := newForger(t)
	own := identity.Origin{Writer: arden, Reader: bor, Class: identity.Notification, Era: 1}
	f.log(own, at.Add(2*time.Hour), f.release(f.policy(arden), at, message.Bootstrap(), 2), f.release(f.body(arden, "600", "text=x"), at, message.DefaultPolicy(), 2))
	if r := f.verify(); r.Verdict != record.Valid || len(r.Lapsed) != 2 || r.Lapsed[1] != "ARD/BOR-N1-1" {
		t.Errorf("%+v", r)
	}
}

// Whoever alters a file and the manifest with it is found out: each byte of each
// file is covered by something else than the manifest.
// covers P19
func TestRecordRewritten(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Message: "first", Disclose: true})
	good := unpack(t, file)
	if r := verify(t, good.pack(t), roots); r.Verdict == record.Invalid {
		t.Fatalf("unaltered: %+v", r.Findings)
	}
	for name := range good {
		if name == "manifest.txt" {
			continue
		}
		whole := good[name]
		stride := max(1, len(whole)/150)
		for i := 0; i < len(whole); i += stride {
			bad := unpack(t, file)
			bad[name][i] ^= 1 << (i / stride % 8)
			if r := verify(t, bad.pack(t), roots); r.Verdict != record.Invalid {
				t.Errorf("byte %d of %s is changed, and the record is %s", i, name, r.Verdict)
			}
		}
		bad := unpack(t, file)
		bad[name] = append(bad[name], '\n')
		if r := verify(t, bad.pack(t), roots); r.Verdict != record.Invalid {
			t.Errorf("a line end is added to %s, and the record is %s", name, r.Verdict)
		}
	}
}

// What lies in a record and belongs to nothing in it, or is said to be there
// and is not, is found.
// covers P19
func TestRecordContradicts(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Disclose: true})
	cases := map[string]struct {
		change  func(members)
		verdict record.Verdict
	}{
		"a file more": {func(m members) { m["translation.txt"] = []byte("they admit it") }, record.Invalid},
		"cards of a third": {func(m members) {
			m["cards/x.cards"] = m["cards/nrrc.arden.example.cards"]
		}, record.Invalid},
		"a spaced index": {func(m members) { m["record.json"] = append([]byte(" "), m["record.json"]...) }, record.Invalid},
		"an index twice": {func(m members) {
			m.index(t, func(x *indexOf) { x.Logs[0].Indexes = append([]int64{0}, x.Logs[0].Indexes...) })
		}, record.Invalid},
		"a log twice":  {func(m members) { m.index(t, func(x *indexOf) { x.Logs = append(x.Logs, x.Logs[0]) }) }, record.Invalid},
		"a key hidden": {func(m members) { delete(m, "ARD-BOR-N1/00000001/filekey") }, record.Invalid},
		"a key hidden and unsaid": {func(m members) {
			delete(m, "ARD-BOR-N1/00000002/filekey")
			m.index(t, func(x *indexOf) { x.Logs[0].Disclosed = append(x.Logs[0].Disclosed[:2], x.Logs[0].Disclosed[3:]...) })
		}, record.Indeterminate},
		"the end cut off, which the other log has seen": {func(m members) {
			for n := range m {
				if strings.HasPrefix(n, "BOR-ARD-N1/00000002/") {
					delete(m, n)
				}
			}
			m.index(t, func(x *indexOf) {
				l := &x.Logs[1]
				l.Size, l.Indexes, l.Disclosed = 2, l.Indexes[:2], l.Disclosed[:2]
			})
		}, record.Indeterminate},
		"a receipt of none": {func(m members) {
			delete(m, "ARD-BOR-N1/00000003/proof.tlog-proof")
			m.index(t, func(x *indexOf) { x.Logs[0].Unproven = []int64{3} })
		}, record.Indeterminate},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, file)
			c.change(m)
			if r := verify(t, m.pack(t), roots); r.Verdict != c.verdict {
				t.Errorf("%s: %+v", r.Verdict, r.Findings)
			}
		})
	}
}
