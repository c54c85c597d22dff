package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/book"
)

// offered are the undertakings that Arden's note gives, and answered those that
// Boreal's reply does: what both name is what binds.
var (
	offered  = []string{"U1", "U2", "U4", "U6", "U8"}
	answered = []string{"U1", "U2", "U6"}
)

// noteText is the guarantee in words, in all languages: those of the signal book.
func noteText() ([]byte, error) {
	edition, err := book.Embedded()
	if err != nil {
		return nil, err
	}
	list, ok := edition.List("undertaking")
	if !ok {
		return nil, fmt.Errorf("the signal book %s has no list of undertakings", edition.Name())
	}
	var b strings.Builder
	for _, lang := range allLangs {
		fmt.Fprintf(&b, "%s\n", lang)
		for _, c := range list.Codes {
			if slices.Contains(offered, c.Code) {
				fmt.Fprintf(&b, "  %s: %s\n", c.Code, c.Label[book.Lang(lang)])
			}
		}
	}
	return []byte(b.String()), nil
}

// codes are repeated parameters.
func codes(name string, list ...string) (said []string) {
	for _, c := range list {
		said = append(said, name+"="+c)
	}
	return said
}

// guarantee lets both sides give guarantees.
func (p *play) guarantee(ctx context.Context) error {
	text, err := noteText()
	if err != nil {
		return err
	}
	path := filepath.Join(p.Dir, "guarantee.txt")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	hash := fmt.Sprintf("text=%x", sha256.Sum256(text))
	p.tell("Arden gives numbered undertakings about elections and institutions, if Boreal gives the same: %s.", p.file(path))
	note := append(codes("undertakings", offered...), codes("scope", "state-organs", "state-service", "controlled", "proxies")...)
	note = append(append(note, codes("processes", "election-body", "registers", "voting", "count", "publication")...), languages...)
	id, err := p.send(ctx, p.arden, p.boreal, append([]string{"300"}, values(append(note, "note=ARD-G-1", hash, "entry=on-receipt", "contact=station:"+p.arden.Name))...), nil, "en", "ru")
	if err != nil {
		return err
	}
	p.tell("Boreal gives three of them, in the same words, with a reservation. What both notes name is in force from\n    Arden's receipt of the reply; until Boreal can know of that receipt, one side alone knows.")
	reply := append(codes("undertakings", answered...), "note=ARD-G-1", hash, "decision=with-reservation", "reservations=U4 and U8 are left to our parliament.")
	id, err = p.answer(ctx, p.boreal, p.arden, "301", id, reply, "en", "ar")
	if err != nil {
		return err
	}
	return p.understood(ctx, p.arden, p.boreal, id)
}

// guaranteeInForce shows from when, after Boreal has said something more: from
// then on the record has it that Boreal knew of Arden's receipt.
func (p *play) guaranteeInForce(ctx context.Context) error {
	p.tell("With Boreal's answer it is in the record that Boreal knew of Arden's receipt. The guarantee is in force from\n    the second that this receipt names, for the three undertakings, and anybody can prove it.")
	return p.bothSay(ctx, asked{at: time.Now(), has: "in force", langs: [2]string{"en", "zh"}}, "agreement", "status", "--guarantees")
}
