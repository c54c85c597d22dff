package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"detente/identity"
	"detente/message"
)

// Bounds of names and values whose parameter sets none.
const (
	defaultID   = 80  // a name that still fits on a line beside its label
	defaultHex  = 128 // a hash of 512 bits
	maxItem     = 200 // a STIX identifier and more
	maxChannel  = 200
	itemsBefore = " / " // separates an item from its code
)

const idLetters = zoneLetters + ".:#@~"

const (
	geoPattern = `^([A-Z]{2}(-[A-Z0-9]{1,3})?|[0-9]{3})$`

	hoursPattern = `^(Mo|Tu|We|Th|Fr|Sa|Su)(-(Mo|Tu|We|Th|Fr|Sa|Su))? ([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]:[0-5][0-9]|2[0-3]:[0-5][0-9]|24:00)$`

	telephonePattern = `^\+[0-9]{4,15}$`
)

var (
	geo       = regexp.MustCompile(geoPattern)
	hours     = regexp.MustCompile(hoursPattern)
	telephone = regexp.MustCompile(telephonePattern)
)

var channelKinds = []string{"tel", "sms", "fax", "email", "sip", "radio", "station"}

// checkID accepts what a machine or a register gave as a name.
func checkID(p Param, s string) error {
	most := p.Max
	if most == 0 {
		most = defaultID
	}
	if s == "" || len(s) > most || strings.Trim(s, idLetters) != "" {
		return fmt.Errorf("%q is no identifier of 1 to %d letters, digits and -_.:/+#@~ without spaces", clip(s), most)
	}
	return nil
}

// hexBounds returns the least and the most digits of a hex parameter.
func hexBounds(p Param) (least, most int) {
	if most = p.Max; most == 0 {
		most = defaultHex
	}
	return max(p.Min, 2), most
}

func checkHex(p Param, s string) error {
	least, most := hexBounds(p)
	if len(s) < least || len(s) > most || len(s)%2 != 0 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is not %d to %d hexadecimal digits, an even number, in small letters", clip(s), least, most)
	}
	return nil
}

func checkLine(s string) error {
	l, err := identity.ParseLine(s)
	if err != nil {
		return fmt.Errorf("%q is no line", clip(s))
	}
	if l.String() != s {
		return fmt.Errorf("%q is not as a line is written: %s", clip(s), l)
	}
	return nil
}

func checkCite(s string) error {
	_, err := message.ParseCitation(s)
	return err
}

// checkGeo accepts a country or subdivision by ISO 3166, or an area by M49. It
// knows the form only: which of them exist is for the edition's place lists.
func checkGeo(s string) error {
	if !geo.MatchString(s) {
		return fmt.Errorf("%q is no place: two capitals of ISO 3166, a subdivision, or three digits of M49", clip(s))
	}
	return nil
}

func checkChannel(s string) error {
	kind, rest, ok := strings.Cut(s, ":")
	if !ok || !slices.Contains(channelKinds, kind) || rest == "" || len(s) > maxChannel || strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%q is no channel", clip(s))
	}
	switch kind {
	case "tel", "sms", "fax":
		if !telephone.MatchString(rest) {
			return fmt.Errorf("%q is no telephone number: + and 4 to 15 digits", clip(rest))
		}
	case "email":
		if box, host, ok := strings.Cut(rest, "@"); !ok || box == "" || host == "" || strings.Contains(host, "@") {
			return fmt.Errorf("%q is no mail address", clip(rest))
		}
	case "station":
		if _, err := identity.ParseStation(rest); err != nil {
			return fmt.Errorf("%q is no name of a station", clip(rest))
		}
	}
	return nil
}

// checkHours accepts days and hours in UTC. Hours past midnight are written as
// two values, so that each lies in the days that it names.
func checkHours(s string) error {
	if !hours.MatchString(s) {
		return fmt.Errorf("%q is not like Mo-Fr 06:00-18:00", clip(s))
	}
	span := s[strings.IndexByte(s, ' ')+1:]
	if from, to, _ := strings.Cut(span, "-"); to <= from {
		return fmt.Errorf("%q ends before it begins: write hours past midnight as two values", clip(s))
	}
	return nil
}

// item is a value that says something of one thing by a code.
type item struct {
	Item string `json:"item"`
	Code string `json:"code"`
}

func (e *Edition) checkItem(p Param, v jsontext.Value) error {
	var it item
	if v.Kind() != '{' || json.Unmarshal(v, &it, json.RejectUnknownMembers(true)) != nil {
		return errors.New("an item and its code are needed")
	}
	if err := checkID(Param{Max: maxItem}, it.Item); err != nil {
		return err
	}
	if _, ok := e.lists[p.List].find(it.Code); !ok {
		return fmt.Errorf("%q is not in the list %s", clip(it.Code), p.List)
	}
	return nil
}
