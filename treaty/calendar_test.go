package treaty

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // zones of elections are the same on every machine
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := ParseSecond(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func period(t testing.TB, s string) Period {
	t.Helper()
	p, err := ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Rule 2 and rule 4: days are blocks of 24 hours in UTC, months and years are of
// the calendar, with the last day where there is no such day.
func TestPeriods(t *testing.T) {
	for _, c := range []struct{ from, period, want string }{
		{"2026-08-31T10:20:30Z", "P6M", "2027-02-28T10:20:30Z"},
		{"2027-08-31T10:20:30Z", "P6M", "2028-02-29T10:20:30Z"},
		{"2028-02-29T00:00:00Z", "P1Y", "2029-02-28T00:00:00Z"},
		{"2028-02-29T00:00:00Z", "P4Y", "2032-02-29T00:00:00Z"},
		{"2096-02-29T00:00:00Z", "P4Y", "2100-02-28T00:00:00Z"}, // 2100 is no leap year
		{"2026-01-31T00:00:00Z", "P1M", "2026-02-28T00:00:00Z"},
		{"2026-01-31T00:00:00Z", "P2M", "2026-03-31T00:00:00Z"},
		{"2026-10-31T23:59:59Z", "P3Y", "2029-10-31T23:59:59Z"},
		{"2026-12-31T23:59:59Z", "P2M", "2027-02-28T23:59:59Z"},
		{"2026-02-28T00:00:00Z", "P1M", "2026-03-28T00:00:00Z"}, // the end of a month is no rule of its own
		{"2026-03-28T12:00:00Z", "P1D", "2026-03-29T12:00:00Z"}, // clocks change in Europe, not in UTC
		{"2016-12-31T12:00:00Z", "P1D", "2017-01-01T12:00:00Z"}, // across a leap second
		{"2028-02-28T00:00:00Z", "P1D", "2028-02-29T00:00:00Z"},
		{"2026-11-01T00:00:00Z", "PT72H", "2026-11-04T00:00:00Z"},
	} {
		if got := period(t, c.period).After(at(t, c.from)); !got.Equal(at(t, c.want)) {
			t.Errorf("%s after %s is %s, want %s", c.period, c.from, stamp(got), c.want)
		}
	}
}

// Before is the latest start that is early enough, and no later one is; it agrees
// with the search that tries each second around it.
func TestBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 20000 {
		p := Period{Months: 1 + r.IntN(40)}
		if r.IntN(3) == 0 {
			p = Period{Seconds: 1 + r.Int64N(400*dayS)}
		}
		end := time.Unix(1_700_000_000+r.Int64N(10*365*dayS), 0).UTC()
		last := p.Before(end)
		if p.After(last).After(end) || !p.After(last.Add(time.Second)).After(end) {
			t.Fatalf("%s before %s is %s: from there it ends %s, a second later %s", p, stamp(end), stamp(last), stamp(p.After(last)), stamp(p.After(last.Add(time.Second))))
		}
	}
	if got := stamp(period(t, "P6M").Before(at(t, "2026-08-31T12:00:00Z"))); got != "2026-02-28T23:59:59Z" {
		t.Error(got)
	}
}

// AddMonths against the obvious: day by day through the calendar.
func TestAddMonths(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 5000 {
		from := time.Unix(r.Int64N(100*365*dayS), 0).UTC()
		n := r.IntN(200) - 100
		month := from.Year()*12 + int(from.Month()) - 1 + n
		want := time.Date(month/12, time.Month(month%12+1), from.Day(), from.Hour(), from.Minute(), from.Second(), 0, time.UTC)
		for want.Year()*12+int(want.Month())-1 != month {
			want = want.AddDate(0, 0, -1)
		}
		if got := AddMonths(from, n); !got.Equal(want) {
			t.Fatalf("%s and %d months is %s, want %s", stamp(from), n, stamp(got), stamp(want))
		}
	}
}

// Rule 4 and rule 5: terms follow each other from entry into force; a denunciation
// runs across the end of one.
func TestTerms(t *testing.T) {
	term := Term{Period: period(t, "P3Y"), Renewal: period(t, "P3Y"), Notice: period(t, "P6M")}
	from := at(t, "2028-02-29T00:00:00Z")
	for _, c := range []struct {
		at   string
		n    int
		ends string
	}{
		{"2028-02-29T00:00:00Z", 1, "2031-02-28T00:00:00Z"},
		{"2031-02-27T23:59:59Z", 1, "2031-02-28T00:00:00Z"},
		{"2031-02-28T00:00:00Z", 2, "2034-02-28T00:00:00Z"},
		{"2038-01-01T00:00:00Z", 4, "2040-02-29T00:00:00Z"}, // counted from the first start
	} {
		if n, ends := term.TermAt(from, at(t, c.at)); n != c.n || stamp(ends) != c.ends {
			t.Errorf("at %s: term %d until %s, want %d until %s", c.at, n, stamp(ends), c.n, c.ends)
		}
	}
	if got := stamp(term.EndBy(at(t, "2030-10-31T08:00:00Z"), time.Time{})); got != "2031-04-30T08:00:00Z" {
		t.Errorf("a denunciation in the last six months ends %s", got)
	}
	if got := stamp(term.EndBy(at(t, "2030-01-01T00:00:00Z"), at(t, "2030-12-24T00:00:00Z"))); got != "2030-12-24T00:00:00Z" {
		t.Errorf("a later date that is named: %s", got)
	}
	if got := stamp(term.EndByTerm(from, at(t, "2029-01-01T00:00:00Z"))); got != "2031-02-28T00:00:00Z" {
		t.Errorf("no renewal, told in time: %s", got)
	}
	if got := stamp(term.EndByTerm(from, at(t, "2030-12-01T00:00:00Z"))); got != "2031-06-01T00:00:00Z" {
		t.Errorf("no renewal, told late: %s", got)
	}
}

// The days of elections have their zone's length, 29 February among them; a
// midnight that the clocks leap over, or pass twice, is found.
func TestElectionDays(t *testing.T) {
	for _, c := range []struct{ day, zone, from, until string }{
		{"2028-02-29", "Europe/Paris", "2028-02-28T23:00:00Z", "2028-02-29T23:00:00Z"},
		{"2026-03-29", "Europe/Paris", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},      // 23 hours
		{"2026-10-25", "Europe/Paris", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},      // 25 hours
		{"2026-11-01", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},  // 25 hours
		{"2026-09-20", "Asia/Kamchatka", "2026-09-19T12:00:00Z", "2026-09-20T12:00:00Z"},    // begins the day before in UTC
		{"2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}, // 00:00 does not exist
		{"2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00:00Z", "2018-02-19T03:00:00Z"}, // 23:00 of the day before twice
		{"2016-11-06", "America/Havana", "2016-11-06T04:00:00Z", "2016-11-07T05:00:00Z"},    // 00:00 twice
		{"2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},      // the day after one that was left out
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDate(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if from, until := d.In(zone); stamp(from) != c.from || stamp(until) != c.until {
			t.Errorf("%s in %s is %s to %s, want %s to %s", c.day, c.zone, stamp(from), stamp(until), c.from, c.until)
		}
	}
	for _, s := range []string{"2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01"} {
		if _, err := ParseDate(s); err == nil {
			t.Errorf("%s is no day", s)
		}
	}
	if _, err := ParseSecond("2016-12-31T23:59:60Z"); err == nil {
		t.Error("a leap second is no second of records")
	}
}
