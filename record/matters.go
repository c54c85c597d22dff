package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// maxMatters is how many messages that refer, state or answer are judged together.
// They are held in memory; the record of a line may be larger, and one of the
// single matter then says the same.
const maxMatters = 100_000

// matters are the disclosed messages of a record as far as they answer or state
// anything, with what is judged of them: whether each fits what it answers, and
// where each claim stands.
type matters struct {
	edition *book.Edition // nil: nothing was taken yet
	kinds   map[message.Format]dossier.Kind
	about   map[message.Format]bool // formats that others have to refer to
	kept    []kept
	bodies  map[message.ID]message.Frozen
	shown   map[message.ID]bool      // of entries that are opened and count for nothing
	blobs   map[namedBlob]bool       // evidence that messages name
	last    time.Time                // the last second in the record
	over    bool                     // more was said than is judged
	spoilt  map[identity.Origin]bool // logs of which something does not fit
}

// kept is a message that counts, as it is judged.
type kept struct {
	where string
	item  dossier.Item
}

// namedBlob is evidence that a station has named on a line.
type namedBlob struct {
	line identity.Line
	by   identity.Station
	hash identity.Digest
}

func newMatters() *matters {
	return &matters{bodies: make(map[message.ID]message.Frozen), shown: make(map[message.ID]bool), blobs: make(map[namedBlob]bool), spoilt: make(map[identity.Origin]bool)}
}

// open loads the edition by which matters are judged: this program's own. The
// fold of formats stays the same from edition to edition.
func (m *matters) open() {
	if m.edition != nil {
		return
	}
	edition, err := book.Embedded()
	if err != nil {
		panic("internal error: " + err.Error()) // it is built in
	}
	m.edition, m.kinds, m.about = edition, make(map[message.Format]dossier.Kind), make(map[message.Format]bool)
	for _, f := range edition.Formats() {
		m.kinds[f.Number] = dossier.Kind(f.Dossier)
		for _, n := range dossier.About(f.Number) {
			m.about[n] = true
		}
	}
}

// take takes a message that counts.
func (m *matters) take(l *logVerifier, index int64, received time.Time, e message.Entry) {
	m.open()
	it := dossier.Read(l.o, index, received, e)
	for _, at := range []time.Time{it.At, received} {
		if at.After(m.last) {
			m.last = at
		}
	}
	m.names(l.o, it.Facts)
	kind := m.kinds[it.Format]
	if len(it.Refs) == 0 && kind != dossier.KindClaim && kind != dossier.KindReport && !m.about[it.Format] && !speaks(it) {
		return
	}
	if len(m.kept) == maxMatters {
		m.over = true
		return
	}
	m.kept = append(m.kept, kept{l.cite(index), it})
	if dossier.Refers(it.Format) || m.about[it.Format] {
		m.bodies[it.ID] = e.Body
	}
}

// speaks reports whether a message without a reference says something of others:
// a refusal, a receipt of evidence, a disputed time, a release policy.
func speaks(it dossier.Item) bool {
	return it.Refused != nil || it.Disputed != nil || it.Policy != nil || it.Format == blobReceipt
}

// blobReceipt confirms evidence, and translation binds one text to another.
const (
	blobReceipt message.Format = "003"
	translation message.Format = "601"
)

// disowned takes a message that counts for nothing: others may refer to it.
func (m *matters) disowned(o identity.Origin, e message.Entry) {
	b := e.Body.Body()
	m.shown[b.ID] = true
	m.names(o, dossier.FactsOf(b))
}

// names notes which evidence a message names.
func (m *matters) names(o identity.Origin, f dossier.Facts) {
	for _, hash := range f.Blobs {
		m.blobs[namedBlob{o.Line(), o.Writer, hash}] = true
	}
}

// judge says of each message whether it fits what it answers. What does not fit
// makes no record false: its author said it, and it answers nothing. So it is
// open, and named.
func (m *matters) judge(v *verifier, origins []identity.Origin) {
	if m.over {
		v.missing(CheckMatter, "", because(MattersMany, nil, fmt.Sprint(maxMatters)))
		return
	}
	for _, k := range m.kept {
		if _, refused := v.refused[Entry{k.item.Origin, k.item.Index}]; refused {
			continue
		}
		for _, why := range m.misfits(v, k.item) {
			m.spoilt[k.item.Origin] = true
			v.missing(CheckMatter, k.where, why)
		}
	}
	for _, o := range origins {
		if !m.spoilt[o] && len(v.logs[o].disclosed) > 0 {
			v.pass(CheckMatter, o.String())
		}
	}
}

// misfits returns what in a message does not fit.
func (m *matters) misfits(v *verifier, it dossier.Item) (found []fault) {
	whole := true
	for _, ref := range it.Refs {
		if _, known := v.bodies[ref]; known {
			continue
		}
		whole = false
		switch {
		case v.index.Kind == Message || m.shown[ref]: // one message stands alone
		case len(v.report.Undisclosed) > 0:
			found = append(found, because(ReferenceHidden, nil, ref.String()))
		default:
			found = append(found, because(ReferenceAbsent, nil, ref.String()))
		}
	}
	switch {
	case it.Format == blobReceipt:
		return append(found, m.receipted(v, it)...)
	case !whole:
		return found
	case it.Format == translation:
		return append(found, m.translated(v, it)...)
	case !dossier.Refers(it.Format):
		return found
	}
	var about []message.Body
	for _, ref := range it.Refs {
		if b, ok := m.bodies[ref]; ok {
			about = append(about, b.Body())
		}
	}
	own := m.bodies[it.ID]
	err := dossier.Fits(own.Body(), about)
	if err == nil {
		return found
	}
	fit, ok := errors.AsType[*dossier.FitError](err)
	if !ok {
		panic("internal error: " + err.Error()) // Fits has one kind of error
	}
	return append(found, misfit(fit))
}

// misfit says what does not fit.
func misfit(e *dossier.FitError) fault {
	why := errors.New(e.Reason)
	switch {
	case e.Param == "refs":
		var of []string
		for _, n := range dossier.About(e.Format) {
			of = append(of, string(n))
		}
		return because(AnswersOther, why, string(e.Format), strings.Join(of, ", "))
	case strings.HasSuffix(e.Param, "].fact"):
		return because(FactUnstated, why, e.Param)
	}
	return because(Misfit, why, e.Param)
}

// translated checks that a translation is bound to the text of a message that it
// refers to.
func (m *matters) translated(v *verifier, it dossier.Item) []fault {
	original := it.Facts.Words["original"]
	if slices.ContainsFunc(it.Refs, func(ref message.ID) bool { return v.bodies[ref].digest.String() == original }) {
		return nil
	}
	return []fault{because(TranslationOther, nil, original)}
}

// receipted checks that evidence that is confirmed is evidence that the other side
// named, where the record shows all that it said.
func (m *matters) receipted(v *verifier, it dossier.Item) []fault {
	if v.index.Kind != Line || len(v.report.Undisclosed) > 0 {
		return nil
	}
	text := it.Facts.Words["hash"]
	hash, err := identity.ParseDigest(text)
	if err == nil && m.blobs[namedBlob{it.Origin.Line(), it.Origin.Reader, hash}] {
		return nil
	}
	return []fault{because(BlobUnnamed, nil, text)}
}
