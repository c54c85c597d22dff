package watch

import (
	"strconv"
	"strings"

	"detente/book"
)

// Risk renders a risk in one line: from and until, the code and what it means,
// and what or whom it is about.
//
//	2026-11-25T02:00:00Z/2026-11-25T06:00:00Z: no-language — nobody on watch reads: ar — Arabic
func (w Words) Risk(r Risk, l book.Lang) (string, error) {
	p := w.page(l)
	parts := []string{p.ltr(stamp(r.From) + "/" + stamp(r.To)), p.code("risk", string(r.Kind))}
	switch r.Kind {
	case RiskLanguage:
		parts = append(parts, p.listed("language", string(r.Language)))
	case RiskClearance:
		parts = append(parts, p.ltr(r.Clearance))
	case RiskFew, RiskFlash:
		parts = append(parts, p.ltr(strconv.Itoa(r.Have)+"/"+strconv.Itoa(r.Need)))
	case RiskDesk:
		parts = append(parts, p.ltr(r.Desk))
	case RiskLong, RiskRest:
		parts = append(parts, p.ltr(r.Officer), book.Span(r.To.Sub(r.From), p.lang))
	case RiskSwap:
		parts = append(parts, p.ltr(r.Officer), p.ltr(r.Desk))
	}
	p.out.WriteString(strings.Join(parts, ": ") + "\n")
	return p.text()
}

// Notice renders what an outlet tells, in labelled lines. It speaks of the
// lines and codes only, never of what a message says.
func (w Words) Notice(n Notice, l book.Lang) (string, error) {
	p := w.page(l)
	p.exercise(n.Exercise)
	p.line("alarm", p.code("alarm", string(n.Group.Kind)))
	p.line("event", p.code("event", string(n.Event)))
	p.line("level", p.listed("precedence", n.Level.String()))
	if line := lineText(n.Group.Line); line != "" {
		p.put("line", line)
	}
	if n.Lines > 1 {
		p.put("lines-count", strconv.Itoa(n.Lines))
	}
	p.put("count", strconv.Itoa(n.Count))
	if !n.Since.IsZero() {
		p.put("since", stamp(n.Since))
	}
	for _, r := range n.Refs {
		p.put("about", r)
	}
	for _, o := range n.To {
		p.put("to", o)
	}
	if n.Rung < 0 || int(n.Rung) >= len(rungCodes()) {
		p.fail("internal error: there is no rung %d", n.Rung)
		return p.text()
	}
	p.line("rung", p.code("rung", rungCodes()[n.Rung]))
	p.exercise(n.Exercise)
	return p.text()
}

// Sheet renders a handover for those who sign it: every heading stands there,
// with "none" beneath it where there is nothing.
func (w Words) Sheet(s Sheet, l book.Lang) (string, error) {
	p := w.page(l)
	p.exercise(s.Exercise)
	p.put("handover", s.Desk)
	p.put("station", string(s.Station))
	p.put("at", stamp(s.At))
	for _, o := range s.Out {
		p.put("out", o)
	}
	for _, o := range s.In {
		p.put("in", o)
	}
	p.line("flash", p.head("none")) // there is no sheet otherwise
	p.items("unacknowledged", s.Unacked)
	p.section("lines", len(s.Lines))
	for _, x := range s.Lines {
		p.summary(x)
	}
	p.section("deadlines", len(s.Deadlines))
	for _, d := range s.Deadlines {
		text := p.ltr(stamp(d.At) + " " + d.Ref + " " + d.What + " " + string(d.By))
		if d.Late {
			text += between + p.head("late")
		}
		p.item(text)
	}
	p.items("waiting", s.Waiting)
	p.section("alarms", len(s.Alarms))
	for _, g := range s.Alarms {
		p.item(strings.Join([]string{p.code("alarm", string(g.Key.Kind)), p.listed("precedence", g.Level.String()),
			p.ltr(strings.TrimSpace(lineText(g.Key.Line) + " " + stamp(g.Since) + " " + strconv.Itoa(g.Open) + "/" + strconv.Itoa(g.Count)))}, " · "))
	}
	p.items("silenced", s.Silenced)
	p.section("outages", len(s.Outages))
	for _, o := range s.Outages {
		p.outage(o)
	}
	p.items("calls", s.Calls)
	p.section("remarks", len(s.Remarks))
	for _, r := range s.Remarks {
		p.item(p.ltr(string(r.Language)) + between + isolateAny(r.Text))
	}
	if s.More > 0 {
		p.put("more", strconv.Itoa(s.More))
	}
	p.put("digest", s.Digest().String())
	p.exercise(s.Exercise)
	return p.text()
}

// exercise marks a page of an exercise, at its top and at its end.
func (p *page) exercise(is bool) {
	if is {
		p.out.WriteString(p.ltr("EXERCISE") + between + p.head("exercise") + "\n")
	}
}

// isolateAny keeps text of either direction from moving what stands beside it.
func isolateAny(s string) string { return "\u2068" + s + popped }

// section writes a heading with the number of items, or "none".
func (p *page) section(head string, n int) {
	if n == 0 {
		p.line(head, p.head("none"))
		return
	}
	p.put(head, strconv.Itoa(n))
}

func (p *page) item(text string) { p.out.WriteString("- " + text + "\n") }

func (p *page) items(head string, all []OpenItem) {
	p.section(head, len(all))
	for _, i := range all {
		text := p.ltr(strings.TrimSpace(stamp(i.Since) + " " + i.Ref + " " + i.What))
		if i.Detail != "" {
			text += between + isolateAny(i.Detail)
		}
		p.item(text)
	}
}

func (p *page) summary(x LineSummary) {
	parts := []string{p.ltr(x.Line.String()), p.code("phase", string(x.Phase)), p.head("their-desk") + " " + p.listed("desk", x.Desk)}
	if x.LastTest != "" {
		parts = append(parts, p.head("last-test")+" "+p.code("slot", string(x.LastTest)))
	}
	p.item(strings.Join(append(parts, p.head("missed")+" "+p.ltr(strconv.Itoa(x.Missed))), " · "))
}

func (p *page) outage(o Outage) {
	kind := "unplanned"
	if o.Planned {
		kind = "planned"
	}
	var bearers []string
	for _, b := range o.Bearers {
		bearers = append(bearers, p.listed("bearer", b))
	}
	p.item(strings.Join([]string{p.ltr(string(o.By) + " " + stamp(o.From) + "/" + stamp(o.To)), p.head(kind), strings.Join(bearers, ", ")}, " · "))
}
