package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"detente/station"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// clockSources are the sources of time as they were read last.
type clockSources struct{ list atomic.Pointer[[]timeSource] }

func (c *clockSources) take(list []timeSource) { c.list.Store(&list) }

// all returns them as a runner asks them.
func (c *clockSources) all() []station.TimeSource {
	var all []station.TimeSource
	for _, t := range *c.list.Load() {
		all = append(all, t)
	}
	return all
}

// hangups reads the settings anew on each SIGHUP, until ctx ends. What is wrong
// with them is logged, and those before stay.
func (s *serving) hangups(ctx context.Context, hup <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
		}
		_, told := daemon.SdNotify(false, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
		if err := s.reload(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("settings not read: those before stay", "error", err)
		}
		_, ready := daemon.SdNotify(false, daemon.SdNotifyReady)
		if err := errors.Join(told, ready); err != nil {
			s.log.Error("systemd", "error", err)
		}
	}
}

// reload takes what may change while the station runs, all of it or nothing, and
// names what holds from the next start only.
func (s *serving) reload(ctx context.Context) error {
	next, err := s.read()
	if err != nil {
		return err
	}
	if err := s.outlets.take(next.Outlets); err != nil {
		return err
	}
	if err := s.station.Reload(ctx, now(), next.Limits); err != nil {
		return errors.Join(err, s.outlets.take(s.conf.Outlets))
	}
	s.level.Set(next.Level)
	s.sources.take(next.Clock)
	var later []string
	for _, o := range options() {
		if !o.now && next.text[o.name] != s.started.text[o.name] {
			later = append(later, o.table+"."+o.key)
		}
	}
	s.conf = next
	s.log.Info("settings read", "outlets", len(next.Outlets), "clock_sources", len(next.Clock), "log_level", strings.ToLower(next.Level.String()), "from_next_start", later)
	return nil
}

// The names of sockets that systemd hands over: FileDescriptorName= of the units.
const (
	socketLine = "line"
	socketAPI  = "api"
)

// handedOver returns the listening sockets that systemd made for this process, by
// name; none where it made none. A socket of another name is refused: nobody would
// ever answer on it.
func handedOver() (map[string]net.Listener, error) {
	given, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets of systemd: %w", err)
	}
	found := make(map[string]net.Listener)
	for name, list := range given {
		if !slices.Contains([]string{socketLine, socketAPI}, name) || len(list) != 1 || list[0] == nil {
			return nil, usage("systemd hands over %d sockets named %q: there is one named %s and one named %s; set FileDescriptorName= in the socket's unit", len(list), name, socketLine, socketAPI)
		}
		found[name] = list[0]
	}
	return found, nil
}
