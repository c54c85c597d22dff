package main

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/seal"
	"detente/station"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// itself looks at its own state for health and metrics.
var itself = station.Actor{Name: "station", Roles: []string{station.RoleRead, station.RoleOperator}}

// calls is what callers on the station's machine reach: the API, and, without a
// token, whether the station is alive and ready, its metrics and its version.
func (s *serving) calls() http.Handler {
	mux := http.NewServeMux()
	server := &api.Server{Station: s.station, Now: now, Version: version(), Keeper: s, Transport: s.road}
	mux.Handle("/api/", server.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, nil) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, s.alive(r.Context())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, s.ready(r.Context())) })
	mux.HandleFunc("GET /version", answerVersion)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &lineMetrics{s.station})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

// check is something that a station's health depends on.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // why not
}

func checked(name string, err error) check {
	if err != nil {
		return check{Name: name, Reason: err.Error()}
	}
	return check{Name: name, OK: true}
}

// answerHealth answers 200 where all checks are good, else 503 with what is not;
// with ?verbose as JSON, each check by name.
func answerHealth(w http.ResponseWriter, r *http.Request, checks []check) {
	status, word := http.StatusOK, "ok"
	var bad strings.Builder
	for _, c := range checks {
		if !c.OK {
			status, word = http.StatusServiceUnavailable, "not ok"
			fmt.Fprintf(&bad, "%s: %s\n", c.Name, c.Reason)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Query().Has("verbose") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.MarshalWrite(w, map[string]any{"status": word, "checks": slices.Concat([]check{}, checks)}, json.Deterministic(true)) // the caller is gone where this fails
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if status == http.StatusOK {
		bad.WriteString("ok\n")
	}
	_, _ = io.WriteString(w, bad.String()) // the caller is gone where this fails
}

func answerVersion(w http.ResponseWriter, _ *http.Request) {
	b, err := built()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, b, json.Deterministic(true)) // the caller is gone where this fails
}

// aliveWithin is how long the store may take to answer.
const aliveWithin = 5 * time.Second

// alive looks whether the store answers.
func (s *serving) alive(ctx context.Context) []check {
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	_, err := s.station.Lines(ctx, itself)
	return []check{checked("store", err)}
}

// ready looks whether the station may sign: that its store answers, its clock
// is safe, its card and keys hold, and the guard of every line has passed. A
// line that is down does not make a station unready: it takes drafts and
// approvals all the same.
func (s *serving) ready(ctx context.Context) []check {
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	lines, err := s.station.Lines(ctx, itself)
	list := []check{checked("store", err), checked("clock", s.station.ClockSafe(now())), checked("keys", keysHold(s.station.Own().Card, now()))}
	for _, l := range lines {
		c := check{Name: "guard " + l.Line.Line.String(), OK: l.Guard == "", Reason: l.Guard}
		list = append(list, c)
	}
	return list
}

// keysHold returns an error where a card, or its sealing keys, have run out.
func keysHold(card identity.Card, now time.Time) error {
	if !now.Before(card.To) {
		return fmt.Errorf("the card ended at %s: renew it with `detente station rotate`", card.To.UTC().Format(time.RFC3339))
	}
	if _, ok := card.SealingFor(string(seal.PeriodOf(now))); !ok {
		return fmt.Errorf("there is no sealing key for %s: make more with `detente station rotate`", seal.PeriodOf(now))
	}
	return nil
}

// lineMetrics tells the state of each line at the moment it is asked.
type lineMetrics struct{ station *station.Station }

var (
	byLog        = []string{"line", "direction"}
	metricSize   = prometheus.NewDesc("detente_log_entries", "Entries of a log that this station holds.", byLog, nil)
	metricSigned = prometheus.NewDesc("detente_log_cosigned_entries", "Entries of a log that its reader has receipted.", byLog, nil)
	metricQueue  = prometheus.NewDesc("detente_queue_messages", "Outgoing messages that are not in the log yet.", []string{"line", "state", "precedence"}, nil)
	metricGuard  = prometheus.NewDesc("detente_line_guard_passed", "1 once the station may sign on the line.", []string{"line"}, nil)
	metricHeard  = prometheus.NewDesc("detente_line_heard_timestamp_seconds", "When the counterpart was last heard; absent before.", []string{"line"}, nil)
	metricUp     = prometheus.NewDesc("detente_line_up", "1 while the line is open, the guard has passed and the counterpart is reached.", []string{"line", "peer", "class"}, nil)
	metricAsked  = prometheus.NewDesc("detente_release_pending", "Messages that await officers.", []string{"precedence"}, nil)
	metricClock  = prometheus.NewDesc("detente_clock_safe", "0 while nothing may be stamped because the clock leapt.", nil, nil)
	metricCard   = prometheus.NewDesc("detente_card_ends_timestamp_seconds", "When the station's own card ends.", nil, nil)
	metricBuild  = prometheus.NewDesc("detente_build_info", "What the program was built from; always 1.", []string{"version", "go", "book"}, nil)
	metricAlarm  = prometheus.NewDesc("detente_line_alarm", "1 while an alarm stands on the line.", []string{"line", "alarm"}, nil)
)

// Describe implements prometheus.Collector.
func (m *lineMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricSize, metricSigned, metricQueue, metricGuard, metricHeard, metricAlarm, metricUp, metricAsked, metricClock, metricCard, metricBuild, metricAlarms, metricTestAge, metricUnacked} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *lineMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), aliveWithin)
	defer cancel()
	lines, err := m.station.Lines(ctx, itself)
	if err != nil {
		out <- prometheus.NewInvalidMetric(metricSize, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	b, _ := built() // of the book nothing is told where it does not open
	gauge(metricBuild, 1, version(), b.Go, b.Book)
	gauge(metricClock, truth(m.station.ClockSafe(now()) == nil))
	gauge(metricCard, float64(m.station.Own().Card.To.Unix()))
	asked := make(map[message.Precedence]int)
	for _, l := range lines {
		collectLine(l, gauge)
		for p, n := range l.Awaiting {
			asked[p] += n
		}
	}
	for p := message.Routine; p <= message.Flash; p++ {
		gauge(metricAsked, float64(asked[p]), p.String())
	}
	if board, err := m.station.Alarms(ctx, itself); err == nil {
		alarmMetrics(m.station, board, now(), out)
	}
}

// collectLine tells the state of one line.
func collectLine(l station.LineStatus, gauge func(*prometheus.Desc, float64, ...string)) {
	name := l.Line.Line.String()
	gauge(metricUp, truth(l.Line.State == station.LineOpen && l.Guard == "" && l.Reason == ""), name, string(l.Peer), l.Line.Line.Class.String())
	gauge(metricSize, float64(l.Own.Size), name, "own")
	gauge(metricSigned, float64(l.Own.Cosigned), name, "own")
	gauge(metricSize, float64(l.Theirs.Size), name, "theirs")
	gauge(metricSigned, float64(l.Theirs.Cosigned), name, "theirs")
	for p := message.Routine; p <= message.Flash; p++ {
		gauge(metricQueue, float64(l.Waiting[p]), name, "waiting", p.String())
		gauge(metricQueue, float64(l.Awaiting[p]), name, "awaiting", p.String())
	}
	gauge(metricGuard, truth(l.Guard == ""), name)
	if !l.Heard.IsZero() {
		gauge(metricHeard, float64(l.Heard.Unix()), name)
	}
	for _, a := range line.AllAlarms() {
		gauge(metricAlarm, truth(l.Alarms&a != 0), name, a.String())
	}
}

// truth is a state as a metric.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
