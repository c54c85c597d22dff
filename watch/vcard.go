package watch

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"detente/book"
	"detente/identity"
)

// vCard 4.0 (RFC 6350) carries contacts to programs that know nothing of us.
// What it has no property for stands in properties of our own, so that nothing
// is lost: what was written reads back to the same contacts.
const (
	vcardOwner    = "X-DETENTE-OWNER"
	vcardHours    = "X-DETENTE-HOURS"
	vcardAlways   = "X-DETENTE-ALWAYS"
	vcardChannel  = "X-DETENTE-CHANNEL"
	vcardKey      = "X-DETENTE-KEY"
	vcardPurpose  = "X-DETENTE-KEY-PURPOSE"
	vcardFrom     = "X-DETENTE-FROM"
	vcardTo       = "X-DETENTE-TO"
	vcardReplaces = "X-DETENTE-REPLACES"
	vcardFold     = 75 // octets of a line, its end not counted (RFC 6350, 3.2)
)

// telephones are the channels that vCard calls TEL, and of what type.
var telephones = map[string]string{"tel": "voice", "sms": "text", "fax": "fax"}

// ExportVCards returns contacts as vCard 4.0 text.
func ExportVCards(all []Contact) []byte {
	var b strings.Builder
	put := func(name, value string) { foldLine(&b, name+":"+value) }
	text := func(name, value string) {
		if value != "" {
			put(name, escapeText(value))
		}
	}
	for _, c := range all {
		put("BEGIN", "VCARD")
		put("VERSION", "4.0")
		put("KIND", "org")
		text("UID", c.Entry)
		text(vcardOwner, string(c.Owner))
		text("FN", c.Body)
		text("ROLE", c.Role)
		for _, l := range c.Languages {
			text("LANG", string(l))
		}
		if c.Always {
			put(vcardAlways, "yes")
		}
		for _, h := range c.Hours {
			text(vcardHours, h)
		}
		for _, ch := range c.Channels {
			kind, rest, _ := strings.Cut(ch, ":")
			switch {
			case telephones[kind] != "":
				put("TEL;VALUE=uri;TYPE="+telephones[kind], "tel:"+rest)
			case kind == "email":
				text("EMAIL", rest)
			case kind == "sip":
				put("IMPP", ch)
			default:
				text(vcardChannel, ch)
			}
		}
		text(vcardKey, c.Key)
		text(vcardPurpose, c.Purpose)
		text(vcardFrom, stamp(c.From))
		text(vcardTo, stamp(c.To))
		text(vcardReplaces, c.Replaces)
		text("NOTE", c.Remarks)
		put("END", "VCARD")
	}
	return []byte(b.String())
}

// foldLine writes a content line, folded where it is long, never within a
// character.
func foldLine(b *strings.Builder, line string) {
	room := vcardFold
	for len(line) > room {
		n := room
		for !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n] + "\r\n ")
		line, room = line[n:], vcardFold-1
	}
	b.WriteString(line + "\r\n")
}

func escapeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\n", `\n`).Replace(s)
}

func unescapeText(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", false
		}
		switch s[i] {
		case '\\', ',', ';':
			b.WriteByte(s[i])
		case 'n':
			b.WriteByte('\n')
		default:
			return "", false
		}
	}
	return b.String(), true
}

// ParseVCards reads contacts that ExportVCards wrote. It is strict: a property
// that is not known, out of its place or written another way is refused, by
// line, so that nothing is taken for what it is not.
func ParseVCards(e *book.Edition, text []byte) ([]Contact, error) {
	if len(text) > MaxDocument || !utf8.Valid(text) {
		return nil, fault("vcard", fmt.Sprintf("%d bytes are more than %d, or no UTF-8", len(text), MaxDocument), "give a smaller file")
	}
	if len(text) == 0 {
		return nil, nil // no contacts, no cards
	}
	unfolded := strings.ReplaceAll(string(text), "\r\n ", "")
	var all []Contact
	var c *Contact
	var p stamps
	n := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(unfolded, "\r\n"), "\r\n") {
		n++
		name, value, ok := strings.Cut(line, ":")
		switch {
		case !ok:
			return nil, fault(fmt.Sprintf("vcard property %d", n), "it has no name and value", "write it like FN:Body")
		case line == "BEGIN:VCARD" && c == nil:
			c = &Contact{}
		case c == nil:
			return nil, fault(fmt.Sprintf("vcard property %d", n), fmt.Sprintf("%q stands outside a card", clip(name)), "begin with BEGIN:VCARD")
		case line == "END:VCARD":
			if all, c = append(all, *c), nil; len(all) > MaxContacts {
				return nil, fault("vcard", fmt.Sprintf("more than %d contacts", MaxContacts), "give them in several files")
			}
		default:
			if why := c.property(name, value, &p); why != "" {
				return nil, fault(fmt.Sprintf("vcard property %d, %s", n, clip(name)), why, "write only what `detente contacts export` writes")
			}
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	// One form only: whatever was doubled, moved or left out shows here.
	if c != nil || string(ExportVCards(all)) != string(text) {
		return nil, fault("vcard", "it is not in the one form that contacts are written in", "export it anew, in the order of properties that `detente contacts export` writes")
	}
	return all, checkContacts(e, all)
}

// property takes one property of a card.
func (c *Contact) property(name, raw string, p *stamps) (why string) {
	value, ok := unescapeText(raw)
	if !ok {
		return "it has a backslash before what needs none"
	}
	switch name {
	case "VERSION", "KIND": // compared once all is written again
	case "UID":
		c.Entry = value
	case vcardOwner:
		c.Owner = identity.Station(value)
	case "FN":
		c.Body = value
	case "ROLE":
		c.Role = value
	case "LANG":
		c.Languages = append(c.Languages, book.Lang(value))
	case vcardAlways:
		c.Always = true
	case vcardHours:
		c.Hours = append(c.Hours, value)
	case "EMAIL":
		c.Channels = append(c.Channels, "email:"+value)
	case "IMPP":
		c.Channels = append(c.Channels, raw)
	case vcardChannel:
		c.Channels = append(c.Channels, value)
	case vcardKey:
		c.Key = value
	case vcardPurpose:
		c.Purpose = value
	case vcardFrom:
		c.From = p.read(name, value)
	case vcardTo:
		c.To = p.read(name, value)
	case vcardReplaces:
		c.Replaces = value
	case "NOTE":
		c.Remarks = value
	default:
		kinds := []string{"tel", "sms", "fax"}
		i := slices.IndexFunc(kinds, func(k string) bool { return name == "TEL;VALUE=uri;TYPE="+telephones[k] })
		rest, ok := strings.CutPrefix(raw, "tel:")
		if i < 0 || !ok {
			return "the property is not known"
		}
		c.Channels = append(c.Channels, kinds[i]+":"+rest)
	}
	return ""
}
