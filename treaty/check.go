package treaty

import (
	"fmt"
	"slices"
	"strings"

	"detente/book"
	"detente/message"
)

// Fault is what may be wrong with an agreement, a code.
type Fault string

// The faults.
const (
	FaultNoLanguage  Fault = "language-missing"     // a title or text lacks one of the agreement's languages, or has one that is not
	FaultParagraphs  Fault = "paragraphs-differ"    // the languages have unequal numbers of paragraphs
	FaultNoFormat    Fault = "format-missing"       // the signal book has no such format
	FaultNoParam     Fault = "parameter-missing"    // the format has no such parameter of that type
	FaultCondition   Fault = "condition-invalid"    // it does not fit the format, or may cost too much
	FaultUnreachable Fault = "unreachable"          // nothing can make the duty arise
	FaultUndischarge Fault = "not-dischargeable"    // nothing can discharge it
	FaultDeadline    Fault = "deadlines-contradict" // two deadlines exclude each other
	FaultTwice       Fault = "owed-twice"           // two articles owe the same for the same
	FaultCycle       Fault = "cycle"                // to do what is owed is to owe again, for ever
)

// Finding is one fault of an agreement.
type Finding struct {
	Article string // empty: of the agreement
	Duty    string // empty: of the article
	Fault   Fault
	What    string // in English, with what is at fault
}

// String returns the finding in one line.
func (f Finding) String() string {
	where := f.Duty
	if where == "" {
		where = f.Article
	}
	if where == "" {
		where = "agreement"
	}
	return fmt.Sprintf("%s: %s: %s", where, f.Fault, f.What)
}

type inspection struct {
	a      *Agreement
	b      Book
	k      *compiler
	duties map[string]Duty
	found  []Finding
}

// Check looks for what would make an agreement unworkable: what cannot arise or
// be discharged, deadlines that contradict each other, two articles that owe the
// same for one event, cycles, languages that do not stand beside each other,
// formats that the signal book lacks. In the order of the articles; none where
// all is well.
func Check(a *Agreement, b Book) []Finding {
	c := &inspection{a: a, b: b, duties: make(map[string]Duty)}
	k, err := newCompiler(b)
	if err != nil {
		return []Finding{{Fault: FaultCondition, What: err.Error()}}
	}
	c.k = k
	for _, art := range a.Articles {
		for _, d := range art.Duties {
			c.duties[d.ID] = d
		}
	}
	c.languages("", a.Title)
	if r := a.Term.Renewal; a.Term.Notice.longer(a.Term.Period) {
		c.add("", "", FaultDeadline, fmt.Sprintf("the notice of %s is longer than the term of %s (renewed by %s)", a.Term.Notice, a.Term.Period, r))
	}
	for _, art := range a.Articles {
		c.article(art)
		for _, d := range art.Duties {
			c.duty(art, d)
		}
	}
	c.twice()
	c.cycles()
	order := func(f Finding) int {
		return slices.IndexFunc(a.Articles, func(x Article) bool { return x.ID == f.Article })
	}
	slices.SortStableFunc(c.found, func(x, y Finding) int { return order(x) - order(y) })
	return c.found
}

func (c *inspection) add(article, duty string, f Fault, what string) {
	c.found = append(c.found, Finding{article, duty, f, what})
}

// languages compares a text's languages with the agreement's.
func (c *inspection) languages(article string, t book.Text) {
	for _, l := range c.a.Languages {
		if t[l] == "" {
			c.add(article, "", FaultNoLanguage, fmt.Sprintf("the title has no %s", l))
		}
	}
	for _, l := range sortedKeys(t) {
		if !slices.Contains(c.a.Languages, l) {
			c.add(article, "", FaultNoLanguage, fmt.Sprintf("the title has %s, which is no language of the agreement", l))
		}
	}
}

func (c *inspection) article(art Article) {
	c.languages(art.ID, art.Title)
	first := c.a.Languages[0]
	want := len(art.Text[first])
	for _, l := range c.a.Languages {
		switch n := len(art.Text[l]); {
		case n == 0:
			c.add(art.ID, "", FaultNoLanguage, fmt.Sprintf("the text has no %s", l))
		case n != want && want > 0:
			c.add(art.ID, "", FaultParagraphs, fmt.Sprintf("%s has %d paragraphs, %s has %d", first, want, l, n))
		}
	}
	for _, l := range sortedKeys(art.Text) {
		if !slices.Contains(c.a.Languages, l) {
			c.add(art.ID, "", FaultNoLanguage, fmt.Sprintf("the text has %s, which is no language of the agreement", l))
		}
	}
}

func (c *inspection) duty(art Article, d Duty) {
	add := func(f Fault, format string, args ...any) { c.add(art.ID, d.ID, f, fmt.Sprintf(format, args...)) }
	for _, list := range [][]message.Format{d.On.Formats, d.On.Except, d.Act.Formats, d.Miss.Next} {
		for _, n := range list {
			if _, ok := c.b.Format(n); !ok {
				add(FaultNoFormat, "the signal book has no format %s", n)
			}
		}
	}
	compiled, errs := c.k.conditionsOf(d)
	for _, err := range errs {
		add(FaultCondition, "%v", err)
	}
	c.params(d, add)
	c.reach(d, compiled, add)
	c.discharge(d, compiled, add)
	deadlines(d, add)
}

// params looks for the parameters that clocks start from.
func (c *inspection) params(d Duty, add func(Fault, string, ...any)) {
	look := func(name string) {
		for _, n := range d.On.Formats {
			f, ok := c.b.Format(n)
			if ok && !slices.ContainsFunc(f.Params, func(p book.Param) bool {
				return p.Name == name && !p.Many && (p.Type == book.TypeTime || p.Type == book.TypeWindow)
			}) {
				add(FaultNoParam, "format %s has no time or window %s", n, name)
			}
		}
		if d.On.Any {
			add(FaultNoParam, "not every format has the parameter %s", name)
		}
	}
	if d.From != "" {
		look(d.From)
	}
	if d.Lead != nil {
		look(d.Lead.Param)
	}
}

// reach looks for what keeps a duty from ever arising.
func (c *inspection) reach(d Duty, k conditions, add func(Fault, string, ...any)) {
	if d.On.After != "" {
		if _, ok := c.duties[d.On.After]; !ok {
			add(FaultUnreachable, "it follows %s, which does not exist", d.On.After)
		} else if before := c.duties[d.On.After]; before.Act.Abstain {
			add(FaultUnreachable, "it follows %s, which nothing ever meets", d.On.After)
		}
	}
	for _, n := range sortedKeys(k.on) {
		if k.on[n].never() {
			add(FaultUnreachable, "its condition %q holds for no message", tame(d.On.Where))
		}
	}
	all := len(d.On.Formats) > 0
	for _, n := range d.On.Formats {
		_, ok := c.b.Format(n)
		all = all && !ok
	}
	if all {
		add(FaultUnreachable, "the signal book has none of the formats that trigger it: %s", join(d.On.Formats))
	}
}

// discharge looks for what keeps a duty from ever being met.
func (c *inspection) discharge(d Duty, k conditions, add func(Fault, string, ...any)) {
	act := d.Act
	timed := d.Within != (Period{}) || len(d.WithinOf) > 0 || d.Lead != nil || d.On.Every != (Period{})
	switch {
	case act.Abstain && (timed || d.On.Event != OnAlways):
		add(FaultUndischarge, "leaving something alone has no deadline, and is owed always")
	case act.Abstain:
		return
	case d.On.Event == OnAlways:
		add(FaultUndischarge, "what is owed always is never done: say every, or abstain")
	case len(act.Formats) == 0 && !act.OrReply && !act.Self && d.Lead == nil:
		add(FaultUndischarge, "no format discharges it")
	case !timed:
		add(FaultUndischarge, "it has no deadline, so it is never missed")
	case act.Self && (!d.On.message() || d.By != Author):
		add(FaultUndischarge, "only its author meets a duty by the message itself")
	case act.Self && d.From == "" && d.Lead == nil:
		add(FaultUndischarge, "the message itself is always in time by its own receipt: say from")
	case act.OrReply && !d.On.message():
		add(FaultUndischarge, "without a message there is nothing to reply to")
	}
	for _, n := range sortedKeys(k.act) {
		if k.act[n].never() {
			add(FaultUndischarge, "its condition %q holds for no message", tame(act.Where))
		}
	}
	none := len(act.Formats) > 0 && !act.OrReply && !act.Self
	for _, n := range act.Formats {
		f, ok := c.b.Format(n)
		if ok && len(f.Refers) > 0 && d.On.message() && !act.Free && !d.On.Any && !c.mayRefer(f, d) {
			add(FaultUndischarge, "format %s cannot refer to what triggers it: %s", n, join(d.On.Formats))
		}
		none = none && !ok
	}
	if none {
		add(FaultUndischarge, "the signal book has none of the formats that discharge it: %s", join(act.Formats))
	}
}

// mayRefer reports whether a format may refer to one of a duty's triggers, or to
// what these refer to.
func (c *inspection) mayRefer(f book.Format, d Duty) bool {
	if slices.Contains(f.Refers, book.AnyFormat) {
		return true
	}
	for _, n := range d.On.Formats {
		if slices.Contains(f.Refers, n) {
			return true
		}
		t, ok := c.b.Format(n)
		if d.By == Author && ok && slices.ContainsFunc(t.Refers, func(r message.Format) bool {
			return r == book.AnyFormat || slices.Contains(f.Refers, r)
		}) {
			return true
		}
	}
	return false
}

// deadlines looks for times within one duty that exclude each other.
func deadlines(d Duty, add func(Fault, string, ...any)) {
	if l := d.Lead; l != nil && l.Usual != (Period{}) && l.Least.longer(l.Usual) {
		add(FaultDeadline, "the least notice %s is longer than the usual %s", l.Least, l.Usual)
	}
	longest := d.Within
	for _, p := range sortedKeys(d.WithinOf) {
		if w := d.WithinOf[p]; longest == (Period{}) || w.longer(longest) {
			longest = w
		}
	}
	if d.On.Every != (Period{}) && d.Within.longer(d.On.Every) {
		add(FaultDeadline, "it is due every %s and may take %s", d.On.Every, d.Within)
	}
	var open Period
	for _, t := range d.Tighten {
		w := t.Within
		if t.Halve {
			w = longest.half()
		}
		if longest == (Period{}) {
			add(FaultDeadline, "a window tightens it, and it has no time of its own")
		} else if w.longer(longest) {
			add(FaultDeadline, "in a window it has %s, more than the %s outside", w, longest)
		}
		switch {
		case t.In == PhaseOpen && t.Where == "":
			open = w
		case t.In == PhaseCore && open != (Period{}) && w.longer(open):
			add(FaultDeadline, "in the core of a window it has %s, more than the %s around it", w, open)
		}
	}
	order := []message.Precedence{message.Flash, message.Immediate, message.Priority, message.Routine}
	for i := 1; i < len(order); i++ {
		w, ok1 := d.WithinOf[order[i-1].String()]
		v, ok2 := d.WithinOf[order[i].String()]
		if ok1 && ok2 && w.longer(v) {
			add(FaultDeadline, "a %s has %s, more than the %s of a %s", order[i-1], w, v, order[i])
		}
	}
}

// overlaps reports whether one event may trigger both duties, for the same side.
func overlaps(d, e Duty) bool {
	if d.By != e.By || d.On.Where != e.On.Where {
		return false
	}
	switch {
	case d.On.Event != "" || e.On.Event != "":
		return d.On.Event == e.On.Event
	case d.On.Every != (Period{}) || e.On.Every != (Period{}):
		return d.On.Every != (Period{}) && e.On.Every != (Period{})
	case d.On.After != "" || e.On.After != "":
		return d.On.After == e.On.After
	}
	both := func(x, y Trigger) bool {
		return slices.ContainsFunc(x.Formats, func(n message.Format) bool {
			return slices.Contains(y.Formats, n) || y.Any && !slices.Contains(y.Except, n)
		})
	}
	return d.On.Any && e.On.Any || both(d.On, e.On) || both(e.On, d.On)
}

// twice looks for duties that owe the same act for the same event.
func (c *inspection) twice() {
	type owned struct {
		article string
		d       Duty
	}
	var all []owned
	for _, art := range c.a.Articles {
		for _, d := range art.Duties {
			all = append(all, owned{art.ID, d})
		}
	}
	for i, x := range all {
		for _, y := range all[i+1:] {
			same := slices.ContainsFunc(x.d.Act.Formats, func(n message.Format) bool { return slices.Contains(y.d.Act.Formats, n) })
			if !same || !overlaps(x.d, y.d) || x.d.Act.Where != y.d.Act.Where || x.d.From != y.d.From {
				continue
			}
			c.add(y.article, y.d.ID, FaultTwice, fmt.Sprintf("%s and %s owe the same act %s for the same event", x.d.ID, y.d.ID, join(y.d.Act.Formats)))
			if x.d.Within != y.d.Within || x.d.On.Every != y.d.On.Every {
				c.add(y.article, y.d.ID, FaultDeadline, fmt.Sprintf("%s is due by %s and %s by %s", x.d.ID, x.d.due(), y.d.ID, y.d.due()))
			}
		}
	}
}

// due tells the time of a duty, for people.
func (d Duty) due() string {
	switch {
	case d.On.Every != (Period{}):
		return "every " + d.On.Every.String()
	case d.Within != (Period{}):
		return d.Within.String()
	}
	return "precedence"
}

// forces reports whether to meet one duty is, whatever the act chosen, to trigger
// another.
func forces(d, e Duty) bool {
	if e.On.After == d.ID {
		return true
	}
	if !e.On.message() || e.On.Where != "" || e.Act.Abstain || len(d.Act.Formats) == 0 || d.Act.Abstain || d.Act.Self || d.Act.OrReply {
		return false
	}
	if len(e.Act.Formats) == 0 && !e.Act.OrReply { // met by its own trigger, or by notice given ahead
		return false
	}
	return !slices.ContainsFunc(d.Act.Formats, func(n message.Format) bool {
		return !slices.Contains(e.On.Formats, n) && (!e.On.Any || slices.Contains(e.On.Except, n))
	})
}

// cycles looks for duties that for ever lead back to themselves.
func (c *inspection) cycles() {
	ids := sortedKeys(c.duties)
	next := make(map[string][]string)
	for _, d := range ids {
		for _, e := range ids {
			if forces(c.duties[d], c.duties[e]) {
				next[d] = append(next[d], e)
			}
		}
	}
	const open, done = 1, 2
	state := make(map[string]int)
	var walk func(id string, path []string)
	walk = func(id string, path []string) {
		state[id] = open
		path = append(path, id)
		for _, n := range next[id] {
			switch state[n] {
			case 0:
				walk(n, path)
			case open:
				round := append(path[slices.Index(path, n):len(path):len(path)], n)
				article, _, _ := strings.Cut(n, ".")
				c.add(article, n, FaultCycle, "what meets one makes the next arise: "+strings.Join(round, " → "))
			}
		}
		state[id] = done
	}
	for _, id := range ids {
		if state[id] == 0 {
			walk(id, nil)
		}
	}
}
