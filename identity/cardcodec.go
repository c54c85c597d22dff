package identity

import (
	"errors"
	"fmt"
	"time"
)

type agencyJSON struct {
	Kind   string    `json:"kind"`
	Party  string    `json:"party"`
	Agency string    `json:"agency"`
	Key    PublicKey `json:"key"`
	From   string    `json:"from"`
	To     string    `json:"to"`
}

type tlsJSON struct {
	SPKI string `json:"spki"`
	From string `json:"from"`
	To   string `json:"to"`
}

type logKeyJSON struct {
	Reader string    `json:"reader"`
	Class  string    `json:"class"`
	Era    uint32    `json:"era"`
	Key    PublicKey `json:"key"`
}

type sealingJSON struct {
	Period    string `json:"period"`
	Recipient string `json:"recipient"`
}

type cardJSON struct {
	Kind      string        `json:"kind"`
	Party     string        `json:"party"`
	Agency    string        `json:"agency"`
	Station   string        `json:"station"`
	Code      string        `json:"code"`
	Serial    uint64        `json:"serial"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Endpoints []string      `json:"endpoints"`
	TLS       []tlsJSON     `json:"tls"`
	Cosigner  PublicKey     `json:"cosigner"`
	Logs      []logKeyJSON  `json:"logs"`
	Sealing   []sealingJSON `json:"sealing"`
}

const (
	agencyKind = "detente/agency/v1"
	cardKind   = "detente/station/v1"
)

// EndorseAgency signs an agency's card with its party's root key.
func EndorseAgency(root PrivateKey, a AgencyCard) ([]byte, error) {
	if err := errors.Join(checkName("agency", string(a.Agency)), checkValidity("agency card", a.From, a.To)); err != nil {
		return nil, err
	}
	if a.Key.Use() != UseAgency {
		return nil, errors.New("agency card: an agency key is needed")
	}
	return endorseJSON(string(a.Party), root, agencyJSON{agencyKind, string(a.Party), string(a.Agency), a.Key, stamp(a.From), stamp(a.To)})
}

// OpenAgencyCard verifies an agency's card under its party's root.
func OpenAgencyCard(r Root, signed []byte) (AgencyCard, error) {
	var w agencyJSON
	if err := openJSON("agency card", string(r.Party), r.Key, signed, &w); err != nil {
		return AgencyCard{}, err
	}
	a := AgencyCard{Party: Party(w.Party), Key: w.Key}
	var err error
	if a.Agency, err = ParseAgency(w.Agency); err != nil {
		return AgencyCard{}, err
	}
	if w.Kind != agencyKind || a.Party != r.Party || w.Key.Use() != UseAgency {
		return AgencyCard{}, fmt.Errorf("agency card: this is no card of an agency of %s", r.Party)
	}
	if a.From, a.To, err = parseSpan("agency card", w.From, w.To); err != nil {
		return AgencyCard{}, err
	}
	return a, nil
}

// EndorseCard signs a station's card with its party's root key.
func EndorseCard(root PrivateKey, c Card) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return endorseJSON(string(c.Party), root, c.wire())
}

// wire returns the card as it is written.
func (c Card) wire() cardJSON {
	w := cardJSON{
		Kind: cardKind, Party: string(c.Party), Agency: string(c.Agency), Station: string(c.Station), Code: string(c.Code), Serial: c.Serial,
		From: stamp(c.From), To: stamp(c.To), Endpoints: c.Endpoints, Cosigner: c.Cosigner, TLS: []tlsJSON{}, Logs: []logKeyJSON{}, Sealing: []sealingJSON{},
	}
	for _, k := range c.TLS {
		w.TLS = append(w.TLS, tlsJSON{k.SPKI.String(), stamp(k.From), stamp(k.To)})
	}
	for _, l := range c.Logs {
		w.Logs = append(w.Logs, logKeyJSON{string(l.Reader), l.Class.String(), uint32(l.Era), l.Key})
	}
	for _, s := range c.Sealing {
		w.Sealing = append(w.Sealing, sealingJSON(s))
	}
	return w
}

// OpenCard verifies a station's card under its party's root.
func OpenCard(r Root, signed []byte) (Card, error) {
	var w cardJSON
	if err := openJSON("station card", string(r.Party), r.Key, signed, &w); err != nil {
		return Card{}, err
	}
	if w.Kind != cardKind || w.Party != string(r.Party) {
		return Card{}, fmt.Errorf("station card: this is no card of a station of %s", r.Party)
	}
	c := Card{
		Party: r.Party, Agency: Agency(w.Agency), Station: Station(w.Station), Code: Code(w.Code), Serial: w.Serial,
		Endpoints: w.Endpoints, Cosigner: w.Cosigner,
	}
	var err error
	if c.From, c.To, err = parseSpan("station card", w.From, w.To); err != nil {
		return Card{}, err
	}
	for _, k := range w.TLS {
		t := TLSKey{}
		if t.SPKI, err = ParseDigest(k.SPKI); err != nil {
			return Card{}, err
		}
		if t.From, t.To, err = parseSpan("TLS key", k.From, k.To); err != nil {
			return Card{}, err
		}
		c.TLS = append(c.TLS, t)
	}
	for _, l := range w.Logs {
		class, err := ParseClass(l.Class)
		if err != nil {
			return Card{}, err
		}
		c.Logs = append(c.Logs, LogKey{Station(l.Reader), class, Era(l.Era), l.Key})
	}
	for _, s := range w.Sealing {
		c.Sealing = append(c.Sealing, SealingKey(s))
	}
	return c, c.check()
}

// parseSpan reads a validity, in whole seconds of UTC.
func parseSpan(what, from, to string) (f, t time.Time, err error) {
	if f, err = parseStamp(what, from); err != nil {
		return f, t, err
	}
	if t, err = parseStamp(what, to); err != nil {
		return f, t, err
	}
	return f, t, checkValidity(what, f, t)
}

func parseStamp(what, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || stamp(t) != s {
		return time.Time{}, fmt.Errorf("%s: time %q: write it like 2026-11-23T14:45:07Z", what, clip(s))
	}
	return t.UTC(), nil
}
