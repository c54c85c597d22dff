package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"detente/book"
	"detente/message"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// idFlags are the flags that name messages.
var idFlags = []string{"ref", "message", "dossier"}

// citations puts the id of a message where a person gave its citation: the
// screens show citations, and a commands' ID may be either. Only commands whose
// usage asks for an ID are touched, and their flags that name messages.
func (a *app) citations(c *cobra.Command, args []string) error {
	var cl *client
	id := func(text string) (string, error) {
		if _, err := message.ParseCitation(text); err != nil {
			return text, nil // whatever else it is, the command judges it
		}
		if cl == nil {
			var err error
			if cl, err = a.client(); err != nil {
				return "", err
			}
		}
		return cl.cited(c.Context(), text)
	}
	if strings.Contains(c.Use, "ID") {
		for i := range args {
			var err error
			if args[i], err = id(args[i]); err != nil {
				return err
			}
		}
	}
	if c.Flags().Lookup("since") != nil {
		return nil // a search takes citations itself
	}
	for _, name := range idFlags {
		f := c.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		if err := eachValue(f, id); err != nil {
			return err
		}
	}
	return nil
}

// eachValue puts another value in the place of each of a flag's values.
func eachValue(f *pflag.Flag, other func(string) (string, error)) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values := slices.Clone(list.GetSlice())
		for i := range values {
			var err error
			if values[i], err = other(values[i]); err != nil {
				return err
			}
		}
		return list.Replace(values)
	}
	value, err := other(f.Value.String())
	if err != nil {
		return err
	}
	return f.Value.Set(value)
}

// offersByBook are the formats that answer a message by the signal book alone. The
// message is not opened by it.
func (a *app) offersByBook(c *cobra.Command, id string) ([]offer, error) {
	cl, err := a.client()
	if err != nil {
		return nil, err
	}
	edition, err := book.Embedded()
	if err != nil {
		return nil, err
	}
	var found foundMessages
	if err := cl.do(c.Context(), "GET", "/search?"+url.Values{"ref": {id}}.Encode(), nil, &found); err != nil {
		return nil, err
	}
	for _, m := range found.Hits {
		f, ok := edition.Format(message.Format(m.Format))
		if m.ID != id || !ok {
			continue
		}
		var offers []offer
		for _, r := range f.Replies {
			offers = append(offers, offer{Format: string(r), Acts: []string{}})
		}
		return offers, nil
	}
	return nil, exitError{exitNotFound, fmt.Errorf("there is no message %s here that you may read", id)}
}

// cited returns the id of the message with a citation.
func (cl *client) cited(ctx context.Context, citation string) (string, error) {
	var found foundMessages
	if err := cl.do(ctx, "GET", "/search?"+url.Values{"ref": {citation}}.Encode(), nil, &found); err != nil {
		return "", err
	}
	for _, m := range found.Hits {
		if m.Citation == citation {
			return m.ID, nil
		}
	}
	return "", exitError{exitNotFound, fmt.Errorf("there is no message %s here that you may read: `detente msg list` lists them", citation)}
}
