package watch_test

import (
	"bytes"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

func contact(owner identity.Station, entry, role, key string) watch.Contact {
	return watch.Contact{
		Owner: owner, Entry: entry, Role: role, Body: "Boreal Incident Response Team", Languages: []book.Lang{"ru", "en"}, Hours: []string{"Mo-Fr 06:00-18:00"},
		Channels: []string{"tel:+99950100", "email:desk@cert.boreal.example"}, Key: key, Purpose: "seal", From: monday, To: monday.AddDate(2, 0, 0),
	}
}

// sayContact is the message of format 030 for a contact.
func sayContact(c watch.Contact, when time.Time) watch.Said {
	s := said(c.Owner, "030", when, nil)
	s.Body.Params = c.Params()
	sum := identity.Sum(watch.ExportContacts([]watch.Contact{c}))
	s.Body.ID = message.ID(sum[:16])
	return s
}

func text(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func ping(from identity.Station, role, entry string, when time.Time) watch.Said {
	p := map[string]string{"step": `"ping"`, "roster_version": `"7"`, "role": text(role)}
	if entry != "" {
		p["entry"] = text(entry)
	}
	return said(from, "031", when, p)
}

func pong(to watch.Said, from identity.Station, role, entry, reached string, when time.Time) watch.Said {
	p := map[string]string{"step": `"answer"`, "roster_version": `"7"`, "role": text(role), "reached": text(reached)}
	if entry != "" {
		p["entry"] = text(entry)
	}
	return said(from, "031", when, p, to.Body.ID)
}

// checkDirectory checks what always holds, and that a directory is a function
// of the record (P10).
func checkDirectory(t *testing.T, record []watch.Said) watch.Directory {
	t.Helper()
	d := watch.FoldDirectory(record)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	again := watch.FoldDirectory(slices.Clone(record))
	if !bytes.Equal(watch.ExportContacts(d.Contacts()), watch.ExportContacts(again.Contacts())) {
		t.Fatal("two folds of one record differ")
	}
	return d
}

func TestAYearOfTheDirectory(t *testing.T) {
	day := func(n int) time.Time { return monday.AddDate(0, 0, n) }
	first := contact(boreal, "BOR-C-001", "technical", "bor-key-1")
	second := contact(boreal, "BOR-C-002", "technical", "bor-key-1") // takes its key with it
	second.Replaces = "BOR-C-001"
	second.From, second.To = day(30), day(300)
	p1, p2 := ping(arden, "technical", "", day(2)), ping(arden, "technical", "BOR-C-002", day(40))
	record := []watch.Said{
		sayContact(first, day(0)), sayContact(contact(arden, "ARD-C-001", "watch", "ard-key-1"), day(0)),
		p1, pong(p1, boreal, "technical", "", "yes", day(2).Add(time.Hour)),
		sayContact(second, day(20)),
		p2, pong(p2, boreal, "technical", "BOR-C-002", "no", day(40).Add(time.Hour)),
	}
	check := func(upTo int, entry string, when time.Time, want watch.Freshness) {
		t.Helper()
		d := checkDirectory(t, record[:upTo])
		for _, l := range d.Listings {
			if f, since, until := l.Freshness(when); l.Entry == entry && (f != want || since.After(when) || !until.IsZero() && !until.After(when)) {
				t.Errorf("%s on %s: %s since %s until %s, want %s", entry, when.Format(time.DateOnly), f, since, until, want)
			}
		}
		if len(d.Refusals) > 0 {
			t.Errorf("refused: %+v", d.Refusals)
		}
	}
	check(1, "BOR-C-001", day(1), watch.NeverAsked)
	check(3, "BOR-C-001", day(2).Add(time.Hour), watch.AskedNow)
	check(3, "BOR-C-001", day(3), watch.Unanswered)
	check(4, "BOR-C-001", day(3), watch.Fresh)
	check(4, "BOR-C-001", at("2027-05-25T00:59:59Z"), watch.Fresh) // six months to the second
	check(4, "BOR-C-001", at("2027-05-25T01:00:00Z"), watch.Stale)
	check(5, "BOR-C-001", day(29), watch.Fresh) // until the other one is valid
	check(5, "BOR-C-001", day(30), watch.Superseded)
	check(5, "BOR-C-002", day(29), watch.NotYet)
	check(7, "BOR-C-002", day(41), watch.NotReached)
	check(7, "BOR-C-002", day(300), watch.Expired)
	d := checkDirectory(t, record)
	if got := d.Find(boreal, "technical", day(29)); len(got) != 1 || got[0].Entry != "BOR-C-001" {
		t.Errorf("the day before: found %+v", got)
	}
	if got := d.Find(boreal, "technical", day(35)); len(got) != 1 || got[0].Entry != "BOR-C-002" {
		t.Errorf("found %+v", got)
	}
	gone := said(boreal, "030", day(50), nil)
	gone.Body.Params = second.WithdrawParams()
	record = append(record, gone)
	check(8, "BOR-C-002", day(51), watch.Gone)
	if got := checkDirectory(t, record).Find(boreal, "", day(60)); len(got) != 0 {
		t.Errorf("a withdrawn contact is found: %+v", got)
	}
}

// covers P22
func TestWhatADirectoryRefuses(t *testing.T) {
	mine, theirs := contact(arden, "ARD-C-001", "watch", "ard-key"), contact(boreal, "BOR-C-001", "watch", "bor-key")
	base := []watch.Said{sayContact(mine, monday), sayContact(theirs, monday)}
	stolen := contact(boreal, "BOR-C-002", "technical", "ard-key")
	shared := contact(boreal, "BOR-C-002", "technical", "bor-key")
	heir := contact(boreal, "BOR-C-003", "watch", "ard-key")
	heir.Replaces = "BOR-C-001"
	foreign := contact(boreal, "BOR-C-004", "watch", "new-key")
	foreign.Replaces = "ARD-C-001"
	withdrawn := said(boreal, "030", monday, nil)
	withdrawn.Body.Params = stolen.WithdrawParams()
	unasked := said(boreal, "031", monday, map[string]string{"step": `"answer"`, "roster_version": `"7"`, "role": `"watch"`, "reached": `"yes"`})
	for name, c := range map[string]struct {
		said watch.Said
		want string
	}{
		"the other side's key":        {sayContact(stolen, monday), "key-of-another key ard-key is that of ARD-C-001 of nrrc.arden.example"},
		"a colleague's key":           {sayContact(shared, monday), "key-of-another"},
		"the other side's by heirdom": {sayContact(heir, monday), "key-of-another"},
		"the other side's entry":      {sayContact(foreign, monday), "no-such-entry ARD-C-001"},
		"an entry's name again":       {sayContact(theirs, monday), "entry-used BOR-C-001"},
		"withdrawn, and never there":  {withdrawn, "no-such-entry"},
		"an answer that nobody asked": {unasked, "unasked"},
		"a ping of nobody":            {ping(arden, "legal", "", monday), "no-such-entry"},
		"parameters of another":       {said(boreal, "030", monday, map[string]string{"nonce": `"00"`}), "unreadable"},
	} {
		before := checkDirectory(t, base)
		d := checkDirectory(t, append(slices.Clone(base), c.said))
		if len(d.Refusals) != 1 || !strings.HasPrefix(d.Refusals[0].Reason+" "+d.Refusals[0].Detail, c.want) {
			t.Errorf("%s: %+v, want %s", name, d.Refusals, c.want)
		}
		if !bytes.Equal(watch.ExportContacts(before.Contacts()), watch.ExportContacts(d.Contacts())) {
			t.Errorf("%s: it was refused and changed the directory", name)
		}
	}
	// A key stays its first holder's when that one is long gone.
	next := contact(boreal, "BOR-C-005", "watch", "fresh-key")
	next.Replaces = "BOR-C-001"
	back := contact(boreal, "BOR-C-006", "watch", "bor-key")
	back.Replaces = "BOR-C-005"
	d := checkDirectory(t, append(slices.Clone(base), sayContact(next, monday), sayContact(back, monday)))
	if len(d.Refusals) != 0 {
		t.Errorf("the same contact may have its old key again: %+v", d.Refusals)
	}
	d = checkDirectory(t, append(slices.Clone(base), sayContact(next, monday), sayContact(shared, monday)))
	if len(d.Refusals) != 1 {
		t.Errorf("another contact took a key that had been given up: %+v", d.Refusals)
	}
}

func book4() []watch.Contact {
	a, b := contact(boreal, "BOR-C-001", "technical", "bor-key"), contact(arden, "ARD-C-001", "leadership", "age1ard#2026")
	b.Always, b.Hours, b.Purpose, b.Replaces = true, nil, "", "ARD-C-000"
	b.Body = "Совет безопасности Ардена; второй стол, круглосуточно, с переводчиком и дежурным офицером"
	b.Channels = []string{"station:nrrc.arden.example", "tel:+99950100", "sms:+99950101", "fax:+99950102", "sip:desk@arden.example", "radio:7.123,USB;4", "email:a@arden.example"}
	b.Remarks = `Back\slash, comma; 值班台 — و`
	return []watch.Contact{a, b}
}

func TestContactsRoundTrip(t *testing.T) {
	e := edition(t)
	all := book4()
	for name, c := range map[string]struct {
		write func([]watch.Contact) []byte
		read  func(*book.Edition, []byte) ([]watch.Contact, error)
	}{"JSON": {watch.ExportContacts, watch.ParseContacts}, "vCard": {watch.ExportVCards, watch.ParseVCards}} {
		text := c.write(all)
		again, err := c.read(e, text)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(all) {
			t.Errorf("%s: %v\n%+v\n%+v", name, err, again, all)
		}
		for i := range text { // every cut is refused
			if _, err := c.read(e, text[:i]); err == nil && i > 0 && i != bytes.Index(text, []byte("END:VCARD\r\n"))+len("END:VCARD\r\n") {
				t.Errorf("%s: cut after %d bytes it is accepted", name, i)
			}
		}
	}
	for _, line := range strings.Split(string(watch.ExportVCards(all)), "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
}

func TestHostileContacts(t *testing.T) {
	e := edition(t)
	for name, c := range map[string]struct {
		spoil func([]watch.Contact) []watch.Contact
		want  string
	}{
		"twice":             {func(c []watch.Contact) []watch.Contact { return append(c, c[0]) }, "it stands twice"},
		"another's key":     {func(c []watch.Contact) []watch.Contact { c[1].Key = c[0].Key; return c }, "its key bor-key is that of BOR-C-001"},
		"no such role":      {func(c []watch.Contact) []watch.Contact { c[0].Role = "king"; return c }, "role"},
		"no languages":      {func(c []watch.Contact) []watch.Contact { c[0].Languages = nil; return c }, "languages"},
		"ends before":       {func(c []watch.Contact) []watch.Contact { c[0].To = c[0].From.Add(-time.Hour); return c }, "valid_to"},
		"hidden characters": {func(c []watch.Contact) []watch.Contact { c[0].Body = "Desk\u202egnirts"; return c }, "characters that are not seen"},
		"two lines":         {func(c []watch.Contact) []watch.Contact { c[0].Remarks = "a\r\nEND:VCARD"; return c }, "characters that are not seen"},
		"no channel":        {func(c []watch.Contact) []watch.Contact { c[0].Channels = []string{"web:x"}; return c }, "channels"},
		"too many": {func(c []watch.Contact) []watch.Contact {
			for i := range watch.MaxContacts {
				c = append(c, contact(boreal, fmt.Sprintf("X-%d", i), "watch", fmt.Sprintf("k-%d", i)))
			}
			return c
		}, "are more than 2000"},
	} {
		_, err := watch.ParseContacts(e, watch.ExportContacts(c.spoil(book4())))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	good := string(watch.ExportVCards(book4()))
	for from, to := range map[string]string{
		"VERSION:4.0": "VERSION:3.0", "ROLE:technical\r\n": "ROLE:technical\r\nPHOTO:http://192.0.2.1/a.png\r\n", "KIND:org\r\n": "", "BEGIN:VCARD\r\n": "BEGIN:VCARD\r\nBEGIN:VCARD\r\n",
		"UID:BOR-C-001\r\n": "UID:BOR-C-001\r\nUID:BOR-C-001\r\n", "\r\n": "\n", "FN:": "fn:", "tel:+99950100": `tel:+9995\010`,
	} {
		if _, err := watch.ParseVCards(e, []byte(strings.Replace(good, from, to, 1))); err == nil {
			t.Errorf("a vCard with %q in place of %q is accepted", to, from)
		}
	}
}
