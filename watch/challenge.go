package watch

import (
	"encoding/hex"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// Challenge asks the other side for live proof of an officer: format 015. The
// answer, format 016, is an approval of the challenge itself by that officer's
// credential, which says when, by whom and on which line it was asked, so that
// it proves nothing else and serves nowhere else. That the other station stands
// behind the answer is proven by its log, in which the 016 lies.
type Challenge struct {
	ID    message.ID // of the 015
	Line  identity.Line
	From  identity.Station // who asks
	To    identity.Station // who answers
	Nonce []byte           // 16 to 32 random bytes
	Asked time.Time        // the second at which the 015 was appended
}

// Limits of a challenge.
const (
	MinNonce      = 16
	MaxNonce      = 32
	AnswerWithin  = 5 * time.Minute
	challengeKind = "detente/challenge/v1"
)

type challengeJSON struct {
	Asked string `json:"asked"`
	From  string `json:"from"`
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Line  string `json:"line"`
	Nonce string `json:"nonce"`
	To    string `json:"to"`
}

// Check returns what is wrong with a challenge.
func (c Challenge) Check() error {
	switch {
	case len(c.Nonce) < MinNonce || len(c.Nonce) > MaxNonce:
		return fault("nonce", fmt.Sprintf("it has %d bytes", len(c.Nonce)), fmt.Sprintf("use %d to %d random ones", MinNonce, MaxNonce))
	case !c.Line.Has(c.From) || !c.Line.Has(c.To) || c.From == c.To:
		return fault("line", "who asks and who answers are not the two stations of the line", "name the line's own two stations")
	case !whole(c.Asked) || c.ID == (message.ID{}):
		return fault("asked", "it has no second or no id", "take both from the message of format 015")
	}
	return nil
}

// Bytes returns the challenge's frozen form, canonical JSON. Its kind is the
// domain tag: no body of a message, and nothing else that officers approve, has
// these bytes.
func (c Challenge) Bytes() []byte {
	return canonical(challengeJSON{stamp(c.Asked), string(c.From), c.ID.String(), challengeKind, lineText(c.Line), hex.EncodeToString(c.Nonce), string(c.To)})
}

// ParseChallenge reads what Bytes wrote.
func ParseChallenge(text []byte) (Challenge, error) {
	var w challengeJSON
	if err := decode("challenge", text, &w); err != nil {
		return Challenge{}, err
	}
	if w.Kind != challengeKind {
		return Challenge{}, fault("kind", fmt.Sprintf("%q is no challenge", clip(w.Kind)), "a newer program may have written it")
	}
	var p stamps
	c := Challenge{From: identity.Station(w.From), To: identity.Station(w.To), Asked: p.read("asked", w.Asked)}
	var err error
	if c.ID, err = message.ParseID(w.ID); err != nil {
		return c, err
	}
	if c.Line, err = parseLine("line", w.Line); err != nil {
		return c, err
	}
	if c.Nonce, err = hex.DecodeString(w.Nonce); err != nil || hex.EncodeToString(c.Nonce) != w.Nonce {
		return c, fault("nonce", "it is not in lower-case hexadecimal", "write it anew")
	}
	if p.err != nil {
		return c, p.err
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	return c, oneForm("challenge", c.Bytes(), text)
}

// Request returns what the officer of the asked station signs, in a role.
func (c Challenge) Request(role string) identity.Request {
	return identity.Request{Body: identity.Sum(c.Bytes()), ID: c.ID, Role: role, Expires: c.Asked.Add(AnswerWithin),
		Policy: identity.Sum([]byte(challengeKind)), Decision: "approve"}
}

// Verify returns the officer's certificate if the answer is the asked
// station's, by one of its agency's officers, over this challenge and no other,
// and receipted within AnswerWithin of it.
func (c Challenge) Verify(answer identity.Approval, agencies identity.Agencies, received time.Time) (identity.Certificate, error) {
	if err := c.Check(); err != nil {
		return identity.Certificate{}, err
	}
	if !answer.Request.Equal(c.Request(answer.Request.Role)) {
		return identity.Certificate{}, fault("response", "it answers another challenge", "ask again with a new challenge: an old answer proves nothing")
	}
	if received.Before(c.Asked) || !received.Before(c.Asked.Add(AnswerWithin)) {
		return identity.Certificate{}, fault("response", "it came at "+stamp(received)+", and not within "+AnswerWithin.String()+" of "+stamp(c.Asked), "ask again with a new challenge")
	}
	return answer.Verify(c.To, agencies, received)
}
