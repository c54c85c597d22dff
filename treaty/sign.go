package treaty

import (
	"time"

	"detente/identity"
	"detente/message"
)

// RolePlenipotentiary is the role in whose certificate it stands that its officer
// may sign instruments.
const RolePlenipotentiary = "plenipotentiary"

// Signature is one side's signature of a text, and the certificate that it was made
// with, verified by whoever gives it.
type Signature struct {
	By          identity.Party
	Message     message.ID
	Text        identity.Digest
	Certificate identity.Certificate
	Received    time.Time
	Definitive  bool // no confirmation or internal procedure is reserved
}

// SignatureRefusal is a signature that does not count, and why.
type SignatureRefusal struct {
	Message message.ID
	Why     string
}

// Signed says which signatures of a text count: the first of each side that is over
// this hash, by a certificate with the plenipotentiary's role that was valid when it
// was received. Complete is when the second side's was received; zero: one lacks.
func Signed(text identity.Digest, parties [2]identity.Party, list []Signature) (count []Signature, complete time.Time, refused []SignatureRefusal) {
	have := make(map[identity.Party]bool)
	for _, s := range list {
		why := ""
		switch {
		case s.By != parties[0] && s.By != parties[1]:
			why = "its side is no party to the instrument"
		case s.Text != text:
			why = "it is over another text"
		case s.Certificate.Party != s.By:
			why = "its certificate is of another party"
		case !s.Certificate.Holds(RolePlenipotentiary):
			why = "its officer is no plenipotentiary"
		case s.Received.IsZero():
			why = "it was not received"
		case s.Received.Before(s.Certificate.From) || s.Received.After(s.Certificate.To):
			why = "its officer's certificate was not valid when it was received"
		case have[s.By]:
			continue // a repetition changes nothing
		}
		if why != "" {
			refused = append(refused, SignatureRefusal{s.Message, why})
			continue
		}
		have[s.By] = true
		count = append(count, s)
		if s.Received.After(complete) {
			complete = s.Received
		}
	}
	if len(count) < 2 {
		complete = time.Time{}
	}
	return count, complete, refused
}
