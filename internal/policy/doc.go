// Package policy holds the rules of this code base that a machine can check,
// as tests: which package may import which, what a pure package may not
// touch, that everything exported is documented, how long a file may be, that
// each promise of docs/invariants.md has a test, and that the committed texts
// name no machine.
//
// Each rule is a function from a tree of source files to findings. It is run
// on this repository, where it must find nothing, and on a small tree made to
// break it, where it must find exactly that. Whoever widens a rule says why,
// beside it.
package policy
