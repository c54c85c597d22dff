package simulate

import (
	"context"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/message"
	"detente/station"
)

// habit is one way in which a watch answers a message: by which format, and how
// soon most of the time.
type habit struct {
	by     message.Format
	within time.Duration
}

// habits are the answers to each format. What stands in none is read.
var habits = map[message.Format][]habit{
	"010": {{"011", 8 * time.Minute}},
	"015": {{"016", 5 * time.Minute}},
	"020": {{"012", 4 * time.Hour}},
	"021": {{"012", 50 * time.Minute}},
	"025": {{"012", 6 * time.Hour}},
	"030": {{"012", 20 * time.Hour}},
	"031": {{"031", 32 * time.Hour}}, // whoever is asked whether he is still there is not always asked in time
	"110": {{"012", 6 * time.Hour}, {"014", 22 * time.Hour}},
	"111": {{"012", 50 * time.Minute}},
	"112": {{"012", 20 * time.Hour}},
	"202": {{"012", 90 * time.Minute}},
	"210": {{"017", 50 * time.Minute}, {"012", 100 * time.Minute}, {"211", 22 * time.Hour}},
	"211": {{"012", 90 * time.Minute}},
	"220": {{"012", 50 * time.Minute}},
	"221": {{"012", 90 * time.Minute}},
	"222": {{"017", 12 * time.Minute}, {"012", 14 * time.Minute}},
	"230": {{"017", 12 * time.Minute}, {"012", 25 * time.Minute}, {"231", 110 * time.Minute}},
	"231": {{"012", 25 * time.Minute}},
	"240": {{"012", 7 * time.Hour}, {"241", 48 * time.Hour}},
	"241": {{"012", 20 * time.Hour}},
	"270": {{"012", 50 * time.Minute}, {"271", 22 * time.Hour}},
	"271": {{"012", 90 * time.Minute}},
	"401": {{"012", 90 * time.Minute}},
	"410": {{"017", 25 * time.Minute}, {"401", 110 * time.Minute}},
	"600": {{"012", 20 * time.Hour}},
}

// lookAtMail lets those on duty look through what came, and puts down when they
// answer each message.
func (w *world) lookAtMail(ctx context.Context, n *node) error {
	if len(w.awake(n)) == 0 {
		return nil
	}
	var list []station.Message
	if err := view(n, func(tx station.Tx) (err error) {
		list, err = tx.RecentMessages(0, mailPage)
		return err
	}); err != nil {
		return err
	}
	for _, m := range slices.Backward(list) {
		if m.Origin.Writer == n.name || m.Problem != "" || n.crew.taken[m.ID] {
			continue
		}
		n.crew.taken[m.ID] = true
		for _, h := range habits[m.Format] {
			if err := w.putDown(ctx, n, m, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// putDown schedules an answer: in time most often, late now and then, and seldom
// so late that whoever waits for it will have given it up.
func (w *world) putDown(ctx context.Context, n *node, m station.Message, h habit) error {
	delay := w.span(h.within/20, h.within*9/10)
	switch {
	case w.chance(30):
		delay = h.within * 4
	case w.chance(12):
		delay = w.span(h.within*5/4, h.within*2)
	}
	if h.by == "211" && w.chance(3) { // more time is asked for, once by right
		w.at(w.now.Add(delay), func() error { return w.answer(ctx, n, m, "202") })
		delay += w.span(6*time.Hour, 20*time.Hour)
	}
	w.at(w.now.Add(delay), func() error { return w.answer(ctx, n, m, h.by) })
	return nil
}

// answerAgain is how soon what nobody was there to say is said again.
const answerAgain = 10 * time.Minute

// answer lets an officer open a message and answer it.
func (w *world) answer(ctx context.Context, n *node, m station.Message, by message.Format) error {
	on := w.awake(n)
	if len(on) == 0 {
		if !w.closing() {
			w.at(w.now.Add(answerAgain), func() error { return w.answer(ctx, n, m, by) })
		}
		return nil
	}
	_, err := n.end.ReadMessage(ctx, as(on[0]), w.clock(n), m.ID)
	var typed []string
	ok := false
	if err == nil {
		typed, ok, err = w.words(ctx, n, m, by)
	}
	if errors.Is(err, station.ErrNotFound) { // the second site has not got it back yet, or a bundle is on its way
		w.at(w.now.Add(answerAgain), func() error { return w.answer(ctx, n, m, by) })
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s opens %s and answers it by %s: %w", n.name, w.cite(m.Origin, m.Index), by, err)
	}
	if !ok {
		return nil
	}
	_, _, err = w.speak(ctx, n, referring(by, m.ID), typed...)
	return err
}

// words are the parameters of an answer. False: nothing is to be answered.
func (w *world) words(ctx context.Context, n *node, m station.Message, by message.Format) ([]string, bool, error) {
	now := w.clock(n).UTC().Truncate(time.Second)
	stamp := func(after time.Duration) string { return now.Add(after).Format(time.RFC3339) }
	switch by {
	case "011":
		e, err := message.ParseEntry(m.Plain)
		if err != nil {
			return nil, false, err
		}
		groups := strings.Trim(string(e.Body.Body().Params["check_groups"]), `"`)
		if w.chance(60) {
			groups = "read wrongly"
		}
		return []string{"read_back=" + groups, "received=" + stamp(0), "quality=clear"}, now.Sub(m.At) < testEvery, nil
	case "012":
		if m.Format == "241" {
			if err := w.judged(ctx, n, m); err != nil {
				return nil, false, err
			}
		}
		return []string{"state=UND", "received=" + m.At.UTC().Format(time.RFC3339), "role=watch"}, true, nil
	case "014":
		return []string{"body=National Grid Watch", "delivered=" + stamp(0)}, true, nil
	case "016":
		return w.proof(ctx, n, m)
	case "017":
		return []string{"role=watch", "at=" + stamp(0)}, true, nil
	case "031":
		return w.pingAnswer(m, stamp(0))
	case "202":
		return []string{"reason=examining", "due=" + stamp(24*time.Hour), "n=1"}, true, nil
	case "211":
		return []string{"answer=not-ours", "action=examining"}, true, nil
	case "231":
		return []string{"answer=stopped", "at=" + stamp(0)}, true, nil
	case "241":
		return w.feedback(ctx, n, m)
	case "271":
		return []string{"facts=fact=1;answer=not-ours", "facts=fact=2;answer=no-facts", "measures=examining"}, true, nil
	case "401":
		return []string{"decision=yes", "at=" + stamp(3*time.Hour), "mode=voice", "callback=tel:+99960001"}, true, nil
	}
	return nil, false, fmt.Errorf("internal error: nobody knows how to answer by %s", by)
}

// proof answers a challenge by the key of an officer on duty.
func (w *world) proof(ctx context.Context, n *node, m station.Message) ([]string, bool, error) {
	on := n.crew.onDuty(w.now)
	st, err := n.end.Challenge(ctx, as(on[0]), w.clock(n), m.ID)
	if err != nil {
		return nil, false, fmt.Errorf("%s looks at a challenge: %w", n.name, err)
	}
	a, err := on[0].Sign(st.Challenge.Request(station.RoleOfWatch))
	if err != nil {
		return nil, false, err
	}
	return []string{"response=" + hex.EncodeToString(a.Bytes()), "key_id=" + on[0].Pseudonym}, true, nil
}

// pingAnswer answers a check of a contact, and no answer to one.
func (w *world) pingAnswer(m station.Message, at string) ([]string, bool, error) {
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return nil, false, err
	}
	said := make(map[string]string)
	for _, name := range []string{"step", "role", "entry", "roster_version"} {
		var v string
		if text, ok := e.Body.Body().Params[name]; ok {
			if err := json.Unmarshal(text, &v); err != nil {
				return nil, false, err
			}
		}
		said[name] = v
	}
	typed := []string{"step=answer", "roster_version=" + said["roster_version"], "role=" + said["role"], "reached=yes", "at=" + at}
	if said["entry"] != "" {
		typed = append(typed, "entry="+said["entry"])
	}
	return typed, said["step"] == "ping", nil
}
