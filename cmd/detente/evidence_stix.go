package main

import (
	"encoding/csv"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"detente/interop/stix"
	"detente/station"

	"github.com/spf13/cobra"
)

// stixType is the media type under which a bundle is added.
const stixType = station.StixType + ";version=2.1"

// custodyFlags say what was done with a piece of evidence.
type custodyFlags struct{ act, method, result string }

// bundles are the commands about bundles of evidence.
func (a *app) bundles() []*cobra.Command {
	var answers, id string
	var asCSV bool
	var note custodyFlags
	var d draftFlags
	return []*cobra.Command{
		a.addBundle("evidence"),
		verb(about{"check FILE", "read a bundle of STIX 2.1 without a station, and list what is to be said of it",
			"Reads a bundle under the agreed profile on this machine. Nothing is sent, and no station is needed.\nEnds with 2 where the bundle would be refused.", "  detente evidence check bundle.stix.json --json"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.checkBundle(args[0]) }),
		verb(about{"show HASH", "read a bundle that the station holds, in the languages asked for",
			"Opens a bundle by the hash that a message names, ours or the counterpart's, and tells it in the\nlanguages of --lang without assuming that the reader knows STIX: its objects with a hash of each,\nwhat is to be known of it, and its text. What came over a line is never read before somebody asks.\nThat it was read is audited and part of its custody.", "  detente evidence show HASH --lang en,ar"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.showBundle(c, args[0]) }),
		verb(about{"indicators HASH", "list what a bundle gives to look for",
			"Lists the indicators of a bundle, a row for each value. With --csv it is a table for other programs;\na value that a spreadsheet would take for a formula begins with an apostrophe there.", "  detente evidence indicators HASH --csv\n  detente evidence indicators HASH --json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.indicators(c, args[0], asCSV) }, func(c *cobra.Command) {
				c.Flags().BoolVar(&asCSV, "csv", false, "print a table with commas")
			}),
		verb(about{"feedback FILE", "tell the counterpart what came of the indicators it shared",
			"Composes a message of format 241 from a JSON file, a list of objects with object, code and, where it\nis known, hash; it answers the message that shared the indicators. Codes stand in the signal book's\nlist feedback.", "  detente evidence feedback answers.json --to ID"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.feedback(c, args[0], answers, d) }, a.changes, d.wait.add, func(c *cobra.Command) {
				c.Flags().StringVar(&answers, "to", "", "the id of the message of format 240 that shared the indicators")
				c.Flags().StringVar(&d.tlp, "tlp", "AMBER", "CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
				c.Flags().StringVar(&d.id, "id", "", "32 hexadecimal digits, to repeat a submission safely (default: a random one)")
			}),
		verb(about{"match HASH", "join feedback that came to the objects of a bundle",
			"Joins a message of format 241 to the objects of the bundle that it judges. What it says of objects\nthat the bundle does not hold, or holds in another version, is listed as such.", "  detente evidence match HASH --message ID"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				hash, err := digestOf(args[0])
				if err != nil {
					return err
				}
				return a.call(c, "GET", "/evidence/"+hash.String()+"/feedback?"+url.Values{"message": {id}}.Encode(), nil)
			}, func(c *cobra.Command) {
				c.Flags().StringVar(&id, "message", "", "the id of the message of feedback")
			}),
		verb(about{"attached HASH", "the analyses that were attached to a piece of evidence",
			"Lists what the other side, or this one, attached to a piece of evidence by an answer to its message: each\nanalysis is evidence of its own, with its own hash and custody. Evidence is never edited: a bundle that\nholds an object of the other's in another wording is refused before release.", "  detente evidence attached HASH"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "GET", at("/evidence/%s/attached", args[0]), nil)
			}),
		verb(about{"custody HASH", "what was done with a piece of evidence, by whom and when",
			"Lists the custody of a blob, an event a line, each of which names the hash of the one before:\ncollected, sealed, sent, received, examined, released. Each is a line of the audit trail too.", "  detente evidence custody HASH"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.custody(c, args[0], "GET", nil) }),
		verb(about{"note HASH", "note that a piece of evidence was examined, or released and to whom",
			"Adds to the custody of a blob what an officer did with it. What the station does itself, such as\nsealing and sending, it notes itself.", "  detente evidence note HASH --act released --result 'to the prosecutor of Arden'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.custody(c, args[0], "POST", map[string]string{"act": note.act, "method": note.method, "result": note.result})
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&note.act, "act", "", "examined or released")
				c.Flags().StringVar(&note.method, "method", "", "how, and by which program")
				c.Flags().StringVar(&note.result, "result", "", "what came of it; of released: to whom")
			}),
	}
}

// addBundle is the command that adds a bundle, under the noun by which it is
// reached: evidence itself, or that of an incident.
func (a *app) addBundle(noun string) *cobra.Command {
	var line string
	return verb(about{"add FILE", "read a bundle of STIX 2.1, seal it to a line's counterpart, and print the parameter that names it",
		"Reads a bundle under the agreed profile and seals it to the counterpart of a line. What is wrong\nwith it is listed, each fault with object, place, line and next step, and nothing is kept. What\nit prints is the value of a message's evidence parameter. A message is refused whose marking is\nbelow that of an object in its bundle.", "  detente " + noun + " add bundle.stix.json --line LINE"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.addBlob(c, args[0], line, stixType) }, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&line, "line", "", "the line")
		})
}

// checkBundle reads a bundle on this machine.
func (a *app) checkBundle(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := stix.Read(f)
	if refused, ok := errors.AsType[*stix.Refused](err); ok {
		if err := a.print(map[string]any{"accepted": false, "findings": findingsOf(refused.Findings), "more": refused.More}, func() { a.findings(refused.Findings, refused.More) }); err != nil {
			return err
		}
		return exitError{exitUsage, fmt.Errorf("%s would be refused: %d findings", path, len(refused.Findings)+refused.More)}
	}
	if err != nil {
		return err
	}
	marking := stix.Ceiling(b)
	shown := map[string]any{"accepted": true, "id": string(b.ID), "content": b.Digest.String(), "objects": len(b.Objects), "tlp": marking.TLP.String(), "pap": marking.PAP.String(), "findings": findingsOf(b.Notes), "more": b.More}
	return a.print(shown, func() {
		a.say("%s  %d objects  %s  SHA-256 %s", b.ID, len(b.Objects), marking, b.Digest)
		a.findings(b.Notes, b.More)
	})
}

func findingsOf(list []stix.Finding) []map[string]any {
	all := make([]map[string]any, 0, len(list))
	for _, f := range list {
		all = append(all, map[string]any{"code": string(f.Code), "object": string(f.Object), "pointer": string(f.Pointer), "line": f.Line, "reason": f.Reason, "next": f.Next})
	}
	return all
}

func (a *app) findings(list []stix.Finding, more int) {
	for _, f := range list {
		a.say("%s", f)
	}
	if more > 0 {
		a.say("and %d more", more)
	}
}

// shownBundle is what of a bundle a person is shown.
type shownBundle struct {
	ID      string `json:"id"`
	Content string `json:"content"`
	TLP     string `json:"tlp"`
	PAP     string `json:"pap"`
	Objects []struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
		TLP  string `json:"tlp"`
		PAP  string `json:"pap"`
	} `json:"objects"`
	Notes []struct {
		Object  string `json:"object"`
		Pointer string `json:"pointer"`
		Line    int    `json:"line"`
		Reason  string `json:"reason"`
		Next    string `json:"next"`
	} `json:"notes"`
	Texts map[string]string `json:"texts"`
}

func (a *app) showBundle(c *cobra.Command, text string) error {
	hash, err := digestOf(text)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw jsontext.Value
	if err := cl.do(c.Context(), "GET", "/evidence/"+hash.String()+"?"+url.Values{"lang": {strings.Join(a.langs, ",")}}.Encode(), nil, &raw); err != nil {
		return err
	}
	var b shownBundle
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(raw, func() {
		a.say("%s  SHA-256 %s  TLP:%s PAP:%s", b.ID, b.Content, orNone(b.TLP), orNone(b.PAP))
		for _, o := range b.Objects {
			a.say("  %s  %s  TLP:%s PAP:%s", o.ID, o.Hash, orNone(o.TLP), orNone(o.PAP))
		}
		for _, n := range b.Notes {
			a.say("  line %d: %s %s: %s; %s", n.Line, n.Object, n.Pointer, n.Reason, n.Next)
		}
		a.say("")
		a.texts(b.Texts)
	})
}

func orNone(label string) string {
	if label == "" {
		return "none"
	}
	return label
}

// shownIndicator is an indicator as the API answers.
type shownIndicator struct {
	Kind       string `json:"kind"`
	Value      string `json:"value"`
	Name       string `json:"name"`
	Language   string `json:"language"`
	From       string `json:"from"`
	Until      string `json:"until"`
	Confidence *int   `json:"confidence"`
	Revoked    bool   `json:"revoked"`
	TLP        string `json:"tlp"`
	PAP        string `json:"pap"`
	Object     string `json:"object"`
	Hash       string `json:"hash"`
}

func (a *app) indicators(c *cobra.Command, text string, asCSV bool) error {
	hash, err := digestOf(text)
	if err != nil {
		return err
	}
	path := "/evidence/" + hash.String() + "/indicators"
	if !asCSV {
		return a.call(c, "GET", path, nil)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var list []shownIndicator
	if err := cl.do(c.Context(), "GET", path, nil, &list); err != nil {
		return err
	}
	w := csv.NewWriter(a.out)
	rows := [][]string{{"kind", "value", "name", "language", "from", "until", "confidence", "revoked", "tlp", "pap", "object", "hash"}}
	for _, i := range list {
		confidence := ""
		if i.Confidence != nil {
			confidence = strconv.Itoa(*i.Confidence)
		}
		rows = append(rows, []string{i.Kind, i.Value, i.Name, i.Language, i.From, i.Until, confidence, strconv.FormatBool(i.Revoked), i.TLP, i.PAP, i.Object, i.Hash})
	}
	for _, row := range rows {
		for n := range row {
			row[n] = cell(row[n])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cell makes a text fit for a spreadsheet, which would take one that begins so
// for a formula and run it.
func cell(text string) string {
	trimmed := strings.TrimLeft(text, " \u00a0\ufeff")
	if trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@\t\r\n|%") || strings.HasPrefix(trimmed, "＝") || strings.HasPrefix(trimmed, "＋") || strings.HasPrefix(trimmed, "－") || strings.HasPrefix(trimmed, "＠") {
		return "'" + text
	}
	return text
}

// verdict241 is one line of a file of feedback.
type verdict241 struct {
	Object string `json:"object"`
	Hash   string `json:"hash,omitzero"`
	Code   string `json:"code"`
}

// feedback composes a message of feedback from a file.
func (a *app) feedback(c *cobra.Command, path, to string, d draftFlags) error {
	if to == "" {
		return usage("--to is missing: the id of the message that shared the indicators")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list []verdict241
	if err := json.Unmarshal(text, &list, json.RejectUnknownMembers(true)); err != nil {
		return usage("%s: a JSON list of objects with object, code and perhaps hash is needed: %v", path, err)
	}
	items := make([]map[string]string, 0, len(list))
	counts := make(map[string]int)
	for n, v := range list {
		item := v.Object
		if v.Hash != "" {
			item += "@" + v.Hash
		}
		if _, err := stix.ParseVerdict(item, v.Code); err != nil {
			return usage("%s: item %d: %v", path, n+1, err)
		}
		counts[v.Code]++
		items = append(items, map[string]string{"item": item, "code": v.Code})
	}
	value, err := json.Marshal(items, json.Deterministic(true))
	if err != nil {
		return err
	}
	number := func(code string) jsontext.Value { return jsontext.Value(strconv.Itoa(counts[code])) }
	var m received
	if err := a.read(c, to, &m); err != nil {
		return err
	}
	if d.line, err = m.line(); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	d.refs, d.lang = []string{to}, "en"
	return a.submitParams(c, string(station.FeedbackFormat), d, map[string]jsontext.Value{
		"items": value, "useful": number("useful"), "false_positive": number("false"), "acted": number("acted"),
	})
}

// custody prints the custody of a blob, after adding to it or as it is.
func (a *app) custody(c *cobra.Command, text, method string, in any) error {
	hash, err := digestOf(text)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw jsontext.Value
	if err := cl.do(c.Context(), method, "/evidence/"+hash.String()+"/custody", in, &raw); err != nil {
		return err
	}
	var v struct {
		Head   string
		Events []struct{ Act, At, Station, Officer, Other, Method, Result string }
	}
	if err := json.Unmarshal(raw, &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(raw, func() {
		p := a.phrases()
		for _, e := range v.Events {
			a.say("%s", p.row(e.At, p.of("custody-"+e.Act), e.Station, e.Officer, strings.Join(strings.Fields(e.Other+" "+e.Method+" "+e.Result), " ")))
		}
		a.say("%s", p.of("custody-head", v.Head))
	})
}
