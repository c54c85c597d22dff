package book

import (
	"strconv"
	"strings"
	"time"
)

// A span is written in whole units, each with its word in the form that the
// number asks for. The forms stand in the order of pluralForm; # is where the
// number stands, and a form without it says the number by itself.
var spanUnits = []struct {
	length time.Duration
	words  map[Lang][]string
}{
	{24 * time.Hour, map[Lang][]string{
		"en": {"# day", "# days"}, "ru": {"# день", "# дня", "# дней"}, "zh": {"# 天"}, "es": {"# día", "# días"}, "fr": {"# jour", "# jours"},
		"ar": {"# يوم", "يوم واحد", "يومان", "# أيام", "# يومًا", "# يوم"},
	}},
	{time.Hour, map[Lang][]string{
		"en": {"# hour", "# hours"}, "ru": {"# час", "# часа", "# часов"}, "zh": {"# 小时"}, "es": {"# hora", "# horas"}, "fr": {"# heure", "# heures"},
		"ar": {"# ساعة", "ساعة واحدة", "ساعتان", "# ساعات", "# ساعة", "# ساعة"},
	}},
	{time.Minute, map[Lang][]string{
		"en": {"# minute", "# minutes"}, "ru": {"# минута", "# минуты", "# минут"}, "zh": {"# 分钟"}, "es": {"# minuto", "# minutos"}, "fr": {"# minute", "# minutes"},
		"ar": {"# دقيقة", "دقيقة واحدة", "دقيقتان", "# دقائق", "# دقيقة", "# دقيقة"},
	}},
	{time.Second, map[Lang][]string{
		"en": {"# second", "# seconds"}, "ru": {"# секунда", "# секунды", "# секунд"}, "zh": {"# 秒"}, "es": {"# segundo", "# segundos"}, "fr": {"# seconde", "# secondes"},
		"ar": {"# ثانية", "ثانية واحدة", "ثانيتان", "# ثوانٍ", "# ثانية", "# ثانية"},
	}},
}

// spanJoins is what stands between the units where a space does not.
var spanJoins = map[Lang]string{"ar": " و"}

// Span writes how long something lasts in the words of a language: days, hours,
// minutes and seconds, those that are nought left out. A part of a second is cut
// off, and the sign. A language that is none of Langs reads English.
func Span(d time.Duration, l Lang) string {
	if _, ok := spanUnits[0].words[l]; !ok {
		l = "en"
	}
	d = d.Abs()
	var parts []string
	for i, u := range spanUnits {
		n := int64(d / u.length)
		d %= u.length
		if n == 0 && (len(parts) > 0 || i < len(spanUnits)-1) {
			continue
		}
		parts = append(parts, strings.ReplaceAll(u.words[l][pluralForm(n, l)], "#", strconv.FormatInt(n, 10)))
	}
	join, ok := spanJoins[l]
	if !ok {
		join = " "
	}
	return strings.Join(parts, join)
}

// pluralForm says in which of a word's forms it stands beside a whole number, by
// the plural rules of the CLDR: one and others in English and Spanish, with
// nought as one in French; one, few and many in Russian; nought, one, two, few,
// many and others in Arabic; one form in Chinese.
func pluralForm(n int64, l Lang) int {
	ten, hundred := n%10, n%100
	switch l {
	case "zh":
		return 0
	case "fr":
		return min(int(n/2), 1)
	case "ru":
		switch {
		case ten == 1 && hundred != 11:
			return 0
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return 1
		}
		return 2
	case "ar":
		switch {
		case n <= 2:
			return int(n)
		case hundred >= 3 && hundred <= 10:
			return 3
		case hundred >= 11:
			return 4
		}
		return 5
	}
	if n == 1 {
		return 0
	}
	return 1
}
