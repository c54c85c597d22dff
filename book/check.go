package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"detente/identity"
	"detente/message"
)

// ParamError says what is wrong with one parameter.
type ParamError struct {
	Format message.Format
	Param  string
	Reason string
	Next   string
}

// Error returns format, parameter, reason and next step in one line.
func (e *ParamError) Error() string {
	return fmt.Sprintf("format %s, %s: %s; %s", plain(string(e.Format)), plain(e.Param), e.Reason, e.Next)
}

// plain returns a name as it stands, and in quotes what is none.
func plain(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && name != "" {
		return clip(name)
	}
	return strconv.Quote(clip(name))
}

// Check returns what is wrong with a body's parameters: missing, unknown, of
// the wrong type, out of the list or of range, against a rule between them; and
// with its references, where the format needs one. All that is wrong is told at
// once, rules once each value is right in itself; each is a *ParamError.
func (e *Edition) Check(b message.Body) error {
	f, ok := e.Format(b.Format)
	if !ok {
		return &ParamError{b.Format, "format", "it is not in edition " + e.Name(), "see `detente book list`"}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(b.Params)) {
		if _, ok := f.param(name); !ok {
			errs = append(errs, &ParamError{f.Number, name, "the format has no such parameter", "see `detente book show " + string(f.Number) + "`"})
		}
	}
	for _, p := range f.Params {
		v, ok := b.Params[p.Name]
		if !ok {
			if !p.Optional {
				errs = append(errs, &ParamError{f.Number, p.Name, "it is missing", e.wanted(p)})
			}
			continue
		}
		if err := e.checkParam(p, v); err != nil {
			errs = append(errs, &ParamError{f.Number, p.Name, err.Error(), e.wanted(p)})
		}
	}
	if len(f.Refers) > 0 && len(b.Refs) == 0 {
		errs = append(errs, &ParamError{f.Number, "refs", "it refers to no message", "name the message that it speaks of, of format " + either(f.Refers)})
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, r := range f.Checks {
		if reason, next := r.broken(b); reason != "" {
			errs = append(errs, &ParamError{f.Number, r.named(), reason, next})
		}
	}
	return errors.Join(errs...)
}

// either writes format numbers as a choice.
func either(of []message.Format) string {
	var s []string
	for _, n := range of {
		s = append(s, string(n))
	}
	return strings.Join(s, " or ")
}

// Bounds where a format gives none.
const (
	maxMany = 32  // values of a list
	maxText = 200 // characters of a text
)

// chars returns how many characters a text may have.
func (p Param) chars() int {
	if p.Max > 0 {
		return p.Max
	}
	return maxText
}

func (e *Edition) checkParam(p Param, v jsontext.Value) error {
	if !p.Many {
		return e.checkOne(p, v)
	}
	var list []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &list) != nil {
		return errors.New("a list is needed")
	}
	if most := p.most(); len(list) == 0 || len(list) > most {
		return fmt.Errorf("1 to %d values are needed, and %d stand there", most, len(list))
	}
	for i, one := range list {
		if err := e.checkOne(p, one); err != nil {
			return fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return nil
}

func (e *Edition) checkOne(p Param, v jsontext.Value) error {
	switch p.Type {
	case TypeCount:
		var n int64
		if v.Kind() != '0' || json.Unmarshal(v, &n) != nil || n < int64(p.Min) || p.Max > 0 && n > int64(p.Max) {
			return fmt.Errorf("a whole number from %d, within its bound, is needed", p.Min)
		}
		return nil
	case TypeWindow:
		return checkWindow(v)
	case TypeBlob:
		return checkBlob(v)
	case TypeItem:
		return e.checkItem(p, v)
	case TypeRecord:
		return e.checkRecord(p, v)
	case TypeRule:
		if v.Kind() != '{' {
			return errors.New("a rule is needed")
		}
		return checkRule(v)
	}
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return errors.New("a text is needed")
	}
	return e.checkText(p, s)
}

func (e *Edition) checkText(p Param, s string) error {
	switch p.Type {
	case TypeCode:
		if _, ok := e.lists[p.List].find(s); !ok {
			return fmt.Errorf("%q is not in the list %s", clip(s), p.List)
		}
	case TypeTime:
		return checkTime(s)
	case TypeDuration:
		var n int64
		if _, err := fmt.Sscanf(s, "PT%dS", &n); err != nil || n < 0 || n > maxSeconds || fmt.Sprintf("PT%dS", n) != s {
			return fmt.Errorf("%q is no duration in whole seconds, up to %d", clip(s), int64(maxSeconds))
		}
	case TypeHash:
		return checkHash(s)
	case TypeStation:
		if _, err := identity.ParseStation(s); err != nil {
			return fmt.Errorf("%q is no name of a station", clip(s))
		}
	case TypeAsset:
		return checkAsset(s)
	case TypeHex:
		return checkHex(p, s)
	case TypeID:
		return checkID(p, s)
	case TypeLine:
		return checkLine(s)
	case TypeCite:
		return checkCite(s)
	case TypeGeo:
		return checkGeo(s)
	case TypeChannel:
		return checkChannel(s)
	case TypeHours:
		return checkHours(s)
	case TypeText:
		if n := utf8.RuneCountInString(s); s == "" || n > p.chars() || !utf8.ValidString(s) {
			return fmt.Errorf("it has %d characters, and 1 to %d of UTF-8 are allowed", n, p.chars())
		}
	default:
		return fmt.Errorf("internal error: the format asks for an unknown type %q", p.Type)
	}
	return nil
}

// maxSeconds bounds a duration to a hundred years: nothing agreed lasts longer,
// and no arithmetic on it overflows.
const maxSeconds = 100 * 366 * 24 * 60 * 60

func checkTime(s string) error {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Format(time.RFC3339) != s || t.Unix() < 0 {
		return fmt.Errorf("%q is no time of records", clip(s))
	}
	return nil
}

func checkHash(s string) error {
	if _, err := identity.ParseDigest(s); err != nil {
		return fmt.Errorf("%q is no SHA-256", clip(s))
	}
	return nil
}

type window struct {
	From string `json:"from"`
	To   string `json:"to"`
	Zone string `json:"zone"`
}

func checkWindow(v jsontext.Value) error {
	var w window
	if v.Kind() != '{' || json.Unmarshal(v, &w, json.RejectUnknownMembers(true)) != nil {
		return errors.New("a window of from, to and zone is needed")
	}
	for _, end := range []string{w.From, w.To} {
		if err := checkTime(end); err != nil {
			return err
		}
	}
	if w.To <= w.From {
		return errors.New("the window ends before it begins")
	}
	if w.Zone != "UTC" && (len(w.Zone) > 40 || strings.Count(w.Zone, "/") == 0 || strings.Trim(w.Zone, zoneLetters) != "") {
		return fmt.Errorf("%q is no time zone", clip(w.Zone))
	}
	return nil
}

const zoneLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/"

type blob struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
	Type string `json:"type"`
}

func checkBlob(v jsontext.Value) error {
	var b blob
	if v.Kind() != '{' || json.Unmarshal(v, &b, json.RejectUnknownMembers(true)) != nil {
		return errors.New("a blob of hash, size and type is needed")
	}
	if err := checkHash(b.Hash); err != nil {
		return err
	}
	if b.Size <= 0 || b.Size > maxBlob {
		return fmt.Errorf("a blob has 1 to %d bytes", int64(maxBlob))
	}
	if len(b.Type) > maxMediaType || !mediaType.MatchString(b.Type) {
		return fmt.Errorf("%q is no media type like application/stix+json", clip(b.Type))
	}
	return nil
}

const (
	// maxBlob is the largest size that JSON keeps exactly.
	maxBlob = 1<<53 - 1
	// maxMediaType bounds a media type: the registered ones are shorter.
	maxMediaType = 100
)

// mediaType is the form of a media type with its parameters, in one spelling:
// nothing about it is left to spaces.
var mediaType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]*/[A-Za-z0-9][A-Za-z0-9.+_-]*(; ?[A-Za-z0-9_-]+=[A-Za-z0-9._+-]+)*$`)

func checkRule(v jsontext.Value) error {
	text, err := json.Marshal(map[string][]jsontext.Value{"rules": {v}})
	if err != nil {
		return err
	}
	_, err = message.ParsePolicy(text)
	return err
}

// maxAsset bounds an asset: the longest are addresses of pages.
const maxAsset = 300

var assetKinds = []string{"domain", "prefix", "asn", "product", "hash", "url", "sector", "agent"}

// checkAsset checks an asset's kind and, where the kind has one, its form: in
// one spelling only, so that equal assets are equal texts.
func checkAsset(s string) error {
	kind, rest, ok := strings.Cut(s, ":")
	if !ok || !slices.Contains(assetKinds, kind) || rest == "" || len(s) > maxAsset || strings.TrimSpace(rest) != rest || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("%q is no asset", clip(s))
	}
	switch kind {
	case "prefix":
		if p, err := netip.ParsePrefix(rest); err != nil || p.Masked().String() != rest {
			return fmt.Errorf("%q is no prefix of addresses", clip(s))
		}
	case "asn":
		if n, err := strconv.ParseUint(rest, 10, 32); err != nil || strconv.FormatUint(n, 10) != rest {
			return fmt.Errorf("%q is no number of an autonomous system", clip(s))
		}
	}
	return nil
}

// wanted says what a parameter takes.
func (e *Edition) wanted(p Param) string {
	var s string
	switch p.Type {
	case TypeCode:
		s = "one of " + strings.Join(e.codes(p.List), ", ")
	case TypeTime:
		s = "a time like 2026-11-23T14:45:07Z"
	case TypeWindow:
		s = "a window like 2026-11-23T14:00:00Z/2026-11-23T16:00:00Z, and /Europe/Paris after it where it names a zone"
	case TypeDuration:
		s = "a duration in whole seconds like PT3600S"
	case TypeCount:
		s = "a whole number"
		if p.Max > 0 {
			s += fmt.Sprintf(" from %d to %d", p.Min, p.Max)
		}
	case TypeHash:
		s = "64 hexadecimal digits"
	case TypeBlob:
		s = "a blob, as `detente blob add` prints it"
	case TypeAsset:
		s = "an asset like domain:example.org, prefix:192.0.2.0/24, asn:64496, product:… or hash:…"
	case TypeHex:
		least, most := hexBounds(p)
		s = fmt.Sprintf("%d to %d hexadecimal digits", least, most)
	case TypeID:
		s = "an identifier without spaces"
	case TypeLine:
		s = "a line like nrrc.arden.example/nrrc.boreal.example/notification"
	case TypeCite:
		s = "an entry of a log like ARD/BOR-N1-417"
	case TypeGeo:
		s = "a place like AR, AR-B or 005"
	case TypeChannel:
		s = "a channel like tel:+99950100, email:desk@example.org or station:nrrc.arden.example"
	case TypeHours:
		s = "days and hours in UTC like Mo-Fr 06:00-18:00"
	case TypeItem:
		s = "an item and what is said of it, as ITEM/CODE with the code one of " + strings.Join(e.codes(p.List), ", ")
	case TypeRecord:
		s = e.wantedRecord(p)
	case TypeStation:
		s = "a station like nrrc.arden.example"
	case TypeRule:
		s = "a rule of a release policy"
	default:
		s = fmt.Sprintf("a text of up to %d characters", p.chars())
	}
	if p.Many {
		return "give a list, each " + s
	}
	return "give " + s
}

// codes returns the codes of a list.
func (e *Edition) codes(list string) []string {
	var out []string
	for _, c := range e.lists[list].Codes {
		out = append(out, c.Code)
	}
	return out
}

// clip shortens what somebody else wrote before it stands, quoted, in an error.
// It cuts between characters.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
