package book

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"detente/message"
)

// printed is the page of the printed book. html/template escapes what the data
// hold. A format begins on a page of its own, so that one can be handed over.
const printed = `<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<meta charset="utf-8">
<title>{{.Name}}</title>
<style>
@page { size: A4; margin: 18mm; @bottom-center { content: counter(page) } }
body { font: 11pt/1.45 "Noto Sans", "Noto Sans SC", "Noto Naskh Arabic", sans-serif; max-inline-size: 48rem; margin-inline: auto }
section { break-before: page; margin-block-end: 1.5rem }
section:first-of-type { break-before: auto }
h2 { border-block-end: 2px solid; break-after: avoid }
h3 { font-size: 11pt; break-after: avoid }
table { border-collapse: collapse; inline-size: 100% }
thead { display: table-header-group }
tr { break-inside: avoid }
th, td { border: 1px solid; padding: .2rem .5rem; text-align: start; vertical-align: top }
pre { white-space: pre-wrap; border: 1px solid; padding: .5rem; font: inherit; unicode-bidi: plaintext; break-inside: avoid }
code { unicode-bidi: isolate; direction: ltr; font-family: "Noto Sans Mono", monospace }
footer { border-block-start: 1px solid; margin-block-start: 2rem }
@media screen { section { break-before: auto } }
</style>
<h1>Détente <code>{{.Name}}</code></h1>
<p>{{.Caption.Language}}: <code>{{.Lang}}</code> · {{.Caption.Status}}: <code>{{.Status}}</code> {{.StatusLabel}}<br>{{.Caption.Hash}}: <code>{{.Hash}}</code></p>
<p>{{.Caption.Binds}}</p>
{{$c := .Caption}}{{range .Formats}}<section>
<h2><code>{{.Number}}</code> {{.Name}}</h2>
<p>{{.Purpose}}</p>
<p><code>{{.Act}}</code> {{.ActLabel}} · <code>{{.Precedence}}</code>{{if .Replies}} · {{$c.Replies}}:{{range .Replies}} <code>{{.}}</code>{{end}}{{end}}</p>
{{if .Params}}<table><thead><tr><th>{{$c.Field}}</th><th>{{$c.Meaning}}</th><th>{{$c.Values}}</th></tr></thead>
<tbody>{{range .Params}}<tr><td><code>{{.Name}}</code></td><td>{{.Label}}{{if .Optional}} ({{$c.Optional}}){{end}}</td><td>{{range .Codes}}<code>{{.Code}}</code> {{.Label}}<br>{{else}}<code>{{.Type}}</code>{{end}}</td></tr>
{{end}}</tbody></table>
{{end}}{{range .Examples}}<h3>{{$c.Example}}</h3>
<pre>{{.}}</pre>
{{end}}</section>
{{end}}<footer>{{.Standing}}</footer>
</html>
`

// caption are the words about a printed page, in its language.
type caption struct {
	Language, Status, Hash, Replies, Field, Meaning, Values, Optional, Example string
	Binds                                                                      string
}

var captions = map[Lang]caption{
	"en": {"Language", "Status of the texts", "Edition", "Answered by", "Field", "Meaning", "Codes or type", "may be left out", "Worked example",
		"Codes and values bind; the words about them are there to be read."},
	"ru": {"Язык", "Статус текстов", "Издание", "Ответ по формату", "Поле", "Значение", "Коды или тип", "можно опустить", "Пример",
		"Обязательны коды и значения; слова при них служат для чтения."},
	"zh": {"语文", "文本状态", "版本", "答复格式", "字段", "含义", "代码或类型", "可省略", "示例",
		"代码和数值具有约束力；所附文字仅供阅读。"},
	"es": {"Idioma", "Estado de los textos", "Edición", "Se responde mediante", "Campo", "Significado", "Códigos o tipo", "puede omitirse", "Ejemplo",
		"Los códigos y los valores son vinculantes; las palabras que los acompañan sirven para su lectura."},
	"fr": {"Langue", "Statut des textes", "Édition", "Réponse par", "Champ", "Sens", "Codes ou type", "peut être omis", "Exemple",
		"Les codes et les valeurs font foi ; les mots qui les accompagnent servent à la lecture."},
	"ar": {"اللغة", "حالة النصوص", "الإصدار", "يُرد عليه بـ", "الحقل", "المعنى", "الرموز أو النوع", "يجوز إغفاله", "مثال",
		"العبرة بالرموز والقيم؛ أما الكلمات المصاحبة لها فللقراءة."},
}

type printedCode struct{ Code, Label string }

type printedParam struct {
	Name, Label, Type string
	Optional          bool
	Codes             []printedCode
}

type printedFormat struct {
	Number, Name, Purpose, Act, ActLabel, Precedence string
	Replies                                          []message.Format
	Params                                           []printedParam
	Examples                                         []string
}

// printedParam returns the row of a parameter or, with the record's name before
// it, of a field.
func (e *Edition) printedParam(p Param, l Lang, of string) printedParam {
	row := printedParam{of + p.Name, p.Label[l], string(p.Type), p.Optional, nil}
	for _, c := range e.lists[p.List].Codes {
		row.Codes = append(row.Codes, printedCode{c.Code, c.Label[l]})
	}
	return row
}

// printedFormat returns a format as it is printed: with its first worked example
// as a watch would read it.
func (e *Edition) printedFormat(f Format, l Lang) (printedFormat, error) {
	act, _ := e.lists["act"].find(f.Act)
	pf := printedFormat{string(f.Number), f.Name[l], f.Purpose[l], f.Act, act.Label[l], f.Precedence, f.Replies, nil, nil}
	for _, p := range f.Params {
		pf.Params = append(pf.Params, e.printedParam(p, l, ""))
		for _, q := range p.Fields {
			pf.Params = append(pf.Params, e.printedParam(q, l, p.Name+"."))
		}
	}
	if len(f.Examples) > 0 {
		text, err := e.Render(e.sample(f, 0), l)
		if err != nil {
			return pf, fmt.Errorf("format %s: its worked example: %w", f.Number, err)
		}
		pf.Examples = append(pf.Examples, strings.TrimRight(text, "\n"))
	}
	return pf, nil
}

// Print returns the printed book in a language, as one HTML page for A4: the
// whole edition, or the formats that are named, in the order of their numbers.
// It fails where a language or a format is none of the edition's.
func (e *Edition) Print(l Lang, only ...message.Format) ([]byte, error) {
	if !slices.Contains(langs, l) {
		return nil, fmt.Errorf("language %q: en, ru, zh, es, fr or ar", clip(string(l)))
	}
	for _, n := range only {
		if _, ok := e.Format(n); !ok {
			return nil, fmt.Errorf("format %s is not in edition %s of the signal book: see `detente book list`", clip(string(n)), e.Name())
		}
	}
	dir := "ltr"
	if l == "ar" {
		dir = "rtl"
	}
	var formats []printedFormat
	for _, f := range e.formats {
		if len(only) > 0 && !slices.Contains(only, f.Number) {
			continue
		}
		pf, err := e.printedFormat(f, l)
		if err != nil {
			return nil, err
		}
		formats = append(formats, pf)
	}
	t, err := template.New("book").Parse(printed)
	if err != nil {
		return nil, err
	}
	status, _ := e.lists["pack_status"].find(string(e.Status(l)))
	standing, _ := e.lists["standing"].find(noAdmission)
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Lang": string(l), "Dir": dir, "Name": e.Name(), "Status": e.Status(l), "StatusLabel": status.Label[l], "Hash": e.hash.String(), "Formats": formats,
		"Caption": captions[l], "Standing": standing.Label[l],
	})
	return []byte(b.String()), err
}
