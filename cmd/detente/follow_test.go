package main

import (
	"testing"
	"time"
)

// Each look at what is waited for is a line of the audit trail: a minute's wait
// is some dozens of them, and an hour's not some tens of thousands.
func TestLooksAreFew(t *testing.T) {
	for within, most := range map[time.Duration]int{time.Minute: 36, time.Hour: 1810} {
		looks := 0
		pause := firstLook
		for at := time.Duration(0); at < within; at += pause {
			if looks > 0 {
				pause = nextLook(pause)
			}
			looks++
		}
		if looks > most || looks < most/2 {
			t.Errorf("a wait of %s looks %d times, and at most %d are borne", within, looks, most)
		}
	}
	if firstLook > 100*time.Millisecond {
		t.Errorf("what comes in a moment is seen after %s", firstLook)
	}
}
