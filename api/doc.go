// Package api is the HTTP API of a station: OpenAPI 3.1, the same verbs as the
// commands, problem+json for errors (RFC 9457), and an event stream that
// resumes.
//
// Callers show a bearer token. Approvals are not tied to it: an approval
// carries its own proof, and the station verifies that.
package api
