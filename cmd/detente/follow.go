package main

import (
	"bufio"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// waitFlag is how long a command waits for what it set going.
type waitFlag struct{ within time.Duration }

func (w *waitFlag) add(c *cobra.Command) {
	c.Flags().DurationVar(&w.within, "wait", 0, "wait so long, such as 30s, until the counterpart's receipt is here (default: do not wait)")
}

// enqueue asks the station for something that goes into the queue, and prints
// where it stands.
func (a *app) enqueue(c *cobra.Command, path string, in any, wait waitFlag) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var q map[string]any
	if err := cl.do(c.Context(), "POST", path, in, &q); err != nil {
		return err
	}
	return a.queued(c, cl, q, wait)
}

// queued prints where an outgoing message stands. While officers have to
// release it, the command ends with a code that says so.
func (a *app) queued(c *cobra.Command, cl *client, q map[string]any, wait waitFlag) error {
	id := plain(q["id"])
	open := q["state"] == "awaiting" || q["state"] == "waiting" || q["state"] == "appended"
	if open && wait.within > 0 {
		return a.waitFor(c, cl, id, "receipted", wait.within)
	}
	if err := a.print(q, func() { a.table(q) }); err != nil {
		return err
	}
	return a.pending(id, plain(q["state"]))
}

// pending says which message waits for officers, if it does.
func (a *app) pending(id, state string) error {
	if state != "awaiting" {
		return nil
	}
	a.tell("%s waits for an officer: read it with `detente release show %s`", id, id)
	return exitError{code: exitSecondPerson}
}

// msgFollow are the verbs by which one sees what becomes of messages.
func (a *app) msgFollow() []*cobra.Command {
	var state, until, reason string
	var after int64
	var within time.Duration
	return []*cobra.Command{
		verb(about{"queue", "list outgoing messages: why each waits, and what happens next",
			"Lists outgoing messages in a state, oldest first: what each waits for and what happens next.", "  detente msg queue --state waiting"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				return a.call(c, "GET", fmt.Sprintf("/queue?state=%s&after=%d", url.QueryEscape(state), after), nil)
			}, func(c *cobra.Command) {
				c.Flags().StringVar(&state, "state", "awaiting", "awaiting, waiting, appended, withdrawn, expired, rejected or spent")
				c.Flags().Int64Var(&after, "after", 0, "order of the last one seen")
			}),
		verb(about{"withdraw ID", "take back a message that is not in the log yet",
			"Takes back a message that awaits release or waits in the queue. What stands in the log cannot be\ntaken back: say so in another message.", "  detente msg withdraw ID --reason 'sent in error'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "POST", at("/queue/%s/withdraw", args[0]), map[string]string{"reason": reason})
			}, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&reason, "reason", "", "why") }),
		verb(about{"wait ID", "wait until a message of ours is receipted, or one of theirs has come",
			"Waits until a message of ours stands in the log or is receipted, or one of theirs has come. Ends\nwith 11 where that takes longer; the message goes on by itself. What is waited for is not read by\nthat: \"detente msg show\" opens it.", "  detente msg wait ID --until receipted --within 30s"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				cl, err := a.client()
				if err != nil {
					return err
				}
				return a.waitFor(c, cl, args[0], until, within)
			}, func(c *cobra.Command) {
				c.Flags().StringVar(&until, "until", "receipted", "appended, receipted or received")
				c.Flags().DurationVar(&within, "within", time.Minute, "how long to wait")
			}),
		verb(about{"tail", "follow events as they happen",
			"Prints events as they happen until it is interrupted: messages, receipts, releases, alarms. With\n--after it goes on behind the last number seen, and leaves none out.", "  detente msg tail --after 120\n  detente msg tail --jsonl"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.tail(c, after) }, func(c *cobra.Command) {
				c.Flags().Int64Var(&after, "after", 0, "the number of the last event seen")
			}),
	}
}

// How often a station is asked about what is waited for: soon at first, since a
// receipt is a matter of moments, and ever less often after that. Each look is a
// line of the station's audit trail: a minute's wait is three dozen, and each
// further minute thirty.
const (
	firstLook = 50 * time.Millisecond
	laterLook = 2 * time.Second
)

// nextLook is how long to pause after a pause.
func nextLook(last time.Duration) time.Duration { return min(2*last, laterLook) }

// waitFor asks until a message stands as it should.
func (a *app) waitFor(c *cobra.Command, cl *client, id, until string, within time.Duration) error {
	m, err := reaches(c.Context(), cl, id, until, within)
	switch {
	case errors.Is(err, errLate):
		return a.late(c.Context(), cl, id, until, within)
	case err != nil:
		return err
	}
	return a.print(m, func() { a.say("%v: %s", m["citation"], until) })
}

// errLate says that a message did not come so far in the time that was given.
var errLate = errors.New("it has not come so far in time")

// reaches asks until a message stands as it should, and returns where; errLate
// where that takes longer than it may.
func reaches(ctx context.Context, cl *client, id, until string, within time.Duration) (map[string]any, error) {
	reached, ok := map[string]func(map[string]any) bool{
		"appended":  func(m map[string]any) bool { return m["citation"] != nil },
		"received":  func(m map[string]any) bool { return m["citation"] != nil },
		"receipted": func(m map[string]any) bool { return m["receipt"] != nil || m["received"] != nil },
	}[until]
	if !ok {
		return nil, usage("--until: %q: it is appended, receipted or received", until)
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for pause := firstLook; ; pause = nextLook(pause) {
		var m map[string]any
		err := cl.do(limited, "GET", at("/messages/%s/place", id), nil, &m)
		if err == nil && reached(m) {
			return m, nil
		}
		if err != nil && limited.Err() == nil {
			if code, _ := codeOf(limited, err); code != exitNotFound {
				return nil, err
			}
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, errLate
		case <-time.After(pause):
		}
	}
}

// late says why a message has not come so far in time.
func (a *app) late(ctx context.Context, cl *client, id, until string, within time.Duration) error {
	var q map[string]any
	if err := cl.do(ctx, "GET", at("/queue/%s", id), nil, &q); err == nil {
		if err := a.print(q, func() { a.table(q) }); err != nil {
			return err
		}
		if err := a.pending(id, plain(q["state"])); err != nil {
			return err
		}
	}
	return tooLate(id, until, within)
}

func tooLate(id, until string, within time.Duration) error {
	return exitError{exitTimeout, fmt.Errorf("message %s is not %s after %s; it goes on by itself: see `detente msg queue --state waiting`", id, until, within)}
}

// tail prints events as they come.
func (a *app) tail(c *cobra.Command, after int64) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "GET", fmt.Sprintf("/stream?after=%d", after), "", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	var event string
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		kind := event
		event = ""
		if after, err = a.event(kind, data, after); err != nil {
			return err
		}
	}
	if c.Context().Err() != nil {
		return nil
	}
	return exitError{exitLineDown, fmt.Errorf("the station has ended the stream; go on with `detente msg tail --after %d`", after)}
}

// event prints an event and returns its number, or the last one where it has
// none.
func (a *app) event(kind, data string, after int64) (int64, error) {
	if kind == "hb" {
		return after, nil
	}
	var e struct {
		Number int64  `json:"number"`
		At     string `json:"at"`
		Kind   string `json:"kind"`
		Ref    string `json:"ref"`
		Text   string `json:"text"`
	}
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return after, fmt.Errorf("the station's answer: %w", err)
	}
	switch {
	case a.json || a.jsonl:
		var m map[string]jsontext.Value
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			return after, fmt.Errorf("the station's answer: %w", err)
		}
		if kind == "resync" {
			m["kind"] = jsontext.Value(`"resync"`)
		}
		return e.Number, a.object(m)
	case kind == "resync":
		a.tell("events before number %d are gone, or the station was put back: read lists anew", e.Number)
	default:
		a.say("%d %s %s %s: %s", e.Number, e.At, e.Kind, e.Ref, e.Text)
	}
	return e.Number, nil
}
