package station

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"time"

	"detente/identity"
	"detente/interop/stix"
	"detente/message"
)

// FeedbackFormat is the format by which a counterpart says what came of shared
// indicators, object by object.
const FeedbackFormat message.Format = "241"

// MatchFeedback joins a message of feedback to the objects of a bundle that this
// station holds, in the message's order: also what it says of objects that the
// bundle does not hold, or holds in another version, is listed, as such.
func (s *Station) MatchFeedback(ctx context.Context, actor Actor, now time.Time, hash identity.Digest, id message.ID) ([]stix.Result, error) {
	m, err := s.ReadMessage(ctx, actor, now, id)
	if err != nil {
		return nil, err
	}
	if m.Format != FeedbackFormat || m.Problem != "" {
		return nil, s.refused(ctx, now, actor, "feedback", id.String(), fmt.Errorf("%w: %s is no feedback on indicators: name an accepted message of format %s", ErrInvalid, m.Citation, FeedbackFormat))
	}
	var items []struct {
		Item string `json:"item"`
		Code string `json:"code"`
	}
	if err := json.Unmarshal(m.Entry.Body.Body().Params["items"], &items); err != nil {
		return nil, s.refused(ctx, now, actor, "feedback", id.String(), fmt.Errorf("%w: items: %w", ErrInvalid, err))
	}
	verdicts := make([]stix.Verdict, 0, len(items))
	for _, i := range items {
		v, err := stix.ParseVerdict(i.Item, i.Code)
		if err != nil {
			return nil, s.refused(ctx, now, actor, "feedback", id.String(), fmt.Errorf("%w: %w", ErrInvalid, err))
		}
		verdicts = append(verdicts, v)
	}
	r, err := s.ReadBundle(ctx, actor, now, hash)
	if err != nil {
		return nil, err
	}
	return stix.Match(r.Bundle, verdicts), nil
}
