package line

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/identity"
)

const (
	// MaxMarks is how many logs a mark file may name: two directions of a few
	// hundred lines.
	MaxMarks = 1024

	// MaxMarkFile bounds the file.
	MaxMarkFile = 64 << 20

	markTitle = "detente high-water mark v1"
	trailWord = "audit "
)

// Mark is how far one log was let out, kept outside the store and its backups:
// for a log that this station writes its signed checkpoint, for one that it
// mirrors its cosignature.
type Mark struct {
	Origin identity.Origin
	// Written says that this station writes the log; otherwise it mirrors it.
	Written bool
	Size    int64
	// Root is the tree's root at Size.
	Root identity.Digest
	// Head is the last signed checkpoint, or cosignature with the checkpoint
	// that it stands under, whole. It may be empty at size zero only.
	Head []byte
}

// Direction is one direction of a line, whatever its eras: the writer tells
// which.
type Direction struct {
	Line   identity.Line
	Writer identity.Station
}

// Direction returns the direction that the mark belongs to.
func (m Mark) Direction() Direction {
	return Direction{Line: m.Origin.Line(), Writer: m.Origin.Writer}
}

// Point returns the mark as the guard takes it.
func (m Mark) Point() Point {
	return Point{Era: m.Origin.Era, Size: m.Size, Root: [32]byte(m.Root)}
}

func (m Mark) check() error {
	switch {
	case m.Size < 0:
		return fmt.Errorf("mark of %s: its size is %d", m.Origin, m.Size)
	case len(m.Head) > MaxNote:
		return fmt.Errorf("mark of %s: its head has %d bytes, more than %d", m.Origin, len(m.Head), MaxNote)
	case m.Size > 0 && len(m.Head) == 0:
		return fmt.Errorf("mark of %s: size %d stands without a signed head", m.Origin, m.Size)
	}
	return nil
}

// Trail is how far a station's audit trail had come: the number of its last
// line, and that line's hash, which stands for all before it. The zero value
// says: nothing is known of it.
type Trail struct {
	Size int64
	Hash identity.Digest
}

// Marks is all that a mark file says.
type Marks struct {
	Logs  []Mark // each direction once
	Trail Trail
}

// FormatMarks returns the text of a mark file. Its lines are in one order: the
// logs, the audit trail where anything is known of it, and a digest of all
// before. A direction may stand in it once.
func FormatMarks(m Marks) ([]byte, error) {
	sorted := slices.Clone(m.Logs)
	slices.SortFunc(sorted, func(a, b Mark) int { return cmp.Compare(a.Origin.String(), b.Origin.String()) })
	var b bytes.Buffer
	b.WriteString(markTitle + "\n")
	if err := checkMarks(sorted); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	for _, m := range sorted {
		kind := "mirrored"
		if m.Written {
			kind = "written"
		}
		fmt.Fprintf(&b, "%s %s %d %s %s\n", kind, m.Origin, m.Size, m.Root, base64.StdEncoding.EncodeToString(m.Head))
	}
	if m.Trail.Size < 0 || (m.Trail.Size == 0) != (m.Trail.Hash == identity.Digest{}) {
		return nil, fmt.Errorf("internal error: an audit trail of %d lines with the hash %s", m.Trail.Size, m.Trail.Hash)
	}
	if m.Trail.Size > 0 {
		fmt.Fprintf(&b, "%s%d %s\n", trailWord, m.Trail.Size, m.Trail.Hash)
	}
	fmt.Fprintf(&b, "sum %s\n", identity.Sum(b.Bytes()))
	return b.Bytes(), nil
}

// ErrMarkDamaged says that a mark file is there and cannot be believed. It is
// not the same as an absent one: the operator must decide.
var ErrMarkDamaged = errors.New("the high-water mark file is damaged")

// ParseMarks reads what FormatMarks wrote, byte for byte. Any other text is
// ErrMarkDamaged.
func ParseMarks(b []byte) (Marks, error) {
	marks, err := parseMarks(b)
	if err != nil {
		return Marks{}, fmt.Errorf("%w: %w; move it aside and start again: without a mark the station asks its mirrors", ErrMarkDamaged, err)
	}
	return marks, nil
}

func parseMarks(b []byte) (marks Marks, err error) {
	if len(b) > MaxMarkFile {
		return Marks{}, fmt.Errorf("it has %d bytes, more than %d", len(b), MaxMarkFile)
	}
	at := bytes.LastIndex(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) + 1
	if want := fmt.Sprintf("sum %s\n", identity.Sum(b[:at])); string(b[at:]) != want {
		return Marks{}, errors.New("its last line is not the digest of the others")
	}
	lines := bufio.NewScanner(bytes.NewReader(b[:at]))
	lines.Buffer(nil, 1024+2*MaxNote)
	if !lines.Scan() || lines.Text() != markTitle {
		return Marks{}, fmt.Errorf("its first line is not %q", markTitle)
	}
	for lines.Scan() {
		if said, ok := strings.CutPrefix(lines.Text(), trailWord); ok {
			if marks.Trail, err = parseTrail(said); err != nil {
				return Marks{}, err
			}
			continue
		}
		m, err := parseMark(lines.Text())
		if err != nil {
			return Marks{}, err
		}
		if marks.Logs = append(marks.Logs, m); len(marks.Logs) > MaxMarks {
			return Marks{}, fmt.Errorf("it names more than %d logs", MaxMarks)
		}
	}
	if err := lines.Err(); err != nil {
		return Marks{}, err
	}
	if err := checkMarks(marks.Logs); err != nil {
		return Marks{}, err
	}
	if again, err := FormatMarks(marks); err != nil || !bytes.Equal(again, b) {
		return Marks{}, errors.New("its lines are not in the order or form in which they are written")
	}
	return marks, nil
}

func parseTrail(said string) (t Trail, err error) {
	size, hash, _ := strings.Cut(said, " ")
	if t.Size, err = parseSize([]byte(size)); err != nil {
		return t, err
	}
	t.Hash, err = identity.ParseDigest(hash)
	return t, err
}

func parseMark(line string) (Mark, error) {
	f := strings.Split(line, " ")
	if len(f) != 5 || f[0] != "written" && f[0] != "mirrored" {
		return Mark{}, errors.New("a line does not read written|mirrored, origin, size, root, head")
	}
	m := Mark{Written: f[0] == "written"}
	var err error
	if m.Origin, err = parseOrigin(f[1]); err != nil {
		return Mark{}, err
	}
	if m.Size, err = parseSize([]byte(f[2])); err != nil {
		return Mark{}, err
	}
	if m.Root, err = identity.ParseDigest(f[3]); err != nil {
		return Mark{}, err
	}
	if m.Head, err = base64.StdEncoding.Strict().DecodeString(f[4]); err != nil {
		return Mark{}, errors.New("a head is not base64")
	}
	if len(m.Head) == 0 {
		m.Head = nil
	}
	return m, nil
}

func checkMarks(marks []Mark) error {
	if len(marks) > MaxMarks {
		return fmt.Errorf("it names more than %d logs", MaxMarks)
	}
	seen := make(map[Direction]bool, len(marks))
	for _, m := range marks {
		if err := m.check(); err != nil {
			return err
		}
		if seen[m.Direction()] {
			return fmt.Errorf("log %s: its direction stands twice", m.Origin)
		}
		seen[m.Direction()] = true
	}
	return nil
}
