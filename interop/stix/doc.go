// Package stix reads evidence: bundles of STIX 2.1, under the profile that the
// two sides of a line agree on.
//
// [Read] takes a bundle's bytes as a stream and either accepts it or refuses it
// with a [Refused], which lists every fault with object, place, line, reason
// and next step. What is not of the profile but harms nothing (other types of
// object, unknown members, extensions) is kept, hashed and named in the
// bundle's notes. Nothing is ever rewritten: a [Bundle] is a reading, the
// evidence itself travels as it came.
//
//	b, err := stix.Read(file)
//	var refused *stix.Refused
//	if errors.As(err, &refused) {
//		for _, f := range refused.Findings {
//			fmt.Println(f)
//		}
//	}
//
// Then [Bundle.Manifest] lists each object with a hash of its own, [Diff]
// compares two manifests, [Ceiling] and [Allowed] judge the markings before a
// release or an export, [Indicators] lists what a defender can use, [Match]
// joins the counterpart's feedback to the objects that it speaks of, and
// [Labels.Render] tells the whole bundle in one of six languages, without
// assuming that the reader knows STIX. [Custody] is what was done with one
// artefact, by whom, in a chain of hashes.
//
// The profile stands in schema/*.json (draft 2020-12). It holds no threat
// actors, and what attributes is noted: evidence says what was seen, and who
// is behind it is for a claim or a consultation to say.
//
// The package is pure: no clock, no network, no disk, no goroutine. A Bundle
// is not to be changed, and may then be shared.
package stix
