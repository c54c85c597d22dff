package line

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// watchConnection lets the kernel break a connection whose bytes are not
// acknowledged for deadConnection. It tells a cut line from a slow one, which a
// timeout over the answer cannot.
func watchConnection(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadConnection.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
