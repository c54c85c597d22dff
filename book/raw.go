package book

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"detente/message"
)

// The reasons why a message is shown in its codes and not read.
const (
	RawEdition = "edition" // it is written in an edition that is not held
	RawMisfit  = "misfit"  // it is not as its format asks
)

var rawSaid = map[string]Text{
	RawEdition: {
		"en": "This station does not hold the edition in which this message is written: below are its codes as they stand, unread",
		"ru": "На этой станции нет издания, на котором написано сообщение: ниже его коды как есть, без толкования",
		"zh": "本站没有该电文所用的信号书版本：以下为原样代码，未作解读",
		"es": "Esta estación no tiene la edición en que está escrito el mensaje: abajo figuran sus códigos tal cual, sin interpretar",
		"fr": "Cette station n'a pas l'édition dans laquelle le message est écrit : ses codes figurent ci-dessous tels quels, non interprétés",
		"ar": "لا تملك هذه المحطة الإصدار الذي كُتبت به الرسالة: تظهر أدناه رموزها كما هي دون تفسير",
	},
	RawMisfit: {
		"en": "This message is not as its format asks: below are its codes as they stand, unread",
		"ru": "Сообщение не соответствует своему формату: ниже его коды как есть, без толкования",
		"zh": "该电文不符合其格式：以下为原样代码，未作解读",
		"es": "El mensaje no se ajusta a su formato: abajo figuran sus códigos tal cual, sin interpretar",
		"fr": "Le message n'est pas conforme à son format : ses codes figurent ci-dessous tels quels, non interprétés",
		"ar": "الرسالة لا توافق ما تطلبه صيغتها: تظهر أدناه رموزها كما هي دون تفسير",
	},
}

// Raw writes a message that this edition cannot render as what it is: why it is
// not read, the fields that every message has, and each parameter by its name
// with its value as JSON. It is no rendering: Parse refuses it, whatever stands
// in it. why is RawEdition or RawMisfit.
func (e *Edition) Raw(b message.Body, l Lang, why string) (string, error) {
	if !slices.Contains(langs, l) {
		return "", fmt.Errorf("language %q: en, ru, zh, es, fr or ar", clip(string(l)))
	}
	r := renderer{e: e, lang: l}
	var out strings.Builder
	fmt.Fprintf(&out, "%s ? %s\n", r.ltr(string(b.Format)), rawSaid[why][l])
	r.head(b)
	for _, name := range slices.Sorted(maps.Keys(b.Params)) {
		fmt.Fprintf(&r.out, "%s = %s\n", r.ltr(plain(name)), r.ltr(quote(string(b.Params[name]))))
	}
	r.line(r.word("standing"), r.code("standing", noAdmission))
	return out.String() + r.out.String(), r.err
}
