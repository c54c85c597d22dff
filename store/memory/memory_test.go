package memory_test

import (
	"context"
	"errors"
	"testing"

	"detente/station"
	"detente/store/memory"
	"detente/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, f station.Finish) station.Store { return memory.Open(memory.NewDisk(), f, nil) })
}

// What a crash leaves is all of a commit or nothing of it.
// covers P21
func TestFates(t *testing.T) {
	for fate, kept := range map[memory.Fate]bool{memory.Commit: true, memory.CrashBefore: false, memory.CrashAfter: true, memory.Unknown: true, memory.UnknownUndone: false, memory.Full: false} {
		d := memory.NewDisk()
		s := memory.Open(d, nil, func() memory.Fate { return fate })
		err := s.Update(context.Background(), func(tx station.Tx) error { return tx.PutSetting("name", []byte("v")) })
		if (err == nil) != (fate == memory.Commit) {
			t.Errorf("fate %d: %v", fate, err)
		}
		if s.Crashed() != errors.Is(err, memory.ErrCrashed) {
			t.Errorf("fate %d: crashed %v, %v", fate, s.Crashed(), err)
		}
		after := memory.Open(d, nil, nil)
		err = after.View(context.Background(), func(tx station.Tx) error {
			v, err := tx.Setting("name")
			if (len(v) > 0) != kept {
				t.Errorf("fate %d: kept %v", fate, len(v) > 0)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
