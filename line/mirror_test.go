package line

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// mirrorModel is a mirror reduced to its numbers, after the words of tlog-mirror
// and of FormatDelivery, and no more: what the machine must get along with.
type mirrorModel struct {
	size, pending, next int64
	quick               bool // knows deliver
	strict              bool // takes no deliver while an upload is unfinished
}

func (m *mirrorModel) info(status int) Response {
	r := info(m.pending, m.next)
	r.Status = status
	return r
}

func (m *mirrorModel) take(a Action, packages int64) (r Response, receipt int64) {
	switch a.Kind {
	case Deliver:
		if !m.quick {
			return status(404), 0
		}
		if a.To == m.size && a.From <= m.next {
			return ok, a.To // repeated: the old receipt
		}
		if a.To < m.size || m.strict && m.next > m.size {
			return m.info(409), 0
		}
		if a.Old != m.pending || a.From > m.next || a.To < m.pending {
			return m.info(409), 0
		}
		m.size, m.pending, m.next = a.To, a.To, a.To
		return ok, a.To
	case SendCheckpoint:
		if a.Old != m.pending {
			return sized(m.pending), 0
		}
		m.pending = a.To
		return ok, 0
	case SendEntries:
		if a.End != m.pending || a.End < m.size || a.From > m.next {
			return m.info(409), 0
		}
		if to := (a.From/PackageEntries + packages) * PackageEntries; to < a.End {
			m.next = max(m.next, to)
			return m.info(202), 0
		}
		m.next, m.size = max(m.next, a.End), a.End
		return ok, a.End
	}
	return ok, 0
}

// covers P2, P3: whatever is lost, repeated, restarted or restored on the way,
// once the line works again all is receipted, without anybody's doing.
func TestMachineAgainstAModel(t *testing.T) {
	for seed := range uint64(2000) {
		againstModel(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// long: one world from its making to its end, so that a failing seed is read in one place.
func againstModel(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	peer := &mirrorModel{quick: r.IntN(3) > 0, strict: r.IntN(2) > 0}
	backup := *peer
	m, now := NewMachine(r), start
	var size, acked int64
	kept := map[uint64]Action{}
	calmFrom := 60 + r.IntN(60)
	for turn := 0; turn < 2000; turn++ {
		calm := turn > calmFrom
		if !calm {
			switch r.IntN(12) {
			case 0, 1, 2:
				size += 1 + r.Int64N(5)
			case 3:
				size += r.Int64N(20000)
			case 4:
				m, kept = NewMachine(r), map[uint64]Action{} // this station restarts
			case 5:
				backup = *peer
			case 6:
				quick := peer.quick
				*peer = backup // the peer's store is put back
				peer.quick = quick
			case 7:
				m.Contact()
			}
		}
		v := View{Origin: abLog, Size: size, Acked: acked, Waiting: (size - acked) * 300}
		a := m.Next(now, v)
		if a.Kind == Wait {
			if acked == size && calm {
				return
			}
			if a.Until.Sub(now) > MaxBackoff {
				t.Errorf("turn %d: it waits %s", turn, a.Until.Sub(now))
				return
			}
			if !a.Until.IsZero() {
				now = a.Until
			}
			continue
		}
		if was, again := kept[a.Serial]; again && brief(was) != brief(a) {
			t.Errorf("turn %d: serial %d was %s and is %s", turn, a.Serial, brief(was), brief(a))
			return
		}
		kept[a.Serial] = a
		if a.From < 0 || a.From > a.To && a.Kind == Deliver || a.To > size || a.End > size || a.Old > size {
			t.Errorf("turn %d: %s of a log of %d", turn, brief(a), size)
			return
		}
		now = now.Add(time.Duration(r.Int64N(int64(time.Second))))
		lost := r.IntN(10)
		if calm {
			lost = 9
		}
		if lost == 0 {
			m.Answer(now, v, a, Response{}, &Error{Fault: Unreachable, Err: errors.New("down")})
			continue
		}
		resp, receipt := peer.take(a, 1+r.Int64N(MaxPackages))
		if lost == 1 {
			m.Answer(now, v, a, Response{}, &Error{Fault: Timeout, Sent: true, Err: errors.New("answer lost")})
			continue
		}
		if receipt > 0 {
			acked = max(acked, receipt)
		}
		m.Answer(now, v, a, resp, nil)
	}
	t.Errorf("acked %d of %d; peer %+v; machine %+v", acked, size, *peer, m.Standing())
}
