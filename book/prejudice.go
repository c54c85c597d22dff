package book

import "detente/message"

// WithoutPrejudice is the format of what is said without prejudice. The number is
// the mark: it stands in the body, both ends know it in any edition, and no
// edition can take it off. A record never discloses such a message, nor one of no
// dossier of its own that refers to one: its receipt, its translation, its
// correction.
const WithoutPrejudice message.Format = "602"
