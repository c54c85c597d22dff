package treaty

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"

	"detente/book"
	"detente/message"
)

// Limits of conditions. The worst case of one is reckoned before it is taken, and
// held to while it runs: whoever writes an agreement may not make the other side's
// station think for long.
const (
	MaxCost       = 10_000 // steps of CEL, in the worst case and in each run
	maxNesting    = 20
	maxCodePoints = MaxCondition
	maxList       = 64   // values that a parameter may have, at most
	maxValue      = 4000 // characters of one
)

// Book is what an agreement asks of a signal book. *book.Edition is one.
type Book interface {
	// Format returns a format by its number; false where the edition has none.
	Format(n message.Format) (book.Format, bool)
}

// ConditionError says which condition fails, and how.
type ConditionError struct {
	Duty      string // in which it stands
	Place     string // such as on.where
	Format    message.Format
	Condition string
	Reason    string
}

// Error returns place, condition and reason in one line.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("%s: %s: the condition %q over format %s: %s", e.Duty, e.Place, tame(e.Condition), e.Format, tame(e.Reason))
}

// condition is a compiled condition; nil is one that always holds. It is
// immutable.
type condition struct {
	duty, place, source string
	format              message.Format
	program             cel.Program
	constant            *bool // what it says whatever the message; nil: it depends
}

// celType returns the type of a parameter in conditions.
func celType(p book.Param) *cel.Type {
	t := cel.StringType
	switch p.Type {
	case book.TypeTime:
		t = cel.TimestampType
	case book.TypeCount:
		t = cel.IntType
	case book.TypeDuration:
		t = cel.DurationType
	case book.TypeWindow:
		t = cel.MapType(cel.StringType, cel.TimestampType)
	case book.TypeBlob, book.TypeItem, book.TypeRule, typeRecord:
		t = cel.MapType(cel.StringType, cel.DynType)
	}
	if p.Many {
		return cel.ListType(t)
	}
	return t
}

// environment declares what a condition over messages of a format may name: its
// parameters as m.<name>, which of them are given, and what is known of any
// message. Of any format (book.AnyFormat) there are no parameters.
func environment(base *cel.Env, f book.Format) (*cel.Env, error) {
	var opts []cel.EnvOption
	for _, p := range f.Params {
		opts = append(opts, cel.Variable("m."+p.Name, celType(p)))
	}
	return base.Extend(opts...)
}

// common is what conditions over any message may name.
func common() (*cel.Env, error) {
	return cel.NewEnv(
		cel.ParserRecursionLimit(maxNesting), cel.ParserExpressionSizeLimit(maxCodePoints),
		cel.Variable("given", cel.ListType(cel.StringType)),  // the names of the parameters that are there
		cel.Variable("format", cel.StringType),               // its number
		cel.Variable("precedence", cel.StringType),           // FLASH, IMMEDIATE, PRIORITY, ROUTINE
		cel.Variable("phase", cel.StringType),                // none, open or core, at its receipt
		cel.Variable("received", cel.TimestampType),          // as it stands in the record
		cel.Variable("refers", cel.ListType(cel.StringType)), // the formats of what it refers to, where they are known
	)
}

// compiler makes conditions ready to run.
type compiler struct {
	b    Book
	base *cel.Env
}

func newCompiler(b Book) (*compiler, error) {
	base, err := common()
	if err != nil {
		return nil, fmt.Errorf("conditions: %w", err)
	}
	return &compiler{b, base}, nil
}

// sizes bounds the values that a condition may meet, so that its worst case can
// be reckoned.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	switch n.Type().Kind() {
	case cel.ListKind, cel.MapKind:
		return &checker.SizeEstimate{Max: maxList}
	}
	return &checker.SizeEstimate{Max: maxValue}
}

// EstimateCallCost implements checker.CostEstimator.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// compile makes a condition ready to run; nil of an empty one. What does not fit
// the format's parameters by name and type, or may cost more than MaxCost, is a
// *ConditionError.
func (k *compiler) compile(duty, place, source string, f book.Format) (*condition, error) {
	if source == "" {
		return nil, nil
	}
	c := &condition{duty: duty, place: place, source: source, format: f.Number}
	env, err := environment(k.base, f)
	if err != nil {
		return nil, c.fail(err)
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, c.fail(firstOf(issues))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, c.fail(fmt.Errorf("it is no yes or no but a %s", ast.OutputType()))
	}
	cost, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, c.fail(err)
	}
	if cost.Max > MaxCost {
		return nil, c.fail(fmt.Errorf("it may cost %d steps, more than %d", cost.Max, MaxCost))
	}
	if c.program, err = env.Program(ast, cel.CostLimit(MaxCost), cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost)); err != nil {
		return nil, c.fail(err)
	}
	if out, _, err := c.program.Eval(map[string]any{}); err == nil { // it names nothing, or nothing that counts
		if b, ok := out.Value().(bool); ok {
			c.constant = &b
		}
	}
	return c, nil
}

// firstOf returns the first thing that is wrong with a condition, with its place
// in it.
func firstOf(issues *cel.Issues) error {
	for _, e := range issues.Errors() {
		return fmt.Errorf("at character %d: %s", e.Location.Column()+1, e.Message)
	}
	return issues.Err()
}

func (c *condition) fail(err error) error {
	return &ConditionError{Duty: c.duty, Place: c.place, Format: c.format, Condition: c.source, Reason: err.Error()}
}

// holds runs the condition over a message. A failure (a parameter that is not
// given, a step too many) is a *ConditionError and never a silent no.
func (c *condition) holds(m *Event, phase Phase, refers []string) (yes bool, err error) {
	if c == nil {
		return true, nil
	}
	defer func() {
		// The evaluator is another's: should it break, the record still folds, and
		// the condition is shown as failed.
		if r := recover(); r != nil {
			yes, err = false, c.fail(errors.New("internal error of the evaluator"))
		}
	}()
	vars := map[string]any{
		"given": m.given(), "format": string(m.Format), "precedence": m.Precedence.String(),
		"phase": string(phase), "received": m.Received, "refers": refers,
	}
	for name, v := range m.Facts {
		vars["m."+name] = v
	}
	out, _, err := c.program.Eval(vars)
	if err != nil {
		return false, c.fail(err)
	}
	b, ok := out.Value().(bool)
	if !ok {
		return false, c.fail(fmt.Errorf("it gave no yes or no but a %s", out.Type().TypeName()))
	}
	return b, nil
}

// never reports whether the condition can hold for no message at all.
func (c *condition) never() bool { return c != nil && c.constant != nil && !*c.constant }

// conditions are the compiled conditions of a duty.
type conditions struct {
	on      map[message.Format]*condition // by the trigger's format; any format's under book.AnyFormat
	act     map[message.Format]*condition
	tighten []map[message.Format]*condition
}

// conditionsOf compiles all conditions of a duty against a book; the errors are
// all that is wrong, each a *ConditionError. Formats that the book lacks are left
// out: Check names them.
func (k *compiler) conditionsOf(d Duty) (c conditions, errs []error) {
	each := func(place, source string, formats []message.Format) map[message.Format]*condition {
		out := make(map[message.Format]*condition)
		for _, n := range formats {
			f, ok := k.b.Format(n)
			if n == book.AnyFormat {
				f, ok = book.Format{Number: book.AnyFormat}, true
			}
			if !ok {
				continue
			}
			one, err := k.compile(d.ID, place, source, f)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out[n] = one
		}
		return out
	}
	triggers := d.On.Formats
	if d.On.Any {
		triggers = []message.Format{book.AnyFormat}
	}
	c.on = each("on.where", d.On.Where, triggers)
	acts := d.Act.Formats
	if d.Act.Self {
		acts = append(acts[:len(acts):len(acts)], triggers...)
	}
	c.act = each("act.where", d.Act.Where, acts)
	for i, t := range d.Tighten {
		c.tighten = append(c.tighten, each(fmt.Sprintf("tighten.%d.where", i), t.Where, triggers))
	}
	return c, errs
}

// of returns the condition for a format: its own, or that of any.
func of(m map[message.Format]*condition, n message.Format) *condition {
	if c, ok := m[n]; ok {
		return c
	}
	return m[book.AnyFormat]
}

// join writes formats as a list to read.
func join(list []message.Format) string {
	var s []string
	for _, f := range list {
		s = append(s, string(f))
	}
	return strings.Join(s, ", ")
}
