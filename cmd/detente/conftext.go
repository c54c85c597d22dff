package main

import (
	"bytes"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// confText writes the settings file of a new station: what it was told, and every
// other setting with its default, as a comment.
func confText(name, listen, api, mark string) []byte {
	return fmt.Appendf(nil, `# Settings of a station. What is left out has the default that stands here as a
# comment. Files beside this one in %s are read after it, in the order of their
# names, and go over it; the environment (DETENTE_LISTEN, DETENTE_LOG_LEVEL, ...)
# goes over files, and flags over that. No setting is a secret: of keys, passwords
# and tokens only the paths of their files stand here.
#
# A running station reads [log], [limits], [clock] and outlets anew on SIGHUP
# (systemctl reload detente); the rest holds from its next start.

[station]
name = %s
listen = %s # for counterparts
api = %s # for callers; a loopback address
mark = %s # the high-water mark: in no backup of the store

[log]
# level = "info" # debug, info, warn, error

[limits]
# approval = "4h"          # how long a request for release stands: 10m to 168h
# approval-flash = "10m"   # the same for a FLASH: 1m to 1h
# release-stands = "168h"  # how long what was released may wait for the line: 1h to 744h
# clock-leap = "1h"        # the largest leap of the clock that is taken without a word: 10s to 1h

# A server of time, other than the one by which this machine's clock is set, that
# confirms the time after a leap in place of two operators. It speaks NTP and proves
# itself by a key that both hold (AES-128-CMAC, RFC 8573), so that nobody on the way
# can answer in its stead. No counterpart's word confirms a clock.
# [[clock.source]]
# name = "gps"
# address = "time.arden.example:123"
# key-id = 7
# key-file = "/etc/detente/time.key"

# Outlets tell people at a distance; "detente alarm outlet add" writes them into
# %s/%s.
# [[outlet]]
# name = "horn"
# kind = "exec"
# argv = ["/usr/bin/aplay", "/etc/detente/alarm.wav"]
`, confParts, quoted(name), quoted(listen), quoted(api), quoted(mark), confParts, outletsName)
}

// quoted writes a text as TOML does.
func quoted(s string) string {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(map[string]string{"x": s}); err != nil { // a text always encodes
		return `""`
	}
	return string(bytes.TrimSpace(bytes.TrimPrefix(b.Bytes(), []byte("x ="))))
}
