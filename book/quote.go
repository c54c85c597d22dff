package book

// Quote writes a text of others on one line, between quotation marks, as
// renderings show free text: every control, direction and zero-width character
// stands as its number, so that nothing is obeyed and nothing is lost.
func Quote(s string) string { return quote(s) }
