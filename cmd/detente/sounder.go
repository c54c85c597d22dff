package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/interop/outlet"
	"detente/message"

	"github.com/spf13/cobra"
)

const (
	soundEvery  = 15 * time.Second // between sounds while an alarm is not acknowledged
	silentAfter = 15 * time.Second // without a word of the stream, which beats each five seconds
	comeBack    = 2 * time.Second  // before a station that was lost is asked again
)

var errStreamSilent = errors.New("the station's stream is silent")

// beats yields once at the start and then at each event of the station's
// stream; true where it was no event and the stream only lives. It ends with
// the error that ended the stream.
func (c *client) beats(ctx context.Context) iter.Seq2[bool, error] {
	return func(yield func(bool, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r, err := c.raw(ctx, "GET", "/stream", "", nil)
		if err != nil {
			yield(false, err)
			return
		}
		defer r.Close()
		words := make(chan bool)
		ended := make(chan error, 1)
		go func() { ended <- readBeats(ctx, r, words) }()
		quiet := time.NewTimer(silentAfter)
		defer quiet.Stop()
		for {
			select {
			case beat := <-words:
				quiet.Reset(silentAfter)
				if !yield(beat, nil) {
					return
				}
			case err := <-ended:
				yield(false, err)
				return
			case <-quiet.C:
				yield(false, errStreamSilent)
				return
			}
		}
	}
}

// readBeats says of each event whether it is a heartbeat.
func readBeats(ctx context.Context, r io.Reader, words chan<- bool) error {
	lines := bufio.NewScanner(r)
	beat := false
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			beat = name == "hb"
		}
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		select {
		case words <- beat:
		case <-ctx.Done():
			return ctx.Err()
		}
		beat = false
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// sounder runs a command while something is not acknowledged.
type sounder struct {
	app     *app
	out     outlet.Outlet
	station identity.Station
	last    time.Time // when it sounded
	count   int
}

// sound follows a station and sounds until each alarm is acknowledged. A station
// that is not heard is an alarm too: a screen or sounder that stays still is
// taken for a quiet night.
func (a *app) sound(c *cobra.Command, argv []string) error {
	command, err := outlet.NewCommand(outlet.CommandConfig{Argv: argv})
	if err != nil {
		return usage("--exec: %v", err)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	s := &sounder{app: a, out: command}
	var b board
	if err := cl.do(c.Context(), "GET", "/alarms", nil, &b); err != nil {
		return err // wrong from the start: told, not sounded
	}
	s.station = identity.Station(b.Station)
	a.tell("listening to %s; it sounds until each alarm is acknowledged with `detente alarm ack`", b.Station)
	for c.Context().Err() == nil {
		for _, err := range cl.beats(c.Context()) {
			if err == nil {
				err = s.look(c.Context(), cl)
			}
			if err != nil && c.Context().Err() == nil {
				s.lost(c.Context(), err)
				break
			}
		}
		select {
		case <-c.Context().Done():
		case <-time.After(comeBack):
		}
	}
	return nil
}

// look asks what is not acknowledged, and sounds for the gravest.
func (s *sounder) look(ctx context.Context, cl *client) error {
	var b board
	if err := cl.do(ctx, "GET", "/alarms", nil, &b); err != nil {
		return err
	}
	for _, g := range b.Groups {
		if g.Open == 0 || g.Level == message.Routine.String() || silenced(b, g.Kind, g.Line) {
			continue
		}
		level, err := message.ParsePrecedence(g.Level)
		if err != nil {
			return fmt.Errorf("the station's answer: %w", err)
		}
		return s.ring(ctx, outlet.Notice{Code: "alarm." + g.Kind, Level: level, Ref: g.Line, Title: g.Level + ": " + g.Kind, Text: fmt.Sprintf("%s %s\nsince: %s\ncount: %d\n", g.Kind, g.Line, zulu(g.Since), g.Open)})
	}
	return nil
}

// silenced reports whether all alarms of a group that are not acknowledged are
// without sound now.
func silenced(b board, kind, line string) bool {
	for _, m := range b.Alarms {
		if m.Kind == kind && m.Line == line && m.Stands && !m.Enough && (m.Silenced == nil || !now().Before(*m.Silenced)) {
			return false
		}
	}
	return true
}

// lost sounds because the station is not heard.
func (s *sounder) lost(ctx context.Context, why error) {
	s.app.tell("the station is not heard: %v", why)
	if err := s.ring(ctx, outlet.Notice{Code: "alarm.stale-screen", Level: message.Immediate, Title: "IMMEDIATE: the station is not heard", Text: "the station is not heard\n"}); err != nil {
		s.app.tell("sounder: %v", err)
	}
}

// ring runs the command, no more often than soundEvery.
func (s *sounder) ring(ctx context.Context, n outlet.Notice) error {
	if at := now(); at.Sub(s.last).Abs() < soundEvery {
		return nil
	}
	s.last = now()
	s.count++
	n.ID, n.Station, n.At, n.Lang = "sound-"+strconv.Itoa(s.count), s.station, now().UTC(), book.Lang("en")
	if err := s.out.Notify(ctx, n); err != nil && ctx.Err() == nil {
		s.app.tell("sounder: %v", err)
	}
	return nil
}
