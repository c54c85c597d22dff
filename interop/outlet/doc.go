// Package outlet takes notices out of a station to where people are: a local
// sounder, mail, a receiver of webhooks, a printer.
//
// Each way is an [Outlet] with one method, made once from its configuration:
//
//	sounder, err := outlet.NewCommand(outlet.CommandConfig{Argv: []string{"/usr/bin/aplay", "/etc/detente/flash.wav"}})
//	mail, err := outlet.NewMail(outlet.MailConfig{Addr: "mail.arden.example:587", From: "station@nrrc.arden.example", To: []string{"watch@nrrc.arden.example"}, User: "station", PasswordFile: "/run/credentials/smtp"})
//	hook, err := outlet.NewWebhook(outlet.WebhookConfig{URL: "https://oncall.arden.example/detente", SecretFiles: []string{"/run/credentials/webhook"}}, time.Now)
//	printer, err := outlet.NewPrinter(outlet.PrinterConfig{Argv: []string{"/usr/bin/lp"}})
//
// [Test] makes the notice of a test button, in the reader's language.
//
// An outlet tries once. Whether, when and how often to try again, and how long
// to wait in between, is for the caller, who knows what else goes on; the
// [Error] says whether it is worth it. A notice keeps its id, by which
// receivers know a repetition.
//
// What leaves the station by an outlet leaves the line's protection. A notice
// therefore says that something happened and where to look, and not what a
// message says; the text is the caller's, who decides. Only a printer takes
// whole messages, as a [Sheet].
//
// Secrets come from files and stand in no error.
package outlet
