package record

import "detente/book"

type text map[book.Lang]string

func six(en, ru, zh, es, fr, ar string) text {
	return text{"en": en, "ru": ru, "zh": zh, "es": es, "fr": fr, "ar": ar}
}

var verdicts = map[Verdict]text{
	Valid:         six("VALID", "ДЕЙСТВИТЕЛЬНО", "有效", "VÁLIDO", "VALIDE", "صحيح"),
	Invalid:       six("INVALID", "НЕДЕЙСТВИТЕЛЬНО", "无效", "NO VÁLIDO", "NON VALIDE", "غير صحيح"),
	Indeterminate: six("INDETERMINATE: not all could be checked", "НЕ ОПРЕДЕЛЕНО: проверено не всё", "无法确定：并非全部可核查", "INDETERMINADO: no todo pudo comprobarse", "INDÉTERMINÉ : tout n'a pu être vérifié", "غير محدد: تعذر التحقق من كل شيء"),
}

var results = map[Result]text{
	Pass:       six("pass", "пройдено", "通过", "superado", "conforme", "ناجح"),
	Fail:       six("fail", "не пройдено", "未通过", "no superado", "échec", "فاشل"),
	NotChecked: six("not checked", "не проверено", "未核查", "no comprobado", "non vérifié", "لم يُفحص"),
}

var counts = map[string]text{
	"messages": six("messages", "сообщений", "电文", "mensajes", "messages", "الرسائل"),
	"receipts": six("receipts", "подтверждений", "回执", "acuses de recibo", "accusés", "الإيصالات"),
	"lapsed":   six("first receipted after an approval had expired", "впервые подтверждено после истечения срока утверждения", "首次回执时批准已失效", "con primer acuse de recibo posterior al vencimiento de una aprobación", "premier accusé après l'expiration d'une approbation", "أول إيصال بعد انتهاء صلاحية موافقة"),
	"counted": six("counts by the release policy at (that none came after it and before the message, this record does not show)",
		"засчитано по порядку выпуска в (что между ним и сообщением не было другого, эта выписка не показывает)",
		"依下列条目的放行规则计算（其后、该电文之前有无其他规则，本记录不能显示）",
		"cuenta según las reglas de autorización del asiento (que no hubo otras entre ellas y el mensaje, este expediente no lo muestra)",
		"compte selon les règles d'autorisation en (qu'il n'y en ait pas eu d'autres avant le message, cet extrait ne le montre pas)",
		"يُحتسب وفق قواعد الإذن بالإرسال في (لا يبيّن هذا المستخرج أنه لم تأت قواعد غيرها قبل الرسالة)"),
	"contested": six("contested: its author disowns it (a claim, which alters no verdict) in", "оспорено: автор отказывается от этого (утверждение, не меняющее вывода) в", "有争议：作者称非其所发（此为主张，不改变结论），见",
		"impugnado: su autor dice que no es suyo (una afirmación, que no altera el veredicto) en", "contesté : son auteur dit qu'il n'est pas de lui (une affirmation, qui ne change aucun verdict) en", "محل طعن: ينكره صاحبه (ادعاء لا يغيّر الحكم) في"),
	"covers":     six("covers entries up to", "охватывает записи до", "涵盖的条目，至", "abarca los asientos hasta", "couvre les entrées jusqu'à", "يشمل القيود حتى"),
	"receipted":  six("head receipted last", "последнее подтверждённое состояние", "最近获回执的日志头", "última cabecera con acuse de recibo", "dernière tête avec accusé", "آخر رأس بإيصال"),
	"known":      six("largest size known to this record; whether the log went on, it cannot show", "наибольший размер, известный этой выписке; продолжался ли журнал, она показать не может", "本记录所知的最大长度；日志其后是否延续，本记录不能显示", "mayor tamaño que este expediente conoce; si el registro continuó, no puede mostrarlo", "plus grande taille connue de cet extrait ; si le journal a continué, il ne peut le montrer", "أكبر حجم يعرفه هذا المستخرج؛ ولا يمكنه أن يبيّن هل استمر السجل بعده"),
	"verified":   six("verified", "проверено", "已核验", "comprobados", "vérifiés", "تم التحقق"),
	"unanswered": six("left without an answer", "осталось без ответа", "未获答复", "sin respuesta", "restés sans réponse", "بقي بلا رد"),
}

var texts = map[Check]text{
	CheckContainer:  six("The file is a record and unaltered", "Файл является выпиской и не изменён", "文件是一份记录，且未经改动", "El archivo es un expediente y no fue alterado", "Le fichier est un extrait inaltéré", "الملف مستخرج غير معدل"),
	CheckIndex:      six("What it says it holds is there", "Заявленное содержимое имеется", "所称包含的内容均在其中", "Contiene lo que declara", "Il contient ce qu'il annonce", "ما يعلنه موجود فيه"),
	CheckCards:      six("The cards are endorsed by the parties' roots", "Карточки заверены корневыми ключами сторон", "身份卡经各方根密钥签署认可", "Las fichas están avaladas por las raíces de las partes", "Les cartes sont endossées par les racines des parties", "البطاقات مصدق عليها بجذور الأطراف"),
	CheckCheckpoint: six("The log signed its state twice", "Журнал дважды подписал своё состояние", "日志对其状态作了双重签名", "El registro firmó su estado dos veces", "Le journal a signé deux fois son état", "وقّع السجل حالته مرتين"),
	CheckReceipt:    six("The counterpart receipted it twice, at one second", "Другая сторона дважды подтвердила в одну секунду", "对方在同一秒作了双重回执", "La otra parte acusó recibo dos veces, en un mismo segundo", "L'autre partie en a accusé réception deux fois, à la même seconde", "أقر الطرف الآخر بالاستلام مرتين في ثانية واحدة"),
	CheckInclusion:  six("The entry is in the signed log", "Запись входит в подписанный журнал", "条目在已签名日志中", "El asiento está en el registro firmado", "L'entrée est dans le journal signé", "القيد ضمن السجل الموقع"),
	CheckPolicyFile: six("The policy beside the entry is the log's", "Файл политики при записи относится к этому журналу", "所附策略属于该日志", "Las reglas adjuntas son las del registro", "La politique jointe est celle du journal", "السياسة المرفقة هي سياسة السجل"),
	CheckDisclosed:  six("The entry is disclosed", "Запись раскрыта", "条目已披露", "El asiento está revelado", "L'entrée est divulguée", "القيد مفصح عنه"),
	CheckOpens:      six("The disclosed key opens the entry", "Раскрытый ключ открывает запись", "所披露密钥可打开条目", "La clave revelada abre el asiento", "La clé divulguée ouvre l'entrée", "المفتاح المفصح عنه يفتح القيد"),
	CheckBody:       six("The message is well formed and for this line", "Сообщение составлено верно и для этой линии", "电文格式正确且属于本线路", "El mensaje está bien formado y es de esta línea", "Le message est bien formé et pour cette ligne", "الرسالة سليمة الصياغة ولهذا الخط"),
	CheckApprovals:  six("Approvals verify, each by another officer", "Утверждения подлинны, каждое от другого сотрудника", "各项批准均经核验，且出自不同官员", "Las aprobaciones son auténticas, cada una de otro oficial", "Les approbations sont authentiques, chacune d'un autre agent", "الموافقات صحيحة وكل منها من موظف آخر"),
	CheckPolicy:     six("They are as many as the release policy asks", "Их столько, сколько требует порядок выпуска", "批准数达到放行规则的要求", "Son tantas como exigen las reglas de autorización", "Elles sont aussi nombreuses que l'exigent les règles", "عددها كما تطلبه قواعد الإذن بالإرسال"),
	CheckTime:       six("Times do not run backwards", "Время не идёт назад", "时间不倒退", "Las horas no retroceden", "Les heures ne reculent pas", "الأوقات لا ترجع إلى الوراء"),
	CheckSeen:       six("What each side has seen of the other agrees", "Виденное сторонами друг у друга согласуется", "双方各自所见的对方日志相符", "Lo que cada parte ha visto de la otra concuerda", "Ce que chacun a vu de l'autre concorde", "ما رآه كل طرف من الآخر متفق"),
	CheckComplete:   six("Every entry of the log is there", "Все записи журнала имеются", "日志条目齐全", "Están todos los asientos del registro", "Toutes les entrées du journal y sont", "جميع قيود السجل موجودة"),
	CheckFork:       six("The log shows one history", "Журнал показывает одну историю", "日志只显示一个历史", "El registro muestra una sola historia", "Le journal montre une seule histoire", "السجل يظهر تاريخاً واحداً"),
	CheckMatter:     six("What answers fits what it answers", "Ответы соответствуют тому, на что отвечают", "答复与其所答者相符", "Cada respuesta corresponde a aquello a lo que responde", "Ce qui répond correspond à ce à quoi il répond", "ما يرد يطابق ما يرد عليه"),
	CheckPublished:  six("Nothing is published but what both sides consented to", "Опубликовано лишь то, что разрешили обе стороны", "所公布者均经双方准许", "Solo se publica aquello en lo que ambas partes consintieron", "Rien n'est publié sans le consentement des deux parties", "لا يُنشر إلا ما أذن به الطرفان"),
}
