package line

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/identity"
)

func (g *rig) do(r Request) (Response, *Error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	resp, err := g.client.Do(ctx, boreal, r)
	if err == nil {
		return resp, nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		g.t.Fatalf("an error of another type: %v", err)
	}
	return resp, e
}

func (g *rig) wantOK(r Request) Response {
	g.t.Helper()
	resp, err := g.do(r)
	if err != nil || !resp.OK() {
		g.t.Fatalf("%s: %v %+v", r.Op, err, resp)
	}
	return resp
}

func (g *rig) wantFault(f Fault, r Request) *Error {
	g.t.Helper()
	resp, err := g.do(r)
	if err == nil || err.Fault != f {
		g.t.Fatalf("%s: want %s, got %v and %+v", r.Op, f, err, resp)
	}
	return err
}

func requests(t testing.TB) []Request {
	bytesOf := must[[]byte](t)
	return []Request{
		{Op: OpDeliver, Origin: abLog, Body: bytesOf(FormatDelivery(delivery(2, 1, 40)))},
		{Op: OpAddCheckpoint, Origin: abLog, Body: bytesOf(AddCheckpoint{Checkpoint: checkpoint(abLog, 3, 1)}.Bytes())},
		{Op: OpAddEntries, Origin: abLog, Body: bytesOf(upload(3, 9, 1).Bytes())},
		{Op: OpAddEntries, Origin: abLog, Body: bytesOf(upload(9, 9, 0).Bytes())},
		{Op: OpHeads, Body: bytesOf(HeadsQuery{Origins: []identity.Origin{abLog}}.Bytes())},
		{Op: OpCards, Body: bytesOf(Cards{Bundle: []byte("b\n")}.Bytes())},
		{Op: OpCards},
		{Op: OpTile, Origin: abLog, Path: "checkpoint"},
		{Op: OpTile, Origin: abLog, Path: "tile/0/x001/067"},
		{Op: OpTile, Origin: abLog, Path: "tile/entries/000.p/5"},
		{Op: OpCosignatures, Origin: abLog, Offset: 7, Limit: 20, By: "nrrc.arden.example/mirror"},
		{Op: OpCosignatures, Origin: abLog},
	}
}

// covers P3: a request is the same at the other end, over the network as through
// a queue, and carries who asked. One connection serves all.
func TestRequestsArriveAsSent(t *testing.T) {
	g := loopback(t)
	for _, r := range requests(t) {
		r.Peer = merid // what a sender claims is ignored
		if resp := g.wantOK(r); string(resp.Body) != string(r.Op) || resp.Type != TypeText {
			t.Errorf("%s answered %+v", r.Op, resp)
		}
		wired := g.host.last()
		if wired.Peer != arden {
			t.Errorf("%s came from %q", r.Op, wired.Peer)
		}
		r.Peer = arden
		same(t, wired, r)
		r.Origin = wired.Origin
		Serve(t.Context(), g.host, r)
		same(t, g.host.last(), wired)
	}
	if n := g.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if int(g.heard.Load()) != len(requests(t)) {
		t.Errorf("heard %d times", g.heard.Load())
	}
}

// covers P14
func TestRequestsThatAreNone(t *testing.T) {
	g := loopback(t)
	other := Request{Op: OpTile, Origin: abLine.Log(boreal, 9), Path: "checkpoint"}
	if resp, err := g.do(other); err != nil || resp.Status != http.StatusNotFound {
		t.Errorf("an unknown log: %v %+v", err, resp)
	}
	for _, r := range []Request{
		{Op: OpDeliver, Body: []byte("x")},
		{Op: OpAddCheckpoint, Body: []byte("old x")},
		{Op: OpAddEntries, Body: []byte("x")},
	} {
		if resp, err := g.do(r); err != nil || resp.Status != http.StatusBadRequest {
			t.Errorf("%s of rubbish: %v %+v", r.Op, err, resp)
		}
		if resp := Serve(t.Context(), g.host, r); resp.Status != http.StatusBadRequest {
			t.Errorf("%s of rubbish through a queue: %+v", r.Op, resp)
		}
	}
	big := Request{Op: OpAddCheckpoint, Body: make([]byte, maxAddCheckpoint+1)}
	if resp, err := g.do(big); err != nil || resp.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large a body: %v %+v", err, resp)
	}
	if len(g.host.asked) != 0 {
		t.Errorf("the host was asked %d times", len(g.host.asked))
	}
	g.wantFault(Malformed, Request{Op: OpTile, Origin: abLog, Path: "tile/../../etc/passwd"})
	g.wantFault(Malformed, Request{Op: "steal"})
	for _, c := range []struct{ method, path string }{
		{"PUT", "/deliver"}, {"GET", "/deliver"}, {"POST", "/"}, {"GET", "/blob/x"}, {"GET", "//checkpoint"},
		{"POST", "/" + hexName(OriginHash(abLog)) + "/checkpoint"}, {"GET", "/" + hexName(OriginHash(abLog)) + "/tile/0/1"},
		{"GET", "/" + hexName(OriginHash(abLog)) + "/cosignatures?after=-1"},
	} {
		req, _ := http.NewRequest(c.method, "https://x"+c.path, nil)
		if _, err := route(c.method, req.URL, func(identity.Digest) (identity.Origin, bool) { return abLog, true }); err == nil {
			t.Errorf("%s %s was taken", c.method, c.path)
		}
	}
}

// covers P14, P18: the answers' faults.
func TestAnswersOfAllKinds(t *testing.T) {
	g := loopback(t)
	r := requests(t)[0]
	g.host.answer = func(context.Context, Request) Response {
		return Response{Status: 503, Type: TypeText, Body: []byte("quota\x1b[31m\nuntil noon\n"), RetryAfter: 1500 * time.Millisecond}
	}
	resp, err := g.do(r)
	if err != nil || resp.Status != 503 || resp.RetryAfter != 2*time.Second {
		t.Errorf("%v %+v", err, resp)
	}
	if status, ok := errors.AsType[*StatusError](resp.Err()); !ok || status.Reason != "quota?[31m?until noon" {
		t.Errorf("status error: %v", resp.Err())
	}
	g.host.answer = func(context.Context, Request) Response {
		return Response{Status: 200, Body: make([]byte, maxAnswer[OpDeliver]+1)}
	}
	g.wantFault(Malformed, r)
	g.host.answer = func(context.Context, Request) Response { panic(http.ErrAbortHandler) }
	if e := g.wantFault(Unreachable, r); !e.Sent {
		t.Error("a request that broke off may have arrived")
	}
	g.host.answer = echo
	g.wantOK(r)
}

// covers P18: both ends are pinned, and each refusal says who presented what.
func TestKeysArePinned(t *testing.T) {
	g := loopback(t)
	r := requests(t)[0]
	g.wantOK(r)
	// The server's key changes on the same address, unannounced.
	rogue := newCert(t, boreal)
	g.mu.Lock()
	honest := g.serverCert
	g.serverCert = rogue
	g.mu.Unlock()
	g.client.Forget(boreal)
	asked := len(g.host.asked)
	e := g.wantFault(Refused, r)
	if e.Presented != pinOf(t, rogue) || e.Sent || len(g.host.asked) != asked || !strings.Contains(e.Error(), e.Presented.String()) {
		t.Errorf("%+v: %v", e, e)
	}
	// Its card lists the key now.
	g.pin(boreal, rogue)
	g.wantOK(r)
	// And lists it no more, while the connection stands.
	g.pin(boreal, honest)
	if e := g.wantFault(Refused, r); e.Presented != pinOf(t, rogue) {
		t.Errorf("%+v", e)
	}
	g.mu.Lock()
	g.serverCert = honest
	g.mu.Unlock()
	g.wantOK(r)
	// The client's key is taken back while the connection stands.
	g.pin(arden, newCert(t, arden))
	if resp, err := g.do(r); err != nil || resp.Status != http.StatusForbidden {
		t.Errorf("a key taken back: %v %+v", err, resp)
	}
	g.client.Forget(boreal)
	if e := g.wantFault(Refused, r); e.Presented != (identity.Digest{}) || e.Sent {
		t.Errorf("%+v", e)
	}
	if _, err := g.client.Do(t.Context(), merid, r); err == nil {
		t.Error("a station that is not known was asked")
	}
}

// Ed25519 keys serve as well, and no other version, exchange or protocol does.
func TestTLSIsWhatItMustBe(t *testing.T) {
	g := loopback(t)
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	g.mu.Lock()
	g.clientCert = must[tls.Certificate](t)(SelfSigned(key, arden, start, start.AddDate(1, 0, 0)))
	c := g.clientCert
	g.mu.Unlock()
	g.pin(arden, c)
	g.wantOK(requests(t)[0])
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":          func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
		"X25519 alone":     func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} },
		"no certificate":   func(c *tls.Config) { c.GetClientCertificate = nil },
		"another protocol": func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} },
	} {
		conf := ClientTLS(Always(c), func(identity.Digest, time.Time) bool { return true }, time.Now)
		conf.VerifyConnection = nil
		change(conf)
		conn, err := tls.Dial("tcp", strings.TrimPrefix(g.endpoint, "https://"), conf)
		if err != nil {
			continue
		}
		// In TLS 1.3 a refusal of the certificate comes after our handshake. Who
		// is let in hears the first frame of HTTP/2.
		heard, err := io.ReadAll(io.LimitReader(conn, 1))
		if conn.Close(); err == nil || len(heard) > 0 {
			t.Errorf("%s was let in", name)
		}
	}
}

func TestEndpointsAreTriedInTurn(t *testing.T) {
	g := loopback(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	p := g.peers[boreal]
	p.Endpoints = []string{"https://" + dead.Addr().String(), g.endpoint}
	g.peers[boreal] = p
	g.wantOK(requests(t)[0])
	p.Endpoints = p.Endpoints[:1]
	g.peers[boreal] = p
	if e := g.wantFault(Unreachable, requests(t)[0]); e.Sent || e.Endpoint != p.Endpoints[0] {
		t.Errorf("%+v", e)
	}
	p.Endpoints = []string{"http://" + dead.Addr().String()}
	g.peers[boreal] = p
	g.wantFault(Unreachable, requests(t)[0])
}

// covers P14: an upload of any length is taken package by package, packed or
// not, and what came before it broke off is kept.
func TestUploadsArriveInParts(t *testing.T) {
	g := loopback(t)
	whole := upload(100, 700, 3)
	body := must[[]byte](t)(whole.Bytes())
	g.host.answer = func(_ context.Context, r Request) Response {
		u, err := ParseUpload(r.Body)
		if err != nil || len(u.Packages) > 1 {
			t.Errorf("%d packages at once, %v", len(u.Packages), err)
		}
		if len(u.Packages) == 1 && u.Start+int64(len(u.Packages[0].Entries)) == u.End {
			return ok
		}
		return taken(u.End, u.Start+1)
	}
	for _, c := range []struct {
		body   []byte
		packed bool
		want   int
		parts  int
	}{
		{body, false, 200, 3},
		{body, true, 200, 3},
		{body[:len(body)-1], false, 202, 2},
		{body[:len(body)-1], true, 202, 2},
		{body[:60+len(abLog.String())], false, 400, 0},
		{must[[]byte](t)(upload(100, 700, 0).Bytes()), false, 400, 0},
	} {
		g.host.asked = nil
		if resp := g.post("/add-entries", c.body, c.packed); resp.StatusCode != c.want || len(g.host.asked) != c.parts {
			t.Errorf("%d bytes, packed %v: status %d, %d parts", len(c.body), c.packed, resp.StatusCode, len(g.host.asked))
		}
		if c.packed {
			continue
		}
		g.host.asked = nil
		if resp := Serve(t.Context(), g.host, Request{Op: OpAddEntries, Body: c.body}); resp.Status != c.want || len(g.host.asked) != c.parts {
			t.Errorf("%d bytes through a queue: status %d, %d parts", len(c.body), resp.Status, len(g.host.asked))
		}
	}
	if resp := g.post("/add-entries", []byte("not packed"), true); resp.StatusCode != 400 {
		t.Errorf("a broken encoding: %d", resp.StatusCode)
	}
}

// post sends a body as it is, or packed, or in a broken packing.
func (g *rig) post(path string, body []byte, packed bool) *http.Response {
	req, _ := http.NewRequest("POST", g.endpoint+path, bytes.NewReader(body))
	if packed {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = w.Write(body)
		w.Close()
		if string(body) == "not packed" {
			z.Reset()
			z.Write(body)
		}
		req, _ = http.NewRequest("POST", g.endpoint+path, &z)
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := g.client.link(boreal).transport.RoundTrip(req)
	if err != nil {
		g.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.Header.Get("Accept-Encoding") != "gzip" {
		g.t.Error("it does not say that it reads gzip")
	}
	return resp
}

// covers P2, P9: a blob comes in ranges, resumable, and only to whom it is for.
func TestBlobsInRanges(t *testing.T) {
	g := loopback(t)
	blob := make([]byte, 2*MaxBlobRange+500)
	_, _ = rand.Read(blob)
	hash := identity.Sum(blob)
	g.host.blobs[hash] = blob
	var got []byte
	for {
		r := Request{Op: OpBlob, Hash: hash, Offset: int64(len(got))}
		resp := g.wantOK(r)
		r.Peer = arden
		same(t, Serve(t.Context(), g.host, r).Body, resp.Body)
		got = append(got, resp.Body...)
		if int64(len(got)) == resp.Total {
			break
		}
	}
	if !bytes.Equal(got, blob) {
		t.Error("the blob is not what it was")
	}
	if resp := g.wantOK(Request{Op: OpBlob, Hash: hash, Offset: 7, Limit: 5}); !bytes.Equal(resp.Body, blob[7:12]) {
		t.Errorf("bytes 7 to 12: %x", resp.Body)
	}
	for _, c := range []struct {
		r    Request
		want int
	}{
		{Request{Op: OpBlob, Hash: hash, Offset: int64(len(blob))}, 416},
		{Request{Op: OpBlob, Hash: identity.Sum(nil)}, 404},
	} {
		if resp, err := g.do(c.r); err != nil || resp.Status != c.want {
			t.Errorf("%v %+v", err, resp)
		}
	}
	if resp := Serve(t.Context(), g.host, Request{Op: OpBlob, Peer: merid, Hash: hash}); resp.Status != 404 {
		t.Errorf("a third station got %d", resp.Status)
	}
}

// covers P14: one peer holds no more than its share of requests.
func TestOnePeerHoldsItsShare(t *testing.T) {
	g := loopback(t)
	entered, leave := make(chan bool), make(chan bool)
	g.host.answer = func(context.Context, Request) Response {
		entered <- true
		<-leave
		return ok
	}
	r := requests(t)[0]
	for range 8 {
		go g.do(r)
		<-entered
	}
	if resp, err := g.do(r); err != nil || resp.Status != 503 || resp.RetryAfter == 0 {
		t.Errorf("the ninth: %v %+v", err, resp)
	}
	close(leave)
}

// bubble runs a test of two stations in virtual time.
func bubble(t *testing.T, f func(*testing.T, *rig)) {
	synctest.Test(t, func(t *testing.T) {
		p := make(pipes)
		f(t, newRig(t, p, p.dial, time.Now))
	})
}

// covers P16, P18: who never answers is given up, and a caller that stops is
// told apart.
func TestWhoNeverAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, g *rig) {
		g.host.answer = func(ctx context.Context, _ Request) Response {
			<-ctx.Done()
			return ok
		}
		r := requests(t)[0]
		began := time.Now()
		_, err := g.client.Do(t.Context(), boreal, r)
		e, is := errors.AsType[*Error](err)
		if took := time.Since(began); !is || e.Fault != Timeout || !e.Sent || took < bodyGrace || took > 2*bodyGrace {
			t.Errorf("after %s: %v", took, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = g.client.Do(ctx, boreal, r)
		if e, is := errors.AsType[*Error](err); !is || e.Fault != Stopped {
			t.Errorf("stopped: %v", err)
		}
	})
}

// dripping is a body that comes a byte a second.
type dripping struct{ left int }

func (d *dripping) Read(b []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Second) // virtual
	d.left--
	b[0] = 'x'
	return 1, nil
}

// covers P14: a body that comes a byte a second loses its stream, after a grace
// and not after hours.
func TestOneByteASecond(t *testing.T) {
	bubble(t, func(t *testing.T, g *rig) {
		began := time.Now()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://127.0.0.1:443/heads", &dripping{left: MaxHeadsQuery})
		resp, err := g.client.link(boreal).transport.RoundTrip(req)
		if err == nil {
			if resp.StatusCode == 200 {
				t.Error("it was taken")
			}
			resp.Body.Close()
		}
		if took := time.Since(began); took > 2*bodyGrace {
			t.Errorf("it took %s", took)
		}
		if len(g.host.asked) != 0 {
			t.Error("the host was asked")
		}
	})
}

// BenchmarkDeliver is one round trip of a delivery of one 4 KiB entry, over a
// connection that stands.
func BenchmarkDeliver(b *testing.B) {
	g := loopback(b)
	d := delivery(8, 9, 10)
	d.Entries = [][]byte{make([]byte, 4<<10)}
	d.Checkpoint = append(d.Checkpoint, make([]byte, 3500)...)
	receipt := []byte(strings.Repeat(sigLine("nrrc.boreal.example/mirror", 1), 40))
	g.host.answer = func(_ context.Context, r Request) Response {
		if _, err := ParseDelivery(r.Body); err != nil {
			b.Error(err)
		}
		return Response{Status: 200, Type: TypeText, Body: receipt}
	}
	b.ReportAllocs()
	for b.Loop() {
		body, err := FormatDelivery(d)
		if err != nil {
			b.Fatal(err)
		}
		g.wantOK(Request{Op: OpDeliver, Origin: abLog, Body: body})
	}
}
