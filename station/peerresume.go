package station

import (
	"context"
	"fmt"
	"time"

	"detente/identity"
)

// endOfHold is what officers sign to end a hold: a digest that the card gives and
// that is not the card's own, so that neither a confirmation nor this serves for
// the other.
func endOfHold(card identity.Digest) identity.Digest {
	return identity.Sum([]byte("detente/peer-resume/v1\n" + card.String()))
}

// ResumeRequest returns what an officer signs to end an operator's hold of a
// peer, under an id that is this hold's own.
func (s *Station) ResumeRequest(ctx context.Context, actor Actor, name identity.Station, role string, expires time.Time) (identity.Request, error) {
	if err := actor.must("see what is to be signed", RoleRead, RoleOperator); err != nil {
		return identity.Request{}, s.denied(ctx, actor, "peer resume", err)
	}
	return s.peerRequest(name, role, endOfHold, expires)
}

// ResumePeer takes an officer's signed word that an operator's hold of a peer is
// over. With the second officer's the peer is again what it was before, under the
// cards that were confirmed then. A hold that other cards brought about, or that was
// put on cards that nobody had confirmed, is ended by the ceremony alone. One
// officer counts once.
func (s *Station) ResumePeer(ctx context.Context, actor Actor, now time.Time, name identity.Station, a identity.Approval) (Peer, error) {
	return s.signedPeer(ctx, actor, now, "peer resume", endOfHold, name, a, func(p *Peer, officer string) error {
		switch {
		case p.State == PeerRemoved:
			return removedAlready(name)
		case p.State != PeerStopped:
			return fmt.Errorf("%w: %s is %q and not held: there is nothing to resume", ErrConflict, name, p.State)
		case p.Resumes == "":
			return fmt.Errorf("%w: %s is not held by an operator's word alone: only the ceremony ends this hold; begin with `detente peer digits %s`", ErrConflict, name, name)
		}
		if signed(p, officer) {
			p.State, p.Resumes = p.Resumes, ""
		}
		return nil
	})
}

// orResume is the other way out of a hold, where there is one.
func orResume(p *Peer) string {
	if p.Resumes == "" {
		return ""
	}
	return ", or end the hold with `detente peer resume`"
}
