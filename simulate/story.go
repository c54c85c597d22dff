package simulate

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/treaty"
)

// Story is a year between two stations, as it was played.
type Story struct {
	Line       string
	At         time.Time         // the second as of which both say where everything stands
	States     map[string][]byte // the state file of each side, by its name
	Past       []Past            // as of earlier seconds
	Record     []byte            // the whole line, with its keys, as the first side exported it
	Roots      map[string][]byte // of the parties, by name
	Agreements map[string][]byte // the texts that were signed, by name
	Scenes     []Scene
}

// Past is where both sides said at the end that everything had stood as of an
// earlier second.
type Past struct {
	At     time.Time
	States map[string][]byte
}

// Scene is what was played, for people.
type Scene struct {
	At   time.Time
	What string
}

// StoryOptions are how a year is played.
type StoryOptions struct {
	Seed  uint64
	Tests time.Duration // between the line tests of a side; zero: a day, as the two sides agree
	Past  []int         // days of the year, the first is 0: as of the beginning of each both sides are asked too
}

// Tell plays a year between Arden and Boreal, from a line that opens without any
// agreement to the withdrawal of a denunciation, and returns where both sides say
// that everything stands, and the record. People say what they say through the
// verbs that the API calls, in a world without troubles, whose oracles look as in
// any other. It fails where a verb refuses, or where a promise does not hold.
func Tell(ctx context.Context, o StoryOptions) (Story, error) {
	if o.Tests == 0 {
		o.Tests = 24 * time.Hour
	}
	s := &story{ctx: ctx, tests: o.Tests, past: o.Past, told: Story{Roots: make(map[string][]byte), Agreements: make(map[string][]byte)}}
	w, err := newWorld(ctx, Options{Seed: o.Seed, Length: 400 * 24 * time.Hour, story: s}, nil)
	if err != nil {
		return Story{}, err
	}
	s.w, s.arden, s.boreal = w, w.nodes[0], w.nodes[1]
	s.cast()
	s.routine()
	s.year()
	s.end()
	return s.told, s.err
}

// story is a year while it is played. Its scenes are written one after the other,
// as they happen: pass lets the world go on until the next. After an error
// nothing more is said.
type story struct {
	w             *world
	ctx           context.Context
	arden, boreal *node
	envoys        map[*node]stationtest.Officer // who may sign for a party
	tests         time.Duration
	past          []int
	busy          time.Time // until when something is under way
	err           error
	told          Story

	// What later scenes refer to: the first signature, the election window, the call
	// of the consultation.
	signature, vote, called message.ID
}

const (
	// storyTick is how often the stations look around while nothing is under way.
	storyTick = 6 * time.Hour
	// underWay is how long what was said keeps the line moving: receipts are listed,
	// evidence is fetched.
	underWay = 3 * time.Hour
)

// looks are when the stations look around after something was said.
var looks = []time.Duration{time.Minute, 5 * time.Minute, 12 * time.Minute, 40 * time.Minute, 2 * time.Hour}

// quiet reports whether nothing is under way in a story.
func (s *story) quiet(now time.Time) bool { return s != nil && now.After(s.busy) }

// fail keeps the first error.
func (s *story) fail(err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

// cast gives both sides their watch, and an envoy who may sign.
func (s *story) cast() {
	s.envoys = make(map[*node]stationtest.Officer)
	for _, n := range s.w.nodes {
		s.fail(s.w.man(s.ctx, n))
		envoy, err := n.cast.NewOfficer(string(n.cast.Card.Code)+"-ENVOY", []string{"releasing", treaty.RolePlenipotentiary})
		if err != nil {
			s.fail(err)
			return
		}
		_, err = n.end.AddOfficer(s.ctx, stationtest.Operator(), s.w.now, "officer "+envoy.Pseudonym, envoy.Certificate)
		s.fail(err)
		s.envoys[n] = envoy
	}
}

// routine is what goes on without anybody's story: each station looks around, and
// tests the line.
func (s *story) routine() {
	for i, n := range s.w.nodes {
		s.w.every(storyTick, func() error { return s.tick(n) })
		var test func() error
		next := begin.Add(6*time.Hour + time.Duration(i)*12*time.Hour)
		test = func() error {
			next = next.Add(s.tests)
			s.w.at(next, test)
			s.test(n)
			return s.err
		}
		s.w.at(next, test)
	}
}

// tick lets a station look around and fetch evidence, as its runner does.
func (s *story) tick(n *node) error {
	err := n.end.Tick(s.ctx, s.w.clock(n))
	if err == nil {
		err = s.fetch(n)
	}
	s.w.kick(s.ctx, n)
	return err
}

// fetch brings the evidence that a station wants, in the ranges of the wire.
func (s *story) fetch(n *node) error {
	other := s.w.other(n)
	if s.w.cut != [2]bool{} {
		return nil
	}
	wanted, _, err := n.end.WantedBlobs(s.ctx, s.w.line, identity.Digest{})
	for _, b := range wanted {
		for err == nil && b.State != station.BlobHeld {
			r := line.Serve(s.ctx, station.At(other.end.Station, func() time.Time { return s.w.clock(other) }), line.Request{Op: line.OpBlob, Peer: n.name, Hash: b.Hash, Offset: b.Have})
			if err = r.Err(); err == nil && len(r.Body) == 0 {
				err = fmt.Errorf("%s gives nothing of %s", other.name, b.Hash)
			}
			if err == nil {
				b, err = n.end.TakeBlob(s.ctx, s.w.clock(n), b, b.Have, r.Body)
			}
		}
	}
	return err
}

// stir has both stations look around for a while.
func (s *story) stir() {
	s.busy = s.w.now.Add(underWay)
	for _, after := range looks {
		for _, n := range s.w.nodes {
			s.w.at(s.w.now.Add(after), func() error { return s.tick(n) })
		}
	}
}

// pass lets time pass.
func (s *story) pass(d time.Duration) { s.until(s.w.now.Add(d)) }

// until lets the world go on up to a moment.
func (s *story) until(at time.Time) {
	if s.err != nil {
		return
	}
	s.fail(s.w.play(s.ctx, at))
	if s.w.now.Before(at) {
		s.w.now = at
	}
}

// day is a moment of the year: its first day is 0.
func day(n int, after time.Duration) time.Time { return begin.AddDate(0, 0, n).Add(after) }

// scene notes what is played now.
func (s *story) scene(what string) {
	if s.err == nil {
		s.told.Scenes = append(s.told.Scenes, Scene{s.w.now, what})
	}
}

// say lets a side say something: it is drafted, two officers or as many as its
// policy asks release it, and the line takes it. The watch of the other side
// opens it and says that it has understood, in time.
func (s *story) say(n *node, f message.Format, refs []message.ID, typed ...string) message.ID {
	return s.put(n, station.Draft{Format: f, Refs: refs}, nil, typed...)
}

// put says a draft, with evidence as it was added.
func (s *story) put(n *node, d station.Draft, blobs map[string]jsontext.Value, typed ...string) message.ID {
	if s.err != nil {
		return message.ID{}
	}
	d.Line = s.w.line
	for _, name := range slices.Sorted(keys(blobs)) {
		typed = append(typed, name+"="+string(blobs[name]))
	}
	voice := s.w.voice(n)
	if envoy, there := s.envoys[n]; there && slices.Contains(envoyed, d.Format) {
		voice.Cast.Officers = append([]stationtest.Officer{envoy}, voice.Cast.Officers...)
	}
	out, err := voice.Say(s.ctx, s.w.clock(n), d, typed...)
	if err != nil {
		s.fail(fmt.Errorf("%s: %s says %s: %w", s.w.now.Format(time.RFC3339), n.name, d.Format, err))
		return message.ID{}
	}
	s.w.spoke(s.ctx, n, out)
	s.stir()
	if !slices.Contains(unacknowledged, d.Format) {
		s.later(ackWithin[out.Precedence], func() { s.understood(s.w.other(n), out.ID) })
	}
	return out.ID
}

// envoyed are the formats that an envoy signs.
var envoyed = []message.Format{"300", "301", "421", "453", "501", "510", "511", "520", "521", "522", "530", "531"}

// unacknowledged are the formats that nobody owes a word about understanding:
// those that the agreement excepts.
var unacknowledged = []message.Format{"010", "011", "012", "014", "015", "016", "017", "018", "020", "021", "022", "023", "024", "026"}

// ackWithin is how soon a watch says that it has understood.
var ackWithin = map[message.Precedence]time.Duration{message.Flash: 9 * time.Minute, message.Immediate: 25 * time.Minute, message.Priority: 90 * time.Minute, message.Routine: 5 * time.Hour}

// understood lets the watch of a side open a message, once it is there, and say
// that it has understood it.
func (s *story) understood(n *node, id message.ID) {
	s.once(n, id, func(r station.Read) {
		s.say(n, "012", about(id), "state=UND", "received="+stamp(r.Entry.Wrapper.At), "role=watch")
	})
}

// once lets the watch of a side open a message as soon as it is there, and do
// something about it.
func (s *story) once(n *node, id message.ID, do func(station.Read)) {
	if s.err != nil {
		return
	}
	err := view(n, func(tx station.Tx) error {
		_, err := tx.MessageByID(id)
		return err
	})
	if errors.Is(err, station.ErrNotFound) { // the line is down
		s.later(lookAgain, func() { s.once(n, id, do) })
		return
	}
	if r, ok := s.open(n, id); ok {
		do(r)
	}
}

// lookAgain is how soon a watch looks again for what has not come.
const lookAgain = 30 * time.Minute

// later plays something while other scenes go on.
func (s *story) later(after time.Duration, do func()) {
	s.w.at(s.w.now.Add(after), func() error {
		do()
		return s.err
	})
}

// open lets whoever is on watch open a message.
func (s *story) open(n *node, id message.ID) (r station.Read, ok bool) {
	if s.err != nil {
		return r, false
	}
	r, err := n.end.ReadMessage(s.ctx, as(n.crew.onDuty(s.w.now)[0]), s.w.clock(n), id)
	if err != nil {
		s.fail(fmt.Errorf("%s: %s opens %s: %w", s.w.now.Format(time.RFC3339), n.name, id, err))
	}
	return r, err == nil
}

// attach adds a file as evidence and returns the parameter that names it.
func (s *story) attach(n *node, mediaType string, text []byte) jsontext.Value {
	if s.err != nil {
		return nil
	}
	v, err := n.end.AddBlob(s.ctx, stationtest.Operator(), s.w.clock(n), s.w.line, mediaType, bytes.NewReader(text))
	s.fail(err)
	return v
}

// test lets a side test the line, and the other side's officer read it back.
func (s *story) test(n *node) {
	now := s.w.clock(n).UTC().Truncate(time.Second)
	id := s.say(n, "010", nil, "test_no="+now.Format(time.RFC3339), "text_id=T1", "check_groups=4F2A 91C7", "bearer=direct")
	other := s.w.other(n)
	s.later(2*time.Minute, func() {
		s.once(other, id, func(r station.Read) {
			s.say(other, "011", about(id), "read_back=4F2A 91C7", "received="+stamp(r.Entry.Wrapper.At), "quality=clear")
		})
	})
}

// end asks both sides where everything stands, as of one second, once the line is
// at rest, and has the first export the record.
func (s *story) end() {
	s.told.Line = s.w.line.String()
	s.told.At = s.w.now.UTC().Truncate(time.Second)
	// What was said last is receipted by what is said after it.
	for range 2 {
		for _, n := range s.w.nodes {
			s.say(n, "600", nil, "text=the year is over")
			s.pass(12 * time.Hour)
		}
	}
	s.pass(24 * time.Hour)
	if s.err != nil {
		return
	}
	s.fail(s.w.oracle.end(s.ctx))
	s.told.States = s.states(s.told.At)
	for _, n := range s.past {
		s.told.Past = append(s.told.Past, Past{day(n, 0), s.states(day(n, 0))})
	}
	for _, n := range s.w.nodes {
		s.told.Roots[short(n)] = n.cast.Bundle.Root
	}
	var out bytes.Buffer
	s.fail(s.arden.end.Export(s.ctx, stationtest.Operator(), s.w.clock(s.arden), station.Export{Line: s.told.Line, Disclose: true}, &out))
	s.told.Record = out.Bytes()
}

// states asks both sides where everything stands as of a second.
func (s *story) states(at time.Time) map[string][]byte {
	out := make(map[string][]byte)
	for _, n := range s.w.nodes {
		file, err := n.end.StateFile(s.ctx, stationtest.Operator(), s.w.clock(n), s.w.line, at)
		s.fail(err)
		out[short(n)] = file
	}
	return out
}

// short is the first word of a party's name.
func short(n *node) string {
	name, _, _ := strings.Cut(string(n.cast.Card.Party), ".")
	return name
}

// about names the messages that one refers to.
func about(ids ...message.ID) []message.ID { return ids }

// digest names the hash of a text.
func digest(text []byte) string { return identity.Sum(text).String() }

func keys(m map[string]jsontext.Value) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
