package station

import "detente/dossier"

// itemOf is a message as the fold takes it: of one that cannot be opened, its
// place and receipt alone.
func itemOf(r Read) dossier.Item {
	if r.Entry.Wrapper.At.IsZero() {
		return dossier.Item{Origin: r.Origin, Index: r.Index, Received: r.Received}
	}
	return dossier.Read(r.Origin, r.Index, r.Received, r.Entry)
}
