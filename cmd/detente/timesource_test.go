package main

import (
	"context"
	"crypto/aes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cmac is AES-CMAC (RFC 4493) of whole blocks, for the server's end.
func cmac(t *testing.T, key, text []byte) []byte {
	t.Helper()
	c, err := aes.NewCipher(key)
	if err != nil || len(text)%16 != 0 {
		t.Fatalf("%d bytes: %v", len(text), err)
	}
	sub := make([]byte, 16)
	c.Encrypt(sub, sub)
	carry := sub[0] >> 7
	for i := range sub {
		sub[i] <<= 1
		if i+1 < len(sub) {
			sub[i] |= sub[i+1] >> 7
		}
	}
	sub[15] ^= carry * 0x87
	mac := make([]byte, 16)
	for at := 0; at < len(text); at += 16 {
		for i := range mac {
			mac[i] ^= text[at+i]
			if at+16 == len(text) {
				mac[i] ^= sub[i]
			}
		}
		c.Encrypt(mac, mac)
	}
	return mac
}

// clockServer answers NTP on loopback under a key, with the time of a clock.
func clockServer(t *testing.T, key []byte, at func() time.Time) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 48+20 {
				continue
			}
			ask := buf[:48]
			answer := make([]byte, 48)
			answer[0], answer[1], answer[2], answer[3] = 4<<3|4, 1, ask[2], 0xec
			stamp := func(to []byte) {
				now := at()
				binary.BigEndian.PutUint32(to, uint32(now.Unix()+2208988800))
				binary.BigEndian.PutUint32(to[4:], uint32(uint64(now.Nanosecond())<<32/1e9))
			}
			stamp(answer[16:])
			copy(answer[24:32], ask[40:48])
			stamp(answer[32:])
			stamp(answer[40:])
			answer = append(answer, buf[48:52]...)
			_, _ = conn.WriteTo(append(answer, cmac(t, key, answer[:48])...), from)
		}
	}()
	return conn.LocalAddr().String()
}

// A source of time is believed under its key, and under no other.
// covers P11
func TestTimeSource(t *testing.T) {
	key := []byte("0123456789abcdef")
	said := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	address := clockServer(t, key, func() time.Time { return said })
	file := filepath.Join(t.TempDir(), "time.key")
	source := timeSource{Name: "gps", Address: address, KeyID: 7, KeyFile: file}
	if err := source.check(); err != nil {
		t.Fatal(err)
	}
	write := func(key []byte) {
		if err := os.WriteFile(file, []byte(hex.EncodeToString(key)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := source.Ask(t.Context()); err == nil || !strings.Contains(err.Error(), "gps") {
		t.Errorf("without a key file: %v", err)
	}
	write(key)
	r, err := source.Ask(t.Context())
	if err != nil || r.At.Sub(said).Abs() > time.Second || r.Source != "gps" || r.Within > time.Second {
		t.Errorf("%+v, %v", r, err)
	}
	write([]byte("fedcba9876543210"))
	if r, err := source.Ask(t.Context()); err == nil {
		t.Errorf("under another key it says %+v", r)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := source.Ask(stopped); err == nil {
		t.Error("it answered one who had gone")
	}
	for _, wrong := range []timeSource{{}, {Name: "gps", Address: "x", KeyFile: file}, {Name: "gps", Address: address}, {Name: "a b", Address: address, KeyFile: file}} {
		if wrong.check() == nil {
			t.Errorf("%+v passes", wrong)
		}
	}
}
