package station

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/seal"
)

// Where a counterpart says that no key of its opens an entry, its author answers
// with that entry's file key, sealed as any message is: once, for its own entry
// which the refusal names and for no other. Where the counterpart cannot open the
// answer either, its sealing key is lost or wrong; then the answer waits until its
// card lists another, and is given once more.

// entryPlace is where an entry stands.
type entryPlace struct {
	Origin identity.Origin
	Index  int64
}

// unreadState is what stood before an entry that could not be opened: it is judged
// by that once its key comes.
type unreadState struct {
	At     time.Time       `json:"at,omitzero"`
	Era    identity.Era    `json:"era,omitzero"`
	Size   int64           `json:"size,omitzero"`
	Root   identity.Digest `json:"root"`
	Policy []byte          `json:"policy"`
}

func unreadKey(o identity.Origin, index int64) string {
	return fmt.Sprintf("unread/%s/%d", o, index)
}

// noteUnread keeps what stands before an entry that cannot be opened.
func (s *Station) noteUnread(tx Tx, row *Line, o identity.Origin, index int64) error {
	text, err := json.Marshal(unreadState{At: row.PeerAt, Era: row.PeerSeen.Era, Size: row.PeerSeen.Size, Root: row.PeerSeen.Root, Policy: s.policyBytes(tx, o)})
	if err != nil {
		return err
	}
	return tx.PutSetting(unreadKey(o, index), text)
}

// unreadBefore reads what noteUnread kept; the zero state where nothing is.
func unreadBefore(tx Tx, o identity.Origin, index int64) (st unreadState, err error) {
	text, err := tx.Setting(unreadKey(o, index))
	if err != nil || text == nil {
		return st, err
	}
	if err := json.Unmarshal(text, &st); err != nil {
		return st, fmt.Errorf("internal error: what stood before entry %d of %s: %w", index, o, err)
	}
	return st, nil
}

// keyOpens returns the entry that the file key in a body opens; false where the
// body gives none, or it opens no earlier entry of its author's.
func keyOpens(tx Tx, o identity.Origin, index int64, b message.Body) (entryPlace, bool, error) {
	of, text, ok := dossier.Disclosed(o, index, b)
	if !ok {
		return entryPlace{}, false, nil
	}
	key, err := seal.ParseFileKey(text)
	if err != nil {
		return entryPlace{}, false, nil //nolint:nilerr // it is no key
	}
	sealed, err := tx.Entry(of.Origin, of.Index)
	if errors.Is(err, journal.ErrNoEntry) {
		return entryPlace{}, false, nil
	}
	if err != nil {
		return entryPlace{}, false, err
	}
	_, err = seal.OpenWithKey(sealed, key)
	return entryPlace(of), err == nil, nil
}

// acceptKey judges a file key that a counterpart gives: it has to open an earlier
// entry of its own.
func acceptKey(tx Tx, o identity.Origin, index int64, b message.Body) (problem, field string, err error) {
	if b.Format != "006" {
		return "", "", nil
	}
	if _, _, ok := dossier.Disclosed(o, index, b); !ok {
		return problemParameter, "index", nil
	}
	if _, ok, err := keyOpens(tx, o, index, b); err != nil || !ok {
		return problemParameter, "key", err
	}
	return "", "", nil
}

// takeKey opens the entry whose file key an entry gives, and takes it as if it had
// been read when it came. Where this station read it all the time nothing changes.
func (s *Station) takeKey(tx Tx, now time.Time, row *Line, o identity.Origin, index int64, in incoming, answer bool) error {
	if in.problem != "" {
		return nil
	}
	of, ok, err := keyOpens(tx, o, index, in.entry.Body.Body())
	if err != nil || !ok {
		return err
	}
	m, err := tx.Message(of.Origin, of.Index)
	if errors.Is(err, ErrNotFound) || err == nil && m.Problem != problemUnreadable {
		return nil
	}
	if err != nil {
		return err
	}
	sealed, err := tx.Entry(of.Origin, of.Index)
	if err != nil {
		return err
	}
	_, text, _ := dossier.Disclosed(o, index, in.entry.Body.Body())
	key, err := seal.ParseFileKey(text)
	if err != nil {
		return err
	}
	plain, err := seal.OpenWithKey(sealed, key)
	if err != nil {
		return err
	}
	if err := tx.PutSetting(givenKeyKey(of), []byte(key.Disclose())); err != nil {
		return err
	}
	return s.takeOpened(tx, now, row, of, parseIncoming(plain), answer)
}

// takeOpened takes an entry that its author's file key has opened: judged by what
// stood before it, not by what came since.
func (s *Station) takeOpened(tx Tx, now time.Time, row *Line, of entryPlace, in incoming, answer bool) error {
	o, index := of.Origin, of.Index
	before, err := unreadBefore(tx, o, index)
	if err != nil {
		return err
	}
	then := Line{PeerAt: before.At, PeerSeen: message.Head{Era: before.Era, Size: before.Size, Root: before.Root}}
	if before.Policy != nil {
		policy, err := message.ParsePolicy(before.Policy)
		if err != nil {
			return fmt.Errorf("internal error: the release policy before entry %d of %s: %w", index, o, err)
		}
		rules := ruling(policy)
		in.policy = &rules
	}
	problem, field, err := s.judge(tx, &then, o, index, in, answer)
	if err != nil {
		return err
	}
	force, err := tx.Setting("policy/" + o.String())
	if err != nil {
		return err
	}
	if err := s.projectOpened(tx, o, index, in, problem, field); err != nil {
		return err
	}
	if problem != "" {
		if !answer {
			return nil
		}
		return errors.Join(s.refuse(tx, now, o, index, in, problem, field),
			s.event(tx, now, "message", s.Cite(o, index), "opened by the file key that its author gave, and could not be accepted: "+problem+" "+field))
	}
	b := in.entry.Body.Body()
	if b.Format == "005" && force != nil && !bytes.Equal(force, before.Policy) {
		if err := tx.PutSetting("policy/"+o.String(), force); err != nil { // a later one is in force
			return err
		}
	}
	if o.Era == row.PeerEra {
		if err := s.takeOpening(tx, row, o, index, in.entry); err != nil {
			return err
		}
	}
	if err := s.noteBlobs(tx, now, o, in.entry, answer); err != nil || !answer {
		return err
	}
	policy, err := s.policy(tx, o)
	if in.policy != nil {
		policy = *in.policy
	}
	return errors.Join(err, s.proven(tx, now, o, b), s.noteProvisional(tx, o, index, in.entry, policy.Policy),
		s.event(tx, now, "message", s.Cite(o, index), "received: opened by the file key that its author gave"))
}

// projectOpened puts what an entry turned out to say in the place of what stood
// of it while it could not be opened.
func (s *Station) projectOpened(tx Tx, o identity.Origin, index int64, in incoming, problem, field string) error {
	closed, err := tx.Message(o, index)
	if err != nil {
		return err
	}
	if in.problem != "" {
		err = s.projectUnread(tx, o, index, in)
	} else {
		err = s.project(tx, o, index, in.entry, in.plain, problem, field)
	}
	if err != nil {
		return err
	}
	now, err := tx.Message(o, index)
	if err != nil {
		return err
	}
	return s.reindex(tx, closed, now)
}

func givenKeyKey(of entryPlace) string { return fmt.Sprintf("filekey of/%s/%d", of.Origin, of.Index) }

// givenKey returns the file key that the author of an entry gave of it; false
// where it gave none.
func (s *Station) givenKey(tx Tx, o identity.Origin, index int64) (seal.FileKey, bool, error) {
	text, err := tx.Setting(givenKeyKey(entryPlace{o, index}))
	if err != nil || text == nil {
		return seal.FileKey{}, false, err
	}
	key, err := seal.ParseFileKey(string(text))
	return key, err == nil, err
}

// gaveKey is kept of each entry whose file key was given: what it was sealed to.
func gaveKey(o identity.Origin, index int64) string { return fmt.Sprintf("filekey/%s/%d", o, index) }

// keyOwed is an entry whose file key waits for another sealing key.
type keyOwed struct {
	Era   identity.Era `json:"era"`
	Index int64        `json:"index"`
	To    string       `json:"to"` // the sealing key that could not open the answer
}

func owedKeysKey(l identity.Line) string { return "filekeys/" + l.String() }

// Bounds of the file keys that wait for another sealing key: as many as a card
// that was wrong for a month leaves on a busy line, and what one tick gives.
const (
	maxOwedKeys  = 1024
	keysInOneGo  = 16
	keyPrecedent = message.Priority // at least; of a more urgent entry its own
)

// answerUnreadable answers a counterpart's refusal of an entry that it could not
// open with the entry's file key.
func (s *Station) answerUnreadable(tx Tx, now time.Time, o identity.Origin, b message.Body) error {
	if b.Format != "002" || stated(b, "reason") != problemUnreadable {
		return nil
	}
	var era identity.Era
	var index int64
	if json.Unmarshal(b.Params["era"], &era) != nil || json.Unmarshal(b.Params["index"], &index) != nil || era == 0 {
		return nil
	}
	own := o.Line().Log(s.name, era)
	sealed, err := tx.Entry(own, index)
	if errors.Is(err, journal.ErrNoEntry) {
		return nil // it names nothing
	}
	if err != nil {
		return err
	}
	plain, key, err := seal.Open(sealed, s.identities(true)...)
	if err != nil {
		return s.event(tx, now, "alarm", s.Cite(own, index), "the counterpart cannot open it, and neither can this station: the archive identity of its period is not here")
	}
	entry, err := message.ParseEntry(plain)
	if err != nil {
		return fmt.Errorf("internal error: own entry %d of %s: %w", index, own, err)
	}
	if of, _, ok := dossier.Disclosed(own, index, entry.Body.Body()); ok {
		return s.owe(tx, entryPlace(of))
	}
	given, err := tx.Setting(gaveKey(own, index))
	if err != nil || given != nil {
		return err // once
	}
	return s.giveKey(tx, now, entryPlace{own, index}, entry.Body.Body(), key)
}

// giveKey sends the file key of an own entry, or lets it wait where the
// counterpart could not open what was sealed to the key that its card lists.
func (s *Station) giveKey(tx Tx, now time.Time, of entryPlace, b message.Body, key seal.FileKey) error {
	p, err := s.peerNamed(of.Origin.Reader)
	if err != nil {
		return err
	}
	to := ""
	if r, err := p.recipient(now); err == nil {
		to = r.String()
	}
	owed, err := s.owedKeys(tx, of.Origin.Line())
	if err != nil {
		return err
	}
	if err := tx.PutSetting(gaveKey(of.Origin, of.Index), []byte("to "+to)); err != nil {
		return err
	}
	if slices.ContainsFunc(owed, func(k keyOwed) bool { return k.To == to }) {
		return s.owe(tx, of)
	}
	d := serviceDraft{Precedence: max(keyPrecedent, b.Precedence), Marking: b.Marking}
	err = s.serviceAs(tx, now, of.Origin.Line(), "006", d, map[string]any{"era": of.Origin.Era, "index": of.Index, "key": key.Disclose()})
	if err != nil {
		return err
	}
	return s.audit(tx, now, itself, "file key", s.Cite(of.Origin, of.Index), "done", "given to "+string(of.Origin.Reader)+", who could not open the entry")
}

// owe lets a file key wait for another sealing key of the counterpart's.
func (s *Station) owe(tx Tx, of entryPlace) error {
	given, err := tx.Setting(gaveKey(of.Origin, of.Index))
	if err != nil || given == nil {
		return err
	}
	owed, err := s.owedKeys(tx, of.Origin.Line())
	if err != nil {
		return err
	}
	k := keyOwed{Era: of.Origin.Era, Index: of.Index, To: string(bytes.TrimPrefix(given, []byte("to ")))}
	if len(owed) >= maxOwedKeys || slices.ContainsFunc(owed, func(o keyOwed) bool { return o.Era == k.Era && o.Index == k.Index }) {
		return nil
	}
	return s.putOwedKeys(tx, of.Origin.Line(), append(slices.Clip(owed), k))
}

func (s *Station) owedKeys(tx Tx, l identity.Line) (owed []keyOwed, err error) {
	text, err := tx.Setting(owedKeysKey(l))
	if err != nil || text == nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &owed); err != nil {
		return nil, fmt.Errorf("internal error: file keys that wait on %s: %w", l, err)
	}
	return owed, nil
}

func (s *Station) putOwedKeys(tx Tx, l identity.Line, owed []keyOwed) error {
	if len(owed) == 0 {
		return tx.PutSetting(owedKeysKey(l), nil)
	}
	text, err := json.Marshal(owed)
	if err != nil {
		return err
	}
	return tx.PutSetting(owedKeysKey(l), text)
}

// sendOwedKeys gives the file keys that waited for another sealing key, where the
// counterpart's card lists one now. It costs a look where none waits.
func (s *Station) sendOwedKeys(tx Tx, now time.Time) error {
	for _, l := range s.LineNames() {
		owed, err := s.owedKeys(tx, l)
		if err != nil {
			return err
		}
		if len(owed) == 0 {
			continue
		}
		p, err := s.peerOf(l)
		if err != nil {
			return err
		}
		to, err := p.recipient(now)
		if err != nil {
			continue //nolint:nilerr // the line itself waits for a newer card
		}
		var left, send []keyOwed
		for _, k := range owed {
			if k.To == to.String() || len(send) >= keysInOneGo {
				left = append(left, k)
			} else {
				send = append(send, k)
			}
		}
		if len(send) == 0 {
			continue
		}
		if err := s.putOwedKeys(tx, l, left); err != nil {
			return err
		}
		for _, k := range send {
			if err := s.giveAgain(tx, now, entryPlace{l.Log(s.name, k.Era), k.Index}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Station) giveAgain(tx Tx, now time.Time, of entryPlace) error {
	sealed, err := tx.Entry(of.Origin, of.Index)
	if err != nil {
		return err
	}
	plain, key, err := seal.Open(sealed, s.identities(true)...)
	if err != nil {
		return nil //nolint:nilerr // its identity has left the station since
	}
	entry, err := message.ParseEntry(plain)
	if err != nil {
		return fmt.Errorf("internal error: own entry %d of %s: %w", of.Index, of.Origin, err)
	}
	return s.giveKey(tx, now, of, entry.Body.Body(), key)
}
