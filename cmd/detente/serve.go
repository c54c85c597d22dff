package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"detente/api"
	"detente/book"
	"detente/identity"
	"detente/line"
	"detente/station"
	"detente/store"

	"github.com/coreos/go-systemd/v22/daemon"
)

// serving is a running station and what it stands on.
type serving struct {
	dir     string
	secrets *secretFlags
	read    func() (config, error) // reads the settings anew
	started config                 // the settings at the start
	conf    config                 // as they were read last; used by one goroutine at a time
	level   *slog.LevelVar
	log     *slog.Logger
	outlets *outlets
	sources clockSources
	store   *store.Store
	station *station.Station
	tls     tls.Certificate
	road    line.Transport // to counterparts, once it runs
}

// serve runs a station until ctx ends. Whatever ends it, and when, what was
// acknowledged stays.
func (a *app) serve(ctx context.Context, secrets *secretFlags) error {
	if a.data == "" {
		return usage("--data is missing: the station's data directory")
	}
	s := &serving{dir: a.data, secrets: secrets, read: a.readConfig, level: new(slog.LevelVar)}
	s.log = slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: s.level}))
	var err error
	if s.conf, err = s.read(); err != nil {
		return err
	}
	s.started = s.conf
	s.level.Set(s.conf.Level)
	s.sources.take(s.conf.Clock)
	given, err := handedOver()
	if err != nil {
		return err
	}
	lines := given[socketLine]
	if lines == nil {
		if lines, err = net.Listen("tcp", s.conf.Listen); err != nil {
			return fmt.Errorf("listen for counterparts: %w", err)
		}
	}
	defer lines.Close()
	calls, err := listenAPI(given[socketAPI], s.conf.API)
	if err != nil {
		return err
	}
	defer calls.Close()
	spareMemory()
	if err := s.open(ctx); err != nil {
		return err
	}
	return errors.Join(s.run(ctx, lines, calls), s.station.Close(now()))
}

// gcPercent and gcLimit trade memory, of which a station uses little, for the
// time of the garbage collector: below the limit it runs rarely, near it as
// often as it must.
const (
	gcPercent = 400
	gcLimit   = 56 << 20
)

// spareMemory sets the garbage collector for a station, unless the operator has
// set it by Go's own variables.
func spareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcLimit)
	}
}

// listenAPI listens for callers of the API. Their tokens go in clear, so only a
// loopback address will do. A socket that is handed over goes before the address.
func listenAPI(l net.Listener, address string) (net.Listener, error) {
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", address); err != nil {
			return nil, fmt.Errorf("listen for the API: %w", err)
		}
	}
	if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		return nil, errors.Join(usage("api: %s is no loopback address: the API speaks plain HTTP; put a TLS proxy of your own before it", l.Addr()), l.Close())
	}
	return l, nil
}

// open opens keys, cards, store and station.
func (s *serving) open(ctx context.Context) error {
	file, err := s.secrets.openKeys(s.dir)
	if err != nil {
		return err
	}
	keys, err := file.keys()
	if err != nil {
		return err
	}
	bundle, root, err := readBundle(filepath.Join(s.dir, cardsName))
	if err != nil {
		return noCards(err)
	}
	if s.tls, err = tlsCertificate(file.TLS, identity.Station(s.conf.Station)); err != nil {
		return err
	}
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	blobs, err := store.OpenBlobDir(filepath.Join(s.dir, blobsName))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.conf.Mark), 0o700); err != nil {
		return err
	}
	watching, outlets, err := watchOf(s.conf, edition, s.dir)
	if err != nil {
		return err
	}
	s.outlets = outlets
	s.station, err = station.New(ctx, now(), station.Config{
		Root: root, Bundle: bundle, Keys: keys, Book: edition, Mark: line.NewMarkFile(s.conf.Mark), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(seed(), seed())), Watch: watching, Limits: s.conf.Limits,
	}, func(f station.Finish) (station.Store, error) {
		var err error
		s.store, err = store.Open(ctx, filepath.Join(s.dir, storeName), store.Options{Finish: f})
		return s.store, err
	})
	if err != nil {
		return err
	}
	return errors.Join(s.station.KeepBook(ctx, now(), book.EmbeddedPack), s.admitOperator(ctx))
}

// seed is a random start for the jitter of waits, which is no secret.
func seed() uint64 { return mathrand.Uint64() }

// tokenFor is how long the operator's token, in the data directory, holds.
const tokenFor = 90 * 24 * time.Hour

// admitOperator lets in whoever can read the data directory.
func (s *serving) admitOperator(ctx context.Context) error {
	token, err := readToken(filepath.Join(s.dir, tokenName))
	if err != nil {
		return err
	}
	self := station.Actor{Name: "station", Roles: []string{station.RoleOperator}}
	as := station.Actor{Name: "operator", Roles: []string{station.RoleOperator, station.RoleDraft, station.RoleRead, station.RoleAudit, station.RoleWatch}}
	return s.station.AddToken(ctx, self, now(), token, as, now().Add(tokenFor))
}

// stopWithin is how long requests under way may take once the station stops.
const stopWithin = 5 * time.Second

// run serves until ctx ends or something fails.
func (s *serving) run(ctx context.Context, lines, calls net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := line.NewClient(line.ClientOptions{Certificate: line.Always(s.tls), Peer: s.peer, Now: now})
	defer client.Close()
	s.road = client
	handler := line.Handler(station.At(s.station, now), line.Options{Trusted: s.station.Trusted, Now: now, Origin: s.station.OriginOf})
	toPeers := line.Server(handler, line.ServerTLS(line.Always(s.tls), s.station.Trusted, now), slog.NewLogLogger(s.log.Handler(), slog.LevelInfo))
	toCallers := &http.Server{Handler: s.calls(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	runner := &station.Runner{Station: s.station, Transport: client, Now: now, Log: s.log, Times: s.sources.all}

	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // before systemd hears that the station is up
	defer signal.Stop(hup)
	var wg sync.WaitGroup
	failed := make(chan error, 5)
	start := func(what string, do func() error) {
		wg.Go(func() {
			if err := do(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", what, err)
			}
		})
	}
	start("counterparts", func() error { return toPeers.ServeTLS(lines, "", "") })
	start("API", func() error { return toCallers.Serve(calls) })
	start("lines", func() error { return runner.Run(ctx) })
	start("systemd", func() error { return s.watchdog(ctx) })
	start("settings", func() error { return s.hangups(ctx, hup) })
	s.log.Info("station started", "station", s.conf.Station, "listen", lines.Addr().String(), "api", calls.Addr().String(), "version", version())

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	within, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	_ = toPeers.Shutdown(within) // what has not ended by then is cut off, and tried again by the other side
	_ = toCallers.Shutdown(within)
	err = errors.Join(err, closed(toPeers.Close()), closed(toCallers.Close()))
	wg.Wait()
	s.log.Info("station stopped")
	return err
}

// closed drops the error of a listener that was closed before.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *serving) peer(name identity.Station) (line.Peer, bool) {
	endpoints := s.station.EndpointsOf(name)
	return line.Peer{Endpoints: endpoints, Trusted: func(spki identity.Digest, at time.Time) bool {
		whose, ok := s.station.Trusted(spki, at)
		return ok && whose == name
	}}, endpoints != nil
}

// watchdog tells systemd that the station is up, and then that it is alive, for
// as long as its store answers.
func (s *serving) watchdog(ctx context.Context) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return err
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return err
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_, err := daemon.SdNotify(false, daemon.SdNotifyStopping)
			return err
		case <-tick.C:
		}
		if store := s.alive(ctx)[0]; !store.OK {
			s.log.Error("not alive", "error", store.Reason)
			continue
		}
		if _, err := daemon.SdNotify(false, daemon.SdNotifyWatchdog); err != nil {
			return err
		}
	}
}

// LogKey implements api.Keeper.
func (s *serving) LogKey(o identity.Origin) (identity.PrivateKey, error) {
	file, err := s.secrets.openKeys(s.dir)
	if err != nil {
		return identity.PrivateKey{}, err
	}
	keys, err := file.keys()
	if err != nil {
		return identity.PrivateKey{}, err
	}
	key, ok := keys.Logs[o]
	if !ok {
		return key, fmt.Errorf("%w: there is no key for the log %s: make it with `detente station card --era`", station.ErrRefused, o)
	}
	return key, nil
}

// PutCards implements api.Keeper.
func (s *serving) PutCards(b identity.Bundle) error {
	return writeFile(filepath.Join(s.dir, cardsName), b.Bytes(), 0o644)
}

// Backup implements api.Keeper.
func (s *serving) Backup(ctx context.Context, to string) error { return s.store.Backup(ctx, to) }

var _ api.Keeper = (*serving)(nil)
