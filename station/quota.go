package station

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// QuotaError says that a counterpart has sent more bytes in a day than this
// station's entry 0 lets it.
type QuotaError struct {
	Limit int64
	Wait  time.Duration // until the day ends
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("quota: more than the %d bytes a day that this line's entry 0 allows; room comes back in %s", e.Limit, e.Wait.Round(time.Second))
}

// urgentShare is the part of a day's quota, one in this many, that the writer
// keeps for IMMEDIATE and FLASH. What stands in a log goes out in its order, so
// that the rest has to wait before it, in the queue.
const urgentShare = 10

// overQuota says why a message of so many bytes does not go into the log today,
// or nothing where it may: what the counterpart takes in a day is used up, but
// for the share of urgent ones.
func (st *lineState) overQuota(now time.Time, quota int64, p message.Precedence, bytes int64) string {
	if quota <= 0 || p >= message.Immediate {
		return ""
	}
	if st.day.sum(now)+st.awaiting()+bytes <= quota-quota/urgentShare {
		return ""
	}
	return fmt.Sprintf("waits: nine tenths of the %d bytes that the counterpart takes in a day are used, and the last is kept for IMMEDIATE and FLASH", quota)
}

// taken is what a counterpart has sent on a line in a day of UTC.
type taken struct {
	Day   string `json:"day"`
	Bytes int64  `json:"bytes"`
}

// leastStored is what an entry counts for at least. An honest one is longer than
// that: its two hybrid recipients alone take more than half of it. A shorter one
// costs its reader as much all the same, in rows and in the answer to it.
const leastStored = 4 << 10

// stored is what entries count for in the quota.
func stored(entries [][]byte) (n int) {
	for _, e := range entries {
		n += max(len(e), leastStored)
	}
	return n
}

// quota counts bytes that a counterpart delivers, or returns a *QuotaError.
func (s *Station) quota(tx Tx, now time.Time, row Line, bytes int) error {
	if bytes == 0 {
		return nil
	}
	limit, err := s.quotaOf(tx, row)
	if err != nil {
		return err
	}
	key := "quota/" + row.Line.String()
	day := now.UTC().Format(time.DateOnly)
	var t taken
	stored, err := tx.Setting(key)
	if err != nil {
		return err
	}
	if stored != nil {
		if err := json.Unmarshal(stored, &t); err != nil {
			return fmt.Errorf("internal error: stored quota of %s: %w", row.Line, err)
		}
	}
	if t.Day != day {
		t = taken{Day: day}
	}
	if t.Bytes+int64(bytes) > limit {
		next := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		return &QuotaError{Limit: limit, Wait: next.Sub(now)}
	}
	t.Bytes += int64(bytes)
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return tx.PutSetting(key, text)
}

// quotaOf returns the bytes a day that this station's newest entry 0 on the
// line lets the counterpart send, or the default before there is one.
func (s *Station) quotaOf(tx Tx, row Line) (int64, error) {
	s.mu.Lock()
	st := s.lines[row.Line]
	s.mu.Unlock()
	if st != nil && st.quota > 0 {
		return st.quota, nil
	}
	limit := DefaultTerms().Quota
	m, err := tx.Message(row.Line.Log(s.name, row.OwnEra), 0)
	if errors.Is(err, ErrNotFound) {
		return limit, nil // entry 0 still waits
	}
	if err != nil {
		return 0, err
	}
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return 0, fmt.Errorf("internal error: own entry 0 of %s: %w; run `detente station doctor`", row.Line, err)
	}
	if err := json.Unmarshal(e.Body.Body().Params["quota_bytes"], &limit); err != nil {
		return 0, fmt.Errorf("internal error: quota in own entry 0 of %s: %w", row.Line, err)
	}
	if st != nil {
		s.mu.Lock()
		st.quota = limit
		s.mu.Unlock()
	}
	return limit, nil
}

// dayBytes counts the bytes of a line that the counterpart receipted over the
// last day, by the hour. It is kept in the store, so that a station that was
// started anew neither runs into the quota nor takes a true one for an excuse.
type dayBytes struct {
	Hours [25]int64 `json:"hours"`
	Last  int64     `json:"last"` // hours since 1970
}

func (d *dayBytes) put(tx Tx, l identity.Line) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return tx.PutSetting("sent/"+l.String(), text)
}

func (d *dayBytes) read(tx Tx, l identity.Line) error {
	text, err := tx.Setting("sent/" + l.String())
	if err != nil || text == nil {
		return err
	}
	if err := json.Unmarshal(text, d); err != nil {
		return fmt.Errorf("internal error: stored count of bytes sent on %s: %w", l, err)
	}
	return nil
}

func (d *dayBytes) advance(now time.Time) {
	hour := now.Unix() / 3600
	if d.Last-hour > int64(len(d.Hours)) {
		*d = dayBytes{Last: hour} // it was counted by a clock that had leapt ahead
	}
	for h := max(d.Last+1, hour-int64(len(d.Hours))+1); h <= hour; h++ {
		d.Hours[h%int64(len(d.Hours))] = 0
	}
	d.Last = max(d.Last, hour)
}

func (d *dayBytes) add(now time.Time, n int64) {
	d.advance(now)
	d.Hours[d.Last%int64(len(d.Hours))] += n
}

func (d *dayBytes) sum(now time.Time) (n int64) {
	d.advance(now)
	for _, h := range d.Hours {
		n += h
	}
	return n
}
