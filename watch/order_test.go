package watch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// stands puts a message at a place of its writer's log, under an id.
func stands(s watch.Said, index int64, id byte) watch.Said {
	s.Log, s.Index, s.Body.ID = theLine.Log(s.Body.From, 1), index, message.ID{id}
	return s
}

// One receipt covers a contact, its check, and the answer to that: whatever ids
// they have, the contact is known when it is checked, and the check when it is
// answered.
// covers P10
func TestOneSecondKeepsTheOrderOfALog(t *testing.T) {
	for _, ids := range [][3]byte{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {2, 1, 3}, {3, 1, 2}, {1, 3, 2}} {
		mine := stands(sayContact(contact(boreal, "BOR-C-001", "watch", "k1"), monday), 4, ids[0])
		asked := stands(ping(boreal, "watch", "", monday), 5, ids[1])
		answer := pong(asked, arden, "watch", "", "yes", monday)
		answer = stands(answer, 9, ids[2])
		answer.Body.Refs = []message.ID{asked.Body.ID}
		for _, record := range [][]watch.Said{{mine, asked, answer}, {answer, asked, mine}, {asked, answer, mine}} {
			got := watch.InOrder(record)
			if len(got) != 3 || got[0].Body.ID != mine.Body.ID || got[1].Body.ID != asked.Body.ID || got[2].Body.ID != answer.Body.ID {
				t.Errorf("ids %v: the order is %v", ids, []message.ID{got[0].Body.ID, got[1].Body.ID, got[2].Body.ID})
			}
		}
	}
}

// Whatever order messages are given in they come out the same, each behind what
// stands before it in its log and, where references do not go round, behind what
// it refers to.
// covers P10
func TestOrderHoldsWhatItSays(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var record []watch.Said
		for i := range 2 + rng.IntN(12) {
			from := []identity.Station{arden, boreal}[rng.IntN(2)]
			s := stands(said(from, "026", monday, nil), int64(i), byte(1+rng.IntN(200)))
			if len(record) > 0 && rng.IntN(2) == 0 {
				s.Body.Refs = []message.ID{record[rng.IntN(len(record))].Body.ID}
			}
			if slices.ContainsFunc(record, func(o watch.Said) bool { return o.Body.ID == s.Body.ID }) {
				continue
			}
			record = append(record, s)
		}
		want := watch.InOrder(record)
		at := make(map[message.ID]int)
		for i, s := range want {
			at[s.Body.ID] = i
		}
		for i, a := range want {
			for _, b := range want[i+1:] {
				if a.Log == b.Log && a.Index > b.Index {
					t.Fatalf("seed %d: %d stands behind %d of its own log", seed, b.Index, a.Index)
				}
			}
			for _, r := range a.Body.Refs {
				if at[r] > i {
					t.Fatalf("seed %d: %v goes before %v, to which it refers", seed, a.Body.ID, r)
				}
			}
		}
		rng.Shuffle(len(record), func(i, j int) { record[i], record[j] = record[j], record[i] })
		if got := watch.InOrder(record); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: another order of the same\n%v\n%v", seed, got, want)
		}
	}
	round := []watch.Said{stands(said(arden, "026", monday, nil), 1, 7), stands(said(boreal, "026", monday, nil), 1, 8)}
	round[0].Body.Refs, round[1].Body.Refs = []message.ID{{8}}, []message.ID{{7}}
	if got := watch.InOrder(round); len(got) != 2 || got[0].Body.ID != (message.ID{7}) {
		t.Errorf("references that go round: %v", got)
	}
}
