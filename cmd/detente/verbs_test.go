package main

import (
	"encoding/json/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/station"
)

// verbs are the station's verbs, as its API and the commands name them. An
// operation or command may stand in several rows; a dash says that one is
// reached by another's.
const verbs = `
	AddAgreement  add-agreement  agreement add
	Agreements    agreements     agreement list
	AgreementState agreement-state agreement status
	AgreementState agreement-state agreement owed
	ExplainObligation explain-obligation agreement explain
	Editions      editions       book editions
	InstallEdition install-edition book install
	EditionRequest edition-request book sign
	SignEdition   sign-edition   book sign
	Edition       edition        book get
	AddBlob       add-blob       blob add
	AddBlob       add-blob       evidence add
	AddBlob       add-blob       incident evidence add
	AddCustody    add-custody    evidence note
	Custody       custody        evidence custody
	AttachedTo    attached       evidence attached
	Commitments   commitments    evidence commitments
	MatchFeedback match-feedback evidence match
	ReadBundle    bundle         evidence show
	ReadBundle    indicators     evidence indicators
	Rights        rights         token rights
	Search        search         msg search
	Search        search         msg list
	SetRights     set-rights     token restrict
	Submit        submit         evidence feedback
	AddOfficer    add-officer    officer add
	AddPeer       add-peer       peer add
	AddToken      add-token      token add
	Approve       approve        release approve
	Approve       approve        release reject
	AuditTrail    audit          audit list
	Backup        backup         station backup
	CheckDigits   check-digits   peer digits
	ConfirmClock  confirm-clock  station clock
	ConfirmPeer   confirm-peer   peer confirm
	Doctor        doctor         station doctor
	Mend          doctor         station doctor
	EventsAfter   stream         msg tail
	Evidences     evidence       evidence list
	Evidences     evidence       evidence export
	Export        export         record export
	Export        export         record publish
	Redact        redact         record redact
	Digits        digits         peer digits
	Export        export         msg export
	HoldPeer      hold-peer      peer hold
	RemovePeer    remove-peer    peer remove
	ResumePeer    resume-peer    peer resume
	ResumeRequest resumption     peer resume
	LastEvent     stream         msg tail
	ListBlobs     blobs          blob list
	Lines         lines          line list
	Lines         lines          line show
	Lines         lines          station status
	List          list           msg list
	Matter        matter         matter show
	Matter        matter         incident show
	Matter        matter         claim show
	Matter        matter         report show
	Matters       matters        matter list
	Matters       matters        incident list
	Matters       matters        claim list
	Matters       matters        report list
	Pack          pack           consultation pack
	Consultations consultations  consultation list
	Programme     programme      programme list
	Programme     programme      programme show
	Programme     programme      programme overdue
	Programme     programme      programme review
	Negotiations  negotiations   treaty list
	Negotiations  negotiations   treaty show
	Redline       redline        treaty redline
	Obligations   obligations    obligations
	Officers      officers       officer list
	OfficerKeys   officer-keys   officer key list
	EnrolKey      enrol-key      officer key enrol
	RevokeKey     revoke-key     officer key revoke
	NextLog       open-era       era open
	OpenEra       open-era       era open
	OpenLine      open-line      line open
	Outgoing      queued         msg wait
	Peers         peers          peer list
	PeerRequest   confirmation   peer confirm
	Peers         peers          peer show
	Queue         queue          msg queue
	Queue         queue          release list
	ReadBlob      get-blob       blob get
	ReadEntry     entry          msg entry
	ReadMessage   show           msg show
	ReadMessage   show           msg render
	Peek          peek           msg wait
	PrintMessage  print          msg print
	Release       release        release show
	ReleaseAlone  release-alone  release alone
	RevokeOfficer revoke-officer officer revoke
	RevokeTokens  revoke-tokens  token revoke
	Tokens        tokens         token list
	ShowBlob      blob           blob show
	Submit        submit         claim make
	Submit        submit         claim reply
	Submit        submit         report answer
	Submit        submit         msg send
	Submit        submit         msg ack
	Submit        submit         msg answer
	Submit        submit         line test
	Submit        submit         line maintain
	EventsAfter   stream         line watch
	Submit        submit         peer challenge
	Submit        submit         peer authenticate
	Challenge     challenge      peer authenticate
	Challenge     challenge      peer challenged
	Alarms        alarms         alarm list
	AcknowledgeAlarm acknowledge-alarm alarm ack
	SilenceAlarm  silence-alarm  alarm silence
	Outlets       outlets        alarm outlet list
	TestOutlet    test-outlet    alarm test
	LineHistory   line-history   line history
	LineHistory   line-history   line stats
	Submit        submit         policy change
	State         state          line state
	StateFile     state-file     record state
	Tension       tension        tension
	Withdraw      withdraw       msg withdraw
	Whole         state          line state
	AddLeave      add-leave      roster leave
	AddOverride   add-override   roster override
	AgreeSwap     agree-swap     roster agree
	AskSwap       ask-swap       roster swap
	CheckLog      check-log      log check
	ConfirmCall   confirm-call   log confirm
	Contacts      contacts       contact list
	Desks         desk           desk show
	ExportContacts export-contacts contact export
	Handover      handover       handover show
	HandoverSheet handover-sheet handover show
	Handovers     handovers      handover list
	ImportContacts import-contacts contact import
	Log           log            log list
	Log           log            log export
	LogCall       log-call       log call
	PingContact   ping-contact   contact ping
	ProposeHandover propose-handover handover propose
	Risks         risks          roster risks
	Roster        roster         roster show
	SetContact    set-contact    contact set
	SetContact    withdraw-contact contact withdraw
	SetDesk       set-desk       desk set
	SetRoster     set-roster     roster set
	SignHandover  sign-handover  handover sign
	UnconfirmedCalls unconfirmed-calls log calls
	WatchNow      watch          watch
	WriteLog      write-log      log write`

// offline are the commands that need no station, or run one.
var offline = strings.Fields(`agreement/check agreement/hash agreement/model alarm/outlet/add alarm/outlet/remove book/check book/diff book/lint book/packs book/list book/parse book/print book/propose book/render book/search book/show completion config/check config/init config/show evidence/check evidence/commit evidence/disclose evidence/verify man
	msg/compose officer/certify party/agency party/endorse party/init policy/show policy/test record/head record/prove record/show record/verify
	station/card station/init station/restore station/rotate station/serve station/version treaty/check version`)

// Every verb of a station is reached by its API and by a command, and neither
// has one that the other lacks.
func TestSameVerbs(t *testing.T) {
	operations := operations(t)
	commands := leaves(t)
	seen := make(map[string]bool)
	for line := range strings.Lines(strings.TrimSpace(verbs)) {
		f := strings.Fields(line)
		command := strings.Join(f[2:], " ")
		if !operations[f[1]] {
			t.Errorf("the API has no operation %s", f[1])
		}
		if commands[command] == nil {
			t.Errorf("there is no command %s", command)
		}
		seen["verb "+f[0]], seen["operation "+f[1]], seen["command "+command] = true, true, true
	}
	for o := range operations {
		if !seen["operation "+o] {
			t.Errorf("the operation %s has no command", o)
		}
	}
	for _, c := range offline {
		seen["command "+strings.ReplaceAll(c, "/", " ")] = true
	}
	for c := range commands {
		if !seen["command "+c] {
			t.Errorf("the command %s has no operation", c)
		}
	}
	actor := reflect.TypeFor[station.Actor]()
	typ := reflect.TypeFor[*station.Station]()
	for m := range typ.Methods() {
		acts := false
		for in := range m.Type.Ins() {
			acts = acts || in == actor
		}
		if acts && !seen["verb "+m.Name] {
			t.Errorf("the verb %s is reached by no command", m.Name)
		}
	}
}

// operations returns the ids of the API's operations, from its own document.
func operations(t *testing.T) map[string]bool {
	t.Helper()
	s := &api.Server{Station: nil, Now: time.Now}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, path := range doc.Paths {
		for _, o := range path {
			found[o.ID] = true
		}
	}
	if len(found) < 30 {
		t.Fatalf("%d operations", len(found))
	}
	return found
}
