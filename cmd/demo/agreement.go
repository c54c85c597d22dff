package main

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// instrument is the agreement's name, as drafts and signatures have it.
const instrument = "arden-boreal"

// nextReport is how soon, by the agreement of this play, a grave incident is
// told of again. The model agreement says 24 hours.
const nextReport = 5 * time.Second

// titles of the agreement.
var titles = map[string]string{
	"en": "Agreement between Arden and Boreal on preventing incidents in the information space",
	"ru": "Соглашение между Арденом и Бореалом о предотвращении инцидентов в информационном пространстве",
	"zh": "阿登与博雷亚尔关于防止信息空间事件的协定",
	"es": "Acuerdo entre Arden y Boreal para prevenir incidentes en el espacio de la información",
	"fr": "Accord entre Arden et Boreal sur la prévention des incidents dans l'espace de l'information",
	"ar": "اتفاق بين أردن وبوريال لمنع الحوادث في الفضاء المعلوماتي",
}

// shorter is, in each language, what article A11 says in the model, and what it
// says here.
var shorter = map[string][2]string{
	"en": {"24 hours", "5 seconds"}, "ru": {"24 часа", "5 секунд"}, "zh": {"24小时", "5秒"},
	"es": {"24 horas", "5 segundos"}, "fr": {"24 heures", "5 secondes"}, "ar": {"24 ساعة", "5 ثوانٍ"},
}

// drafted is the model agreement under the parties' own title, with one clock
// shortened in its duty and in the words of all languages.
func drafted(model []byte) ([]byte, error) {
	var text map[string]any
	if err := json.Unmarshal(model, &text); err != nil {
		return nil, err
	}
	text["agreement"], text["status"], text["title"] = instrument, "agreed", titles
	articles, _ := text["articles"].([]any)
	changed := 0
	for _, one := range articles {
		article, _ := one.(map[string]any)
		if article["article"] != "A11" {
			continue
		}
		words, _ := article["text"].(map[string]any)
		for lang, paragraphs := range words {
			if list, _ := paragraphs.([]any); len(list) == 2 {
				list[1] = strings.Replace(fmt.Sprint(list[1]), shorter[lang][0], shorter[lang][1], 1)
				changed++
			}
		}
		duties, _ := article["duties"].([]any)
		for _, one := range duties {
			if duty, _ := one.(map[string]any); duty["duty"] == "A11.2" {
				duty["within"] = fmt.Sprintf("PT%.0fS", nextReport.Seconds())
				changed++
			}
		}
	}
	if changed != len(shorter)+1 {
		return nil, errors.New("article A11 of the model agreement is not as this play knows it")
	}
	return json.Marshal(text, json.Deterministic(true))
}

// negotiate lets Arden lay the text before Boreal.
func (p *play) negotiate(ctx context.Context) error {
	p.tell("Arden drafts an agreement from the model, thirty articles in six languages, and lays it before Boreal.\n    It is data too: for each article, who owes what by when. One hash covers all languages.")
	model, err := p.arden.Text(ctx, "agreement", "model")
	if err != nil {
		return err
	}
	text, err := drafted([]byte(model))
	if err != nil {
		return err
	}
	path := filepath.Join(p.Dir, "agreement.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	checked, err := p.arden.Text(ctx, "agreement", "check", path)
	if err != nil {
		return err
	}
	p.detail("%s, checked: %s", p.file(path), strings.TrimPrefix(strings.TrimSpace(checked), "agreement: "))
	p.detail("For this play article A11 has a grave incident told anew every %.0f seconds, and not 24 hours.", nextReport.Seconds())
	var added struct {
		Hash string `json:"hash"`
	}
	if err := p.arden.Run(ctx, &added, "agreement", "add", path); err != nil {
		return err
	}
	blob, err := p.attach(ctx, p.arden, path, "application/json")
	if err != nil {
		return err
	}
	p.agreement = added.Hash
	said := []string{"instrument=" + instrument, "kind=agreement", "draft=1", "status=clean", "text=" + added.Hash, "document=" + blob.param()}
	p.draft, err = p.send(ctx, p.arden, p.boreal, append([]string{"500"}, values(append(said, languages...))...), nil, "en", "zh")
	if err != nil {
		return err
	}
	copied := filepath.Join(p.Dir, "agreement-at-boreal.json")
	if err := p.fetched(ctx, blob.Hash, path, copied); err != nil {
		return err
	}
	return p.boreal.Run(ctx, nil, "agreement", "add", copied)
}

// languages are the authentic ones, as parameters.
var languages = []string{"languages=en", "languages=ru", "languages=zh", "languages=es", "languages=fr", "languages=ar"}

// sign lets both sides sign, and shows from when the agreement is in force.
func (p *play) sign(ctx context.Context) error {
	p.tell("Both sign that hash, each by an officer with the powers of a plenipotentiary. By the text's own rule it\n    is in force from Arden's receipt of the second signature.")
	ref := p.draft
	for i, e := range p.Ends {
		said := []string{"instrument=" + instrument, "text=" + p.agreement, "signature=definitive", "capacity=agency", "certificate=" + e.Officers[1].Pseudonym, "entry=on-receipt"}
		var err error
		if ref, err = p.answer(ctx, e, p.Ends[1-i], "501", ref, append(said, languages...), []string{"en", "fr"}[i]); err != nil {
			return err
		}
	}
	if err := p.understood(ctx, p.arden, p.boreal, ref); err != nil {
		return err
	}
	p.tell("Who asks either station how the agreement stands is told the same, from the record alone.")
	return p.bothSay(ctx, asked{at: time.Now(), has: "in force from", langs: [2]string{"en", "es"}}, "agreement", "status")
}
