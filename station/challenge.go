package station

import (
	"context"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// ChallengeState is a challenge and what its answer proves.
type ChallengeState struct {
	Challenge watch.Challenge
	Answer    message.ID // of the first answer that proves, or else of the last one; zero: there is none
	Received  time.Time  // of the answer
	Officer   string     // who answered, by pseudonym; empty: nothing is proven
	Why       string     // why the answer proves nothing; empty: it does, or there is none
}

// maxAnswers bounds the answers that are looked at: whoever is asked may send as
// many as they like.
const maxAnswers = 16

// Challenge returns a challenge by the id of its message of format 015, and
// whether an officer of the asked station has answered it.
func (s *Station) Challenge(ctx context.Context, actor Actor, now time.Time, id message.ID) (ChallengeState, error) {
	if err := actor.must("read a message", RoleRead); err != nil {
		return ChallengeState{}, s.refused(ctx, now, actor, "challenge", id.String(), err)
	}
	var st ChallengeState
	err := s.update(ctx, now, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		if m.Format != "015" || m.Problem != "" {
			return fmt.Errorf("%w: message %s is no challenge of format 015 that was accepted", ErrInvalid, id)
		}
		if st, err = s.challenge(tx, m); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "challenge", s.Cite(m.Origin, m.Index), "done", st.Officer)
	})
	if err != nil {
		return ChallengeState{}, s.refused(ctx, now, actor, "challenge", id.String(), err)
	}
	return st, nil
}

func (s *Station) challenge(tx Tx, m Message) (st ChallengeState, err error) {
	b := s.opened(m).Entry.Body.Body()
	var nonce string
	if err := json.Unmarshal(b.Params["nonce"], &nonce); err != nil {
		return st, fmt.Errorf("%w: nonce: %w", ErrInvalid, err)
	}
	st.Challenge = watch.Challenge{ID: m.ID, Line: b.Line, From: b.From, To: b.To, Asked: m.At.UTC()}
	if st.Challenge.Nonce, err = hex.DecodeString(nonce); err != nil {
		return st, fmt.Errorf("%w: nonce: %w", ErrInvalid, err)
	}
	if err := st.Challenge.Check(); err != nil {
		return st, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	around, err := tx.Referring(m.ID)
	if err != nil {
		return st, err
	}
	looked := 0
	for _, a := range around {
		if a.Format != "016" || a.Problem != "" || a.Origin.Writer != b.To {
			continue
		}
		if looked++; looked > maxAnswers {
			break
		}
		if err := s.judgeAnswer(tx, &st, a); err != nil || st.Officer != "" {
			return st, err
		}
	}
	return st, nil
}

// judgeAnswer verifies one answer.
func (s *Station) judgeAnswer(tx Tx, st *ChallengeState, m Message) error {
	at, err := s.receivedAt(tx, m)
	if err != nil {
		return err
	}
	st.Answer, st.Received = m.ID, at
	agencies := s.own.Load().Agencies
	if m.Origin.Writer != s.name {
		p, err := s.peerNamed(m.Origin.Writer)
		if err != nil {
			return err
		}
		agencies = p.Agencies
	}
	cert, err := s.proof(st.Challenge, m, agencies, at)
	if err != nil {
		st.Why = err.Error()
		return nil //nolint:nilerr // the error is the answer
	}
	st.Officer, st.Why = cert.Pseudonym, ""
	return nil
}

// proof reads and verifies what an answer holds.
func (s *Station) proof(c watch.Challenge, m Message, agencies identity.Agencies, at time.Time) (identity.Certificate, error) {
	if at.IsZero() {
		return identity.Certificate{}, errors.New("it is not receipted yet")
	}
	var text string
	if err := json.Unmarshal(s.opened(m).Entry.Body.Body().Params["response"], &text); err != nil {
		return identity.Certificate{}, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return identity.Certificate{}, err
	}
	approval, err := s.verifier.Parse(raw)
	if err != nil {
		return identity.Certificate{}, fmt.Errorf("what it holds is no officer's approval: %w", err)
	}
	return c.Verify(approval, agencies, at)
}
