// Package decodertest is what the tests of all decoders share: seeds that are
// tried before a fuzz target runs, what hostile input looks like, and what a
// refusal must look like.
//
// A decoder is whatever reads bytes or text that somebody else may have written.
// internal/policy asks of each that a fuzz target enters it.
package decodertest
