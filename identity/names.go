package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// MaxName is the longest name of a party, agency or station, in bytes. An
// origin holds two of them, and C2SP cosignatures take 255 bytes at most.
const MaxName = 100

// Party is a state or organisation, named like a host: "arden.example".
type Party string

// Agency is a competent body of a party, named like a host:
// "nrrc.arden.example".
type Agency string

// Station is an agency's installation, named like a host:
// "nrrc.arden.example". The zero value is no station.
type Station string

// ParseParty returns the party named s, or an error that says what is wrong
// with the name.
func ParseParty(s string) (Party, error) { return Party(s), checkName("party", s) }

// ParseAgency returns the agency named s, or an error that says what is wrong
// with the name.
func ParseAgency(s string) (Agency, error) { return Agency(s), checkName("agency", s) }

// ParseStation returns the station named s, or an error that says what is
// wrong with the name.
func ParseStation(s string) (Station, error) { return Station(s), checkName("station", s) }

func checkName(kind, s string) error {
	if s == "" {
		return fmt.Errorf("%s name is empty: give a name like nrrc.arden.example", kind)
	}
	if len(s) > MaxName {
		return fmt.Errorf("%s name has %d bytes, more than %d: shorten it", kind, len(s), MaxName)
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%s name %q: each part between dots must be non-empty and neither begin nor end with a hyphen", kind, s)
		}
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.') {
			return fmt.Errorf("%s name %q has %q: only a-z, 0-9, hyphen and dot may stand in it", kind, s, r)
		}
	}
	return nil
}

// Code is a station's short code in citations: three letters A to Z, "ARD".
type Code string

// ParseCode returns the short code s.
func ParseCode(s string) (Code, error) {
	if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("short code %q: three letters A to Z are needed, like ARD", clip(s))
	}
	return Code(s), nil
}

// Class is the class of a line. The zero value is no class.
type Class uint8

// The three classes of lines.
const (
	Technical    Class = iota + 1 // computer emergency response teams
	Notification                  // risk-reduction centres
	Leadership                    // security councils
)

var classNames = [...]string{Technical: "technical", Notification: "notification", Leadership: "leadership"}

// ParseClass returns the class that s names in full.
func ParseClass(s string) (Class, error) {
	for c := Technical; c <= Leadership; c++ {
		if classNames[c] == s {
			return c, nil
		}
	}
	return 0, fmt.Errorf("line class %q: it must be technical, notification or leadership", clip(s))
}

// String returns the class's name in full, as it stands in origins.
func (c Class) String() string {
	if c < Technical || c > Leadership {
		return "class(" + strconv.Itoa(int(c)) + ")"
	}
	return classNames[c]
}

// Letter returns the class's letter in citations: T, N or L.
func (c Class) Letter() string { return strings.ToUpper(c.String()[:1]) }

// Era counts the logs of one direction of a line, from 1.
type Era uint32

// Line is the standing connection of two stations in one class. A is the
// station whose name sorts first. Lines are comparable.
type Line struct {
	A, B  Station
	Class Class
}

// NewLine returns the line of two different stations in a class, whichever
// order they are given in.
func NewLine(one, other Station, class Class) (Line, error) {
	if one == other {
		return Line{}, fmt.Errorf("a line needs two stations, and both are %s", one)
	}
	if class < Technical || class > Leadership {
		return Line{}, fmt.Errorf("a line needs a class: technical, notification or leadership")
	}
	if one > other {
		one, other = other, one
	}
	return Line{A: one, B: other, Class: class}, nil
}

// ParseLine returns the line that Line.String wrote as s.
func ParseLine(s string) (Line, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Line{}, fmt.Errorf("line %q: write it station/station/class", clip(s))
	}
	a, err := ParseStation(parts[0])
	if err != nil {
		return Line{}, err
	}
	b, err := ParseStation(parts[1])
	if err != nil {
		return Line{}, err
	}
	c, err := ParseClass(parts[2])
	if err != nil {
		return Line{}, err
	}
	return NewLine(a, b, c)
}

// String returns "a/b/class".
func (l Line) String() string { return string(l.A) + "/" + string(l.B) + "/" + l.Class.String() }

// Has reports whether s is one of the line's two stations.
func (l Line) Has(s Station) bool { return s != "" && (s == l.A || s == l.B) }

// Other returns the station at the other end from s, which must be on the line.
func (l Line) Other(s Station) Station {
	if s == l.A {
		return l.B
	}
	return l.A
}

// Log returns the origin of the log that writer keeps on the line in an era.
func (l Line) Log(writer Station, era Era) Origin {
	return Origin{Writer: writer, Reader: l.Other(writer), Class: l.Class, Era: era}
}

// Origin names a log: who writes it, for whom, in which class and era. It is
// the first line of the log's checkpoints and the name of its keys. An origin
// is used once. Origins are comparable.
type Origin struct {
	Writer, Reader Station
	Class          Class
	Era            Era
}

// ParseOrigin returns the origin that Origin.String wrote as s.
func ParseOrigin(s string) (Origin, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 5 || parts[1] != "to" {
		return Origin{}, fmt.Errorf("log origin %q: it must read writer/to/reader/class/era", clip(s))
	}
	writer, err := ParseStation(parts[0])
	if err != nil {
		return Origin{}, fmt.Errorf("log origin %q: %w", clip(s), err)
	}
	reader, err := ParseStation(parts[2])
	if err != nil {
		return Origin{}, fmt.Errorf("log origin %q: %w", clip(s), err)
	}
	class, err := ParseClass(parts[3])
	if err != nil {
		return Origin{}, fmt.Errorf("log origin %q: %w", clip(s), err)
	}
	era, err := strconv.ParseUint(parts[4], 10, 32)
	if err != nil || era == 0 || strconv.FormatUint(era, 10) != parts[4] {
		return Origin{}, fmt.Errorf("log origin %q: the era must be a whole number from 1, without leading zeros", clip(s))
	}
	if writer == reader {
		return Origin{}, fmt.Errorf("log origin %q: writer and reader are the same station", clip(s))
	}
	return Origin{Writer: writer, Reader: reader, Class: class, Era: Era(era)}, nil
}

// String returns "writer/to/reader/class/era".
func (o Origin) String() string {
	return string(o.Writer) + "/to/" + string(o.Reader) + "/" + o.Class.String() + "/" + strconv.FormatUint(uint64(o.Era), 10)
}

// Line returns the line that the log belongs to.
func (o Origin) Line() Line {
	l := Line{A: o.Writer, B: o.Reader, Class: o.Class}
	if l.A > l.B {
		l.A, l.B = l.B, l.A
	}
	return l
}

// Digest is a SHA-256 over frozen bytes: a body, a card, a policy, an edition.
type Digest [sha256.Size]byte

// Sum returns the digest of b.
func Sum(b []byte) Digest { return sha256.Sum256(b) }

// ParseDigest returns the digest that Digest.String wrote as s.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) || strings.ToLower(s) != s {
		return Digest{}, fmt.Errorf("digest %q: 64 lower-case hexadecimal digits are needed", clip(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("digest %q: 64 lower-case hexadecimal digits are needed", clip(s))
	}
	return d, nil
}

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Groups returns the first 16 bytes of the digest in eight groups of four
// hexadecimal digits, to be read aloud.
func (d Digest) Groups() string {
	h := d.String()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = h[4*i : 4*i+4]
	}
	return strings.Join(groups, " ")
}

// maxShown bounds what an error repeats of what somebody else wrote.
const maxShown = 120

// clip shortens what somebody else wrote before it stands in an error.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
