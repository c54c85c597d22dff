package identity

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Root is a party and its root key, which others pin.
type Root struct {
	Party Party
	Key   PublicKey
}

type rootJSON struct {
	Kind  string    `json:"kind"`
	Party string    `json:"party"`
	Key   PublicKey `json:"key"`
}

// SignRoot returns the file of a party's root: a note signed by the key itself,
// which shows that whoever made it holds both halves.
func SignRoot(party Party, key PrivateKey) ([]byte, error) {
	return endorseJSON(string(party), key, rootJSON{"detente/root/v1", string(party), key.Public()})
}

// ParseRoot reads a root's file. It proves nothing about whose key it is: that
// is what pinning is for.
func ParseRoot(b []byte) (Root, error) {
	var r rootJSON
	if err := peekJSON("root", b, &r); err != nil {
		return Root{}, err
	}
	party, err := ParseParty(r.Party)
	if err != nil {
		return Root{}, err
	}
	if r.Kind != "detente/root/v1" || r.Key.Use() != UseRoot {
		return Root{}, errors.New("root: this is no root of a party")
	}
	if _, err := OpenEndorsed(r.Party, r.Key, b); err != nil {
		return Root{}, err
	}
	return Root{Party: party, Key: r.Key}, nil
}

// AgencyCard is what a party says of an agency: the key that endorses its
// officers' certificates, and for how long.
type AgencyCard struct {
	Party    Party
	Agency   Agency
	Key      PublicKey // UseAgency
	From, To time.Time
}

// TLSKey is a TLS key of a station, by the SHA-256 of its public key info.
type TLSKey struct {
	SPKI     Digest
	From, To time.Time
}

// LogKey is the key of one of a station's logs, for the log's life.
type LogKey struct {
	Reader Station
	Class  Class
	Era    Era
	Key    PublicKey // UseLog
}

// SealingKey is what to seal to in a period, a month written 2026-11.
type SealingKey struct {
	Period    string
	Recipient string // an age recipient, age1pq1…
}

// Card is a station's card. Its logs' keys are listed for all eras so far, so
// that the newest card verifies old logs too.
type Card struct {
	Party     Party
	Agency    Agency
	Station   Station
	Code      Code
	Serial    uint64 // grows with each card of the station
	From, To  time.Time
	Endpoints []string // https base URLs
	TLS       []TLSKey
	Cosigner  PublicKey // UseCosigner
	Logs      []LogKey
	Sealing   []SealingKey
}

// Limits of a card's lists: a station has a few lines in three classes, keys a
// year ahead, and eras are few.
const (
	MaxEndpoints = 16
	MaxTLSKeys   = 32
	MaxLogKeys   = 128
	MaxSealing   = 64
)

// Log returns the key of a log of the station; false where the card lists none.
func (c Card) Log(o Origin) (PublicKey, bool) {
	if o.Writer != c.Station {
		return PublicKey{}, false
	}
	for _, l := range c.Logs {
		if l.Reader == o.Reader && l.Class == o.Class && l.Era == o.Era {
			return l.Key, true
		}
	}
	return PublicKey{}, false
}

// SealingFor returns the recipient of a period; false where the card lists none.
func (c Card) SealingFor(period string) (string, bool) {
	for _, s := range c.Sealing {
		if s.Period == period {
			return s.Recipient, true
		}
	}
	return "", false
}

// TLSKnown reports whether the card lists a TLS key for a time.
func (c Card) TLSKnown(spki Digest, at time.Time) bool {
	for _, k := range c.TLS {
		if k.SPKI == spki && !at.Before(k.From) && at.Before(k.To) {
			return true
		}
	}
	return false
}

// CosignerName is the name under which the station cosigns as a mirror.
func (c Card) CosignerName() string { return string(c.Station) + "/mirror" }

var periodForm = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// check returns what is wrong with a card.
func (c Card) check() error {
	if c.Party == "" {
		return errNoParty
	}
	for _, err := range []error{
		checkName("party", string(c.Party)), checkName("agency", string(c.Agency)), checkName("station", string(c.Station)),
		checkValidity("card", c.From, c.To),
	} {
		if err != nil {
			return err
		}
	}
	if _, err := ParseCode(string(c.Code)); err != nil {
		return err
	}
	if c.Cosigner.Use() != UseCosigner {
		return errors.New("card: cosigner: a cosigner key is needed")
	}
	if len(c.Endpoints) == 0 || len(c.Endpoints) > MaxEndpoints || len(c.TLS) == 0 || len(c.TLS) > MaxTLSKeys || len(c.Logs) > MaxLogKeys || len(c.Sealing) > MaxSealing {
		return fmt.Errorf("card: it needs 1 to %d endpoints and 1 to %d TLS keys, and may list %d log keys and %d sealing keys at most", MaxEndpoints, MaxTLSKeys, MaxLogKeys, MaxSealing)
	}
	for _, e := range c.Endpoints {
		u, err := url.Parse(e)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("card: endpoint %q: an https address without user, query or fragment is needed", clip(e))
		}
	}
	return c.checkKeys()
}

func (c Card) checkKeys() error {
	logs := make(map[Origin]bool)
	for _, l := range c.Logs {
		o := Origin{Writer: c.Station, Reader: l.Reader, Class: l.Class, Era: l.Era}
		if _, err := ParseOrigin(o.String()); err != nil {
			return fmt.Errorf("card: %w", err)
		}
		if logs[o] || l.Key.Use() != UseLog {
			return fmt.Errorf("card: log %s: one log key is needed", o)
		}
		logs[o] = true
	}
	periods := make(map[string]bool)
	for _, s := range c.Sealing {
		if !periodForm.MatchString(s.Period) || periods[s.Period] || s.Recipient == "" {
			return fmt.Errorf("card: sealing key of period %q: write the period like 2026-11, once", clip(s.Period))
		}
		periods[s.Period] = true
	}
	for _, k := range c.TLS {
		if err := checkValidity("TLS key", k.From, k.To); err != nil {
			return err
		}
	}
	return nil
}

func checkValidity(what string, from, to time.Time) error {
	if from.IsZero() || !to.After(from) {
		return fmt.Errorf("%s: its validity must end after it begins", what)
	}
	return nil
}

// CardConflict finds a log to which two cards of a station give different keys.
// Two endorsed cards that do are a fork.
func CardConflict(a, b Card) (Origin, bool) {
	for _, l := range a.Logs {
		o := Origin{Writer: a.Station, Reader: l.Reader, Class: l.Class, Era: l.Era}
		if k, ok := b.Log(o); ok && !k.Equal(l.Key) {
			return o, true
		}
	}
	return Origin{}, false
}

// Same reports whether two cards say the same. A card that was endorsed twice is
// one card under two signatures.
func (c Card) Same(d Card) bool {
	a, errA := canonical(c.wire())
	b, errB := canonical(d.wire())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Bundle is what a station hands to others: its party's root file, its
// agency's card and its own, and the cards that its agency had before, so that
// what officers signed under those still verifies. Each is a signed note.
type Bundle struct {
	Root, Agency, Station []byte
	Earlier               [][]byte // agency cards that are no longer the newest
}

// MaxEarlier bounds the earlier agency cards of a bundle. A card is valid for
// years.
const MaxEarlier = 32

// bundleBreak stands between the notes of a bundle's file.
const bundleBreak = "\n=====\n"

// Bytes returns the bundle's file form.
func (b Bundle) Bytes() []byte {
	return bytes.Join(append([][]byte{b.Root, b.Agency, b.Station}, b.Earlier...), []byte(bundleBreak))
}

// ParseBundle reads what Bytes wrote. It verifies nothing.
func ParseBundle(b []byte) (Bundle, error) {
	if len(b) > 3*MaxNote {
		return Bundle{}, fmt.Errorf("cards: %d bytes are more than %d", len(b), 3*MaxNote)
	}
	parts := bytes.SplitN(b, []byte(bundleBreak), 3+MaxEarlier+1)
	if len(parts) < 3 || len(parts) > 3+MaxEarlier {
		return Bundle{}, fmt.Errorf("cards: a file of signed notes is expected: root, agency, station, and up to %d earlier agency cards", MaxEarlier)
	}
	out := Bundle{Root: parts[0], Agency: parts[1], Station: parts[2]}
	if len(parts) > 3 {
		out.Earlier = parts[3:]
	}
	return out, nil
}

// After returns the bundle with the agency cards of the one before it among its
// earlier ones, as far as they are not there. The oldest fall away beyond
// MaxEarlier.
func (b Bundle) After(before Bundle) Bundle {
	have := func(note []byte) bool {
		return bytes.Equal(note, b.Agency) || slices.ContainsFunc(b.Earlier, func(e []byte) bool { return bytes.Equal(e, note) })
	}
	b.Earlier = slices.Clone(b.Earlier)
	for _, note := range append([][]byte{before.Agency}, before.Earlier...) {
		if len(b.Earlier) < MaxEarlier && !have(note) {
			b.Earlier = append(b.Earlier, note)
		}
	}
	return b
}

// Agencies are the cards of one agency, the newest first. What an officer
// signed is judged by the one that was valid at the time.
type Agencies []AgencyCard

// Verified is a bundle whose chain was verified.
type Verified struct {
	Root       Root
	Agency     AgencyCard
	Agencies   Agencies // Agency, then the earlier ones
	Card       Card
	CardDigest Digest // of the station card's signed bytes: the card's identity
}

// Verify verifies the chain from a pinned root key to the station's card, and
// the validity of agency's and station's card at a time; the zero time asks for
// none. The bundle's own root must be the pinned one. Earlier agency cards must
// be the root's and the same agency's, and may have ended.
func (b Bundle) Verify(root PublicKey, at time.Time) (Verified, error) {
	r, err := ParseRoot(b.Root)
	if err != nil {
		return Verified{}, err
	}
	if !r.Key.Equal(root) {
		return Verified{}, fmt.Errorf("%w: the cards come under another root key of %s than the one that is pinned", ErrSignature, r.Party)
	}
	card, err := OpenCard(r, b.Station)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Root: r, Card: card, CardDigest: Sum(b.Station)}
	for _, note := range append([][]byte{b.Agency}, b.Earlier...) {
		agency, err := OpenAgencyCard(r, note)
		if err != nil {
			return Verified{}, err
		}
		if card.Agency != agency.Agency {
			return Verified{}, fmt.Errorf("the station card is of agency %s, and the agency card of %s", card.Agency, agency.Agency)
		}
		v.Agencies = append(v.Agencies, agency)
	}
	v.Agency = v.Agencies[0]
	if at.IsZero() {
		return v, nil
	}
	if err := v.ValidAt(at); err != nil {
		return Verified{}, err
	}
	return v, nil
}

// ValidAt returns an error unless agency's and station's cards are valid at a
// time.
func (v Verified) ValidAt(at time.Time) error {
	if !v.Agency.validAt(at) {
		return fmt.Errorf("the card of agency %s is valid from %s to %s: ask for a newer one", v.Agency.Agency, stamp(v.Agency.From), stamp(v.Agency.To))
	}
	if at.Before(v.Card.From) || !at.Before(v.Card.To) {
		return fmt.Errorf("the card of station %s is valid from %s to %s: ask for a newer one", v.Card.Station, stamp(v.Card.From), stamp(v.Card.To))
	}
	return nil
}

func (a AgencyCard) validAt(at time.Time) bool { return !at.Before(a.From) && at.Before(a.To) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
