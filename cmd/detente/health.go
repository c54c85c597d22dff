package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"detente/api"
	"detente/line"
	"detente/message"
	"detente/station"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// itself looks at its own state for health and metrics.
var itself = station.Actor{Name: "station", Roles: []string{station.RoleRead, station.RoleOperator}}

// calls is what callers on the station's machine reach: the API, and, without a
// token, whether the station is alive and ready, and its metrics.
func (s *serving) calls() http.Handler {
	mux := http.NewServeMux()
	server := &api.Server{Station: s.station, Now: now, Version: version(), Keeper: s}
	mux.Handle("/api/", server.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { answerHealth(w, s.alive(r.Context())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answerHealth(w, s.ready(r.Context())) })
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &lineMetrics{s.station})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

func answerHealth(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, "%v\n", err) // the caller is gone where this fails
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// aliveWithin is how long the store may take to answer.
const aliveWithin = 5 * time.Second

// alive returns an error unless the store answers.
func (s *serving) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	_, err := s.station.Lines(ctx, itself)
	return err
}

// ready returns an error that names the first line that may not sign or does
// not deliver.
func (s *serving) ready(ctx context.Context) error {
	lines, err := s.station.Lines(ctx, itself)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Guard != "" {
			return fmt.Errorf("%s: guard: %s", l.Line.Line, l.Guard)
		}
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
	metricAlarm  = prometheus.NewDesc("detente_line_alarm", "1 while an alarm stands on the line.", []string{"line", "alarm"}, nil)
)

// Describe implements prometheus.Collector.
func (m *lineMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricSize, metricSigned, metricQueue, metricGuard, metricHeard, metricAlarm} {
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
	for _, l := range lines {
		name := l.Line.Line.String()
		gauge(metricSize, float64(l.Own.Size), name, "own")
		gauge(metricSigned, float64(l.Own.Cosigned), name, "own")
		gauge(metricSize, float64(l.Theirs.Size), name, "theirs")
		gauge(metricSigned, float64(l.Theirs.Cosigned), name, "theirs")
		for p := message.Routine; p <= message.Flash; p++ {
			gauge(metricQueue, float64(l.Waiting[p]), name, "waiting", p.String())
			gauge(metricQueue, float64(l.Awaiting[p]), name, "awaiting", p.String())
		}
		passed := 0.0
		if l.Guard == "" {
			passed = 1
		}
		gauge(metricGuard, passed, name)
		if !l.Heard.IsZero() {
			gauge(metricHeard, float64(l.Heard.Unix()), name)
		}
		for _, a := range line.AllAlarms() {
			on := 0.0
			if l.Alarms&a != 0 {
				on = 1
			}
			gauge(metricAlarm, on, name, a.String())
		}
	}
}
