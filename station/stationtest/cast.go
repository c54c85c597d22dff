// Package stationtest makes parties, stations and officers for tests and for
// the simulator, and carries requests between stations without a network.
package stationtest

import (
	"fmt"
	"io"
	"time"

	"detente/book"
	"detente/identity"
	"detente/seal"
	"detente/station"
)

// Cast is a party with one agency, one station and its officers.
type Cast struct {
	Root, Agency identity.PrivateKey
	RootInfo     identity.Root
	Bundle       identity.Bundle
	Card         identity.Card
	Keys         station.Keys
	Book         *book.Edition
	Officers     []Officer
	random       io.Reader
}

// Officer is an officer with a key file.
type Officer struct {
	Pseudonym   string
	Key         identity.PrivateKey
	Certificate []byte
}

// Periods is how many months of sealing keys a cast holds.
const Periods = 14

// NewCast makes a party: name is its domain, such as arden.example, code its
// station's short code; the station is nrrc.<name>. It holds log keys for lines
// to the readers in all classes, and three officers who may watch and release.
func NewCast(random io.Reader, now time.Time, name string, code identity.Code, readers ...identity.Station) (*Cast, error) {
	c := &Cast{random: random, Keys: station.Keys{
		Logs: make(map[identity.Origin]identity.PrivateKey), Sealing: make(map[seal.Period]seal.Identity), Archive: make(map[seal.Period]seal.Identity),
	}}
	var err error
	if c.Book, err = book.Embedded(); err != nil {
		return nil, err
	}
	if c.Root, err = identity.GenerateKey(identity.UseRoot, random); err != nil {
		return nil, err
	}
	if c.Agency, err = identity.GenerateKey(identity.UseAgency, random); err != nil {
		return nil, err
	}
	if c.Keys.Cosigner, err = identity.GenerateKey(identity.UseCosigner, random); err != nil {
		return nil, err
	}
	from, to := now.Add(-24*time.Hour).Truncate(time.Second), now.AddDate(2, 0, 0).Truncate(time.Second)
	c.Card = identity.Card{
		Party: identity.Party(name), Agency: identity.Agency("nrrc." + name), Station: identity.Station("nrrc." + name), Code: code, Serial: 1, From: from, To: to,
		Endpoints: []string{"https://127.0.0.1:1"}, TLS: []identity.TLSKey{{SPKI: identity.Sum([]byte(name)), From: from, To: to}}, Cosigner: c.Keys.Cosigner.Public(),
	}
	if err := c.sealingKeys(now); err != nil {
		return nil, err
	}
	for _, r := range readers {
		for class := identity.Technical; class <= identity.Leadership; class++ {
			if err := c.addLog(r, class, 1); err != nil {
				return nil, err
			}
		}
	}
	if c.Bundle.Root, err = identity.SignRoot(c.Card.Party, c.Root); err != nil {
		return nil, err
	}
	c.RootInfo = identity.Root{Party: c.Card.Party, Key: c.Root.Public()}
	c.Bundle.Agency, err = identity.EndorseAgency(c.Root, identity.AgencyCard{Party: c.Card.Party, Agency: c.Card.Agency, Key: c.Agency.Public(), From: from, To: to})
	if err != nil {
		return nil, err
	}
	if err := c.endorse(); err != nil {
		return nil, err
	}
	for i := range 3 {
		o, err := c.NewOfficer(fmt.Sprintf("%s-%02d", code, i+1), []string{"watch", "releasing"})
		if err != nil {
			return nil, err
		}
		c.Officers = append(c.Officers, o)
	}
	return c, nil
}

func (c *Cast) sealingKeys(now time.Time) error {
	p := seal.PeriodOf(now.Add(-24 * time.Hour)) // as the card, for clocks that are behind
	for range Periods {
		var err error
		if c.Keys.Sealing[p], err = seal.GenerateIdentity(); err != nil {
			return err
		}
		if c.Keys.Archive[p], err = seal.GenerateIdentity(); err != nil {
			return err
		}
		c.Card.Sealing = append(c.Card.Sealing, identity.SealingKey{Period: string(p), Recipient: c.Keys.Sealing[p].Recipient().String()})
		if p, err = p.Next(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cast) addLog(reader identity.Station, class identity.Class, era identity.Era) error {
	key, err := identity.GenerateKey(identity.UseLog, c.random)
	if err != nil {
		return err
	}
	c.Keys.Logs[identity.Origin{Writer: c.Card.Station, Reader: reader, Class: class, Era: era}] = key
	c.Card.Logs = append(c.Card.Logs, identity.LogKey{Reader: reader, Class: class, Era: era, Key: key.Public()})
	return nil
}

func (c *Cast) endorse() (err error) {
	c.Bundle.Station, err = identity.EndorseCard(c.Root, c.Card)
	return err
}

// NextEra makes the card and the key of a log's next era. Asked again it returns
// the same: what is endorsed once is the log's for its life.
func (c *Cast) NextEra(o identity.Origin) (identity.Bundle, identity.PrivateKey, error) {
	next := o
	next.Era++
	if key, ok := c.Keys.Logs[next]; ok {
		return c.Bundle, key, nil
	}
	if err := c.addLog(o.Reader, o.Class, next.Era); err != nil {
		return identity.Bundle{}, identity.PrivateKey{}, err
	}
	c.Card.Serial++
	return c.Bundle, c.Keys.Logs[next], c.endorse()
}

// NewOfficer certifies an officer.
func (c *Cast) NewOfficer(pseudonym string, roles []string) (Officer, error) {
	key, err := identity.GenerateKey(identity.UseOfficer, c.random)
	if err != nil {
		return Officer{}, err
	}
	cert, err := identity.IssueCertificate(c.Card.Agency, c.Agency, identity.Certificate{
		Party: c.Card.Party, Station: c.Card.Station, Pseudonym: pseudonym, Roles: roles, From: c.Card.From, To: c.Card.To,
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: key.Public()},
	})
	return Officer{Pseudonym: pseudonym, Key: key, Certificate: cert}, err
}

// Sign takes a decision with the officer's key.
func (o Officer) Sign(r identity.Request) (identity.Approval, error) {
	return identity.ApproveWithKey(o.Key, o.Certificate, r)
}

// operator may do everything that tests need.
var operator = station.Actor{Name: "operator", Roles: []string{station.RoleOperator, station.RoleDraft, station.RoleRead, station.RoleAudit, station.RoleWatch}}

// Operator returns an actor who may do everything that tests need.
func Operator() station.Actor { return operator }
