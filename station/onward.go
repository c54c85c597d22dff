package station

import (
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/message"
	"detente/record"
)

// The formats by which onward disclosure is asked for and answered.
const (
	askOnward    message.Format = "245"
	answerOnward message.Format = "246"
)

// detail says in the audit trail how something is exported.
func (e Export) detail() string {
	text := fmt.Sprintf("disclosed %v", e.Disclose)
	if e.For != "" {
		text += ", for " + quotable(e.For)
	}
	return text
}

// mayLeave judges a record before a byte of it leaves: by markings and rights, by
// what its counterpart granted where it is for a third party, and it keeps closed
// what was said without prejudice, and says how many those are. Whatever discloses
// passes here.
func (s *Station) mayLeave(tx Tx, actor Actor, now time.Time, e Export, o *record.Options) (kept int, err error) {
	if o.Disclose == nil {
		return 0, nil
	}
	limit := e.Marking
	if o.Kind == record.Publication { // both consented to it, whatever it was marked; the officer's rights hold
		limit = message.Marking{TLP: "RED", PAP: "RED"}
	}
	if kept, err = s.keepClosed(tx, o); err != nil {
		return 0, err
	}
	shown := slices.DeleteFunc(slices.Clone(o.Entries), func(e record.Entry) bool { return o.Closed(e) || !o.Disclose(e) })
	if err := s.mayDisclose(tx, actor, shown, limit); err != nil {
		return 0, err
	}
	if e.For == "" || o.Kind == record.Publication {
		return kept, nil
	}
	return kept, s.mayPassOn(tx, now, e.For, o)
}

// mayPassOn returns ErrRefused, with words that name each message, where a record
// for a third party discloses what the counterpart wrote and did not grant.
func (s *Station) mayPassOn(tx Tx, now time.Time, to string, o *record.Options) error {
	var why []string
	for _, e := range o.Entries {
		if e.Origin.Writer == s.name || o.Closed(e) {
			continue
		}
		m, err := tx.Message(e.Origin, e.Index)
		if err != nil {
			return err
		}
		if f, ok := s.book.Format(m.Format); ok && (f.Service || f.Receipt) {
			continue // it says nothing of its own
		}
		reason, err := s.granted(tx, now, m, to)
		if err != nil {
			return err
		}
		if reason != "" {
			why = append(why, s.Cite(e.Origin, e.Index)+": "+reason)
		}
	}
	if len(why) == 0 {
		return nil
	}
	if more := len(why) - maxNamed; more > 0 {
		why = append(why[:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%w: the counterpart has not granted that %s gets what it wrote: %s; ask for it by format %s, referring to the message, or leave it out", ErrRefused, quotable(to), strings.Join(why, "; "), askOnward)
}

// onward is what a request for onward disclosure, and its answer, say.
type onward struct {
	Messages   []string  `json:"messages"`
	Recipient  string    `json:"recipient"`
	Form       string    `json:"form"`
	Answer     string    `json:"answer"`
	Conditions []string  `json:"conditions"`
	Until      time.Time `json:"until"`
}

func (s *Station) onward(m Message) (o onward) {
	text, err := json.Marshal(s.opened(m).Entry.Body.Body().Params)
	if err != nil || json.Unmarshal(text, &o) != nil {
		return onward{}
	}
	return o
}

// granted says why a counterpart's message may not go to a third party; the empty
// text says that it may.
func (s *Station) granted(tx Tx, now time.Time, m Message, to string) (string, error) {
	asked, err := tx.Referring(m.ID)
	if err != nil {
		return "", err
	}
	reason := "onward disclosure to it was not asked for"
	for _, a := range asked {
		o := s.onward(a)
		if a.Format != askOnward || a.Origin.Writer != s.name || !strings.EqualFold(strings.TrimSpace(o.Recipient), strings.TrimSpace(to)) || !slices.Contains(o.Messages, s.Cite(m.Origin, m.Index)) {
			continue
		}
		if reason, err = s.answeredOnward(tx, now, a); err != nil {
			return "", err
		}
		if reason == "" && o.Form != string(record.FormFull) {
			reason = "asked for in " + s.Cite(a.Origin, a.Index) + " in another form than in full"
		}
		if reason == "" {
			return "", nil
		}
	}
	return reason, nil
}

// answeredOnward says why a request for onward disclosure is no grant.
func (s *Station) answeredOnward(tx Tx, now time.Time, asked Message) (string, error) {
	referring, err := tx.Referring(asked.ID)
	if err != nil {
		return "", err
	}
	cite := s.Cite(asked.Origin, asked.Index)
	reason := "asked for in " + cite + " and not answered; silence grants nothing"
	for _, r := range referring {
		if r.Format != answerOnward || r.Problem != "" || r.Origin.Writer == s.name {
			continue
		}
		gone, err := s.recalled(tx, r)
		if err != nil {
			return "", err
		}
		o, by := s.onward(r), s.Cite(r.Origin, r.Index)
		switch {
		case gone:
			reason = "the answer " + by + " was recalled"
		case o.Answer == "refused":
			reason = "refused in " + by
		case o.Answer != "granted" && o.Answer != "conditions":
			reason = "still examined, as " + by + " says"
		case !o.Until.IsZero() && !now.Before(o.Until):
			reason = "granted in " + by + " until " + o.Until.UTC().Format(time.RFC3339) + ", which is over"
		case slices.Contains(o.Conditions, "redacted"):
			reason = "granted in " + by + " in redacted form alone: publish it by formats 390 and 391"
		default:
			reason = ""
		}
	}
	return reason, nil
}
