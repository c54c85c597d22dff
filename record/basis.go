package record

import (
	"slices"

	"detente/message"
)

// basis is the release policy by which an entry counts where the entries before it
// are not all there: the last of those that are, each approved under the one before
// since the line's first. That no other came between is not shown by it; that the
// officers signed under it is, since each approval names its policy.
type basis struct {
	policy message.Policy
	begun  bool   // whether it is known what came first
	stated string // the entry that states it; empty before the first
}

// Counted says by which release policy a message of a record counts where not all
// entries before it are there.
type Counted struct {
	Message string `json:"message"`
	Policy  string `json:"policy"` // the entry that states it
}

// supports reports whether an entry is there only because others count by it.
func (l *logVerifier) supports(index int64) bool {
	_, ok := slices.BinarySearch(l.in.Support, index)
	return ok
}

// released reports whether an entry went as a policy lets it go.
func released(r message.Release, e message.Entry) bool {
	return r.Verdict == message.Released && !e.Wrapper.Provisional || r.Verdict == message.Provisional && e.Wrapper.Provisional
}

// byChain reports whether an entry counts by the last policy that is there. An
// approval that names another one does not speak against the entry: another may
// have come between, and is not in the record.
func (l *logVerifier) byChain(index int64, e message.Entry, counted []message.Approver) bool {
	known := l.chain.stated != "" || l.supports(index) && l.chain.begun
	if !known || l.v.index.Kind == Line {
		return false
	}
	for _, a := range e.Wrapper.Approvals {
		if a.Request.Policy != l.chain.policy.Digest() {
			return false
		}
	}
	if !released(l.chain.policy.Judge(e.Body.Body(), counted), e) {
		return false
	}
	if !l.supports(index) {
		l.v.report.Counted = append(l.v.report.Counted, Counted{l.cite(index), l.chain.stated})
	}
	return true
}
