package message

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"regexp"
	"slices"
	"time"

	"detente/identity"
)

// Rule says how many officers release which messages.
type Rule struct {
	Formats       []Format     // empty: any
	Precedences   []Precedence // empty: any
	Officers      int          // how many, each another person
	Roles         []string     // in one of which each must have approved; empty only where Officers is 0
	Alone         bool         // one officer may send it PROVISIONAL
	ConfirmWithin time.Duration
}

// Policy says who may release what on one log: the first rule that fits counts,
// and what fits none is refused. It stands in the log as a message of format
// 005.
type Policy struct {
	Rules []Rule
}

// Limits of a policy: it fits into one message.
const (
	MaxRules    = 64
	MaxOfficers = MaxApprovals
	maxConfirm  = 24 * time.Hour
	maxRoles    = 16 // of a rule: as many as a certificate names
)

type ruleJSON struct {
	Alone       bool     `json:"alone,omitzero"`
	Confirm     int64    `json:"confirm_seconds,omitzero"`
	Formats     []string `json:"formats,omitempty"`
	Officers    int      `json:"officers"`
	Precedences []string `json:"precedences,omitempty"`
	Roles       []string `json:"roles,omitempty"`
}

type policyJSON struct {
	Rules []ruleJSON `json:"rules"`
}

// Bytes returns the policy's canonical JSON.
func (p Policy) Bytes() []byte {
	text, err := canonical(policyJSON{p.rules()})
	if err != nil {
		panic("internal error: " + err.Error()) // strings and numbers only
	}
	return text
}

func (p Policy) rules() []ruleJSON {
	rules := []ruleJSON{}
	for _, r := range p.Rules {
		w := ruleJSON{Officers: r.Officers, Roles: r.Roles, Alone: r.Alone, Confirm: int64(r.ConfirmWithin / time.Second)}
		for _, f := range r.Formats {
			w.Formats = append(w.Formats, string(f))
		}
		for _, q := range r.Precedences {
			w.Precedences = append(w.Precedences, q.String())
		}
		rules = append(rules, w)
	}
	return rules
}

// Params returns the policy as the parameter rules of format 005.
func (p Policy) Params() (map[string]jsontext.Value, error) {
	text, err := canonical(p.rules())
	if err != nil {
		return nil, err
	}
	return map[string]jsontext.Value{"rules": text}, nil
}

// PolicyOf reads the policy that a body of format 005 states.
func PolicyOf(b Body) (Policy, error) {
	var rules []ruleJSON
	if err := json.Unmarshal(b.Params["rules"], &rules, json.RejectUnknownMembers(true)); err != nil {
		return Policy{}, jsonError("params.rules", b.Params["rules"], err)
	}
	return policy(rules)
}

// Digest returns the digest of Bytes, by which approvals name the policy.
func (p Policy) Digest() identity.Digest { return identity.Sum(p.Bytes()) }

// ParsePolicy reads what Bytes wrote, or the same in another order and spacing.
func ParsePolicy(text []byte) (Policy, error) {
	if len(text) > MaxBody {
		return Policy{}, fieldError("policy", fmt.Sprintf("%d bytes are more than %d", len(text), MaxBody), "state fewer rules: the policy travels as one message")
	}
	var w policyJSON
	if err := json.Unmarshal(text, &w, json.RejectUnknownMembers(true)); err != nil {
		return Policy{}, jsonError("policy", text, err)
	}
	return policy(w.Rules)
}

func policy(rules []ruleJSON) (Policy, error) {
	if len(rules) == 0 || len(rules) > MaxRules {
		return Policy{}, fieldError("rules", fmt.Sprintf("a release policy has 1 to %d rules", MaxRules), "give at least one; the first that fits counts")
	}
	var p Policy
	for i, w := range rules {
		r, err := w.rule()
		if err != nil {
			err.Field = fmt.Sprintf("rules[%d].%s", i, err.Field)
			return Policy{}, err
		}
		p.Rules = append(p.Rules, r)
	}
	return p, nil
}

// stationSays are the formats that a station says by itself, each when
// something has just happened: entry 0, a refusal, a blob's receipt.
var stationSays = []Format{"001", "002", "003"}

// leastForPolicy is how many officers change a release policy, whatever the one
// in force says of other messages.
const leastForPolicy = 2

// Check returns what a whole policy may not say: that a station waits for
// officers to say that it cannot read an entry, or that fewer than two change
// the policy, or nobody at all can. Writer and reader ask it alike.
func (p Policy) Check() error {
	for q := Routine; q <= Flash; q++ {
		for _, f := range stationSays {
			if r := p.Judge(Body{Format: f, Precedence: q}, nil); r.Verdict != Released {
				return fieldError("rules", fmt.Sprintf("format %s, which a station says by itself, would wait for officers at %s", f, q), "let 001, 002 and 003 go on 0 officers")
			}
		}
		r := p.Judge(Body{Format: "005", Precedence: q}, nil)
		if r.Verdict == Refused || r.Need < leastForPolicy || r.ConfirmWithin > 0 {
			return fieldError("rules", fmt.Sprintf("at %s the release policy itself, format 005, could not be changed, or by fewer than %d officers", q, leastForPolicy), "ask two officers or more for 005, and not alone")
		}
	}
	return nil
}

func (w ruleJSON) rule() (Rule, *FieldError) {
	r := Rule{Officers: w.Officers, Roles: w.Roles, Alone: w.Alone}
	for _, s := range w.Formats {
		f, err := ParseFormat(s)
		if err != nil {
			return r, fieldError("formats", err.Error(), "name formats of the signal book, or none for any")
		}
		r.Formats = append(r.Formats, f)
	}
	for _, s := range w.Precedences {
		q, err := ParsePrecedence(s)
		if err != nil {
			return r, fieldError("precedences", err.Error(), "name precedences, or none for any")
		}
		r.Precedences = append(r.Precedences, q)
	}
	switch {
	case w.Officers < 0 || w.Officers > MaxOfficers:
		return r, fieldError("officers", fmt.Sprintf("%d is not between 0 and %d", w.Officers, MaxOfficers), "ask for that many officers")
	case w.Officers > 0 && len(w.Roles) == 0:
		return r, fieldError("roles", "none is named", "say in which roles officers may approve")
	case w.Alone != (w.Confirm > 0) || w.Confirm < 0 || w.Confirm > int64(maxConfirm/time.Second):
		return r, fieldError("confirm_seconds", "it stands with alone, and only then", "give up to a day in seconds")
	case w.Alone && w.Officers < 2:
		return r, fieldError("alone", "it has a meaning only where more than one officer is asked for", "leave it out")
	}
	if err := checkRoles(w.Roles); err != nil {
		return r, err
	}
	// Only now: a number of seconds that was not bounded could overflow.
	r.ConfirmWithin = time.Duration(w.Confirm) * time.Second
	return r, nil
}

// roleForm is the form of a role in officers' certificates: what no certificate
// can hold no rule may ask for.
var roleForm = regexp.MustCompile(`^[a-z][a-z-]{1,31}$`)

func checkRoles(roles []string) *FieldError {
	if len(roles) > maxRoles {
		return fieldError("roles", fmt.Sprintf("%d are more than %d", len(roles), maxRoles), "name the roles that may release")
	}
	for i, role := range roles {
		if !roleForm.MatchString(role) || slices.Contains(roles[:i], role) {
			return fieldError("roles", fmt.Sprintf("%q is no role, or stands twice", clip(role)), "write each once, in lower-case letters and hyphens")
		}
	}
	return nil
}

// Bootstrap returns the policy of a log before its first message of format 005:
// entry 0 and refusals need nobody, the first policy two releasing officers,
// and nothing else leaves.
func Bootstrap() Policy {
	return Policy{Rules: []Rule{
		{Formats: []Format{"001", "002", "003"}},
		{Formats: []Format{"005"}, Officers: 2, Roles: []string{"releasing"}},
	}}
}

// watchSays are the formats with which a watch keeps a line and a matter going:
// read-backs, what was seen, questions of meaning, circuits, rosters and the
// like. None commits anybody to more than having said so.
var watchSays = []Format{"011", "012", "013", "014", "015", "016", "017", "020", "021", "023", "024", "031", "121"}

// instruments are the formats that bind a party, or end what binds it: guarantees,
// agreed records and sign-offs, signatures, suspensions, amendments,
// denunciations, accessions and declarations.
var instruments = []Format{
	"300", "301", "302", "421", "453", "501", "510", "511", "520", "521", "522", "530", "531", "540", "550",
}

// DefaultPolicy returns the policy that a line opens with unless its operator
// gives another. A request for contact between leaders (410) takes two releasing
// officers even at FLASH: one person does not wake a government. Nor does one bind
// it: an instrument takes two at any precedence, and officers whose certificate
// says plenipotentiary count for nothing else. A daily digest of the state takes
// nobody, as a line test.
func DefaultPolicy() Policy {
	watch, releasing := []string{"watch", "releasing"}, []string{"releasing"}
	return Policy{Rules: []Rule{
		{Formats: []Format{"001", "002", "003", "010", "022"}},
		{Formats: slices.Clone(watchSays), Officers: 1, Roles: watch},
		{Formats: []Format{"005"}, Officers: 2, Roles: releasing},
		{Formats: []Format{"018", "410"}, Officers: 2, Roles: releasing},
		{Formats: slices.Clone(instruments), Officers: 2, Roles: []string{"plenipotentiary", "releasing"}},
		{Precedences: []Precedence{Flash}, Officers: 2, Roles: releasing, Alone: true, ConfirmWithin: 30 * time.Minute},
		{Officers: 2, Roles: releasing},
	}}
}

// Verdict is what a policy says of a message and its approvals.
type Verdict uint8

// The verdicts.
const (
	Refused     Verdict = iota // no rule lets it go
	Short                      // more officers must approve
	Provisional                // more must, but it may go marked PROVISIONAL
	Released
)

// Release is a verdict with what led to it.
type Release struct {
	Verdict       Verdict
	Have, Need    int
	ConfirmWithin time.Duration // of a provisional message
	Reason        string        // empty where it is released
}

// Approver is an officer whose approval was verified.
type Approver struct {
	Pseudonym string
	Role      string
	Decision  string
}

// Judge counts approvals that were verified over a body. One pseudonym counts
// once, and only in a role that the rule names; a rejection ends it.
//
// A file key (006) is released by the rule of the refusal (002) that it answers,
// whatever a rule says of 006: a policy that was released before there was such
// an answer lets it go all the same, and none can hold it up.
func (p Policy) Judge(b Body, approvals []Approver) Release {
	if b.Format == "006" {
		b.Format = "002"
	}
	i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.fits(b) })
	if i < 0 {
		return Release{Verdict: Refused, Reason: fmt.Sprintf("no rule of the release policy lets format %s go at %s", b.Format, b.Precedence)}
	}
	r := p.Rules[i]
	var counted []string
	for _, a := range approvals {
		if a.Decision == "reject" {
			return Release{Verdict: Refused, Need: r.Officers, Reason: "rejected by " + a.Pseudonym}
		}
		if a.Decision == "approve" && slices.Contains(r.Roles, a.Role) && !slices.Contains(counted, a.Pseudonym) {
			counted = append(counted, a.Pseudonym)
		}
	}
	out := Release{Have: len(counted), Need: r.Officers, ConfirmWithin: r.ConfirmWithin}
	switch {
	case out.Have >= out.Need:
		out.Verdict = Released
	case r.Alone && out.Have >= 1:
		out.Verdict, out.Reason = Provisional, "one officer may send it PROVISIONAL"
	default:
		out.Verdict, out.Reason = Short, fmt.Sprintf("%d of %d officers have approved in the roles %v", out.Have, out.Need, r.Roles)
	}
	return out
}

func (r Rule) fits(b Body) bool {
	return (len(r.Formats) == 0 || slices.Contains(r.Formats, b.Format)) && (len(r.Precedences) == 0 || slices.Contains(r.Precedences, b.Precedence))
}
