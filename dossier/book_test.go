package dossier

import (
	"testing"
	"time"

	"detente/book"
	"detente/message"
)

const (
	hour = time.Hour
	dayL = 24 * time.Hour
)

// general are the clocks by precedence.
func general(p message.Precedence) Clocks {
	switch p {
	case message.Flash:
		return Clocks{time.Minute, 15 * time.Minute, 30 * time.Minute, 2 * hour, 12 * hour}
	case message.Immediate:
		return Clocks{time.Minute, hour, 2 * hour, 0, 24 * hour}
	case message.Priority:
		return Clocks{5 * time.Minute, 4 * hour, 8 * hour, 0, 48 * hour}
	}
	return Clocks{15 * time.Minute, 12 * hour, 24 * hour, 0, 7 * dayL}
}

// form is a format as the general table has it, but for its own time to a reply.
func form(n message.Format, k Kind, m Move, within time.Duration, replies ...message.Format) Form {
	f := Form{Format: n, Kind: k, Move: m, Replies: replies, Clocks: make(map[message.Precedence]Clocks)}
	for p := message.Routine; p <= message.Flash; p++ {
		c := general(p)
		personal := len(replies) == 1 && replies[0] == "012"
		switch {
		case personal && within > 0:
			c.Understood = within
			fallthrough
		case personal || len(replies) == 0:
			c.Answered, c.Interim = 0, 0
		case within > 0:
			c.Answered = within
		}
		if c.Interim >= c.Answered {
			c.Interim = 0
		}
		if c.Answered > 0 {
			c.Understood = min(c.Understood, c.Answered)
		}
		c.Seen = min(c.Seen, c.Understood)
		f.Clocks[p] = c
	}
	return f
}

// receipt is a form that no person has to acknowledge.
func receipt(f Form) Form {
	for p, c := range f.Clocks {
		f.Clocks[p] = Clocks{Received: c.Received, Answered: c.Answered}
	}
	return f
}

// byHand is the signal book of the watch as its table has it, written out.
//
// long: a line a format.
func byHand() Book {
	notice := form("110", KindNotice, "notify", dayL, "014")
	notice.Lead, notice.Lapses = &Lead{Param: "window", Least: 3 * dayL, Usual: 5 * dayL}, 4*dayL
	notice.Followups = []Followup{{Format: "112", Within: 7 * dayL, After: "window"}}
	reports := []Followup{{Format: "221", After: "next_update"}, {Format: "221", Within: dayL, After: "entry", Effect: 3}}
	incident, update := form("220", KindIncident, "notify", hour, "012"), form("221", KindIncident, "update", 0)
	incident.Followups, update.Followups = reports, reports
	claim := form("270", KindClaim, "claim", 7*dayL, "271")
	claim.By, claim.ByCode = "urgency", map[string]map[message.Precedence]Clocks{
		"urgent":        form("270", KindClaim, "claim", 48*hour, "271").Clocks,
		"election-core": form("270", KindClaim, "claim", dayL, "271").Clocks,
	}
	for p, c := range claim.ByCode["election-core"] {
		c.Interim = 12 * hour
		claim.ByCode["election-core"][p] = c
	}
	help := form("251", KindAssistance, "answer", 0)
	help.Followups = []Followup{{Format: "251", After: "next_report"}}
	return ByNumber(append(agreedForms(),
		form("034", KindEdition, "propose", 30*dayL, "035"), form("035", KindEdition, "answer", 0),
		form("036", KindGlossary, "enter", 30*dayL, "036", "037"), form("037", KindGlossary, "differ", 30*dayL, "036", "037"),
		form("245", KindDisclosure, "ask", 0, "246"), form("246", KindDisclosure, "answer", 0),
		form("250", KindAssistance, "ask", dayL, "251"), help, form("260", KindVulnerability, "report-flaw", 7*dayL, "260"),
		claim, form("271", KindClaim, "reply", 0), form("272", KindClaim, "question", 0, "271"), form("273", KindClaim, "close", 7*dayL, "273"),
		form("275", KindReport, "put", 7*dayL, "276"), form("276", KindReport, "answer", 0),
		form("390", KindPublication, "propose", 30*dayL, "391"), form("391", KindPublication, "answer", 0), form("440", KindStatement, "hand-over", 0, "012"),
		receipt(form("001", KindService, "open", 0)), receipt(form("002", KindService, "refuse", 0)), receipt(form("003", KindService, "receive", 0)), receipt(form("006", KindService, "disclose", 0)),
		form("004", KindAny, "dispute-time", 48*hour, "004", "012"), receipt(form("005", KindService, "policy", 0)),
		receipt(form("010", KindService, "test", 5*time.Minute, "011")), receipt(form("011", KindService, "read-back", 0)),
		receipt(form("012", KindAny, "understand", 0)), form("013", KindAny, "clarify", 0, "019", "600"), receipt(form("014", KindAny, "pass-on", 0)),
		form("015", KindService, "challenge", 5*time.Minute, "016"), receipt(form("016", KindService, "authenticate", 0)),
		receipt(form("017", KindAny, "see", 0)), form("018", KindAny, "settle-provisional", 0), form("019", KindAny, "amend", 0, "012"),
		form("020", KindService, "plan-outage", 0, "012"), form("021", KindService, "report-outage", hour, "012"), receipt(form("024", KindService, "desk", 0)),
		form("025", KindAny, "confirm-call", dayL, "025", "012"), form("026", KindService, "line-state", 0, "026"),
		form("030", KindContact, "change-contact", dayL, "012"), form("031", KindContact, "check-contact", dayL, "031"),
		form("032", KindService, "change-key", 48*hour, "012"), form("033", KindService, "report-compromise", 15*time.Minute, "012"),
		notice, form("111", KindNotice, "change", hour, "012"), form("112", KindNotice, "close", 0),
		form("202", KindAny, "extend", 0, "012"), form("210", KindIncident, "inquire", dayL, "211"), form("211", KindIncident, "answer", 0),
		incident, update, form("222", KindIncident, "state", 15*time.Minute, "012"),
		form("230", KindStop, "ask", 2*hour, "231"), form("231", KindStop, "answer", 0),
		form("240", KindTechnical, "share", 7*dayL, "241"), form("241", KindTechnical, "answer", 0),
		form("401", KindConsultation, "answer", 0), form("410", KindConsultation, "raise", 2*hour, "401"),
		form("600", KindAny, "write", 0), form("601", KindAny, "translate", 0), form("602", KindAny, "confer", 0),
	)...)
}

func edition(t testing.TB) *book.Edition {
	t.Helper()
	e, err := book.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The edition that ships says of each format what the table by hand says.
func TestEditionAgreesWithTheTable(t *testing.T) {
	hand := make(map[message.Format]Form)
	for _, f := range byHand().Forms() {
		hand[f.Format] = f
	}
	for _, f := range ByEdition(edition(t)).Forms() {
		h, ok := hand[f.Format]
		if !ok {
			t.Errorf("the edition has format %s, and the table lacks it", f.Format)
			continue
		}
		if f.Kind != h.Kind || f.Move != h.Move || len(f.Replies) != len(h.Replies) || f.Lapses != h.Lapses || len(f.Followups) != len(h.Followups) {
			t.Errorf("format %s: the edition says %s %s %v, the table %s %s %v", f.Format, f.Kind, f.Move, f.Replies, h.Kind, h.Move, h.Replies)
		}
		for p, c := range f.Clocks {
			if w := h.Clocks[p]; f.Format != "410" && f.Format != "013" && (c.Answered != w.Answered || c.Received != w.Received) {
				t.Errorf("format %s at %s: the edition's clocks are %+v, the table's %+v", f.Format, p, c, w)
			}
		}
		for code, by := range h.ByCode {
			for p, w := range by {
				if c := f.ByCode[code][p]; f.By != h.By || c.Answered != w.Answered || code == "election-core" && c.Interim != w.Interim {
					t.Errorf("format %s at %s where it says %s: the edition's clocks are %+v, the table's %+v", f.Format, p, code, c, w)
				}
			}
		}
		delete(hand, f.Format)
	}
	for n := range hand {
		t.Errorf("the table has format %s, and the edition lacks it", n)
	}
}

// No move of a dossier is without its format.
func TestNeeds(t *testing.T) {
	if missing := edition(t).Cover(Needs()).Missing; len(missing) > 0 {
		t.Errorf("missing: %v", missing)
	}
}
