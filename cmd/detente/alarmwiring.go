package main

import (
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"

	"github.com/prometheus/client_golang/prometheus"
)

// watchOf returns how a station keeps watch, by its settings.
func watchOf(conf config, e *book.Edition, dir string) (*station.Watch, *outlets, error) {
	o, err := openOutlets(identity.Station(conf.Station), e, conf.Outlets)
	if err != nil {
		return nil, nil, err
	}
	return &station.Watch{Tests: true, Digests: true, Disk: diskOf(dir), Outlets: o}, o, nil
}

var (
	metricAlarms  = prometheus.NewDesc("detente_alarms", "Alarms that stand.", []string{"level"}, nil)
	metricTestAge = prometheus.NewDesc("detente_line_test_age_seconds", "Since the last line test that was answered; absent before.", []string{"line"}, nil)
	metricUnacked = prometheus.NewDesc("detente_inbox_unacked", "Urgent messages that no person has acknowledged.", []string{"precedence"}, nil)
)

// alarmMetrics tells how the alarms stand at the moment it is asked.
func alarmMetrics(s *station.Station, b station.AlarmBoard, at time.Time, out chan<- prometheus.Metric) {
	levels := make(map[message.Precedence]int)
	for _, g := range b.Groups {
		levels[g.Level] += g.Count
	}
	for p := message.Routine; p <= message.Flash; p++ {
		out <- prometheus.MustNewConstMetric(metricAlarms, prometheus.GaugeValue, float64(levels[p]), p.String())
	}
	for _, p := range []message.Precedence{message.Immediate, message.Flash} {
		out <- prometheus.MustNewConstMetric(metricUnacked, prometheus.GaugeValue, float64(b.Unacked[p]), p.String())
	}
	for _, l := range s.LineNames() {
		if last, ok := b.LastTest[l]; ok {
			out <- prometheus.MustNewConstMetric(metricTestAge, prometheus.GaugeValue, at.Sub(last).Seconds(), l.String())
		}
	}
}
