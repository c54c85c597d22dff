package outlet

import "testing"

// TestPermitted asks which addresses a webhook's name may lead to.
//
// covers P14
func TestPermitted(t *testing.T) {
	for _, c := range []struct {
		address  string
		loopback bool // what the URL itself names
		want     bool
	}{
		{"192.0.2.7:443", false, true}, {"10.1.2.3:443", false, true}, {"[2001:db8::1]:443", false, true},
		{"127.0.0.1:443", true, true}, {"[::1]:443", true, true},
		{"127.0.0.1:443", false, false}, {"[::1]:443", false, false}, {"[::ffff:127.0.0.1]:443", false, false},
		{"169.254.169.254:80", false, false}, {"169.254.169.254:80", true, false}, {"[fe80::1%eth0]:443", false, false}, {"[::ffff:169.254.169.254]:80", false, false},
		{"0.0.0.0:443", false, false}, {"[::]:443", false, false}, {"224.0.0.1:443", false, false}, {"255.255.255.255:443", false, false}, {"nowhere", false, false},
	} {
		if err := permitted(c.address, c.loopback); (err == nil) != c.want {
			t.Errorf("%s (loopback %v): %v", c.address, c.loopback, err)
		}
	}
}
