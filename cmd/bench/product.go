package main

import (
	"bufio"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"detente/cmd/internal/rig"
)

// product is two stations, driven through their API.
type product struct {
	*rig.Rig
	receipts *receipts
}

// quota lets a bench say in minutes what a line says in months.
const quota = 1 << 40

func newProduct(ctx context.Context, dir string) (*product, error) {
	r, err := rig.New(ctx, "bin/detente", dir)
	if err != nil {
		return nil, err
	}
	p := &product{Rig: r}
	for _, e := range r.Ends {
		if err := e.Start(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	if err := r.Introduce(ctx, func(*rig.End, string) {}); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := r.Open(ctx, "--quota", fmt.Sprint(int64(quota))); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	p.receipts, err = follow(ctx, r.Ends[0])
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return p, nil
}

func (p *product) Close() error {
	p.receipts.close()
	return p.Rig.Close()
}

// ready is a message that one officer has approved, and the second's approval.
type ready struct {
	id       string
	approval []byte
}

// prepare submits messages of a size and lets all officers but the last one
// approve them.
func (p *product) prepare(ctx context.Context, size, messages int) ([]ready, error) {
	list := make([]ready, messages)
	text := strings.Repeat("x", size)
	if size > maxText {
		text = strings.Repeat("𠀀", size/len("𠀀")) // the longest character of UTF-8
	}
	text = text[:min(len(text), maxText*len("𠀀"))]
	_, err := inParallel(prepareAtOnce, messages, func(i int) (err error) {
		list[i], err = p.prepareOne(ctx, rig.Draft{Format: "600", Params: []string{"text=" + text}})
		return err
	})
	return list, err
}

const (
	prepareAtOnce = 16
	maxText       = 4000 // characters that format 600 takes
)

func (p *product) prepareOne(ctx context.Context, d rig.Draft) (ready, error) {
	e := p.Ends[0]
	q, err := e.Submit(ctx, d)
	if err != nil {
		return ready{}, err
	}
	a, err := e.Ask(ctx, q.ID)
	if err != nil {
		return ready{}, err
	}
	for _, o := range e.Officers[:a.Need-1] {
		approval, err := o.Sign(a)
		if err != nil {
			return ready{}, err
		}
		if _, err := e.Approve(ctx, q.ID, approval); err != nil {
			return ready{}, err
		}
	}
	approval, err := e.Officers[a.Need-1].Sign(a)
	return ready{q.ID, approval}, err
}

// measure takes the time from each message's last approval to its stored
// receipt, so many at a time.
func (p *product) measure(ctx context.Context, size, inFlight, messages int) (sample, error) {
	list, err := p.prepare(ctx, size, messages)
	if err != nil {
		return sample{}, err
	}
	return p.deliver(ctx, list, inFlight)
}

func (p *product) deliver(ctx context.Context, list []ready, inFlight int) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	s, err := inParallel(inFlight, len(list), func(i int) error {
		arrived := p.receipts.await(list[i].id)
		if _, err := p.Ends[0].Approve(ctx, list[i].id, list[i].approval); err != nil {
			return err
		}
		select {
		case <-arrived:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-p.receipts.ended:
			return errors.New("the stream of events broke off")
		}
	})
	if err != nil {
		return s, err
	}
	after, err := p.cpu()
	s.cpu = after - before
	return s, err
}

// tick is the unit of processor time in /proc: a hundredth of a second on all
// architectures that Go knows (proc(5), USER_HZ).
const tick = 10 * time.Millisecond

// cpu returns the processor time that both stations have used.
func (p *product) cpu() (total time.Duration, err error) {
	for _, e := range p.Ends {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.Pid()))
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		const utime, stime = 11, 12 // counted after the name
		for _, i := range []int{utime, stime} {
			n, err := strconv.Atoi(fields[i])
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * tick
		}
	}
	return total, nil
}

// memory returns the larger of both stations' resident bytes.
func (p *product) memory() (largest int64, err error) {
	for _, e := range p.Ends {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.Pid()))
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(text), "VmRSS:")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0, errors.New("/proc tells no VmRSS")
		}
		kib, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return 0, err
		}
		largest = max(largest, kib<<10)
	}
	return largest, nil
}

// receipts follows a station's event stream and tells when a message's receipt
// is stored.
type receipts struct {
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex // guards the fields below
	waiting map[string]chan struct{}
	ids     map[string]string // by citation
}

func follow(ctx context.Context, e *rig.End) (*receipts, error) {
	ctx, cancel := context.WithCancel(ctx)
	body, err := e.Stream(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	r := &receipts{cancel: cancel, ended: make(chan struct{}), waiting: make(map[string]chan struct{}), ids: make(map[string]string)}
	go func() {
		defer close(r.ended)
		defer body.Close()
		lines := bufio.NewScanner(body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				r.take(data)
			}
		}
	}()
	return r, nil
}

func (r *receipts) close() {
	r.cancel()
	<-r.ended
}

func (r *receipts) await(id string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	ch := make(chan struct{})
	r.waiting[id] = ch
	return ch
}

func (r *receipts) take(data string) {
	var e struct{ Kind, Ref, Text string }
	if json.Unmarshal([]byte(data), &e, json.MatchCaseInsensitiveNames(true)) != nil {
		return // a heartbeat
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case "message":
		if id, ok := strings.CutPrefix(e.Text, "appended, message "); ok {
			r.ids[e.Ref] = id
		}
	case "receipt":
		id := r.ids[e.Ref]
		delete(r.ids, e.Ref)
		if ch, ok := r.waiting[id]; ok {
			close(ch)
			delete(r.waiting, id)
		}
	}
}
