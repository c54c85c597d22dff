package treaty

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"detente/book"
)

// Period is a stretch of time as an instrument names it: either calendar months
// or whole seconds, never both, so that there is one way to count it. The zero
// Period is no time at all.
type Period struct {
	Months  int
	Seconds int64
}

// Bounds of periods. A longer one is a slip of the pen.
const (
	maxYears  = 100
	maxDays   = 36525 // a hundred years
	dayS      = 24 * 60 * 60
	maxPeriod = 12 // characters of its text
)

var periodText = regexp.MustCompile(`^P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?$`)

// ParsePeriod reads a period of ISO 8601: years and months (P3Y, P6M, P1Y6M), or
// days, hours, minutes and seconds (P5D, PT72H, PT30M). A day is a block of 24
// hours in UTC. What mixes months with days is refused: it would have two
// readings at the end of a month. So is a period of nothing.
func ParsePeriod(s string) (Period, error) {
	m := periodText.FindStringSubmatch(s)
	if m == nil || len(s) > maxPeriod || s[len(s)-1] == 'T' {
		return Period{}, fmt.Errorf("%.40q is no period like P3Y, P6M, P5D or PT72H", s)
	}
	n := func(i int) int64 {
		v, err := strconv.ParseInt(m[i], 10, 64)
		if err != nil {
			return 0 // the part is absent: the pattern admits nothing else
		}
		return v
	}
	p := Period{Months: int(n(1)*12 + n(2)), Seconds: n(3)*dayS + n(4)*3600 + n(5)*60 + n(6)}
	switch {
	case p.Months > 0 && p.Seconds > 0:
		return Period{}, fmt.Errorf("%q mixes months with days or hours: count in one of them", s)
	case p == Period{}:
		return Period{}, fmt.Errorf("%q is no time at all", s)
	case p.Months > maxYears*12 || p.Seconds > maxDays*dayS:
		return Period{}, fmt.Errorf("%q is longer than %d years", s, maxYears)
	}
	return p, nil
}

// String returns the text that ParsePeriod reads, in its shortest form; empty for
// the zero Period.
func (p Period) String() string {
	switch {
	case p.Months > 0 && p.Months%12 == 0:
		return fmt.Sprintf("P%dY", p.Months/12)
	case p.Months > 0:
		return fmt.Sprintf("P%dM", p.Months)
	case p.Seconds == 0:
		return ""
	case p.Seconds%dayS == 0:
		return fmt.Sprintf("P%dD", p.Seconds/dayS)
	case p.Seconds%3600 == 0:
		return fmt.Sprintf("PT%dH", p.Seconds/3600)
	case p.Seconds%60 == 0:
		return fmt.Sprintf("PT%dM", p.Seconds/60)
	}
	return fmt.Sprintf("PT%dS", p.Seconds)
}

// MarshalText returns the text of the period.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a period by ParsePeriod.
func (p *Period) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePeriod(string(b))
	return err
}

// After returns the second at which the period has run from a second, in UTC.
// That second itself is still within the period.
func (p Period) After(t time.Time) time.Time {
	return AddMonths(t.UTC().Truncate(time.Second), p.Months).Add(time.Duration(p.Seconds) * time.Second)
}

// Before returns the latest second from which the period, counted forward, has
// run at t or earlier: by when a notice has to be there. For months this is not
// subtraction alone: six months before 31 August ends with the last second of
// February, because from any second of 1 March they run into September.
func (p Period) Before(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second).Add(-time.Duration(p.Seconds) * time.Second)
	back := AddMonths(t, -p.Months)
	if back.Day() == t.Day() {
		return back
	}
	return time.Date(back.Year(), back.Month(), back.Day()+1, 0, 0, -1, 0, time.UTC)
}

// times returns the period n times over, counted from one start: the end of a
// month is looked up once and not carried along, so that two months after 31
// December is 28 or 29 February, and three are 31 March.
func (p Period) times(n int) Period {
	return Period{Months: p.Months * n, Seconds: p.Seconds * int64(n)}
}

// half returns half the period, rounded up to a whole second; of months, half of
// as many blocks of 30 days, for a calendar month has no half.
func (p Period) half() Period {
	if p.Months > 0 {
		return Period{Seconds: int64(p.Months) * 15 * dayS}
	}
	return Period{Seconds: (p.Seconds + 1) / 2}
}

// longer reports whether p is longer than q whenever both begin. Of months and
// seconds it is told by the shortest and longest months: 28 and 31 days.
func (p Period) longer(q Period) bool {
	least := int64(p.Months)*28*dayS + p.Seconds
	most := int64(q.Months)*31*dayS + q.Seconds
	if p.Seconds == 0 && q.Seconds == 0 {
		return p.Months > q.Months
	}
	return least > most
}

// AddMonths returns the same second of the day so many calendar months later, in
// UTC; earlier where months is below zero. Where the month has no such day it is
// the month's last: six months after 31 August is 28 February, or 29. The signal
// book counts months in the same way.
func AddMonths(t time.Time, months int) time.Time { return book.AddMonths(t, months) }

// ParseSecond reads a time of records: RFC 3339, whole seconds, Z. A leap second
// (:60) is no second of records and is refused: the record's clock has none, and
// who means it writes the second before or after.
func ParseSecond(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Format(time.RFC3339) != s {
		return time.Time{}, fmt.Errorf("%.40q is no second like 2026-11-03T00:00:00Z", s)
	}
	return t, nil
}

// Date is a day of a calendar, in no zone yet.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a day like 2028-02-29. A day that the calendar does not have is
// refused.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%.40q is no day of the calendar like 2028-02-29", s)
	}
	return Date{t.Year(), t.Month(), t.Day()}, nil
}

// In returns the day in a zone as seconds of UTC: from its first second until the
// first of the next day, which is no part of it. It has 23 or 25 hours where the
// clocks change, and where they leap over midnight it begins with the first
// second after the leap. Only the days of elections are counted so.
func (d Date) In(zone *time.Location) (from, until time.Time) {
	return midnight(d.Year, d.Month, d.Day, zone), midnight(d.Year, d.Month, d.Day+1, zone)
}

// midnight returns the first second of a day in a zone. Where the clocks leap
// over midnight time.Date gives a second of the day before.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Day()
	if t.Day() != want {
		_, end := t.ZoneBounds()
		t = end
	} else if start, _ := t.ZoneBounds(); !start.IsZero() && start.Before(t) {
		// Where midnight comes twice the day begins with the first of the two.
		if before := t.Add(-time.Hour); before.Day() == want && before.Hour() == 0 {
			t = before
		}
	}
	return t.UTC()
}
