package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
)

// OpenItem is something that the next shift has to know of: a message, a call,
// a request for release.
type OpenItem struct {
	Ref    string // a citation or an id
	What   string // a code: the format, or the kind of alarm
	Since  time.Time
	Detail string // one line; empty: nothing more is said
}

// Deadline is a duty of either side that runs out.
type Deadline struct {
	Ref  string
	What string // a code: the format that would meet it
	By   identity.Station
	At   time.Time
	Late bool // it has run out
}

// LineSummary is where one line stands at a handover.
type LineSummary struct {
	Line     identity.Line
	Phase    LinePhase
	Desk     string    // the counterpart's, as DeskStatus.At has it
	LastTest SlotState // of the last test that was due
	Missed   int       // tests of the shift that failed
}

// Remark is free text, in one language, shown as not translated.
type Remark struct {
	Language book.Lang
	Text     string
}

// DeadlineHorizon is how far ahead a handover lists deadlines.
const DeadlineHorizon = 12 * time.Hour

// Limits of a sheet: what does not fit is counted in its More.
const (
	MaxItems   = 500  // of each list
	MaxRemark  = 1000 // characters
	maxDetail  = 200
	maxRemarks = 20
)

// Sheet is what one shift hands to the next. It is computed, but for its
// remarks.
type Sheet struct {
	Station     identity.Station
	Desk        string
	At          time.Time
	Out, In     []string // pseudonyms: who goes and who comes
	FlashUnread []OpenItem
	Unacked     []OpenItem // messages without understanding or answer of ours
	Lines       []LineSummary
	Deadlines   []Deadline // of the next 12 hours, and those that have run out
	Waiting     []OpenItem // requests for release
	Alarms      []Group    // that stand
	Silenced    []OpenItem // alarms whose sound is off
	Outages     []Outage   // under way, or beginning within the horizon
	Calls       []OpenItem // telephone calls not confirmed in writing
	Remarks     []Remark
	More        int  // items that did not fit
	Exercise    bool // of an exercise; what is signed says so
}

// UnreadFlashError says that a shift cannot end: a FLASH is unread.
type UnreadFlashError struct{ Messages []OpenItem }

// Error names the messages.
func (e *UnreadFlashError) Error() string {
	var refs []string
	for i, m := range e.Messages {
		if i == maxNamed {
			refs = append(refs, fmt.Sprintf("and %d more", len(e.Messages)-i))
			break
		}
		refs = append(refs, m.Ref)
	}
	return "handover: a FLASH is unread: " + strings.Join(refs, ", ") + "; open it and confirm that you have seen it, then hand over"
}

// NewSheet puts a sheet in order, leaves out deadlines and outages beyond the
// horizon, and cuts lists that are too long, counting what was left out. It
// fails with *UnreadFlashError while a FLASH is unread.
func NewSheet(s Sheet) (Sheet, error) {
	if len(s.FlashUnread) > 0 {
		return Sheet{}, &UnreadFlashError{slices.Clone(s.FlashUnread)}
	}
	horizon := s.At.Add(DeadlineHorizon)
	s.Deadlines = slices.DeleteFunc(slices.Clone(s.Deadlines), func(d Deadline) bool { return d.At.After(horizon) })
	for i, d := range s.Deadlines {
		s.Deadlines[i].Late = !d.At.After(s.At)
	}
	s.Outages = slices.DeleteFunc(slices.Clone(s.Outages), func(o Outage) bool {
		return o.From.After(horizon) || !o.To.IsZero() && !o.To.After(s.At)
	})
	s.SortDeadlines()
	slices.SortStableFunc(s.Outages, func(a, b Outage) int { return a.From.Compare(b.From) })
	for _, l := range []*[]OpenItem{&s.Unacked, &s.Waiting, &s.Silenced, &s.Calls} {
		*l = slices.Clone(*l)
		slices.SortStableFunc(*l, func(a, b OpenItem) int { return a.Since.Compare(b.Since) })
		*l = cutTo(*l, &s.More)
	}
	s.Lines, s.Deadlines, s.Alarms, s.Outages = cutTo(s.Lines, &s.More), cutTo(s.Deadlines, &s.More), cutTo(s.Alarms, &s.More), cutTo(s.Outages, &s.More)
	s.Out, s.In = slices.Sorted(slices.Values(s.Out)), slices.Sorted(slices.Values(s.In))
	return s, s.Check()
}

// SortDeadlines orders the deadlines in place: those of the station itself first,
// which its officers can still meet, each side's by their time.
func (s Sheet) SortDeadlines() {
	slices.SortStableFunc(s.Deadlines, func(a, b Deadline) int {
		if own := a.By == s.Station; own != (b.By == s.Station) {
			if own {
				return -1
			}
			return 1
		}
		return a.At.Compare(b.At)
	})
}

func cutTo[T any](list []T, more *int) []T {
	if len(list) > MaxItems {
		*more += len(list) - MaxItems
		list = list[:MaxItems]
	}
	return slices.Clone(list)
}

// Check returns what is wrong with a sheet.
func (s Sheet) Check() error {
	var f faults
	if len(s.FlashUnread) > 0 {
		return &UnreadFlashError{s.FlashUnread}
	}
	if _, err := identity.ParseStation(string(s.Station)); err != nil {
		f.add("station", err.Error(), "name the station")
	}
	if why := checkRef(s.Desk, maxName); why != "" || !whole(s.At) || s.More < 0 {
		f.add("desk", "there is no desk, or no whole second", "name the desk, and when it is handed over")
	}
	for _, o := range slices.Concat(s.Out, s.In) {
		if !pseudonymForm.MatchString(o) {
			f.add("officers", fmt.Sprintf("%q is no pseudonym", clip(o)), "write it like ARD-W-07")
		}
	}
	if len(s.Out) == 0 || len(s.In) == 0 || len(s.Out) > MaxTurn || len(s.In) > MaxTurn {
		f.add("officers", fmt.Sprintf("%d go and %d come", len(s.Out), len(s.In)), fmt.Sprintf("it takes 1 to %d of each", MaxTurn))
	}
	for _, l := range [][]OpenItem{s.Unacked, s.Waiting, s.Silenced, s.Calls} {
		if len(l) > MaxItems {
			f.add("items", fmt.Sprintf("a list of %d", len(l)), fmt.Sprintf("list at most %d, and count the rest", MaxItems))
			break
		}
		for _, i := range l {
			i.check(&f)
		}
	}
	if max(len(s.Lines), len(s.Deadlines), len(s.Alarms), len(s.Outages)) > MaxItems || len(s.Remarks) > maxRemarks {
		f.add("items", "a list is too long", fmt.Sprintf("list at most %d, and %d remarks", MaxItems, maxRemarks))
	}
	s.checkFacts(&f)
	for i, r := range s.Remarks {
		if why := checkText(r.Text, MaxRemark); why != "" || !knownLang(r.Language) {
			f.add(fmt.Sprintf("remarks[%d]", i), "no language, or "+why, "write one line, and name its language")
		}
	}
	return f.err()
}

func (i OpenItem) check(f *faults) {
	if why := checkRef(i.Ref, MaxRef) + checkRef(i.What, MaxRef); why != "" || !i.Since.IsZero() && !whole(i.Since) {
		f.add("items."+clip(i.Ref), "its reference, its code or its time is none: "+why, "name what it is about")
	}
	if why := checkText(i.Detail, maxDetail); why != "" && i.Detail != "" {
		f.add("items."+clip(i.Ref), why, "say it in one line")
	}
}

// checkFacts checks the lists that are no open items.
func (s Sheet) checkFacts(f *faults) {
	for _, d := range s.Deadlines {
		if why := checkRef(d.Ref, MaxRef) + checkRef(d.What, MaxRef); why != "" || !whole(d.At) || d.Late != !d.At.After(s.At) {
			f.add("deadlines."+clip(d.Ref), "it names nothing, or is late and says it is not: "+why, "compute it anew")
		}
	}
	for _, l := range s.Lines {
		if l.Line == (identity.Line{}) || !contains(LinePhases(), l.Phase) || l.LastTest != "" && !contains(SlotStates(), l.LastTest) || checkRef(l.Desk, maxName) != "" || l.Missed < 0 {
			f.add("lines."+lineText(l.Line), "no line, phase, desk or test", "compute it anew")
		}
	}
	for _, g := range s.Alarms {
		if g.Key.Kind.Level() == 0 || g.Key.Ref != "" || g.Level < 1 || g.Level > 4 || g.Count < 1 || g.Open < 0 || g.Open > g.Count || !whole(g.Since) {
			f.add("alarms."+clip(string(g.Key.Kind)), "no alarms that stand", "compute it anew")
		}
	}
	for _, o := range s.Outages {
		if why := strings.Join(o.Bearers, ","); checkRef(why, MaxRef) != "" || !whole(o.From) || !o.To.IsZero() && !o.To.After(o.From) || !whole(o.Said) {
			f.add("outages", "no bearers, or it ends before it begins", "compute it anew")
		}
	}
}

// Digest is the digest of the sheet's frozen bytes.
func (s Sheet) Digest() identity.Digest { return identity.Sum(s.Bytes()) }

// Request returns what an officer of the handover signs, in a role. Both sign
// the same but for the role.
func (s Sheet) Request(role string) identity.Request {
	d := s.Digest()
	return identity.Request{Body: d, ID: [16]byte(d[:16]), Role: role, Policy: identity.Sum([]byte(sheetKind)), Decision: "approve"}
}

// Signed returns nil if the sheet is signed by one officer who goes and another
// one who comes. Approvals of others are passed over. What is missing is told.
func (s Sheet) Signed(approvals []identity.Approval, agencies identity.Agencies, at time.Time) error {
	if err := s.Check(); err != nil {
		return err
	}
	var gone, come []string
	for _, a := range approvals {
		if !a.Request.Equal(s.Request(a.Request.Role)) {
			continue
		}
		cert, err := a.Verify(s.Station, agencies, at)
		if err != nil {
			return fmt.Errorf("handover: %w", err)
		}
		if contains(s.Out, cert.Pseudonym) {
			gone = append(gone, cert.Pseudonym)
		}
		if contains(s.In, cert.Pseudonym) {
			come = append(come, cert.Pseudonym)
		}
	}
	for _, g := range gone {
		if slices.ContainsFunc(come, func(c string) bool { return c != g }) {
			return nil
		}
	}
	switch {
	case len(gone) == 0:
		return fault("handover", "none of those who go has signed", "let one of "+strings.Join(s.Out, ", ")+" sign")
	case len(come) == 0:
		return fault("handover", "none of those who come has signed", "let one of "+strings.Join(s.In, ", ")+" sign")
	}
	return fault("handover", "one officer has signed for both", "let another officer take over")
}
