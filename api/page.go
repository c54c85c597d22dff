package api

import "fmt"

// page is a part of a list. Where there may be more, Link names the next part,
// as RFC 8288 says: following it misses nothing and repeats nothing, whatever
// is added meanwhile.
type page[T any] struct {
	Link string `header:"Link" doc:"the next part of the list, as rel=next; absent at its end"`
	Body []T
}

// paged answers with a part of a list of at most limit items; format and values
// are the path of the next part.
func paged[T any](items []T, err error, limit int, format string, values ...any) (*page[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	p := &page[T]{Body: items}
	if len(items) == limit {
		p.Link = "</api/v1" + fmt.Sprintf(format, values...) + `>; rel="next"`
	}
	return p, nil
}
