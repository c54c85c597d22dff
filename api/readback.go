package api

import "detente/station"

// ReadBack is what the reader of a message says it understood, beside what was
// written.
type ReadBack struct {
	Of         string      `json:"of" doc:"the message that was read"`
	OfCitation string      `json:"of_citation"`
	By         string      `json:"by" doc:"the message that reads back"`
	Citation   string      `json:"citation"`
	From       string      `json:"from"`
	Differs    bool        `json:"differs"`
	Fields     []ReadField `json:"fields"`
}

// ReadField is a field that was read back.
type ReadField struct {
	Name  string `json:"name"`
	Wrote string `json:"wrote,omitempty" doc:"absent: the message has no such field of one code or value"`
	Read  string `json:"read"`
	Alike bool   `json:"alike"`
}

// shownReadBacks shows what was read back in a matter.
func shownReadBacks(m station.MatterView) (all []ReadBack) {
	for _, r := range m.ReadBacks {
		v := ReadBack{
			Of: r.Of.String(), OfCitation: m.Citations[r.Of], By: r.By.String(), Citation: m.Citations[r.By], From: string(r.From), Differs: r.Differs(), Fields: []ReadField{},
		}
		for _, f := range r.Fields {
			v.Fields = append(v.Fields, ReadField{f.Name, f.Wrote, f.Read, f.Alike()})
		}
		all = append(all, v)
	}
	return all
}
