package api

import (
	"encoding/json/v2"

	"github.com/danielgtaylor/huma/v2"
)

// strict reads request bodies as every other decoder here reads JSON: a member
// that stands twice, broken UTF-8 or anything after the document is refused, so
// that no two readers of one body see two things.
func strict() map[string]huma.Format {
	f := huma.DefaultJSONFormat
	f.Unmarshal = func(body []byte, into any) error { return json.Unmarshal(body, into) }
	return map[string]huma.Format{"application/json": f, "json": f}
}
