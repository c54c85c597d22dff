package tribunal

import (
	"bytes"
	"crypto/rand"
	"encoding/json/jsontext"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/station/stationtest"
)

// eraFraud is planted in the record of two eras.
const eraFraud = "an era that follows another end"

// Where the story's messages stand: after entry 0 and the policy of each log.
const (
	letterAt, claimAt, questionAt = 2, 3, 4 // Arden's
	replyAt                       = 2       // Boreal's
)

// frauds are the twenty frauds, each with what the verifier must say.
//
// long: a table
func frauds() []planted {
	return []planted{
		{"an entry left out", leaveOut},
		{"approvals swapped", swapApprovals},
		{"a log forked", fork},
		{"a dossier cut", cutDossier},
		{"a receipt from the future", receiptAhead},
		{"a card of another root", otherRoot},
		{"a reply to another claim", otherClaim},
		{"a redaction that changes the meaning", redact},
		{"a checkpoint of another log", otherCheckpoint},
		{"a cosignature by an unlisted key", unlistedKey},
		{"a certificate expired at signing", expiredCertificate},
		{"an officer counted twice", officerTwice},
		{"a policy replaced after the fact", policyLater},
		{eraFraud, otherEnd},
		{"a receipt whose second falls", receiptFalls},
		{"a body altered under the same id", sameID},
		{"a provisional message that hides it", provisionalHidden},
		{"an evidence blob exchanged", blobExchanged},
		{"more seen than was there", seenMore},
		{"a translation of another original", otherOriginal},
	}
}

// leaveOut: the exporter leaves a letter out, and says nothing.
func leaveOut(c *copyOf) (Want, error) {
	e := record.Entry{Origin: c.own(), Index: letterAt}
	c.left[e] = true
	return Want{Verdict: record.Indeterminate, Code: "entry-absent", Where: c.cite(e), Also: []string{"policy-hidden"}, Claims: 1}, nil
}

// swapApprovals: two officers approved one text, and another goes out on it.
func swapApprovals(c *copyOf) (Want, error) {
	said, err := c.body(c.own(), "600", nil, "text=we ask for talks")
	if err != nil {
		return Want{}, err
	}
	other, err := c.body(c.own(), "600", nil, "text=we break off talks")
	if err != nil {
		return Want{}, err
	}
	approved, err := c.entry(c.own(), said)
	if err != nil {
		return Want{}, err
	}
	e, err := c.entry(c.own(), other)
	if err != nil {
		return Want{}, err
	}
	e.Wrapper.Approvals = approved.Wrapper.Approvals
	at, err := c.write(c.own(), e)
	return Want{Verdict: record.Invalid, Code: "approval-other", Where: c.cite(at), By: "ARD"}, err
}

// fork: Arden signs two histories of one size, and Boreal's cosigner both.
func fork(c *copyOf) (Want, error) {
	if _, err := c.say(c.own(), "600", nil, "text=we agreed to nothing"); err != nil {
		return Want{}, err
	}
	last, err := c.say(c.own(), "600", nil, "text=that is all")
	if err != nil {
		return Want{}, err
	}
	s := c.logs[c.own()]
	given := s.receipts[len(s.receipts)-1]
	if c.proofs[record.Entry{Origin: c.own(), Index: last.Index - 1}], err = c.prove(c.own(), s, last.Index-1, given); err != nil {
		return Want{}, err
	}
	other := &sheet{leaves: slices.Clone(s.leaves)}
	other.leaves[last.Index-1] = s.leaves[letterAt] // another entry in its place
	c.proofs[last], err = c.prove(c.own(), other, last.Index, given)
	return Want{Verdict: record.Invalid, Code: "two-roots", Where: c.cite(last), By: "ARD"}, err
}

// cutDossier: of the matter, Boreal's reply is left out; Arden's question speaks
// of it.
func cutDossier(c *copyOf) (Want, error) {
	c.kind = record.Dossier
	for o, s := range c.logs {
		for i := range s.leaves {
			e := record.Entry{Origin: o, Index: int64(i)}
			c.left[e] = o != c.own() || i != claimAt && i != questionAt
		}
	}
	return Want{
		Verdict: record.Indeterminate, Code: "reference-absent", Where: c.cite(record.Entry{Origin: c.own(), Index: questionAt}), Also: []string{"policy-hidden"}, Claims: 1,
	}, nil
}

// receiptAhead: Boreal answers a letter within minutes, and dates its receipt two
// days later.
func receiptAhead(c *copyOf) (Want, error) {
	if _, err := c.say(c.own(), "600", nil, "text=we ask for an answer today"); err != nil {
		return Want{}, err
	}
	s := c.logs[c.own()]
	n := int64(len(s.leaves))
	_, root, err := s.tree(n)
	if err != nil {
		return Want{}, err
	}
	b, err := c.body(c.theirs(), "600", nil, "text=not today")
	if err != nil {
		return Want{}, err
	}
	e, err := c.entry(c.theirs(), b)
	if err != nil {
		return Want{}, err
	}
	e.Wrapper.Seen = message.Head{Era: 1, Size: n, Root: identity.Digest(root)}
	at, err := c.write(c.theirs(), e)
	s.receipts[len(s.receipts)-1].at = e.Wrapper.At.Add(48 * time.Hour)
	return Want{Verdict: record.Indeterminate, Code: "receipt-ahead", Where: c.cite(at), By: "BOR", Claims: 1}, err
}

// otherRoot: somebody makes a party of Boreal's name, with a root of his own.
func otherRoot(c *copyOf) (Want, error) {
	pretender, err := stationtest.NewCast(rand.Reader, opens, "boreal.example", "BOR", arden)
	if err != nil {
		return Want{}, err
	}
	c.cards[boreal] = pretender.Bundle
	return Want{Verdict: record.Invalid, Code: "cards-bad", Where: "cards/" + string(boreal) + ".cards"}, nil
}

// otherClaim: Boreal binds its reply to a claim of its own, so that it seems to
// have answered.
func otherClaim(c *copyOf) (Want, error) {
	claim, err := c.say(c.theirs(), "270", nil, claimed("BOR-2026-001", facts[0])...)
	if err != nil {
		return Want{}, err
	}
	reply, err := c.say(c.theirs(), "271", []message.ID{c.id(claim)}, "facts=fact=1;answer=not-ours")
	return Want{Verdict: record.Indeterminate, Code: "answers-other", Where: c.cite(reply), By: "BOR", Claims: 2}, err
}

// redact: Arden recalls its claim, Boreal says that it understood, and Arden
// exports the claim without the recall.
func redact(c *copyOf) (Want, error) {
	claim := c.id(record.Entry{Origin: c.own(), Index: claimAt})
	recall, err := c.say(c.own(), "019", []message.ID{claim}, "kind=recall", "ask=stop-use", "by=2026-11-30T00:00:00Z")
	if err != nil {
		return Want{}, err
	}
	und, err := c.say(c.theirs(), "012", []message.ID{c.id(recall)}, "state=UND", "received="+c.end().UTC().Format(time.RFC3339), "role=watch")
	c.hidden[recall] = true
	return Want{Verdict: record.Indeterminate, Code: "reference-hidden", Where: c.cite(und), Also: []string{"undisclosed"}, Claims: 1}, err
}

// otherCheckpoint: an entry is shown under the signed state of the other log.
func otherCheckpoint(c *copyOf) (Want, error) {
	e := record.Entry{Origin: c.own(), Index: int64(len(c.logs[c.own()].leaves) - 1)}
	own, err := c.Proof(e)
	if err != nil {
		return Want{}, err
	}
	other, err := c.Proof(record.Entry{Origin: c.theirs(), Index: int64(len(c.logs[c.theirs()].leaves) - 1)})
	if err != nil {
		return Want{}, err
	}
	path, _, _ := bytes.Cut(own, []byte("\n\n"))
	_, checkpoint, _ := bytes.Cut(other, []byte("\n\n"))
	c.proofs[e] = slices.Concat(path, []byte("\n\n"), checkpoint)
	return Want{Verdict: record.Invalid, Code: "checkpoint-other", Where: c.cite(e), By: "ARD"}, nil
}

// unlistedKey: a receipt in Boreal's name by a key that no card lists.
func unlistedKey(c *copyOf) (Want, error) {
	e, err := c.say(c.own(), "600", nil, "text=you have received this")
	if err != nil {
		return Want{}, err
	}
	s := c.logs[c.own()]
	s.receipts[len(s.receipts)-1].key, err = identity.GenerateKey(identity.UseCosigner, rand.Reader)
	return Want{Verdict: record.Invalid, Code: "cosigner-unlisted", Where: c.cite(e), By: "BOR"}, err
}

// expiredCertificate: the second officer's certificate had ended an hour before
// the line opened.
func expiredCertificate(c *copyOf) (Want, error) {
	cast := *c.casts[arden]
	cast.Officers = slices.Clone(cast.Officers)
	o := &cast.Officers[1]
	var err error
	o.Certificate, err = identity.IssueCertificate(cast.Card.Agency, cast.Agency, identity.Certificate{
		Party: cast.Card.Party, Station: arden, Pseudonym: o.Pseudonym, Roles: []string{"releasing"}, From: cast.Card.From, To: opens.Add(-time.Hour),
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: o.Key.Public()},
	})
	if err != nil {
		return Want{}, err
	}
	was := c.casts[arden]
	c.casts[arden] = &cast
	e, err := c.say(c.own(), "600", nil, "text=signed in time")
	c.casts[arden] = was
	return Want{Verdict: record.Invalid, Code: "certificate-ended", Where: c.cite(e), By: "ARD"}, err
}

// signed writes a letter of Arden's with the approvals of some officers, under a
// policy.
func (c *copyOf) signed(p message.Policy, precedence message.Precedence, officers ...int) (record.Entry, error) {
	b, err := c.body(c.own(), "600", nil, "text=at once")
	if err != nil {
		return record.Entry{}, err
	}
	b.Precedence = precedence
	e, err := c.entry(c.own(), b)
	if err != nil {
		return record.Entry{}, err
	}
	if e.Wrapper.Approvals, err = c.approve(e.Body, p, e.Wrapper.At, officers...); err != nil {
		return record.Entry{}, err
	}
	return c.write(c.own(), e)
}

// officerTwice: one officer approves twice.
func officerTwice(c *copyOf) (Want, error) {
	e, err := c.signed(message.DefaultPolicy(), message.Routine, 0, 0)
	return Want{Verdict: record.Invalid, Code: "officer-twice", Where: c.cite(e), By: "ARD"}, err
}

// provisionalHidden: one officer sends a FLASH, which may go as PROVISIONAL, and
// the mark is left off.
func provisionalHidden(c *copyOf) (Want, error) {
	e, err := c.signed(message.DefaultPolicy(), message.Flash, 0)
	return Want{Verdict: record.Invalid, Code: "provisional-hidden", Where: c.cite(e), By: "ARD"}, err
}

// policyLater: a letter leaves on one officer under a policy that is stated only
// after it.
func policyLater(c *copyOf) (Want, error) {
	lax := message.DefaultPolicy()
	lax.Rules[len(lax.Rules)-1].Officers = 1
	e, err := c.signed(lax, message.Routine, 0)
	if err != nil {
		return Want{}, err
	}
	params, err := lax.Params()
	if err != nil {
		return Want{}, err
	}
	b, err := c.body(c.own(), "600", nil, "text=x")
	if err != nil {
		return Want{}, err
	}
	params["from_entry"] = jsontext.Value(fmt.Sprint(e.Index))
	b.Format, b.Params = "005", params
	stated, err := c.entry(c.own(), b)
	if err != nil {
		return Want{}, err
	}
	_, err = c.write(c.own(), stated)
	return Want{Verdict: record.Invalid, Code: "policy-later", Where: c.cite(e), By: "ARD"}, err
}

// otherEnd: Arden's note of succession ends the old log with another root.
func otherEnd(c *copyOf) (Want, error) {
	next := c.own()
	next.Era = 2
	s := identity.Succession{
		Old: c.own(), Size: int64(len(c.logs[c.own()].leaves)), Root: identity.Sum([]byte("another history")), Reason: "choice", New: next, At: c.logs[next].leaves[0].entry.Wrapper.At,
	}
	var err error
	c.notes[next], err = identity.SignSuccession(c.casts[arden].Keys.Logs[next], s)
	return Want{Verdict: record.Invalid, Code: "end-differs", Where: c.own().String(), By: "ARD"}, err
}

// receiptFalls: Boreal receipts the larger size earlier than the smaller.
func receiptFalls(c *copyOf) (Want, error) {
	for _, text := range []string{"text=one", "text=two"} {
		if _, err := c.say(c.own(), "600", nil, text); err != nil {
			return Want{}, err
		}
	}
	s := c.logs[c.own()]
	n := len(s.receipts)
	s.receipts[n-1].at = s.receipts[n-2].at.Add(-minute)
	return Want{Verdict: record.Invalid, Code: "receipts-clash", Where: c.cite(record.Entry{Origin: c.own(), Index: int64(len(s.leaves) - 1)}), By: "BOR"}, nil
}

// sameID: a letter of another text under the id of one that was sent.
func sameID(c *copyOf) (Want, error) {
	b, err := c.body(c.own(), "600", nil, "text=good bye")
	if err != nil {
		return Want{}, err
	}
	b.ID = c.id(record.Entry{Origin: c.own(), Index: letterAt})
	e, err := c.entry(c.own(), b)
	if err != nil {
		return Want{}, err
	}
	at, err := c.write(c.own(), e)
	return Want{Verdict: record.Invalid, Code: "body-twice", Where: c.cite(at), By: "ARD"}, err
}

// blobExchanged: Arden names one piece of evidence, and Boreal confirms another.
func blobExchanged(c *copyOf) (Want, error) {
	named, other := identity.Sum([]byte("the bundle")), identity.Sum([]byte("another bundle"))
	evidence := fmt.Sprintf(`evidence={"hash":%q,"size":4096,"type":"application/stix+json"}`, named)
	if _, err := c.say(c.own(), "270", nil, append(claimed("ARD-2026-002", facts[0]), evidence)...); err != nil {
		return Want{}, err
	}
	e, err := c.say(c.theirs(), "003", nil, "hash="+other.String(), "size=4096")
	return Want{Verdict: record.Indeterminate, Code: "blob-unnamed", Where: c.cite(e), By: "BOR", Claims: 2}, err
}

// seenMore: Boreal says that it has seen a hundred entries of Arden's log.
func seenMore(c *copyOf) (Want, error) {
	b, err := c.body(c.theirs(), "600", nil, "text=you said much more")
	if err != nil {
		return Want{}, err
	}
	e, err := c.entry(c.theirs(), b)
	if err != nil {
		return Want{}, err
	}
	e.Wrapper.Seen = message.Head{Era: 1, Size: 100, Root: identity.Sum([]byte("a hundred entries"))}
	_, err = c.write(c.theirs(), e)
	return Want{Verdict: record.Indeterminate, Code: "seen-more", Where: c.own().String(), Claims: 1}, err
}

// otherOriginal: a translation that is sent for a letter is bound to another text.
func otherOriginal(c *copyOf) (Want, error) {
	letter := c.id(record.Entry{Origin: c.own(), Index: letterAt})
	e, err := c.say(c.theirs(), "601", []message.ID{letter}, "original="+strings.Repeat("ab", 32), "into=fr", "text=Au revoir", "translator=BOR-L-01", "status=checked")
	return Want{Verdict: record.Indeterminate, Code: "translation-other", Where: c.cite(e), By: "BOR", Claims: 1}, err
}
