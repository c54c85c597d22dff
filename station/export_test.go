package station

import "context"

// AskTime is what a runner does with its sources of time, for the tests.
func AskTime(ctx context.Context, r *Runner) { r.askTime(ctx) }
