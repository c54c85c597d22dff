package api_test

import (
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json/jsontext"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"

	_ "modernc.org/sqlite"
)

// trial is what is asked of one operation, and what has to come of it.
type trial struct {
	path, body string // the path below /api/v1; names in it are filled in
	act        string // what would be done; empty: it is refused
	kind       string // of the problem where it is refused
}

// everything reads all of a station that lies on its disk but the audit trail.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "store", "station.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'audit%' AND name NOT LIKE 'search%'") {
		all["table "+name] = strings.Join(column(t, db, `SELECT json_array(`+strings.Join(column(t, db, `SELECT 'quote("' || name || '")' FROM pragma_table_info('`+name+`')`), ",")+`) FROM "`+name+`"`), "\n")
	}
	for _, place := range []string{"blobs", "mark"} {
		err := filepath.WalkDir(filepath.Join(dir, place), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			all["file "+path] = identity.Sum(text).String()
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if len(all) < 10 {
		t.Fatalf("too little of the station was found: %v", slices.Collect(maps.Keys(all)))
	}
	return all
}

func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// Every operation that changes something can be tried: it is judged as ever, says
// what it would do, and changes nothing but the audit trail. An operation that is
// not tried here fails the test.
// covers P22
func TestEverythingCanBeTried(t *testing.T) {
	d := newDesk(t)
	trials := d.trials()
	before := everything(t, d.dirs[0])
	for id, o := range mutating(d) {
		tr, known := trials[id]
		if !known {
			t.Errorf("the operation %s is not tried here", id)
			continue
		}
		delete(trials, id)
		path := strings.TrimPrefix(o.path, "/api/v1")
		if tr.path != "" {
			path = tr.path
		}
		resp := d.ask(o.method, "/api/v1/dry-run"+path, tr.body)
		if tr.act == "" {
			if text, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(text), `"`+api.ProblemPrefix+tr.kind+`"`) {
				t.Errorf("%s: %s, not refused as %q: %s, %v", id, resp.Status, tr.kind, text, err)
			}
			continue
		}
		if resp.StatusCode != http.StatusOK {
			text, err := io.ReadAll(resp.Body)
			t.Errorf("%s: %s: %s, %v", id, resp.Status, text, err)
			continue
		}
		said := get[api.Tried](d, resp)
		if !said.DryRun || !slices.ContainsFunc(said.Would, func(w api.Would) bool { return w.Act == tr.act }) {
			t.Errorf("%s: it says %+v, and not that it would do %q", id, said, tr.act)
		}
		if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("%s: an answer of type %s", id, ct)
		}
	}
	for id := range trials {
		t.Errorf("there is no operation %s", id)
	}
	after := everything(t, d.dirs[0])
	for what, was := range before {
		if after[what] != was {
			t.Errorf("%s changed:\n%s\nand was\n%s", what, after[what], was)
		}
		delete(after, what)
	}
	for what := range after {
		t.Errorf("%s is new", what)
	}
	d.triedIsAudited()
}

// triedIsAudited demands that the audit trail knows what was tried from what was
// done.
func (d *desk) triedIsAudited() {
	d.t.Helper()
	lines, err := d.ends[0].AuditTrail(d.t.Context(), stationtest.Operator(), start, 1, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	tried := 0
	for _, l := range lines {
		if l.Result == "tried" {
			tried++
			if !strings.HasPrefix(l.Detail, "not done: ") {
				d.t.Errorf("a line of what was tried says %q", l.Detail)
			}
		}
	}
	if tried < 15 {
		d.t.Errorf("the audit trail has %d lines of what was tried", tried)
	}
}

type operation struct{ method, path string }

// mutating returns the operations of the document that do not only read.
func mutating(d *desk) map[string]operation {
	doc := get[struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}](d, d.ask("GET", "/api/openapi.json", ""))
	found := make(map[string]operation)
	for path, operations := range doc.Paths {
		for method, o := range operations {
			if method != "get" {
				found[o.ID] = operation{strings.ToUpper(method), path}
			}
		}
	}
	return found
}

// long: a row an operation
func (d *desk) trials() map[string]trial {
	d.t.Helper()
	other, cast := d.ends[1], d.ends[0].Cast
	stranger, err := cast.NewOfficer("ARD-99", []string{"watch"})
	if err != nil {
		d.t.Fatal(err)
	}
	third, err := stationtest.NewCast(rand.Reader, start, "cynosure.example", "CYN", cast.Card.Station)
	if err != nil {
		d.t.Fatal(err)
	}
	waits, err := d.ends[0].Submit(d.t.Context(), stationtest.Operator(), start, station.Draft{
		Line: d.line, Format: "600", Precedence: message.Routine, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: map[string]jsontext.Value{"text": jsontext.Value(`"good day"`)},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := d.ends[0].Release(d.t.Context(), stationtest.Operator(), start, waits.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	approval, err := cast.Officers[0].Sign(r.Request("releasing", "approve"))
	if err != nil {
		d.t.Fatal(err)
	}
	ask, err := d.ends[0].PeerRequest(d.t.Context(), stationtest.Operator(), other.Name(), "releasing", start.Add(time.Hour))
	if err != nil {
		d.t.Fatal(err)
	}
	confirmation, err := cast.Officers[2].Sign(ask)
	if err != nil {
		d.t.Fatal(err)
	}
	at := func(after time.Duration) string { return start.Add(after).Format(time.RFC3339) }
	b64 := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	technical := strings.Replace(d.line.String(), "notification", "technical", 1)
	zero := strings.Repeat("0", 64)
	return map[string]trial{
		"submit":           {body: draft(d.line, "good day"), act: "submit"},
		"withdraw":         {path: "/queue/" + waits.ID.String() + "/withdraw", body: `{}`, act: "withdraw"},
		"approve":          {path: "/releases/" + waits.ID.String() + "/approvals", body: string(approval.Bytes()), act: "approve"},
		"release-alone":    {path: "/releases/" + waits.ID.String() + "/alone", kind: "refused"},
		"open-line":        {body: fmt.Sprintf(`{"line":%q}`, technical), act: "line open"},
		"confirm-clock":    {act: "clock confirm"},
		"add-officer":      {body: fmt.Sprintf(`{"name":"somebody","certificate":%q}`, b64(stranger.Certificate)), act: "officer add"},
		"revoke-officer":   {path: "/officers/" + cast.Officers[2].Pseudonym + "/revoke", body: `{}`, act: "officer revoke"},
		"enrol-key":        {path: "/officers/" + cast.Officers[2].Pseudonym + "/keys", body: fmt.Sprintf(`{"certificate":%q}`, b64(cast.Officers[2].Certificate)), act: "officer key enrol"},
		"revoke-key":       {path: "/officers/" + cast.Officers[2].Pseudonym + "/keys/" + zero + "/revoke", body: `{}`, act: "officer key revoke"},
		"revoke-tokens":    {path: "/tokens/desk/revoke", body: `{}`, act: "token revoke"},
		"add-token":        {body: fmt.Sprintf(`{"token":"det_%s","actor":"x","roles":["read"],"until":%q}`, zero[:32], at(time.Hour)), act: "token add"},
		"add-peer":         {body: fmt.Sprintf(`{"root":%q,"cards":%q}`, b64(third.Bundle.Root), b64(third.Bundle.Bytes())), act: "peer add"},
		"hold-peer":        {path: "/peers/" + string(other.Name()) + "/hold", body: `{}`, act: "peer hold"},
		"remove-peer":      {path: "/peers/" + string(other.Name()) + "/remove", body: `{"reason":"dissolved"}`, act: "peer remove"},
		"resume-peer":      {path: "/peers/" + string(other.Name()) + "/resumptions", body: string(confirmation.Bytes()), kind: "refused"},
		"check-digits":     {path: "/peers/" + string(other.Name()) + "/digits", body: `{"typed":"1 2 3"}`, kind: "refused"},
		"confirm-peer":     {path: "/peers/" + string(other.Name()) + "/confirmations", body: string(confirmation.Bytes()), act: "peer confirm"},
		"add-blob":         {path: "/blobs?line=" + d.line.String(), body: `{}`, act: "blob add"},
		"set-rights":       {body: `{"rights":[]}`, act: "rights set"},
		"doctor":           {body: `{"repair":true}`, act: "doctor"},
		"backup":           {body: `{"to":"/var/backups/copy.db"}`, act: "backup"},
		"open-era":         {body: fmt.Sprintf(`{"line":%q,"reason":"choice","cards":%q}`, d.line, b64(cast.Bundle.Bytes())), kind: "internal"},
		"write-log":        {body: `{"text":"a remark","officer":"ARD-01"}`, act: "log write"},
		"log-call":         {body: d.call(), act: "log call"},
		"confirm-call":     {path: "/calls/1/confirm", body: `{}`, kind: "not-found"},
		"set-desk":         {body: fmt.Sprintf(`{"status":"unmanned","until":%q}`, at(time.Hour)), act: "submit"},
		"install-edition":  {body: `{"pack":""}`, kind: "invalid"},
		"sign-edition":     {path: "/editions/" + zero + "/signatures", body: string(approval.Bytes()), kind: "not-found"},
		"add-agreement":    {body: `{}`, kind: "invalid"},
		"set-roster":       {body: `{}`, kind: "invalid"},
		"add-leave":        {body: fmt.Sprintf(`{"officer":"ARD-01","from":%q,"to":%q}`, at(0), at(time.Hour)), kind: "not-found"},
		"add-override":     {body: fmt.Sprintf(`{"desk":"main","officers":["ARD-01"],"from":%q,"to":%q}`, at(0), at(time.Hour)), kind: "not-found"},
		"ask-swap":         {body: fmt.Sprintf(`{"first":{"officer":"ARD-01","desk":"main","begin":%[1]q},"second":{"officer":"ARD-02","desk":"main","begin":%[1]q}}`, at(0)), kind: "refused"},
		"agree-swap":       {path: "/roster/swaps/1/agree", body: `{}`, kind: "refused"},
		"propose-handover": {body: `{"desk":"main","out":["ARD-01"],"in":["ARD-02"]}`, act: "handover propose"},
		"sign-handover":    {path: "/handovers/" + zero[:32] + "/signatures", body: string(approval.Bytes()), kind: "not-found"},
		"import-contacts":  {body: `{"form":"vcard","text":"x"}`, kind: "invalid"},
		"set-contact":      {body: `{}`, kind: "invalid"},
		"withdraw-contact": {path: "/contacts/none/withdraw", body: `{}`, kind: "not-found"},
		"ping-contact":     {body: fmt.Sprintf(`{"owner":%q,"entry":"none"}`, other.Name()), kind: "not-found"},
		"add-custody":      {path: "/evidence/" + zero + "/custody", body: `{"act":"examined"}`, kind: "not-found"},
		// A station that keeps no watch has neither alarms nor outlets.
		"acknowledge-alarm": {body: `{"kind":"line-down"}`, kind: "conflict"},
		"silence-alarm":     {body: `{"kind":"line-down","seconds":60}`, kind: "conflict"},
		"test-outlet":       {path: "/outlets/horn/test", kind: "not-found"},
		"print":             {path: "/messages/" + zero[:32] + "/print", body: `{"outlet":"paper"}`, kind: "not-found"},
	}
}

// What only reads is asked and not tried, and what was never signed in for is not
// tried either.
func TestTryingReads(t *testing.T) {
	d := newDesk(t)
	d.refused(d.ask("GET", "/api/v1/dry-run/peers", ""), http.StatusMethodNotAllowed, "bad-request")
	d.token = readerToken
	d.refused(d.ask("POST", "/api/v1/dry-run/peers/"+string(d.ends[1].Name())+"/hold", "{}"), http.StatusForbidden, "refused")
	d.token = ""
	d.refused(d.ask("POST", "/api/v1/dry-run/peers/"+string(d.ends[1].Name())+"/hold", "{}"), http.StatusUnauthorized, "not-signed-in")
	if p := get[[]api.Peer](d, d.as(operatorToken).ask("GET", "/api/v1/peers", "")); len(p) != 1 || p[0].State == station.PeerStopped {
		t.Errorf("%+v", p)
	}
}

func (d *desk) as(token string) *desk {
	d.token = token
	return d
}

func (d *desk) call() string {
	return fmt.Sprintf(`{"caller":%q,"called":%q,"officer":"ARD-01","officers":["ARD-01"],"other":"the duty officer","agreed":["nothing moves before noon"],"bearer":"voice","from":%q,"to":%q}`, d.ends[0].Name(), d.ends[1].Name(), start.Format(time.RFC3339), start.Add(time.Minute).Format(time.RFC3339))
}
